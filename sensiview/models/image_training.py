"""Training a network on images, the same numbers for the same seed, also after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from sensiview.errors import UserError
from sensiview.models import devices
from sensiview.models.architectures import Architecture, Sizes
from sensiview.models.course_epoch import CourseEpoch
from sensiview.models.fine_tuning import Start, freeze_all_but, last_layer, take_weights
from sensiview.models.group_splitting import GroupSplit
from sensiview.models.image_course import ImageCourse
from sensiview.models.image_settings import IMAGENET_MEAN, IMAGENET_STD, ImageSettings
from sensiview.models.image_store import ImageSource, ImageStore
from sensiview.models.losses import objective_for
from sensiview.models.opening import build
from sensiview.models.preprocessing import Preprocessing
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.resumable_course import Arrays, Keep
from sensiview.models.splitting import Rows
from sensiview.models.state import full_precision
from sensiview.models.training import seeded
from sensiview.models.training_outcome import CourseOutcome, outcome_of, repeatable


def train_images(
    architecture: Architecture,
    options: Mapping[str, Any],
    recipe: TrainingRecipe,
    source: ImageSource,
    labels: Rows,
    split: GroupSplit,
    *,
    n_classes: int,
    settings: ImageSettings,
    seed: int = 1,
    device: str | torch.device = "cpu",
    start: Start | None = None,
    on_read: Callable[[int], None] | None = None,
    on_step: Callable[[int], None] | None = None,
    on_epoch: Callable[[CourseEpoch], None] | None = None,
    keep: Keep | None = None,
    restored: tuple[Arrays, Mapping[str, Any]] | None = None,
) -> tuple[nn.Module, CourseOutcome]:
    """Build a network for these images, with weights drawn by `seed` or taken from another, and train it.

    The same seed gives the same weights on the same machine and device; the global random state is as before
    afterwards.

    Parameters
    ----------
    architecture, options : Architecture and mapping
        What is built.
    recipe : TrainingRecipe
    source : ImageSource
        The set of images.
    labels : ndarray
        Class of every image, shape (n,), -1 where missing.
    split : GroupSplit
        Of `split_groups`.
    n_classes : int
    settings : ImageSettings
        Preprocessing, which becomes part of the model; `recipe.normalise` ``data`` gives it the training images' own
        mean and standard deviation.
    seed : int
        Of the weights, the order of the images, dropout and random changes.
    start : Start, optional
        A trained network of the same architecture.
    on_read, on_step, on_epoch : callable, optional
        Called with 1 after each image read before training begins, with the number of images after each step, and
        with each epoch. What they raise (`Stopped`) comes through.
    keep : callable, optional
        Takes arrays and plain values after each epoch, to go on from.
    restored : tuple, optional
        What `keep` took last: training goes on from there.

    Raises
    ------
    UserError
        The loss or the class weights do not fit the classes, or there is nothing to start from to keep frozen.
    DataError
        An image can't be read.
    ModelError
        The images differ in size, do not fit the network, or the loss became NaN.
    """
    if recipe.freeze and start is None:
        raise UserError(
            "Training the last layer only needs a trained network to start from. Choose one, or train all layers."
        )
    place = devices.resolve(device)
    store = ImageStore(source, settings)
    used = np.concatenate(list(split.parts().values()))
    _read(store, used, on_read)
    if recipe.normalise == "data":
        mean, std = store.statistics(split.train)
        settings = settings.model_copy(update={"mean": mean, "std": std})
    input_shape = tuple(store.one(int(used[0])).shape)
    sizes = Sizes(input_shape, architecture.n_outputs(n_classes))
    module = build(architecture, architecture.parse(options), sizes, seed=seed)
    notes = take_weights(module, start) if start is not None else []
    if recipe.freeze:
        freeze_all_but(module, last_layer(module))
    if recipe.mixed_precision and place.type != "cuda":
        notes.append("Mixed precision is for NVIDIA GPUs; the training computed in float32.")
    with seeded(place, seed), full_precision(place), repeatable(place):
        module.to(device=place, memory_format=torch.channels_last)  # type: ignore[call-overload]
        target = torch.from_numpy(labels[split.train])
        like = next(module.parameters())
        objective = objective_for(recipe, architecture.emits_for(n_classes), sizes.n_outputs, target, n_classes, like)
        course = ImageCourse(
            module, recipe, store, labels, split, objective,
            seed=seed, on_step=on_step, valid=store.valid,
            preprocessing=Preprocessing(settings.to_card(), input_shape, "being trained"),
        )  # fmt: skip
        if restored is not None:
            course.restore(*restored)
        try:
            course.run(on_epoch, keep)
            outcome = outcome_of(course, settings.to_card(), input_shape, tuple(notes))
        finally:
            for layer in module.modules():
                layer.training = False
            for parameter in module.parameters():
                parameter.requires_grad_(True)
            module.to(device="cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return module, outcome


def _read(store: ImageStore, used: Rows, on_read: Callable[[int], None] | None) -> None:
    for index in used:
        # Reading stops where memory is full; what is left is read when it is needed.
        before = store.kept
        store.one(int(index))
        if on_read is not None:
            on_read(1)
        if store.kept == before:
            return


def training_settings(
    architecture: Architecture, options: Any, recipe: TrainingRecipe, channels: int, base: ImageSettings | None = None
) -> ImageSettings:
    """Return the preprocessing of a model that is to be trained.

    Parameters
    ----------
    architecture : Architecture
    options : Options
        Parsed; its `channels` and `size` win over the data's and the usual ones.
    recipe : TrainingRecipe
        `size` and `normalise` win over everything else.
    channels : int
        Of most images.
    base : ImageSettings, optional
        Of the network to start from, instead of the architecture's own.

    Raises
    ------
    UserError
        The recipe and the option name different sizes.
    """
    if base is None:
        wanted = getattr(options, "n_channels", 0) or (1 if channels == 1 else 3)
        size = getattr(options, "size", 0)
        if size and recipe.size and (recipe.size[0], recipe.size[-1]) != (size, size):
            raise UserError(f"The option size is {size} and the image size of the training {recipe.size}. Set one.")
        names = {1: "grey", 3: "colour"}
        named = hasattr(options, "n_channels")
        card = architecture.preprocessing(options.model_copy(update={"channels": names[wanted]}) if named else options)
        base = ImageSettings(**card) if card.get("kind") == "image" else ImageSettings(channels=1 if wanted == 1 else 3)
    changes: dict[str, Any] = {}
    if recipe.size:
        side = (recipe.size[0], recipe.size[-1])
        changes = {"resize": side, "size": side}
    if recipe.normalise == "imagenet":
        grey = {"mean": (0.449,), "std": (0.226,)}
        changes |= grey if base.channels == 1 else {"mean": IMAGENET_MEAN, "std": IMAGENET_STD}
    elif recipe.normalise == "half":
        changes |= {"mean": (0.5,), "std": (0.5,)}
    elif recipe.normalise in ("none", "data"):
        changes |= {"mean": (0.0,), "std": (1.0,)}
    return base.model_copy(update=changes)
