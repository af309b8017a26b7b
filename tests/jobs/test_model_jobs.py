"""Training and inspection as jobs, with real networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.item_files import from_plain, has_items, read_items
from sensiview.analysis.items import Curve, IndexTable
from sensiview.analysis.sources import DatasetSource, ModelSource
from sensiview.datasets.reading import read_table, understand
from sensiview.files import fingerprint
from sensiview.jobs import run_folder
from sensiview.jobs.events import FINAL, Advanced, Event, Failed, Previewed, StoppedByUser, Succeeded, Warned
from sensiview.jobs.execution import execute
from sensiview.jobs.task import Task
from sensiview.models.card import ModelCard


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks of thirty weights: threads that wait for each other would be what is measured."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def dataset(tmp_path: Path, *, target: str = "ill", missing: bool = False) -> DatasetSource:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(120, 3)), columns=["age", "Größe, cm", 'say "x"'])
    frame["ill"] = np.where(frame["age"] + 0.3 * rng.normal(size=120) > 0, "yes", "no")
    frame["weight"] = 70_000 + 1000 * frame["age"]
    if missing:
        frame.loc[[3, 50], "ill"] = None
        frame.loc[7, "age"] = np.nan
    path = tmp_path / "patients.csv"
    frame.to_csv(path, index=False)
    table = read_table(path, understand(path), name="patients", target=target)
    return DatasetSource(id="d1", card=table.card, files=(fingerprint(path),))


def events_of(task: Task, stop_after: int | None = None) -> list[Event]:
    events: list[Event] = []

    def cancelled() -> bool:
        return stop_after is not None and sum(isinstance(e, Advanced) for e in events) >= stop_after

    execute(task, Catalogue(), events.append, cancelled)
    assert [event for event in events if isinstance(event, FINAL)] == events[-1:]
    return events


def training(
    tmp_path: Path, source: DatasetSource, run: str = "training-1", architecture: str = "mlp", **recipe: Any
) -> Task:
    return Task(
        kind="training",
        run=run,
        directory=tmp_path / run,
        analysis="training",
        parameters={"epochs": 30, **recipe},
        dataset=source,
        model=ModelSource(id="", card=ModelCard(name="net", architecture=architecture)),
        device="cpu",
        seed=4,
    )


def inspection(tmp_path: Path, weights: Path, card: ModelCard) -> Task:
    source = ModelSource(id="", card=card, weights=fingerprint(weights))
    return Task(kind="inspection", run="inspection", directory=tmp_path / "inspection", model=source)


def frame_of(directory: Path, name: str) -> pd.DataFrame:
    item = read_items(directory)[name]
    assert isinstance(item, IndexTable | Curve)
    return item.frame


@pytest.mark.parametrize("missing", [False, True])
def test_that_a_training_leaves_weights_card_and_curves(tmp_path: Path, missing: bool) -> None:
    source = dataset(tmp_path, missing=missing)
    task = training(tmp_path, source)
    events = events_of(task)
    final = events[-1]
    assert isinstance(final, Succeeded), final
    assert final.items == ("loss", "accuracy", "summary")
    loss = frame_of(task.directory, "loss")
    assert list(loss.columns) == ["epoch", "series", "loss"]
    assert loss.groupby("series")["epoch"].agg(list).to_dict() == {
        split: list(range(1, 31)) for split in ("train", "test")
    }
    summary = frame_of(task.directory, "summary").set_index("split")
    assert summary.loc["train", "rows"] + summary.loc["test", "rows"] == (117 if missing else 120)
    card = ModelCard.model_validate_json((task.directory / "model_card.json").read_text(encoding="utf-8"))
    assert card.input_names == source.card.features
    assert card.class_names == ("no", "yes")
    assert card.architecture == "mlp"
    assert card.accuracy == summary["accuracy"].to_dict()
    assert card.accuracy["test"] > 0.6
    assert card.preprocessing["kind"] == "standardise"
    assert (task.directory / "model.safetensors").is_file()
    record = run_folder.read_record(task.directory)
    assert record["parameters"]["recipe"]["epochs"] == 30
    assert record["parameters"]["recipe"]["optimiser"]
    assert record["evaluations"] == 30 * (117 if missing else 120)
    if missing:
        assert any(isinstance(event, Warned) for event in events)


def test_that_a_trained_model_opens_again_and_gives_the_accuracy_of_its_card(tmp_path: Path) -> None:
    from sensiview.datasets.opening import open_table
    from sensiview.models.opening import open_network

    source = dataset(tmp_path)
    task = training(tmp_path, source, train_rows="0-99", test_rows="100-119")
    events_of(task)
    card = ModelCard.model_validate_json((task.directory / "model_card.json").read_text(encoding="utf-8"))
    model = ModelSource(id="m", card=card, weights=fingerprint(task.directory / "model.safetensors"))
    network, table = open_network(model, device="cpu"), open_table(source)
    with network.measuring():
        output = network.module(network.preprocess(torch.from_numpy(table.features()))).numpy()
    guess = output.argmax(axis=1) if output.shape[1] == 2 else output[:, 0] > (0 if card.emits == "logit" else 0.5)
    right = guess == table.labels()
    assert card.accuracy == pytest.approx({"train": right[:100].mean(), "test": right[100:].mean()})


def test_that_the_same_seed_trains_the_same_weights(tmp_path: Path) -> None:
    source = dataset(tmp_path)
    for run in ("a", "b"):
        events_of(training(tmp_path, source, run=run))
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (tmp_path / "b" / "model.safetensors").read_bytes()


def test_that_a_target_of_numbers_is_trained_too(tmp_path: Path) -> None:
    task = training(tmp_path, dataset(tmp_path, target="weight"), epochs=200)
    assert isinstance(events_of(task)[-1], Succeeded)
    card = ModelCard.model_validate_json((task.directory / "model_card.json").read_text(encoding="utf-8"))
    assert card.emits == "value"
    assert card.output_names == ("weight",)
    assert card.accuracy["test"] > 0.8


def test_that_training_shows_live_curves_of_bounded_size(tmp_path: Path) -> None:
    task = training(tmp_path, dataset(tmp_path), epochs=3000, batch_size=0)
    events = events_of(task)
    assert isinstance(events[-1], Succeeded)
    previews = [event for event in events if isinstance(event, Previewed)]
    # How many are shown depends on the machine; a slow one may end before the second curve's turn.
    assert {event.name for event in previews} <= {"loss", "accuracy"}
    assert previews
    last = from_plain(previews[-1].item)
    assert isinstance(last, Curve)
    assert len(last.frame) <= 800
    advanced = [event for event in events if isinstance(event, Advanced)]
    assert (advanced[-1].done, advanced[-1].total) == (3000, 3000)


def test_that_a_training_stops_within_an_epoch(tmp_path: Path) -> None:
    task = training(tmp_path, dataset(tmp_path), epochs=100_000)
    assert isinstance(events_of(task, stop_after=2)[-1], StoppedByUser)
    assert not has_items(task.directory)
    assert not (task.directory / "model.safetensors").exists()


@pytest.mark.parametrize(
    "recipe, sentence",
    [
        ({"epoch": 3}, "There is no training setting 'epoch'. Did you mean 'epochs'?"),
        ({"epochs": "many"}, "epochs: Input should be a valid integer"),
        ({"learning_rate": -1}, "learning_rate: Input should be greater than 0"),
        ({"train_rows": "0-9999"}, "9999"),
        ({"standardise": False, "learning_rate": 10, "optimiser": "sgd", "train_rows": "0-99"}, ""),
    ],
)
def test_that_settings_that_do_not_fit_are_a_sentence(tmp_path: Path, recipe: Mapping[str, Any], sentence: str) -> None:
    events = events_of(training(tmp_path, dataset(tmp_path), **recipe))
    if sentence:
        assert isinstance(events[-1], Failed)
        assert sentence in events[-1].sentence
        assert events[-1].user_error
    else:
        assert isinstance(events[-1], Succeeded)


def test_that_lists_may_be_written_as_text(tmp_path: Path) -> None:
    task = training(tmp_path, dataset(tmp_path), class_weights="[1, 3]", epochs="5")
    assert isinstance(events_of(task)[-1], Succeeded)
    assert run_folder.read_record(task.directory)["parameters"]["recipe"]["class_weights"] == [1.0, 3.0]


@pytest.mark.parametrize(
    "architecture, sentence",
    [("mpl", "There is no architecture 'mpl'"), ("resnet18", "is trained on images, not on a table")],
)
def test_that_an_architecture_that_does_not_fit_is_a_sentence(tmp_path: Path, architecture: str, sentence: str) -> None:
    final = events_of(training(tmp_path, dataset(tmp_path), architecture=architecture))[-1]
    assert isinstance(final, Failed)
    assert sentence in final.sentence


def test_that_an_inspection_completes_the_card_and_shows_every_key(tmp_path: Path) -> None:
    task = training(tmp_path, dataset(tmp_path))
    events_of(task)
    weights = task.directory / "model.safetensors"
    look = inspection(tmp_path, weights, ModelCard(name="again", architecture="mlp", class_names=("no", "yes")))
    final = events_of(look)[-1]
    assert isinstance(final, Succeeded), final
    keys = frame_of(look.directory, "keys")
    assert list(keys.columns) == ["key", "state", "file_shape", "model_shape"]
    assert set(keys["state"]) == {"fits"}
    card = ModelCard.model_validate_json((look.directory / "model_card.json").read_text(encoding="utf-8"))
    assert card.input_shape == (4,)
    assert card.n_parameters > 0


def test_that_weights_of_another_network_give_the_table_of_keys_in_the_details(tmp_path: Path) -> None:
    task = training(tmp_path, dataset(tmp_path), architecture="diabetes_net", train_rows="0-99", test_rows="100-119")
    events_of(task)
    state = dict(safetensors.torch.load_file(task.directory / "model.safetensors"))
    first = next(key for key in state if key.endswith("weight"))
    weights = tmp_path / "other.pth"
    torch.save({key: value for key, value in state.items() if key != first} | {"extra.weight": torch.zeros(3)}, weights)
    card = ModelCard(name="x", architecture="diabetes_net", input_shape=(4,), class_names=("no", "yes"))
    look = inspection(tmp_path, weights, card)
    final = events_of(look)[-1]
    assert isinstance(final, Failed)
    assert final.user_error
    assert first in final.details
    assert "extra.weight" in final.details
    assert not (look.directory / "model_card.json").exists()


def test_that_the_authors_weights_are_inspected(tmp_path: Path, shared_data: Path) -> None:
    weights = shared_data / "weights" / "pima_mlp_8-10-1_LUCI1a.pth"
    look = inspection(tmp_path, weights, ModelCard(name="Pima", architecture="diabetes_net", class_names=("0", "1")))
    final = events_of(look)[-1]
    assert isinstance(final, Succeeded), final
    card = ModelCard.model_validate_json((look.directory / "model_card.json").read_text(encoding="utf-8"))
    assert card.input_shape == (8,)
    assert card.emits == "probability"
