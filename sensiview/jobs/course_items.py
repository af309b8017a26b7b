"""What a training on volumes or images leaves behind: curves, confusion, accuracy by class, predictions, a summary."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.analysis.items import Curve, IndexTable, Item, Matrix
from sensiview.jobs.progress import RARELY, TICK_S, JobProgress
from sensiview.models.card import ModelCard
from sensiview.models.group_splitting import Words
from sensiview.models.recipe import TrainingRecipe

if TYPE_CHECKING:
    from sensiview.models.course_epoch import CourseEpoch
    from sensiview.models.training_outcome import CourseOutcome

_PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Inputs:
    """What a training was on.

    Parameters
    ----------
    words : Words
    names, groups : sequence of str
        Of each input of the data set.
    labels : ndarray
        Class of each, -1 where missing.
    folds : mapping or None
        Fold by group.
    """

    words: Words
    names: Sequence[str]
    groups: Sequence[str]
    labels: npt.NDArray[np.int64]
    folds: Mapping[str, int] | None = None


class CourseCurves:
    """Collects the epochs and shows them as they come.

    Parameters
    ----------
    progress : JobProgress
    words : Words
        What the inputs are called.
    before : sequence of mapping
        Epochs of a training that goes on, as `ResumableCourse.state` keeps them.
    """

    def __init__(self, progress: JobProgress, words: Words, before: Sequence[Mapping[str, Any]] = ()) -> None:
        self._progress, self._words = progress, words
        self._epochs: list[dict[str, Any]] = [
            {name: np.nan if value is None else value for name, value in epoch.items()} for epoch in before
        ]
        self._due = -np.inf

    def add(self, report: CourseEpoch) -> None:
        """Keep an epoch; raises `Stopped` after a cancel."""
        self._epochs.append(asdict(report))
        now = time.monotonic()
        if now >= self._due:
            for name, curve in self.items().items():
                self._progress.preview(name, curve)
            ended = time.monotonic()
            self._due = ended + max(TICK_S, RARELY * (ended - now))

    def items(self) -> dict[str, Curve]:
        """Return ``loss``, ``accuracy`` (with the balanced accuracy) and ``learning_rate`` over the epochs."""
        many = self._words.many
        way = f"Training {many} on the way, in train mode; the others after each epoch, in eval mode."
        return {
            "loss": self._curve(
                "Loss", ("loss",), f"Smaller is better; a test loss that rises means over-fitting. {way}"
            ),
            "accuracy": self._curve(
                "Accuracy",
                ("accuracy", "balanced_accuracy"),
                f"Share of {many} in the right class; balanced: the mean of the classes' shares. {way}",
            ),
            "learning_rate": self._rates(),
        }

    def _rates(self) -> Curve:
        import pandas as pd

        epochs = np.array([e["epoch"] for e in self._epochs], dtype=np.int64)
        rates = np.array([e["learning_rate"] for e in self._epochs], dtype=np.float64)
        return Curve(
            title="Learning rate",
            description="Size of the first step of each epoch.",
            frame=pd.DataFrame({"epoch": epochs, "learning_rate": rates}),
            x="epoch",
            y=("learning_rate",),
            units={"epoch": "", "learning_rate": ""},
        )

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
    card: ModelCard, recipe: TrainingRecipe, outcome: CourseOutcome, inputs: Inputs, curves: CourseCurves
) -> dict[str, Item]:
    """Return ``summary``, the curves, ``confusion``, ``class_accuracy`` and ``predictions``."""
    return {
        "summary": _summary(card, recipe, outcome, inputs.words),
        **curves.items(),
        "confusion": _confusion(card, outcome, inputs.words),
        "class_accuracy": _class_accuracy(card, outcome, inputs.words),
        "predictions": _predictions(card, outcome, inputs),
    }


def _summary(card: ModelCard, recipe: TrainingRecipe, outcome: CourseOutcome, words: Words) -> IndexTable:
    import pandas as pd

    kept = f", weights of epoch {outcome.best_epoch:,} kept" if recipe.early_stopping else ""
    fold = f" Fold {recipe.fold} of {recipe.folds} (counted from 0) is tested on." if recipe.folds else ""
    scores = outcome.scores
    frame = pd.DataFrame(
        {
            "split": list(scores),
            words.many: [len(outcome.split.parts()[part]) for part in scores],
            "accuracy": [s.accuracy for s in scores.values()],
            "balanced_accuracy": [s.balanced_accuracy for s in scores.values()],
            "auc": [s.auc for s in scores.values()],
            "loss": [s.loss for s in scores.values()],
        }
    )
    return IndexTable(
        title=f"{card.name}: {card.architecture}, {card.n_parameters:,} parameters",
        description=(
            f"After {len(outcome.history):,} epochs{kept}: in eval mode, over the {words.many} of each part; the "
            f"split is by {words.group}.{fold} Balanced accuracy is the mean of the classes' shares; auc the area "
            "under the ROC curve of the second of two classes."
        ),
        frame=frame if len(card.class_names) == 2 else frame.drop(columns="auc"),
        keys=("split",),
        values=("accuracy", "balanced_accuracy", *(("auc",) if len(card.class_names) == 2 else ()), "loss", words.many),
        units={words.many: words.many},
        plot="none",
    )


def _confusion(card: ModelCard, outcome: CourseOutcome, words: Words) -> Matrix:
    part = "test" if "test" in outcome.scores else "train"
    return Matrix(
        title=f"Confusion, {part} {words.many}",
        description=f"Rows: the true class; columns: the class that the network gives. Numbers of {words.many}.",
        values=outcome.scores[part].table.astype(np.float64),
        rows=card.class_names,
        columns=card.class_names,
        row_axis="true",
        column_axis="predicted",
        value_name=words.many,
    )


def class_accuracy(table: npt.NDArray[np.int64]) -> list[float]:
    """Return the share of each true class (row) that was recognised; NaN where a class does not occur."""
    counts = table.sum(axis=1)
    return [float(table[k, k] / count) if count else float("nan") for k, count in enumerate(counts)]


def _class_accuracy(card: ModelCard, outcome: CourseOutcome, words: Words) -> IndexTable:
    import pandas as pd

    frames = []
    for part, scores in outcome.scores.items():
        counts = scores.table.sum(axis=1)
        frames.append(
            pd.DataFrame(
                {
                    "split": part,
                    "class": list(card.class_names),
                    "accuracy": class_accuracy(scores.table),
                    words.many: counts.astype(np.int64),
                }
            )
        )
    return IndexTable(
        title="Accuracy by class",
        description=f"Share of the {words.many} of each class that the final weights recognise, in eval mode.",
        frame=pd.concat(frames, ignore_index=True),
        keys=("split", "class"),
        values=("accuracy", words.many),
        units={"accuracy": "", words.many: words.many},
        plot="none",
    )


def _predictions(card: ModelCard, outcome: CourseOutcome, inputs: Inputs) -> IndexTable:
    import pandas as pd

    from sensiview.models.class_scores import predicted

    words, frames = inputs.words, []
    for part, places in outcome.split.parts().items():
        probabilities = outcome.probabilities[part]
        true, guessed = inputs.labels[places], predicted(probabilities)
        groups = [inputs.groups[i] for i in places]
        columns: dict[str, Any] = {words.one: [inputs.names[i] for i in places], words.group: groups}
        if inputs.folds is not None:
            columns["fold"] = [inputs.folds[group] for group in groups]
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
        description=f"What the final weights give for each {words.one}; probability is that of its true class.",
        frame=frame,
        keys=tuple(name for name in frame.columns if name != "probability"),
        values=("probability",),
        units={"probability": ""},
        plot="none",
    )
