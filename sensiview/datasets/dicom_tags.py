"""All elements of a DICOM file as rows of text, for a browser of tags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.datasets.dicom_header import looks_like_dicom, quietly
from sensiview.errors import DataError

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset

_LONGEST = 120
_ITEMS = 3  # of a sequence; per-frame groups have hundreds
_DEPTH = 6

Row = tuple[str, str, str]


def describe_tags(path: Path) -> list[Row]:
    """Return (tag, name, value) of every element, in the file's order, without pixels.

    Elements inside sequences are indented with ``>``; private ones are marked ``(private)``; long values are
    shortened and binary ones described by their size.

    Raises
    ------
    DataError
        The file is gone, unreadable or not DICOM.
    """
    import pydicom

    try:
        with path.open("rb") as stream:
            if not looks_like_dicom(stream.read(132)):
                raise DataError(f"{path} is not a DICOM file.")
            stream.seek(0)
            with quietly():
                dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
                return [*_rows(dataset.file_meta, 0), *_rows(dataset, 0)]
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path} can't be read ({error.strerror or type(error).__name__}).") from None
    except Exception as error:  # noqa: BLE001 - pydicom raises almost anything on damaged files
        raise DataError(
            f"{path} is a damaged DICOM file: its tags can't be read. Copy it again from its source.",
            details=f"{type(error).__name__}: {error}",
        ) from None


def _rows(dataset: Dataset, depth: int) -> Iterator[Row]:
    lead = "> " * depth
    for tag in sorted(dataset.keys()):
        where = f"{lead}({tag >> 16:04X},{tag & 0xFFFF:04X})"
        try:
            element = dataset[tag]
            value = element.value
        except Exception as error:  # noqa: BLE001 - one bad value must not hide the others
            yield where, "", f"can't be read ({type(error).__name__})"
            continue
        name = _name(element)
        if element.VR != "SQ":
            yield where, name, shortened(value)
            continue
        items = list(value or ())
        yield where, name, f"{len(items)} {'item' if len(items) == 1 else 'items'}"
        if depth >= _DEPTH:
            continue
        for number, item in enumerate(items[:_ITEMS], start=1):
            yield f"{lead}> item {number}", "", ""
            yield from _rows(item, depth + 1)
        if len(items) > _ITEMS:
            yield f"{lead}> ...", "", f"{len(items) - _ITEMS:,} more items"


def _name(element: DataElement) -> str:
    name = str(element.name)
    if not element.tag.is_private:
        return name
    if name == "Private Creator":
        return "Private creator"
    plain = name.strip("[]")
    return f"{plain} (private)" if plain and "Private" not in plain and plain != "Unknown" else "(private)"


def shortened(value: Any) -> str:
    """Return a value as one line of at most 120 characters; bytes as their number."""
    if value is None:
        return ""
    if isinstance(value, bytes | bytearray):
        plain = bytes(value).strip(b" \0")
        if len(plain) <= _LONGEST and plain.isascii() and plain.decode("ascii").isprintable():
            return plain.decode("ascii")
        return f"{len(value):,} bytes"
    many = not isinstance(value, str) and hasattr(value, "__iter__") and not hasattr(value, "components")
    shown = "\\".join(str(part) for part in value) if many else str(value)
    shown = " ".join(shown.split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
