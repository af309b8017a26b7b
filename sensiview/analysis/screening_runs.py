"""Finished runs of Morris screening as studies take them: rankings, parts, inputs. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.finished_maps import unique_titles
from sensiview.analysis.items import Array, FieldMap, ImageSeries, IndexTable, Item
from sensiview.analysis.map_items import some
from sensiview.analysis.study import Finished, Study
from sensiview.errors import DataError, UserError
from sensiview.numerics.screening.designs import Floats

if TYPE_CHECKING:
    import pandas as pd

SCREENING = "morris"
# What the row of the average over inputs is called.
MEAN = "mean"
_KEYS = ("image", "subject", "row")
_WHAT = {"image": "image", "subject": "volume", "row": "row"}


@dataclass(frozen=True, eq=False)
class Indices:
    """What a screening says of the parts of one input, or of the average over inputs.

    Parameters
    ----------
    factors : tuple of str
        Names of the parts, in the order of their numbers.
    outputs : tuple of str
    mu_star, sigma : ndarray
        float64 (parts, outputs), in the output's unit per range of the part.
    """

    factors: tuple[str, ...]
    outputs: tuple[str, ...]
    mu_star: Floats
    sigma: Floats

    def of(self, columns: Sequence[int]) -> tuple[Floats, Floats]:
        """Return mu_star and sigma of some outputs, (parts, columns)."""
        return self.mu_star[:, list(columns)], self.sigma[:, list(columns)]


@dataclass(frozen=True, eq=False)
class ScreeningRun:
    """A finished screening.

    Parameters
    ----------
    run : Finished
    title : str
        Unique among the runs of the study.
    key : str
        ``image``, ``subject``, ``row``, or empty for a table as a whole.
    kind : str
        How parts are changed: ``parts`` (of images or volumes), ``generator``, ``columns``.
    own : mapping of str to Indices
        By name of the input, without the average.
    average : Indices or None
        The average over inputs, of runs that have it.
    parts : FieldMap or None
        Which part each place belongs to, from 1.
    units : mapping of str to str
        Of mu_star and sigma.
    """

    run: Finished
    title: str
    key: str
    kind: str
    own: Mapping[str, Indices]
    average: Indices | None
    parts: FieldMap | None
    units: Mapping[str, str]

    @property
    def what(self) -> str:
        """What one input is called."""
        return _WHAT.get(self.key, "table")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs that have indices of their own."""
        return tuple(self.own)

    @property
    def is_global(self) -> bool:
        """Whether all inputs were screened with the same bounds: one ranking for all is what was asked for."""
        scope = self.run.parameters.get("scope", "auto")
        if scope == "auto" and self.kind != "parts":
            return self.average is not None
        return scope == "global" or not self.own

    @cached_property
    def common(self) -> Indices | None:
        """The average over inputs: the run's own, else made here; None where inputs have different parts."""
        if self.average is not None:
            return self.average
        found = list(self.own.values())
        first = found[0]
        if any((one.factors, one.outputs) != (first.factors, first.outputs) for one in found) or self.own_parts:
            return None
        usable = [one for one in found if np.isfinite(one.mu_star).all() and np.isfinite(one.sigma).all()] or found
        mu_star, sigma = (np.mean([getattr(one, name) for one in usable], axis=0) for name in ("mu_star", "sigma"))
        return Indices(first.factors, first.outputs, mu_star, sigma)

    @property
    def own_parts(self) -> bool:
        """Whether every input has parts of its own: superpixels, say."""
        return self.parts is not None and self.key in self.parts.axes

    def part_counts(self) -> list[int]:
        """Return how many parts the inputs have, each, or all of them alike."""
        found = list(self.own.values()) or ([self.average] if self.average is not None else [])
        return [len(one.factors) for one in found]

    def labels(self, name: str) -> Array:
        """Return the part of each place of an input, from 1: (1, y, x), (1, i, j, k), or (channels, 1, 1).

        Raises
        ------
        DataError
            They are not in the result.
        """
        if self.parts is None:
            raise DataError(f"'{self.title}' does not hold the parts of its {self.what}s. Run the screening again.")
        values, axes = np.asarray(self.parts.values), list(self.parts.axes)
        if self.key in axes:
            known = self.parts.coordinates.get(self.key, ())
            if name not in known:
                raise DataError(f"'{self.title}' does not hold the parts of '{name}'. Run the screening again.")
            values = np.take(values, known.index(name), axis=axes.index(self.key))
            axes.remove(self.key)
        if "z" in axes:
            values = np.swapaxes(values, -1, -3)
        if "channel" not in axes:
            return values[None]
        # A part is a channel as a whole: one number says it.
        space = tuple(range(1, values.ndim))
        return np.asarray(values.max(axis=space, keepdims=True))


