"""Puts the program together once: catalogue, architectures, tools for the commands, the window. No globals."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Not at run time: it loads numpy, and the window opens before that.
    from sensiview.analysis.items import Item
    from sensiview.reporting.anatomy import Anatomy


def has_display() -> bool:
    """Return whether a window can be shown."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _without_display() -> None:
    """Let Qt draw into memory where there is no screen: enough for plots and reports, which need no OpenGL."""
    if not has_display():
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def _draw(item: Item, path: Path, anatomy: Anatomy | None) -> None:
    _without_display()
    from sensiview.gui.plots.drawing import draw_item

    draw_item(item, path, anatomy=anatomy)


def _write_pdf(html: str, path: Path) -> None:
    _without_display()
    from sensiview.gui.printing import write_pdf

    write_pdf(html, path)


def _graphics() -> str:
    _without_display()
    from sensiview.gui.graphics_check import describe_opengl

    return describe_opengl()


def _open_window(project: Path | None, screenshot: Sequence[str]) -> int:
    from sensiview.errors import UserError

    if not has_display():
        if not screenshot:
            raise UserError(
                "There is no display, so the window can't open (neither DISPLAY nor WAYLAND_DISPLAY is set). "
                "All commands work without one: sensiview --help."
            )
        _without_display()
    from sensiview.gui.start import run_window

    return run_window(project, screenshot)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; without a command, the window."""
    if not arguments or (len(arguments) == 1 and (Path(arguments[0]) / "project.sqlite").is_file()):
        # The window's quick way in: no parser, no catalogue before the first paint.
        from sensiview.command_line.main import guarded

        return guarded(lambda: _open_window(Path(arguments[0]) if arguments else None, []), as_json=False)
    from sensiview.command_line.main import main
    from sensiview.command_line.tools import Tools
    from sensiview.plugin_loading import discover, discover_architectures

    tools = Tools(
        catalogue=cache(discover),
        architectures=cache(discover_architectures),
        draw=_draw,
        write_pdf=_write_pdf,
        open_window=_open_window,
        graphics=_graphics,
        has_display=has_display,
    )
    return main(arguments, tools)


def run_worker() -> int:
    """Run the worker process of a window."""
    from sensiview.jobs import worker
    from sensiview.plugin_loading import discover, discover_architectures

    return worker.main(discover, discover_architectures)
