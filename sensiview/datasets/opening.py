"""Opening a table of a project again: the same file, read the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.options import ReadingOptions
from sensiview.datasets.table import Table
from sensiview.errors import DataError
from sensiview.files import FileReference, verify


class TableSource(Protocol):
    """What a project keeps of a table: its card, and the one file it is read from."""

    @property
    def card(self) -> DatasetCard:
        """The description made at import."""

    @property
    def files(self) -> Sequence[FileReference]:
        """The file, with its size and hash at import."""


def open_table(source: TableSource, *, on_progress: Callable[[float], None] | None = None) -> Table:
    """Read a project's table again, as it was read at import; the card stays the project's.

    Raises
    ------
    DataError
        The file was moved, deleted or changed since import, or is no table.
    """
    from sensiview.datasets.reading import read_table

    card = source.card
    if card.kind != "table" or len(source.files) != 1:
        raise DataError(f"'{card.name}' is a data set of {card.kind}, not a table. Choose a table.")
    reference = source.files[0]
    verify(reference)
    options = ReadingOptions.from_card(card.reading) if card.reading else None
    table = read_table(reference.path, options, name=card.name, target=card.target, on_progress=on_progress)
    if table.n_rows != card.n_rows or [c.name for c in table.card.columns] != [c.name for c in card.columns]:
        raise DataError(
            f"{reference.path} gives other rows or columns than when it was added to the project. Add it again as "
            "another data set."
        )
    return Table(card, table.frame)
