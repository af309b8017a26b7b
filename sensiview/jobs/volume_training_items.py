"""What a training on volumes leaves behind: curves, confusion, predictions, a summary."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.analysis.items import Curve, IndexTable, Item, Matrix
from sensiview.datasets.volumes import VolumeSet
from sensiview.jobs.progress import RARELY, TICK_S, JobProgress
from sensiview.models.card import ModelCard
from sensiview.models.recipe import TrainingRecipe

if TYPE_CHECKING:
    from sensiview.models.volume_course import VolumeEpoch
    from sensiview.models.volume_training import VolumeOutcome

_PARTS = ("train", "validation", "test")


class VolumeCurves:
    """Collects the epochs and shows them as they come.

    Parameters
    ----------
    progress : JobProgress
    before : sequence of mapping
        Epochs of a training that goes on, as `VolumeCourse.state` keeps them.
    """

    def __init__(self, progress: JobProgress, before: Sequence[Mapping[str, Any]] = ()) -> None:
        self._progress = progress
        self._epochs: list[dict[str, Any]] = [
            {name: np.nan if value is None else value for name, value in epoch.items()} for epoch in before
        ]
        self._due = -np.inf

    def add(self, report: VolumeEpoch) -> None:
        """Keep an epoch; raises `Stopped` after a cancel."""
        self._epochs.append(asdict(report))
        now = time.monotonic()
        if now >= self._due:
            for name, curve in self.items().items():
                self._progress.preview(name, curve)
            ended = time.monotonic()
            self._due = ended + max(TICK_S, RARELY * (ended - now))

    def items(self) -> dict[str, Curve]:
        """Return ``loss`` and ``accuracy`` (with the balanced accuracy) over the epochs."""
        way = "Training volumes on the way, in train mode; the others after each epoch, in eval mode."
        return {
            "loss": self._curve(
                "Loss", ("loss",), f"Smaller is better; a test loss that rises means over-fitting. {way}"
            ),
            "accuracy": self._curve(
                "Accuracy",
                ("accuracy", "balanced_accuracy"),
                f"Share of volumes in the right class; balanced: the mean of the classes' shares. {way}",
            ),
        }

    def _curve(self, title: str, columns: tuple[str, ...], description: str) -> Curve:
        import pandas as pd

        frames = []
        for part in _PARTS:
            values = {c: np.array([e[f"{part}_{c}"] for e in self._epochs], dtype=np.float64) for c in columns}
            if part == "train" or not np.isnan(values[columns[0]]).all():
                epochs = np.array([e["epoch"] for e in self._epochs], dtype=np.int64)
                frames.append(pd.DataFrame({"epoch": epochs, "series": part, **values}))
        return Curve(
            title=title,
            description=description,
            frame=pd.concat(frames, ignore_index=True),
            x="epoch",
            y=columns,
            series=("series",),
            units=dict.fromkeys(("epoch", *columns), ""),
        )


def items_of(
    card: ModelCard,
    recipe: TrainingRecipe,
    outcome: VolumeOutcome,
    volumes: VolumeSet,
    labels: npt.NDArray[np.int64],
    folds: Mapping[str, int] | None,
    curves: VolumeCurves,
) -> dict[str, Item]:
    """Return ``summary``, ``loss``, ``accuracy``, ``confusion`` and ``predictions``."""
    return {
        "summary": _summary(card, recipe, outcome),
        **curves.items(),
        "confusion": _confusion(card, outcome),
        "predictions": _predictions(card, outcome, volumes, labels, folds),
    }


def _summary(card: ModelCard, recipe: TrainingRecipe, outcome: VolumeOutcome) -> IndexTable:
    import pandas as pd

    kept = f", weights of epoch {outcome.best_epoch:,} kept" if recipe.early_stopping else ""
    fold = f" Fold {recipe.fold} of {recipe.folds} (counted from 0) is tested on." if recipe.folds else ""
    scores = outcome.scores
    frame = pd.DataFrame(
        {
            "split": list(scores),
            "volumes": [len(outcome.split.parts()[part]) for part in scores],
            "accuracy": [s.accuracy for s in scores.values()],
            "balanced_accuracy": [s.balanced_accuracy for s in scores.values()],
            "auc": [s.auc for s in scores.values()],
            "loss": [s.loss for s in scores.values()],
        }
    )
    return IndexTable(
        title=f"{card.name}: {card.architecture}, {card.n_parameters:,} parameters",
        description=(
            f"After {len(outcome.history):,} epochs{kept}: in eval mode, over the volumes of each part; the split is "
            f"by subject.{fold} Balanced accuracy is the mean of the classes' shares; auc the area under the ROC "
            "curve of the second of two classes."
        ),
        frame=frame if len(card.class_names) == 2 else frame.drop(columns="auc"),
        keys=("split",),
        values=("accuracy", "balanced_accuracy", *(("auc",) if len(card.class_names) == 2 else ()), "loss", "volumes"),
        units={"volumes": "volumes"},
        plot="none",
    )


def _confusion(card: ModelCard, outcome: VolumeOutcome) -> Matrix:
    part = "test" if "test" in outcome.scores else "train"
    return Matrix(
        title=f"Confusion, {part} volumes",
        description="Rows: the true class; columns: the class that the network gives. Numbers of volumes.",
        values=outcome.scores[part].table.astype(np.float64),
        rows=card.class_names,
        columns=card.class_names,
        row_axis="true",
        column_axis="predicted",
        value_name="volumes",
    )


def _predictions(
    card: ModelCard,
    outcome: VolumeOutcome,
    volumes: VolumeSet,
    labels: npt.NDArray[np.int64],
    folds: Mapping[str, int] | None,
) -> IndexTable:
    import pandas as pd

    from sensiview.models.class_scores import predicted

    frames = []
    for part, places in outcome.split.parts().items():
        probabilities = outcome.probabilities[part]
        true, guessed = labels[places], predicted(probabilities)
        subjects = [volumes.subjects[i] for i in places]
        columns: dict[str, Any] = {"volume": [volumes.names[i] for i in places], "subject": subjects}
        if folds is not None:
            columns["fold"] = [folds[subject] for subject in subjects]
        columns |= {
            "split": part,
            "true": [card.class_names[i] for i in true],
            "predicted": [card.class_names[i] for i in guessed],
            "probability": probabilities[np.arange(len(true)), true],
        }
        frames.append(pd.DataFrame(columns))
    frame = pd.concat(frames, ignore_index=True)
    return IndexTable(
        title="Predictions",
        description="What the final weights give for each volume; probability is that of its true class.",
        frame=frame,
        keys=tuple(name for name in frame.columns if name != "probability"),
        values=("probability",),
        units={"probability": ""},
        plot="none",
    )
