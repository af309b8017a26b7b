"""Commands about projects: new, open, sample, close."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog

from sensiview.errors import SensiViewError
from sensiview.gui.window_part import WindowPart


class ProjectCommands(WindowPart):
    """Projects as a whole."""

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

    def remedy(self, error: SensiViewError) -> tuple[str, Callable[[], None]] | None:
        """Return the button that leads out of an error, where there is one."""
        folder = getattr(error, "folder", None)
        if not isinstance(folder, Path):
            return None
        from sensiview.projects.store import Project

        try:
            backups = Project.backups(folder)
        except SensiViewError:
            return None
        return (f"Put back the backup of {backups[0].made}", lambda: self._restore(folder)) if backups else None

    def _restore(self, folder: Path) -> None:
        from sensiview.projects.store import Project

        with self._session.guard():
            self._session.say(Project.restore_backup(folder), level="good")
            self.open_path(folder)

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
        self.leave_then(lambda: self._window.sample.start("diabetes"))

    def open_image_sample(self) -> None:
        """Make the sample project of images: a network trained here, and one trained on ImageNet."""
        self.leave_then(lambda: self._window.sample.start("images"))

    def open_digits_sample(self) -> None:
        """Make the sample project of biased digits: five networks, and what each of them cheats with."""
        self.leave_then(lambda: self._window.sample.start("digits"))

    def open_brain_sample(self) -> None:
        """Make the sample project of simulated brains; it trains for some minutes."""
        self.leave_then(lambda: self._window.sample.start("brain"))

    def close_project(self) -> None:
        """Go back to the welcome page."""
        self.leave_then(self._session.close_project)

    def show_folder(self) -> None:
        """Open the project's folder in the file manager."""
        self.show_in_file_manager(self._session.require_project().path)

    def quit(self) -> None:
        """Close the window."""
        self._window.close()
