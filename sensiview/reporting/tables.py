"""Tables, curves and matrices as CSV that any program opens: UTF-8, comma, point, one header line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sensiview.analysis.items import Curve, IndexTable, Item, Matrix
from sensiview.reporting.files import write_file

if TYPE_CHECKING:
    import pandas as pd


def item_frame(item: Item) -> pd.DataFrame | None:
    """Return an item as the table that is exported, or None for one that is no table.

    Columns are named as in the method's definition. A matrix has its row labels in the first column, under
    the name of its row axis.
    """
    import pandas as pd

    if isinstance(item, IndexTable | Curve):
        return item.frame.reset_index(drop=True)
    if isinstance(item, Matrix):
        labels = pd.Series(list(item.rows), name=item.row_axis, dtype=object)
        numbers = pd.DataFrame(item.values, columns=list(item.columns))
        return pd.concat([labels, numbers], axis=1)  # also when a column is called like the row axis
    return None


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame without its index; floats as the shortest text that reads back equal, missing ones empty.

    Raises
    ------
    UserError
        The file can't be written.
    """

    def write(stream: BinaryIO) -> None:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        frame.to_csv(text, index=False, lineterminator="\n")
        text.flush()
        text.detach()  # the stream is closed by whoever opened it

    return write_file(path, write)
