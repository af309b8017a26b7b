"""Layers that are drawn alike: a change of one's colours, range or threshold changes all that are linked to it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from PySide6.QtCore import QObject, Signal

from sensiview.gui.viewer.scene import Look, Scene

_OWN = frozenset({"visible"})  # each layer is hidden and shown for itself


class LinkedLooks(QObject):
    """A set of layers' keys whose looks follow each other; layers that are gone drop out.

    Signals
    -------
    changed()
        Other layers are linked.
    """

    changed = Signal()

    def __init__(self, scene: Scene, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scene = scene
        self._keys: set[str] = set()
        self._known: dict[str, Look] = {}
        self._following = False
        scene.look_changed.connect(self._follow)
        scene.layers_changed.connect(self._learn)
        self._learn()

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def keys(self) -> tuple[str, ...]:
        """Return the linked layers' keys."""
        return tuple(sorted(self._keys))

    def set_linked(self, key: str, linked: bool) -> None:
        """Link a layer, or let it go; a newly linked one keeps its look until the next change."""
        if linked != (key in self._keys):
            (self._keys.add if linked else self._keys.discard)(key)
            self.changed.emit()

    def _learn(self) -> None:
        self._known = {layer.key: layer.look for layer in self._scene.layers}
        gone = self._keys - set(self._known)
        if gone:
            self._keys -= gone
            self.changed.emit()

    def _follow(self, key: str) -> None:
        new, old = self._scene.layer(key).look, self._known.get(key)
        self._known[key] = new
        if self._following or key not in self._keys or old is None:
            return
        changes = _differences(old, new)
        self._following = True
        try:
            for other in sorted(self._keys - {key}):
                if changes:
                    self._scene.set_look(other, **changes)
        finally:
            self._following = False


def _differences(old: Look, new: Look) -> dict[str, Any]:
    before = asdict(old)
    return {name: value for name, value in asdict(new).items() if name not in _OWN and value != before[name]}
