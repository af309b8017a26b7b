"""Predictions, confusion and accuracy against values by hand and scikit-learn's formulas."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import nn

from sensiview.analysis.classification_items import Answers, classification_items, wilson
from sensiview.analysis.items import IndexTable, Matrix, Note
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.image_memory import images_from_arrays
from sensiview.datasets.images import ImageSet
from sensiview.methods.classification import Classification, ClassificationParameters
from sensiview.models.network import network_from_module

ANALYSIS = Classification()


class Brightest(nn.Module):
    """Logits are ten times the mean of red, green and blue: the brightest colour is the answer."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return 10 * rows.mean(dim=(2, 3))


def tinted(colours: str, labels: list[str]) -> ImageSet:
    """One image per letter: r, g or b is its bright channel."""
    rows = np.full((len(colours), 3, 4, 4), 0.2, dtype=np.float32)
    for place, colour in enumerate(colours):
        rows[place, "rgb".index(colour)] = 0.7
    return images_from_arrays(rows, labels=labels)


def study_of(
    images: ImageSet,
    module: nn.Module | None = None,
    names: tuple[str, ...] = ("r", "g", "b"),
    emits: Literal["logit"] | None = "logit",
) -> Study:
    def network() -> Any:
        return network_from_module(
            module or Brightest(),
            sample=images.image(0)[None],
            name="net",
            class_names=names,
            emits=emits,
            device="cpu",
        )

    return Study(
        dataset=images.card, model=network().card, device="cpu", images_loader=lambda: images, network_loader=network
    )


def run(study: Study, **parameters: Any) -> Result:
    chosen = ClassificationParameters.parse(parameters)
    assert ANALYSIS.against(study, chosen) == []
    result = ANALYSIS.run(study, chosen, Silent())
    assert result.evaluations == ANALYSIS.cost(study, chosen).evaluations
    return result


def table(result: Result, name: str) -> Any:
    item = result[name]
    assert isinstance(item, IndexTable)
    return item.frame


def test_that_predictions_are_the_softmax_by_hand() -> None:
    frame = table(run(study_of(tinted("rgb", ["r", "g", "r"]))), "predictions")
    assert frame["predicted"].tolist() == ["r", "g", "b"]
    assert frame["correct"].tolist() == ["yes", "yes", "no"]
    p = math.exp(7) / (math.exp(7) + 2 * math.exp(2))
    np.testing.assert_allclose(frame["probability"], p, rtol=1e-5)
    np.testing.assert_allclose(frame["probability_of_class"], [p, p, (1 - p) / 2], rtol=1e-4)


def test_that_confusion_and_classes_count_by_hand() -> None:
    result = run(study_of(tinted("rrgbbb", ["r", "r", "r", "g", "b", "b"])))
    confusion = result["confusion"]
    assert isinstance(confusion, Matrix)
    assert confusion.rows == confusion.columns == ("r", "g", "b")
    np.testing.assert_array_equal(confusion.values, [[2, 1, 0], [0, 0, 1], [0, 0, 2]])
    classes = table(result, "per_class").set_index("class")
    np.testing.assert_allclose(classes["recall"], [2 / 3, 0, 1])
    np.testing.assert_allclose(classes["precision"], [1, 0, 2 / 3])
    np.testing.assert_allclose(classes["f1"], [0.8, 0, 0.8])
    accuracy = table(result, "accuracy").iloc[0]
    assert accuracy["right"] == 4
    assert accuracy["balanced_accuracy"] == pytest.approx((2 / 3 + 0 + 1) / 3)


