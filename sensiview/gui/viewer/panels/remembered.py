"""Looks that go on from case to case: what a user set for one subject holds for the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sensiview.gui.viewer.panels.windows import modality_of
from sensiview.gui.viewer.scene import Layer, Look, Scene

# The ranges of these units mean the same in every subject; grey levels of an MR scan do not.
_ABSOLUTE = ("CT", "PET", "Map")


class RememberedLooks:
    """Learns the looks of a scene's layers and gives them to layers of the same name or role."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], Look] = {}

    def learn(self, scene: Scene) -> None:
        """Keep the looks of what is shown."""
        for layer in scene.layers:
            self._by_name[self._mark(layer)] = layer.look

    def dressed(self, layers: Sequence[Layer]) -> tuple[Layer, ...]:
        """Return layers with the looks their predecessors had; an MR volume keeps its own window."""
        made = []
        for layer in layers:
            look = self._by_name.get(self._mark(layer))
            if look is None:
                made.append(layer)
                continue
            if layer.role == "underlay" and modality_of(layer) not in _ABSOLUTE:
                look = replace(look, low=layer.look.low, high=layer.look.high)
            made.append(replace(layer, look=look))
        return tuple(made)

    @staticmethod
    def _mark(layer: Layer) -> tuple[str, str]:
        # The anatomy has each case's own name.
        return layer.role, "" if layer.role == "underlay" else layer.name
