"""Training a network on volumes, the same numbers for the same seed, also after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from sensiview.models import devices
from sensiview.models.architectures import Architecture, Sizes
from sensiview.models.class_scores import Floats, area_under_curve, balanced_accuracy, confusion, predicted
from sensiview.models.losses import objective_for
from sensiview.models.opening import build
from sensiview.models.preprocessing import Preprocessing
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.splitting import Rows
from sensiview.models.state import full_precision
from sensiview.models.subject_splitting import VolumeSplit
from sensiview.models.training import seeded
from sensiview.models.volume_course import Arrays, Keep, VolumeCourse, VolumeEpoch
from sensiview.models.volume_settings import VolumeSettings
from sensiview.models.volume_store import VolumeSource, VolumeStore


@dataclass(frozen=True)
class PartScores:
    """How the final weights do on one part, in eval mode, without augmentation.

    `auc` is of the second of two classes, NaN for more; `table` counts true classes (rows) by predicted ones.
    """

    loss: float
    accuracy: float
    balanced_accuracy: float
    auc: float
    table: Rows


@dataclass(frozen=True)
class VolumeOutcome:
    """What a training on volumes gave.

    Parameters
    ----------
    history : tuple of VolumeEpoch
    preprocessing : dict
        For the model's card.
    input_shape : tuple of int
        (channels, i, j, k) that the network takes.
    scores : dict of PartScores
        By ``train``, ``validation``, ``test``; of the final weights.
    probabilities : dict
        By part: ndarray (n, classes) in the order of the part's places.
    best_epoch : int
        With the smallest loss of the validation (else test) volumes, from 1; its weights are kept where the recipe
        stops early.
    split : VolumeSplit
    notes : tuple of str
    """

    history: tuple[VolumeEpoch, ...]
    preprocessing: dict[str, Any]
    input_shape: tuple[int, ...]
    scores: dict[str, PartScores]
    probabilities: dict[str, Floats]
    best_epoch: int
    split: VolumeSplit
    notes: tuple[str, ...]

    def accuracy(self) -> dict[str, float]:
        """Return accuracies for the model's card: ``train``, ``test``, ``balanced test`` ..., ``AUC test``."""
        found = {part: scores.accuracy for part, scores in self.scores.items()}
        found |= {f"balanced {part}": scores.balanced_accuracy for part, scores in self.scores.items()}
        return found | {f"AUC {part}": s.auc for part, s in self.scores.items() if not np.isnan(s.auc)}

    def columns(self) -> dict[str, list[float]]:
        """Return the history as columns, for a table or curves."""
        return {name: [getattr(epoch, name) for epoch in self.history] for name in VolumeEpoch.__dataclass_fields__}


def train_volumes(
    architecture: Architecture,
    options: Mapping[str, Any],
    recipe: TrainingRecipe,
    source: VolumeSource,
    labels: Rows,
    split: VolumeSplit,
    *,
    n_classes: int,
    settings: VolumeSettings,
    seed: int = 1,
    device: str | torch.device = "cpu",
    on_read: Callable[[int], None] | None = None,
    on_step: Callable[[int], None] | None = None,
    on_epoch: Callable[[VolumeEpoch], None] | None = None,
    keep: Keep | None = None,
    restored: tuple[Arrays, Mapping[str, Any]] | None = None,
) -> tuple[nn.Module, VolumeOutcome]:
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
    split : VolumeSplit
        Of `split_subjects`.
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
    with seeded(place, seed), full_precision(place), _repeatable(place):
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
            measured = {part: course.measure(places) for part, places in split.parts().items()}
        finally:
            for layer in module.modules():
                layer.training = False
            module.to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    scores = {part: _scores(found.loss, found.probabilities, labels[split.parts()[part]])
              for part, found in measured.items()}  # fmt: skip
    notes = [*split.notes]
    if course.stopped_early:
        notes.append(
            f"Stopped early after epoch {len(course.history)}: the loss that is watched was smallest in epoch "
            f"{course.best_epoch}."
        )
    probabilities = {part: found.probabilities for part, found in measured.items()}
    return module, VolumeOutcome(
        tuple(course.history), settings.to_card(), input_shape, scores, probabilities, course.best_epoch, split,
        tuple(notes),
    )  # fmt: skip


def _scores(loss: float, probabilities: Floats, labels: Rows) -> PartScores:
    table = confusion(labels, predicted(probabilities), probabilities.shape[1])
    auc = area_under_curve(probabilities[:, 1], labels == 1) if probabilities.shape[1] == 2 else float("nan")
    return PartScores(loss, float(np.trace(table) / table.sum()), balanced_accuracy(table), auc, table)


def _left_right(source: VolumeSource, settings: VolumeSettings, index: int) -> int:
    """Return the axis of prepared volumes along which left and right lie."""
    if settings.orientation is not None:
        return next(axis for axis, code in enumerate(settings.orientation) if code in "LR")
    _, affine = source.read(index)
    return int(np.abs(affine[0, :3]).argmax())


@contextmanager
def _repeatable(device: torch.device) -> Iterator[None]:
    """Let a GPU choose only convolutions that give the same numbers each time."""
    if device.type != "cuda":
        yield
        return
    backend: Any = torch.backends.cudnn
    before = backend.deterministic, backend.benchmark
    backend.deterministic, backend.benchmark = True, False
    try:
        yield
    finally:
        backend.deterministic, backend.benchmark = before