def test_that_scores_agree_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(12), 200)
    names = tuple(f"c{k:02d}" for k in range(12))
    codes = rng.integers(0, 12, 200)
    truth = [names[code] for code in codes]
    empty = [""] * 200
    items = classification_items(Answers("image", truth, truth, names, probabilities, truth, empty))
    predicted = probabilities.argmax(axis=1)
    accuracy = items["accuracy"].frame.iloc[0]  # type: ignore[attr-defined]
    assert accuracy["accuracy"] == pytest.approx(metrics.accuracy_score(codes, predicted))
    assert accuracy["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(codes, predicted))
    assert accuracy["cross_entropy"] == pytest.approx(metrics.log_loss(codes, probabilities))
    assert accuracy["top_5_accuracy"] == pytest.approx(metrics.top_k_accuracy_score(codes, probabilities, k=5))
    precision, recall, f1, n = metrics.precision_recall_fscore_support(codes, predicted, zero_division=np.nan)
    classes = items["per_class"].frame  # type: ignore[attr-defined]
    np.testing.assert_allclose(classes["recall"], recall)
    np.testing.assert_allclose(classes["precision"], precision)
    np.testing.assert_allclose(classes["f1"], f1)
    np.testing.assert_array_equal(classes["n"], n)
    np.testing.assert_array_equal(items["confusion"].values, metrics.confusion_matrix(codes, predicted))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("right", "total", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_that_wilsons_interval_is_the_published_one(right: int, total: int, low: float, high: float) -> None:
    assert wilson(right, total) == pytest.approx((low, high), abs=1e-4)
    assert all(math.isnan(bound) for bound in wilson(0, 0))


def test_that_a_split_is_told_by_itself() -> None:
    images = tinted("rgbb", ["r", "g", "b", "r"])
    card = images.card.model_copy(update={"extra": {**images.card.extra, "split": "part"}})
    images = ImageSet(card, images.entries, images.table.assign(part=["train", "train", "test", "test"]))
    result = run(study_of(images))
    accuracy = table(result, "accuracy").set_index("split")
    assert accuracy["accuracy"].to_dict() == {"all": 0.75, "train": 1.0, "test": 0.5}
    confusion = result["confusion_test"]
    assert isinstance(confusion, Matrix)
    assert confusion.values.sum() == 2


def test_that_the_networks_own_test_images_come_before_the_datas_split() -> None:
    images = tinted("rgb", ["r", "g", "b"])
    study = study_of(images)
    assert study.network_loader is not None
    network = study.network_loader()
    training = {"train": ["image 0", "image 1"], "test": ["image 2"]}
    network.card = network.card.model_copy(update={"training": training})
    study = Study(
        dataset=images.card,
        model=network.card,
        device="cpu",
        images_loader=lambda: images,
        network_loader=lambda: network,
    )
    assert table(run(study), "predictions")["split"].tolist() == ["train", "train", "test"]


def test_that_a_selection_is_classified_alone() -> None:
    frame = table(run(study_of(tinted("rgb", ["r", "g", "r"])), images="class=r"), "predictions")
    assert frame["image"].tolist() == ["image 0", "image 2"]


def test_that_images_without_classes_are_predicted_only() -> None:
    images = images_from_arrays(np.full((2, 3, 4, 4), 0.5, dtype=np.float32))
    result = run(study_of(images))
    assert set(result) == {"predictions", "note"}
    note = result["note"]
    assert isinstance(note, Note)
    assert "has no classes" in note.text


def test_that_classes_the_network_does_not_know_are_said_and_not_counted() -> None:
    result = run(study_of(tinted("rgb", ["r", "zebra", "b"])))
    assert table(result, "accuracy").iloc[0]["n"] == 2
    assert any("1 images are of classes that 'net' does not know (zebra" in warning for warning in result.warnings)


def test_that_outputs_without_names_are_taken_as_classes_and_a_quantity_is_refused() -> None:
    images = images_from_arrays(np.full((2, 3, 4, 4), 0.5, dtype=np.float32))
    result = run(study_of(images, names=(), emits=None))
    assert table(result, "predictions")["predicted"].tolist() == ["output[0]"] * 2
    assert any("has no class names" in warning for warning in result.warnings)

    class Mean(nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows.mean(dim=(1, 2, 3))[:, None]

    assert "tells no classes apart" in ANALYSIS.obstacles(study_of(images, Mean(), names=(), emits=None))[0]


def test_that_a_selection_of_nothing_and_a_table_are_sentences() -> None:
    study = study_of(tinted("rgb", ["r", "g", "b"]))
    assert "There is no image 7" in ANALYSIS.problems(study, ClassificationParameters(images="7"))[0]
    assert study.dataset is not None
    table_card = study.dataset.model_copy(update={"kind": "table"})
    assert "works on images or volumes" in ANALYSIS.obstacles(Study(dataset=table_card, model=study.model))[0]


def test_that_a_single_output_stands_for_two_classes() -> None:
    class Red(nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return 20 * (rows[:, :1].mean(dim=(2, 3)) - 0.5)

    frame = table(run(study_of(tinted("rg", ["yes", "no"]), Red(), names=("no", "yes"))), "predictions")
    assert frame["predicted"].tolist() == ["yes", "no"]
    np.testing.assert_allclose(frame["probability"], 1 / (1 + np.exp([-4, -6])), rtol=1e-5)
