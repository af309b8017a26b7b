"""Training: the study's network, a general one, and whatever may be wrong with the data."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sensiview.errors import ModelError, Stopped, UserError
from sensiview.models.architectures import architectures
from sensiview.models.recipe import TrainingRecipe
from sensiview.models.training import EpochReport, TrainingOutcome, train, train_new

GENERATOR = np.random.default_rng(8)
X = GENERATOR.normal(size=(300, 3)) * [1, 50, 0.01] + [0, 500, 0]
TWO = (X[:, 0] + (X[:, 1] - 500) / 50 > 0).astype(int)
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
VALUE = 30_000 * X[:, 0] + 200_000


def mlp(y: np.ndarray, classes: int, x: np.ndarray = X, **recipe: Any) -> tuple[nn.Module, TrainingOutcome]:
    architecture = architectures()["mlp"]
    settings = {"epochs": 30, "learning_rate": 0.01, **recipe}
    return train_new(architecture, {"hidden": (8,)}, TrainingRecipe(**settings), x, y, n_classes=classes, seed=3)


@pytest.fixture
def pima(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    with (shared_data / "tabular" / "pima_diabetes.csv").open() as stream:
        values = np.array(list(csv.reader(stream))[1:], dtype=float)
    return values[:, :8], values[:, 8].astype(int)


def test_that_the_studys_network_learns_what_the_authors_report(pima: tuple[np.ndarray, np.ndarray]) -> None:
    architecture = architectures()["diabetes_net"]
    module, outcome = train_new(architecture, {}, architecture.recipe(), *pima, n_classes=2, seed=1)
    assert len(outcome.history) == 2000
    # The authors' own weights have .772 and .800.
    assert 0.74 < outcome.accuracy["train"] < 0.80
    assert 0.75 < outcome.accuracy["test"] < 0.84
    assert outcome.preprocessing == {"kind": "none"}
    assert outcome.split.train.tolist() == list(range(500))
    assert outcome.split.test.tolist() == list(range(500, 700))
    assert not module.training


def test_that_the_studys_network_is_trained_exactly_as_its_script_does(pima: tuple[np.ndarray, np.ndarray]) -> None:
    """Step by step the same numbers as plain PyTorch: BCELoss, SGD, full batch, raw values, train mode."""
    x, y = pima
    architecture = architectures()["diabetes_net"]
    recipe = architecture.recipe().model_copy(update={"epochs": 20})
    module, outcome = train_new(architecture, {}, recipe, x, y, n_classes=2, seed=5)
    torch.manual_seed(5)
    plain = architecture.build(architecture.parse({}), (8,), 1)
    optimiser = torch.optim.SGD(plain.parameters(), lr=0.01, weight_decay=0.001)
    inputs, targets = torch.tensor(x[:500], dtype=torch.float32), torch.tensor(y[:500], dtype=torch.float32)
    losses = []
    for _ in range(20):
        optimiser.zero_grad()
        loss = nn.BCELoss()(plain(inputs)[:, 0], targets)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert [report.train_loss for report in outcome.history] == pytest.approx(losses, rel=1e-5)
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(module.state_dict()[key], value, rtol=1e-4, atol=1e-6)


def test_that_the_same_seed_gives_the_same_weights_and_leaves_the_random_state() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    threads = torch.get_num_threads()
    architecture = architectures()["mlp"]
    recipe = TrainingRecipe(epochs=3)
    runs = [train_new(architecture, {"dropout": 0.3}, recipe, X, TWO, n_classes=2, seed=seed) for seed in (4, 4, 5)]
    first, again, other = (module.state_dict() for module, _ in runs)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert runs[0][1].history == runs[1][1].history
    assert not torch.equal(first["linear1.weight"], other["linear1.weight"])
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("batch_size", [0, 7, 239, 1000])
def test_that_two_classes_are_learnt_in_batches_of_any_size(batch_size: int) -> None:
    module, outcome = mlp(TWO, 2, batch_size=batch_size, epochs=60)
    assert outcome.accuracy["test"] > 0.9
    with torch.no_grad():
        mean, std = (np.array(outcome.preprocessing[key]) for key in ("mean", "std"))
        logits = module(torch.tensor((X - mean) / std, dtype=torch.float32))[:, 0].numpy()
    right = (logits >= 0) == TWO
    assert right[outcome.split.test].mean() == outcome.accuracy["test"]


def test_that_batch_norm_never_trains_on_a_single_row() -> None:
    architecture = architectures()["mlp"]
    recipe = TrainingRecipe(epochs=2, batch_size=10, train_rows="0-40", test_rows="100-120")
    _, outcome = train_new(architecture, {"batch_norm": True}, recipe, X, TWO, n_classes=2)
    assert len(outcome.history) == 2


def test_that_three_classes_are_learnt() -> None:
    _, outcome = mlp(THREE, 3, epochs=100)
    assert outcome.accuracy["test"] > 0.9


def test_that_large_values_are_learnt_in_their_own_unit() -> None:
    module, outcome = mlp(VALUE, 0, epochs=100)
    assert outcome.accuracy["test"] > 0.95
    mean, std = (np.array(outcome.preprocessing[key]) for key in ("mean", "std"))
    with torch.no_grad():
        guess = module(torch.tensor((X - mean) / std, dtype=torch.float32))[:, 0].numpy()
    assert np.abs(guess - VALUE).mean() < 10_000


def test_that_columns_are_standardised_by_the_training_rows_only() -> None:
    x = X.copy()
    x[200:, 0] += 1e6
    x[:, 2] = 0.1
    _, outcome = mlp(TWO, 2, x=x, epochs=1, train_rows="0-199", test_rows="200-299")
    assert outcome.preprocessing["mean"] == pytest.approx(x[:200].mean(axis=0))
    assert outcome.preprocessing["std"] == pytest.approx([*x[:200, :2].std(axis=0), 1.0])


def test_that_rows_with_missing_values_are_left_out_counted_and_said() -> None:
    x, y = X.copy(), TWO.copy()
    x[[0, 5], 1] = np.nan
    x[7, 2] = np.inf
    y[250] = -1
    _, outcome = mlp(y, 2, x=x, train_rows="0-199", test_rows="200-", epochs=1)
    assert outcome.notes == (
        "Rows with missing values were left out: 3 of 200 for training, 1 of 100 for testing. Fill them in the data "
        "where that is wrong.",
    )
    assert not {0, 5, 7} & set(outcome.split.train.tolist())
    assert np.isfinite(outcome.preprocessing["mean"]).all()


def test_that_a_random_split_keeps_the_share_of_each_class_and_follows_the_seed() -> None:
    y = (np.arange(300) < 30).astype(int)
    _, outcome = mlp(y, 2, epochs=1, test_share=0.3)
    assert (y[outcome.split.test] == 1).sum() == 9
    assert outcome.split.test.size == 90
    assert np.intersect1d(outcome.split.train, outcome.split.test).size == 0
    assert np.array_equal(mlp(y, 2, epochs=1, test_share=0.3)[1].split.test, outcome.split.test)


def test_that_rows_that_serve_twice_or_are_missing_are_said() -> None:
    assert (
        "101 rows are trained on and tested on"
        in mlp(TWO, 2, epochs=1, train_rows="0-200", test_rows="100-299")[1].notes[0]
    )
    _, outcome = mlp(TWO, 2, epochs=1, train_rows="all")
    assert "no rows to test on" in outcome.notes[0]
    assert math.isnan(outcome.history[0].test_loss)
    assert "test" not in outcome.accuracy


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"train_rows": "0-499"}, "has 300 rows, 0 to 299"),
        ({"train_rows": "5-2"}, "not in this table"),
        ({"test_rows": "first"}, "can't be read at 'first'"),
        ({"train_rows": "3"}, "at least 2 are needed"),
        ({"loss": "cross_entropy"}, "Use 'binary_cross_entropy'"),
        ({"loss": "mean_squared_error"}, "holds classes"),
        ({"class_weights": [1, 2, 3]}, "3 class weights for 2 classes"),
    ],
)
def test_that_a_recipe_that_does_not_fit_is_a_sentence(recipe: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        mlp(TWO, 2, **recipe)


def test_that_one_class_only_is_a_sentence() -> None:
    with pytest.raises(UserError, match="one class"):
        mlp(np.zeros(300, dtype=int), 2)
    with pytest.raises(UserError, match="one value per row"):
        mlp(TWO[:10], 2)
    with pytest.raises(UserError, match="numbers, not classes"):
        mlp(VALUE, 0, loss="binary_cross_entropy")


def test_that_a_training_that_diverges_says_when_and_what_to_change() -> None:
    with pytest.raises(ModelError, match=r"diverged.*Lower the learning rate \(now 10\), or standardise"):
        mlp(VALUE, 0, x=X * 1e18, learning_rate=10, optimiser="sgd", standardise=False, epochs=200)


def test_that_balanced_weights_let_a_rare_class_count() -> None:
    x = np.random.default_rng(1).normal(size=(2000, 3))
    rare = (x[:, 0] + np.random.default_rng(2).normal(size=2000) > 2.2).astype(int)
    guesses = {}
    for weights in ("none", "balanced", [1.0, 20.0]):
        module, outcome = mlp(rare, 2, x=x, class_weights=weights, epochs=20)
        mean, std = (np.array(outcome.preprocessing[key]) for key in ("mean", "std"))
        with torch.no_grad():
            guesses[str(weights)] = int((module(torch.tensor((x - mean) / std, dtype=torch.float32)) > 0).sum())
    assert guesses["balanced"] > 2 * guesses["none"]
    assert guesses["[1.0, 20.0]"] > 2 * guesses["none"]


def test_that_weighted_losses_are_those_of_pytorch() -> None:
    from sensiview.models.losses import objective_for

    target = torch.tensor([0, 1, 1, 0, 1])
    recipe = TrainingRecipe(class_weights=[0.3, 2.0])
    two = torch.randn(5, 2)
    objective = objective_for(recipe, "logit", 2, target, 2, two)
    expected = functional.cross_entropy(two, target, weight=torch.tensor([0.3, 2.0]))
    torch.testing.assert_close(objective.loss(two, target), expected)
    torch.testing.assert_close(
        objective_for(recipe, "probability", 2, target, 2, two).loss(two.softmax(1), target), expected
    )
    # One logit z stands for the two logits (0, z).
    single = two[:, 1:] - two[:, :1]
    torch.testing.assert_close(objective_for(recipe, "logit", 1, target, 2, two).loss(single, target), expected)
    torch.testing.assert_close(
        objective_for(recipe, "probability", 1, target, 2, two).loss(torch.sigmoid(single), target), expected
    )


def test_that_early_stopping_keeps_the_best_weights() -> None:
    noise = np.random.default_rng(3).integers(0, 2, 300)
    module, outcome = mlp(noise, 2, epochs=500, early_stopping=5, learning_rate=0.05)
    assert len(outcome.history) == outcome.best_epoch + 5
    assert f"smallest in epoch {outcome.best_epoch}" in outcome.notes[-1]
    mean, std = (np.array(outcome.preprocessing[key]) for key in ("mean", "std"))
    test = outcome.split.test
    with torch.no_grad():
        logits = module(torch.tensor((X[test] - mean) / std, dtype=torch.float32))[:, 0]
    loss = functional.binary_cross_entropy_with_logits(logits, torch.tensor(noise[test], dtype=torch.float32))
    assert loss.item() == pytest.approx(outcome.history[outcome.best_epoch - 1].test_loss, rel=1e-5)


def test_that_every_epoch_is_told_and_a_stop_keeps_the_weights_so_far() -> None:
    told: list[EpochReport] = []

    def tell(report: EpochReport) -> None:
        told.append(report)
        if report.epoch == 3:
            raise Stopped

    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    start = module[0].weight.clone()
    threads = torch.get_num_threads()
    with pytest.raises(Stopped):
        train(module, TrainingRecipe(epochs=10), X, TWO, n_classes=2, emits="logit", on_epoch=tell)
    assert [report.epoch for report in told] == [1, 2, 3]
    assert not torch.equal(module[0].weight, start)
    assert not any(part.training for part in module.modules())
    assert torch.get_num_threads() == threads


def test_that_the_history_comes_as_columns() -> None:
    _, outcome = mlp(TWO, 2, epochs=4)
    columns = outcome.columns()
    assert list(columns) == ["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"]
    assert columns["epoch"] == [1, 2, 3, 4]
    assert columns["test_loss"][-1] == outcome.history[-1].test_loss
    assert columns["train_loss"][-1] < columns["train_loss"][0]


def test_that_a_network_that_does_not_take_the_inputs_is_a_sentence() -> None:
    with pytest.raises(ModelError, match="takes 5 values per row"):
        train(nn.Linear(5, 1), TrainingRecipe(epochs=1), X, TWO, n_classes=2, emits="logit")
    with pytest.raises(UserError, match="no weights to train"):
        train(nn.Flatten(), TrainingRecipe(epochs=1), X, THREE, n_classes=3, emits="logit")


def test_that_optimisers_differ_and_all_learn() -> None:
    accuracies = {}
    for optimiser, rate in (("sgd", 0.1), ("adam", 0.01), ("adamw", 0.01)):
        _, outcome = mlp(TWO, 2, optimiser=optimiser, learning_rate=rate, momentum=0.9 if optimiser == "sgd" else 0)
        accuracies[optimiser] = outcome.accuracy["test"]
    assert min(accuracies.values()) > 0.85


def test_that_a_network_of_images_trains_too() -> None:
    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(torch.relu(self.conv(x)).mean((2, 3)))

    images = np.random.default_rng(0).normal(5, 2, size=(60, 3, 8, 8))
    labels = (np.arange(60) % 2).astype(int)
    images[labels == 1, 0] += 3
    torch.manual_seed(0)
    recipe = TrainingRecipe(epochs=40, learning_rate=0.05)
    outcome = train(Small(), recipe, images, labels, n_classes=2, emits="logit")
    assert outcome.accuracy["test"] > 0.9
    assert len(outcome.preprocessing["mean"]) == 3


@pytest.mark.parametrize(
    "values", [{"epochs": 0}, {"learning_rate": 0}, {"momentum": 1}, {"class_weights": [-1, 1]}, {"x": 1}]
)
def test_that_impossible_recipes_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        TrainingRecipe(**values)
