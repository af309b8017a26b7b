"""What a mask puts in place of the input: one, zero, a constant, the blurred input, or the mean of the controls."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.errors import UserError, suggestion

FillKind = Literal["constant", "blur", "controls"]
_WORDS = ("one", "zero", "blur", "controls")
Volume = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Fill:
    """A chosen fill; `value` for a constant, in the unit of the input."""

    kind: FillKind
    value: float = 0.0

    @classmethod
    def parse(cls, text: str | float) -> Fill:
        """Read ``one``, ``zero``, ``blur``, ``controls`` or a number.

        Raises
        ------
        UserError
            It is none of these.
        """
        word = str(text).strip().lower()
        if word in ("one", "zero"):
            return cls("constant", 1.0 if word == "one" else 0.0)
        if word == "blur":
            return cls("blur")
        if word == "controls":
            return cls("controls")
        try:
            value = float(word)
        except ValueError:
            raise UserError(
                f"The fill '{text}' is not known.{suggestion(word, list(_WORDS))} Write one of them or a number."
            ) from None
        if not math.isfinite(value):
            raise UserError(f"The fill must be a finite number, not {text}.")
        return cls("constant", value)

    @property
    def per_input(self) -> bool:
        """Whether every input has its own."""
        return self.kind == "blur"

    def in_words(self, sigma_mm: float = 0.0) -> str:
        """Return what replaces a masked voxel, for notes."""
        if self.kind == "blur":
            return f"the input blurred by {sigma_mm:g} mm"
        return "the mean of the controls" if self.kind == "controls" else f"{self.value:g}"


def blurred(values: Volume, sigma_mm: float, spacing: Sequence[float]) -> Volume:
    """Return values of any number of axes after a Gaussian of `sigma_mm`, float32; borders are continued.

    `spacing` is the distance of voxels along each axis in mm.
    """
    from scipy import ndimage

    filtered: Any = ndimage.gaussian_filter(values, [sigma_mm / float(s) for s in spacing], mode="nearest")
    return np.asarray(filtered, dtype=np.float32)


def mean_volume(read: Callable[[int], Volume], indices: Sequence[int], tick: Callable[[], None]) -> Volume:
    """Return the mean of volumes read one at a time, float32; `tick` is called after each."""
    total: npt.NDArray[np.float64] | None = None
    for index in indices:
        values = read(index)
        total = values.astype(np.float64) if total is None else np.add(total, values, out=total)
        tick()
    if total is None:
        raise UserError("There are no controls to take the mean of. Choose another fill.")
    return (total / len(indices)).astype(np.float32)


_CONTROL_NAMES = ("cn", "nc", "hc", "ctrl", "control", "controls", "healthy", "normal", "nl", "con", "no", "0")


def control_class(names: Sequence[str], wanted: str = "") -> str:
    """Return which class are the controls: the one named, else the one that is called so, else the first.

    Raises
    ------
    UserError
        There is no class of that name, or there are no classes.
    """
    if wanted.strip():
        if wanted.strip() in names:
            return wanted.strip()
        raise UserError(f"There is no class '{wanted.strip()}'.{suggestion(wanted.strip(), list(names))}")
    if not names:
        raise UserError("There are no classes, so there are no controls. Choose the column that holds the diagnosis.")
    called = [name for name in names if name.strip().lower() in _CONTROL_NAMES]
    return called[0] if called else names[0]
