"""From a study and its parameters to a problem whose masks can be sought: shared by the analyses of masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.contract import Cost
from sensiview.analysis.items import Array
from sensiview.analysis.mask_parameters import MaskParameters
from sensiview.analysis.mask_region import allowed_voxels
from sensiview.analysis.progress import Progress
from sensiview.analysis.study import Study
from sensiview.errors import DataError, SensiViewError, UserError
from sensiview.models.outputs import parse_target
from sensiview.numerics.mask_cost import batch_rows, peak_bytes
from sensiview.numerics.mask_fills import Fill
from sensiview.numerics.mask_subjects import CONTROLS, choose_subjects, control_name, count_subjects

if TYPE_CHECKING:
    from sensiview.datasets.atlas import Atlas
    from sensiview.datasets.volume import Grid
    from sensiview.datasets.volumes import VolumeSet
    from sensiview.models.outputs import Target
    from sensiview.numerics.mask_descent import Schedule
    from sensiview.numerics.mask_grid import MaskGrid
    from sensiview.numerics.mask_problem import MaskProblem
    from sensiview.numerics.volume_inputs import VolumeInputs

_NO_ATLAS = "none"
# What reading and unpacking a volume takes, to say how long a run lasts.
_SECONDS_PER_MEGAVOXEL = 0.03


@dataclass(frozen=True, eq=False)
class MaskStudy:
    """Everything that is opened: problem, grids of the mask, volumes, and the atlas if there is one."""

    problem: MaskProblem
    grids: tuple[MaskGrid, ...]
    volumes: VolumeSet
    grid: Grid
    atlas: Atlas | None
    labels: Array | None

    @property
    def names(self) -> list[str]:
        """The volumes' names, in order."""
        return [self.volumes.names[i] for i in self.problem.rows.indices]

    @property
    def targets(self) -> list[str]:
        """The class whose score each mask lowers."""
        return [target.label for target in self.problem.targets]


def schedule_of(parameters: MaskParameters) -> Schedule:
    """Return how masks are sought."""
    from sensiview.numerics.mask_descent import Schedule

    return Schedule(
        steps=parameters.steps,
        learning_rate=parameters.learning_rate,
        tolerance=parameters.tolerance,
        start=parameters.start,
        coarse_levels=parameters.coarse_to_fine,
    )


def mask_obstacles(study: Study) -> list[str]:
    """Return what is missing besides what the contract asks: a network of volumes of the data's size."""
    found = []
    model, data = study.model, study.dataset
    if model is not None and model.input_shape and len(model.input_shape) != 4:
        found.append(
            f"The model '{model.name}' does not take volumes: its inputs have the shape {tuple(model.input_shape)}. "
            "Choose a 3-D network."
        )
    elif model is not None and data is not None and data.kind == "volumes":
        shape, wanted = data.extra.get("shape"), tuple(model.input_shape[1:])
        fitted = model.preprocessing.get("fit") is not None
        turned = model.preprocessing.get("orientation") is not None
        same = not shape or (sorted(shape) == sorted(wanted) if turned else tuple(shape) == wanted)
        if wanted and not fitted and not same and model.preprocessing.get("kind") == "volume":
            found.append(
                f"The input size does not fit: '{model.name}' takes volumes of {_by(wanted)} voxels, those of "
                f"'{data.name}' have {_by(shape)}. Resample them, or choose another model."
            )
    return found


def mask_problems(study: Study, parameters: MaskParameters) -> list[str]:
    """Return sentences about subjects, classes and fill that the cards alone show not to fit."""
    found: list[str] = []
    card, model = study.dataset, study.model
    if study.seed < 1:
        found.append(f"The seed is {study.seed}; it must be at least 1.")
    if card is None or card.kind != "volumes":
        return found
    fill = Fill.parse(parameters.fill)
    try:
        count_subjects(card, parameters.subjects, parameters.controls)
        if fill.kind == "controls":
            control_name(card, parameters.controls)
        if parameters.target == "true" and (card.target is None or not card.class_counts):
            raise UserError(
                f"'{card.name}' has no classes, so the subjects' own class is not known. Choose the column that holds "
                "the diagnosis, or name the class whose score the mask is to lower."
            )
        if model is not None and parameters.target not in ("true", "predicted"):
            parse_target(parameters.target, model)
    except UserError as error:
        found.append(error.sentence)
    if parameters.region_of_interest.strip().lower() == "atlas" and parameters.atlas.strip().lower() == _NO_ATLAS:
        found.append("Only voxels inside the atlas's regions may be masked, but no atlas is to be used. Choose one.")
    return found


def mask_cost(study: Study, parameters: MaskParameters, cells: int) -> Cost:
    """Return inputs through the network at most, and the peak memory, from the cards alone."""
    card, model = study.dataset, study.model
    if card is None or model is None or card.kind != "volumes":
        return Cost(0, 0)
    try:
        subjects = count_subjects(card, parameters.subjects, parameters.controls)
        fill = Fill.parse(parameters.fill)
    except SensiViewError:
        return Cost(0, 0)
    shape = tuple(card.extra.get("shape") or model.input_shape[1:])
    if len(shape) != 3:
        return Cost(0, 0)
    batch = study.batch_size if parameters.batch_size == "auto" else parameters.batch_size
    per_subject = 1 + cells * (parameters.steps + 1) + (parameters.target == "predicted")
    return Cost(
        subjects * per_subject,
        peak_bytes(
            model,
            shape,
            subjects=subjects,
            shared=parameters.group,
            batch=batch,
            fill_per_input=fill.per_input,
            masks=cells * (1 if parameters.group else subjects),
        ),
        note="Each with a backward pass, which takes about as long again. At most; masks may be finished earlier.",
        other_seconds=subjects * math.prod(shape) / 1e6 * _SECONDS_PER_MEGAVOXEL,
    )


