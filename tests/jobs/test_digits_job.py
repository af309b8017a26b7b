"""Biased digits made as a job: a data set with the planted bias, in the project when the run has succeeded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.items import IndexTable, Note
from sensiview.datasets.biased_digits import BiasedDigits
from sensiview.datasets.image_opening import open_images
from sensiview.errors import DataError, Stopped, UserError
from sensiview.jobs.digits_job import make_digits
from sensiview.jobs.events import Event, Failed, StageBegan, Succeeded
from sensiview.jobs.execution import execute
from sensiview.jobs.prepared import read_prepared
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.task import Task
from sensiview.preparing import add_prepared, new_preparation
from sensiview.projects.store import Project


def task(tmp_path: Path, **parameters: Any) -> Task:
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    return Task(kind="preparation", analysis="biased_digits", run="r1", directory=folder, parameters=parameters)


def run(tmp_path: Path, stop: bool = False, **parameters: Any) -> tuple[Any, list[Event]]:
    events: list[Event] = []
    progress = JobProgress("r1", events.append, lambda: stop, keep=lambda state: None)
    return make_digits(task(tmp_path, **parameters), "cpu", progress, {}), events


def test_that_the_job_leaves_a_data_set_with_the_planted_bias(tmp_path: Path) -> None:
    (result, recorded), events = run(tmp_path, p_corr=0.6, background_colour=0.95, drawings=1)
    card, files = read_prepared(tmp_path / "run")
    assert card.n_rows == 1438 + 2 * 359
    assert len(files) == card.n_rows + 1
    assert card.target == "label"
    assert card.extra["biased_digits"]["background_colour"] == 0.95
    assert "background colour 0.95" in card.notes[0]
    assert BiasedDigits().obstacles(card) == []
    assert recorded["parameters"]["p_corr"] == 0.6
    bias = result["bias"]
    assert isinstance(bias, IndexTable)
    frame = bias.to_frame().set_index(["split", "factor"])
    assert frame.loc[("train", "digit_colour"), "planted"] == 0.6
    assert frame.loc[("unbiased", "position"), "planted"] == pytest.approx(1 / 9)
    for split, spread in (("train", 0.05), ("test", 0.08), ("unbiased", 0.08)):
        part = frame.loc[split]
        assert np.allclose(part["found"], part["planted"], atol=spread)
    note = result["note"]
    assert isinstance(note, Note)
    assert "background colour 95 %" in note.text
    assert next(event for event in events if isinstance(event, StageBegan)).name == "Drawing digits"


def test_that_fewer_digits_may_be_asked_for(tmp_path: Path) -> None:
    run(tmp_path, drawings=3, train=10, test=4)
    card, _ = read_prepared(tmp_path / "run")
    assert card.n_rows == 3 * 10 + 2 * 4


def test_that_a_finished_job_becomes_a_data_set_of_the_project(tmp_path: Path) -> None:
    with Project.create(tmp_path / "study.sensiview") as project:
        queued = new_preparation(
            project, "biased_digits", name="Digits", parameters={"name": "Digits", "train": 20, "test": 5}
        )
        events: list[Event] = []
        made = Task(
            kind="preparation", analysis="biased_digits", run=queued.id,
            directory=project.run_directory(queued.id), parameters=queued.parameters,
        )  # fmt: skip
        made.directory.mkdir(parents=True, exist_ok=True)
        execute(made, Catalogue(()), events.append, lambda: False)
        assert isinstance(events[-1], Succeeded), events[-1]
        source = add_prepared(project, made.directory)
        images = open_images(source)
        own = BiasedDigits().own_values(images, 3)
        drawn = BiasedDigits().generate(images, 3, own[None])[0]
        assert np.array_equal(drawn, np.rint(np.moveaxis(images.image(3), 0, -1) * 255))


def test_that_the_job_stops_when_it_is_told_to(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        run(tmp_path, stop=True)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"p_corr": 1.5}, "p_corr: Input should be less than or equal to 1"),
        ({"position": float("nan")}, "position: "),
        ({"drawings": 0}, "drawings: "),
        ({"texture": 1}, "texture: "),
    ],
)
def test_that_wrong_settings_are_a_sentence(tmp_path: Path, parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        run(tmp_path, **parameters)


def test_that_a_folder_without_mnist_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no file train-images-idx3-ubyte"):
        run(tmp_path, mnist=tmp_path)


def test_that_a_wrong_setting_ends_the_job_with_its_sentence(tmp_path: Path) -> None:
    events: list[Event] = []
    execute(task(tmp_path, p_corr=-1), Catalogue(()), events.append, lambda: False)
    assert isinstance(events[-1], Failed)
    assert "p_corr" in events[-1].sentence
