"""Items as plain values and text: what goes through the worker's pipe and into files, and comes back equal.

A frame becomes columns of text cells with their dtype beside them, so that a factor called ``1``, ``NA`` or
``None`` stays text, a missing value stays missing and every float is the same float again.
"""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import ITEM_KINDS, Array, Curve, IndexTable, Interval, Item, Remark
from sensiview.errors import DataError, SensiViewError

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = "biuf"
_NULLABLE = ("Int", "UInt", "Float", "boolean")


def to_plain(item: Item) -> dict[str, Any]:
    """Return JSON values that `from_plain` turns back into an equal item; arrays travel as base64."""
    plain = describe(item)
    for name, bulk in bulk_of(item).items():
        plain[name] = _frame_to_plain(bulk) if name == "frame" else _array_to_plain(bulk)
    return plain


def from_plain(plain: Mapping[str, Any]) -> Item:
    """Return the item that `to_plain` was given.

    Raises
    ------
    DataError
        The values are no item, or damaged.
    """
    try:
        bulk: dict[str, Any] = {}
        for name, value in plain.items():
            if isinstance(value, Mapping) and "cells" in value:
                bulk[name] = cells_to_frame(value["table"], value["cells"])
            elif isinstance(value, Mapping) and "base64" in value:
                bulk[name] = _array_from_plain(value)
        return revive(plain, bulk)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError("A result item can't be read: its values are damaged.", details=repr(error)) from error


def describe(item: Item) -> dict[str, Any]:
    """Return everything of an item except its frame and arrays, as JSON values."""
    if ITEM_KINDS.get(item.kind) is not type(item):
        raise SensiViewError(f"'{type(item).__name__}' is not one of the kinds of result item.")
    fields = {f.name: getattr(item, f.name) for f in dataclasses.fields(item)}
    bulk = bulk_of(item)
    return {"kind": item.kind, **{name: _plain(value) for name, value in fields.items() if name not in bulk}}


def bulk_of(item: Item) -> dict[str, Any]:
    """Return the frame and the arrays of an item by field name."""
    if isinstance(item, IndexTable | Curve):
        return {"frame": item.frame}
    fields = {f.name: getattr(item, f.name) for f in dataclasses.fields(item)}
    return {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}


