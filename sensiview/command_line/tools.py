"""What the commands need from the rest of the program, handed in by the assembly; nothing of it is global."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.items import Item

if TYPE_CHECKING:
    from sensiview.reporting.anatomy import Anatomy


@dataclass(frozen=True)
class Tools:
    """Built once by `sensiview.assembly`; everything expensive is behind a call.

    `draw(item, path, anatomy)` writes the plot as the window shows it, PNG or SVG by suffix. `write_pdf(html, path)`
    prints a report. `open_window(project, screenshot options)` runs the window and returns its exit code. `graphics()`
    says what OpenGL was found, `viewer()` of what the volume viewer is made. `display_problem()` says why no window can
    be shown; empty where one can.
    """

    catalogue: Callable[[], Catalogue]
    architectures: Callable[[], Mapping[str, Any]]
    draw: Callable[[Item, Path, Anatomy | None], None]
    write_pdf: Callable[[str, Path], None]
    open_window: Callable[[Path | None, Sequence[str]], int]
    graphics: Callable[[], str]
    viewer: Callable[[], str]
    display_problem: Callable[[], str]
