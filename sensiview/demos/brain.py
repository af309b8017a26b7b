"""The sample project of volumes: a simulated cohort, so that every map can be held against what was planted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sensiview.analysis.catalogue import Catalogue
from sensiview.cross_validation import new_cross_validation
from sensiview.errors import JobFailed
from sensiview.preparing import new_preparation
from sensiview.running import new_analysis

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project

COHORT = "Simulated cohort"
_NAME = "cnn3d "
REGIONS = ("Hippocampus L", "Hippocampus R", "Amygdala L", "Amygdala R")


@dataclass(frozen=True)
class _Size:
    """How large the sample project is; the small one ends within a quarter of an hour on two cores."""

    subjects: int
    spacing: float
    folds: int
    runs: int
    epochs: int
    lambdas: tuple[float, ...]
    steps: int
    patients: int  # of those that a network was not trained on
    screened: int  # patients, and as many controls
    trajectories: int


_FULL = _Size(
    subjects=320,
    spacing=4.0,
    folds=5,
    runs=2,
    epochs=40,
    lambdas=(300.0, 100.0, 30.0, 10.0),
    steps=120,
    patients=64,
    screened=8,
    trajectories=16,
)
_QUICK = _Size(
    subjects=200,
    spacing=6.0,
    folds=2,
    runs=2,
    epochs=40,
    lambdas=(100.0, 10.0),
    steps=60,
    patients=24,
    screened=4,
    trajectories=8,
)


def steps(project: Project, catalogue: Catalogue, quick: bool) -> Iterator[RunRecord]:
    """A simulated cohort, cross-validated networks, masks, their robustness, and other maps beside the truth."""
    size = _QUICK if quick else _FULL
    if not any(source.card.name == COHORT for source in project.datasets()):
        yield new_preparation(
            project, "simulation", name="Simulated grey-matter maps",
            parameters={
                "name": COHORT, "subjects": size.subjects, "spacing": size.spacing, "regions": list(REGIONS),
            },
        )  # fmt: skip
    # The loss is on both sides: with left and right exchanged at random, networks learn from either and rest on both.
    recipe = {"epochs": size.epochs, "augmentation": "flip"}
    trainings = new_cross_validation(
        project, "cnn3d", dataset=COHORT, folds=size.folds, runs=size.runs, recipe=recipe,
        name=_NAME.strip(),
    )  # fmt: skip
    yield from trainings
    models = [_model(project, run.id) for run in trainings]

    def analysis(key: str, model: str | None, name: str, **parameters: Any) -> RunRecord:
        return new_analysis(project, catalogue, key, dataset=COHORT, model=model, name=name, parameters=parameters)

    masks = []
    for model in models:
        mask = analysis(
            "mask_optimization", model, f"Mask, {project.model(model).card.name.removeprefix(_NAME)}",
            subjects=_held_out(project, model, "patient")[: size.patients], group=True, steps=size.steps,
        )  # fmt: skip
        masks.append(mask)
        yield mask
    first, patients = models[0], _held_out(project, models[0], "patient")[: size.patients]
    grid = analysis(
        "lambda_grid", first, "Masks over λ₁ and λ₂", subjects=patients, group=True, steps=size.steps,
        lambda_1=list(size.lambdas), lambda_2=list(size.lambdas),
    )  # fmt: skip
    yield grid
    yield analysis(
        "mask_robustness", first, "Robustness of the masks", subjects=patients,
        runs=[run.id for run in (*masks, grid)],
    )  # fmt: skip
    cam = analysis("grad_cam", first, "Grad-CAM", subjects=patients, average=True)
    yield cam
    occlusion = analysis(
        "occlusion", first, "Occlusion, region by region", subjects=patients, mode="regions", fill="one", average=True
    )
    yield occlusion
    saliency = analysis("saliency", first, "Saliency", subjects=patients, average=True)
    yield saliency
    yield analysis(
        "known_regions", None, "Which map finds the planted regions", regions=list(REGIONS),
        runs=[run.id for run in (*masks, cam, occlusion, saliency)],
    )  # fmt: skip
    # Between the extremes of patients and controls, as regions really differ: what the network makes of that is asked.
    yield analysis(
        "morris", first, "Morris screening of the regions", scope="global", n=size.trajectories, target="patient",
        subjects=[
            *patients[: size.screened],
            *_held_out(project, first, "control")[: size.screened],
        ],
    )  # fmt: skip
    yield analysis("sanity", first, "Can the mask be trusted?", runs=[masks[0].id])


def _model(project: Project, run: str) -> str:
    record = project.run(run)
    if record.model is None:
        raise JobFailed(f"The training '{record.name}' did not end with a model: {record.message}")
    return record.model


def _held_out(project: Project, model: str, diagnosis: str) -> list[str]:
    """Return the patients or controls that this network was not trained on, by name."""
    from sensiview.datasets.volume_opening import open_volumes

    volumes = open_volumes(project.dataset(COHORT))
    test = set(project.model(model).card.training.get("test", ()))
    wanted = list(volumes.card.class_counts).index(diagnosis)
    labels = volumes.labels()
    return [name for name, label in zip(volumes.names, labels, strict=True) if label == wanted and name in test]
