"""Where activation maximisation begins: which image, for which target, in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sensiview.analysis.activation_parameters import ActivationParameters
from sensiview.errors import UserError
from sensiview.numerics.activation_aims import Aim

if TYPE_CHECKING:
    from sensiview.datasets.images import ImageSet

NOISE = "noise"


@dataclass(frozen=True)
class Starts:
    """One row per picture, start by start and within it target by target.

    Parameters
    ----------
    indices : tuple of int
        Place of the image that each row begins with; -1 for noise.
    aims : tuple of Aim
        Of each row.
    names : tuple of str
        Of the starts: as many as there are blocks of rows.
    targets : tuple of str
        Names of the targets, one block of rows.
    sentences : tuple of str
        What was left out.
    """

    indices: tuple[int, ...]
    aims: tuple[Aim, ...]
    names: tuple[str, ...]
    targets: tuple[str, ...]
    sentences: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        """Whether there is more than one start for each target."""
        return len(self.names) > 1

    def start_of(self, row: int, images: ImageSet) -> str:
        """Return the name of the image that a row begins with, or ``noise``."""
        return images.names[self.indices[row]] if self.indices[row] >= 0 else NOISE

    def label(self, row: int) -> str:
        """Return a name for the picture of a row."""
        target = self.targets[row % len(self.targets)]
        return f"{self.names[row // len(self.targets)]} → {target}" if self.several else target


def choose_starts(images: ImageSet, aims: Sequence[Aim], parameters: ActivationParameters) -> Starts:
    """Return what each picture begins with.

    Raises
    ------
    UserError
        There is no image of a class that one is wanted of.
    """
    targets = tuple(aim.label for aim in aims)
    if parameters.start == "noise":
        return Starts((-1,) * len(aims), tuple(aims), (NOISE,), targets)
    places = images.select(parameters.selection())
    if parameters.start == "image":
        chosen = [int(place) for place in (places[:1] if parameters.images == "" else places)]
        return _product(chosen, [images.names[place] for place in chosen], aims, targets)
    first = _first_of_each(images, places)
    if parameters.start == "cross":
        lacking = [name for name in images.card.class_counts if name not in first]
        said = (f"No image of {', '.join(lacking)} is among the chosen ones; those starts are left out.",)
        return _product(list(first.values()), list(first), aims, targets, said if lacking else ())
    own = parameters.start == "own_class"
    indices = [_own(first, label) if own else _other(first, label) for label in targets]
    return Starts(tuple(indices), tuple(aims), ("own class" if own else "another class",), targets)


def _product(
    places: list[int], names: list[str], aims: Sequence[Aim], targets: tuple[str, ...], said: tuple[str, ...] = ()
) -> Starts:
    if not places:
        raise UserError("None of the chosen images has a class. Choose others, or start from noise.")
    indices = tuple(int(n) for n in np.repeat(places, len(aims)))
    return Starts(indices, tuple(aims) * len(places), tuple(names), targets, said)


def _first_of_each(images: ImageSet, places: npt.NDArray[np.int64]) -> dict[str, int]:
    """Return the first chosen image of each class, in the order of the classes."""
    names = list(images.card.class_counts)
    found: dict[int, int] = {}
    for place, code in zip(places, images.labels(places), strict=True):
        if code >= 0:
            found.setdefault(int(code), int(place))
    return {names[code]: found[code] for code in sorted(found)}


def _own(first: dict[str, int], label: str) -> int:
    if label not in first:
        raise UserError(f"No image of the class '{label}' is among the chosen ones. Choose others, or another start.")
    return first[label]


def _other(first: dict[str, int], label: str) -> int:
    """Return the image of the class after `label`, from the first one again behind the last."""
    names = [name for name in first if name != label]
    if not names:
        raise UserError(f"Every chosen image is of the class '{label}'; there is no other to start from.")
    known = list(first)
    if label not in known:
        return first[names[0]]
    return first[known[(known.index(label) + 1) % len(known)]]
