"""Training a network on volumes, the same numbers for the same seed, also after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from sensiview.models import devices
from sensiview.models.architectures import Architecture, Sizes
from sensiview.models.course_epoch import CourseEpoch
from sensiview.models.group_splitting import GroupSplit
from sensiview.models.losses import objective_for
from sensiview.models.opening import build
from sensiview.models.preprocessing import Preprocessing
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.resumable_course import Arrays, Keep
from sensiview.models.splitting import Rows
from sensiview.models.state import full_precision
from sensiview.models.training import seeded
from sensiview.models.training_outcome import CourseOutcome, outcome_of, repeatable
from sensiview.models.volume_course import VolumeCourse
from sensiview.models.volume_settings import VolumeSettings
from sensiview.models.volume_store import VolumeSource, VolumeStore


def train_volumes(
    architecture: Architecture,
    options: Mapping[str, Any],
    recipe: TrainingRecipe,
    source: VolumeSource,
    labels: Rows,
    split: GroupSplit,
    *,
    n_classes: int,
    settings: VolumeSettings,
    seed: int = 1,
    device: str | torch.device = "cpu",
    on_read: Callable[[int], None] | None = None,
    on_step: Callable[[int], None] | None = None,
    on_epoch: Callable[[CourseEpoch], None] | None = None,
    keep: Keep | None = None,
    restored: tuple[Arrays, Mapping[str, Any]] | None = None,
) -> tuple[nn.Module, CourseOutcome]:
    """Build a network for these volumes, with weights drawn by `seed`, and train it.

    The same seed gives the same weights on the same machine and device; the global random state is as before
    afterwards.

    Parameters
    ----------
    architecture, options : Architecture and mapping
        What is built.
    recipe : TrainingRecipe
    source : VolumeSource
        The cohort.
    labels : ndarray
        Class of every volume, shape (n,), -1 where missing.
    split : GroupSplit
        Of `split_groups`.
    n_classes : int
    settings : VolumeSettings
        Preprocessing, which becomes part of the model.
    seed : int
        Of the weights, the order of the volumes, dropout and augmentation.
    on_read, on_step, on_epoch : callable, optional
        Called with 1 after each volume read before training begins, with the number of volumes after each step, and
        with each epoch. What they raise (`Stopped`) comes through.
    keep : callable, optional
        Takes arrays and plain values after each epoch, to go on from.
    restored : tuple, optional
        What `keep` took last: training goes on from there.

    Raises
    ------
    UserError
        The loss or the class weights do not fit the classes.
    ModelError
        The volumes differ in size, do not fit the network, or the loss became NaN.
    """
    place = devices.resolve(device)
    preprocessing = Preprocessing(settings.to_card(), (), "being trained")
    store = VolumeStore(source, preprocessing)
    used = np.concatenate(list(split.parts().values()))
    for index in used:
        # Reading stops where memory is full; what is left is read when it is needed.
        before = store.kept
        store.one(int(index))
        if on_read is not None:
            on_read(1)
        if store.kept == before:
            break
    input_shape = tuple(store.one(int(used[0])).shape[1:])
    sizes = Sizes(input_shape, architecture.n_outputs(n_classes))
    module = build(architecture, architecture.parse(options), sizes, seed=seed)
    with seeded(place, seed), full_precision(place), repeatable(place):
        module.to(device=place, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
        target = torch.from_numpy(labels[split.train])
        like = next(module.parameters())
        objective = objective_for(recipe, architecture.emits_for(n_classes), sizes.n_outputs, target, n_classes, like)
        course = VolumeCourse(
            module, recipe, store, labels, split, objective,
            seed=seed, left_right=_left_right(source, settings, int(used[0])), on_step=on_step,
        )  # fmt: skip
        if restored is not None:
            course.restore(*restored)
        try:
            course.run(on_epoch, keep)
            outcome = outcome_of(course, settings.to_card(), input_shape)
        finally:
            for layer in module.modules():
                layer.training = False
            module.to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return module, outcome


def _left_right(source: VolumeSource, settings: VolumeSettings, index: int) -> int:
    """Return the axis of prepared volumes along which left and right lie."""
    if settings.orientation is not None:
        return next(axis for axis, code in enumerate(settings.orientation) if code in "LR")
    _, affine = source.read(index)
    return int(np.abs(affine[0, :3]).argmax())
