"""Changes of the project that can be taken back: rename, delete, restore, another target column."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from sensiview.errors import SensiViewError
from sensiview.gui.guard import os_problem
from sensiview.gui.session import EntryKind, Session

if TYPE_CHECKING:
    from sensiview.datasets.card import DatasetCard

_WORDS: dict[EntryKind, str] = {"dataset": "data set", "model": "model", "run": "run"}


class ProjectChange(QUndoCommand):
    """One change with its opposite; when either fails the user hears why and the change leaves the stack."""

    def __init__(self, session: Session, text: str, do: Callable[[], None], take_back: Callable[[], None]) -> None:
        super().__init__(text)
        self._session = session
        self._do = do
        self._take_back = take_back

    def redo(self) -> None:
        """Make the change."""
        self._carry_out(self._do)

    def undo(self) -> None:
        """Take the change back."""
        self._carry_out(self._take_back)

    def _carry_out(self, change: Callable[[], None]) -> None:
        try:
            change()
        except SensiViewError as error:
            self.setObsolete(True)
            self._session.problem.emit(error)
        except OSError as error:
            self.setObsolete(True)
            self._session.problem.emit(os_problem(error))


def push_rename(session: Session, kind: EntryKind, identifier: str, old: str, new: str) -> None:
    """Rename an entry, undoable."""
    session.undo.push(
        ProjectChange(
            session,
            f"rename {_WORDS[kind]} to '{new}'",
            lambda: session.rename(kind, identifier, new),
            lambda: session.rename(kind, identifier, old),
        )
    )


def push_delete(session: Session, kind: EntryKind, identifier: str, name: str) -> None:
    """Move an entry to the trash, undoable."""
    session.undo.push(
        ProjectChange(
            session,
            f"delete {_WORDS[kind]} '{name}'",
            lambda: session.delete(kind, identifier),
            lambda: session.restore(kind, identifier),
        )
    )


def push_restore(session: Session, kind: EntryKind, identifier: str, name: str) -> None:
    """Take an entry out of the trash, undoable."""
    session.undo.push(
        ProjectChange(
            session,
            f"restore {_WORDS[kind]} '{name}'",
            lambda: session.restore(kind, identifier),
            lambda: session.delete(kind, identifier),
        )
    )


def push_target(session: Session, identifier: str, old: DatasetCard, new: DatasetCard) -> None:
    """Describe a data set with another target column, undoable."""
    session.undo.push(
        ProjectChange(
            session,
            f"choose target '{new.target}'" if new.target else "choose no target",
            lambda: session.replace_dataset_card(identifier, new),
            lambda: session.replace_dataset_card(identifier, old),
        )
    )
