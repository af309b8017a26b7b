"""Digits whose colours and place betray their class as often as one likes: made here, and varied one by one.

Biased-MNIST (Shrestha, Kafle and Kanan 2021, arXiv:2104.00170; MoSIP, section 3.1) made anew: grey handwritten digits,
drawn in one of ten colours on one of ten backgrounds at one of nine places. Because the bias is planted, a screening
of a network that learned from them has an answer to be held against.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.digit_drawing import (
    BACKGROUND_COLOURS,
    DIGIT_COLOURS,
    PICTURE,
    POSITIONS,
    draw_digits,
    opacity_in_picture,
)
from sensiview.datasets.generators import Generator, GeneratorFactor, Values, checked_values, level_in_table
from sensiview.datasets.images import ImageSet
from sensiview.errors import DataError, UserError
from sensiview.files import write_atomically

if TYPE_CHECKING:
    from sensiview.datasets.digit_glyphs import Glyphs

FACTORS: tuple[GeneratorFactor, ...] = (
    GeneratorFactor.of_levels("digit_colour", tuple(DIGIT_COLOURS)),
    GeneratorFactor.of_levels("background_colour", tuple(BACKGROUND_COLOURS)),
    GeneratorFactor.of_levels("position", POSITIONS),
)
TABLE = "digits.csv"
_COLUMNS = ("path", "label", "split", *(factor.name for factor in FACTORS), "glyph")


class BiasedDigits(Generator):
    """Digits drawn in other colours, on other backgrounds, at other places.

    The stroke is read back from the picture itself, so a data set needs no more than its pictures and the columns
    ``digit_colour``, ``background_colour`` and ``position``.
    """

    key = "biased_digits"
    title = "Biased digits: colours and place"

    def obstacles(self, card: DatasetCard) -> list[str]:
        """Return why this is no data set of digits that were drawn here."""
        if card.kind != "images":
            return [f"'{card.name}' is a {card.kind}: biased digits are images."]
        have = {column.name for column in card.columns}
        missing = [factor.name for factor in FACTORS if factor.name not in have]
        if missing:
            what = "the column" if len(missing) == 1 else "the columns"
            return [
                f"'{card.name}' has not {what} {', '.join(missing)}, so its images are no digits that were drawn here. "
                "Choose a data set of biased digits, or another partition."
            ]
        sizes = [tuple(entry["size"]) for entry in card.extra.get("sizes", ())]
        if card.extra.get("channels") != 3 or any(size != (PICTURE, PICTURE) for size in sizes):
            return [
                f"The images of '{card.name}' are not as biased digits are: in colour and of {PICTURE} x {PICTURE} "
                "pixels."
            ]
        return []

    def factors(self, card: DatasetCard) -> tuple[GeneratorFactor, ...]:
        """Return digit colour, background colour and position."""
        return FACTORS

    def own_values(self, images: ImageSet, index: int) -> Values:
        """Return the levels that the image's row names."""
        return np.array([level_in_table(images, index, factor) for factor in FACTORS], dtype=np.float64)

    def generate(self, images: ImageSet, index: int, values: Values) -> NDArray[np.uint8]:
        """Return the image's digit in other colours and at other places, uint8 (n, height, width, 3)."""
        levels = checked_values(values, FACTORS).astype(np.int64)
        digit, background, position = (int(level) for level in self.own_values(images, index))
        pixels = np.moveaxis(images.image(index), 0, -1)
        try:
            opacity = opacity_in_picture(np.rint(pixels * 255).astype(np.uint8), digit, background, position)
        except DataError as error:
            raise DataError(
                f"'{images.names[index]}' is not as its row of the table says: {error.sentence}. Use the pictures and "
                "the table as they were made."
            ) from None
        return draw_digits(opacity, *levels.T)


