"""A cohort: volumes that are opened one at a time, with what is known of each subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.selecting import class_name, select_places
from sensiview.datasets.volume import Grid, Volume
from sensiview.errors import DataError, UserError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class VolumeEntry:
    """One volume of a cohort before it is opened.

    `name` is unique in the cohort (``sub-03_ses-M00``), `subject` is who it is of: several volumes of one subject
    never fall on both sides of a split.
    """

    name: str
    subject: str
    grid: Grid
    open: Callable[[], Volume]


@dataclass(frozen=True, eq=False)
class VolumeSet:
    """Volumes in order, with one row of `table` each (columns as in the card, missing values as NaN)."""

    card: DatasetCard
    entries: tuple[VolumeEntry, ...]
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The volumes' names, in order."""
        return tuple(entry.name for entry in self.entries)

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Whom each volume is of, in order."""
        return tuple(entry.subject for entry in self.entries)

    def volume(self, index: int) -> Volume:
        """Return one volume, opened; its voxels are read when they are used.

        Raises
        ------
        DataError
            The file is gone, changed or damaged.
        UserError
            There is no volume of this number, from 0.
        """
        if not 0 <= index < len(self.entries):
            raise UserError(f"There is no volume {index}: '{self.card.name}' has {len(self)}, 0 to {len(self) - 1}.")
        return self.entries[index].open()

    def grid(self, indices: Sequence[int] | npt.NDArray[np.int64] | None = None) -> Grid:
        """Return the one grid of these volumes (of all when none are named).

        Raises
        ------
        DataError
            They lie on different grids; the sentence names two and says what to do.
        """
        chosen = [self.entries[int(i)] for i in (range(len(self)) if indices is None else indices)]
        first = chosen[0]
        for entry in chosen[1:]:
            if not entry.grid.same_as(first.grid):
                raise DataError(
                    f"The volumes of '{self.card.name}' lie on different grids: '{first.name}' has "
                    f"{_size(first.grid)}, '{entry.name}' {_size(entry.grid)}. Resample them to a template first, or "
                    "choose volumes of one grid."
                )
        return first.grid

    def batch(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return values of volumes of one grid, float32 (n, 1, i, j, k); voxels that are not finite become 0."""
        grid = self.grid(indices)
        batch = np.empty((len(indices), 1, *grid.shape), dtype=np.float32)
        for place, index in enumerate(indices):
            batch[place, 0] = np.nan_to_num(self.volume(int(index)).values(), nan=0.0, posinf=0.0, neginf=0.0)
        return batch

    def labels(self, indices: Sequence[int] | npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int64]:
        """Return class numbers in the order of ``card.class_counts``, -1 where the label is missing.

        Raises
        ------
        DataError
            No target column is chosen.
        """
        if self.card.target is None or not self.card.class_counts:
            raise DataError(f"'{self.card.name}' has no classes. Choose the column that holds the diagnosis.")
        codes = {name: code for code, name in enumerate(self.card.class_counts)}
        found = np.array([codes.get(class_name(value), -1) for value in self.table[self.card.target]], dtype=np.int64)
        return found if indices is None else found[np.asarray(indices, dtype=np.int64)]

    def select(self, wanted: str | Sequence[int | str] = "all") -> npt.NDArray[np.int64]:
        """Return places of volumes, ascending, without repeats.

        Parameters
        ----------
        wanted : str or sequence
            ``all``; numbers from 0 and ranges, ``0-4,9``; names of volumes or subjects; ``column=value`` for all whose
            participants' row says so (``diagnosis=AD``); parts separated by commas.

        Raises
        ------
        UserError
            Nothing of that name, out of range, or nothing left.
        """
        return select_places(
            wanted, names=self.names, groups=self.subjects, table=self.table, owner=self.card.name, what="volume"
        )


def count_classes(values: Sequence[Any]) -> Mapping[str, int]:
    """Return how often each class occurs, names in natural order, missing ones left out."""
    names = [name for value in values if (name := class_name(value))]
    return {name: names.count(name) for name in sorted(set(names), key=_natural)}


def _natural(name: str) -> tuple[bool, float, str]:
    """Numbers by their size and before words: 2, 10, AD."""
    try:
        number = float(name)
    except ValueError:
        return True, 0.0, name
    return (False, number, name) if np.isfinite(number) else (True, 0.0, name)


def _size(grid: Grid) -> str:
    spacing = " x ".join(f"{s:.3g}" for s in grid.spacing)
    return f"{' x '.join(map(str, grid.shape))} voxels of {spacing} mm"
