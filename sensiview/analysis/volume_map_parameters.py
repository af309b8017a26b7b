"""What every map of volumes asks for, and what can be said about it from the cards alone. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import field_validator

from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.study import Study
from sensiview.datasets.card import DatasetCard
from sensiview.errors import UserError, suggestion
from sensiview.models.card import ModelCard
from sensiview.models.outputs import parse_target

Targets = str | int | list[str | int]
Subjects = str | int | list[str | int]
# More than this of single maps is kept by nobody's machine for a look.
MOST_MAP_BYTES = 4 << 30
_WORDS = ("true", "predicted")


class VolumeParameters(Parameters):
    """Which volumes, which class, and how they go through the network."""

    target: Targets = parameter(
        "predicted",
        label="Class",
        help="Whose score is explained: predicted, true (each volume's own), a class, a list of classes, or all.",
        suggestions="classes",
    )
    subjects: Subjects = parameter(
        "all",
        label="Subjects",
        help="Which volumes: all, numbers such as 0-4, names, or column=value such as diagnosis=AD.",
    )
    atlas: str = parameter(
        "",
        label="Atlas",
        help="For the table of regions: a bundled name, a label file, none, or empty for the data's own.",
    )
    output: Literal["auto", "logit", "probability", "log_odds"] = parameter(
        "auto",
        label="Score",
        help="What the map explains; auto takes the logit for gradients and the probability for differences.",
        advanced=True,
    )
    batch_size: int | Literal["auto"] = parameter(
        "auto", label="Batch size", help="Volumes per forward pass; auto takes what fits into memory.", advanced=True
    )

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value

    def rows_at_once(self, study: Study) -> int | None:
        """Return the batch size asked for, None when it is to be probed."""
        return self.batch_size if isinstance(self.batch_size, int) else study.batch_size

    def chosen(self) -> str | list[int | str]:
        """Return the subjects as `VolumeSet.select` takes them."""
        if isinstance(self.subjects, int):
            return [self.subjects]
        return self.subjects if isinstance(self.subjects, str) else list(self.subjects)


class VolumeMapParameters(VolumeParameters):
    """What every map of volumes asks for."""

    average: bool = parameter(
        False, label="Average", help="Also give the mean map over the subjects and its spread, on one common grid."
    )


# From the cards ---------------------------------------------------------------------------------------------------


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


def volume_problems(study: Study, parameters: VolumeMapParameters) -> list[str]:
    """Return sentences about subjects, classes and memory that don't fit the cards."""
    if study.dataset is None or study.model is None:
        return []
    if found := selection_problems(study, parameters):
        return found
    count = subject_count(study.dataset, parameters.chosen())
    targets = target_count(study.dataset, study.model, parameters.target)
    size = 4 * count * targets * voxel_count(study.dataset)
    if size > MOST_MAP_BYTES and not parameters.average:
        return [f"{count:,} maps would take {size / 2**30:.0f} GB. Choose fewer subjects, or the average over them."]
    return []


def selection_problems(study: Study, parameters: VolumeParameters) -> list[str]:
    """Return sentences about subjects and classes that don't fit the cards."""
    found: list[str] = []
    if study.dataset is None or study.model is None:
        return found
    try:
        subject_count(study.dataset, parameters.chosen())
    except UserError as error:
        found.append(error.sentence)
    try:
        target_count(study.dataset, study.model, parameters.target)
    except UserError as error:
        found.append(error.sentence)
    return found


def target_count(dataset: DatasetCard, model: ModelCard, target: Targets) -> int:
    """Return how many scores are explained per volume.

    Raises
    ------
    UserError
        There is no such class, or no column of classes for ``true``.
    """
    if target not in _WORDS:
        return len(parse_target(target, model))
    if target == "true":
        if dataset.target is None or not dataset.class_counts:
            raise UserError(
                f"'{dataset.name}' has no classes, so there is no true one. Choose the column that holds them, or "
                "explain the predicted class."
            )
        for name in dataset.class_counts:
            parse_target(name, model)
    return 1


def subject_count(dataset: DatasetCard, wanted: str | Sequence[int | str]) -> int:
    """Return how many volumes a selection takes, as far as the card tells; all where it does not.

    Raises
    ------
    UserError
        It names what is not there.
    """
    extra, n = dataset.extra, dataset.n_rows
    names, subjects = list(extra.get("names", ())), list(extra.get("subjects", ()))
    parts = [p.strip() for p in wanted.split(",")] if isinstance(wanted, str) else list(wanted)
    places: set[int] = set()
    for part in parts:
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


def voxel_count(dataset: DatasetCard | None) -> int:
    """Return the voxels of one volume; 1 where the card does not say."""
    return int(np.prod(card_shape(dataset), dtype=np.int64)) if card_shape(dataset) else 1


def map_bytes(study: Study, parameters: VolumeMapParameters) -> int:
    """Return the memory of the maps: each one, and the sums of the average."""
    if study.dataset is None or study.model is None:
        return 0
    try:
        count = subject_count(study.dataset, parameters.chosen())
        targets = target_count(study.dataset, study.model, parameters.target)
    except UserError:
        return 0
    one = targets * voxel_count(study.dataset)
    kept = 2 * 4 * count * one if 4 * count * one <= MOST_MAP_BYTES else 0
    return kept + (40 * one if parameters.average else 0)


def times(shape: Sequence[int]) -> str:
    """Return ``48 x 64 x 48``."""
    return " x ".join(map(str, shape))
