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
    """Return whether there is something to show a window on; whether it answers is found when it is used."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _display_problem() -> str:
    from sensiview.gui.platform_check import display_problem

    return display_problem()


def _in_memory() -> None:
    """Let Qt draw into memory: enough for plots and reports, which need no screen and no OpenGL."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def _draw(item: Item, path: Path, anatomy: Anatomy | None) -> None:
    from sensiview.gui.platform_check import explained_imports

    with explained_imports():
        from sensiview.gui.plots.drawing import draw_item
    draw_item(item, path, anatomy=anatomy)


def _write_pdf(html: str, path: Path) -> None:
    from sensiview.gui.platform_check import explained_imports

    if _display_problem():
        _in_memory()
    with explained_imports():
        from sensiview.gui.printing import write_pdf
    write_pdf(html, path)


def _graphics() -> str:
    from sensiview.errors import UserError
    from sensiview.gui.platform_check import explained_imports

    if _display_problem():
        _in_memory()
    try:
        with explained_imports():
            from sensiview.gui.graphics_check import describe_opengl
    except UserError as error:
        return f"none: {error.sentence}"
    return describe_opengl()


def _viewer() -> str:
    from sensiview.gui.platform_check import explained_imports

    with explained_imports():
        from sensiview.gui.graphics_check import describe_viewer
    return describe_viewer()


def _open_window(project: Path | None, screenshot: Sequence[str]) -> int:
    from sensiview.errors import UserError
    from sensiview.gui.platform_check import explained_imports

    if not screenshot and not has_display():
        raise UserError(
            "There is no display, so the window can't open (neither DISPLAY nor WAYLAND_DISPLAY is set). "
            "All commands work without one: sensiview --help."
        )
    if screenshot and _display_problem():
        _in_memory()
    try:
        with explained_imports():
            from sensiview.gui.start import run_window
        return run_window(project, screenshot)
    except Exception as error:
        from sensiview.gui.early_errors import nobody_reads, show_error, told

        if not screenshot and nobody_reads():
            show_error(told(error))
        raise


def _quick_project(arguments: Sequence[str]) -> tuple[bool, Path | None]:
    """Say whether the arguments ask for the window at once, and for which project."""
    from sensiview.projects.places import given_path, stands_for_project

    if not arguments:
        return True, None
    if len(arguments) > 1 or arguments[0].startswith("-"):
        return False, None
    path = given_path(arguments[0])
    if not stands_for_project(path):
        from sensiview.gui.early_errors import nobody_reads

        # A file manager hands over whole paths. Nobody would see a sentence on stderr: the window says it.
        return path.is_absolute() and has_display() and nobody_reads(), path
    return True, path


def run(arguments: Sequence[str]) -> int:
    """Run the command line; without a command, the window."""
    quick, project = _quick_project(arguments)
    if quick:
        # The window's quick way in: no parser, no catalogue before the first paint.
        from sensiview.command_line.main import guarded

        return guarded(lambda: _open_window(project, []), as_json=False)
    from sensiview import locations
    from sensiview.command_line.main import main
    from sensiview.command_line.tools import Tools
    from sensiview.plugin_loading import discover, discover_architectures

    locations.lend_temporary_folder()
    tools = Tools(
        catalogue=cache(discover),
        architectures=cache(discover_architectures),
        draw=_draw,
        write_pdf=_write_pdf,
        open_window=_open_window,
        graphics=_graphics,
        viewer=_viewer,
        display_problem=_display_problem,
    )
    return main(arguments, tools)


def run_worker() -> int:
    """Run the worker process of a window."""
    from sensiview.jobs import worker
    from sensiview.plugin_loading import discover, discover_architectures

    return worker.main(discover, discover_architectures)
