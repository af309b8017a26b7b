"""What happens to the voxels of a volume before a 3-D network sees them: orientation, intensity, size, channels."""

from __future__ import annotations

import importlib
import math
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from sensiview.errors import ModelError
from sensiview.models.volume_settings import VolumeSettings, parse_settings

Affine = NDArray[np.float64]
_HALF = (torch.float16, torch.bfloat16)
_SPATIAL = (2, 3, 4)


class VolumePreprocessing:
    """Turn, scale, pad or crop, and repeat: in this order, differentiable, in the dtype of the rows.

    Intensities are scaled over the whole volume as it is in the file, before anything is padded or cropped, so that
    padding does not move a percentile.

    Parameters
    ----------
    settings : mapping
        See `sensiview.models.volume_settings.VolumeSettings`.
    input_shape : tuple of int
        (channels, i, j, k) that the network takes; () where it is not known yet.
    name : str
        Of the model, for messages.

    Raises
    ------
    ModelError
        A setting that is unknown or makes no sense.
    """

    def __init__(self, settings: Mapping[str, Any], input_shape: tuple[int, ...], name: str) -> None:
        self.settings: VolumeSettings = parse_settings(settings, name)
        self._name = name
        fit = self.settings.fit
        if fit is not None and len(input_shape) == 4 and tuple(input_shape[1:]) != fit:
            raise ModelError(
                f"The preprocessing of '{name}' makes volumes of {_size(fit)} voxels, but the network takes "
                f"{_size(input_shape[1:])}. Make 'fit' and the network's input size the same."
            )
        self._takes = fit or (tuple(input_shape[1:]) if len(input_shape) == 4 else None)
        self._remembered: tuple[weakref.ref[Tensor], int, tuple[Tensor, Tensor]] | None = None

    def __call__(self, rows: Tensor, like: Tensor | None = None, affine: Affine | None = None) -> Tensor:
        """Return what the network takes, shape (n, channels, *fit).

        Parameters
        ----------
        rows : Tensor
            Raw values, shape (n, 1, i, j, k) in the volumes' own voxel order, or (n, channels, i, j, k). Float16 and
            bfloat16 become float32; float64 stays.
        like : Tensor, optional
            Same shape: statistics are taken from these and are constants for the gradient. Without it they are taken
            from the rows, and are part of the gradient.
        affine : ndarray, optional
            (4, 4), voxel to RAS mm. Without it the rows count as lying in the wanted orientation already.

        Raises
        ------
        ModelError
            Rows that are no volumes, of another size than the network takes, or an affine that says no orientation.
        """
        if rows.ndim != 5:
            raise ModelError(
                f"The network '{self._name}' takes volumes of shape (n, 1, i, j, k); these inputs have shape "
                f"{tuple(rows.shape)}."
            )
        rows = rows.float() if rows.dtype in _HALF else rows
        scaled = self._scaled(rows, like)
        turned = self._turned(scaled, affine)
        fitted = turned if self.settings.fit is None else fitted_to(turned, self.settings.fit)
        if self._takes is not None and tuple(fitted.shape[2:]) != self._takes:
            raise ModelError(
                f"The input size does not fit: the network '{self._name}' takes volumes of {_size(self._takes)} "
                f"voxels, these have {_size(fitted.shape[2:])}. Resample them, or set 'fit' in the network's "
                "preprocessing to pad or crop them."
            )
        return self._with_channels(fitted).contiguous()

    def back(self, values: Tensor, shape: Sequence[int], affine: Affine | None = None) -> Tensor:
        """Bring maps on the network's input grid onto the grid of the raw volumes; what was cropped off becomes 0.

        Parameters
        ----------
        values : Tensor
            Shape (n, c, *fit), as a map over what `__call__` returns.
        shape : sequence of three int
            (i, j, k) of the raw volumes.
        affine : ndarray, optional
            As it was given to `__call__`.

        Returns
        -------
        Tensor
            Shape (n, c, i, j, k). Intensities are not touched.
        """
        order, flips = self._turn(affine)
        turned = fitted_to(values, [int(shape[axis]) for axis in order])
        inverse = [order.index(axis) for axis in range(3)]
        return torch.flip(turned.permute(0, 1, *(2 + axis for axis in inverse)), [2 + axis for axis in flips])

    def _with_channels(self, rows: Tensor) -> Tensor:
        wanted = self.settings.channels
        if rows.shape[1] == wanted:
            return rows
        if rows.shape[1] != 1:
            raise ModelError(
                f"The network '{self._name}' takes {wanted} channels; these volumes have {rows.shape[1]}. A volume of "
                "one channel is repeated, others are not."
            )
        return rows.expand(-1, wanted, -1, -1, -1)

    def _turn(self, affine: Affine | None) -> tuple[list[int], list[int]]:
        """Return which raw axis becomes the first, second, third, and the raw axes that are reversed before."""
        if self.settings.orientation is None or affine is None:
            return [0, 1, 2], []
        # Typed as anything: nibabel declares no types for these.
        orientations: Any = importlib.import_module("nibabel.orientations")
        matrix = np.asarray(affine, dtype=np.float64)
        now = orientations.io_orientation(matrix) if _spans_space(matrix) else None
        if now is None:
            raise ModelError(
                f"The network '{self._name}' wants volumes turned to {self.settings.orientation}, but the affine of "
                "these says no orientation (zeros, NaN, or two axes alike). Repair it, or set 'orientation' to null."
            )
        way = orientations.ornt_transform(now, orientations.axcodes2ornt(tuple(self.settings.orientation)))
        flips = [axis for axis in range(3) if way[axis, 1] < 0]
        return [int(axis) for axis in np.argsort(way[:, 0])], flips

    def _turned(self, rows: Tensor, affine: Affine | None) -> Tensor:
        order, flips = self._turn(affine)
        if flips:
            rows = torch.flip(rows, [2 + axis for axis in flips])
        return rows if order == [0, 1, 2] else rows.permute(0, 1, *(2 + axis for axis in order))

    def _scaled(self, rows: Tensor, like: Tensor | None) -> Tensor:
        settings = self.settings
        if settings.intensity == "fixed":
            rows = (rows - settings.mean) / settings.std
        elif settings.intensity != "none":
            shift, scale = self._statistics(rows, like)
            rows = (rows - shift.to(rows)) / scale.to(rows)
        return rows if settings.clip is None else rows.clamp(-settings.clip, settings.clip)

    def _statistics(self, rows: Tensor, like: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return what is subtracted and what is divided by, (n, 1, 1, 1, 1) each."""
        if like is None:
            return self._measured(rows)
        if like.shape[0] != rows.shape[0]:
            raise ModelError(f"There are {len(rows)} inputs and {len(like)} to take the statistics from.")
        # A mask is optimised over hundreds of steps with the same `like`: its percentile is looked for once.
        if self._remembered is not None:
            before, version, found = self._remembered
            if before() is like and version == like._version:
                return found
        found = self._measured(like.detach())
        self._remembered = weakref.ref(like), like._version, found
        return found

    def _measured(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        pairs = [self._of_one(row) for row in rows]
        shifts, scales = (torch.stack([pair[i] for pair in pairs]).reshape(-1, 1, 1, 1, 1) for i in (0, 1))
        # The spread of a constant volume is rounding, not always 0: it is only shifted.
        spread = scales.abs() > 1e-6 * shifts.abs()
        return shifts, torch.where(spread, scales, torch.ones_like(scales))

    def _of_one(self, row: Tensor) -> tuple[Tensor, Tensor]:
        values = row.float().flatten() if row.dtype in _HALF or not row.is_floating_point() else row.flatten()
        if self.settings.voxels == "nonzero":
            chosen = values[values != 0]
            values = chosen if chosen.numel() else values
        zero = values.new_zeros(())
        if self.settings.intensity == "percentile":
            return zero, percentile(values, self.settings.percentile)
        if self.settings.intensity == "minmax":
            low, high = values.min(), values.max()
            return low, high - low
        mean = values.mean()
        return mean, (values - mean).square().mean().clamp_min(1e-30).sqrt()


def percentile(values: Tensor, share: float) -> Tensor:
    """Return a percentile of a flat tensor, as ``numpy.percentile`` does (linear); any number of values.

    ``torch.quantile`` refuses more than 16 million, which a volume at 1 mm has.
    """
    place = (values.numel() - 1) * share / 100
    below = math.floor(place)
    low = values.kthvalue(below + 1).values
    if place == below:
        return low
    return low + (values.kthvalue(below + 2).values - low) * (place - below)


def fitted_to(rows: Tensor, shape: Sequence[int]) -> Tensor:
    """Pad with zeros or crop (n, c, i, j, k) to `shape` about the centre.

    Where the difference d is odd, (d // 2) voxels go before and the rest behind, padding and cropping alike.
    """
    padding: list[int] = []
    for axis, wanted in zip(_SPATIAL, shape, strict=True):
        missing = int(wanted) - rows.shape[axis]
        if missing < 0:
            rows = rows.narrow(axis, -missing // 2, int(wanted))
            missing = 0
        # functional.pad counts from the last axis.
        padding = [missing // 2, missing - missing // 2, *padding]
    return functional.pad(rows, padding) if any(padding) else rows


def _spans_space(affine: Affine) -> bool:
    """Say whether the three axes of a volume point in directions that differ."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or (lengths == 0).any():
        return False
    return bool(abs(np.linalg.det(affine[:3, :3] / lengths)) > 1e-3)


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
