"""The job that trains a network on volumes: folds by subject, live curves, resumable after any epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.analysis.progress import Checkpoint
from sensiview.analysis.result import Result
from sensiview.datasets.orientation import orientation
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import UserError
from sensiview.jobs.course_items import CourseCurves, Inputs, items_of
from sensiview.jobs.course_steps import CourseSteps, chosen, folds_of, going_on, training_facts
from sensiview.jobs.inspection_job import write_card
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.task import Task
from sensiview.jobs.training_job import WEIGHTS, output_names, recipe_of
from sensiview.models.card import ModelCard
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.volume_settings import VolumeSettings, parse_settings

if TYPE_CHECKING:
    from torch import nn

    from sensiview.models.architectures import Architecture
    from sensiview.models.training_outcome import CourseOutcome

# Values of maps such as grey matter lie in 0 to 1; interpolation overshoots a little.
_MAP_LOW, _MAP_HIGH = -0.05, 1.05
_LOOKED_AT = 8


def train_on_volumes(
    task: Task, device: str, progress: JobProgress, architecture: Architecture
) -> tuple[Result, dict[str, Any]]:
    """Train on a cohort; see `sensiview.jobs.training_job.train`.

    The model's card says in `training` what it was trained and tested on: ``dataset``, ``folds``, ``fold``, ``run``,
    ``seed``, ``split_seed``, ``train``, ``validation`` and ``test`` (names of volumes), ``balanced_accuracy`` (of the
    test volumes, None without).
    """
    from sensiview.datasets.volume_opening import open_volumes
    from sensiview.models.group_splitting import VOLUMES, split_groups
    from sensiview.models.volume_training import train_volumes
    from sensiview.models.weights import save_weights

    if task.model is None or task.dataset is None:
        raise UserError("Training needs volumes and an architecture. Choose both.")
    wanted = task.model.card
    recipe = recipe_of(architecture, task.parameters)
    if foreign := recipe.foreign("volumes"):
        raise UserError(f"The training setting '{foreign[0]}' is for images; '{architecture.key}' learns from volumes.")
    progress.stage("Reading the volumes")
    volumes = open_volumes(task.dataset)
    labels, classes = volumes.labels(), tuple(volumes.card.class_counts)
    folds = folds_of(volumes.subjects, labels, volumes.card, recipe)
    split = split_groups(
        recipe,
        volumes.subjects,
        labels,
        folds=folds,
        train=chosen(volumes, recipe.train_rows),
        test=chosen(volumes, recipe.test_rows),
        class_names=classes,
    )
    for sentence in split.notes:
        progress.warn(sentence)
    used = np.concatenate(list(split.parts().values()))
    settings = settings_of(wanted, recipe, volumes, split.train)
    progress.stage("Reading the volumes", len(used))
    before = going_on(progress)
    done = len(before[1]["history"]) if before else 0
    curves = CourseCurves(progress, VOLUMES, before[1]["history"] if before else ())
    steps = CourseSteps(progress, max(1, recipe.epochs - done) * len(split.train))
    module, outcome = train_volumes(
        architecture,
        wanted.options,
        recipe,
        _Cohort(volumes),
        labels,
        split,
        n_classes=len(classes),
        settings=settings,
        seed=task.seed,
        device=device,
        on_read=progress.advance,
        on_step=steps.advance,
        on_epoch=curves.add,
        keep=lambda arrays, values: progress.checkpoint(Checkpoint(arrays, values)),
        restored=before,
    )
    for sentence in outcome.notes:
        progress.warn(sentence)
    progress.stage("Describing the network")
    card = _card(wanted, architecture, volumes, module, outcome, recipe, task)
    progress.advance(0)
    save_weights(module, task.directory / WEIGHTS)
    write_card(card, task)
    inputs = Inputs(VOLUMES, volumes.names, volumes.subjects, labels, folds)
    items = items_of(card, recipe, outcome, inputs, curves)
    # The weights are safe now: what a resumed training needs would only take the same space three times more.
    progress.checkpoint(Checkpoint({}, {"finished": True}))
    parameters = {
        "architecture": architecture.key,
        "options": card.options,
        "recipe": recipe.model_dump(mode="json"),
    }
    facts = {"epochs": str(len(outcome.history)), "best_epoch": str(outcome.best_epoch)}
    evaluations = len(used) * (len(outcome.history) - done)
    return Result(items, evaluations=evaluations, facts=facts), {"parameters": parameters}


def settings_of(
    wanted: ModelCard, recipe: TrainingRecipe, volumes: VolumeSet, train: npt.NDArray[np.int64]
) -> VolumeSettings:
    """Return the preprocessing that becomes part of the model: the card's own, or what the recipe and the data say."""
    if wanted.preprocessing.get("kind") == "volume":
        return parse_settings(wanted.preprocessing, wanted.name)
    intensity = recipe.intensity
    if intensity == "auto":
        intensity = "none" if _is_map(volumes, train) else "percentile"
    codes = orientation(volumes.entries[int(train[0])].grid.affine)
    fit = (recipe.fit[0], recipe.fit[1], recipe.fit[2]) if recipe.fit else None
    return VolumeSettings(
        intensity=intensity,
        clip=1.5 if intensity == "percentile" else None,
        fit=fit,
        orientation=None if "?" in codes else codes,
    )


def _is_map(volumes: VolumeSet, train: npt.NDArray[np.int64]) -> bool:
    """Say whether the volumes hold shares, such as grey-matter maps, rather than intensities of a scanner."""
    known = volumes.card.extra.get("statistics", {})
    low, high = known.get("min"), known.get("max")
    if low is None or high is None:
        looked_at = [_Cohort(volumes).read(int(index))[0] for index in train[:_LOOKED_AT]]
        low, high = min(float(v.min()) for v in looked_at), max(float(v.max()) for v in looked_at)
    return bool(low >= _MAP_LOW and high <= _MAP_HIGH)


class _Cohort:
    """A `VolumeSet` as training reads it: one volume at a time, each on its own grid."""

    def __init__(self, volumes: VolumeSet) -> None:
        self._volumes = volumes

    def __len__(self) -> int:
        return len(self._volumes)

    def read(self, index: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        return self._volumes.batch([index])[0, 0], self._volumes.entries[index].grid.affine


def _card(
    wanted: ModelCard,
    architecture: Architecture,
    volumes: VolumeSet,
    module: nn.Module,
    outcome: CourseOutcome,
    recipe: TrainingRecipe,
    task: Task,
) -> ModelCard:
    import torch

    from sensiview.models.inspection import describe
    from sensiview.models.network import Network

    classes = tuple(volumes.card.class_counts)
    emits = architecture.emits_for(len(classes))
    bare = ModelCard(name=wanted.name, emits=emits, input_shape=outcome.input_shape)
    network = Network(module, bare.model_copy(update={"preprocessing": outcome.preprocessing}), "cpu")
    values, affine = _Cohort(volumes).read(int(outcome.split.train[0]))
    rows = network.preprocess(torch.from_numpy(values)[None, None].expand(2, -1, -1, -1, -1), None, affine)
    return describe(
        network.module,
        rows,
        name=wanted.name,
        class_names=classes,
        output_names=output_names(volumes.card.target or "output", classes, architecture),
        emits=emits,
        architecture=architecture.key,
        options=architecture.parse(wanted.options).model_dump(mode="json"),
        preprocessing=outcome.preprocessing,
        accuracy=outcome.accuracy(),
        notes=outcome.notes,
        training=training_facts(outcome, volumes.card, volumes.names, recipe, task.seed),
    )
