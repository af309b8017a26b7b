"""Cross-validation folds: by subject, each class spread evenly, kept with the data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sensiview.errors import UserError


def assign_folds(
    subjects: Sequence[str],
    labels: Sequence[Any],
    k: int,
    seed: int,
    groups: Sequence[Any] | Mapping[str, Any] | None = None,
) -> dict[str, int]:
    """Return the fold of every subject, 0 to k - 1.

    Without groups the folds differ by at most one subject, in each class and in all. Subjects of one group stay
    together; groups are dealt out from the largest on, each to the fold that then is the most even.

    Parameters
    ----------
    subjects : sequence of str
        Whom each volume is of; several volumes of one subject fall into the same fold.
    labels : sequence
        Class of each volume; a subject with several counts as the one it has most often. Volumes without a label
        (None, NaN, -1 among whole numbers, empty) are spread evenly too.
    k : int
        Number of folds, at least 2.
    seed : int
        Same seed, same folds, whatever the order of the volumes.
    groups : sequence or mapping, optional
        Site, family, scanner: per volume, or by subject. Subjects without one stand alone.

    Raises
    ------
    UserError
        Fewer than 2 folds, or more folds than subjects or groups.
    """
    class_of = _class_by_subject(subjects, labels)
    units = _units(subjects, class_of, groups)
    if k < 2:
        raise UserError("Cross-validation needs at least 2 folds.")
    if k > len(units):
        what = "subjects" if groups is None else "groups"
        raise UserError(f"{k} folds need at least as many {what}; there are {len(units)}. Use fewer folds.")
    rng = np.random.default_rng(seed)
    order = [units[i] for i in rng.permutation(len(units))]
    if groups is None:
        return _dealt(order, class_of, k)
    return _evened(order, class_of, k)


def fold_counts(
    assignment: Mapping[str, int], subjects: Sequence[str], labels: Sequence[Any]
) -> dict[int, dict[str, int]]:
    """Return per fold how many subjects of each class it holds, for the window."""
    class_of = _class_by_subject(subjects, labels)
    counts: dict[int, dict[str, int]] = {fold: {} for fold in sorted(set(assignment.values()))}
    for subject, name in sorted(class_of.items(), key=lambda pair: pair[1]):
        if subject in assignment:
            of_fold = counts[assignment[subject]]
            of_fold[name] = of_fold.get(name, 0) + 1
    return counts


def folds_from_column(subjects: Sequence[str], values: Sequence[Any]) -> dict[str, int]:
    """Return folds as a column of the participants' table gives them, numbered from 0 in the order of their names.

    Raises
    ------
    UserError
        A volume has none, a subject is in several, or there is only one.
    """
    names = [_word(value) for value in values]
    if lacking := [s for s, name in zip(subjects, names, strict=True) if not name]:
        raise UserError(f"'{lacking[0]}' has no fold. Fill the column in, or let the folds be drawn.")
    known = sorted(set(names), key=lambda name: (len(name), name) if name.isdecimal() else (0, name))
    if len(known) < 2:
        raise UserError(f"The column names only one fold ({known[0]}). Choose another column, or let them be drawn.")
    found: dict[str, int] = {}
    for subject, name in zip(subjects, names, strict=True):
        if found.setdefault(subject, known.index(name)) != known.index(name):
            raise UserError(
                f"Volumes of '{subject}' are in several folds: a network would be tested on a subject it has seen. "
                "Correct the column."
            )
    return found


def _word(value: Any) -> str:
    if value is None or value == "" or value != value:
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _class_by_subject(subjects: Sequence[str], labels: Sequence[Any]) -> dict[str, str]:
    votes: dict[str, Counter[str]] = {}
    for subject, label in zip(subjects, labels, strict=True):
        name = "" if isinstance(label, int | np.integer) and int(label) == -1 else _word(label)
        votes.setdefault(subject, Counter())[name] += 1
    # A missing label says nothing where another volume of the subject has one; ties go to the first name.
    return {subject: min(count, key=lambda name: (name == "", -count[name], name)) for subject, count in votes.items()}


def _units(
    subjects: Sequence[str], class_of: Mapping[str, str], groups: Sequence[Any] | Mapping[str, Any] | None
) -> list[list[str]]:
    """Subjects that stay together, in an order that does not depend on the volumes' order."""
    if groups is None:
        return [[subject] for subject in sorted(class_of)]
    given = groups if isinstance(groups, Mapping) else _by_subject(subjects, groups)
    together: dict[str, list[str]] = {}
    for subject in sorted(class_of):
        name = _word(given.get(subject))
        together.setdefault(f"group {name}" if name else f"subject {subject}", []).append(subject)
    return [together[name] for name in sorted(together)]


def _by_subject(subjects: Sequence[str], groups: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for subject, group in zip(subjects, groups, strict=True):
        if _word(found.setdefault(subject, group)) != _word(group):
            raise UserError(f"'{subject}' is in several groups and can't stay with one. Correct the table.")
    return found


def _dealt(order: list[list[str]], class_of: Mapping[str, str], k: int) -> dict[str, int]:
    """Deal class after class like cards, going on where the class before ended: even in each and in all."""
    by_class = sorted((subject for (subject,) in order), key=lambda subject: class_of[subject])
    dealt = {subject: place % k for place, subject in enumerate(by_class)}
    return {subject: dealt[subject] for subject in sorted(dealt)}


def _evened(order: list[list[str]], class_of: Mapping[str, str], k: int) -> dict[str, int]:
    names = sorted(set(class_of.values()))
    totals = Counter(class_of.values())
    held = np.zeros((k, len(names)))
    found: dict[str, int] = {}
    left = len(order)
    for unit in sorted(order, key=len, reverse=True):  # stable: the drawn order among equals
        adds = np.array([sum(class_of[s] == name for s in unit) for name in names], dtype=np.float64)
        empty = np.flatnonzero(held.sum(axis=1) == 0)
        candidates = [int(fold) for fold in (empty if empty.size and left <= empty.size else range(k))]
        # Unevenness: squared share of each class in each fold, and of all subjects.
        scale = np.array([totals[name] for name in names])
        costs = []
        for fold in candidates:
            after = held.copy()
            after[fold] += adds
            costs.append(float(((after / scale) ** 2).sum() + ((after.sum(axis=1) / scale.sum()) ** 2).sum()))
        best = candidates[int(np.argmin(np.round(costs, 12)))]
        held[best] += adds
        found |= dict.fromkeys(unit, best)
        left -= 1
    return {subject: found[subject] for subject in sorted(found)}
