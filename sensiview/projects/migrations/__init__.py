"""Bringing an older project to the current schema: one module ``to_N`` per step.

A step holds ``info``, a sentence on what it changes, and ``migrate(connection)``, which works on SQL and
plain JSON only and imports nothing from the program: code that changes later must not change what an old
migration does.
"""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One step: the schema number it leads to, what it changes, and the function that does it."""

    number: int
    info: str
    migrate: Callable[[sqlite3.Connection], None]


def steps_from(number: int) -> list[Step]:
    """Return the steps that lead on from a schema number, in order; the modules of this folder are the list."""
    found = []
    for module_info in pkgutil.iter_modules(__path__):
        if not module_info.name.startswith("to_"):
            continue
        target = int(module_info.name.removeprefix("to_"))
        if target > number:
            module = importlib.import_module(f"{__name__}.{module_info.name}")
            found.append(Step(target, module.info, module.migrate))
    return sorted(found, key=lambda step: step.number)
