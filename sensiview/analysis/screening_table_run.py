"""Opens a table and its network for a screening: columns are the factors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.progress import Progress
from sensiview.analysis.screening_parameters import ScreeningParameters
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.numerics.input_space import ColumnSummary
from sensiview.numerics.space_builder import SpaceBuilder
from sensiview.numerics.study_inputs import RowCounter, fitting_threads, model_order

if TYPE_CHECKING:
    from sensiview.datasets.table import Table
    from sensiview.numerics.screening.designs import Blocks
    from sensiview.numerics.screening.screened import Screened

Floats = NDArray[np.float64]
_CONSTANT = "The column has the same value in every row, so it can't vary."


@dataclass(frozen=True, eq=False)
class TableScreening:
    """A table's columns as the model takes them.

    Parameters
    ----------
    order : tuple of str
        Every column, in the model's order.
    varied : tuple of str
        Those that are sampled, between `low` and `high`.
    constant : tuple of str
        Those that have no range.
    held : mapping
        Values of all that are not sampled.
    scores : callable
        Rows as the model takes them -> (rows, outputs).
    outputs : tuple of str
    """

    order: tuple[str, ...]
    varied: tuple[str, ...]
    constant: tuple[str, ...]
    held: Mapping[str, float]
    low: Floats
    high: Floats
    scores: Callable[[Floats], NDArray[Any]]
    outputs: tuple[str, ...]

    def everywhere(self) -> Screened:
        """Return the whole space: every factor between its bounds, independently."""
        middle = np.array([self.held.get(name, 0.0) for name in self.order])
        return self._screened("0", "", middle, self.low, self.high, None)

    def around(self, row: int, own: Floats, spread: float) -> Screened:
        """Return the surroundings of one row, (columns,): each factor by a share of half its range."""
        values = np.array([own[self.order.index(name)] for name in self.varied])
        half = spread * (self.high - self.low) / 2
        return self._screened(str(row), f"row {row}", own, values - half, values + half, values)

    def _screened(
        self, key: str, name: str, base: Floats, low: Floats, high: Floats, values: Floats | None
    ) -> Screened:
        from sensiview.numerics.screening.screened import FactorRanges, Screened, within

        places = [self.order.index(factor) for factor in self.varied]

        def evaluate(blocks: Blocks) -> NDArray[Any]:
            points = within(blocks, low, high).reshape(-1, len(places))
            rows = np.tile(base, (len(points), 1))
            rows[:, places] = points
            return self.scores(rows).reshape(len(blocks), len(places) + 1, -1)

        names = tuple(factor for factor in self.order if factor in self.varied or factor in self.constant)
        fixed = {factor: self.held[factor] for factor in self.constant}

        def of(found: Floats) -> Floats:
            known = dict(zip(self.varied, found, strict=True))
            return np.array([known.get(factor, fixed.get(factor, np.nan)) for factor in names])

        ranges = FactorRanges(
            names,
            of(low),
            of(high),
            None if values is None else of(values),
            tuple(_CONSTANT if factor in fixed else "" for factor in names),
        )
        return Screened(key, name, ranges, self.outputs, evaluate)


def column_space(columns: Sequence[ColumnSummary], parameters: ScreeningParameters) -> tuple[SpaceBuilder, list[str]]:
    """Return what checks bounds and held values, and the columns that have no range and are held for that.

    A column whose bounds the user gave is never held on its own account.
    """
    fixed = dict(parameters.fixed or {})
    constant: list[str] = []
    if not isinstance(parameters.bounds, list):
        for column in columns:
            given = column.name in (parameters.bounds or {}) or column.name in fixed
            if not given and column.minimum is not None and column.minimum == column.maximum:
                constant.append(column.name)
                fixed[column.name] = float(column.minimum)
    return SpaceBuilder(columns, bounds=parameters.bounds, fixed=fixed or None), constant


def open_table(
    study: Study, parameters: ScreeningParameters, progress: Progress, warn: Callable[[str], None]
) -> tuple[int, Iterator[Screened]]:
    """Return how many inputs there are, and the whole space (global) or each chosen row (local).

    Raises
    ------
    UserError
        Bounds, rows or outputs that are not there.
    """
    progress.stage("Opening data and model")
    table = study.table()
    chosen = [int(row) for row in table.row_selection(parameters.rows)]
    order = model_order(table.card, study.model)
    local = parameters.scope_for("table") == "local"
    data = _in_order(table, order)
    # A row that is screened lies in the ranges of the whole table.
    known = data if local else data[chosen]
    builder, constant = column_space([ColumnSummary.of(name, known[:, i]) for i, name in enumerate(order)], parameters)
    space = builder.space()
    if space is None:
        raise UserError(" ".join(builder.problems))
    low, high = (space.values(np.full((1, len(space.factors)), u))[0] for u in (0.0, 1.0))
    scores, outputs = _scores(study, parameters, progress, warn)
    opened = TableScreening(
        tuple(order),
        tuple(factor.name for factor in space.factors),
        tuple(constant),
        space.fixed,
        low,
        high,
        scores,
        outputs,
    )
    if not local:
        return 1, iter([opened.everywhere()])
    complete = [row for row in chosen if np.isfinite(data[row]).all()]
    if len(complete) < len(chosen):
        warn(f"{len(chosen) - len(complete):,} of {len(chosen):,} rows have missing values and are left out.")
    if not complete:
        raise UserError("Every chosen row has missing values. Choose other rows, or scope = global.")
    fixed = {name: value for name, value in space.fixed.items() if name not in constant}
    for name, value in fixed.items():
        data[:, order.index(name)] = value
    return len(complete), (opened.around(row, data[row], parameters.spread) for row in complete)


def _in_order(table: Table, order: Sequence[str]) -> Floats:
    features = list(table.card.features)
    return table.features()[:, [features.index(name) for name in order]]


def _scores(
    study: Study, parameters: ScreeningParameters, progress: Progress, warn: Callable[[str], None]
) -> tuple[Callable[[Floats], NDArray[Any]], tuple[str, ...]]:
    from sensiview.models.evaluation import Evaluator

    counter = RowCounter(progress.advance)
    evaluator = Evaluator(
        study.network(),
        [parameters.output],
        target="all" if parameters.target == "auto" else parameters.target,
        batch_size=parameters.rows_at_once(study),
        on_batch=counter,
        warn=warn,
    )

    def scores(rows: Floats) -> NDArray[Any]:
        with fitting_threads(evaluator.footprint.flops_per_row):
            return np.asarray(counter.counting(evaluator)(rows))

    return scores, tuple(evaluator.labels)