def open_masks(
    study: Study, parameters: MaskParameters, progress: Progress, on_batch: Callable[[int], None]
) -> MaskStudy:
    """Open data, network and atlas, read every input once, and check what only the files can show.

    Raises
    ------
    UserError
        Nothing to mask, subjects of other classes only, different grids, a black volume, a wrong name.
    """
    from sensiview.numerics.mask_grid import MaskGrid, spacing_factors
    from sensiview.numerics.mask_problem import MaskProblem
    from sensiview.numerics.mask_rows import MaskRows, region_of
    from sensiview.numerics.volume_inputs import VolumeInputs

    progress.stage("Opening data and model")
    volumes, network = study.volumes(), study.network()
    for sentence in network.notices:
        progress.warn(sentence)
    inputs = VolumeInputs(network, volumes)
    indices = [int(i) for i in choose_subjects(volumes, parameters.subjects, parameters.controls)]
    grid = volumes.grid(indices)
    targets = _targets(inputs, indices, parameters)
    fill = Fill.parse(parameters.fill)
    controls = []
    if fill.kind == "controls":
        controls = [int(i) for i in choose_subjects(volumes, CONTROLS, parameters.controls)]
    progress.stage("Reading the volumes")
    rows = MaskRows(
        inputs,
        indices,
        fill,
        shared=parameters.group,
        controls=controls,
        sigma_mm=parameters.blur_sigma,
        tick=lambda: progress.advance(0),
    )
    for sentence in rows.notices:
        progress.warn(sentence)
    example = np.nan_to_num(volumes.volume(indices[0]).values())
    atlas, labels = atlas_labels(study, parameters.atlas, grid, example, progress)
    allowed = allowed_voxels(parameters.region_of_interest, atlas, labels, grid, example)
    seen = np.ones((len(rows.seen), *grid.shape), dtype=np.bool_) if _everything(parameters) else rows.seen
    region = region_of(seen, allowed, [volumes.names[i] for i in indices])
    wanted = study.batch_size if parameters.batch_size == "auto" else parameters.batch_size
    problem = MaskProblem(
        inputs,
        rows,
        targets,
        region,
        parameters.objective,
        enough=parameters.enough,
        batch_size=min(len(indices), wanted or batch_rows(network.card, math.prod(grid.shape), len(indices))),
        on_batch=on_batch,
        warn=progress.warn,
    )
    factors = spacing_factors(parameters.grid_spacing, parameters.grid_unit, grid.spacing)
    grids = [
        MaskGrid(grid.shape, [f * 2**level for f in factors], network.device)
        for level in range(parameters.coarse_to_fine, -1, -1)
    ]
    return MaskStudy(problem, tuple(grids), volumes, grid, atlas, labels)


def _everything(parameters: MaskParameters) -> bool:
    return parameters.region_of_interest.strip().lower() == "all"


def _targets(inputs: VolumeInputs, indices: Sequence[int], parameters: MaskParameters) -> list[Target]:
    """Return whose score is lowered for each subject, after checking that the subjects can have it."""
    volumes, wanted = inputs.volumes, parameters.target
    card = volumes.card
    has_labels = card.target is not None and bool(card.class_counts)
    labels = volumes.labels(indices) if has_labels else np.full(len(indices), -1)
    if wanted == "true" and (labels < 0).any():
        name = volumes.names[indices[int(np.flatnonzero(labels < 0)[0])]]
        raise UserError(
            f"'{name}' has no label, so its own class is not known. Leave it out of the subjects, or name the class "
            "whose score the mask is to lower."
        )
    targets = inputs.targets(wanted, indices)
    if wanted not in ("true", "predicted") and has_labels and (labels >= 0).any():
        names = [list(card.class_counts)[code] for code in labels if code >= 0]
        if targets[0].label in card.class_counts and targets[0].label not in names:
            raise UserError(
                f"None of the chosen subjects is of the class '{targets[0].label}', whose score the mask is to lower: "
                f"they are all '{names[0]}'. Choose other subjects, or the target 'true'."
                if len(set(names)) == 1
                else f"None of the chosen subjects is of the class '{targets[0].label}', whose score the mask is to "
                f"lower: they are {', '.join(sorted(set(names)))}. Choose other subjects, or the target 'true'."
            )
    return targets


def atlas_labels(
    study: Study, wanted: str, grid: Grid, data: Array | None, progress: Progress
) -> tuple[Atlas | None, Array | None]:
    """Return the atlas that a parameter means and its labels (i, j, k) on a grid, or none with a warning."""
    if wanted.strip().lower() == _NO_ATLAS:
        return None, None
    from sensiview.datasets.atlas import atlas_for

    try:
        found = atlas_for(wanted, study.dataset, grid, data)
    except DataError as error:
        progress.warn(f"{error.sentence} There is no table of regions.")
        return None, None
    if found is None:
        return None, None
    atlas, labels, said = found
    for sentence in said:
        progress.warn(sentence)
    return atlas, labels


def _by(shape: Any) -> str:
    return " x ".join(str(int(n)) for n in shape)
