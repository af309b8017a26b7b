"""Undo and redo of what the user changed in a viewer: looks, order of layers, cursor, options, measurements.

Layers are immutable and share their arrays, so that a step of the history costs a few references, never a volume.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from PySide6.QtCore import QObject, Signal

from sensiview.gui.viewer.scene import Layer, Measurement, Millimetres, Options, Scene

_MOST = 200
_TOGETHER_S = 0.8  # a drag of a slider or of the crosshair is one step


@dataclass(frozen=True)
class _Moment:
    """Everything that can be undone, and what the last change was."""

    layers: tuple[Layer, ...]
    cursor: Millimetres
    options: Options
    measurements: tuple[Measurement, ...]


class ViewHistory(QObject):
    """The steps of one viewer; another volume begins a new history.

    Parameters
    ----------
    scene : Scene
        Watched and changed.
    clock : callable
        Seconds; tests bring their own.

    Signals
    -------
    changed()
        What can be undone or redone, or its text, is another.
    """

    changed = Signal()

    def __init__(
        self,
        scene: Scene,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._scene, self._clock = scene, clock
        self._past: list[tuple[str, _Moment]] = []  # text of the change, what was before it
        self._future: list[tuple[str, _Moment]] = []
        self._now = self._moment()
        self._last: tuple[str, float] = ("", 0.0)
        self._applying = False
        scene.look_changed.connect(lambda key: self._note(f"look of {self._name(key)}"))
        scene.layers_changed.connect(self._layers_changed)
        scene.cursor_changed.connect(lambda: self._note("cursor"))
        scene.options_changed.connect(lambda: self._note("options"))
        scene.measurements_changed.connect(lambda: self._note("measurements"))

    def undo_text(self) -> str:
        """Return what undo takes back, ``look of Grad-CAM``; empty when there is nothing."""
        return self._past[-1][0] if self._past else ""

    def redo_text(self) -> str:
        """Return what redo does again; empty when there is nothing."""
        return self._future[-1][0] if self._future else ""

    def undo(self) -> None:
        """Take the last step back."""
        if self._past:
            text, before = self._past.pop()
            self._future.append((text, self._now))
            self._apply(before)

    def redo(self) -> None:
        """Do the last undone step again."""
        if self._future:
            text, after = self._future.pop()
            self._past.append((text, self._now))
            self._apply(after)

    def clear(self) -> None:
        """Forget all steps: another volume."""
        self._past, self._future, self._last = [], [], ("", 0.0)
        self._now = self._moment()
        self.changed.emit()

    def _layers_changed(self) -> None:
        if self._applying:
            return
        before = {layer.key: layer.array for layer in self._now.layers}
        underlays = [layer for layer in self._scene.layers if layer.role == "underlay"]
        if any(layer.key in before and layer.array is not before[layer.key] for layer in underlays) or not any(
            layer.key in before for layer in self._scene.layers
        ):
            self.clear()  # another case: going back to its arrays would show one patient under another's name
            return
        self._note("layers")

    def _note(self, text: str) -> None:
        if self._applying:
            return
        moment = self._moment()
        if moment == self._now:
            return
        seconds = self._clock()
        same = self._last[0] == text and seconds - self._last[1] < _TOGETHER_S and bool(self._past)
        if not same:
            self._past.append((text, self._now))
            del self._past[:-_MOST]
        self._future.clear()
        self._now, self._last = moment, (text, seconds)
        self.changed.emit()

    def _apply(self, wanted: _Moment) -> None:
        scene = self._scene
        self._applying = True
        try:
            there = {layer.key: layer for layer in scene.layers}
            arrangement = [(layer.key, layer.name, layer.role, id(layer.array)) for layer in wanted.layers]
            if arrangement != [(layer.key, layer.name, layer.role, id(layer.array)) for layer in scene.layers]:
                scene.layers = wanted.layers
                scene.layers_changed.emit()
            else:
                for layer in wanted.layers:
                    if layer.look != there[layer.key].look:
                        scene.set_look(layer.key, **asdict(layer.look))
            scene.set_cursor(wanted.cursor)
            scene.set_options(**{**asdict(wanted.options), "tool": scene.options.tool})
            if scene.measurements != wanted.measurements:
                scene.set_measurements(wanted.measurements)
        finally:
            self._applying = False
        self._now, self._last = self._moment(), ("", 0.0)
        self.changed.emit()

    def _moment(self) -> _Moment:
        scene = self._scene
        # Which tool is in the hand is no change of the view.
        options = replace(scene.options, tool="cursor")
        return _Moment(scene.layers, scene.cursor, options, scene.measurements)

    def _name(self, key: str) -> str:
        return next((layer.name for layer in self._scene.layers if layer.key == key), key)
