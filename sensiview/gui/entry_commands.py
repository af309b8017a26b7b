"""Commands about what a project holds: data sets, models, their files, names and the trash."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtWidgets import QFileDialog

from sensiview.errors import UserError
from sensiview.gui.project_commands import ProjectCommands
from sensiview.gui.project_tree import TABLE_SUFFIXES, WEIGHT_SUFFIXES
from sensiview.gui.session import EntryKind


class EntryCommands(ProjectCommands):
    """Data sets, models and runs as entries of the project."""

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
        dialog.started.connect(self.show_run)
        self._window.show_dialog("train", dialog)

    def set_target(self) -> None:
        """Choose the column that models predict."""
        from sensiview.gui.dialogs.target import TargetDialog

        self._window.show_dialog("target", TargetDialog(self._session, self._window), sheet=True)

    def locate(self) -> None:
        """Say where a file of the chosen data set or model lies now."""
        from sensiview.gui.locating import ask_for_moved_file

        entry = self._window.tree.current()
        ask_for_moved_file(self._window, entry)

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
                self.show_run(run)
        self._window.tree.select(chosen, identifier, quiet=True)

    def open_entry(self, kind: str, identifier: str) -> None:
        """Show an entry; a run that has no result yet shows how far it is."""
        self.choose_entry(kind, identifier)
        if kind == "run":
            run = self._session.run_record(identifier)
            if run is not None:
                self.show_run(run)

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
