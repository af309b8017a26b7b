"""From files to numbers: real weights give the figures known of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sensiview.errors import ModelError, UserError
from sensiview.models.architectures import Sizes, architectures
from sensiview.models.card import ModelCard
from sensiview.models.evaluation import Evaluator
from sensiview.models.opening import build, inspect_model, open_network
from sensiview.models.weights import save_weights


def source_of(path: Path | None, architecture: str, **known: Any) -> SimpleNamespace:
    card = ModelCard(name="model", architecture=architecture, **known)
    return SimpleNamespace(card=card, weights=path and SimpleNamespace(path=path), program=None)


@pytest.fixture
def pima(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    with (shared_data / "tabular" / "pima_diabetes.csv").open() as stream:
        values = np.array(list(csv.reader(stream))[1:], dtype=float)
    return values[:, :8], values[:, 8].astype(int)


def test_that_the_studys_own_weights_give_its_figures(shared_data: Path, pima: tuple[np.ndarray, np.ndarray]) -> None:
    rows, labels = pima
    reference = json.loads((shared_data / "tabular" / "reference_pima.json").read_text())
    weights = shared_data / "weights" / "pima_mlp_8-10-1_LUCI1a.pth"
    source = source_of(weights, "diabetes_net", class_names=("0", "1"), output_names=("Outcome=1",))
    found = inspect_model(source)
    assert found.keys is not None
    assert found.keys.fits
    assert found.card.options == {"hidden": 10}
    assert found.card.input_shape == (8,)
    assert found.card.emits == "probability"
    assert [layer.name for layer in found.card.layers] == ["fn1", "bn1", "relu", "fn2", "bn2", "sigmoid"]
    assert found.card.n_parameters == 123
    assert found.card.rows_per_second["cpu"] > 1000
    source.card = found.card
    evaluator = Evaluator(open_network(source, device="cpu"), ["auto", "fn1"])
    answer = evaluator(rows)
    assert evaluator.labels[:2] == ("Outcome=1", "fn1[0]")
    np.testing.assert_allclose(answer[:10, 0], reference["prob_first_10_rows"], atol=1e-6)
    right = (answer[:, 0] >= 0.5) == labels
    accuracy = reference["accuracy_eval_mode"]
    assert right[:500].mean() == accuracy["rows_0_500_train"] == 0.772
    assert right[500:700].mean() == accuracy["rows_500_700_test"] == 0.8
    assert right[700:].mean() == pytest.approx(accuracy["rows_700_768_unused"], abs=1e-4)


@pytest.mark.parametrize(
    ("file", "architecture", "classes", "note"),
    [
        ("squeezenet1_1_imagenet.pth", "squeezenet1_1", 1000, ""),
        ("lus_squeezenet1_1.pth", "squeezenet1_1", 3, ""),
        ("mobilenet_v2_imagenet_fp16.pth", "mobilenet_v2", 1000, "float16 in the file"),
    ],
)
def test_that_real_image_classifiers_open(
    shared_data: Path, file: str, architecture: str, classes: int, note: str
) -> None:
    source = source_of(shared_data / "weights" / file, architecture)
    source.card = inspect_model(source).card
    assert source.card.emits == "logit"
    assert source.card.input_shape == (3, 224, 224)
    assert len(source.card.output_names) == classes
    assert note in " ".join(source.card.notes)
    images = np.random.default_rng(0).normal(size=(2, 3, 224, 224)).astype(np.float32)
    answer = Evaluator(open_network(source, device="cpu"))(images)
    assert answer.shape == (2, classes)
    np.testing.assert_allclose(answer.sum(axis=1), 1, rtol=1e-4)


def test_that_weights_of_another_network_are_refused_with_the_table(shared_data: Path) -> None:
    folder = shared_data / "weights"
    with pytest.raises(ModelError, match=r"Are they weights of 'diabetes_net'\?"):
        inspect_model(source_of(folder / "mnist_lenet.pth", "diabetes_net"))
    with pytest.raises(ModelError, match="do not fit") as caught:
        inspect_model(source_of(folder / "mnist_lenet.pth", "squeezenet1_1"))
    assert "missing in the file" in caught.value.details


def saved(path: Path, architecture: str, options: dict[str, Any], sizes: Sizes) -> Path:
    known = architectures()[architecture]
    save_weights(build(known, known.parse(options), sizes, seed=4), path)
    return path


def test_that_a_wrapped_and_renamed_state_is_still_understood(tmp_path: Path) -> None:
    known = architectures()["mlp"]
    state = build(known, known.parse({"hidden": (6,)}), Sizes((4,), 3)).state_dict()
    torch.save({"state_dict": {f"module.{key}": value for key, value in state.items()}}, tmp_path / "c.pth")
    found = inspect_model(source_of(tmp_path / "c.pth", "mlp", class_names=("a", "b", "c")))
    assert found.card.options["hidden"] == [6]
    assert "module." in " ".join(found.card.notes)


def test_that_a_single_plain_output_is_a_value_until_classes_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", "mlp", {}, Sizes((4,), 1))
    assert inspect_model(source_of(path, "mlp")).card.emits == "value"
    assert "Name its two classes" in " ".join(inspect_model(source_of(path, "mlp")).card.notes)
    assert inspect_model(source_of(path, "mlp", class_names=("n", "y"))).card.emits == "logit"


def test_that_opening_draws_nothing_from_the_global_random_state(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", "mlp", {}, Sizes((4,), 1))
    source = source_of(path, "mlp")
    before = torch.get_rng_state()
    source.card = inspect_model(source).card
    open_network(source, device="cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_that_float64_weights_are_computed_in_float64(tmp_path: Path) -> None:
    known = architectures()["mlp"]
    module = build(known, known.parse({}), Sizes((4,), 1)).double()
    save_weights(module, tmp_path / "w.safetensors")
    source = source_of(tmp_path / "w.safetensors", "mlp")
    source.card = inspect_model(source).card
    rows = np.random.default_rng(0).normal(size=(20, 4))
    answer = Evaluator(open_network(source, device="cpu"))(rows)
    np.testing.assert_allclose(answer, module(torch.tensor(rows)).detach().numpy(), rtol=1e-12)


def test_that_preprocessing_and_names_are_kept(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", "mlp", {}, Sizes((2,), 1))
    preprocessing = {"kind": "standardise", "mean": [1.0, 2.0], "std": [3.0, 4.0]}
    names = ("Größe, cm", 'the "weight"')
    card = inspect_model(source_of(path, "mlp", preprocessing=preprocessing, input_names=names)).card
    assert card.preprocessing == preprocessing
    assert card.input_names == names
    with pytest.raises(ModelError, match="1 input names"):
        inspect_model(source_of(path, "mlp", input_names=("a",)))
    with pytest.raises(ModelError, match="3 class names"):
        inspect_model(source_of(path, "mlp", class_names=("a", "b", "c")))


def test_that_an_image_size_is_a_choice(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", "squeezenet1_1", {}, Sizes((3, 64, 64), 2))
    assert inspect_model(source_of(path, "squeezenet1_1", options={"size": 64})).card.input_shape == (3, 64, 64)
    assert inspect_model(source_of(path, "squeezenet1_1", input_shape=(3, 48, 80))).card.input_shape == (3, 48, 80)


def test_that_a_model_without_files_or_with_an_unknown_architecture_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Choose a file"):
        inspect_model(source_of(None, "mlp"))
    with pytest.raises(ModelError, match="neither weights nor a program"):
        open_network(source_of(None, "mlp"))
    path = saved(tmp_path / "w.safetensors", "mlp", {}, Sizes((2,), 1))
    with pytest.raises(UserError, match="no architecture 'mpl'"):
        inspect_model(source_of(path, "mpl"))
    with pytest.raises(ModelError, match="not complete"):
        open_network(source_of(path, "mlp"))


def test_that_the_same_seed_builds_the_same_network() -> None:
    known = architectures()["mlp"]
    one, other, third = (build(known, known.parse({}), Sizes((4,), 2), seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.linear1.weight, other.linear1.weight)
    assert not torch.equal(one.linear1.weight, third.linear1.weight)
