"""A whole view as plain JSON: which volume, how layers look, where one looks from, what was measured.

Files may come from an older version or have been edited: what makes no sense is left as it is, never an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Protocol

from sensiview.errors import DataError
from sensiview.gui.viewer.scene import Layer, Look, Measurement

if TYPE_CHECKING:
    from sensiview.gui.viewer.viewer import VolumeViewer

VERSION = 1
# Other parts of the window keep views in the project too.
_PREFIX = "viewer: "
_KINDS = {"length": 2, "angle": 3, "ellipse": 2, "rectangle": 2}


class ViewStore(Protocol):
    """Where views are kept: a project."""

    def views(self) -> list[str]:
        """Return the names of what is kept."""

    def save_view(self, name: str, value: Any) -> None:
        """Keep JSON values under a name."""

    def load_view(self, name: str) -> Any:
        """Return what is kept under a name."""

    def delete_view(self, name: str) -> None:
        """Forget what is kept under a name."""


def view_to_dict(viewer: VolumeViewer, *, volume: str = "") -> dict[str, Any]:
    """Return everything that makes up what a viewer shows, but for the voxels.

    Parameters
    ----------
    volume : str
        What the view is of: an identifier of the data set and case.
    """
    scene = viewer.scene
    return {
        "version": VERSION,
        "volume": volume,
        "title": scene.title,
        "viewer": viewer.state(),
        "active": scene.active.key if scene.active is not None else "",
        "layers": [
            {"key": layer.key, "name": layer.name, "role": layer.role, "look": asdict(layer.look)}
            for layer in scene.layers
        ],
        "measurements": [
            {"kind": m.kind, "points": [list(p) for p in m.points], "axis": m.axis, "text": m.text}
            for m in scene.measurements
        ],
    }


def apply_view(viewer: VolumeViewer, view: Mapping[str, Any]) -> tuple[str, ...]:
    """Show what `view_to_dict` gave over the layers that are there; returns the names of layers that are not.

    Layers are found by key, else by name and role.

    Raises
    ------
    DataError
        The view comes from a newer version.
    """
    version = view.get("version", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise DataError("This view was saved by a newer version of SensiView. Update SensiView to open it.")
    scene = viewer.scene
    missing, order = [], []
    for saved in _list(view.get("layers")):
        layer = _find(scene.layers, saved)
        if layer is None:
            missing.append(str(saved.get("name", "")))
            continue
        order.append(layer.key)
        scene.set_look(layer.key, **_look_fields(saved.get("look")))
    # Those that the view knows take the saved order among themselves; others stay where they are.
    places = [place for place, layer in enumerate(scene.layers) if layer.key in order]
    for place, key in zip(places, dict.fromkeys(order), strict=True):
        if scene.layers[place].key != key:
            scene.move_layer(key, place)
    scene.set_measurements(tuple(m for m in map(_measurement, _list(view.get("measurements"))) if m is not None))
    if view.get("active") in order:
        scene.set_active(str(view["active"]))
    state = view.get("viewer")
    if isinstance(state, Mapping):
        viewer.restore(state)
    return tuple(missing)


def saved_names(store: ViewStore) -> list[str]:
    """Return the names of the saved views of viewers."""
    return [name.removeprefix(_PREFIX) for name in store.views() if name.startswith(_PREFIX)]


def save(store: ViewStore, name: str, view: Mapping[str, Any]) -> None:
    """Keep a view under a name, in place of an earlier one."""
    store.save_view(_PREFIX + name, dict(view))


def load(store: ViewStore, name: str) -> Mapping[str, Any]:
    """Return a kept view.

    Raises
    ------
    UserError
        There is none of that name.
    DataError
        What is kept there is no view.
    """
    view = store.load_view(_PREFIX + name)
    if not isinstance(view, Mapping):
        raise DataError(f"The saved view '{name}' can't be read. Delete it and save the view again.")
    return view


def delete(store: ViewStore, name: str) -> None:
    """Forget a view."""
    store.delete_view(_PREFIX + name)


def _find(layers: Sequence[Layer], saved: Mapping[str, Any]) -> Layer | None:
    for layer in layers:
        if layer.key == saved.get("key") and layer.role == saved.get("role", layer.role):
            return layer
    return next((la for la in layers if la.name == saved.get("name") and la.role == saved.get("role")), None)


def _list(value: object) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def _look_fields(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {}
    known = asdict(Look())
    usable: dict[str, Any] = {}
    for field in fields(Look):
        given, usual = value.get(field.name), known[field.name]
        if field.name == "only":
            if isinstance(given, list | tuple) and all(isinstance(v, int) for v in given):
                usable["only"] = tuple(given)
        elif isinstance(usual, bool) or isinstance(given, bool):
            if isinstance(usual, bool) and isinstance(given, bool):
                usable[field.name] = given
        elif isinstance(usual, float) and isinstance(given, int | float) and math.isfinite(given):
            usable[field.name] = float(given)
        elif isinstance(usual, str) and isinstance(given, str):
            usable[field.name] = given
    return usable


def _measurement(saved: Mapping[str, Any]) -> Measurement | None:
    kind, points, axis = saved.get("kind"), saved.get("points"), saved.get("axis")
    if kind not in _KINDS or axis not in (0, 1, 2) or not isinstance(points, list) or len(points) != _KINDS[kind]:
        return None
    try:
        taken = tuple((float(x), float(y), float(z)) for x, y, z in points)
    except (TypeError, ValueError):
        return None
    if not all(math.isfinite(v) for point in taken for v in point):
        return None
    return Measurement(kind, taken, axis, str(saved.get("text", "")))
