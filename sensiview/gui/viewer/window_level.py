"""Window and level: how dragging, presets and keys change a layer's display range."""

from __future__ import annotations

from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.viewer.build import auto_window
from sensiview.gui.viewer.scene import Layer, Scene

# Pixels that it takes to drag through the whole range of values.
_PIXELS = 500.0
# A window is never narrower than this part of the range.
_NARROWEST = 1e-3


def dragged(layer: Layer, dx: float, dy: float) -> dict[str, float]:
    """Return the changes of a look after a drag by pixels: right widens the window, down lowers the level.

    Lowering the level makes the picture brighter, as in other viewers. A signed layer stays centred at zero.
    """
    look = layer.look
    span = max(layer.value_range[1] - layer.value_range[0], abs(look.high - look.low), 1e-12)
    step = span / _PIXELS
    least = _NARROWEST * span
    if look.signed:
        return {"high": max(look.high + dx * step / 2, least)}
    width, level = max(look.high - look.low + dx * step, least), (look.high + look.low) / 2 + dy * step
    low_end, high_end = layer.value_range
    level = min(max(level, low_end - span / 2), high_end + span / 2)
    return {"low": level - width / 2, "high": level + width / 2}


def reset(scene: Scene, key: str) -> None:
    """Give a layer the window that its values suggest."""
    low, high = auto_window(scene.layer(key))
    scene.set_look(key, low=low, high=high)


def describe(layer: Layer) -> str:
    """Return the live numbers: ``T1: window 812, level 406 (0 to 812)``."""
    look = layer.look
    if look.signed:
        return f"{layer.name}: ± {with_unit_behind(short(look.high), layer.unit)}"
    width, level = look.high - look.low, (look.high + look.low) / 2
    ends = f"{short(look.low)} to {with_unit_behind(short(look.high), layer.unit)}"
    return f"{layer.name}: window {short(width)}, level {short(level)} ({ends})"
