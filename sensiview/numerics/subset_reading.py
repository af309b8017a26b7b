"""What the scores of networks trained on subsets of the factors say: tables and a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

ALL, MOST, LEAST = "all", "most important", "least important"


def score_table(scores: Array, subsets: Sequence[str], seeds: Sequence[int]) -> pd.DataFrame:
    """Return subset, seed, train, test of every training that has ended.

    `scores` has shape (subsets, seeds, 2), the last axis being train and test; NaN where there is none yet.
    """
    import pandas as pd

    frame = pd.DataFrame(
        {
            "subset": np.repeat(np.asarray(subsets, dtype=object), len(seeds)),
            "seed": np.tile(np.asarray(seeds, dtype=np.int64), len(subsets)),
            "train": scores[:, :, 0].ravel(),
            "test": scores[:, :, 1].ravel(),
        }
    )
    return frame[frame["train"].notna()].reset_index(drop=True)


def summary_table(scores: Array, factors: Mapping[str, str]) -> pd.DataFrame:
    """Return subset, factors, train_mean, train_std, test_mean, test_std (n - 1), trainings (their number)."""
    import pandas as pd

    rows = []
    for number, (subset, listed) in enumerate(factors.items()):
        ended = scores[number][np.isfinite(scores[number, :, 0])]
        spread = ended.std(axis=0, ddof=1) if len(ended) > 1 else np.full(2, np.nan)
        mean = ended.mean(axis=0) if len(ended) else np.full(2, np.nan)
        rows.append((subset, listed, mean[0], spread[0], mean[1], spread[1], len(ended)))
    columns = ["subset", "factors", "train_mean", "train_std", "test_mean", "test_std", "trainings"]
    return pd.DataFrame(rows, columns=columns)


def in_words(scores: Array, factors: Mapping[str, str], *, classes: bool, overlap: Sequence[str]) -> str:
    """Say how the subsets compare on test rows, with the 95 % interval of each difference over seeds.

    `scores` as `score_table` takes them; `overlap` names factors that are in both small subsets.
    """
    part = 1 if np.isfinite(scores[:, :, 1]).any() else 0
    values = scores[:, :, part]

    def shown(value: float) -> str:
        return f"{100 * value:.1f} %" if classes else f"{value:.4g}"

    measure = ("test " if part else "training ") + ("accuracy" if classes else "error (root of the mean square)")
    means = [row[np.isfinite(row)].mean() if np.isfinite(row).any() else float("nan") for row in values]
    count = values.shape[1]
    text = [
        f"Mean {measure} over {count} seed{'s' if count > 1 else ''}: "
        + ", ".join(
            f"{shown(mean)} with {'all factors' if name == ALL else f'the {name} ({listed})'}"
            for mean, (name, listed) in zip(means, factors.items(), strict=True)
        )
        + "."
    ]
    names = list(factors)
    for name in (MOST, LEAST):
        sentence = _difference(values[names.index(name)] - values[names.index(ALL)], name, classes=classes)
        text += [sentence] if sentence else []
    if overlap:
        text.append(f"Two subsets of this size overlap; in both: {', '.join(overlap)}.")
    if not part:
        text.append("There are no test rows: this only says how well the training rows were learnt.")
    return " ".join(text)


def _difference(differences: Array, name: str, *, classes: bool) -> str:
    """Return a sentence on a mean paired difference and its interval (Student's t), empty for fewer than two seeds."""
    from scipy import stats

    paired = differences[np.isfinite(differences)]
    if len(paired) < 2:
        return ""
    mean = float(paired.mean())
    half = float(stats.t.ppf(0.975, len(paired) - 1) * paired.std(ddof=1) / np.sqrt(len(paired)))

    def shown(value: float) -> str:
        return f"{round(100 * value, 1) + 0.0:+.1f}" if classes else f"{value:+.4g}"

    sentence = (
        f"The {name} ones alone: {shown(mean)}{' percentage points' if classes else ''} against all "
        f"(95 % interval over seeds {shown(mean - half)} to {shown(mean + half)})"
    )
    return sentence + (", which can't be told from no difference." if abs(mean) <= half else ".")
