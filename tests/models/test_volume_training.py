"""Training on volumes: by subject, the same numbers for the same seed, also after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sensiview.errors import ModelError, Stopped, UserError
from sensiview.models.architectures import architectures
from sensiview.models.class_scores import (
    area_under_curve,
    balanced_accuracy,
    class_probabilities,
    confusion,
    predicted,
)
from sensiview.models.group_splitting import GroupSplit, draw_groups, split_groups
from sensiview.models.preprocessing import Preprocessing
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.training_outcome import CourseOutcome
from sensiview.models.volume_augmentation import augment
from sensiview.models.volume_settings import VolumeSettings
from sensiview.models.volume_store import VolumeStore
from sensiview.models.volume_training import train_volumes

SMALL = {"channels": (3, 4), "dropout": 0.3}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny networks: threads that wait for each other would be what is measured."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Cohort:
    """Noise, with a brighter corner in every second volume; volume `broken` has another size."""

    def __init__(self, count: int = 24, broken: int = -1) -> None:
        self.labels = np.arange(count) % 2
        self.count, self.broken, self.reads = count, broken, 0

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        self.reads += 1
        size = (9, 8, 7) if index == self.broken else (8, 9, 8)
        values = np.random.default_rng(index).random(size, dtype=np.float32)
        values[:4, :4, :4] += 0.7 * (index % 2)
        return values, np.diag([2.0, 2.0, 2.0, 1.0])


def trained(
    cohort: Cohort, seed: int = 3, settings: VolumeSettings | None = None, **changes: Any
) -> tuple[nn.Module, CourseOutcome]:
    hooks = {n: changes.pop(n) for n in ("on_epoch", "keep", "restored", "on_step", "on_read") if n in changes}
    cnn3d = architectures()["cnn3d"]
    recipe = TrainingRecipe(**{**cnn3d.recipe().model_dump(), "epochs": 6, "batch_size": 5, **changes})
    split = split_groups(recipe, [f"s{i // 2 * 2}{i % 2}" for i in range(len(cohort))], cohort.labels)
    return train_volumes(
        cnn3d, SMALL, recipe, cohort, cohort.labels, split,
        n_classes=2, settings=settings or VolumeSettings(orientation="RAS"), seed=seed, **hooks,
    )  # fmt: skip


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_that_a_brighter_corner_is_learnt() -> None:
    state = torch.get_rng_state()
    module, outcome = trained(Cohort(), epochs=30)
    assert outcome.accuracy()["balanced test"] == 1
    assert outcome.scores["test"].auc == 1
    assert outcome.scores["test"].table.trace() == len(outcome.split.test)
    assert outcome.input_shape == (1, 8, 9, 8)
    assert len(outcome.columns()["test_balanced_accuracy"]) == 30
    assert not any(part.training for part in module.modules())
    assert module.get_submodule("block1.conv1").weight.is_contiguous()
    assert torch.equal(torch.get_rng_state(), state)


def test_that_the_same_seed_gives_the_same_weights() -> None:
    changes = {"augmentation": "all", "schedule": "cosine", "epochs": 3}
    first, _ = trained(Cohort(), **changes)
    again, _ = trained(Cohort(), **changes)
    other, _ = trained(Cohort(), seed=4, **changes)
    assert same(first, again)
    assert not same(first, other)


@pytest.mark.parametrize("changes", [{"schedule": "plateau"}, {"early_stopping": 3, "augmentation": "shift"}])
def test_that_a_training_goes_on_where_it_was_interrupted(changes: dict[str, Any]) -> None:
    whole, outcome = trained(Cohort(), **changes)
    kept: list[Any] = []

    def stop(epoch: Any) -> None:
        if epoch.epoch == 3:
            raise Stopped

    with pytest.raises(Stopped):
        trained(Cohort(), keep=lambda *state: kept.append(state), on_epoch=stop, **changes)
    assert all(values.dtype != object for values in kept[-1][0].values())
    resumed, after = trained(Cohort(), restored=kept[-1], **changes)
    assert same(whole, resumed)
    assert [e.epoch for e in after.history] == [e.epoch for e in outcome.history]
    assert after.columns()["test_loss"] == outcome.columns()["test_loss"]
    with pytest.raises(ModelError, match="checkpoint"):
        trained(Cohort(), restored=({}, {}), **changes)


def test_that_reading_again_and_again_gives_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory, read_once = Cohort(), []
    kept, _ = trained(in_memory, epochs=2, on_read=read_once.append)
    assert in_memory.reads == len(in_memory) == len(read_once)
    monkeypatch.setattr("sensiview.models.devices.memory_free", lambda device: 4 * 4 * 8 * 9 * 8 * 5)
    from_files = Cohort()
    read, _ = trained(from_files, epochs=2)
    assert from_files.reads > 2 * len(from_files)
    assert same(kept, read)


def test_that_the_store_keeps_only_what_fits() -> None:
    store = VolumeStore(Cohort(), Preprocessing({"kind": "volume"}, (), "net"), keep_bytes=2 * 8 * 9 * 8 * 4)
    parts = [np.array([0, 1]), np.array([2, 3]), np.array([], dtype=np.int64)]
    batches = list(store.batches(parts))
    assert [rows.shape for _, rows in batches] == [(2, 1, 8, 9, 8)] * 2
    assert store.kept == 2


def test_that_volumes_of_different_sizes_are_refused_unless_they_are_fitted() -> None:
    with pytest.raises(ModelError, match="number 7 9 x 8 x 7"):
        trained(Cohort(broken=7), epochs=1)
    _, outcome = trained(Cohort(broken=7), settings=VolumeSettings(fit=(10, 10, 10)), epochs=1)
    assert outcome.input_shape == (1, 10, 10, 10)
    assert outcome.preprocessing["fit"] == [10, 10, 10]


def test_that_a_training_that_diverges_says_so() -> None:
    with pytest.raises(ModelError, match="diverged"):
        trained(Cohort(), optimiser="sgd", learning_rate=10.0, momentum=0.99, epochs=60,
                settings=VolumeSettings(intensity="fixed", mean=0, std=1e-30))  # fmt: skip


def test_that_the_best_weights_are_kept_by_the_validation_subjects() -> None:
    _, outcome = trained(Cohort(36), epochs=40, early_stopping=4, validation_share=0.25, learning_rate=0.01)
    assert set(outcome.scores) == {"train", "validation", "test"}
    losses = outcome.columns()["validation_loss"]
    assert outcome.best_epoch == int(np.argmin(losses)) + 1
    assert outcome.scores["validation"].loss == pytest.approx(min(losses), rel=1e-5)
    assert len(outcome.history) <= outcome.best_epoch + 4
    assert not any("also decided" in note for note in outcome.notes)


def test_that_learning_rates_follow_the_schedule() -> None:
    _, cosine = trained(Cohort(), schedule="cosine", epochs=4)
    expected = [1e-3 * 0.5 * (1 + np.cos(np.pi * e / 4)) for e in range(4)]
    assert cosine.columns()["learning_rate"] == pytest.approx(expected)
    _, plateau = trained(Cohort(), schedule="plateau", epochs=14, learning_rate=1e-12, batch_size=0)
    rates = plateau.columns()["learning_rate"]
    assert set(rates) <= {1e-12, 5e-13, 2.5e-13}


def test_that_steps_are_counted_in_volumes() -> None:
    counted: list[int] = []
    _, outcome = trained(Cohort(), epochs=2, on_step=counted.append)
    assert sum(counted) == 2 * len(outcome.split.train)


def test_that_no_subject_is_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    subjects = [f"s{i}" for i in rng.integers(0, 30, size=100)]
    labels = np.array([int(s[1:]) % 2 for s in subjects])
    recipe = TrainingRecipe(validation_share=0.2)
    split = split_groups(recipe, subjects, labels)
    parts = [{subjects[i] for i in places} for places in split.parts().values()]
    assert len(parts) == 3
    assert not any(a & b for i, a in enumerate(parts) for b in parts[:i])
    shuffled = rng.permutation(100)
    again = split_groups(recipe, [subjects[i] for i in shuffled], labels[shuffled])
    assert {subjects[shuffled[i]] for i in again.test} == {subjects[i] for i in split.test}
    with pytest.raises(UserError, match="both sides of the split"):
        split_groups(recipe, ["a", "a", "b", "c"], np.array([0, 0, 1, 1]), test=np.array([0]))


def test_that_each_class_is_drawn_in_its_share() -> None:
    labels = np.array([0] * 40 + [1] * 10 + [2] * 2 + [3])
    drawn = draw_groups([str(i) for i in range(53)], labels, 0.2, 1)
    assert np.bincount(labels[drawn], minlength=4).tolist() == [8, 2, 1, 0]


def test_that_folds_say_who_is_tested_on() -> None:
    subjects, labels = ["a", "a", "b", "c", "d", "e"], np.array([0, 0, 1, 0, 1, -1])
    folds = {"a": 0, "b": 0, "c": 1, "d": 1, "e": 1}
    split = split_groups(TrainingRecipe(folds=2, fold=1), subjects, labels, folds=folds)
    assert split.test.tolist() == [3, 4]
    assert split.train.tolist() == [0, 1, 2]
    assert "1 of 6 volumes have no label" in split.notes[0]
    with pytest.raises(UserError, match="in no fold"):
        split_groups(TrainingRecipe(folds=2), [*subjects[:5], "new"], np.array([0, 0, 1, 0, 1, 1]), folds=folds)
    with pytest.raises(UserError, match="Fold 2 of 3 has no labelled volume"):
        split_groups(TrainingRecipe(folds=3, fold=2), subjects, labels, folds=folds)


def test_that_one_class_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"of one class \('ill'\)"):
        split_groups(TrainingRecipe(), list("abcd"), np.ones(4, dtype=np.int64), class_names=("well", "ill"))
    with pytest.raises(UserError, match="no labelled volume"):
        split_groups(TrainingRecipe(), list("abcd"), np.full(4, -1))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [({"folds": 1}, "2 or more"), ({"folds": 5, "fold": 5}, "counted from 0"), ({"fit": "4,4"}, "three numbers")],
)
def test_that_recipes_without_sense_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TrainingRecipe(**wrong)


def test_that_balanced_accuracy_and_auc_are_those_of_their_definitions() -> None:
    rng = np.random.default_rng(5)
    true, guessed = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    table = confusion(true, guessed, 5)
    assert balanced_accuracy(table) == pytest.approx(np.mean([(guessed[true == c] == c).mean() for c in range(4)]))
    scores, positive = np.round(rng.random(300), 1), rng.random(300) < 0.3
    pairs = scores[positive][:, None] - scores[~positive]
    assert area_under_curve(scores, positive) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean(), abs=1e-12)
    assert np.isnan(area_under_curve(scores, positive & False))
    assert np.isnan(balanced_accuracy(np.zeros((2, 2), dtype=np.int64)))


def test_that_probabilities_follow_from_every_kind_of_output() -> None:
    logits = torch.tensor([[0.3, -1.2], [2.0, 2.0]])
    np.testing.assert_allclose(class_probabilities(logits, "class_logit"), logits.double().softmax(1), atol=1e-12)
    difference = (logits[:, 1] - logits[:, 0])[:, None]
    np.testing.assert_allclose(class_probabilities(difference, "logit"), logits.double().softmax(1), atol=1e-7)
    two = class_probabilities(torch.tensor([[0.2], [0.5]]), "probability")
    assert two.tolist() == pytest.approx(np.array([[0.8, 0.2], [0.5, 0.5]]))
    assert predicted(two).tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["none", "flip", "shift", "intensity", "all"])
def test_that_augmentation_changes_copies_only(kind: Any) -> None:
    rows = torch.arange(2 * 6 * 5 * 4, dtype=torch.float32).reshape(2, 1, 6, 5, 4)
    before = rows.clone()
    one = augment(rows, kind, 0, np.random.default_rng(2))
    again = augment(rows, kind, 0, np.random.default_rng(2))
    assert torch.equal(rows, before)
    assert torch.equal(one, again)
    assert torch.equal(one, rows) == (kind == "none")
    if kind == "flip":
        assert all(torch.equal(a, b) or torch.equal(a, b.flip(1)) for a, b in zip(one, rows, strict=True))


def test_that_a_part_without_volumes_is_not_named() -> None:
    nothing = np.array([], dtype=np.int64)
    assert list(GroupSplit(np.array([1]), nothing, nothing).parts()) == ["train"]
