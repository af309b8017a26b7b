"""How well classes were told apart: from outputs to probabilities, accuracies and the area under the curve."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.losses import Form

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def class_probabilities(output: Tensor, form: Form) -> Floats:
    """Return the probability of each class, shape (n, classes), from what a network gives, shape (n, k)."""
    values = output.detach().double().cpu()
    if form == "class_logit":
        values = torch.softmax(values, dim=1)
    elif form in ("logit", "probability"):
        second = torch.sigmoid(values) if form == "logit" else values
        values = torch.cat([1 - second, second], dim=1)
    return values.numpy()


def predicted(probabilities: Floats) -> Labels:
    """Return the class with the highest probability; of two equal ones the second, as a threshold of 0.5 does."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= probabilities[:, 0]).astype(np.int64)
    guessed: Labels = probabilities.argmax(axis=1).astype(np.int64)
    return guessed


def confusion(true: Labels, guessed: Labels, n_classes: int) -> NDArray[np.int64]:
    """Return how many of each true class (rows) were taken for each class (columns)."""
    table = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(table, (true, guessed), 1)
    return table


def balanced_accuracy(table: NDArray[np.int64]) -> float:
    """Return the mean, over the classes that occur, of the share of each that was recognised; NaN for no rows."""
    counts = table.sum(axis=1)
    shares = np.diag(table)[counts > 0] / counts[counts > 0]
    return float(shares.mean()) if shares.size else float("nan")


def area_under_curve(probability: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve: how often a positive row scores above a negative one, ties counting half.

    NaN where only one class occurs. Mann-Whitney's U, from ranks.
    """
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    _, place, counts = np.unique(probability, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))
