"""Image networks from the command line: added with their preprocessing, trained, trained further."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sensiview.models.architectures import architectures
from sensiview.projects.store import Project
from tests.commands.conftest import Command


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("sensiview.models.inspection._TRIAL_BYTES", 2**20)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def animals(sensiview: Command, tmp_path: Path) -> Path:
    """A project with sixteen pictures of two classes."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / "in" / name).mkdir(parents=True)
        for k in range(8):
            pixels = (rng.integers(0, 100, (16, 16, 3)) + 100 * number).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / name / f"{k}.png")
    folder = tmp_path / "animals.sensiview"
    assert sensiview("new", folder).code == 0
    added = sensiview("add-dataset", folder, tmp_path / "in", "--name", "animals")
    assert added.code == 0, added.err
    return folder


SMALL = ("--architecture", "lenet", "--option", "filters=3,4", "--option", "hidden=5", "--option", "padding=2,2",
         "--option", "size=16")  # fmt: skip


def models_of(folder: Path) -> dict[str, Any]:
    with Project.open(folder, read_only=True) as project:
        return {source.card.name: source.card for source in project.models()}


def test_that_a_model_is_trained_and_trained_further(sensiview: Command, animals: Path) -> None:
    first = sensiview("train", animals, *SMALL, "--dataset", "animals", "--epochs", "1", "--name", "net", "--json")
    assert first.code == 0, first.err
    assert "learning_rate" in first.json["items"]
    assert "class_accuracy" in first.json["items"]
    more = sensiview("train", animals, "--from", "net", "--freeze", "--dataset", "animals", "--epochs", "1", "--json")
    assert more.code == 0, more.err
    cards = models_of(animals)
    assert list(cards) == ["net", "net, further"]
    assert cards["net, further"].training["from"] == "net"
    assert cards["net, further"].preprocessing == cards["net"].preprocessing


def test_that_folds_train_a_model_each(sensiview: Command, animals: Path) -> None:
    answer = sensiview("train", animals, *SMALL, "--dataset", "animals", "--epochs", "1", "--folds", "2", "--json")
    assert answer.code == 0, answer.err
    assert [model["name"] for model in answer.json["models"]] == ["lenet fold 0", "lenet fold 1"]
    tested = [set(card.training["test"]) for card in models_of(animals).values()]
    assert not tested[0] & tested[1]
    assert len(tested[0] | tested[1]) == 16


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--freeze", *SMALL), 1, "say which with --from MODEL"),
        (("--from", "nobody"), 1, "There is no model 'nobody'"),
        (("--from", "nobody", *SMALL), 2, "not allowed with argument"),
        ((), 2, "--architecture --from is required"),
        ((*SMALL, "--recipe", "schedule=linear"), 1, "schedule: "),
        (
            ("--architecture", "lenet", "--option", "filters=0"),
            1,
            "filters: Input should be greater than or equal to 1",
        ),
        (("--architecture", "lenet", "--option", "filters=8,x"), 1, "filters: '8,x' is no list of whole numbers"),
        (("--architecture", "lenet", "--option", "filters="), 1, "filters: at least 1 value must be given"),
        ((*SMALL, "--recipe", "size=1,2,3"), 1, "size: at most 2 values can be given"),
        ((*SMALL, "--device", "cuda:99"), 1, "There is no device 'cuda:99'"),
    ],
)
def test_that_what_does_not_go_together_is_a_sentence(
    sensiview: Command, animals: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    answer = sensiview("train", animals, "--dataset", "animals", *arguments)
    assert answer.code == code, answer.err
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_that_a_network_is_trained_with_the_preprocessing_of_a_file(
    sensiview: Command, animals: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.json"
    seen = {"kind": "image", "channels": 1, "resize": [20, 20], "size": [20, 20], "mean": [0.5], "std": [0.25]}
    settings.write_text(json.dumps(seen), encoding="utf-8")
    train = ("train", animals, "--dataset", "animals", *SMALL, "--epochs", "1", "--preprocessing", settings)
    answer = sensiview(*train, "--name", "own", "--json")
    assert answer.code == 0, answer.err
    card = models_of(animals)["own"]
    assert card.input_shape == (1, 20, 20)
    assert seen.items() <= card.preprocessing.items()
    for content, words in (
        ('{"kind": "volume"}', "training on images takes 'image'"),
        ('{"kind": "image", "sizes": [9, 9]}', "no setting 'sizes'. Did you mean 'size'?"),
        ("[1]", "must hold an object with 'kind'"),
    ):
        settings.write_text(content, encoding="utf-8")
        refused = sensiview(*train)
        assert (refused.code, words in refused.err) == (1, True), refused.err


def test_that_what_a_running_job_finds_is_a_failed_job(sensiview: Command, animals: Path) -> None:
    train = ("train", animals, "--dataset", "animals", "--architecture", "lenet", "--epochs", "1")
    before = sensiview(*train, "--option", "filters=0")
    within = sensiview(*train, "--recipe", "train_rows=0-1", "--recipe", "test_rows=2-3")
    assert (before.code, within.code) == (1, 3), (before.err, within.err)
    assert "All images to train on are of one class" in within.err


def test_that_a_table_has_no_start(sensiview: Command, project: Path) -> None:
    answer = sensiview("train", project, "--from", "net", "--dataset", "patients")
    assert answer.code == 1
    assert "Only trainings on images can start from a trained model" in answer.err


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    architecture = architectures()["squeezenet1_1"]
    module = architecture.build(architecture.parse({}), (3, 64, 64), 3)
    path = tmp_path / "w.pth"
    torch.save(module.state_dict(), path)
    return path


def test_that_preprocessing_and_classes_come_with_a_model(
    sensiview: Command, animals: Path, weights: Path, tmp_path: Path
) -> None:
    add = ("add-model", animals, "--architecture", "squeezenet1_1", "--weights", weights)
    classes, settings = tmp_path / "classes.json", tmp_path / "settings.json"
    classes.write_text(json.dumps({"0": ["n01", "ant"], "2": ["n03", "cow"], "1": ["n02", "bee"]}), encoding="utf-8")
    settings.write_text(json.dumps({"kind": "image", "size": [64, 64], "mean": [0.5], "std": [0.5]}), encoding="utf-8")
    usual = sensiview(*add, "--classes", classes, "--name", "usual", "--json")
    assert usual.code == 0, usual.err
    assert usual.json["preprocessing"]["resize"] == 256
    own = sensiview(*add, "--preprocessing", settings, "--name", "own", "--json")
    assert own.json["preprocessing"]["mean"] == [0.5]
    cards = models_of(animals)
    assert cards["usual"].class_names == ("ant", "bee", "cow")
    assert cards["own"].input_shape == (3, 64, 64)
    classes.write_text(json.dumps({"classes": ["a", "b"]}), encoding="utf-8")
    answer = sensiview(*add, "--classes", classes)
    assert (answer.code, "3 outputs; 2 class names" in answer.err) == (1, True)
    classes.write_text('["a", ', encoding="utf-8")
    assert "is not JSON" in sensiview(*add, "--classes", classes).err
    classes.write_text('{"a": {"b": 1}}', encoding="utf-8")
    assert "must hold the class names" in sensiview(*add, "--classes", classes).err
    settings.write_text(json.dumps({"kind": "image", "sizes": [64, 64]}), encoding="utf-8")
    assert "Did you mean 'size'" in sensiview(*add, "--preprocessing", settings).err
