"""How an input is cut into parts that are the factors of a screening: the interface of partitions, a plugin point."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sensiview.errors import UserError

Labels: TypeAlias = "NDArray[np.int32]"
Kind = Literal["images", "volumes"]
# Names of parts in a sentence.
_NAMED = 3


@dataclass(frozen=True, eq=False)
class Picture:
    """An input as a partition sees it.

    Parameters
    ----------
    name : str
    values : ndarray
        float32 (channels, y, x) of an image as the network sees it, values in their valid range; (1, i, j, k) of a
        volume in its own grid, raw values. Read only.
    spacing : tuple of float
        Distance of neighbours along the axes after the first: mm for volumes, 1 for pixels.
    affine : ndarray or None
        4 x 4, voxel to RAS millimetres, of volumes.
    index : int
        Its place in the data set.
    atlas : ndarray of int or None
        Labels of the atlas on this grid, 0 outside, and `regions`, the names by label; of volumes with an atlas.
    """

    name: str
    values: NDArray[np.float32]
    spacing: tuple[float, ...]
    affine: NDArray[np.float64] | None = None
    index: int = 0
    atlas: NDArray[np.integer] | None = None
    regions: Mapping[int, str] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the grid, without channels."""
        return self.values.shape[1:]


@dataclass(frozen=True)
class PartitionOptions:
    """What the user chose: `cells` along each axis (or parts in all), `compactness` of superpixels, anything else."""

    cells: int = 8
    compactness: float = 10.0
    seed: int = 1
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Division:
    """An input cut into parts.

    Parameters
    ----------
    labels : ndarray of int32
        (1, *grid), or (channels, 1, ...) where parts are channels: the part's number at each place, -1 outside all.
        Anything that broadcasts over (channels, *grid).
    names : tuple of str
        Of the parts, by number.
    """

    labels: Labels
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(cls, parts: NDArray[Any], names: Sequence[str], picture: Picture) -> Division:
        """Check what a partition returned, and return it as a division.

        Parameters
        ----------
        parts : ndarray
            Whole numbers on the grid, (*grid): the part of each pixel, -1 outside; or (channels,), the part of each
            channel; or bool (parts, *grid), one mask per part.
        names : sequence of str
            One per part.
        picture : Picture

        Raises
        ------
        UserError
            Parts overlap, are empty, have another shape than the input, or there are none.
        """
        found = np.asarray(parts)
        if found.dtype == np.bool_:
            found = _from_masks(found, names, picture)
        if not np.issubdtype(found.dtype, np.integer):
            raise UserError(
                f"The partition gives values of type {found.dtype} for '{picture.name}'; it should give whole numbers, "
                "the part of each pixel, or one mask per part."
            )
        channels = len(picture.values)
        if found.shape == (channels,) and found.shape != picture.shape:
            labels = found.reshape(channels, *(1 for _ in picture.shape))
        elif found.shape == picture.shape:
            labels = found[None]
        else:
            raise UserError(
                f"The partition gives parts of shape {found.shape} for '{picture.name}', which has the shape "
                f"{picture.shape}. It must number every pixel of the input."
            )
        return cls(_checked(labels, names, picture), tuple(map(str, names)))

    def share_inside(self) -> float:
        """Return the share of the places that belong to a part."""
        return float((self.labels >= 0).mean())


class Partition(ABC):
    """Cuts inputs into parts. One class is one partition: built in, or of a plugin.

    The docstring's first line is its help.

    Attributes
    ----------
    key, title : str
        Name in commands, in snake_case, and in menus.
    kinds : tuple of str
        Data that it cuts: ``images``, ``volumes``.
    common : bool
        Whether the parts of all inputs of a size are the same, so that they can be averaged and compared.
    """

    key: ClassVar[str]
    title: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ("images",)
    common: ClassVar[bool] = False

    @abstractmethod
    def divide(self, picture: Picture, options: PartitionOptions) -> Division:
        """Return the parts of one input; `Division.of` checks and wraps arrays.

        Raises
        ------
        UserError
            This input can't be cut; the sentence says why.
        """

    def count(self, shape: Sequence[int], channels: int, options: PartitionOptions) -> int:
        """Return about how many parts an input of this shape has, before it is opened."""
        return int(options.cells ** len(shape))

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (inspect.getdoc(cls) or cls.title).splitlines()[0]


def _from_masks(masks: NDArray[np.bool_], names: Sequence[str], picture: Picture) -> Labels:
    if masks.shape[1:] != picture.shape:
        raise UserError(
            f"The partition gives masks of shape {masks.shape[1:]} for '{picture.name}', which has the shape "
            f"{picture.shape}."
        )
    covered = masks.sum(axis=0)
    if (twice := int((covered > 1).sum())) > 0:
        where = np.argwhere(covered > 1)[0]
        both = [str(name) for name, mask in zip(names, masks, strict=False) if mask[tuple(where)]]
        raise UserError(
            f"The parts of '{picture.name}' overlap in {twice:,} of {covered.size:,} places, for example "
            f"{' and '.join(both[:2])}. Each pixel may belong to one part only: what it does could not be told apart."
        )
    return np.where(covered > 0, masks.argmax(axis=0), -1).astype(np.int32)


def _checked(labels: NDArray[np.integer], names: Sequence[str], picture: Picture) -> Labels:
    if not len(names):
        raise UserError(f"The partition finds no part in '{picture.name}', so there is no factor to screen.")
    numbers = np.unique(labels[labels >= 0])
    if not len(numbers):
        raise UserError(f"No place of '{picture.name}' belongs to a part, so there is no factor to screen.")
    if numbers[-1] >= len(names):
        raise UserError(
            f"The partition numbers the parts of '{picture.name}' up to {numbers[-1]}, and names {len(names)}."
        )
    empty = [str(names[i]) for i in sorted(set(range(len(names))) - set(map(int, numbers)))]
    if empty:
        rest = f" and {len(empty) - _NAMED} more" if len(empty) > _NAMED else ""
        raise UserError(
            f"Parts of '{picture.name}' are empty: {', '.join(empty[:_NAMED])}{rest}. Choose fewer or larger parts."
        )
    return np.ascontiguousarray(labels, dtype=np.int32)
