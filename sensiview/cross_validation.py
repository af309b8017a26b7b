"""Several trainings of one architecture: every fold left out once, from several random starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sensiview.errors import UserError
from sensiview.running import new_training
from sensiview.studies import choose_dataset

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project


def new_cross_validation(
    project: Project,
    architecture: str = "",
    *,
    dataset: str | None = None,
    folds: int = 5,
    runs: int = 1,
    options: Mapping[str, Any] | None = None,
    recipe: Mapping[str, Any] | None = None,
    device: str = "auto",
    seed: int = 1,
    name: str = "",
    base: str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
) -> list[RunRecord]:
    """Queue `folds` x `runs` trainings; the folds are kept with the data set, so that later ones are the same.

    Folds and runs count from 0. Run r of every fold starts from ``seed + r``; the folds themselves follow from `seed`
    alone. The models are called ``NAME fold 0 run 0`` and so on.

    Raises
    ------
    UserError
        Fewer than two folds, fewer subjects (images: groups) than folds, no target.
    """
    if folds < 2:
        raise UserError(f"Cross-validation needs at least two folds (given: {folds}).")
    if runs < 1:
        raise UserError(f"At least one run is needed (given: {runs}).")
    source = choose_dataset(project, dataset)
    if source.card.kind == "table":
        raise UserError(
            f"Cross-validation splits subjects of volumes and groups of images; '{source.card.name}' is a table. Give "
            "training and test rows instead."
        )
    if source.card.target is None:
        raise UserError(f"Training needs the column of the classes; '{source.card.name}' has none. Choose one first.")
    keep_folds(project, source, folds, seed)
    title = name or architecture or (project.model(base).card.name if base else "")
    return [
        new_training(
            project,
            architecture,
            dataset=source.id,
            options=options,
            recipe={**(recipe or {}), "folds": folds, "fold": fold, "run": run, "split_seed": seed},
            device=device,
            base=base,
            preprocessing=preprocessing,
            seed=seed + run,
            name=f"{title} fold {fold} run {run}" if runs > 1 else f"{title} fold {fold}",
        )
        for run in range(runs)
        for fold in range(folds)
    ]


def keep_folds(project: Project, source: DatasetSource, folds: int, seed: int) -> None:
    """Write who is in which fold into the data set's card, unless these folds are there already.

    Raises
    ------
    UserError, DataError
        There are too few subjects, or the labels can't be read.
    """
    known = source.card.extra.get("folds")
    if isinstance(known, dict) and (known.get("k"), known.get("seed")) == (folds, seed):
        return
    from sensiview.datasets.folds import assign_folds

    groups, labels = _groups(source)
    assignment = assign_folds(groups, labels, folds, seed)
    extra = {**source.card.extra, "folds": {"k": folds, "seed": seed, "assignment": dict(assignment)}}
    project.update_dataset_card(source.id, source.card.model_copy(update={"extra": extra}))


def _groups(source: DatasetSource) -> tuple[tuple[str, ...], list[int]]:
    """Return what each volume or image belongs to, and its class."""
    if source.card.kind == "images":
        from sensiview.datasets.image_opening import open_images

        images = open_images(source)
        return images.groups, images.labels().tolist()
    from sensiview.datasets.volume_opening import open_volumes

    volumes = open_volumes(source)
    return tuple(volumes.subjects), volumes.labels().tolist()
