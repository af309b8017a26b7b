"""The sample project of tables: Pima diabetes, and the network of the paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sensiview.analysis.catalogue import Catalogue
from sensiview.errors import JobFailed
from sensiview.locations import resources
from sensiview.running import new_analysis, new_training

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project


def steps(project: Project, catalogue: Catalogue, quick: bool) -> Iterator[RunRecord]:
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
