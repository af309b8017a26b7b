"""Values of DICOM elements as plain text and numbers; a value that breaks the standard is None, never an error."""

from __future__ import annotations

import math
import struct
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset

_FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_ESCAPE = b"\x1b"  # begins a change of character set

# Headers of ten thousand files are read in one go: values are decoded here from the bytes where that is safe, which
# takes a third of the time that pydicom's own conversion with all its checks takes.


@cache
def tag_of(key: str | int) -> Any:
    """Return pydicom's tag for a keyword or number; looking it up anew costs more than reading the value."""
    from pydicom.tag import Tag

    return Tag(key)


@cache
def _kind_of(key: str | int) -> str:
    """Return the value representation the dictionary knows; files of implicit VR don't say."""
    from pydicom.datadict import dictionary_VR

    try:
        return str(dictionary_VR(tag_of(key)))
    except KeyError:
        return "UN"


def text(dataset: Dataset, key: str | int) -> str:
    """Return an element as text, several values separated by backslashes, empty when it is absent."""
    tag = tag_of(key)
    raw = dataset.get_item(tag)
    if raw is None:
        return ""
    value: Any = raw.value
    if isinstance(value, bytes) and value.isascii() and _ESCAPE not in value:
        return value.decode("ascii").strip(" \0")
    try:
        decoded = dataset[tag].value
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it can't be used
        return ""
    if decoded is None:
        return ""
    if isinstance(decoded, str | int | float):
        return str(decoded).strip(" \0")
    try:
        return "\\".join(str(part) for part in decoded).strip(" \0")
    except TypeError:
        return str(decoded)


def numbers(dataset: Dataset, key: str | int, count: int) -> tuple[float, ...] | None:
    """Return exactly `count` finite numbers, or None."""
    found = every_number(dataset, key)
    return found if len(found) == count and all(map(math.isfinite, found)) else None


def every_number(dataset: Dataset, key: str | int) -> tuple[float, ...]:
    """Return all numbers of an element, none when it is absent or one of them can't be read."""
    tag = tag_of(key)
    raw = dataset.get_item(tag)
    if raw is None:
        return ()
    value: Any = raw.value
    try:
        if not isinstance(value, bytes):
            return _flat(value)
        kind = raw.VR or _kind_of(key)
        code = _FORMATS.get(kind)
        if code is None:
            return tuple(float(part) for part in value.decode("ascii").replace("\0", " ").split("\\"))
        size = struct.calcsize(code)
        order = ">" if getattr(raw, "is_little_endian", True) is False else "<"
        return tuple(float(part) for part in struct.unpack(f"{order}{len(value) // size}{code}", value))
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it can't be used
        return ()


def _flat(value: Any) -> tuple[float, ...]:
    if value is None:
        return ()
    if isinstance(value, str | int | float):
        return (float(value),)
    return tuple(float(part) for part in value)


def number(dataset: Dataset, key: str | int) -> float | None:
    """Return the first of an element's numbers when it is finite, or None."""
    found = every_number(dataset, key)
    return found[0] if found and math.isfinite(found[0]) else None


def whole(dataset: Dataset, key: str | int) -> int | None:
    """Return an element's whole number, or None."""
    value = number(dataset, key)
    return int(value) if value is not None and value == int(value) else None


def person(dataset: Dataset, key: str) -> tuple[str, bool]:
    """Return a person's name as people write it, and whether its characters had to be guessed.

    ``Yamada^Tarou=山田^太郎=やまだ^たろう`` becomes ``Yamada, Tarou (山田 太郎)``. Files that name no character set and
    yet hold other letters than ASCII are read as UTF-8, or as Latin-1 when they are not valid UTF-8.
    """
    raw: Any = getattr(dataset.get_item(tag_of(key)), "value", None)
    if raw is None:
        return "", False
    if isinstance(raw, bytes) and raw.isascii() and _ESCAPE not in raw:
        return _spoken(raw.decode("ascii")), False
    stated = text(dataset, "SpecificCharacterSet").strip("\\")
    try:
        if isinstance(raw, bytes) and not stated and not raw.isascii():
            try:
                written = raw.decode("utf-8")
            except UnicodeDecodeError:
                written = raw.decode("latin-1")
            return _spoken(written), True
        return _spoken(str(dataset[key].value)), False
    except Exception:  # noqa: BLE001 - an unknown character set, or a name that breaks it
        return "", True


def _spoken(written: str) -> str:
    groups = [group.strip(" \0^") for group in written.split("=")]
    family, _, others = groups[0].partition("^")
    given = " ".join(part for part in others.split("^") if part)
    plain = ", ".join(part.strip() for part in (family, given) if part.strip())
    own = groups[1].replace("^", " ").strip() if len(groups) > 1 else ""
    if own and plain and own != plain:
        return f"{plain} ({own})"
    return plain or own
