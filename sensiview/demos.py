"""The sample projects: real data, a network trained here, and every analysis that fits, step by step.

A demo yields one queued run after the other and expects each to be finished before the next is asked for, so that
the command line runs it headless and the window runs it live.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensiview.analysis.catalogue import Catalogue
from sensiview.errors import JobFailed, UserError, suggestion
from sensiview.locations import home, resources
from sensiview.running import new_analysis, new_training

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project


@dataclass(frozen=True)
class Demo:
    """A sample project: `steps(project, catalogue, quick)` yields its runs in order."""

    key: str
    title: str
    description: str
    steps: Callable[[Project, Catalogue, bool], Iterator[RunRecord]]


def _diabetes(project: Project, catalogue: Catalogue, quick: bool) -> Iterator[RunRecord]:
    """Pima diabetes: the network of the paper, trained here, and what its output rests on."""
    from sensiview.datasets.reading import read_table, understand

    source = resources() / "samples" / "diabetes" / "diabetes.csv"
    if not project.datasets():
        table = read_table(source, understand(source), name="Pima diabetes", target="Outcome")
        project.add_dataset(table.card, [source], copy=True)
    training = new_training(project, "diabetes_net", dataset="Pima diabetes", seed=1, name="diabetes network")
    yield training
    model = project.run(training.id).model
    if model is None:
        raise JobFailed(f"The training did not end with a model: {project.run(training.id).message}")
    n = 4096 if quick else 65536
    # Bounds as the authors': the smallest and largest value of each column over the rows they used.
    rows = {"rows": "0-699"}
    output = new_analysis(
        project, catalogue, "sobol", model=model, name="Sobol' indices of the output",
        parameters={"n": n, "second_order": True, "output": "probability", **rows},
    )  # fmt: skip
    yield output
    yield new_analysis(
        project, catalogue, "sobol", model=model, name="Sobol' indices of the first hidden layer",
        parameters={"n": n, "second_order": True, "output": "relu", **rows},
    )  # fmt: skip
    yield new_analysis(
        project, catalogue, "first_layer_sensitivity", model=model, parameters=rows, name="First-layer sensitivity"
    )
    yield new_analysis(project, catalogue, "pca", parameters={"target": "1"}, name="Principal components, Outcome = 1")
    yield new_analysis(
        project, catalogue, "feature_subset", model=model, name="Best and last four factors",
        parameters={"k": 4, "repeats": 3 if quick else 10, "runs": output.id},
    )  # fmt: skip


DEMOS: Mapping[str, Demo] = {
    "diabetes": Demo(
        key="diabetes",
        title="Diabetes: Sobol' indices of a small network",
        description="768 patients, 8 factors, one network; which factors its diagnosis rests on.",
        steps=_diabetes,
    ),
}


def find_demo(key: str) -> Demo:
    """Return a demo by name; UserError when there is none."""
    if key not in DEMOS:
        raise UserError(f"There is no sample project '{key}'.{suggestion(key, list(DEMOS))}")
    return DEMOS[key]


def demo_folder(wanted: Path | None, key: str) -> Path:
    """Return the folder of a new sample project, one that is not there yet.

    `wanted` is the project itself when it ends in ``.sensiview``, else the folder that receives
    ``diabetes.sensiview``; None takes the folder ``samples`` of the user's SensiView folder.
    """
    if wanted is not None and wanted.suffix == ".sensiview":
        if wanted.exists():
            raise UserError(f"{wanted} exists already. Choose another folder, or open it with: sensiview '{wanted}'")
        wanted.parent.mkdir(parents=True, exist_ok=True)
        return wanted
    parent = wanted if wanted is not None else home() / "samples"
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / f"{key}.sensiview"
    number = 2
    while folder.exists():
        folder = parent / f"{key} {number}.sensiview"
        number += 1
    return folder
