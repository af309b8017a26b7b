"""Every command of the window, declared once: menus, tool bar, palette and shortcut sheet are built from this list.

A command names a method of `sensiview.gui.commands.Commands` and a condition of `sensiview.gui.conditions`.
"""

from __future__ import annotations

from dataclasses import dataclass

MENUS = ("&File", "&Edit", "&Project", "&Run", "&View", "&Help")


@dataclass(frozen=True)
class ActionInfo:
    """One command.

    Parameters
    ----------
    key : str
        Name in code; the action's objectName is ``action_KEY``.
    text : str
        Menu text with its mnemonic; an ellipsis when a dialog follows.
    handler : str
        Method of `Commands`.
    menu : str
        One of `MENUS`; a line is drawn above it when `group` differs from the one before.
    shortcuts : tuple of str
        Key sequences; the first one is shown.
    tip : str
        A sentence for the status bar, the tool tip and the palette.
    condition : str
        Key of `CONDITIONS`.
    """

    key: str
    text: str
    handler: str
    menu: str
    tip: str
    group: int = 0
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    condition: str = "always"
    toolbar: bool = False
    checkable: bool = False

    @property
    def title(self) -> str:
        """The text without mnemonic and ellipsis."""
        return self.text.replace("&", "").rstrip("…")


ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo("new_project", "&New project…", "new_project", "&File",
               "Make a project folder", 0, ("Ctrl+N",), "project_new"),
    ActionInfo("open_project", "&Open project…", "open_project", "&File",
               "Open a project folder", 0, ("Ctrl+O",), "project_open", toolbar=True),
    ActionInfo("open_sample", "Open &sample project", "open_sample", "&File",
               "Make and open a project on diabetes data with a trained network", 0, (), "sample"),
    ActionInfo("open_image_sample", "Open &image sample project", "open_image_sample", "&File",
               "Make and open a project on garments and photographs with two image networks", 0, (), "sample"),
    ActionInfo("open_digits_sample", "Open &digits sample project", "open_digits_sample", "&File",
               "Make and open a project on digits whose colours betray them and networks that cheat", 0, (), "sample"),
    ActionInfo("open_brain_sample", "Open &brain sample project", "open_brain_sample", "&File",
               "Make and open a project on simulated grey-matter maps with 3-D networks", 0, (), "sample"),
    ActionInfo("close_project", "&Close project", "close_project", "&File",
               "Close the project and show the welcome page", 0, ("Ctrl+Shift+W",), "project_close", "project"),
    ActionInfo("export_run", "&Export result…", "export_run", "&File",
               "Write tables and plots of the chosen run to a folder", 1, ("Ctrl+E",), "export", "result"),
    ActionInfo("write_report", "Write re&port…", "write_report", "&File",
               "Write one page about all finished runs", 1, ("Ctrl+Shift+E",), "report", "project"),
    ActionInfo("preferences", "P&references…", "preferences", "&File",
               "Theme, device, batch size, font size, keyboard shortcuts", 2, ("Ctrl+,",), "preferences"),
    ActionInfo("plugins", "P&lugins…", "plugins", "&File", "See, trust and remove plugins", 2, (), "plugin"),
    ActionInfo("quit", "&Quit", "quit", "&File", "Close the window", 3, ("Ctrl+Q",), "quit"),
    ActionInfo("undo", "&Undo", "undo", "&Edit",
               "Take back the latest change of the project", 0, ("Ctrl+Z",), "undo", "undo", toolbar=True),
    ActionInfo("redo", "&Redo", "redo", "&Edit",
               "Do again what was taken back", 0, ("Ctrl+Shift+Z", "Ctrl+Y"), "redo", "redo", toolbar=True),
    ActionInfo("rename", "Re&name", "rename", "&Edit",
               "Give the chosen entry another name", 1, ("F2",), "rename", "entry"),
    ActionInfo("delete", "&Delete", "delete", "&Edit",
               "Move the chosen entry to the trash; undo brings it back", 1, (), "delete", "entry"),
    ActionInfo("trash", "&Trash…", "trash", "&Edit",
               "See what was deleted and bring it back", 1, (), "restore", "project"),
    ActionInfo("find", "&Find in project", "find", "&Edit",
               "Search data sets, models and runs by name", 2, ("Ctrl+F",), "search", "project"),
    ActionInfo("palette", "Command &palette", "palette", "&Edit",
               "Find any command, data set, model, run or analysis by name",
               2, ("Ctrl+Shift+P", "Ctrl+K"), "palette", toolbar=True),
    ActionInfo("import_table", "&Import table…", "import_table", "&Project",
               "Import a CSV, Parquet or Excel file", 0, ("Ctrl+I",), "dataset_import", "writable", toolbar=True),
    ActionInfo("import_images", "Import i&mages…", "import_images", "&Project",
               "Add pictures, DICOM, videos, NumPy arrays, MNIST or CIFAR files, or a table of paths",
               0, (), "dataset_import", "writable"),
    ActionInfo("import_image_folder", "Import &folder of images…", "import_image_folder", "&Project",
               "Add a folder of pictures, with a folder per class or a table of labels", 0, (), "folder", "writable"),
    ActionInfo("import_volumes", "Import &volumes…", "import_volumes", "&Project",
               "Add NIfTI volumes to the project", 0, (), "dataset_import", "writable"),
    ActionInfo("import_volume_folder", "Import folder of volumes or &DICOM…", "import_volume_folder", "&Project",
               "Add a folder of NIfTI volumes or of DICOM series", 0, (), "folder", "writable"),
    ActionInfo("add_model", "&Add model…", "add_model", "&Project",
               "Add a network with its trained weights", 0, ("Ctrl+M",), "model_add", "writable", toolbar=True),
    ActionInfo("train", "&Train model…", "train", "&Project",
               "Train a network on the chosen data set", 0, ("Ctrl+T",), "train", "trainable", toolbar=True),
    ActionInfo("set_target", "Choose tar&get column…", "set_target", "&Project",
               "Choose the column that models predict", 1, (), "target", "dataset"),
    ActionInfo("choose_atlas", "Choose at&las…", "choose_atlas", "&Project",
               "Choose the region names of the chosen volumes", 1, (), "palette", "volumes"),
    ActionInfo("resample", "&Resample volumes…", "resample", "&Project",
               "Bring the chosen volumes onto the grid of a template", 1, (), "mosaic", "volumes"),
    ActionInfo("locate", "Fi&nd moved file…", "locate", "&Project",
               "Say where a file of the chosen data set or model lies now", 1, (), "search", "writable"),
    ActionInfo("show_folder", "Show pr&oject folder", "show_folder", "&Project",
               "Open the project's folder in the file manager", 2, (), "folder", "project"),
    ActionInfo("run", "&Run analysis", "run_analysis", "&Run",
               "Start the analysis of the form on the right", 0, ("Ctrl+Return",), "run", "writable", toolbar=True),
    ActionInfo("choose_analysis", "&Choose analysis", "choose_analysis", "&Run",
               "Go to the list of analyses", 0, ("Ctrl+L",), "analysis", "project"),
    ActionInfo("stop", "&Stop job", "stop_job", "&Run",
               "Stop the running job; what was computed is kept", 1, ("Ctrl+.",), "stop", "job", toolbar=True),
    ActionInfo("start_queue", "Start &queue", "start_queue", "&Run",
               "Go on with the runs that wait from last time", 1, (), "run", "queue"),
    ActionInfo("retry", "Run &again", "retry_run", "&Run",
               "Queue a new run with everything as in the chosen one", 2, (), "retry", "rerun"),
    ActionInfo("resume", "Res&ume", "resume_run", "&Run",
               "Go on with the chosen run from its checkpoint", 2, (), "resume", "resumable"),
    ActionInfo("extend", "E&xtend…", "extend_run", "&Run",
               "Go on with larger values, re-using every evaluation", 2, (), "extend", "extendable"),
    ActionInfo("compare_screenings", "Co&mpare screenings", "compare_screenings", "&Run",
               "Show maps of Morris screenings of several networks side by side", 3, (), "mosaic", "screenings"),
    ActionInfo("show_dataset", "&Data set", "show_dataset", "&View",
               "Show the chosen data set", 1, ("Ctrl+1",), "dataset", "project"),
    ActionInfo("show_model", "&Model", "show_model", "&View",
               "Show the chosen model", 1, ("Ctrl+2",), "model", "project"),
    ActionInfo("show_results", "&Results", "show_results", "&View",
               "Show the result tabs", 1, ("Ctrl+3",), "results", "project"),
    ActionInfo("next_pane", "&Next pane", "next_pane", "&View",
               "Move the keyboard to the next pane", 1, ("F6",), "chevron_right"),
    ActionInfo("theme", "Switch &light or dark", "switch_theme", "&View",
               "Switch between the light and the dark theme", 2, ("Ctrl+Shift+L",), "theme"),
    ActionInfo("full_screen", "&Full screen", "full_screen", "&View",
               "Fill the screen with the window", 2, ("F11",), "layout"),
    ActionInfo("page_only", "&Page only", "page_only", "&View",
               "Hide the panes around the page, for reading volumes; again to bring them back",
               2, ("F12",), "eye", "project", toolbar=True),
    ActionInfo("reset_layout", "Reset la&yout", "reset_layout", "&View",
               "Put every pane back where it was at first", 2, (), "layout"),
    ActionInfo("shortcuts", "&Keyboard shortcuts", "shortcuts", "&Help",
               "See and change every shortcut", 0, ("F1", "Ctrl+/"), "keyboard"),
    ActionInfo("show_log", "Show &log file", "show_log", "&Help", "Open the folder of the log", 1, (), "folder"),
    ActionInfo("about", "&About SensiView", "about", "&Help", "Version, licences, this machine", 1, (), "about"),
)  # fmt: skip