@dataclass(frozen=True)
class Bias:
    """How often each factor has the class's own value.

    With that probability it has the value that belongs to the class, else one of the *other* values, each as likely
    (``p_bias`` of Shrestha et al. 2021). For ten colours 0.1 is no bias at all, 1 a perfect one. The own colours of
    class k are the k-th, its own place is the k-th as well; there are nine, so the class 9 shares that of 0.

    Parameters
    ----------
    digit_colour, background_colour, position : float
        Probabilities, 0 to 1.
    """

    digit_colour: float
    background_colour: float
    position: float

    def __post_init__(self) -> None:
        for factor in FACTORS:
            p = getattr(self, factor.name)
            if not 0 <= p <= 1:
                raise UserError(f"The bias of '{factor.name}' is a probability between 0 and 1, not {p:g}.")

    @classmethod
    def of(cls, p_corr: float, alone: Mapping[str, float | None] | None = None) -> Bias:
        """Return the same bias for every factor but those in `alone` that have one of their own."""
        own = {name: p for name, p in (alone or {}).items() if p is not None}
        unknown = set(own) - {factor.name for factor in FACTORS}
        if unknown:
            raise UserError(f"There is no factor '{min(unknown)}'. Known: {', '.join(f.name for f in FACTORS)}.")
        return cls(**{factor.name: own.get(factor.name, p_corr) for factor in FACTORS})


# As many images of every value, whatever the class.
NO_BIAS = Bias(*(1 / len(factor.labels) for factor in FACTORS))


@dataclass(frozen=True)
class Part:
    """One split of a data set: which glyphs, how often each is drawn, and how biased."""

    split: str
    glyphs: NDArray[np.int64]
    drawings: int
    bias: Bias


def drawn_levels(labels: NDArray[np.int64], bias: Bias, random: np.random.Generator) -> NDArray[np.int64]:
    """Return levels of the three factors for digits of these classes, shape (n, 3)."""
    columns = []
    for factor in FACTORS:
        count = len(factor.labels)
        own = labels % count
        # Added to the own value, 1 to count - 1 reach each of the others once.
        other = (own + random.integers(1, count, len(labels))) % count
        columns.append(np.where(random.random(len(labels)) < getattr(bias, factor.name), own, other))
    return np.stack(columns, axis=1)


def make_biased_digits(
    folder: Path,
    glyphs: Glyphs,
    parts: tuple[Part, ...],
    *,
    seed: int = 1,
    on_image: Callable[[int], None] | None = None,
) -> Path:
    """Write pictures and the table that names them, which is opened as any other table of images.

    Parameters
    ----------
    folder : Path
        Receives ``00000.png`` and so on, and ``digits.csv`` with the columns path, label (the digit), split,
        digit_colour, background_colour, position (names of levels), and glyph (drawings of one belong together).
    glyphs : Glyphs
    parts : tuple of Part
        Splits in the order of the table.
    seed : int
        At least 1; the same seed gives the same files.
    on_image : callable, optional
        Called with the number of pictures that are written; what it raises ends it.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    UserError
        There is nothing to draw.
    """
    from PIL import Image

    if not any(part.drawings * len(part.glyphs) for part in parts):
        raise UserError("There is no digit to draw. Take at least one glyph and one drawing of each.")
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(_COLUMNS)
    number = 0
    for part in parts:
        places = np.repeat(part.glyphs, part.drawings)
        levels = drawn_levels(glyphs.labels[places], part.bias, random)
        for place, row in zip(places.tolist(), levels, strict=True):
            name = f"{number:05d}.png"
            picture = draw_digits(glyphs.opacity(place), *row[:, None])[0]
            Image.fromarray(picture).save(folder / name)
            told = [factor.labels[level] for factor, level in zip(FACTORS, row.tolist(), strict=True)]
            table.writerow([name, int(glyphs.labels[place]), part.split, *told, f"glyph {place:05d}"])
            number += 1
            if on_image is not None:
                on_image(number)
    path = folder / TABLE
    write_atomically(path, lambda stream: stream.write(lines.getvalue().encode("utf-8")))
    return path
