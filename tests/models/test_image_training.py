"""Training on images: what is changed at random, how fast is learnt when, where it starts from, how it goes on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.images import ImageEntry, ImageSet
from sensiview.errors import ModelError, UserError
from sensiview.models.architectures import architectures
from sensiview.models.course_epoch import CourseEpoch
from sensiview.models.fine_tuning import Start, last_layer, take_weights
from sensiview.models.group_splitting import IMAGES, split_groups
from sensiview.models.image_augmentation import augment_images
from sensiview.models.image_settings import IMAGENET_MEAN, ImageSettings
from sensiview.models.image_store import ImageStore
from sensiview.models.image_training import train_images, training_settings
from sensiview.models.learning_rates import learning_rate
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.training_outcome import CourseOutcome
from sensiview.numerics.example_images import example_images

KNOWN = architectures()
LENET = {"filters": "4,6", "hidden": "8", "kernel": "3", "padding": "1,1"}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other would take all the time of tiny networks."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def some_images(count: int = 40, side: int = 16, valid: tuple[float, float] = (0.0, 1.0)) -> ImageSet:
    """Three kinds of images: red, green or blue squares somewhere; four images of each group."""
    rng = np.random.default_rng(5)
    entries, classes = [], []
    for number in range(count):
        pixels = rng.uniform(0.0, 0.4, (3, side, side)).astype(np.float32)
        row, column = rng.integers(0, side // 2, 2)
        pixels[number // 4 % 3, row : row + side // 2, column : column + side // 2] += np.float32(0.6)
        pixels = (np.rint(pixels.clip(0, 1) * 255) / 255 * (valid[1] - valid[0]) + valid[0]).astype(np.float32)
        name, group = f"{number:03d}.png", f"video {number // 4}"
        entries.append(ImageEntry(name, group, (side, side), 3, lambda pixels=pixels: pixels))  # type: ignore[misc]
        classes.append(("red", "green", "blue")[number // 4 % 3])
    card = DatasetCard(
        name="squares", kind="images", n_rows=count, target="class",
        class_counts={name: classes.count(name) for name in ("red", "green", "blue")},
        extra={"channels": 3, "range": list(valid)},
    )  # fmt: skip
    return ImageSet(card, tuple(entries), pd.DataFrame({"class": classes}))


def trained(
    images: ImageSet | None = None, *, key: str = "lenet", options: Mapping[str, Any] | None = None,
    settings: ImageSettings | None = None, seed: int = 3, start: Start | None = None, **more: Any,
) -> tuple[nn.Module, CourseOutcome]:  # fmt: skip
    keep, restored, on_epoch = (more.pop(name, None) for name in ("keep", "restored", "on_epoch"))
    recipe = TrainingRecipe(**{"epochs": 3, "batch_size": 8, "learning_rate": 0.01, "standardise": False, **more})
    images = some_images() if images is None else images
    labels = images.labels()
    split = split_groups(recipe, images.groups, labels, words=IMAGES)
    options = LENET if options is None else options
    architecture = KNOWN[key]
    settings = settings or training_settings(
        architecture, architecture.parse({**options, "size": 16} if key == "lenet" else options), recipe, 3
    )
    return train_images(
        architecture, options, recipe, images, labels, split, n_classes=3, settings=settings, seed=seed, start=start,
        on_epoch=on_epoch, keep=keep, restored=restored,
    )  # fmt: skip


def same(one: nn.Module, other: nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return all(torch.equal(a[key], b[key]) for key in a)


# Schedules


def test_that_schedules_go_as_they_say() -> None:
    recipe = TrainingRecipe(epochs=10, learning_rate=0.1)
    assert learning_rate(recipe, 7.3) == 0.1
    cosine = recipe.model_copy(update={"schedule": "cosine"})
    assert learning_rate(cosine, 0) == pytest.approx(0.1)
    assert learning_rate(cosine, 5) == pytest.approx(0.05)
    assert learning_rate(cosine, 2.5) == pytest.approx(0.1 * 0.5 * (1 + math.cos(math.pi / 4)))
    step = recipe.model_copy(update={"schedule": "step", "step_epochs": 3, "step_factor": 0.5})
    assert [round(learning_rate(step, at), 6) for at in (0, 2.9, 3, 6, 9.5)] == [0.1, 0.1, 0.05, 0.025, 0.0125]
    plateau = recipe.model_copy(update={"schedule": "plateau"})
    assert learning_rate(plateau, 6, [1.0, 2, 2, 2, 2]) == 0.1
    assert learning_rate(plateau, 6, [1.0, 2, 2, 2, 2, 2]) == 0.05


def test_that_one_cycle_is_torchs() -> None:
    recipe = TrainingRecipe(epochs=5, learning_rate=0.2, schedule="one_cycle")
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.2)
    # Over 101 steps: torch counts the last step as the end, as a share of 1 is here.
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.2, total_steps=101, cycle_momentum=False)
    for number in range(101):
        # Torch's rising part ends one step before 30 % of all steps.
        share = number / 100
        ours = learning_rate(recipe, 5 * share)
        assert ours == pytest.approx(schedule.get_last_lr()[0], rel=0.06, abs=1e-3)
        optimiser.step()
        if number < 100:
            schedule.step()


def test_that_a_warm_up_rises_before_the_schedule() -> None:
    recipe = TrainingRecipe(epochs=10, learning_rate=1.0, schedule="cosine", warm_up=2)
    assert [learning_rate(recipe, at) for at in (0.5, 1, 2)] == pytest.approx([0.25, 0.5, 1.0])
    assert 0 < learning_rate(recipe, 0) < 0.01
    assert learning_rate(recipe, 6) == pytest.approx(0.5)


# Random changes


def changed(rows: Tensor, seed: int = 0, **recipe: Any) -> Tensor:
    return augment_images(rows, TrainingRecipe(**recipe), (0.0, 1.0), np.random.default_rng(seed))


def test_that_nothing_is_changed_unless_asked() -> None:
    rows = torch.rand(4, 3, 6, 5)
    assert torch.equal(changed(rows), rows)


def test_that_flips_exchange_left_and_right_of_about_half() -> None:
    rows = torch.rand(200, 1, 3, 4)
    out = changed(rows, flip=True)
    flipped = [torch.equal(a, b.flip(-1)) for a, b in zip(out, rows, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(out, rows, strict=True)]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 70 < sum(flipped) < 130


def test_that_moved_images_keep_their_pixels_and_black_comes_in() -> None:
    rows = torch.full((50, 1, 6, 6), 0.5)
    rows[:, :, 2, 3] = 1.0
    out = changed(rows, crop_padding=2)
    places = {tuple((image[0] == 1.0).nonzero()[0].tolist()) for image in out}
    assert places <= {(2 + a, 3 + b) for a in range(-2, 3) for b in range(-2, 3)}
    assert len(places) > 10
    for image in out:
        row, column = (image[0] == 1.0).nonzero()[0].tolist()
        inside = (6 - abs(row - 2)) * (6 - abs(column - 3))
        assert int((image > 0).sum()) == inside


def test_that_a_quarter_turn_is_numpys() -> None:
    from sensiview.models.image_augmentation import _rotated

    rows = torch.rand(2, 3, 8, 8)
    out = _rotated(rows, np.deg2rad(np.array([90.0, -90.0])))
    assert torch.allclose(out[0], torch.rot90(rows[0], -1, (1, 2)), atol=1e-5) or torch.allclose(
        out[0], torch.rot90(rows[0], 1, (1, 2)), atol=1e-5
    )
    torch.testing.assert_close(out[1].flip(1).flip(2), _rotated(rows[1:], np.deg2rad(np.array([90.0])))[0])


def test_that_turning_a_wide_image_keeps_its_shapes() -> None:
    from sensiview.models.image_augmentation import _rotated

    rows = torch.zeros(1, 1, 41, 61)
    rows[0, 0, 15:26, 25:36] = 1.0
    out = _rotated(rows, np.deg2rad(np.array([90.0])))
    # A square about the middle stays where it is.
    torch.testing.assert_close(out, rows, atol=1e-3, rtol=0)
    assert changed(rows, rotation=20.0).sum() == pytest.approx(float(rows.sum()), rel=0.02)


def test_that_jitter_stays_in_range_and_keeps_grey_grey() -> None:
    grey = torch.rand(20, 1, 5, 5).repeat(1, 3, 1, 1)
    out = changed(grey, colour_jitter=0.5)
    assert float(out.min()) >= 0
    assert float(out.max()) <= 1
    torch.testing.assert_close(out[:, 0], out[:, 1], atol=1e-5, rtol=0)
    assert not torch.allclose(out, grey, atol=0.05)
    one = changed(torch.rand(4, 1, 5, 5), colour_jitter=0.2)
    assert one.shape == (4, 1, 5, 5)


def test_that_the_same_seed_changes_images_alike() -> None:
    rows = torch.rand(6, 3, 9, 9)
    all_of_it = {"flip": True, "crop_padding": 2, "rotation": 10.0, "colour_jitter": 0.2}
    assert torch.equal(changed(rows, 4, **all_of_it), changed(rows, 4, **all_of_it))
    assert not torch.equal(changed(rows, 4, **all_of_it), changed(rows, 5, **all_of_it))


# The store


def test_that_images_are_kept_as_bytes_and_come_back_as_they_were() -> None:
    images = some_images(8)
    store = ImageStore(images, ImageSettings(size=(16, 16)))
    assert store.one(2).dtype == torch.uint8
    torch.testing.assert_close(store.batch([2, 5])[1], torch.from_numpy(images.image(5)), atol=1e-7, rtol=0)
    mean, std = store.statistics(range(8))
    pixels = np.stack([images.image(i) for i in range(8)])
    assert mean == pytest.approx(pixels.mean(axis=(0, 2, 3)).tolist(), abs=1e-5)
    assert std == pytest.approx(pixels.std(axis=(0, 2, 3)).tolist(), abs=1e-5)


def test_that_images_of_another_range_are_kept_as_they_are() -> None:
    images = some_images(4, valid=(-1.0, 1.0))
    store = ImageStore(images, ImageSettings(size=(16, 16)))
    assert store.one(1).dtype == torch.float32
    assert torch.equal(store.batch([1])[0], torch.from_numpy(images.image(1)))


def test_that_numbers_do_not_depend_on_the_memory_there_is() -> None:
    images, settings = some_images(6), ImageSettings(resize=(12, 12), size=(12, 12))
    rich, poor = ImageStore(images, settings), ImageStore(images, settings, keep_bytes=0)
    parts = [np.array([4, 1]), np.array([], dtype=np.int64), np.array([0, 5])]
    for (_, one), (_, other) in zip(rich.batches(parts), poor.batches(parts), strict=True):
        assert torch.equal(one, other)
    assert poor.kept == 0


def test_that_images_of_several_sizes_are_a_sentence() -> None:
    images = some_images(4)
    wide = ImageEntry("wide.png", "w", (16, 20), 3, lambda: np.zeros((3, 16, 20), dtype=np.float32))
    store = ImageStore(ImageSet(images.card, (*images.entries, wide), images.table), ImageSettings())
    with pytest.raises(ModelError, match=r"'000.png' has 16 x 16 pixels, 'wide.png' 16 x 20. Set the image size"):
        store.batch([0, 4])


# Training


def test_that_a_network_learns_and_is_left_in_eval_mode_without_touching_the_random_state() -> None:
    torch.manual_seed(11)
    np.random.seed(11)
    before, legacy = torch.get_rng_state(), np.random.get_state()[1].copy()
    module, outcome = trained(key="resnet18_cifar", options={"width": 2}, size="16", epochs=12, flip=True)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], legacy)
    assert outcome.accuracy()["train"] > 0.9
    assert outcome.scores["test"].accuracy > 0.6
    assert not any(part.training for part in module.modules())
    assert outcome.input_shape == (3, 16, 16)
    videos = {part: {n // 4 for n in places} for part, places in outcome.split.parts().items()}
    assert not videos["train"] & videos["test"]


def test_that_the_same_seed_gives_the_same_weights_and_another_does_not() -> None:
    more = {"flip": True, "crop_padding": 2, "rotation": 5.0, "colour_jitter": 0.1, "schedule": "one_cycle"}
    first, _ = trained(**more)
    assert same(first, trained(**more)[0])
    assert not same(first, trained(seed=4, **more)[0])


@pytest.mark.parametrize("more", [{"optimiser": "adam"}, {"optimiser": "sgd", "momentum": 0.9, "early_stopping": 9}])
def test_that_a_training_goes_on_from_any_epoch_with_the_same_numbers(more: dict[str, Any]) -> None:
    settings = {"epochs": 5, "flip": True, "schedule": "cosine", "warm_up": 1, "validation_share": 0.3, **more}
    states: list[tuple[dict[str, Any], dict[str, Any]]] = []
    whole, outcome = trained(keep=lambda arrays, values: states.append((arrays, values)), **settings)
    for stop in (0, 2):
        again, later = trained(restored=states[stop], **settings)
        assert same(whole, again)
        assert [e.train_loss for e in later.history] == [e.train_loss for e in outcome.history]


def test_that_the_rate_moves_with_every_step_and_is_told_per_epoch() -> None:
    heard: list[CourseEpoch] = []
    trained(on_epoch=heard.append, epochs=4, schedule="cosine")
    assert [e.learning_rate for e in heard] == pytest.approx(
        [0.01 * 0.5 * (1 + math.cos(math.pi * k / 4)) for k in range(4)]
    )
    assert [e.epoch for e in heard] == [1, 2, 3, 4]


def test_that_it_stops_early_with_the_best_weights() -> None:
    _, outcome = trained(epochs=60, early_stopping=3, learning_rate=0.1)
    assert len(outcome.history) < 60
    assert outcome.best_epoch == len(outcome.history) - 3
    best = outcome.history[outcome.best_epoch - 1]
    assert outcome.scores["test"].loss == pytest.approx(best.test_loss, rel=1e-4)
    assert any("Stopped early" in note for note in outcome.notes)
    assert any("The test groups also decided when to stop" in note for note in outcome.notes)


def test_that_preprocessing_of_the_training_is_what_the_recipe_says() -> None:
    architecture = KNOWN["resnet18"]
    options = architecture.parse({})

    def settings(channels: int = 3, **recipe: Any) -> ImageSettings:
        return training_settings(architecture, options, TrainingRecipe(**recipe), channels)

    assert (settings().size, settings().resize, settings().mean) == ((224, 224), 256, IMAGENET_MEAN)
    assert settings(1).mean == (0.449,)
    assert settings(size="64,96").size == (64, 96)
    assert settings(size="64").resize == (64, 64)
    assert (settings(normalise="half").mean, settings(normalise="none").std) == ((0.5,), (1.0,))
    base = ImageSettings(channels=1, size=(48, 48), mean=(0.2,), std=(0.3,))
    kept = training_settings(architecture, options, TrainingRecipe(), 3, base)
    assert kept == base
    small = KNOWN["resnet18_cifar"]
    assert training_settings(small, small.parse({"size": 48, "channels": 1}), TrainingRecipe(), 3).size == (48, 48)
    with pytest.raises(UserError, match="Set one"):
        training_settings(small, small.parse({"size": 48}), TrainingRecipe(size=(32,)), 3)


def test_that_the_images_own_mean_can_become_part_of_the_model() -> None:
    images = some_images()
    _, outcome = trained(images, normalise="data", epochs=1)
    pixels = np.stack([images.image(int(i)) for i in outcome.split.train])
    assert outcome.preprocessing["mean"] == pytest.approx(pixels.mean(axis=(0, 2, 3)).tolist(), abs=1e-5)
    assert outcome.preprocessing["std"] == pytest.approx(pixels.std(axis=(0, 2, 3)).tolist(), abs=1e-5)


def test_that_a_diverging_training_is_a_sentence() -> None:
    with pytest.raises(ModelError, match=r"diverged.*Lower the learning rate"):
        trained(settings=ImageSettings(size=(16, 16), mean=(1e38,), std=(1e-38,)))


# Starting from a trained network


def start_of(module: nn.Module, **more: Any) -> Start:
    return Start(module.state_dict(), "trained before", **{"same_classes": False, **more})


@pytest.mark.parametrize(
    ("key", "layer"),
    [
        ("vgg16_cifar", "classifier.6"), ("resnet18", "fc"), ("squeezenet1_1", "classifier.1"), ("lenet", "output"),
        ("googlenet", "fc"), ("densenet121", "classifier"), ("vit_b_32", "heads.head"), ("swin_t", "head"),
    ],
)  # fmt: skip
def test_that_the_last_layer_is_the_one_that_gives_the_classes(key: str, layer: str) -> None:
    architecture = KNOWN[key]
    shape = (1, 28, 28) if key == "lenet" else (3, 224, 224)
    with torch.device("meta"):
        module = architecture.build(architecture.parse({}), shape, 7)
    assert last_layer(module) == layer


def test_that_only_the_last_layer_moves_when_the_others_are_frozen() -> None:
    before, _ = trained(key="resnet18_cifar", options={"width": 2}, size="16", epochs=1)
    state = {key: value.clone() for key, value in before.state_dict().items()}
    module, outcome = trained(
        key="resnet18_cifar", options={"width": 2}, size="16", epochs=2, freeze=True, start=start_of(before), seed=9
    )
    moved = {key for key, value in module.state_dict().items() if not torch.equal(value, state[key])}
    assert moved == {"fc.weight", "fc.bias"}
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert any("Starts from the weights of 'trained before'; fc is drawn anew." in note for note in outcome.notes)


def test_that_all_layers_move_otherwise_and_the_last_one_stays_for_the_same_classes() -> None:
    before, _ = trained(epochs=2)
    fresh = KNOWN["lenet"].build(KNOWN["lenet"].parse(LENET), (3, 16, 16), 3)
    notes = take_weights(fresh, start_of(before, same_classes=True))
    assert same(fresh, before)
    assert notes == ["Starts from the weights of 'trained before'."]
    module, _ = trained(epochs=1, start=start_of(before, same_classes=True))
    assert not torch.equal(module.get_submodule("conv1").weight, before.get_submodule("conv1").weight)


def test_that_a_network_of_other_sizes_or_nothing_to_start_from_is_a_sentence() -> None:
    wider = KNOWN["lenet"].build(KNOWN["lenet"].parse({**LENET, "filters": "5,6"}), (3, 16, 16), 3)
    with pytest.raises(ModelError, match=r"'trained before' do not fit this network: 'conv1\.weight'"):
        trained(start=start_of(wider))
    with pytest.raises(UserError, match="needs a trained network to start from"):
        trained(freeze=True)


def test_that_mixed_precision_is_for_gpus_and_says_so_elsewhere() -> None:
    plain, _ = trained(epochs=1)
    mixed, outcome = trained(epochs=1, mixed_precision=True)
    assert same(plain, mixed)
    assert any("Mixed precision is for NVIDIA GPUs" in note for note in outcome.notes)


def test_that_a_group_is_never_on_both_sides() -> None:
    images = example_images(6)
    labels = images.labels()
    with pytest.raises(UserError, match="1 groups have images on both sides of the split, 'a' for one"):
        split_groups(TrainingRecipe(), ["a", "a", "b", "c", "d", "e"], labels, test=np.array([0]), words=IMAGES)
    with pytest.raises(UserError, match="All images to train on are of one class"):
        split_groups(TrainingRecipe(), list("abcdef"), np.zeros(6, dtype=np.int64), words=IMAGES)
