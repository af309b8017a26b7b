"""Generators: inputs of a network made from what they mean (colour, place, ...) instead of from pixels.

A generator turns semantic metadata back into images, so that a screening can ask how much a network uses each of them
(the "image generator function" of MoSIP, section 3.1). One class is one generator, a plugin point like an analysis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.images import ImageSet
from sensiview.errors import DataError, UserError

Values = NDArray[np.float64]


@dataclass(frozen=True)
class GeneratorFactor:
    """One thing that a generator can change.

    Parameters
    ----------
    name : str
        As the data set's column, in lower case with underscores.
    low, high : float
        Range of the values.
    labels : tuple of str
        Names of the levels 0 to n - 1 where values are whole numbers (then `low` is 0 and `high` is n - 1); empty
        where every value between `low` and `high` is another input.
    """

    name: str
    low: float
    high: float
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.labels and (self.low, self.high) != (0.0, len(self.labels) - 1):
            raise ValueError(f"{self.name}: {len(self.labels)} levels lie between 0 and {len(self.labels) - 1}")

    @classmethod
    def of_levels(cls, name: str, labels: Sequence[str]) -> GeneratorFactor:
        """Return a factor whose values count `labels`."""
        return cls(name, 0.0, float(len(labels) - 1), tuple(labels))

    def label(self, value: float) -> str:
        """Return what a value is called: the name of the nearest level, else the number."""
        return self.labels[int(nearest_levels(np.array([value]))[0])] if self.labels else f"{value:g}"


class Generator(ABC):
    """Makes images of a data set from values of its factors; a plugin derives from it.

    The first line of the docstring is its help. The same values give the same pixels, and an image's own values give
    that very image, pixel for pixel.

    Attributes
    ----------
    key : str
        Name in commands and files.
    title : str
        Name in menus.
    """

    key: ClassVar[str]
    title: ClassVar[str]

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or cls.title).strip().splitlines()[0]

    def obstacles(self, card: DatasetCard) -> list[str]:
        """Return sentences why it can't make images of this data set, judged by its card alone; empty where it can."""
        return []

    @abstractmethod
    def factors(self, card: DatasetCard) -> tuple[GeneratorFactor, ...]:
        """Return what can be changed, in the order of the values."""

    @abstractmethod
    def own_values(self, images: ImageSet, index: int) -> Values:
        """Return the values of an image of the set, shape (factors,), float64.

        Raises
        ------
        DataError
            They are not known.
        """

    @abstractmethod
    def generate(self, images: ImageSet, index: int, values: Values) -> NDArray[Any]:
        """Return one image per row of `values`, alike in everything that is no factor to image `index`.

        Parameters
        ----------
        images : ImageSet
        index : int
            Of the image that is varied.
        values : ndarray
            Shape (n, factors), float64; levels are the nearest whole numbers.

        Returns
        -------
        ndarray
            Shape (n, height, width, channels), the images' own pixel values as a file has them: uint8, or float32 in
            the set's valid range.

        Raises
        ------
        DataError
            The image is gone, or is not what its values say.
        UserError
            Values out of range.
        """


def nearest_levels(values: Values) -> NDArray[np.int64]:
    """Return whole numbers, shape as `values`; halves go up, so that equal steps stay equal."""
    return np.floor(np.asarray(values, dtype=np.float64) + 0.5).astype(np.int64)


def checked_values(values: Values, factors: Sequence[GeneratorFactor]) -> Values:
    """Return values with those of levels as whole numbers, float64 of shape (n, factors).

    Raises
    ------
    UserError
        Another number of factors, or a value that is not finite or out of range.
    """
    rows = np.array(values, dtype=np.float64, ndmin=2)
    if rows.ndim != 2 or rows.shape[1] != len(factors):
        raise UserError(
            f"The generator has {len(factors)} factors ({', '.join(f.name for f in factors)}); the values have the "
            f"shape {np.shape(values)}."
        )
    for place, factor in enumerate(factors):
        column = rows[:, place]
        if not np.isfinite(column).all():
            raise UserError(f"A value of '{factor.name}' is no finite number.")
        if factor.labels:
            column = nearest_levels(column).astype(np.float64)
        wrong = (column < factor.low) | (column > factor.high)
        if wrong.any():
            raise UserError(
                f"'{factor.name}' lies between {factor.low:g} and {factor.high:g}; {rows[wrong, place][0]:g} does not."
            )
        rows[:, place] = column
    return rows


def level_in_table(images: ImageSet, index: int, factor: GeneratorFactor) -> int:
    """Return the level that an image's row of the table names in the column called as the factor.

    Raises
    ------
    DataError
        There is no such column, or the cell is empty or names something else.
    """
    if factor.name not in images.table.columns:
        raise DataError(f"'{images.card.name}' has no column '{factor.name}', so its images can't be made anew.")
    cell = images.table[factor.name].iloc[index]
    if cell in factor.labels:
        return factor.labels.index(cell)
    missing = cell is None or cell != cell
    said = "is empty" if missing else f"is '{cell}'"
    raise DataError(
        f"The cell '{factor.name}' of '{images.names[index]}' {said}. It names one of: {', '.join(factor.labels)}."
    )


def generators() -> dict[str, Generator]:
    """Return the generators that come with SensiView, by key. A new dictionary each time."""
    from sensiview.datasets.biased_digits import BiasedDigits

    return {generator.key: generator for generator in (BiasedDigits(),)}
