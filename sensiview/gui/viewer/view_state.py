"""What a viewer looks at, as plain values, and how it comes back as far as it makes sense."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sensiview.gui.viewer.scene import Options
from sensiview.gui.viewer.volume_3d import CUTS, RENDERINGS

if TYPE_CHECKING:
    from sensiview.gui.viewer.viewer import VolumeViewer

_CHOICES = {"tool": ("cursor", "length", "angle", "region"), "region_shape": ("ellipse", "rectangle")}


def viewer_state(viewer: VolumeViewer) -> dict[str, Any]:
    """Return cursor, options, zoom and place of every pane and the enlarged one, as JSON values."""
    options = {field.name: getattr(viewer.scene.options, field.name) for field in fields(Options)}
    views = {
        name: {"zoom": pane.view.zoom, "centre": list(pane.view.centre), "fits": pane.fits}
        for name, pane in viewer.panes.items()
        if pane.view is not None
    }
    return {
        "cursor": list(viewer.scene.cursor),
        "options": options,
        "panes": views,
        "enlarged": viewer.enlarged,
        "volume": {"rendering": viewer.pane_3d.rendering, "cut": viewer.pane_3d.cut},
    }


def restore_state(viewer: VolumeViewer, state: Mapping[str, Any]) -> None:
    """Apply what `VolumeViewer.state` gave; files may be old or edited, so every value is looked at."""
    options = _mapping(state.get("options"))
    usable = {f.name: options[f.name] for f in fields(Options) if f.name in options and _fits(f.name, options[f.name])}
    viewer.scene.set_options(**usable)
    if state.get("enlarged") in ("", "3d", *viewer.panes):
        viewer.set_enlarged(str(state["enlarged"]))
    for name, pane in viewer.panes.items():
        view = _mapping(_mapping(state.get("panes")).get(name))
        centre, zoom = _numbers(view.get("centre"), 2), _numbers([view.get("zoom")], 1)
        if view.get("fits") is True:
            pane.fit()
        elif centre and zoom and zoom[0] > 0:
            pane.refresh()
            pane.look_at((centre[0], centre[1]), zoom[0])
    volume = _mapping(state.get("volume"))
    if volume.get("rendering") in RENDERINGS:
        viewer.pane_3d.set_rendering(volume["rendering"])
    if volume.get("cut") in CUTS:
        viewer.pane_3d.set_cut(volume["cut"])
    cursor = _numbers(state.get("cursor"), 3)
    if cursor:
        viewer.scene.set_cursor((cursor[0], cursor[1], cursor[2]))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _numbers(value: object, count: int) -> list[float]:
    if not isinstance(value, list | tuple) or len(value) != count:
        return []
    if any(isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) for v in value):
        return []
    return [float(v) for v in value]


def _fits(name: str, value: object) -> bool:
    return value in _CHOICES[name] if name in _CHOICES else isinstance(value, bool)
