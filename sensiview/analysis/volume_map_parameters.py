"""What the cards of a cohort and a 3-D network say about maps of volumes. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from sensiview.analysis.study import Study
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.selecting import selection_parts
from sensiview.errors import UserError, suggestion

Subjects = str | int | list[str | int]


def volume_obstacles(study: Study) -> list[str]:
    """Return why a network and volumes don't go together at all."""
    card = study.model
    if card is None or study.dataset is None or study.dataset.kind != "volumes":
        return []
    if card.input_shape and len(card.input_shape) != 4:
        return [
            f"The network '{card.name}' takes inputs of shape {card.input_shape}, not volumes (channels and three "
            "axes). Choose a 3-D network."
        ]
    shape, wanted = study.dataset.extra.get("shape"), card.input_shape[1:]
    settings = card.preprocessing
    sized = settings.get("kind") == "volume" and not settings.get("fit")
    # Turning changes the order of the axes, nothing else.
    if sized and shape and wanted and sorted(shape) != sorted(wanted):
        return [
            f"The network '{card.name}' takes volumes of {times(wanted)} voxels, those of '{study.dataset.name}' "
            f"have {times(shape)}. Resample them, or set 'fit' in the network's preprocessing."
        ]
    return []


def subject_count(dataset: DatasetCard, wanted: str | Sequence[int | str]) -> int:
    """Return how many volumes a selection takes, as far as the card tells; all where it does not.

    Raises
    ------
    UserError
        It names what is not there.
    """
    extra, n = dataset.extra, dataset.n_rows
    names, subjects = list(extra.get("names", ())), list(extra.get("subjects", ()))
    classes = (f"{dataset.target}={name}" for name in dataset.class_counts)
    places: set[int] = set()
    for part in selection_parts(wanted, chain(names, subjects, classes)):
        if isinstance(part, int):
            places.add(_place(part, dataset))
        elif part.lower() == "all":
            return n
        elif part in names or part in subjects:
            places |= {i for i, pair in enumerate(zip(names, subjects, strict=False)) if part in pair}
        elif "=" in part:
            column, _, value = part.partition("=")
            known = [c.name for c in dataset.columns]
            if known and column not in known:
                raise UserError(f"There is no column '{column}'.{suggestion(column, known)}")
            if column != dataset.target:
                return n
            if value not in dataset.class_counts:
                raise UserError(f"No volume has {column}={value}.{suggestion(value, list(dataset.class_counts))}")
            # Which ones they are is not on the card, and how many is enough.
            places |= {n + i for i in range(dataset.class_counts[value])}
        elif part:
            first, dash, last = part.partition("-")
            if first.isdecimal() and (not dash or last.isdecimal()):
                low, high = _place(int(first), dataset), _place(int(last or first), dataset)
                if low > high:
                    raise UserError(f"The range {part} runs backwards. Write {high}-{low}.")
                places |= set(range(low, high + 1))
            elif names:
                raise UserError(f"There is no volume or subject '{part}'.{suggestion(part, names)}")
            else:
                return n
    if not places:
        raise UserError("No volume is chosen. Write 'all', numbers such as 0-4, or names.")
    return min(len(places), n) or 1


def _place(number: int, dataset: DatasetCard) -> int:
    if dataset.n_rows and not 0 <= number < dataset.n_rows:
        raise UserError(
            f"There is no volume {number}: '{dataset.name}' has {dataset.n_rows}, 0 to {dataset.n_rows - 1}."
        )
    return number


def card_shape(dataset: DatasetCard | None) -> tuple[int, ...]:
    """Return the volumes' shape, of the most frequent grid where they differ; () where the card says none."""
    if dataset is None:
        return ()
    shape = dataset.extra.get("shape")
    if not shape and (grids := dataset.extra.get("grids")):
        shape = max(grids, key=lambda grid: grid.get("count", 0)).get("shape")
    return tuple(int(n) for n in shape or ())


def card_spacing(dataset: DatasetCard | None) -> tuple[float, ...]:
    """Return the distance of voxels in mm along i, j, k; 1 where the card says none."""
    if dataset is None:
        return (1.0, 1.0, 1.0)
    if spacing := dataset.extra.get("spacing"):
        return tuple(float(s) for s in spacing)
    if affine := dataset.extra.get("affine"):
        return tuple(float(s) for s in np.sqrt((np.asarray(affine, dtype=np.float64)[:3, :3] ** 2).sum(axis=0)))
    return (1.0, 1.0, 1.0)


def times(shape: Sequence[int]) -> str:
    """Return ``48 x 64 x 48``."""
    return " x ".join(map(str, shape))
