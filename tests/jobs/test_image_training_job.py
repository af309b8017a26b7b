"""Training on images as a job: from files to a model that knows its groups, its classes and where it started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.item_files import read_items
from sensiview.analysis.items import Curve, IndexTable, Matrix
from sensiview.analysis.sources import DatasetSource, ModelSource
from sensiview.datasets.image_opening import open_images
from sensiview.datasets.image_understanding import understand_images
from sensiview.files import fingerprint
from sensiview.jobs.events import FINAL, Checkpointed, Event, Failed, StageBegan, StoppedByUser, Succeeded
from sensiview.jobs.events import Warned as Said
from sensiview.jobs.execution import execute
from sensiview.jobs.task import Task
from sensiview.models.card import ModelCard
from sensiview.models.opening import open_network
from sensiview.numerics.image_inputs import ImageInputs

OPTIONS = {"filters": "4,4", "hidden": "6", "size": "16", "padding": "2,2"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tiny networks: threads that wait for each other, and timing them on large batches, would take all the time."""
    monkeypatch.setattr("sensiview.models.inspection._TRIAL_BYTES", 2**20)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures(folder: Path, *, grey: bool = False, count: int = 8, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    """PNG files of 20 x 20 pixels, a folder per class; dogs are brighter at the top."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for k in range(count):
            pixels = rng.integers(0, 120, (20, 20) if grey else (20, 20, 3))
            pixels[:8] += 100 * number
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name / f"{k}.png")
    return folder


def source_of(folder: Path) -> DatasetSource:
    found = understand_images([folder], name="Tiere ä")
    return DatasetSource(id="d1", card=found.card, files=tuple(fingerprint(path) for path in found.files))


def training(
    tmp_path: Path, source: DatasetSource, run: str = "t-1", *, architecture: str = "lenet",
    options: dict[str, Any] | None = None, model: ModelSource | None = None, checkpoint: Path | None = None,
    **recipe: Any,
) -> Task:  # fmt: skip
    card = ModelCard(name="net", architecture=architecture, options=OPTIONS if options is None else options)
    return Task(
        kind="training", run=run, directory=tmp_path / run, analysis="training",
        parameters={"epochs": 3, "batch_size": "4", **recipe}, dataset=source,
        model=model or ModelSource(id="", card=card), device="cpu", seed=4, checkpoint=checkpoint,
    )  # fmt: skip


def events_of(task: Task, stop: Callable[[list[Event]], bool] = lambda events: False) -> list[Event]:
    events: list[Event] = []
    execute(task, Catalogue(), events.append, lambda: stop(events))
    assert [event for event in events if isinstance(event, FINAL)] == events[-1:]
    return events


def card_of(task: Task) -> ModelCard:
    return ModelCard.model_validate_json((task.directory / "model_card.json").read_text(encoding="utf-8"))


def model_of(task: Task, name: str = "") -> ModelSource:
    card = card_of(task)
    card = card.model_copy(update={"name": name} if name else {})
    return ModelSource(id="m1", card=card, weights=fingerprint(task.directory / "model.safetensors"))


def test_that_a_network_is_trained_on_files_and_says_everything(tmp_path: Path) -> None:
    source = source_of(pictures(tmp_path / "in"))
    task = training(tmp_path, source, epochs=8, learning_rate=0.01, flip="true", colour_jitter="0.1")
    events = events_of(task)
    assert isinstance(events[-1], Succeeded), events[-1]
    # Stages that are over within a twentieth of a second may go unsaid.
    assert "Reading the images" in {e.name for e in events if isinstance(e, StageBegan)}
    card = card_of(task)
    assert (card.class_names, card.input_shape, card.emits) == (("cat", "dog"), (3, 16, 16), "logit")
    assert card.preprocessing["size"] == [16, 16]
    assert {"train", "test", "balanced test", "AUC test"} <= set(card.accuracy)
    facts = card.training
    assert facts["counts"] == {"train": len(facts["train"]), "test": len(facts["test"])} == {"train": 12, "test": 4}
    assert set(facts["class_accuracy"]) == {"cat", "dog"}
    assert np.mean(list(facts["class_accuracy"].values())) == pytest.approx(card.accuracy["balanced test"])
    items = read_items(task.directory)
    assert list(items) == [
        "summary", "loss", "accuracy", "learning_rate", "confusion", "class_accuracy", "predictions",
    ]  # fmt: skip
    assert isinstance(items["learning_rate"], Curve)
    assert isinstance(items["confusion"], Matrix)
    assert isinstance(items["predictions"], IndexTable)
    frame = items["predictions"].frame
    assert list(frame) == ["image", "group", "split", "true", "predicted", "probability"]
    right = (frame["true"] == frame["predicted"])[frame["split"] == "test"]
    assert right.mean() == pytest.approx(card.accuracy["test"])
    # The saved model gives the probabilities of the table, from the files.
    images = open_images(source)
    inputs = ImageInputs(open_network(model_of(task), device="cpu"), images)
    places = images.select(list(frame["image"]))
    with inputs.network.measuring():
        got = inputs.scores(inputs.forward(inputs.tensor(places)), inputs.targets("true", places), "probability")
    wanted = frame.set_index("image")["probability"][[images.names[i] for i in places]]
    # Training sees whole bytes after resizing.
    np.testing.assert_allclose(got.numpy(), wanted, atol=0.02)


def test_that_a_stopped_training_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    source = source_of(pictures(tmp_path / "in"))
    more = {"epochs": 5, "flip": True, "crop_padding": 2, "schedule": "one_cycle"}
    whole = training(tmp_path, source, "whole", **more)
    events_of(whole)
    first = training(tmp_path, source, "cut", **more)
    events = events_of(first, lambda events: sum(isinstance(e, Checkpointed) for e in events) >= 1)
    assert isinstance(events[-1], StoppedByUser)
    second = training(tmp_path, source, "cut", checkpoint=first.directory, **more)
    assert isinstance(events_of(second)[-1], Succeeded)
    assert (second.directory / "model.safetensors").read_bytes() == (whole.directory / "model.safetensors").read_bytes()
    assert read_items(second.directory)["loss"].frame.equals(read_items(whole.directory)["loss"].frame)


def test_that_a_trained_model_is_the_start_of_another(tmp_path: Path) -> None:
    two = source_of(pictures(tmp_path / "two"))
    first = training(tmp_path, two, "first", epochs=2)
    events_of(first)
    base = model_of(first, "cats and dogs")
    three = source_of(pictures(tmp_path / "three", classes=("ant", "bee", "cow")))
    card = base.card.model_copy(update={"training": {"starts_from": "cats and dogs"}, "name": "insects"})
    more = training(
        tmp_path, three, "more", model=base.model_copy(update={"card": card}), freeze=True, epochs=2,
    )  # fmt: skip
    events = events_of(more)
    assert isinstance(events[-1], Succeeded), events[-1]
    assert any(isinstance(e, Said) and "output is drawn anew" in e.sentence for e in events)
    # Ten times the architecture's own: nobody named one.
    assert read_items(more.directory)["learning_rate"].frame["learning_rate"][0] == pytest.approx(0.01)
    after = card_of(more)
    assert (after.name, after.class_names) == ("insects", ("ant", "bee", "cow"))
    assert (after.training["from"], after.training["last_layer_only"]) == ("cats and dogs", True)
    before, now = (open_network(model_of(task), device="cpu").module for task in (first, more))
    assert torch.equal(before.get_submodule("conv1").weight, now.get_submodule("conv1").weight)
    assert now.get_submodule("output").weight.shape == (3, 6)
    again = training(tmp_path, two, "again", model=base, epochs=1)
    events = events_of(again)
    assert any(isinstance(e, Said) and e.sentence.endswith("the weights of 'cats and dogs'.") for e in events)


def test_that_grey_images_make_a_grey_network(tmp_path: Path) -> None:
    task = training(tmp_path, source_of(pictures(tmp_path / "in", grey=True)), epochs=1)
    assert isinstance(events_of(task)[-1], Succeeded)
    assert card_of(task).input_shape == (1, 16, 16)
    colour = training(tmp_path, source_of(tmp_path / "in"), "t-2", epochs=1, options={**OPTIONS, "channels": "3"})
    assert isinstance(events_of(colour)[-1], Succeeded)
    assert card_of(colour).input_shape == (3, 16, 16)


def test_that_images_are_chosen_by_words_and_folds_are_by_group(tmp_path: Path) -> None:
    source = source_of(pictures(tmp_path / "in"))
    task = training(tmp_path, source, epochs=1, test_rows="cat/0.png,dog/0.png")
    assert isinstance(events_of(task)[-1], Succeeded)
    assert card_of(task).training["test"] == ["cat/0.png", "dog/0.png"]
    fold = training(tmp_path, source, "t-2", epochs=1, folds=4, fold=2)
    assert isinstance(events_of(fold)[-1], Succeeded)
    assert card_of(fold).training["counts"] == {"train": 12, "test": 4}
    assert "fold" in read_items(fold.directory)["predictions"].frame


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fit": "3,3,3"}, "'fit' is for volumes"),
        ({"freeze": True}, "needs a trained network to start from"),
        ({"rotation": 400}, "rotation: "),
        ({"normalise": "twice"}, "normalise: "),
        ({"flp": True}, "Did you mean 'flip'"),
        ({"architecture": "mlp", "options": {}}, "'mlp' is trained on a table, not on images"),
        ({"architecture": "vgg16_cifar", "options": {}, "size": "24"}, "squares of 32 pixels or more"),
        ({"options": {**OPTIONS, "num_classes": 5}}, "num_classes"),
        ({"test_rows": "nobody.png"}, "There is no image 'nobody.png'"),
        ({"class_weights": "[1, 2, 3]"}, "3 class weights for 2 classes"),
        ({"loss": "mean_squared_error"}, "for a target of numbers"),
    ],
)
def test_that_what_does_not_fit_ends_in_a_sentence(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    task = training(tmp_path, source_of(pictures(tmp_path / "in", count=4)), **changes)
    final = events_of(task)[-1]
    assert isinstance(final, Failed), final
    assert words in final.sentence
    assert final.user_error


def test_that_one_class_and_damaged_files_end_in_sentences(tmp_path: Path) -> None:
    lonely = training(tmp_path, source_of(pictures(tmp_path / "one", classes=("cat",))))
    final = events_of(lonely)[-1]
    assert isinstance(final, Failed)
    assert "nothing to learn" in final.sentence
    source = source_of(pictures(tmp_path / "in", count=4))
    path = tmp_path / "in" / "cat" / "1.png"
    path.write_bytes(path.read_bytes()[:60].ljust(path.stat().st_size, b"\0"))
    final = events_of(training(tmp_path, source, "t-3"))[-1]
    assert isinstance(final, Failed)
    assert "1.png" in final.sentence


def with_splits(folder: Path, words: str) -> DatasetSource:
    """Sixteen images and a table that says what each is for: one letter of `words` per image of a class."""
    pictures(folder)
    named = {"t": "train", "v": "Val", "e": "test", "-": "", "x": "spare"}
    rows = [f"{c}/{k}.png,{c},{named[word]}" for c in ("cat", "dog") for k, word in enumerate(words)]
    (folder / "labels.csv").write_text("path,label,split\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return source_of(folder)


def said(events: list[Event]) -> str:
    return " ".join(event.sentence for event in events if isinstance(event, Said))


def test_that_the_column_of_splits_divides_the_images_unless_the_training_says_otherwise(tmp_path: Path) -> None:
    source = with_splits(tmp_path / "in", "ttttvee-")
    task = training(tmp_path, source)
    words = said(events_of(task))
    assert "The column 'split' divides the images: 8 train, 2 validation, 4 test. 2 without a word in it" in words
    facts = card_of(task).training
    assert facts["counts"] == {"train": 8, "validation": 2, "test": 4}
    assert sorted(facts["test"]) == ["cat/5.png", "cat/6.png", "dog/5.png", "dog/6.png"]
    chosen = training(tmp_path, source, "t-2", train_rows="0-3,8-11", test_rows="4,12")
    assert "column" not in said(events_of(chosen))
    assert card_of(chosen).training["counts"] == {"train": 8, "test": 2}
    drawn = training(tmp_path, source, "t-3", test_share=0.5)
    assert "the column 'split' was not used" in said(events_of(drawn))
    assert card_of(drawn).training["counts"] == {"train": 8, "test": 8}


def test_that_other_words_in_the_column_of_splits_are_named_and_images_drawn(tmp_path: Path) -> None:
    task = training(tmp_path, with_splits(tmp_path / "in", "tttxveee"))
    assert "it holds 'spare'. Its words are train, val and test." in said(events_of(task))
    assert card_of(task).training["counts"] == {"train": 12, "test": 4}
