"""A set of images: pictures that are opened one at a time, with what is known of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.selecting import class_name, select_places
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

Pixels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ImageEntry:
    """One image of a set before it is opened.

    Parameters
    ----------
    name : str
        Unique in the set: the path below the folder (``cats/7.png``), ``clip.avi[12]`` for a frame.
    group : str
        What must not fall on both sides of a split: a patient, a video, a scan; its own name where nothing is known.
    size : (int, int)
        Height and width in pixels, upright (after the turn that the camera wrote into the file).
    channels : int
        1 for grey, 3 for colour, as the file has it; other numbers for arrays.
    open : callable
        Returns the pixels, float32 (channels, y, x), grey or colour as above. Those of files lie in [0, 1]; those of
        arrays in memory are as they were given. Raises DataError when the file is gone, changed or damaged.
    """

    name: str
    group: str
    size: tuple[int, int]
    channels: int
    open: Callable[[], Pixels]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images in order, with one row of `table` each (columns as in the card, missing values as NaN).

    ``card.extra`` has ``names`` and ``groups`` (lists), ``channels`` (of most images), ``sizes`` (a list of
    ``{"size": [height, width], "count": n}``, most frequent first), and ``range`` ([low, high], the valid range of the
    pixels: [0, 1] for files).
    """

    card: DatasetCard
    entries: tuple[ImageEntry, ...]
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.entries)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The images' names, in order."""
        return tuple(entry.name for entry in self.entries)

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """What each image belongs to, in order; see `ImageEntry`."""
        return tuple(entry.group for entry in self.entries)

    @property
    def valid_range(self) -> tuple[float, float]:
        """Lowest and highest value that a pixel can have."""
        low, high = self.card.extra.get("range", (0.0, 1.0))
        return float(low), float(high)

    def image(self, index: int) -> Pixels:
        """Return one image, float32 (channels, y, x); pixels that are not finite become 0.

        Raises
        ------
        DataError
            The file is gone, changed or damaged.
        """
        return np.nan_to_num(self.entries[index].open(), nan=0.0, posinf=0.0, neginf=0.0)

    def labels(self, indices: Sequence[int] | npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.int64]:
        """Return class numbers in the order of ``card.class_counts``, -1 where the label is missing.

        Raises
        ------
        DataError
            The images have no classes.
        """
        if self.card.target is None or not self.card.class_counts:
            raise DataError(f"'{self.card.name}' has no classes. Choose the column that holds them.")
        return self._codes.copy() if indices is None else self._codes[np.asarray(indices, dtype=np.int64)]

    @cached_property
    def _codes(self) -> npt.NDArray[np.int64]:
        """Class numbers of all images: asked for with every batch, of as many as 60,000."""
        codes = {name: code for code, name in enumerate(self.card.class_counts)}
        return np.array([codes.get(class_name(value), -1) for value in self.table[self.card.target]], dtype=np.int64)

    def select(self, wanted: str | Sequence[int | str] = "all") -> npt.NDArray[np.int64]:
        """Return places of images, ascending, without repeats; see `sensiview.datasets.selecting.select_places`.

        ``class=NAME`` (the target column's name, which is ``class`` for folders) takes the images of a class.
        """
        return select_places(
            wanted, names=self.names, groups=self.groups, table=self.table, owner=self.card.name, what="image"
        )
