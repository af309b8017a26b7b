"""Training on volumes as a job: from files of a cohort to a model that knows its folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.item_files import read_items
from sensiview.analysis.items import Curve, IndexTable, Matrix
from sensiview.analysis.sources import DatasetSource, ModelSource
from sensiview.datasets.cohort import understand_cohort
from sensiview.datasets.folds import assign_folds
from sensiview.datasets.volume_opening import open_volumes
from sensiview.files import fingerprint
from sensiview.jobs.events import FINAL, Advanced, Checkpointed, Event, Failed, StageBegan, StoppedByUser, Succeeded
from sensiview.jobs.events import Warned as Said
from sensiview.jobs.execution import execute
from sensiview.jobs.task import Task
from sensiview.models.card import ModelCard
from sensiview.models.opening import open_network
from sensiview.numerics.volume_inputs import VolumeInputs

SIZE = (9, 10, 8)
AFFINE = np.array([[-3.0, 0, 0, 90], [0, 3, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1]])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tiny networks: threads that wait for each other, and timing them on large batches, would take all the time."""
    monkeypatch.setattr("sensiview.models.inspection._TRIAL_BYTES", 2**20)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def cohort(
    folder: Path, *, scale: float = 1.0, labels: Callable[[int], str] | None = None, wide: int = -1
) -> DatasetSource:
    """Fifteen subjects, one with two visits; patients have a darker corner."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    name_of = labels or (lambda subject: "ill" if subject % 2 else "well")
    rows, volumes = [], [*((s, 1) for s in range(15)), (3, 2)]
    for subject, visit in volumes:
        values = 0.6 + 0.3 * rng.random((SIZE[0] + (subject == wide), *SIZE[1:]))
        values[:4, :4, :4] *= 0.3 if subject % 2 else 1.0
        name = f"sub-{subject:02d}_ses-M{visit:02d}_T1w.nii.gz"
        nib.save(nib.Nifti1Image((scale * values).astype(np.float32), AFFINE), folder / name)
    for subject in range(15):
        rows.append({"participant_id": f"sub-{subject:02d}", "diagnosis": name_of(subject), "age": 60 + subject})
    pd.DataFrame(rows).to_csv(folder / "participants.tsv", sep="\t", index=False)
    found = understand_cohort([folder], name="Kohorte ä", target="diagnosis")
    return DatasetSource(id="d1", card=found.card, files=tuple(fingerprint(path) for path in found.files))


def training(tmp_path: Path, source: DatasetSource, run: str = "t-1", **recipe: Any) -> Task:
    recipe |= recipe.pop("recipe", {})
    options = recipe.pop("options", {"channels": "3,4", "dropout": "0.2"})
    again = recipe.pop("checkpoint", None)
    card = ModelCard(name="net", architecture=recipe.pop("architecture", "cnn3d"), options=options)
    return Task(
        kind="training", run=run, directory=tmp_path / run, analysis="training",
        parameters={"epochs": 3, "batch_size": "5", **recipe},
        dataset=source, model=ModelSource(id="", card=card), device="cpu", seed=4, checkpoint=again,
    )  # fmt: skip


def events_of(task: Task, stop: Callable[[list[Event]], bool] = lambda events: False) -> list[Event]:
    events: list[Event] = []
    execute(task, Catalogue(), events.append, lambda: stop(events))
    assert [event for event in events if isinstance(event, FINAL)] == events[-1:]
    return events


def card_of(task: Task) -> ModelCard:
    return ModelCard.model_validate_json((task.directory / "model_card.json").read_text(encoding="utf-8"))


def test_that_a_fold_is_trained_and_says_so(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in")
    task = training(tmp_path, source, folds=3, fold=1, epochs=12, recipe={"run": 2})
    events = events_of(task)
    assert isinstance(events[-1], Succeeded), events[-1]
    # Stages that are over within a twentieth of a second may go unsaid.
    assert "Reading the volumes" in {e.name for e in events if isinstance(e, StageBegan)}
    card = card_of(task)
    folds = assign_folds(*_subjects(source), 3, 1)
    assert card.training["test"] == [n for n in card.training["test"] if folds[n[:6]] == 1]
    assert not {n[:6] for n in card.training["train"]} & {n[:6] for n in card.training["test"]}
    assert len(card.training["train"]) + len(card.training["test"]) == 16
    assert {k: card.training[k] for k in ("folds", "fold", "run", "seed", "dataset")} == {
        "folds": 3, "fold": 1, "run": 2, "seed": 4, "dataset": "Kohorte ä",
    }  # fmt: skip
    assert card.training["balanced_accuracy"] == card.accuracy["balanced test"]
    assert {"train", "test", "balanced train", "AUC test"} <= set(card.accuracy)
    assert card.preprocessing["orientation"] == "LAS"
    assert (card.preprocessing["intensity"], card.preprocessing["fit"]) == ("none", None)
    assert card.class_names == ("ill", "well")
    assert card.input_shape == (1, *SIZE)
    items = read_items(task.directory)
    assert list(items) == [
        "summary", "loss", "accuracy", "learning_rate", "confusion", "class_accuracy", "predictions",
    ]  # fmt: skip
    assert isinstance(items["accuracy"], Curve)
    assert items["accuracy"].y == ("accuracy", "balanced_accuracy")
    assert isinstance(items["confusion"], Matrix)
    assert items["confusion"].values.sum() == len(card.training["test"])
    assert isinstance(items["predictions"], IndexTable)
    frame = items["predictions"].frame
    assert list(frame) == ["volume", "subject", "fold", "split", "true", "predicted", "probability"]
    right = (frame["true"] == frame["predicted"])[frame["split"] == "test"]
    assert right.mean() == pytest.approx(card.accuracy["test"])
    _predicts_the_same(task, source, card, frame)


def _predicts_the_same(task: Task, source: DatasetSource, card: ModelCard, frame: pd.DataFrame) -> None:
    """The saved model gives the probabilities of the table, from raw volumes."""
    saved = ModelSource(id="", card=card, weights=fingerprint(task.directory / "model.safetensors"))
    volumes = open_volumes(source)
    inputs = VolumeInputs(open_network(saved, device="cpu"), volumes)
    places = volumes.select(list(frame["volume"]))
    with inputs.network.measuring():
        output = inputs.forward(inputs.tensor(places), volumes.grid())
        got = inputs.scores(output, inputs.targets("true", places), "probability").numpy()
    wanted = frame.set_index("volume")["probability"][[volumes.names[i] for i in places]]
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def _subjects(source: DatasetSource) -> tuple[list[str], list[int]]:
    volumes = open_volumes(source)
    return list(volumes.subjects), volumes.labels().tolist()


def test_that_folds_kept_with_the_data_set_are_used(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in")
    kept = {"k": 2, "seed": 77, "assignment": {s: int(s[-2:]) // 8 for s in _subjects(source)[0]}}
    card = source.card.model_copy(update={"extra": {**source.card.extra, "folds": kept}})
    source = source.model_copy(update={"card": card})
    task = training(tmp_path, source, folds=2, fold=1, epochs=1)
    events_of(task)
    assert {name[:6] for name in card_of(task).training["test"]} == {f"sub-{s:02d}" for s in range(8, 15)}
    other = training(tmp_path, source, "t-2", folds=2, fold=1, epochs=1, split_seed=5)
    events_of(other)
    folds = assign_folds(*_subjects(source), 2, 5)
    assert {folds[name[:6]] for name in card_of(other).training["test"]} == {1}


def test_that_a_stopped_training_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in")
    whole = training(tmp_path, source, "whole", epochs=5)
    events_of(whole)
    first = training(tmp_path, source, "cut", epochs=5)
    events = events_of(first, lambda events: sum(isinstance(e, Checkpointed) for e in events) >= 1)
    assert isinstance(events[-1], StoppedByUser)
    second = training(tmp_path, source, "cut", epochs=5, checkpoint=first.directory)
    events = events_of(second)
    assert isinstance(events[-1], Succeeded)
    assert not [e for e in events if isinstance(e, Said)]
    assert (second.directory / "model.safetensors").read_bytes() == (whole.directory / "model.safetensors").read_bytes()
    assert read_items(second.directory)["loss"].frame.equals(read_items(whole.directory)["loss"].frame)
    assert (second.directory / "checkpoint.npz").stat().st_size < 2000
    changed = training(tmp_path, source, "other", epochs=4, checkpoint=first.directory)
    assert any(isinstance(e, Said) and "begins anew" in e.sentence for e in events_of(changed))


def test_that_scanner_intensities_are_scaled(tmp_path: Path) -> None:
    task = training(tmp_path, cohort(tmp_path / "in", scale=900.0), epochs=1)
    events_of(task)
    assert card_of(task).preprocessing | {"percentile": 99.5, "clip": 1.5} == card_of(task).preprocessing
    assert card_of(task).preprocessing["intensity"] == "percentile"


def test_that_missing_labels_are_left_out_and_counted(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in", labels=lambda s: "" if s == 4 else "ill" if s % 2 else "well")
    task = training(tmp_path, source, epochs=1)
    events = events_of(task)
    assert any(isinstance(e, Said) and e.sentence.startswith("1 of 16 volumes have no label") for e in events)
    assert "sub-04" not in {n[:6] for part in ("train", "test") for n in card_of(task).training[part]}


def test_that_volumes_of_different_grids_are_trained_on_when_they_are_fitted(tmp_path: Path) -> None:
    source = cohort(tmp_path / "in", wide=6)
    failed = events_of(training(tmp_path, source, epochs=1))[-1]
    assert isinstance(failed, Failed)
    assert "set 'fit'" in failed.sentence
    task = training(tmp_path, source, "fitted", epochs=1, fit="8,12,8")
    assert isinstance(events_of(task)[-1], Succeeded)
    assert card_of(task).input_shape == (1, 8, 12, 8)


def test_that_rows_chosen_by_name_are_used(tmp_path: Path) -> None:
    task = training(tmp_path, cohort(tmp_path / "in"), epochs=1, test_rows="sub-03,sub-04")
    assert isinstance(events_of(task)[-1], Succeeded)
    assert {n[:6] for n in card_of(task).training["test"]} == {"sub-03", "sub-04"}
    assert len(card_of(task).training["test"]) == 3


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"folds": 40}, "Use fewer folds"),
        ({"folds": 3, "fold": 3}, "counted from 0"),
        ({"architecture": "mlp", "options": {}}, "trained on a table"),
        ({"options": {"channels": "2,2,2,2,2"}}, "can't be halved 5 times"),
        ({"options": {"input_size": "4,4,4"}}, "input size does not fit"),
        ({"test_rows": "sub-99"}, "no volume or subject 'sub-99'"),
        ({"fit": "8,8"}, "three numbers"),
        ({"loss": "mean_squared_error"}, "Use 'auto'"),
        ({"class_weights": "[1, 2, 3]"}, "3 class weights for 2 classes"),
    ],
)
def test_that_wrong_settings_are_sentences(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    failed = events_of(training(tmp_path, cohort(tmp_path / "in"), **changes))[-1]
    assert isinstance(failed, Failed)
    assert sentence in failed.sentence
    assert failed.user_error


def test_that_a_cancel_is_obeyed_within_an_epoch(tmp_path: Path) -> None:
    task = training(tmp_path, cohort(tmp_path / "in"), epochs=100_000)
    events = events_of(task, lambda events: sum(isinstance(e, Advanced) for e in events) >= 2)
    assert isinstance(events[-1], StoppedByUser)
    assert not (task.directory / "model.safetensors").exists()
