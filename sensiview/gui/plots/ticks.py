"""Where an axis has its ticks and what is written there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sensiview.gui.number_text import grouped


@dataclass(frozen=True)
class Tick:
    """One tick: where, in the axis's own numbers, and its text (empty for a tick without)."""

    position: float
    text: str


class Ticks(Protocol):
    """Chooses the ticks of an axis for the range that is seen and the room there is."""

    def between(self, low: float, high: float, room: int) -> list[Tick]:
        """Return at most about `room` ticks in [low, high]."""


@dataclass(frozen=True)
class NumberTicks:
    """Round numbers: steps of 1, 2 or 5 times a power of ten."""

    whole: bool = False  # only whole numbers, for counts and steps
    within: tuple[float, float] | None = None  # where there is something; an image may be narrower than its panel

    def between(self, low: float, high: float, room: int) -> list[Tick]:
        """Return round numbers in [low, high]."""
        if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
            return []
        step = _round_step((high - low) / max(room, 1))
        if self.whole:
            step = max(1.0, step)
        if self.within is not None:
            low, high = max(low, self.within[0]), min(high, self.within[1])
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [Tick(k * step, _number(k * step, step)) for k in range(first, last + 1)]


@dataclass(frozen=True)
class PowerTicks:
    """Powers of `base` on an axis that shows exponents, written as plain numbers: 128, 256, ..."""

    base: int = 2

    def between(self, low: float, high: float, room: int) -> list[Tick]:
        """Return whole exponents in [low, high]; a text at as many as there is room for."""
        first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
        every = max(1, math.ceil((last - first + 1) / max(room, 1)))
        # Texts are counted from the last power: the largest sample size is the one people look for.
        return [Tick(k, self._text(k) if (last - k) % every == 0 else "") for k in range(first, last + 1)]

    def _text(self, exponent: int) -> str:
        if exponent >= 0:
            return grouped(self.base**exponent)
        return f"{float(self.base) ** exponent:g}"


@dataclass(frozen=True)
class NameTicks:
    """Names at 0, 1, 2, ...: factors, outputs, layers."""

    names: Sequence[str]

    def between(self, low: float, high: float, room: int) -> list[Tick]:
        """Return every name in [low, high]; whether they fit is the axis's business."""
        first, last = max(0, math.ceil(low)), min(len(self.names) - 1, math.floor(high))
        return [Tick(k, self.names[k]) for k in range(first, last + 1)]


def _round_step(wanted: float) -> float:
    power = 10.0 ** math.floor(math.log10(wanted))
    for factor in (1.0, 2.0, 5.0, 10.0):
        if factor * power >= wanted * (1 - 1e-9):
            return factor * power
    return 10.0 * power


def _number(value: float, step: float) -> str:
    if abs(value) < step * 1e-6:
        return "0"
    if abs(value) >= 1e6 or step < 1e-4:
        return f"{value:g}" if abs(value) < 1e15 else f"{value:.3g}"
    return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}"