def revive(plain: Mapping[str, Any], bulk: Mapping[str, Any]) -> Item:
    """Return the item from what `describe` and `bulk_of` gave; KeyError or TypeError when something lacks."""
    kind = ITEM_KINDS[plain["kind"]]
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        name = field.name
        if name in bulk:
            values[name] = bulk[name]
        elif name == "frame" or (name == "values" and kind is not IndexTable):
            raise KeyError(name)
        elif name in ("intervals", "bands"):
            values[name] = {column: Interval(**interval) for column, interval in plain[name].items()}
        elif name == "remarks":
            values[name] = tuple(Remark(**remark) for remark in plain[name])
        elif name == "coordinates":
            values[name] = {axis: tuple(labels) for axis, labels in plain[name].items()}
        elif name in plain:
            values[name] = tuple(plain[name]) if isinstance(plain[name], list) else plain[name]
    return kind(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, Interval | Remark):
        return {key: _plain(part) for key, part in dataclasses.asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise SensiViewError(f"A result item holds a {type(value).__name__}, which can't be written to a file.")


# Frames ---------------------------------------------------------------------------------------------------------


def frame_to_cells(frame: pd.DataFrame) -> tuple[dict[str, Any], list[list[str]]]:
    """Return how to read a frame, and one list of text cells per column.

    Raises
    ------
    SensiViewError
        A column name is no text or occurs twice, the rows have names, or a column holds objects.
    """
    import pandas as pd

    names = list(frame.columns)
    if not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise SensiViewError(f"The columns of a result table must be different texts, not {names}.")
    if not pd.api.types.is_integer_dtype(frame.index.dtype):
        raise SensiViewError("The rows of a result table carry names; put them into a column (reset_index).")
    columns, cells = [], []
    for name in names:
        how, texts = _column_to_cells(frame[name])
        columns.append({"name": name, **how})
        cells.append(texts)
    return {"rows": len(frame), "columns": columns}, cells


def cells_to_frame(table: Mapping[str, Any], cells: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return the frame that `frame_to_cells` described; ValueError when cells and description don't fit."""
    import pandas as pd

    columns, rows = table["columns"], int(table["rows"])
    if len(columns) != len(cells) or any(len(texts) != rows for texts in cells):
        raise ValueError(f"expected {len(columns)} columns of {rows} rows")
    data = {how["name"]: _cells_to_column(how, texts) for how, texts in zip(columns, cells, strict=True)}
    return pd.DataFrame(data, index=pd.RangeIndex(rows))


def numbers_to_cells(values: Array) -> list[str]:
    """Return one-dimensional numbers as text that reads back bit for bit (``repr`` of the float)."""
    if values.dtype.kind not in _NUMBERS or values.dtype.itemsize > 8:
        raise SensiViewError(f"A result holds values of type {values.dtype}, which can't be written to a file.")
    listed = values.astype(np.float64).tolist() if values.dtype.kind == "f" else values.tolist()
    return [repr(value) for value in listed]


def cells_to_numbers(cells: Sequence[str], dtype: str) -> Array:
    """Return the numbers of `numbers_to_cells`; ValueError for anything else."""
    wanted = np.dtype(dtype)
    if wanted.kind not in _NUMBERS:
        raise ValueError(f"not a type of number: {dtype}")
    if wanted.kind == "b":
        if not set(cells) <= {"True", "False"}:
            raise ValueError("not True or False")
        return np.array([cell == "True" for cell in cells], dtype=wanted)
    read = float if wanted.kind == "f" else int
    return np.array([read(cell) for cell in cells], dtype=wanted)


def _column_to_cells(column: pd.Series[Any]) -> tuple[dict[str, Any], list[str]]:
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in _NUMBERS:
        return {"dtype": str(dtype)}, numbers_to_cells(column.to_numpy())
    how: dict[str, Any] = {"dtype": str(dtype)}
    if isinstance(dtype, pd.CategoricalDtype):
        how |= {"categories": list(dtype.categories), "ordered": bool(dtype.ordered)}
    values = column.astype(object).tolist()
    missing: dict[str, list[int]] = {}
    cells = []
    for row, value in enumerate(values):
        if isinstance(value, str):
            cells.append(value)
        elif value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
            missing.setdefault("none" if value is None else "na" if value is pd.NA else "nan", []).append(row)
            cells.append("")
        elif str(dtype).startswith(_NULLABLE):
            cells.append(repr(value.item() if isinstance(value, np.generic) else value))
        else:
            raise SensiViewError(
                f"Column '{column.name}' of a result table holds {value!r} ({type(value).__name__}) in a column of "
                f"type {dtype}; use numbers, True and False, or text."
            )
    return (how | {"missing": missing} if missing else how), cells


def _cells_to_column(how: Mapping[str, Any], cells: Sequence[str]) -> Any:
    import pandas as pd

    dtype = str(how["dtype"])
    gaps = {row: kind for kind, rows in how.get("missing", {}).items() for row in rows}
    if "categories" in how:
        values = [None if row in gaps else cell for row, cell in enumerate(cells)]
        return pd.Categorical(values, categories=how["categories"], ordered=how["ordered"])
    if dtype.startswith(_NULLABLE):
        number = "bool" if dtype == "boolean" else dtype.lower()
        full = cells_to_numbers([_filler(number) if row in gaps else cell for row, cell in enumerate(cells)], number)
        # A mask of our own: Float64 tells a missing value from a computed NaN.
        array = pd.array(full, dtype=dtype)  # type: ignore[call-overload]  # the stubs know literals only
        array[list(gaps)] = pd.NA
        return array
    if dtype not in ("str", "string", "object"):
        return cells_to_numbers(cells, dtype)
    fill = {"none": None, "nan": np.nan, "na": pd.NA}
    texts = np.empty(len(cells), dtype=object)
    texts[:] = [fill[gaps[row]] if row in gaps else cell for row, cell in enumerate(cells)]
    # A Series keeps the type; a bare object array would be guessed at by the frame.
    return pd.Series(texts, dtype=dtype)


def _filler(number: str) -> str:
    return "False" if number == "bool" else "0"


def _frame_to_plain(frame: pd.DataFrame) -> dict[str, Any]:
    table, cells = frame_to_cells(frame)
    return {"table": table, "cells": cells}


# Arrays ---------------------------------------------------------------------------------------------------------


def _array_to_plain(values: Array) -> dict[str, Any]:
    check_array(values)
    data = base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
    return {"dtype": values.dtype.str, "shape": list(values.shape), "base64": data}


def _array_from_plain(plain: Mapping[str, Any]) -> Array:
    dtype = np.dtype(plain["dtype"])
    if dtype.kind not in _NUMBERS:
        raise ValueError(f"not a type of number: {dtype}")
    return np.frombuffer(base64.b64decode(plain["base64"]), dtype=dtype).reshape(plain["shape"]).copy()


def check_array(values: Array) -> None:
    """Refuse arrays of anything but numbers: nothing else may reach a file."""
    if values.dtype.kind not in _NUMBERS:
        raise SensiViewError(f"A result holds an array of type {values.dtype}; only numbers can be written.")
