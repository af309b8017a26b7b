"""The job that trains a network on a table, with live curves; images and volumes have jobs of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from sensiview.analysis.items import Array, Curve, IndexTable, Item
from sensiview.analysis.result import Result
from sensiview.errors import UserError, complaints, suggestion
from sensiview.jobs.inspection_job import write_card
from sensiview.jobs.progress import RARELY, TICK_S, JobProgress
from sensiview.jobs.task import Task
from sensiview.models.card import ModelCard
from sensiview.models.recipe import TrainingRecipe

if TYPE_CHECKING:
    from torch import nn

    from sensiview.datasets.table import Table
    from sensiview.models.architectures import Architecture
    from sensiview.models.training import TrainingOutcome
    from sensiview.models.training_course import EpochReport

WEIGHTS = "model.safetensors"
_LIVE_POINTS = 400
_KEPT_POINTS = 10_000
_SAMPLE_ROWS = 64


def train(
    task: Task, device: str, progress: JobProgress, architectures: Mapping[str, Architecture]
) -> tuple[Result, dict[str, Any]]:
    """Train, and write ``model.safetensors`` and ``model_card.json`` into the run's folder.

    Returns the curves with a summary, and the settings for the run's record. ``task.model.card`` names the
    architecture, its options and the new model; ``task.parameters`` are the changes to the architecture's recipe.

    Raises
    ------
    UserError
        No such architecture, unknown or wrong settings, or a table that doesn't fit.
    ModelError
        The training diverged.
    """
    from sensiview.datasets.opening import open_table
    from sensiview.models.architectures import choose
    from sensiview.models.training import train_new
    from sensiview.models.weights import save_weights

    if task.model is None or task.dataset is None:
        raise UserError("Training needs a table and an architecture. Choose both.")
    wanted = task.model.card
    architecture = choose(wanted.architecture, architectures)
    if architecture.input_kind != task.dataset.card.kind:
        kinds = {"table": "a table"}
        wants, given = (kinds.get(kind, kind) for kind in (architecture.input_kind, task.dataset.card.kind))
        raise UserError(f"'{architecture.key}' is trained on {wants}, not on {given}. Choose another architecture.")
    if architecture.input_kind == "volumes":
        from sensiview.jobs.volume_training_job import train_on_volumes

        return train_on_volumes(task, device, progress, architecture)
    if architecture.input_kind == "images":
        from sensiview.jobs.image_training_job import train_on_images

        return train_on_images(task, device, progress, architecture)
    recipe = recipe_of(architecture, task.parameters)
    foreign = recipe.foreign("table")
    if foreign:
        raise UserError(
            f"The training setting '{foreign[0]}' is for images or volumes; '{architecture.key}' learns from a table."
        )
    progress.stage("Reading the data")
    table = open_table(task.dataset, on_progress=lambda share: progress.advance(0))
    x, y = table.features(), _target(table)
    curves = _Curves(progress, classes=bool(table.card.class_counts))
    progress.stage("Training", recipe.epochs)
    module, outcome = train_new(
        architecture,
        wanted.options,
        recipe,
        x,
        y,
        n_classes=len(table.card.class_counts),
        seed=task.seed,
        device=device,
        on_epoch=curves.add,
    )
    for sentence in outcome.notes:
        progress.warn(sentence)
    progress.stage("Describing the network")
    card = _card(wanted, architecture, table, module, outcome, x, device)
    progress.advance(0)
    save_weights(module, task.directory / WEIGHTS)
    write_card(card, task)
    loss, accuracy = curves.items(_KEPT_POINTS)
    items: dict[str, Item] = {"loss": loss, "accuracy": accuracy, "summary": _summary(card, recipe, outcome)}
    rows = len(outcome.split.train) + len(outcome.split.test)
    facts = {"epochs": str(len(outcome.history)), "best_epoch": str(outcome.best_epoch)}
    # All settings, not only those that were changed: defaults of an architecture may move.
    parameters = {
        "architecture": architecture.key,
        "options": card.options,
        "recipe": recipe.model_dump(mode="json"),
    }
    return Result(items, evaluations=rows * len(outcome.history), facts=facts), {"parameters": parameters}


def recipe_of(architecture: Architecture, changes: Mapping[str, Any]) -> TrainingRecipe:
    """Return the architecture's recipe with some values changed; lists may be written as JSON text.

    Raises
    ------
    UserError
        A name that is not there, or a value that doesn't fit.
    """
    known = list(TrainingRecipe.model_fields)
    for name in changes:
        if name not in known:
            raise UserError(f"There is no training setting '{name}'.{suggestion(name, known)}")
    given = {name: _value(value) for name, value in changes.items()}
    try:
        return TrainingRecipe(**{**architecture.recipe().model_dump(), **given})
    except ValidationError as error:
        sentences = {f"{name}: {what}." if name else f"{what}." for name, what, _ in complaints(error)}
        raise UserError(" ".join(sorted(sentences))) from None


def _value(value: Any) -> Any:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            return value
    return value


def _target(table: Table) -> Array:
    """Return class numbers (-1 where missing), or values (NaN where missing): training leaves such rows out."""
    present = np.flatnonzero(table.frame[table.card.target].notna().to_numpy()) if table.card.target else None
    classes = bool(table.card.class_counts)
    values = table.labels(present) if classes else table.target_values(present)
    if present is None or len(present) == table.n_rows:
        return values
    full: Array = np.full(table.n_rows, -1) if classes else np.full(table.n_rows, np.nan)
    full[present] = values
    return full


def _card(
    wanted: ModelCard,
    architecture: Architecture,
    table: Table,
    module: nn.Module,
    outcome: TrainingOutcome,
    x: Array,
    device: str,
) -> ModelCard:
    import torch

    from sensiview.models.inspection import describe
    from sensiview.models.network import Network

    classes = tuple(table.card.class_counts)
    emits = architecture.emits_for(len(classes))
    bare = ModelCard(name=wanted.name, emits=emits, input_shape=x.shape[1:], preprocessing=outcome.preprocessing)
    network = Network(module, bare, device)
    # At least two rows, as batch norm and the measurement of memory want them.
    rows = x[np.resize(outcome.split.train, max(2, min(_SAMPLE_ROWS, len(outcome.split.train))))]
    return describe(
        network.module,
        network.preprocess(torch.from_numpy(rows)),
        name=wanted.name,
        class_names=classes,
        input_names=table.card.features,
        output_names=output_names(table.card.target or "output", classes, architecture),
        emits=emits,
        architecture=architecture.key,
        options=architecture.parse(wanted.options).model_dump(mode="json"),
        preprocessing=outcome.preprocessing,
        accuracy=outcome.accuracy,
        notes=outcome.notes,
    )


def _summary(card: ModelCard, recipe: TrainingRecipe, outcome: TrainingOutcome) -> IndexTable:
    import pandas as pd

    last = outcome.history[-1]
    rows = {"train": outcome.split.train, "test": outcome.split.test}
    losses = {"train": last.train_loss, "test": last.test_loss}
    splits = [split for split in rows if split in outcome.accuracy]
    score = "Accuracy" if card.class_names else "R²"
    kept = f", weights of epoch {outcome.best_epoch:,} kept" if recipe.early_stopping else ""
    return IndexTable(
        title=f"{card.name}: {card.architecture}, {card.n_parameters:,} parameters",
        description=(
            f"After {len(outcome.history):,} epochs{kept}: {score} in eval mode, over the rows of each part. Loss of "
            "the last epoch, for the training rows on the way, in train mode."
        ),
        frame=pd.DataFrame(
            {
                "split": splits,
                "rows": [len(rows[split]) for split in splits],
                "accuracy": [outcome.accuracy[split] for split in splits],
                "loss": [losses[split] for split in splits],
            }
        ),
        keys=("split",),
        values=("accuracy", "loss", "rows"),
        units={"accuracy": "", "loss": "", "rows": "rows"},
        plot="none",
    )


class _Curves:
    """Collects the epochs and shows them a few times a second, never with more points than a screen has."""

    def __init__(self, progress: JobProgress, *, classes: bool) -> None:
        self._progress = progress
        self._score = "Accuracy" if classes else "R²"
        self._reports: list[EpochReport] = []
        self._due = -np.inf

    def add(self, report: EpochReport) -> None:
        """Keep an epoch; raises `Stopped` after a cancel."""
        self._reports.append(report)
        now = time.monotonic()
        if now >= self._due:
            for name, curve in zip(("loss", "accuracy"), self.items(_LIVE_POINTS), strict=True):
                self._progress.preview(name, curve)
            # Small networks train a thousand epochs a second: looking on must not be what takes the time.
            ended = time.monotonic()
            self._due = ended + max(TICK_S, RARELY * (ended - now))
        self._progress.advance(1)

    def items(self, most: int) -> tuple[Curve, Curve]:
        """Return loss and accuracy over the epochs, thinned evenly to at most `most` epochs, the last one included."""
        count = len(self._reports)
        chosen = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
        reports = [self._reports[i] for i in chosen]
        thinned = "" if len(reports) == count else f" {len(reports):,} of {count:,} epochs are kept."
        return (
            self._curve(
                reports, "loss", "Loss", f"Smaller is better; a test loss that rises means over-fitting.{thinned}"
            ),
            self._curve(
                reports, "accuracy", self._score,
                f"On the training rows in train mode, on the test rows in eval mode.{thinned}",
            ),
        )  # fmt: skip

    def _curve(self, reports: Sequence[EpochReport], column: str, title: str, description: str) -> Curve:
        import pandas as pd

        parts = []
        for split in ("train", "test"):
            values = np.array([getattr(report, f"{split}_{column}") for report in reports], dtype=np.float64)
            if split == "train" or not np.isnan(values).all():
                epochs = np.array([report.epoch for report in reports], dtype=np.int64)
                parts.append(pd.DataFrame({"epoch": epochs, "series": split, column: values}))
        return Curve(
            title=title,
            description=description,
            frame=pd.concat(parts, ignore_index=True),
            x="epoch",
            y=(column,),
            series=("series",),
            units={"epoch": "", column: ""},
        )


def output_names(target: str, classes: Sequence[str], architecture: Architecture) -> tuple[str, ...]:
    """Return what the outputs are called in tables and plots; nothing where the classes' own names say it."""
    if not classes:
        return (target,)
    if len(classes) == 2 and architecture.n_outputs(2) == 1:
        return (f"{target}={classes[1]}",)
    return ()
