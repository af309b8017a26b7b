"""A session with a real project on disk, toy analyses, and runs that were finished, failed or queued by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.item_files import write_items
from sensiview.analysis.items import Item
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.card import ColumnCard, DatasetCard
from sensiview.errors import SensiViewError
from sensiview.gui.session import Services, Session
from sensiview.models.card import LayerCard, ModelCard
from sensiview.settings import Settings

FACTORS = ("Glucose", "BMI", "blood pressure, mm")
DATASET = DatasetCard(
    name="Pima",
    n_rows=6,
    columns=(
        ColumnCard(name="Glucose", kind="number", minimum=0.0, maximum=199.0, mean=120.9, std=32.0, distinct=5),
        ColumnCard(name="BMI", kind="number", minimum=18.5, maximum=67.1, mean=32.0, std=7.9, distinct=6),
        ColumnCard(name="blood pressure, mm", kind="integer", minimum=40, maximum=122, mean=69.1, std=19.4, missing=1),
        ColumnCard(name="Outcome", kind="integer", minimum=0, maximum=1, distinct=2),
    ),
    features=FACTORS,
    target="Outcome",
    class_counts={"0": 4, "1": 2},
    notes=("One value of 'blood pressure, mm' is missing.",),
)
CSV = (
    'Glucose,BMI,"blood pressure, mm",Outcome\n85.5,26.6,66,0\n183.5,23.3,64,1\n89.5,28.1,66,0\n'
    "137.5,43.1,40,1\n116.5,25.6,,0\n78.5,31.0,50,0\n"
)
MODEL = ModelCard(
    name="DiabetesNet",
    architecture="diabetes_net",
    emits="probability",
    input_shape=(3,),
    input_names=FACTORS,
    output_names=("Outcome",),
    class_names=("0", "1"),
    layers=(
        LayerCard(name="fn1", kind="Linear", output_shape=(10,), parameters=40),
        LayerCard(name="relu", kind="ReLU", output_shape=(10,)),
        LayerCard(name="fn2", kind="Linear", output_shape=(1,), parameters=11),
    ),
    n_parameters=51,
    preprocessing={"kind": "standardise", "mean": [120.9, 32.0, 69.1], "std": [32.0, 7.9, 19.4]},
    accuracy={"train": 0.772, "test": 0.8},
    rows_per_second={"cpu": 1000.0},
)


class ToyParameters(Parameters):
    """One of each kind of field."""

    n: int = parameter(1024, label="Samples N", help="Base samples.", ge=128, le=2**20)
    second_order: bool = parameter(False, label="Second-order indices", help="Twice the evaluations.")
    output: str | list[str] = parameter("auto", label="Output", help="What to look at.", suggestions="outputs")
    target: str | int | list[str | int] = parameter("all", label="Class", help="Which.", suggestions="classes")
    rows: str = parameter("all", label="Rows", help="Rows of the table.")
    bounds: dict[str, tuple[float, float]] = parameter({}, label="Range", help="Low and high of each factor.")
    method: Literal["normal", "percentile"] = parameter("normal", label="Interval", help="How.")
    confidence: float = parameter(0.95, label="Confidence", help="Level.", gt=0, lt=1, advanced=True)
    max_seconds: float | None = parameter(None, label="Stop after", help="Time.", unit="s", gt=0, advanced=True)
    distributions: dict[str, Any] = parameter({}, label="Distributions", help="How drawn.", advanced=True)
    groups: dict[str, Any] = parameter({}, label="Groups", help="What moves together.", advanced=True)
    fixed: dict[str, float] = parameter({}, label="Held", help="What stays.", advanced=True)
    weights: dict[str, list[list[int]]] | None = parameter(None, label="Weights", help="Anything.", advanced=True)

    @field_validator("n")
    @classmethod
    def _power(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError("N must be a power of two, such as 512 or 1024")
        return value


class Toy(Analysis[ToyParameters]):
    """Counts what a network does.

    Read `S1` as a share.

    References
    ----------
    [1] Saltelli (2010).
    """

    key = "toy"
    title = "Toy indices"
    revision = 2
    extendable = frozenset({"n"})
    Parameters = ToyParameters

    def problems(self, study: Study, parameters: ToyParameters) -> list[str]:
        """Reversed bounds."""
        return [f"The bounds of '{name}' are reversed." for name, (a, b) in parameters.bounds.items() if a >= b]

    def cost(self, study: Study, parameters: ToyParameters) -> Cost:
        """N (D + 2)."""
        assert study.dataset is not None
        factors = len(study.dataset.features)
        return Cost(parameters.n * (2 * factors + 2 if parameters.second_order else factors + 2), 25_000_000)

    def run(self, study: Study, parameters: ToyParameters, progress: Progress) -> Result:
        """Nothing."""
        return Result({})

    def example(self) -> Example[ToyParameters]:
        """Nothing."""
        return Example(Study(), ToyParameters())


class OnImages(Toy):
    """Looks at images."""

    key = "on_images"
    title = "Grad-CAM"
    accepts = ("images",)


class OfData(Toy):
    """Needs no network."""

    key = "of_data"
    title = "Principal components"
    needs_model = False


class HeardSession(Session):
    """A session that keeps what went wrong."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.problems: list[str] = []
        self.problem.connect(self._keep)

    def _keep(self, error: SensiViewError) -> None:
        self.problems.append(error.sentence)


def make_session(folder: Path, *, project: bool = True, sources: bool = True) -> HeardSession:
    """Return a session; with `project` an open one in `folder`, with `sources` a data set and a model in it."""

    def no_worker() -> Any:
        raise SensiViewError("There is no worker in this test.")

    catalogue = Catalogue([Toy(), OfData(), OnImages()])
    session = HeardSession(Services(Settings, lambda: catalogue, no_worker))
    if not project:
        return session
    assert session.create(folder / "test.sensiview", "Test")
    # Runs of these tests are queued and looked at, never started.
    session.jobs.paused = True
    if sources:
        add_sources(session, folder)
    return session


def add_sources(session: Session, folder: Path) -> None:
    """Add the data set and the model, and select them."""
    table, weights = folder / "pima.csv", folder / "weights.safetensors"
    table.write_text(CSV, encoding="utf-8")
    weights.write_bytes(b"weights")
    project = session.require_project()
    dataset = project.add_dataset(DATASET, [table])
    model = project.add_model(MODEL, weights=weights)
    session.entries_changed("dataset")
    session.entries_changed("model")
    session.select_dataset(dataset.id)
    session.select_model(model.id)


def add_run(
    session: Session, items: Mapping[str, Item] | None = None, *, state: str = "succeeded", name: str = "Toy indices",
    **fields: Any,
) -> str:  # fmt: skip
    """Put a run into the project as if it had ended in `state`; returns its identifier."""
    project = session.require_project()
    run = project.new_run(
        kind="analysis", analysis="toy", revision=2, parameters=ToyParameters().to_json(),
        dataset=project.datasets()[0].id, model=project.models()[0].id, device="cpu", seed=7, batch_size=None,
        name=name,
    )  # fmt: skip
    finish_run(session, run.id, items or {}, state=state, **fields)
    return run.id


def finish_run(session: Session, run_id: str, items: Mapping[str, Item], *, state: str, **fields: Any) -> None:
    """Write a run's items and give it a state."""
    project = session.require_project()
    if items:
        write_items(items, project.run_directory(run_id))
    project.update_run(run_id, state=state, items=list(items), **fields)
    session.forget_result(run_id)
    session.entries_changed("run")
