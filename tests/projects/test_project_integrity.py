"""The check of a project names everything that is missing, changed or unclaimed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sensiview.analysis.item_files import write_items
from sensiview.analysis.items import Matrix, Note
from sensiview.datasets.card import DatasetCard
from sensiview.models.card import ModelCard
from sensiview.projects.store import Project


@pytest.fixture
def full(
    project: Project, table_card: DatasetCard, network_card: ModelCard, table_file: Path, weights_file: Path
) -> Project:
    """A project with a data set outside, a model inside and a finished run with two items."""
    data = project.add_dataset(table_card, [table_file])
    model = project.add_model(network_card, weights=weights_file)
    run = project.new_run(analysis="sobol", dataset=data.id, model=model.id)
    directory = project.run_directory(run.id)
    matrix = Matrix(title="M", values=np.eye(2), rows=("a", "b"), columns=("c", "d"))
    write_items({"matrix": matrix, "verdict": Note(title="V", text="All is well.")}, directory)
    (directory / "record.json").write_text(json.dumps({"run": run.id}))
    project.update_run(run.id, state="succeeded", items=["matrix", "verdict"])
    return project


def sentences(project: Project) -> list[str]:
    return [f"{finding.severity}: {finding.sentence}" for finding in project.verify() if finding.severity != "note"]


def test_that_a_sound_project_has_no_findings(full: Project) -> None:
    heard: list[str] = []
    assert full.verify(heard.append) == []
    assert heard == ["data set 'Pima'", "model 'net'", "run 'sobol-0001'"]
    full.close()
    with Project.open(full.path) as again:
        assert again.verify() == []
    with Project.open(full.path, read_only=True) as again:
        assert again.verify() == []


def test_that_changed_and_missing_files_are_named(full: Project, table_file: Path) -> None:
    table_file.write_text(table_file.read_text().replace("1", "7"))
    weights = full.models()[0].weights
    assert weights is not None
    weights.path.unlink()
    first, second = sentences(full)
    assert "pima, 2026.csv' of data set 'Pima' is not what it was" in first
    assert "its content is different" in first
    assert "of model 'net' is not what it was when it was added: it is not there" in second


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("record.json", "has no record.json"),
        ("items/matrix.csv", "The result 'matrix' of run 'sobol-0001' can't be read"),
        ("items/index.json", "The results of run 'sobol-0001' can't be read"),
    ],
)
def test_that_missing_results_are_named(full: Project, harm: str, said: str) -> None:
    (full.run_directory("sobol-0001") / harm).unlink()
    (found,) = sentences(full)
    assert found.startswith("error:")
    assert said in found
    assert found.endswith("Run it again, or delete it.")


def test_that_an_item_that_was_promised_is_looked_for(full: Project) -> None:
    full.update_run("sobol-0001", items=["matrix", "convergence"])
    assert sentences(full) == [
        "error: The result 'convergence' of run 'sobol-0001' is missing. Run it again, or delete it."
    ]
    (full.run_directory("sobol-0001") / "record.json").write_text("{half")
    assert any("record.json of run 'sobol-0001' can't be read" in sentence for sentence in sentences(full))


def test_that_leftovers_and_half_files_are_named(full: Project) -> None:
    for folder in ("runs/sobol-0009", "data/dataset-0007", "models/model-0005"):
        (full.path / folder).mkdir()
    (full.path / "runs" / "sobol-0001" / ".record.json.x.part").write_text("{")
    found = sentences(full)
    assert len(found) == 3
    assert all("belongs to no " in sentence for sentence in found)
    assert any("never finished" in finding.sentence for finding in full.verify())


def test_that_things_in_the_trash_are_not_leftovers(full: Project) -> None:
    full.delete("dataset", "Pima")
    full.delete("model", "net")
    assert sentences(full) == []
    full.empty_trash()
    assert sentences(full) == []
    notes = [finding.sentence for finding in full.verify()]
    assert any("The data set 'Pima' of run 'sobol-0001' is no longer" in note for note in notes)
    assert any("The model 'net' of run 'sobol-0001' is no longer" in note for note in notes)
