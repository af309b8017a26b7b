"""Columns of thousands of images, small enough for a project's card: constants, counts, repeating words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sensiview.errors import DataError

# A column of words is kept as codes when it has at most this share of different ones.
_REPEATING = 0.5


def pack(values: Sequence[Any]) -> dict[str, Any]:
    """Return JSON values that `unpack` brings back.

    ``{"all": v}`` for a constant, ``{"from": n}`` for n, n + 1, ..., ``{"words": ..., "codes": ...}`` for words that
    repeat, ``{"list": ...}`` otherwise.
    """
    known = list(values)
    if known and all(value == known[0] for value in known):
        return {"all": known[0]}
    if known and all(type(value) is int for value in known) and known == list(range(known[0], known[0] + len(known))):
        return {"from": known[0]}
    if known and all(value is None or isinstance(value, str) for value in known):
        words = list(dict.fromkeys(known))
        if len(words) <= _REPEATING * len(known):
            places = {word: place for place, word in enumerate(words)}
            return {"words": words, "codes": [places[value] for value in known]}
    return {"list": known}


def unpack(packed: dict[str, Any], count: int) -> list[Any]:
    """Return the values of `pack`.

    Raises
    ------
    DataError
        They are not `count`.
    """
    if "all" in packed:
        return [packed["all"]] * count
    if "from" in packed:
        return list(range(packed["from"], packed["from"] + count))
    values = [packed["words"][code] for code in packed["codes"]] if "codes" in packed else list(packed["list"])
    if len(values) != count:
        raise DataError("What the project remembers of the images is damaged. Add them again.")
    return values