def named_runs(study: Study, wanted: Sequence[str]) -> list[Finished]:
    """Return the finished runs that are named, each once.

    Raises
    ------
    UserError
        None is named, one is not there (deleted, say), is of another analysis, or was made on another data set.
    """
    if not wanted:
        raise UserError("Choose finished runs of 'Morris screening': one for each network that is compared.")
    found = [study.finished(name) for name in dict.fromkeys(wanted)]
    for run in found:
        title = run.name or run.id
        if run.analysis and run.analysis != SCREENING:
            raise UserError(f"'{title}' is a run of '{run.analysis}', not of Morris screening. Choose screenings.")
        if run.dataset is not None and study.dataset is not None and run.dataset.name != study.dataset.name:
            raise UserError(
                f"'{title}' was made on '{run.dataset.name}'. Choose screenings of '{study.dataset.name}', or that "
                "data set."
            )
    return found


def lacking_networks(study: Study, runs: Sequence[Finished]) -> str:
    """Return a sentence about runs whose network is gone; empty when all are there, or the study has one for them."""
    gone = [run.name or run.id for run in runs if run.model is None and run.network is None]
    if not gone or study.network_loader is not None:
        return ""
    return (
        f"The network of {some(gone)} is not there (any more), so nothing can be put through it. Add it to the project "
        "and screen again; in Python, give the pair (result, model)."
    )


def read_screenings(runs: Sequence[Finished], kind: str, tick: Callable[[], None] = lambda: None) -> list[ScreeningRun]:
    """Return what finished runs say, in their order.

    Parameters
    ----------
    runs : sequence of Finished
    kind : str
        Of the data set: ``table``, ``images`` or ``volumes``.
    tick : callable
        Called between runs.

    Raises
    ------
    UserError
        A run has no screening.
    """
    titles = unique_titles(runs)
    found = []
    for run in runs:
        found.append(_read(run, titles[run.id], kind))
        tick()
    return found


def _read(run: Finished, title: str, kind: str) -> ScreeningRun:
    items = run.result()
    table = items.get("screening")
    needed = {"output", "factor", "mu_star", "sigma"}
    if not isinstance(table, IndexTable) or not needed <= set(table.frame.columns):
        raise UserError(f"'{title}' has no screening: no table of mu_star and sigma. Choose runs of Morris screening.")
    key = next((one for one in _KEYS if one in table.frame.columns), "")
    numbers = _numbers(items.get("factors"), key)
    average = None
    if key:
        groups = table.frame.groupby(key, sort=False)
        own = {str(name): _indices(part, numbers(str(name))) for name, part in groups}
        average = own.pop(MEAN, None)
    elif kind == "table":
        own, average = {}, _indices(table.frame, numbers(""))
    else:
        key = "image" if kind == "images" else "subject"
        own = {_single(items, run, kind): _indices(table.frame, numbers(""))}
    if not own and average is None:
        raise UserError(f"The screening of '{title}' is empty. Run it again.")
    parts = items.get("parts")
    how = "parts" if isinstance(parts, FieldMap) else "columns" if kind == "table" else "generator"
    return ScreeningRun(
        run=run,
        title=title,
        key=key,
        kind=how,
        own=own,
        average=average,
        parts=parts if isinstance(parts, FieldMap) else None,
        units=table.units,
    )


def _single(items: Mapping[str, Item], run: Finished, kind: str) -> str:
    """Return the name of the one input of a result whose table does not name it."""
    below = items.get("input")
    if isinstance(below, ImageSeries) and len(below.labels) == 1:
        return below.labels[0]
    parts = items.get("parts")
    return parts.over if isinstance(parts, FieldMap) and parts.over else run.dataset.name if run.dataset else kind


def _numbers(item: Item | None, key: str) -> Callable[[str], Mapping[str, int]]:
    """Return what gives the number of each part of an input: of any input where the result has one table for all."""
    if not isinstance(item, IndexTable) or not {"factor", "number"} <= set(item.frame.columns):
        return lambda name: {}
    frame = item.frame
    groups = frame.groupby(key, sort=False) if key in frame.columns else [("", frame)]
    found = {
        str(name): dict(zip(part["factor"].astype(str), part["number"].astype(int), strict=True))
        for name, part in groups
    }
    first: Mapping[str, int] = next(iter(found.values()), {})
    return lambda name: found.get(name, first)


def _indices(frame: pd.DataFrame, numbers: Mapping[str, int]) -> Indices:
    factors = list(dict.fromkeys(frame["factor"].astype(str)))
    if numbers and set(factors) <= set(numbers):
        factors.sort(key=lambda name: numbers[name])
    outputs = list(dict.fromkeys(frame["output"].astype(str)))
    row = frame["factor"].astype(str).map({name: at for at, name in enumerate(factors)}).to_numpy()
    column = frame["output"].astype(str).map({name: at for at, name in enumerate(outputs)}).to_numpy()
    values = []
    for name in ("mu_star", "sigma"):
        wide = np.full((len(factors), len(outputs)), np.nan)
        wide[row, column] = frame[name].to_numpy(dtype=np.float64)
        values.append(wide)
    return Indices(tuple(factors), tuple(outputs), values[0], values[1])
