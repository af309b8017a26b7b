"""What takes the place of a part of an input that is taken away. Loads torch only to compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sensiview.datasets.volume import Grid
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import UserError, suggestion

if TYPE_CHECKING:
    from torch import Tensor

FILLS = ("mean", "blur", "controls")
_WORDS = {"zero": 0.0, "one": 1.0}
_ALSO = {"blurred": "blur"}


@dataclass(frozen=True)
class Replacement:
    """A rule for the values that are put in.

    Parameters
    ----------
    kind : str
        ``constant``; ``mean``: the mean of the volume itself; ``blur``: the volume itself, blurred; ``controls``:
        the mean of other volumes.
    value : float
        Of the constant, in the data's own units.
    blur_mm : float
        Standard deviation of the Gaussian in mm.
    controls : ndarray or None
        Mean of the controls, (i, j, k).
    """

    kind: str = "constant"
    value: float = 0.0
    blur_mm: float = 10.0
    controls: NDArray[np.float32] | None = None

    def of(self, rows: Tensor, grid: Grid) -> Tensor:
        """Return what is put in for each row, (n, 1, i, j, k)."""
        # Inside: the words of a fill are checked where torch is not loaded.
        import torch
        from scipy import ndimage

        if self.kind == "constant":
            return torch.full_like(rows, self.value)
        if self.kind == "mean":
            return rows.mean(dim=tuple(range(1, rows.ndim)), keepdim=True).expand_as(rows).contiguous()
        if self.kind == "blur":
            sigma = [self.blur_mm / max(step, 1e-6) for step in grid.spacing]
            blurred = [ndimage.gaussian_filter(row.cpu().numpy()[0], sigma, mode="nearest")[None] for row in rows]
            return torch.from_numpy(np.stack(blurred)).to(rows)
        assert self.controls is not None
        return torch.from_numpy(self.controls).to(rows)[None, None].expand_as(rows).contiguous()


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
                f"The fill '{fill}' is neither a number nor one of zero, one, mean, blur, controls."
                f"{suggestion(text, [*FILLS, *_WORDS])}"
            ) from None
    if not np.isfinite(fill):
        raise UserError("The fill should be a finite number.")
    return "constant", float(fill)


def replacement(
    fill: float | str,
    *,
    blur_mm: float,
    controls: str | Sequence[int | str],
    volumes: VolumeSet,
    like: int,
    tick: Callable[[], None],
) -> Replacement:
    """Return the rule for a fill, the controls read and averaged one by one.

    Parameters
    ----------
    fill, blur_mm, controls
        As parameters have them.
    volumes : VolumeSet
    like : int
        Place of a volume whose grid the controls must have.
    tick : callable
        Called after each volume that was read; what it raises comes through.

    Raises
    ------
    UserError
        Controls are wanted and not named, or lie on another grid.
    """
    kind, value = parse_fill(fill)
    if kind != "controls":
        return Replacement(kind, value, blur_mm)
    if not controls:
        raise UserError("Name the controls whose mean is put in, for example diagnosis=CN.")
    chosen = volumes.select(controls)
    volumes.grid([like, *map(int, chosen)])
    total: NDArray[np.float64] | None = None
    for index in chosen:
        one = volumes.batch([int(index)])[0, 0].astype(np.float64)
        total = one if total is None else total + one
        tick()
    assert total is not None
    return Replacement(kind, 0.0, blur_mm, (total / len(chosen)).astype(np.float32))
