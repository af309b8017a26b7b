"""Result items in a run's folder: ``items/index.json``, and per item a JSON with a CSV or an NPZ beside it.

Tables and matrices are CSV that any program opens, arrays are NPZ without pickle; both read back equal, dtypes and
order included. Every file is written beside and moved, the index last: a folder without an index holds no result.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sensiview.analysis.item_plain import (
    bulk_of,
    cells_to_frame,
    cells_to_numbers,
    check_array,
    describe,
    frame_to_cells,
    from_plain,
    numbers_to_cells,
    revive,
    to_plain,
)
from sensiview.analysis.items import Array, Curve, FieldMap, ImageSeries, IndexTable, Item, Matrix
from sensiview.errors import DataError
from sensiview.files import write_atomically

__all__ = ["StoredItems", "from_plain", "has_items", "read_items", "to_plain", "write_items"]

FOLDER = "items"
_FORMAT = 1
_INDEX = "index.json"
# Names that are file names on every system as they stand; any other item gets a numbered file.
_PLAIN_NAME = re.compile(r"(?!(?:con|prn|aux|nul|index|com\d|lpt\d)$)[a-z][a-z0-9_]{0,99}")
_DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, csv.Error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def write_items(items: Mapping[str, Item], directory: Path) -> None:
    """Write items into ``directory/items``, in their order; what lay there before is replaced.

    Raises
    ------
    SensiViewError
        An item holds something that is neither number nor text.
    OSError
        No space, no permission. The folder then has no index, and `read_items` says so.
    """
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _INDEX).unlink(missing_ok=True)
    entries, kept = [], {_INDEX}
    for position, (name, item) in enumerate(items.items(), start=1):
        stem = name if _PLAIN_NAME.fullmatch(name) else f"_{position:03d}"
        kept |= _write_item(item, folder, stem)
        entries.append({"name": name, "kind": item.kind, "file": stem})
    _write_json({"format": _FORMAT, "items": entries}, folder / _INDEX)
    for path in folder.iterdir():
        if path.name not in kept and path.suffix in (".json", ".csv", ".npz"):
            path.unlink()


def has_items(directory: Path) -> bool:
    """Return whether a run's folder holds a complete result."""
    return (directory / FOLDER / _INDEX).is_file()


def read_items(directory: Path) -> StoredItems:
    """Return the items of a run's folder, in the order in which they were written; each is read when asked for.

    Raises
    ------
    DataError
        There is no result, it is damaged, or a newer SensiView wrote it; the sentence names the file. A damaged item
        says so when it is asked for; the others can still be read.
    """
    return StoredItems(directory / FOLDER)


