"""What takes the place of a part of an input that is taken away. Loads torch only to compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import DataError, UserError, suggestion

if TYPE_CHECKING:
    from torch import Tensor

    from sensiview.numerics.map_space import MapInputs, Space

FILLS = ("mean", "blur", "controls", "black")
_WORDS = {"zero": 0.0, "one": 1.0}
_ALSO = {"blurred": "blur"}


@dataclass(frozen=True)
class Replacement:
    """A rule for the values that are put in.

    Parameters
    ----------
    kind : str
        ``constant``; ``mean``: the mean of the input itself, channel by channel; ``blur``: the input itself, blurred;
        ``controls``: the mean of other inputs.
    value : float
        Of the constant, in the data's own units.
    blur_width : float
        Standard deviation of the Gaussian: mm for volumes, pixels for images.
    controls : ndarray or None
        Mean of the controls, (channels, *shape).
    """

    kind: str = "constant"
    value: float = 0.0
    blur_width: float = 10.0
    controls: NDArray[np.float32] | None = None

    def of(self, rows: Tensor, space: Space) -> Tensor:
        """Return what is put in for each row, (n, channels, *shape)."""
        # Inside: the words of a fill are checked where torch is not loaded.
        import torch
        from scipy import ndimage

        if self.kind == "constant":
            return torch.full_like(rows, self.value)
        if self.kind == "mean":
            return rows.mean(dim=tuple(range(2, rows.ndim)), keepdim=True).expand_as(rows).contiguous()
        if self.kind == "blur":
            # Channels are not mixed.
            sigma = [0.0, *(self.blur_width / max(step, 1e-6) for step in space.spacing)]
            blurred = [ndimage.gaussian_filter(row.cpu().numpy(), sigma, mode="nearest") for row in rows]
            return torch.from_numpy(np.stack(blurred)).to(rows)
        assert self.controls is not None
        return torch.from_numpy(self.controls).to(rows)[None].expand_as(rows).contiguous()

    def words(self, what: str) -> str:
        """Return what is put in, in words; `what` the input is called."""
        unit = "mm" if what == "volume" else "pixels"
        return {
            "constant": f"{self.value:g}",
            "mean": f"the {what}'s mean",
            "blur": f"the {what} blurred by {self.blur_width:g} {unit}",
            "controls": "the mean of the controls",
        }[self.kind]


def parse_fill(fill: float | str) -> tuple[str, float]:
    """Return the kind of a fill and its constant.

    Raises
    ------
    UserError
        Neither a finite number nor one of the words.
    """
    if isinstance(fill, str):
        text = fill.strip().lower()
        text = _ALSO.get(text, text)
        if text in FILLS:
            return text, 0.0
        if text in _WORDS:
            return "constant", _WORDS[text]
        try:
            fill = float(text)
        except ValueError:
            raise UserError(
                f"The fill '{fill}' is neither a number nor a known word.{suggestion(text, [*_WORDS, *FILLS])}"
            ) from None
    if not np.isfinite(fill):
        raise UserError("The fill should be a finite number.")
    return "constant", float(fill)


def replacement(
    fill: float | str,
    *,
    blur: float,
    controls: str | Sequence[int | str],
    inputs: MapInputs,
    like: int,
    tick: Callable[[], None],
) -> Replacement:
    """Return the rule for a fill, the controls read and averaged one by one.

    Parameters
    ----------
    fill, blur, controls
        As parameters have them.
    inputs : MapInputs
    like : int
        Place of an input whose grid the controls must have.
    tick : callable
        Called after each input that was read; what it raises comes through.

    Raises
    ------
    UserError
        Controls are wanted and not named, or lie on another grid.
    """
    kind, value = parse_fill(fill)
    if kind == "black":
        return Replacement("constant", inputs.lowest, blur)
    if kind != "controls":
        return Replacement(kind, value, blur)
    if not controls:
        raise UserError("Name the controls whose mean is put in, for example diagnosis=CN.")
    chosen = [int(index) for index in inputs.select(controls)]
    shape = inputs.space([like, *chosen]).shape
    read = inputs.reader(lambda _: None)
    total: NDArray[np.float64] | None = None
    for index in chosen:
        rows, space = read([index])
        if space.shape != shape:
            raise DataError(f"The control '{inputs.names[index]}' has another size. Choose controls of one size.")
        one = rows[0].double().cpu().numpy()
        total = one if total is None else total + one
        tick()
    assert total is not None
    return Replacement(kind, 0.0, blur, (total / len(chosen)).astype(np.float32))
