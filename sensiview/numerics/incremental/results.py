"""What an evaluation is asked for and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import UserError
from sensiview.numerics.incremental.geometry import Ints


@dataclass(frozen=True)
class Patches:
    """Inputs that differ from a base in one rectangle each.

    Parameters
    ----------
    windows : ndarray
        (rows, 4), integers y0, y1, x0, x1: the rows of pixels y0 <= y < y1 and the columns x0 <= x < x1. A part outside
        the input is left out; of a window that lies outside altogether nothing changes.
    values : Tensor
        (rows, channels, height, width): what is put there, from the upper left corner on; as large as the largest
        window, or one row for all. With ``fill``, whole images from which each window is cut.
    bases : ndarray, optional
        (rows,): which base each row starts from; the first by default.
    cropped : bool
        Whether `values` begin at the window's corner (True), or are whole images (False).

    Raises
    ------
    UserError
        The shapes don't fit each other.
    """

    windows: Ints
    values: Tensor
    bases: Ints | None = None
    cropped: bool = True

    def __post_init__(self) -> None:
        windows = np.asarray(self.windows)
        if windows.ndim != 2 or windows.shape[1] != 4 or not np.issubdtype(windows.dtype, np.integer):
            raise UserError("The windows must be whole numbers in four columns: y0, y1, x0, x1.")
        if bool((windows[:, 1] < windows[:, 0]).any() or (windows[:, 3] < windows[:, 2]).any()):
            raise UserError("A window ends before it begins.")
        if self.values.ndim != 4 or len(self.values) not in (1, len(windows)):
            raise UserError(
                f"There are {len(windows)} windows, and values of shape {tuple(self.values.shape)}. They should have "
                "the shape (windows, channels, height, width)."
            )
        if self.cropped and len(windows):
            tallest, widest = (int((windows[:, i + 1] - windows[:, i]).max()) for i in (0, 2))
            if self.values.shape[2] < tallest or self.values.shape[3] < widest:
                raise UserError(f"The largest window has {tallest} x {widest} pixels, the values have fewer.")
        object.__setattr__(self, "windows", windows.astype(np.int64))
        bases = np.zeros(len(windows)) if self.bases is None else np.asarray(self.bases)
        if bases.shape != (len(windows),):
            raise UserError(f"There are {len(windows)} windows, and bases of shape {bases.shape}.")
        object.__setattr__(self, "bases", bases.astype(np.int64))

    def __len__(self) -> int:
        return len(self.windows)

    @classmethod
    def filled(cls, windows: Ints, fill: Tensor, bases: Ints | None = None) -> Patches:
        """Return patches that show another image, (channels, height, width) or one per row, in each window."""
        return cls(windows, fill if fill.ndim == 4 else fill[None], bases, cropped=False)

    @classmethod
    def from_rows(cls, rows: Tensor, inputs: Tensor, bases: Ints | None = None) -> Patches:
        """Return patches for whole inputs: each row's bounding box of what differs from its base.

        Several changed parts of a row are covered by one box; where it is most of the image, whole inference is used.

        Parameters
        ----------
        rows : Tensor
            (n, channels, height, width).
        inputs : Tensor
            (bases, channels, height, width), the bases' inputs.
        bases : ndarray, optional
            (n,): which base each row is compared to; the first by default.
        """
        numbers = np.zeros(len(rows), dtype=np.int64) if bases is None else np.asarray(bases, dtype=np.int64)
        own = inputs if len(inputs) == 1 else inputs[torch.from_numpy(numbers).to(inputs.device)]
        differs = np.asarray((rows != own).any(dim=1).cpu().numpy(), dtype=np.bool_)
        boxes = np.zeros((len(rows), 4), dtype=np.int64)
        for axis in (0, 1):
            along: NDArray[np.bool_] = np.any(differs, axis=2 - axis)
            some, size = np.any(along, axis=1), along.shape[1]
            boxes[:, 2 * axis] = np.where(some, along.argmax(axis=1), 0)
            boxes[:, 2 * axis + 1] = np.where(some, size - along[:, ::-1].argmax(axis=1), 0)
        return cls(boxes, rows, numbers, cropped=False)


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation gave, row by row.

    Parameters
    ----------
    outputs : Tensor or None
        (rows, ...), the network's output; None when it was not asked for.
    norms : dict
        Layer -> float64 (rows,): the Euclidean norm of the change of all its units.
    values : dict
        Layer -> (rows, ...): what the layer gives.
    """

    outputs: Tensor | None
    norms: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    values: Mapping[str, Tensor] = field(default_factory=dict)


def norms_of(change: Tensor) -> NDArray[np.float64]:
    """Return the Euclidean norm of each row, float64."""
    wide = None if change.device.type == "mps" else torch.float64
    found = torch.linalg.vector_norm(change, dim=tuple(range(1, change.ndim)), dtype=wide)
    return np.asarray(found.cpu().double().numpy())
