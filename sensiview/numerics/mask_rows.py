"""The inputs that are masked: read, checked, kept where they fit, with what fills them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.datasets.volume import Grid
from sensiview.errors import DataError, UserError
from sensiview.numerics.mask_cost import KEPT_BYTES
from sensiview.numerics.mask_fills import Fill, Volume, blurred, mean_volume
from sensiview.numerics.volume_inputs import VolumeInputs

_NAMED = 5


class MaskRows:
    """Volumes of one grid in the order chosen, and what replaces their voxels.

    Up to `KEPT_BYTES` they stay in memory; more than that are read again whenever they are used, so that memory is
    bounded by the batch.

    Parameters
    ----------
    inputs : VolumeInputs
    indices : sequence of int
        Which volumes, all of one grid.
    fill : Fill
    controls : sequence of int
        Whose mean is the fill, for that kind of fill.
    sigma_mm : float
        Of the blurred fill.
    tick : callable
        Called after each volume that is read; may raise to stop.
    kept_bytes : int
        How much may stay in memory.

    Attributes
    ----------
    seen : ndarray
        (n or 1, i, j, k), bool: where an input is neither 0 nor equal to what would replace it. One for all
        when `shared`.
    notices : list of str
        Sentences about voxels that were not numbers.

    Raises
    ------
    DataError
        Different grids, a damaged file, or a volume in which there is nothing.
    """

    def __init__(
        self,
        inputs: VolumeInputs,
        indices: Sequence[int],
        fill: Fill,
        *,
        shared: bool,
        controls: Sequence[int] = (),
        sigma_mm: float = 10.0,
        tick: Callable[[], None] = lambda: None,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self.inputs = inputs
        self.indices = [int(i) for i in indices]
        self.fill = fill
        self.grid: Grid = inputs.volumes.grid([*self.indices, *controls])
        self._sigma_mm = sigma_mm
        self.notices: list[str] = []
        self._device = inputs.network.device
        self._unfinished: dict[str, int] = {}
        per_row = 4 * int(np.prod(self.grid.shape)) * (2 if fill.per_input else 1)
        self._rows: Tensor | None = None
        self._fillings: Tensor | None = None
        self._fill = torch.tensor(fill.value, device=self._device)
        # One row and its filling, or a stack of them, under the places they stand for.
        self._parts: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        if per_row * len(self.indices) <= kept_bytes:
            shape = (len(self.indices), 1, *self.grid.shape)
            self._rows = torch.empty(shape, device=self._device)
            self._fillings = torch.empty(shape, device=self._device) if fill.per_input else None
        if fill.kind == "controls":
            mean = mean_volume(self._read, controls, tick)
            self._fill = torch.from_numpy(mean).to(self._device)[None, None]
        self.seen = self._look(shared, tick)

    def _read(self, index: int) -> Volume:
        values = self.inputs.volumes.volume(index).values()
        bad = int(values.size - np.count_nonzero(np.isfinite(values)))
        if bad:
            self._unfinished[self.inputs.volumes.names[index]] = bad
            values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
        return values

    def _look(self, shared: bool, tick: Callable[[], None]) -> npt.NDArray[np.bool_]:
        """Read everything once: what may be masked, what is empty."""
        seen: list[npt.NDArray[np.bool_]] = []
        for place, index in enumerate(self.indices):
            values = self._read(index)
            if not values.any():
                raise DataError(
                    f"'{self.inputs.volumes.names[index]}' is black: all its voxels are 0, so there is nothing to "
                    "mask. Leave it out of the subjects, or look at how it was made."
                )
            own, filling = self._tensors(values)
            differs = values != 0
            against = self._fill if filling is None else filling
            differs &= (own != against).reshape(own.shape[-3:]).cpu().numpy()
            if self._rows is not None:
                self._rows[place] = own
                if self._fillings is not None and filling is not None:
                    self._fillings[place] = filling
            if shared and seen:
                seen[0] |= differs
            else:
                seen.append(differs)
            tick()
        if self._unfinished:
            named = [f"'{name}' has {n:,}" for name, n in list(self._unfinished.items())[:_NAMED]]
            more = len(self._unfinished) - len(named)
            self.notices.append(
                f"Voxels that are not finite numbers are taken as 0: {', '.join(named)}"
                + (f", and {more} more volumes have some." if more else ".")
            )
        return np.stack(seen)

    def _tensors(self, values: Volume) -> tuple[Tensor, Tensor | None]:
        # A copy: what is read may be a view of a file that can't be written to.
        own = torch.from_numpy(np.array(values, dtype=np.float32)).to(self._device)[None]
        if not self.fill.per_input:
            return own, None
        filling = torch.from_numpy(blurred(values, self._sigma_mm, self.grid.spacing)).to(self._device)[None]
        return own, filling

    def batch(self, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return rows (n, 1, i, j, k) and what fills them, of a shape that broadcasts to theirs.

        For the same places the same tensors come back where they are kept: what a network's preprocessing found out
        about them holds.
        """
        key = tuple(int(place) for place in places)
        if self._rows is None:
            return self._read_again(key)
        if key not in self._parts:
            self._parts = {known: part for known, part in self._parts.items() if _consecutive(known)}
            self._parts[key] = (
                _part(self._rows, key),
                self._fill if self._fillings is None else _part(self._fillings, key),
            )
        return self._parts[key]

    def _read_again(self, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        pairs = [self._tensors(self._read(self.indices[place])) for place in places]
        fillings = [filling for _, filling in pairs if filling is not None]
        return torch.stack([own for own, _ in pairs]), (torch.stack(fillings) if fillings else self._fill)


def _consecutive(places: Sequence[int]) -> bool:
    return list(places) == list(range(places[0], places[0] + len(places)))


def _part(rows: Tensor, places: Sequence[int]) -> Tensor:
    """Return some rows: a view where they follow each other."""
    return rows[places[0] : places[0] + len(places)] if _consecutive(places) else rows[list(places)]


def region_of(
    seen: npt.NDArray[np.bool_], allowed: npt.NDArray[np.bool_] | None, names: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Return where may be masked: what is seen (n or 1, i, j, k), within what is allowed (i, j, k).

    Raises
    ------
    UserError
        Nothing is left for some input.
    """
    region = seen if allowed is None else seen & allowed
    empty = ~region.reshape(len(region), -1).any(axis=1)
    if empty.any():
        whose = "the chosen subjects" if len(region) == 1 else f"'{names[int(np.flatnonzero(empty)[0])]}'"
        raise UserError(
            f"The region of interest holds no voxel of {whose} that a mask would change: they are all 0 or equal to "
            "the fill already. Choose another region or another fill."
        )
    return np.asarray(region, dtype=np.bool_)
