"""Screenings side by side: the inputs and the parts that all of them have, and each input's class. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensiview.analysis.items import Array
from sensiview.analysis.map_items import some
from sensiview.analysis.screening_runs import MEAN, Indices, ScreeningRun
from sensiview.analysis.study import Study
from sensiview.datasets.selecting import class_name
from sensiview.errors import UserError


def common_inputs(runs: Sequence[ScreeningRun], *, shared: bool) -> list[str]:
    """Return the inputs that all runs have indices of; the average alone where one ranking serves all.

    Raises
    ------
    UserError
        They have none in common.
    """
    if shared:
        return [MEAN]
    first, *others = runs
    common = [name for name in first.names if all(name in run.own for run in others)]
    if not common:
        other = next((run for run in others if not set(run.names) & set(first.names)), others[0])
        raise UserError(
            f"The screenings have no {first.what} in common: '{first.title}' is of {some(first.names)}, "
            f"'{other.title}' of {some(other.names)}. Screen the same {first.what}s with every network."
        )
    return common


def indices_of(run: ScreeningRun, name: str) -> Indices:
    """Return the indices of an input, or the average over inputs."""
    found = run.common if name == MEAN and MEAN not in run.own else run.own[name]
    assert found is not None
    return found


def check_same_parts(runs: Sequence[ScreeningRun], names: Sequence[str]) -> None:
    """Refuse runs that cut their inputs differently.

    Cells of a grid are the same parts also where networks see the inputs in other sizes.

    Raises
    ------
    UserError
        Other parts; the sentence says whose.
    """
    first, *others = runs
    for run in others:
        for name in names:
            mine, its = indices_of(first, name), indices_of(run, name)
            if mine.factors != its.factors:
                raise UserError(
                    f"'{first.title}' has {len(mine.factors)} parts ({some(mine.factors, 2)}), '{run.title}' has "
                    f"{len(its.factors)} ({some(its.factors, 2)}): they can't be compared. Screen with the same parts."
                )
        if first.own_parts or run.own_parts:
            _check_places(first, run, names)


def _check_places(first: ScreeningRun, run: ScreeningRun, names: Sequence[str]) -> None:
    for name in names:
        if name == MEAN:
            continue
        mine, its = first.labels(name), run.labels(name)
        if mine.shape != its.shape or not np.array_equal(mine, its):
            raise UserError(
                f"The parts of '{name}' lie elsewhere in '{run.title}' than in '{first.title}': their networks see the "
                "input differently, and each cut its own. Choose a grid of cells for both."
            )


def part_labels(run: ScreeningRun, name: str) -> Array | None:
    """Return the part of each place, from 0, -1 outside all; None for columns, factors of a generator and channels."""
    if run.parts is None or "channel" in run.parts.axes:
        return None
    known = name if name != MEAN else next(iter(run.own), "")
    return np.asarray(run.labels(known)[0]).astype(np.int64) - 1


def true_classes(study: Study, run: ScreeningRun) -> dict[str, str]:
    """Return the class of each input of the data set by its name, as far as it is known; nothing for tables."""
    dataset = study.dataset
    if dataset is None or dataset.target is None or not dataset.class_counts or not run.own or not run.key:
        return {}
    if run.key == "image":
        names, labels = study.images().names, study.images().labels()
    elif run.key == "subject":
        names, labels = study.volumes().names, study.volumes().labels()
    else:
        return {}
    classes = list(dataset.class_counts)
    return {name: class_name(classes[code]) for name, code in zip(names, labels, strict=True) if code >= 0}
