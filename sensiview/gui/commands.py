"""What the declared commands do; see `sensiview.gui.action_list`. Each is short: dialogs and panes do the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from sensiview import locations
from sensiview.errors import UserError
from sensiview.gui.project_tree import TABLE_SUFFIXES, WEIGHT_SUFFIXES
from sensiview.gui.session import EntryKind
from sensiview.gui.themes import apply_theme, theme

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow
    from sensiview.projects.records import RunRecord


class Commands:
    """One method per command, taking nothing; whatever is raised becomes a sentence in the window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._session = window.session

    # Projects

    def new_project(self) -> None:
        """Ask for folder and title."""
        from sensiview.gui.dialogs.new_project import NewProjectDialog

        dialog = NewProjectDialog(self._window)
        dialog.wanted.connect(lambda path, title: self.leave_then(lambda: self._session.create(path, title)))
        self._window.show_dialog("new_project", dialog, sheet=True)

    def open_project(self) -> None:
        """Ask for a project's folder."""
        dialog = QFileDialog(self._window, "Open project")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        if self._session.project is not None:
            dialog.setDirectory(str(self._session.project.path.parent))
        dialog.fileSelected.connect(lambda path: self.open_path(Path(path)))
        self._window.show_dialog("open_project", dialog, sheet=True)

    def open_path(self, path: Path) -> None:
        """Open a project, after asking when a job of the present one goes on."""
        self.leave_then(lambda: self._session.open(path))

    def leave_then(self, then: Callable[[], object]) -> None:
        """Leave the present project properly, then go on."""

        def go() -> None:
            self._window.leave_project()
            then()

        if self._session.jobs.live is not None:
            self._window.ask_to_stop("Stop and go on", go)
        else:
            go()

    def open_sample(self) -> None:
        """Make the sample project and run its analyses in this window."""
        self.leave_then(self._window.sample.start)

    def close_project(self) -> None:
        """Go back to the welcome page."""
        self.leave_then(self._session.close_project)

    def show_folder(self) -> None:
        """Open the project's folder in the file manager."""
        self._show_in_file_manager(self._session.require_project().path)

    def quit(self) -> None:
        """Close the window."""
        self._window.close()

    # Data and models

    def import_table(self) -> None:
        """Ask for a file, then show how it was understood."""
        self._session.writable_project()
        dialog = QFileDialog(self._window, "Import table")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        patterns = " ".join(f"*{suffix}" for suffix in sorted(TABLE_SUFFIXES))
        dialog.setNameFilters([f"Tables ({patterns})", "All files (*)"])
        dialog.fileSelected.connect(lambda path: self.import_path(Path(path)))
        self._window.show_dialog("choose_table", dialog, sheet=True)

    def import_path(self, path: Path) -> None:
        """Show how a file was understood, before it is added."""
        from sensiview.gui.dialogs.import_table import ImportTableDialog

        dialog = ImportTableDialog(self._session, path, self._window)
        dialog.imported.connect(lambda identifier: self.choose_entry("dataset", identifier))
        self._window.show_dialog("import_table", dialog)

    def add_model(self) -> None:
        """Show the form for a model with trained weights."""
        self._add_model(None)

    def _add_model(self, weights: Path | None) -> None:
        from sensiview.gui.dialogs.add_model import AddModelDialog

        self._session.writable_project()
        dialog = AddModelDialog(self._session, weights, self._window)
        dialog.added.connect(lambda identifier: self.choose_entry("model", identifier))
        self._window.show_dialog("add_model", dialog)

    def train(self) -> None:
        """Show the form for training on the chosen data set."""
        from sensiview.gui.dialogs.train import TrainDialog

        dialog = TrainDialog(self._session, self._window)
        dialog.started.connect(self._show_run)
        self._window.show_dialog("train", dialog)

    def set_target(self) -> None:
        """Choose the column that models predict."""
        from sensiview.gui.dialogs.target import TargetDialog

        self._window.show_dialog("target", TargetDialog(self._session, self._window), sheet=True)

    def take_files(self, files: list[Path]) -> None:
        """Take files from the desktop: projects are opened, tables imported, weights added."""
        for path in files:
            if path.is_dir() and (path / "project.sqlite").is_file():
                self.open_path(path)
                return
        tables = [path for path in files if path.suffix.lower() in TABLE_SUFFIXES]
        weights = [path for path in files if path.suffix.lower() in WEIGHT_SUFFIXES]
        with self._session.guard():
            if tables:
                self._session.writable_project()
                self.import_path(tables[0])
            elif weights:
                self._add_model(weights[0])
            else:
                kinds = ", ".join(sorted(TABLE_SUFFIXES | WEIGHT_SUFFIXES))
                raise UserError(f"'{files[0].name}' is neither a table, nor weights, nor a project. Known: {kinds}.")
            if len(tables) + len(weights) > 1:
                self._session.say("One file at a time: drop the others after this one.")

    # Entries

    def choose_entry(self, kind: str, identifier: str) -> None:
        """Select an entry and show its page."""
        chosen = cast("EntryKind", kind)
        if chosen == "dataset":
            self._session.select_dataset(identifier)
            self._window.centre.show_page("dataset")
        elif chosen == "model":
            self._session.select_model(identifier)
            self._window.centre.show_page("model")
        else:
            self._session.select_run(identifier)
            run = self._session.run_record(identifier)
            if run is not None and run.state == "succeeded":
                self._show_run(run)
        self._window.tree.select(chosen, identifier, quiet=True)

    def open_entry(self, kind: str, identifier: str) -> None:
        """Show an entry; a run that has no result yet shows how far it is."""
        self.choose_entry(kind, identifier)
        if kind == "run":
            run = self._session.run_record(identifier)
            if run is not None:
                self._show_run(run)

    def _show_run(self, run: RunRecord) -> None:
        if self._window.results is not None:
            self._window.results.open_run(run.id)
            self._window.centre.show_page("results")

    def rename(self) -> None:
        """Edit the name in the tree."""
        self._window.tree.rename_current()

    def delete(self) -> None:
        """Move the tree's current entry to the trash."""
        self._window.tree.delete_current()

    def trash(self) -> None:
        """Show what was deleted."""
        from sensiview.gui.dialogs.trash import TrashDialog

        self._window.show_dialog("trash", TrashDialog(self._session, self._window))

    def undo(self) -> None:
        """Take back the latest change."""
        self._session.undo.undo()

    def redo(self) -> None:
        """Make the change again."""
        self._session.undo.redo()

    def find(self) -> None:
        """Go to the search field."""
        self._window.docks["project"].show()
        self._window.docks["project"].raise_()
        self._window.tree.search.setFocus()
        self._window.tree.search.selectAll()

    # Runs

    def run_analysis(self) -> None:
        """Press the form's Run button."""
        if self._window.analysis is None:
            raise UserError("The analyses are still loading. Try again in a moment.")
        self.choose_analysis()
        self._window.analysis.run()

    def choose_analysis(self) -> None:
        """Go to the list of analyses."""
        dock = self._window.docks["analysis"]
        dock.show()
        dock.raise_()
        if self._window.analysis is not None:
            self._window.analysis.setFocus()

    def edit_run(self, run_id: str) -> None:
        """Put what a run was started with into the form."""
        self.choose_analysis()
        if self._window.analysis is not None:
            self._window.analysis.show_run(run_id)

    def stop_job(self) -> None:
        """Stop the chosen run if it goes on or waits, else the one that goes on."""
        jobs = self._session.jobs
        chosen = self._session.run
        if chosen is not None and (jobs.is_busy_with(chosen.id) or chosen.id in jobs.waiting):
            jobs.cancel(chosen.id)
        elif jobs.live is not None:
            jobs.cancel(jobs.live.run)

    def start_queue(self) -> None:
        """Go on with what waits from last time."""
        self._session.jobs.start_waiting()

    def retry_run(self) -> None:
        """Queue the chosen run anew."""
        self._show_run(self._session.retry(self._chosen_run().id))

    def resume_run(self) -> None:
        """Go on with the chosen run."""
        self._show_run(self._session.resume(self._chosen_run().id))

    def extend_run(self) -> None:
        """Ask for the larger values."""
        from sensiview.gui.dialogs.extend_run import ExtendRunDialog

        dialog = ExtendRunDialog(self._session, self._chosen_run(), self._window)
        dialog.started.connect(self._show_run)
        self._window.show_dialog("extend", dialog, sheet=True)

    def export_run(self) -> None:
        """Ask for a folder and write tables and plots there."""
        from sensiview.gui.exporting import ask_and_export

        ask_and_export(self._window, self._chosen_run())

    def write_report(self) -> None:
        """Ask for a file and write the report of all finished runs."""
        from sensiview.gui.exporting import ask_and_report

        ask_and_report(self._window)

    def _chosen_run(self) -> RunRecord:
        run = self._session.run
        if run is None:
            raise UserError("Choose a run in the project tree first.")
        return run

    # View and help

    def show_dataset(self) -> None:
        """Show the data set's page."""
        self._window.centre.show_page("dataset")

    def show_model(self) -> None:
        """Show the model's page."""
        self._window.centre.show_page("model")

    def show_results(self) -> None:
        """Show the result tabs; the chosen run's when it has a result."""
        self._window.centre.show_page("results")
        run = self._session.run
        if run is not None and run.state == "succeeded":
            self._show_run(run)

    def next_pane(self) -> None:
        """Move the keyboard to the first field of the next visible pane."""
        window = self._window
        panes: list[QWidget] = [dock for dock in window.docks.values() if dock.isVisible()]
        panes.insert(1, window.centre)
        focus = window.focusWidget()
        now = next((i for i, pane in enumerate(panes) if focus is not None and pane.isAncestorOf(focus)), -1)
        for step in range(1, len(panes) + 1):
            if _focus_into(panes[(now + step) % len(panes)]):
                return

    def switch_theme(self) -> None:
        """Switch between light and dark, for now and the next start."""
        from dataclasses import replace

        from sensiview.gui.dialogs.preferences import keep_settings

        name: Literal["light", "dark"] = "light" if theme().name == "dark" else "dark"
        keep_settings(self._session, replace(self._session.settings, theme=name))
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, name)

    def full_screen(self) -> None:
        """Fill the screen, or stop that."""
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def reset_layout(self) -> None:
        """Put the panes back."""
        from sensiview.gui.window_layout import forget_docks

        forget_docks()
        if self._session.project is not None:
            self._window.first_layout()

    def palette(self) -> None:
        """Show the command palette."""
        from sensiview.gui.command_palette import CommandPalette

        self._window.show_dialog("palette", CommandPalette(self._window))

    def preferences(self) -> None:
        """Show the preferences."""
        from sensiview.gui.dialogs.preferences import PreferencesDialog

        self._window.show_dialog("preferences", PreferencesDialog(self._session, self._window))

    def plugins(self) -> None:
        """Show the plugins."""
        from sensiview.gui.dialogs.plugins import PluginsDialog

        self._window.show_dialog("plugins", PluginsDialog(self._session, self._window))

    def shortcuts(self) -> None:
        """Show every shortcut."""
        from sensiview.gui.dialogs.shortcuts import ShortcutsDialog

        self._window.show_dialog("shortcuts", ShortcutsDialog(self._window.action_set, self._window))

    def about(self) -> None:
        """Show version and licences."""
        from sensiview.gui.dialogs.about import AboutDialog

        self._window.show_dialog("about", AboutDialog(self._window))

    def show_log(self) -> None:
        """Open the folder of the log."""
        folder = locations.log_file().parent
        folder.mkdir(parents=True, exist_ok=True)
        self._show_in_file_manager(folder)

    def _show_in_file_manager(self, folder: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._session.say(f"No file manager was found. The folder is {folder}", level="warning")


def _focus_into(pane: QWidget) -> bool:
    for widget in pane.findChildren(QWidget):
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            widget.setFocus(Qt.FocusReason.TabFocusReason)
            return True
    return False
