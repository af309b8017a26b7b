"""From the probabilities of a classifier to tables: predictions, confusion, classes, accuracy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.analysis.items import IndexTable, Interval, Item, Matrix

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
# Normal quantile of 95 %.
_Z = 1.959963984540054
_TOP = 5
# With more classes the top-5 accuracy is told as well.
_TOP_FROM = 10


@dataclass(frozen=True, eq=False)
class Answers:
    """What a network said of each input.

    Parameters
    ----------
    what : str
        ``image`` or ``volume``.
    names, groups : sequence of str
        Of the inputs.
    classes : tuple of str
        What the network tells apart.
    probabilities : ndarray
        float64 (n, classes).
    truth : sequence of str
        The class that each input has in the data, empty where it is not known.
    splits : sequence of str
        Train, test and the like; empty where nothing is known.
    """

    what: str
    names: Sequence[str]
    groups: Sequence[str]
    classes: tuple[str, ...]
    probabilities: Floats
    truth: Sequence[str]
    splits: Sequence[str]

    @property
    def codes(self) -> Codes:
        """Place of the true class among the network's, -1 where it is none of them."""
        places = {name: place for place, name in enumerate(self.classes)}
        return np.array([places.get(name, -1) for name in self.truth], dtype=np.int64)

    @property
    def predicted(self) -> Codes:
        """Place of the most probable class."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, NaN for nothing.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22, 209-212.
    """
    if not total:
        return math.nan, math.nan
    share, z2 = right / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z * math.sqrt(share * (1 - share) / total + z2 / (4 * total * total)) / (1 + z2 / total)
    return max(0.0, middle - half), min(1.0, middle + half)


def classification_items(answers: Answers) -> dict[str, Item]:
    """Return ``predictions``, and where classes are known ``accuracy``, ``per_class`` and ``confusion``.

    Where the data have a test split among others, ``per_class_test`` and ``confusion_test`` are of that alone.
    """
    items: dict[str, Item] = {}
    codes = answers.codes
    if (codes >= 0).any():
        items["accuracy"] = _accuracy(answers, codes)
        items["per_class"] = _per_class(answers, codes)
        items["confusion"] = _confusion(answers, codes)
        outside = np.array([split != "test" for split in answers.splits])
        if outside.any() and not outside.all() and (codes[~outside] >= 0).any():
            of_test = np.where(outside, -1, codes)
            for name, made in (("per_class", _per_class), ("confusion", _confusion)):
                item = made(answers, of_test)
                items[f"{name}_test"] = replace(item, title=f"{item.title}, test split")
    items["predictions"] = _predictions(answers)
    return items


def _predictions(answers: Answers) -> IndexTable:
    import pandas as pd

    codes, predicted = answers.codes, answers.predicted
    rows = np.arange(len(predicted))
    of_truth = np.where(codes >= 0, answers.probabilities[rows, np.maximum(codes, 0)], np.nan)
    others = answers.probabilities.copy()
    others[rows, predicted] = -1.0
    second = others.argmax(axis=1)
    known = codes >= 0
    correct = np.where(known, np.where(codes == predicted, "yes", "no"), "")
    columns: dict[str, Any] = {answers.what: list(answers.names)}
    if list(answers.groups) != list(answers.names):
        columns["group"] = list(answers.groups)
    columns["class"] = list(answers.truth)
    columns["predicted"] = [answers.classes[place] for place in predicted]
    columns["correct"] = correct.tolist()
    columns["probability"] = answers.probabilities[rows, predicted]
    columns["probability_of_class"] = of_truth
    if answers.probabilities.shape[1] > 2:
        columns["second"] = [answers.classes[place] for place in second]
        columns["probability_of_second"] = answers.probabilities[rows, second]
    if any(answers.splits):
        columns["split"] = list(answers.splits)
    return IndexTable(
        title="Predictions",
        description=(
            f"The network's answer for each {answers.what}: the most probable class and its probability, and the "
            "probability of the class that it has in the data."
        ),
        frame=pd.DataFrame(columns),
        keys=(answers.what,),
        values=("probability", "probability_of_class"),
        units={"probability": "", "probability_of_class": ""},
        plot="none",
    )


