"""Sorting names as people count: ``x2`` before ``x10``."""

from __future__ import annotations

import re


def natural(text: str) -> tuple[tuple[int, int | str], ...]:
    """Return a key that sorts ``fn1[2]`` before ``fn1[10]``, upper and lower case alike."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts if part)
