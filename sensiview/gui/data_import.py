"""Reading table files off the GUI thread: for the import dialog, and for another choice of target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.gui.background import run_in_background
from sensiview.gui.session import Session
from sensiview.gui.undo import push_target

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.card import DatasetCard
    from sensiview.datasets.options import ReadingOptions
    from sensiview.projects.store import Project

_TARGET_NAMES = frozenset({"target", "outcome", "class", "label", "y", "diagnosis", "response", "result"})
_FEW_VALUES = 6
_ENOUGH_ROWS = 12


def choose_target(session: Session, identifier: str, target: str | None) -> None:
    """Choose the column that models predict, undoable. The file is read in the background for its classes."""
    with session.guard():
        source = session.writable_project().dataset(identifier)
        old = source.card

        def done(card: DatasetCard) -> None:
            project = session.project
            if project is not None and any(entry.id == identifier for entry in session.datasets()):
                push_target(session, identifier, old, card)

        run_in_background(lambda: _card_with_target(source, target), done, session.problem.emit, owner=session)


def _card_with_target(source: DatasetSource, target: str | None) -> DatasetCard:
    if source.card.kind == "volumes":
        from sensiview.datasets.cohort import with_target
        from sensiview.datasets.volume_opening import open_volumes

        return with_target(source.card, open_volumes(source).table, target)
    if source.card.kind == "images":
        from sensiview.datasets.image_opening import open_images
        from sensiview.datasets.image_targets import with_target as with_classes

        return with_classes(source.card, open_images(source).table, target)
    from sensiview.datasets.options import ReadingOptions
    from sensiview.datasets.reading import read_table
    from sensiview.files import verify

    verify(source.files[0])
    options = ReadingOptions.from_card(source.card.reading)
    return read_table(source.files[0].path, options, name=source.card.name, target=target).card


@dataclass(frozen=True)
class Understood:
    """How a file is read with what the user has fixed, and how its beginning then looks."""

    options: ReadingOptions
    frame: pd.DataFrame
    sheets: tuple[str, ...] = ()


def look_at(path: Path, chosen: Mapping[str, Any], rows: int = 50) -> Understood:
    """Find out how a file is to be read, keeping what the user chose; for a background thread.

    Raises
    ------
    DataError, UserError
        The file can't be read, or not in this way.
    """
    from sensiview.datasets.reading import preview, understand

    options = understand(path, **chosen)
    sheets: tuple[str, ...] = ()
    if options.format == "excel":
        from sensiview.datasets.excel_source import sheet_names

        sheets = tuple(sheet_names(path))
    return Understood(options, preview(path, options, rows), sheets)


def likely_target(frame: pd.DataFrame) -> str | None:
    """Return the column that is most likely the one to predict: by its name, or the last one if it has few values."""
    names = [str(name) for name in frame.columns]
    for name in names:
        if name.strip().casefold() in _TARGET_NAMES:
            return name
    if names and len(frame) >= _ENOUGH_ROWS and frame[names[-1]].nunique(dropna=True) <= _FEW_VALUES:
        return names[-1]
    return None


def read_and_add(
    project: Project,
    path: Path,
    options: ReadingOptions,
    *,
    name: str,
    target: str | None,
    copy: bool,
    on_progress: Callable[[float], None],
) -> DatasetSource:
    """Read the whole file and add it to the project; for a background thread."""
    from sensiview.datasets.reading import read_table

    table = read_table(path, options, name=name, target=target, on_progress=on_progress)
    return project.add_dataset(table.card, [path], copy=copy)
