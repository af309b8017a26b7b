"""Every command of the window, declared once: menus, tool bar, palette and shortcut sheet are built from this list.

A command names a method of `sensiview.gui.commands.Commands` and a condition; a condition that does not hold gives
the sentence why the command is disabled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from sensiview.errors import SensiViewError, suggestion
from sensiview.gui.icons import icon

if TYPE_CHECKING:
    from sensiview.gui.session import Session

MENUS = ("&File", "&Edit", "&Project", "&Run", "&View", "&Help")
SEPARATOR = "-"


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


def _no_project(session: Session) -> str:
    return "" if session.project is not None else "Open or make a project first."


def _not_writable(session: Session) -> str:
    if session.project is None:
        return _no_project(session)
    return "The project is open for reading only." if session.project.read_only else ""


def _no_run(session: Session) -> str:
    return _no_project(session) or ("" if session.run else "Choose a run in the project tree first.")


def _no_result(session: Session) -> str:
    reason = _no_run(session)
    if reason:
        return reason
    return "" if session.run and session.run.state == "succeeded" else "This run has no result."


def _not_resumable(session: Session) -> str:
    reason = _not_writable(session) or _no_run(session)
    if reason:
        return reason
    resumable = session.run and session.run.state in ("interrupted", "stopped", "failed")
    return "" if resumable else "Only an interrupted, stopped or failed run can be resumed."


def _not_extendable(session: Session) -> str:
    reason = _not_writable(session) or _no_result(session)
    if reason or session.run is None:
        return reason
    run = session.run
    known = run.kind == "analysis" and run.analysis in session.catalogue
    return "" if known and session.catalogue[run.analysis].extendable else "This kind of run can't be extended."


def _no_data(session: Session) -> str:
    return _not_writable(session) or ("" if session.dataset else "Import a data set first.")


def _nothing_to_train(session: Session) -> str:
    reason = _no_data(session)
    if reason or session.dataset is None:
        return reason
    return "" if session.dataset.card.target else "Choose the target column of the data set first."


def _nothing_selected(session: Session) -> str:
    chosen = session.dataset or session.model or session.run
    return _not_writable(session) or ("" if chosen else "Choose something in the project tree first.")


CONDITIONS: Mapping[str, Callable[[Session], str]] = {
    "always": lambda session: "",
    "project": _no_project,
    "writable": _not_writable,
    "entry": _nothing_selected,
    "dataset": _no_data,
    "trainable": _nothing_to_train,
    "run": _no_run,
    "rerun": lambda session: _not_writable(session) or _no_run(session),
    "result": _no_result,
    "resumable": _not_resumable,
    "extendable": _not_extendable,
    "job": lambda session: "" if session.jobs.live or session.jobs.waiting else "Nothing is running.",
    "queue": lambda session: "" if session.jobs.paused and session.jobs.waiting else "No run waits to be started.",
    "undo": lambda session: "" if session.undo.canUndo() else "There is nothing to undo.",
    "redo": lambda session: "" if session.undo.canRedo() else "There is nothing to redo.",
}

ACTIONS: tuple[ActionInfo, ...] = (
    ActionInfo("new_project", "&New project…", "new_project", "&File", "Make a project folder",
               0, ("Ctrl+N",), "project_new"),
    ActionInfo("open_project", "&Open project…", "open_project", "&File", "Open a project folder",
               0, ("Ctrl+O",), "project_open", toolbar=True),
    ActionInfo("open_sample", "Open &sample project", "open_sample", "&File",
               "Make and open a project on diabetes data with a trained network", 0, (), "sample"),
    ActionInfo("close_project", "&Close project", "close_project", "&File", "Close the project and show the welcome page",
               0, ("Ctrl+Shift+W",), "project_close", "project"),
    ActionInfo("export_run", "&Export result…", "export_run", "&File", "Write tables and plots of the chosen run to a folder",
               1, ("Ctrl+E",), "export", "result"),
    ActionInfo("write_report", "Write re&port…", "write_report", "&File", "Write one page about all finished runs",
               1, ("Ctrl+Shift+E",), "report", "project"),
    ActionInfo("preferences", "P&references…", "preferences", "&File", "Theme, device, batch size, font size",
               2, ("Ctrl+,",), "preferences"),
    ActionInfo("plugins", "P&lugins…", "plugins", "&File", "See, trust and remove plugins", 2, (), "plugin"),
    ActionInfo("quit", "&Quit", "quit", "&File", "Close the window", 3, ("Ctrl+Q",), "quit"),
    ActionInfo("undo", "&Undo", "undo", "&Edit", "Take back the latest change of the project",
               0, ("Ctrl+Z",), "undo", "undo", toolbar=True),
    ActionInfo("redo", "&Redo", "redo", "&Edit", "Do again what was taken back",
               0, ("Ctrl+Shift+Z", "Ctrl+Y"), "redo", "redo", toolbar=True),
    ActionInfo("rename", "Re&name", "rename", "&Edit", "Give the chosen entry another name", 1, ("F2",), "rename", "entry"),
    ActionInfo("delete", "&Delete", "delete", "&Edit", "Move the chosen entry to the trash; undo brings it back",
               1, (), "delete", "entry"),
    ActionInfo("trash", "&Trash…", "trash", "&Edit", "See what was deleted and bring it back", 1, (), "restore", "project"),
    ActionInfo("find", "&Find in project", "find", "&Edit", "Search data sets, models and runs by name",
               2, ("Ctrl+F",), "search", "project"),
    ActionInfo("palette", "Command &palette", "palette", "&Edit", "Find any command, data set, model, run or analysis by name",
               2, ("Ctrl+Shift+P", "Ctrl+K"), "palette", toolbar=True),
    ActionInfo("import_table", "&Import table…", "import_table", "&Project", "Import a CSV, Parquet or Excel file",
               0, ("Ctrl+I",), "dataset_import", "writable", toolbar=True),
    ActionInfo("add_model", "&Add model…", "add_model", "&Project", "Add a network with its trained weights",
               0, ("Ctrl+M",), "model_add", "writable", toolbar=True),
    ActionInfo("train", "&Train model…", "train", "&Project", "Train a network on the chosen data set",
               0, ("Ctrl+T",), "train", "trainable", toolbar=True),
    ActionInfo("set_target", "Choose tar&get column…", "set_target", "&Project", "Choose the column that models predict",
               1, (), "target", "dataset"),
    ActionInfo("show_folder", "Show project &folder", "show_folder", "&Project", "Open the project's folder in the file manager",
               2, (), "folder", "project"),
    ActionInfo("run", "&Run analysis", "run_analysis", "&Run", "Start the analysis of the form on the right",
               0, ("Ctrl+Return",), "run", "writable", toolbar=True),
    ActionInfo("choose_analysis", "&Choose analysis", "choose_analysis", "&Run", "Go to the list of analyses",
               0, ("Ctrl+L",), "analysis", "project"),
    ActionInfo("stop", "&Stop job", "stop_job", "&Run", "Stop the running job; what was computed is kept",
               1, ("Ctrl+.",), "stop", "job", toolbar=True),
    ActionInfo("start_queue", "Start &queue", "start_queue", "&Run", "Go on with the runs that wait from last time",
               1, (), "run", "queue"),
    ActionInfo("retry", "Run &again", "retry_run", "&Run", "Queue a new run with everything as in the chosen one",
               2, (), "retry", "rerun"),
    ActionInfo("resume", "Res&ume", "resume_run", "&Run", "Go on with the chosen run from its checkpoint",
               2, (), "resume", "resumable"),
    ActionInfo("extend", "E&xtend…", "extend_run", "&Run", "Go on with larger values, re-using every evaluation",
               2, (), "extend", "extendable"),
    ActionInfo("show_dataset", "&Data set", "show_dataset", "&View", "Show the chosen data set", 1, ("Ctrl+1",), "dataset", "project"),
    ActionInfo("show_model", "&Model", "show_model", "&View", "Show the chosen model", 1, ("Ctrl+2",), "model", "project"),
    ActionInfo("show_results", "&Results", "show_results", "&View", "Show the result tabs", 1, ("Ctrl+3",), "results", "project"),
    ActionInfo("next_pane", "&Next pane", "next_pane", "&View", "Move the keyboard to the next pane", 1, ("F6",), "chevron_right"),
    ActionInfo("theme", "Switch &light or dark", "switch_theme", "&View", "Switch between the light and the dark theme",
               2, ("Ctrl+Shift+L",), "theme"),
    ActionInfo("full_screen", "&Full screen", "full_screen", "&View", "Fill the screen with the window", 2, ("F11",), "layout"),
    ActionInfo("reset_layout", "&Reset layout", "reset_layout", "&View", "Put every pane back where it was at first",
               2, (), "layout"),
    ActionInfo("shortcuts", "&Keyboard shortcuts", "shortcuts", "&Help", "Show every shortcut", 0, ("F1", "Ctrl+/"), "keyboard"),
    ActionInfo("show_log", "Show &log file", "show_log", "&Help", "Open the folder of the log", 1, (), "folder"),
    ActionInfo("about", "&About SensiView", "about", "&Help", "Version, licences, this machine", 1, (), "about"),
)  # fmt: skip


class ActionSet(QObject):
    """The declared commands as Qt actions, kept enabled or disabled with the reason."""

    def __init__(self, session: Session, handlers: object, parent: QObject, infos: Iterable[ActionInfo] = ACTIONS) -> None:
        super().__init__(parent)
        self._session = session
        self.infos = {info.key: info for info in infos}
        self._actions: dict[str, QAction] = {}
        self.reasons: dict[str, str] = {}
        for info in self.infos.values():
            self._actions[info.key] = self._make(info, getattr(handlers, info.handler))
        for signal in (
            session.project_changed, session.datasets_changed, session.models_changed, session.runs_changed,
            session.selection_changed, session.jobs.changed, session.undo.indexChanged,
        ):  # fmt: skip
            signal.connect(self.refresh)
        self.refresh()

    def __getitem__(self, key: str) -> QAction:
        if key not in self._actions:
            raise SensiViewError(f"There is no command '{key}'.{suggestion(key, list(self._actions))}")
        return self._actions[key]

    def _make(self, info: ActionInfo, handler: Callable[[], None]) -> QAction:
        action = QAction(icon(info.icon) if info.icon else icon("chevron_right"), info.text, self)
        action.setObjectName(f"action_{info.key}")
        action.setShortcuts([QKeySequence(keys) for keys in info.shortcuts])
        action.setStatusTip(info.tip)
        action.setCheckable(info.checkable)
        # The quit role lets macOS put it into the application menu; all others stay where they are declared.
        role = QAction.MenuRole.QuitRole if info.key == "quit" else QAction.MenuRole.NoRole
        action.setMenuRole(role)
        action.triggered.connect(lambda: self._trigger(handler))
        return action

    def _trigger(self, handler: Callable[[], None]) -> None:
        with self._session.guard():
            handler()

    def refresh(self) -> None:
        """Ask every condition anew; the reason why a command is disabled is in its tool tip."""
        verdicts = {name: condition(self._session) for name, condition in CONDITIONS.items()}
        for key, info in self.infos.items():
            reason = verdicts[info.condition]
            self.reasons[key] = reason
            action = self._actions[key]
            action.setEnabled(not reason)
            keys = f" ({action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)})" if info.shortcuts else ""
            action.setToolTip(f"{info.title}{keys}\n{reason or info.tip}")