class StoredItems(Mapping[str, Item]):
    """Items in a folder, by name; read on first use and kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        index = _read(folder / _INDEX, _read_json)
        path = folder / _INDEX
        if not isinstance(index, dict) or not isinstance(index.get("format"), int):
            raise _damaged(path)
        if index["format"] > _FORMAT:
            raise DataError(f"'{path}' was written by a newer SensiView. Open it with that version.")
        try:
            self._files = {str(entry["name"]): str(entry["file"]) for entry in index["items"]}
        except (KeyError, TypeError) as error:
            raise _damaged(path, error) from error
        if any(Path(stem).name != stem for stem in self._files.values()):
            raise _damaged(path)
        self._read_items: dict[str, Item] = {}

    def __getitem__(self, name: str) -> Item:
        if name not in self._read_items:
            self._read_items[name] = _read_item(self._folder, self._files[name])
        return self._read_items[name]

    def __contains__(self, name: object) -> bool:
        return name in self._files  # without reading the item

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return f"<items: {', '.join(self._files) or 'none'}>"


# One item -------------------------------------------------------------------------------------------------------


def _write_item(item: Item, folder: Path, stem: str) -> set[str]:
    plain = describe(item)
    written = {f"{stem}.json"}
    if isinstance(item, IndexTable | Curve):
        plain["table"], cells = frame_to_cells(item.frame)
        _write_csv([column["name"] for column in plain["table"]["columns"]], cells, folder / f"{stem}.csv")
        written.add(f"{stem}.csv")
    elif isinstance(item, Matrix):
        if item.values.shape != (len(item.rows), len(item.columns)):
            raise DataError(f"The matrix '{item.title}' has other labels than rows and columns.")
        plain["dtype"] = str(item.values.dtype)
        cells = [list(item.rows), *(numbers_to_cells(item.values[:, j]) for j in range(len(item.columns)))]
        _write_csv([item.row_axis, *item.columns], cells, folder / f"{stem}.csv")
        written.add(f"{stem}.csv")
    elif isinstance(item, FieldMap | ImageSeries):
        arrays = bulk_of(item)
        for values in arrays.values():
            check_array(values)
        labels = _axis_labels(item)
        _write_npz({**labels, **arrays}, folder / f"{stem}.npz")
        written.add(f"{stem}.npz")
    _write_json(plain, folder / f"{stem}.json")
    return written


def _read_item(folder: Path, stem: str) -> Item:
    plain = _read(folder / f"{stem}.json", _read_json)
    kind = plain.get("kind") if isinstance(plain, dict) else None
    bulk: dict[str, Any] = {}
    data = folder / f"{stem}.csv"
    if kind in (IndexTable.kind, Curve.kind):
        bulk["frame"] = _read(data, lambda path: cells_to_frame(plain["table"], _read_cells(path, plain)))
    elif kind == Matrix.kind:
        bulk["values"] = _read(data, lambda path: _read_matrix(path, plain))
    elif kind != "note":
        data = folder / f"{stem}.npz"
        bulk = _read(data, lambda path: _read_npz(path, ("values", "affine")))
    item: Item = _read(folder / f"{stem}.json", lambda _: revive(plain, bulk))
    return item


def _axis_labels(item: FieldMap | ImageSeries) -> dict[str, Array]:
    """One array per axis, for readers other than SensiView: its labels, or positions where it has none."""
    axes: tuple[str, ...]
    if isinstance(item, ImageSeries):
        axes, labels = (item.axis, "y", "x", "channel"), {item.axis: item.labels}
    else:
        axes, labels = item.axes, dict(item.coordinates)
    if len(axes) != item.values.ndim:
        raise DataError(f"'{item.title}' has {item.values.ndim} dimensions and names {len(axes)} axes.")
    named = {}
    for axis, size in zip(axes, item.values.shape, strict=True):
        key = f"{axis}_axis" if axis in ("values", "affine", "file") else axis
        named[key] = np.array(labels[axis], dtype=np.str_) if axis in labels else np.arange(size)
    return named


# Files ----------------------------------------------------------------------------------------------------------


def _read(path: Path, read: Callable[[Path], Any]) -> Any:
    try:
        return read(path)
    except FileNotFoundError as error:
        raise DataError(f"The result file '{path}' is missing. Run the analysis again.") from error
    except PermissionError as error:
        raise DataError(f"The result file '{path}' may not be read. Check the rights of the folder.") from error
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, cause: Exception | None = None) -> DataError:
    return DataError(
        f"The result file '{path}' is damaged. Run the analysis again.", details=repr(cause) if cause else ""
    )


def _write_json(plain: Any, path: Path) -> None:
    text = json.dumps(plain, indent=1, allow_nan=False)
    write_atomically(path, lambda stream: stream.write(text.encode("ascii")))


def _read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def _write_csv(header: list[str], columns: list[list[str]], path: Path) -> None:
    text = io.StringIO(newline="")
    # The line ending of RFC 4180: with it the writer also quotes cells that hold a lone \r or \n.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(zip(*columns, strict=True))
    # A lone surrogate, from a name in a broken encoding, must not lose the result of a long run.
    data = text.getvalue().encode("utf-8", errors="surrogatepass")
    write_atomically(path, lambda stream: stream.write(data))


def _read_csv(path: Path, header: list[str]) -> list[list[str]]:
    with path.open(encoding="utf-8", errors="surrogatepass", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        if next(reader, None) != header:
            raise ValueError("the columns are not those of the item")
        columns: list[list[str]] = [[] for _ in header]
        for row in reader:
            for column, cell in zip(columns, row, strict=True):
                column.append(cell)
    return columns


def _read_cells(path: Path, plain: Mapping[str, Any]) -> list[list[str]]:
    return _read_csv(path, [column["name"] for column in plain["table"]["columns"]])


def _read_matrix(path: Path, plain: Mapping[str, Any]) -> Array:
    cells = _read_csv(path, [plain["row_axis"], *plain["columns"]])
    if cells[0] != plain["rows"]:
        raise ValueError("the rows are not those of the item")
    values = np.empty((len(plain["rows"]), len(plain["columns"])), dtype=plain["dtype"])
    for j, column in enumerate(cells[1:]):
        values[:, j] = cells_to_numbers(column, plain["dtype"])
    return values


def _write_npz(arrays: Mapping[str, Array], path: Path) -> None:
    def write(stream: BinaryIO) -> None:
        np.savez(stream, allow_pickle=False, **arrays)

    write_atomically(path, write)


def _read_npz(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    # Opened here: np.load leaves the file open when what it holds is no archive.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        return {name: stored[name] for name in names if name in stored.files}
