"""The job that trains a network on images: split by group, live curves, resumable after any epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.progress import Checkpoint
from sensiview.analysis.result import Result
from sensiview.errors import UserError
from sensiview.jobs.course_items import CourseCurves, Inputs, items_of
from sensiview.jobs.course_steps import CourseSteps, chosen, folds_of, going_on, training_facts
from sensiview.jobs.declared_split import declared_split
from sensiview.jobs.inspection_job import write_card
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.task import Task
from sensiview.jobs.training_job import WEIGHTS, output_names, recipe_of
from sensiview.models.card import ModelCard
from sensiview.models.image_settings import ImageSettings, parse_image_settings
from sensiview.models.recipe import FROZEN_FACTOR, TrainingRecipe

if TYPE_CHECKING:
    from torch import nn

    from sensiview.datasets.images import ImageSet
    from sensiview.models.architectures import Architecture
    from sensiview.models.fine_tuning import Start
    from sensiview.models.training_outcome import CourseOutcome


def train_on_images(
    task: Task, device: str, progress: JobProgress, architecture: Architecture
) -> tuple[Result, dict[str, Any]]:
    """Train on a set of images; see `sensiview.jobs.training_job.train`.

    Where the task's model has weights, training starts from them: the card then says in `training` ``from`` (the
    network's name) besides what `sensiview.jobs.course_steps.training_facts` gives.
    """
    from sensiview.datasets.image_opening import open_images
    from sensiview.models.group_splitting import IMAGES, split_groups
    from sensiview.models.image_training import train_images
    from sensiview.models.weights import save_weights

    if task.model is None or task.dataset is None:
        raise UserError("Training needs images and an architecture. Choose both.")
    wanted = task.model.card
    recipe = recipe_of(architecture, task.parameters)
    if recipe.freeze and "learning_rate" not in task.parameters:
        recipe = recipe.model_copy(update={"learning_rate": FROZEN_FACTOR * recipe.learning_rate})
    if foreign := recipe.foreign("images"):
        raise UserError(f"The training setting '{foreign[0]}' is for volumes; '{architecture.key}' learns from images.")
    progress.stage("Reading the images")
    images = open_images(task.dataset)
    labels, classes = images.labels(), tuple(images.card.class_counts)
    folds = folds_of(images.groups, labels, images.card, recipe)
    declared = declared_split(images.card, images.table, recipe)
    if declared.said:
        progress.warn(declared.said)
    named = (chosen(images, recipe.train_rows), chosen(images, recipe.test_rows))
    split = split_groups(
        recipe,
        images.groups,
        labels,
        folds=folds,
        train=declared.train if named[0] is None else named[0],
        test=declared.test if named[1] is None else named[1],
        validation=declared.validation,
        class_names=classes,
        words=IMAGES,
    )
    for sentence in split.notes:
        progress.warn(sentence)
    start = _start(task, architecture, classes)
    settings = _settings(wanted, architecture, recipe, images)
    used = np.concatenate(list(split.parts().values()))
    progress.stage("Reading the images", len(used))
    before = going_on(progress)
    done = len(before[1]["history"]) if before else 0
    curves = CourseCurves(progress, IMAGES, before[1]["history"] if before else ())
    steps = CourseSteps(progress, max(1, recipe.epochs - done) * len(split.train))
    module, outcome = train_images(
        architecture,
        wanted.options,
        recipe,
        images,
        labels,
        split,
        n_classes=len(classes),
        settings=settings,
        seed=task.seed,
        device=device,
        start=start,
        on_read=progress.advance,
        on_step=steps.advance,
        on_epoch=curves.add,
        keep=lambda arrays, values: progress.checkpoint(Checkpoint(arrays, values)),
        restored=before,
    )
    for sentence in outcome.notes:
        progress.warn(sentence)
    progress.stage("Describing the network")
    training = training_facts(outcome, images.card, images.names, recipe, task.seed)
    if start is not None:
        training |= {"from": start.name, "last_layer_only": recipe.freeze}
    card = _card(wanted, architecture, images, module, outcome, training)
    progress.advance(0)
    save_weights(module, task.directory / WEIGHTS)
    write_card(card, task)
    items = items_of(card, recipe, outcome, Inputs(IMAGES, images.names, images.groups, labels, folds), curves)
    # The weights are safe now: what a resumed training needs would only take the same space three times more.
    progress.checkpoint(Checkpoint({}, {"finished": True}))
    parameters = {
        "architecture": architecture.key,
        "options": card.options,
        "recipe": recipe.model_dump(mode="json"),
        "preprocessing": card.preprocessing,
        **({"from": start.name} if start is not None else {}),
    }
    facts = {"epochs": str(len(outcome.history)), "best_epoch": str(outcome.best_epoch)}
    evaluations = len(used) * (len(outcome.history) - done)
    return Result(items, evaluations=evaluations, facts=facts), {"parameters": parameters}


def _settings(wanted: ModelCard, architecture: Architecture, recipe: TrainingRecipe, images: ImageSet) -> ImageSettings:
    """Return the preprocessing: the recipe's, that of the network to start from, or the architecture's own."""
    from sensiview.models.image_training import training_settings

    base = None
    if wanted.preprocessing.get("kind") == "image":
        base = parse_image_settings(wanted.preprocessing, wanted.name)
    channels = int(images.card.extra.get("channels", 3))
    return training_settings(architecture, architecture.parse(wanted.options), recipe, channels, base)


def _start(task: Task, architecture: Architecture, classes: tuple[str, ...]) -> Start | None:
    """Return the trained network to start from, its weights under the names of this architecture."""
    if task.model is None or task.model.weights is None:
        return None
    from sensiview.models.fine_tuning import Start
    from sensiview.models.opening import open_network

    network = open_network(task.model, device="cpu", architectures={architecture.key: architecture})
    name = str(task.model.card.training.get("starts_from") or task.model.card.name)
    return Start(network.module.state_dict(), name, task.model.card.class_names == classes)


def _card(
    wanted: ModelCard,
    architecture: Architecture,
    images: ImageSet,
    module: nn.Module,
    outcome: CourseOutcome,
    training: dict[str, Any],
) -> ModelCard:
    import torch

    from sensiview.models.inspection import describe
    from sensiview.models.network import Network

    classes = tuple(images.card.class_counts)
    emits = architecture.emits_for(len(classes))
    bare = ModelCard(
        name=wanted.name, emits=emits, input_shape=outcome.input_shape, preprocessing=outcome.preprocessing
    )
    network = Network(module, bare, "cpu")
    sample = torch.rand(2, *outcome.input_shape, generator=torch.Generator().manual_seed(0))
    return describe(
        network.module,
        network.preprocess(sample),
        name=wanted.name,
        class_names=classes,
        output_names=output_names(images.card.target or "output", classes, architecture),
        emits=emits,
        architecture=architecture.key,
        options=architecture.parse(wanted.options).model_dump(mode="json"),
        preprocessing=outcome.preprocessing,
        accuracy=outcome.accuracy(),
        notes=outcome.notes,
        training=training,
    )