def _accuracy(answers: Answers, codes: Codes) -> IndexTable:
    import pandas as pd

    splits = [name for name in dict.fromkeys(answers.splits) if name]
    rows = [_share_right("all", answers, codes, codes >= 0)]
    if splits and set(answers.splits) != {splits[0]}:
        marks = np.array(answers.splits, dtype=object)
        rows += [_share_right(name, answers, codes, (codes >= 0) & (marks == name)) for name in splits]
    return IndexTable(
        title="Accuracy",
        description=(
            "Share of right answers with Wilson's 95 % interval; balanced accuracy is the mean of the classes' "
            "recalls. Inputs of one group (a patient, a video) are alike, and the interval takes them for independent."
        ),
        frame=pd.DataFrame(rows),
        keys=("split",),
        values=("accuracy", "balanced_accuracy"),
        units={"accuracy": "", "balanced_accuracy": ""},
        intervals={"accuracy": Interval(low="low", high="high")},
    )


def _share_right(name: str, answers: Answers, codes: Codes, chosen: npt.NDArray[np.bool_]) -> dict[str, Any]:
    truth, predicted = codes[chosen], answers.predicted[chosen]
    total = int(chosen.sum())
    right = int((truth == predicted).sum())
    low, high = wilson(right, total)
    recalls = [float((predicted[truth == code] == code).mean()) for code in np.unique(truth)]
    row: dict[str, Any] = {
        "split": name,
        "n": total,
        "right": right,
        "accuracy": right / total if total else math.nan,
        "low": low,
        "high": high,
        "balanced_accuracy": float(np.mean(recalls)) if recalls else math.nan,
    }
    if len(answers.classes) >= _TOP_FROM:
        best = np.argpartition(-answers.probabilities[chosen], _TOP, axis=1)[:, :_TOP]
        row["top_5_accuracy"] = float((best == truth[:, None]).any(axis=1).mean()) if total else math.nan
    p = np.clip(answers.probabilities[chosen][np.arange(total), truth], 1e-12, 1.0)
    row["cross_entropy"] = float(-np.log(p).mean()) if total else math.nan
    return row


def _involved(answers: Answers, codes: Codes) -> list[int]:
    """Return the classes that occur or are predicted, in the network's order; all where they are few."""
    if len(answers.classes) <= 2 * _TOP_FROM:
        return list(range(len(answers.classes)))
    known = codes >= 0
    return sorted({*codes[known].tolist(), *answers.predicted[known].tolist()})


def _confusion(answers: Answers, codes: Codes) -> Matrix:
    shown = _involved(answers, codes)
    place = {code: at for at, code in enumerate(shown)}
    values = np.zeros((len(shown), len(shown)))
    for truth, predicted in zip(codes, answers.predicted, strict=True):
        if truth >= 0:
            values[place[int(truth)], place[int(predicted)]] += 1
    names = tuple(answers.classes[code] for code in shown)
    return Matrix(
        title="Confusion matrix",
        description=(
            f"How many {answers.what}s of the class of the row the network takes for the class of the column; right "
            "answers are on the diagonal."
        ),
        values=values,
        rows=names,
        columns=names,
        row_axis="class",
        column_axis="predicted",
        value_name=f"{answers.what}s",
    )


def _per_class(answers: Answers, codes: Codes) -> IndexTable:
    import pandas as pd

    known = codes >= 0
    truth, predicted = codes[known], answers.predicted[known]
    rows = []
    for code in _involved(answers, codes):
        n, said = int((truth == code).sum()), int((predicted == code).sum())
        hits = int(((truth == code) & (predicted == code)).sum())
        low, high = wilson(hits, n)
        recall = hits / n if n else math.nan
        precision = hits / said if said else math.nan
        f1 = 2 * hits / (n + said) if n + said else math.nan
        rows.append(
            {
                "class": answers.classes[code],
                "n": n,
                "recall": recall,
                "recall_low": low,
                "recall_high": high,
                "precision": precision,
                "f1": f1,
            }
        )
    frame: pd.DataFrame = pd.DataFrame(rows)
    return IndexTable(
        title="Accuracy per class",
        description=(
            "Recall: share of the class that is recognised (its accuracy), with Wilson's 95 % interval. Precision: "
            "share of the answers with this class that are right. F1: their harmonic mean."
        ),
        frame=frame,
        keys=("class",),
        values=("recall", "precision", "f1"),
        units={"recall": "", "precision": "", "f1": ""},
        intervals={"recall": Interval(low="recall_low", high="recall_high")},
    )
