"""A file that was moved after it was added: where it lies now, checked to be the same one, and others with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from sensiview.errors import UserError
from sensiview.gui.background import run_in_background

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow
    from sensiview.gui.session import EntryKind, Session
    from sensiview.projects.moved_files import Relocated


def missing_file(session: Session, kind: EntryKind, identifier: str) -> tuple[int, Path] | None:
    """Return number and old path of the entry's first file that is not there; None when all are."""
    if kind == "dataset":
        source = next((entry for entry in session.datasets() if entry.id == identifier), None)
        files = source.files if source is not None else ()
    elif kind == "model":
        model = next((entry for entry in session.models() if entry.id == identifier), None)
        files = tuple(file for file in (model.weights, model.program) if file is not None) if model is not None else ()
    else:
        files = ()
    return next(((at, file.path) for at, file in enumerate(files) if not file.path.is_file()), None)


def ask_for_moved_file(window: MainWindow, entry: tuple[EntryKind, str] | None) -> None:
    """Ask where the missing file of a tree entry lies now, and keep that in the project.

    Raises
    ------
    UserError
        No data set or model is chosen, or none of its files is missing.
    """
    if entry is None or entry[0] == "run":
        raise UserError("Choose the data set or model whose file was moved in the project tree first.")
    lost = missing_file(window.session, *entry)
    if lost is None:
        raise UserError("All files of this entry are where they were.")
    dialog = QFileDialog(window, f"Where is {lost[1].name} now?")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(lambda path: relocate(window, entry, lost[0], Path(path)))
    window.show_dialog("locate", dialog, sheet=True)


def relocate(window: MainWindow, entry: tuple[EntryKind, str], index: int, path: Path) -> None:
    """Check in the background that `path` is the same file, then keep it, with others that were moved along."""
    session = window.session
    with session.guard():
        project = session.writable_project()

        def done(result: Relocated) -> None:
            more = result.found - 1
            others = f" and {more:,} other file{'s' if more > 1 else ''} were" if more else " was"
            rest = f" {result.missing:,} are still missing." if result.missing else ""
            session.say(f"'{path.name}'{others} found again.{rest}", level="warning" if rest else "good")
            session.entries_changed(entry[0])

        run_in_background(lambda: project.relocate(entry[1], index, path), done, session.problem.emit, owner=session)
