"""Sobol' indices of the outputs and hidden units of a network for tables."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import ValidationInfo, field_validator

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Curve, IndexTable, Interval, Item, Note, Remark
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError
from sensiview.numerics.designs import MOST_DIMENSIONS, MOST_POINTS, is_power_of_two, nearest_powers
from sensiview.numerics.input_space import ColumnSummary
from sensiview.numerics.sobol_indices import Indices
from sensiview.numerics.sobol_reading import about_inputs, findings, left_out, reading
from sensiview.numerics.sobol_study import SobolStudy, StudyPlan, StudyState, study_cost
from sensiview.numerics.space_builder import SpaceBuilder
from sensiview.numerics.study_inputs import RowCounter, fitting_threads, is_layer, model_order, output_widths, summaries

if TYPE_CHECKING:
    from sensiview.datasets.table import Table
    from sensiview.models.network import Network

_SHARE = "share of the variance"
_FEWEST_ROWS = 256
# Rows of a table that is shown while the run goes on.
_MOST_LIVE = 5_000
# How parameters of several factors are written.
_WRITTEN: Mapping[str, tuple[tuple[type, ...], str]] = {
    "bounds": ((Mapping, list, tuple), '{"factor": [low, high]}, or as a list with one pair per factor'),
    "distributions": ((Mapping, str), '{"factor": "normal"}, or as one word for all factors'),
    "groups": ((Mapping,), '{"group": ["factor", "factor"]}'),
    "fixed": ((Mapping,), '{"factor": 3.5}'),
}


class SobolParameters(Parameters):
    """What to sample, what to look at, when to stop."""

    n: int = parameter(
        4096,
        label="Base points N",
        help="Sample size, a power of two. The intervals shrink with it; a finished run can be extended to a larger N.",
        ge=2,
        le=MOST_POINTS,
    )
    second_order: bool = parameter(
        True,
        label="Second order",
        help="Also the interaction of every pair of factors; takes N (2 D + 2) evaluations in place of N (D + 2).",
    )
    output: str | list[str] = parameter(
        "auto",
        label="Output",
        help="probability, logit, loss, auto, or a layer (every unit of it); several separated by commas.",
        suggestions="outputs",
    )
    target: int | str | list[int | str] = parameter(
        "all", label="Class", help="Classes of that output: all, a name, or a number.", suggestions="classes"
    )
    rows: str | list[int] = parameter(
        "all",
        label="Rows",
        help="Rows whose smallest and largest values are the default bounds: all, or ranges such as 0-699.",
    )
    bounds: dict[str, Any] | list[Any] | None = parameter(
        None,
        label="Bounds",
        help='Other bounds than those of the data: {"factor": [low, high]}, or a list of pairs in the factors\' order.',
        suggestions="factors",
    )
    distributions: dict[str, Any] | str | None = parameter(
        None,
        label="Distributions",
        help="Per factor uniform (default), normal, truncated_normal or empirical; one word for all factors.",
        suggestions="factors",
    )
    groups: dict[str, str | list[str]] | None = parameter(
        None,
        label="Groups",
        help='Factors that vary together and get one index: {"group": ["factor", "factor"]}.',
        advanced=True,
        suggestions="factors",
    )
    fixed: dict[str, float] | None = parameter(
        None,
        label="Held fixed",
        help='Factors that do not vary, and their value: {"factor": 3.5}.',
        advanced=True,
        suggestions="factors",
    )
    stop_width: float | None = parameter(
        None, label="Stop at width", help="End early when the half widths of all S1 and ST are at most this.", gt=0
    )
    max_seconds: float | None = parameter(
        None, label="Stop after", help="End before a doubling of N that would last longer than this.", unit="s", gt=0
    )
    resamples: int = parameter(
        100, label="Resamples", help="Bootstrap resamples for the intervals.", ge=2, le=10_000, advanced=True
    )
    confidence: float = parameter(
        0.95, label="Confidence", help="Of the intervals: 0.95 is 95 %.", gt=0, lt=1, advanced=True
    )
    interval: Literal["design", "percentile"] = parameter(
        "design",
        label="Low and high bounds",
        help="percentile: of the bootstrap; design: from eight batches of the points, as quasi-random points err less.",
        advanced=True,
    )
    batch_size: int | Literal["auto"] = parameter(
        "auto", label="Batch size", help="Rows per forward pass; auto takes what fits into memory.", advanced=True
    )

    @field_validator("bounds", "distributions", "groups", "fixed", mode="before")
    @classmethod
    def _readable(cls, value: Any, info: ValidationInfo) -> Any:
        kinds, example = _WRITTEN[str(info.field_name)]
        if value is None or value == "" or value == {}:
            return None
        if not isinstance(value, kinds):
            raise ValueError(f"Write it as {example}")
        return value

    @field_validator("rows", mode="before")
    @classmethod
    def _selection(cls, value: Any) -> Any:
        """Take what a command line makes of 5 and of 0-499,600."""
        if isinstance(value, list) and any(isinstance(part, str) for part in value):
            return ",".join(map(str, value))
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("output")
    @classmethod
    def _something(cls, value: str | list[str]) -> str | list[str]:
        named = [value] if isinstance(value, str) else value
        if not named or not all(name.strip() for name in named):
            raise ValueError("Name an output, for example auto")
        return value

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value

    def outputs(self) -> list[str]:
        """Return the chosen outputs, each once."""
        named = self.output.split(",") if isinstance(self.output, str) else self.output
        return list(dict.fromkeys(name.strip() for name in named))

    def builder(self, columns: Sequence[ColumnSummary]) -> SpaceBuilder:
        """Return what checks and builds the input space."""
        distributions = self.distributions
        if isinstance(distributions, str):
            held = self.fixed or {}
            distributions = {column.name: distributions for column in columns if column.name not in held}
        return SpaceBuilder(
            columns, bounds=self.bounds, distributions=distributions, groups=self.groups, fixed=self.fixed
        )


class Sobol(Analysis[SobolParameters]):
    """Shows which factors the output of a network, or any of its hidden units, depends on over the whole input space.

    The variance of the output over the sampled inputs is split among the factors. S1 is the share a factor explains
    alone; ST the share that involves it at all, also together with others; S2 the share of two factors' interaction
    beyond their own. ST - S1 is interaction. ST near 0 means that the factor can be fixed anywhere without changing
    the output. The sum of all S1 is at most 1; what is missing is interaction. `conf` is the half width of the
    bootstrap interval, as SALib gives it; it is too wide for smooth models at large N, since it takes the points for
    random. The low and high bounds come from eight batches of the quasi-random points and hold in about 95 % of cases.
    The convergence curve shows the same numbers for N = 128, 256, ...: trust them when they have settled.

    It misleads in three ways. The factors are sampled independently of each other, so where columns are correlated
    in the data (age and number of pregnancies), the network is also asked about people who do not exist: the sampled
    box leaves the region on which it was trained. The shares belong to the bounds: wider bounds give a factor more to
    vary. And at small N an index of a weak factor may come out negative, or S1 above ST; such cells are marked, and
    a larger N mends them (the finished run is extended, its evaluations are re-used). Integer columns are sampled as
    real numbers. An output without variance has no indices.

    A layer gives one set of indices per hidden unit, and `layers` their mean weighted by the units' variance.

    References
    ----------
    Sobol' (2001). Mathematics and Computers in Simulation 55, 271-280.
    Saltelli (2002). Computer Physics Communications 145, 280-297 (design, S2).
    Saltelli et al. (2010). Computer Physics Communications 181, 259-270 (S1).
    Jansen (1999). Computer Physics Communications 117, 35-43 (ST).
    Sarrazin, Pianosi, Wagener (2016). Environmental Modelling and Software 79, 135-152 (convergence).
    Gamboa, Janon, Klein, Lagnoux (2014). Electronic Journal of Statistics 8, 575-603 (whole layers).
    """

    key = "sobol"
    title = "Sobol' indices"
    rank = 10
    extendable = frozenset({"n", "stop_width", "max_seconds", "resamples", "confidence", "interval"})
    Parameters = SobolParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return what the contract asks, and that a model of tables is needed."""
        found = super().obstacles(study)
        if study.model is not None and study.model.n_inputs is None:
            found.append(f"The model '{study.model.name}' does not take rows of a table. Choose another model.")
        return found

    def problems(self, study: Study, parameters: SobolParameters) -> list[str]:
        """Return sentences on N, outputs, classes, rows, bounds, distributions, groups and fixed factors."""
        from sensiview.datasets.rows import rows_problem

        found = []
        if not is_power_of_two(parameters.n):
            below, above = nearest_powers(parameters.n)
            found.append(
                f"n is {parameters.n:,}, but Sobol' points are balanced only for a power of two. The nearest are "
                f"{below:,} and {above:,}."
            )
        if study.seed < 1:
            found.append(f"The seed is {study.seed}; it must be at least 1.")
        if study.model is not None:
            try:
                output_widths(study.model, parameters.outputs(), parameters.target)
            except UserError as error:
                found.append(error.sentence)
        if study.dataset is not None:
            if sentence := rows_problem(parameters.rows, study.dataset.n_rows):
                found.append(sentence)
            builder = parameters.builder(summaries(study.dataset, study.model))
            found += builder.problems
            space = builder.space()
            if space is not None and 2 * len(space.factors) > MOST_DIMENSIONS:
                found.append(
                    f"{len(space.factors):,} factors are too many: Sobol' points exist for {MOST_DIMENSIONS // 2:,} at "
                    "most. Hold some of them fixed, or choose fewer feature columns."
                )
        return found

    def cost(self, study: Study, parameters: SobolParameters, kept: int = 0) -> Cost:
        """Return N (G + 2) or N (2 G + 2) evaluations, less those of `kept` base points from a checkpoint."""
        if study.dataset is None:
            return Cost(0, 0)
        columns = summaries(study.dataset, study.model)
        space = parameters.builder(columns).space()
        groups = len(columns) if space is None else len(space.labels)
        try:
            outputs = (
                sum(output_widths(study.model, parameters.outputs(), parameters.target).values()) if study.model else 1
            )
        except UserError:
            outputs = 1
        evaluations, peak_bytes, seconds = study_cost(
            parameters.n - min(kept, parameters.n),
            parameters.n,
            groups=groups,
            columns=len(columns),
            outputs=outputs,
            second_order=parameters.second_order,
            resamples=parameters.resamples,
        )
        stops = parameters.stop_width is not None or parameters.max_seconds is not None
        return Cost(
            evaluations,
            peak_bytes + 65_536 * (study.model.bytes_per_row if study.model else 0),
            note="At most; the run may stop earlier." if stops else "",
            other_seconds=seconds,
        )

    def run(self, study: Study, parameters: SobolParameters, progress: Progress) -> Result:
        """Sample, evaluate and estimate in doubling stages."""
        from sensiview.models.evaluation import Evaluator

        began = time.monotonic()
        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        progress.stage("Opening data and model")
        table = study.table()
        network = study.network()
        data = table.features(table.row_selection(parameters.rows))
        place = {name: column for column, name in enumerate(table.card.features)}
        order = model_order(table.card, study.model)
        builder = parameters.builder([ColumnSummary.of(name, data[:, place[name]]) for name in order])
        space = builder.space()
        if space is None:
            raise UserError(" ".join(builder.problems))
        counter = RowCounter(progress.advance)
        evaluator = Evaluator(
            network,
            parameters.outputs(),
            target=parameters.target,
            batch_size=study.batch_size if parameters.batch_size == "auto" else parameters.batch_size,
            on_batch=counter,
            warn=progress.warn,
        )
        labels = evaluator.labels
        work = SobolStudy(
            StudyPlan(
                space,
                n=parameters.n,
                second_order=parameters.second_order,
                seed=study.seed,
                resamples=parameters.resamples,
                confidence=parameters.confidence,
                interval=parameters.interval,
                stop_width=parameters.stop_width,
                max_seconds=parameters.max_seconds,
            ),
            counter.counting(evaluator),
            labels,
            on_stage=lambda stages: _preview(progress, stages, labels, space.labels, parameters.confidence),
            keep=lambda state: progress.checkpoint(Checkpoint(state.arrays, state.values)),
            begin=lambda n, rows: progress.stage(f"Evaluating to N = {n:,}", rows),
            tick=lambda: progress.advance(0),
            # The probed batch is about half a second of work; one that was asked for may be tiny.
            rows_per_call=max(evaluator.batch_size, _FEWEST_ROWS),
        )
        if (restored := progress.restored()) is not None:
            work.restore(StudyState(restored.arrays, restored.values))
        try:
            with fitting_threads(evaluator.footprint.flops_per_row):
                outcome = work.run()
        except Stopped:
            # What was evaluated since the last checkpoint is worth keeping too.
            with contextlib.suppress(Stopped):
                progress.checkpoint(Checkpoint(work.state().arrays, work.state().values))
            raise
        layers = {name: part for name, part in evaluator.columns.items() if is_layer(network.card, name)}
        words = reading(outcome.stages, labels, space.labels, outcome.reason, layers)
        words += about_inputs(space, data[:, [place[factor.name] for factor in space.factors]])
        items = _items(outcome.stages, labels, space.labels, parameters.confidence)
        if layers:
            items["layers"] = _layer_item(outcome.indices, layers, space.labels)
        items["reading"] = Note(title="What it says", text=" ".join(words))
        return Result(
            items,
            evaluations=outcome.evaluations,
            warnings=tuple(left_out(outcome.indices, labels)),
            seconds=time.monotonic() - began,
            facts={
                "N": str(outcome.indices.n),
                "stopped_by": outcome.reason,
                "input_space": json.dumps(space.describe(), ensure_ascii=False),
            },
        )

    def example(self) -> Example[SobolParameters]:
        """Return a table of three columns and a network of eight units with random weights."""
        return Example(_example_study(), SobolParameters(n=256, output=["auto", "1"], resamples=50))


def _items(
    stages: Sequence[Indices], outputs: Sequence[str], factors: Sequence[str], confidence: float
) -> dict[str, Item]:
    """Return tables and curve of a finished or running study."""
    from sensiview.numerics.sobol_frames import convergence_frame, first_total_frame, second_order_frame

    last = stages[-1]
    percent = f"{100 * confidence:g} %"
    items: dict[str, Item] = {
        "first_total": IndexTable(
            title=f"First-order and total indices, N = {last.n:,}",
            description=f"S1: share of the variance from the factor alone; ST: with all interactions. ± is {percent}.",
            frame=first_total_frame(last, outputs, factors),
            keys=("output", "factor"),
            values=("S1", "ST"),
            units={"S1": _SHARE, "ST": _SHARE},
            intervals={
                "S1": Interval(half="S1_conf", low="S1_low", high="S1_high"),
                "ST": Interval(half="ST_conf", low="ST_low", high="ST_high"),
            },
            remarks=tuple(
                Remark(mark.output * len(factors) + mark.factor, mark.column, mark.kind, mark.sentence)
                for mark in findings(stages, outputs, factors)
            ),
        )
    }
    if last.second is not None and len(factors) > 1:
        items["second_order"] = IndexTable(
            title=f"Second-order indices, N = {last.n:,}",
            description=f"S2: share of the variance from two factors together, beyond each alone. ± is {percent}.",
            frame=second_order_frame(last, outputs, factors),
            keys=("output", "factor_1", "factor_2"),
            values=("S2",),
            units={"S2": _SHARE},
            intervals={"S2": Interval(half="S2_conf")},
            plot="matrix",
        )
    items["convergence"] = Curve(
        title="Convergence",
        description=f"The indices from the first N base points of the same design, with their {percent} intervals.",
        frame=convergence_frame(stages, outputs, factors),
        x="N",
        y=("S1", "ST"),
        series=("output", "factor"),
        bands={"S1": Interval(half="S1_conf"), "ST": Interval(half="ST_conf")},
        units={"N": "base points", "S1": _SHARE, "ST": _SHARE},
        x_scale="log2",
    )
    return items


def _layer_item(indices: Indices, layers: Mapping[str, slice], factors: Sequence[str]) -> IndexTable:
    from sensiview.numerics.sobol_frames import layer_frame

    return IndexTable(
        title=f"Indices of whole layers, N = {indices.n:,}",
        description="The indices of a layer's units, weighted by the units' variance: what moves the layer as a whole.",
        frame=layer_frame(indices, layers, factors),
        keys=("layer", "factor"),
        values=("S1", "ST"),
        units={"S1": _SHARE, "ST": _SHARE},
    )


def _preview(
    progress: Progress, stages: Sequence[Indices], outputs: Sequence[str], factors: Sequence[str], confidence: float
) -> None:
    if len(outputs) * len(factors) > _MOST_LIVE:
        return
    items = _items(stages, outputs, factors, confidence)
    for name in ("convergence", "first_total"):
        progress.preview(name, items[name])


def _example_study() -> Study:
    """Return 30 rows of three factors, and a network with fixed weights."""

    def table() -> Table:
        import pandas as pd

        from sensiview.datasets.table import table_from_frame

        values = np.random.default_rng(5).uniform(-1.0, 1.0, (30, 3))
        return table_from_frame(pd.DataFrame(values, columns=["a", "b", "c"]), name="example")

    def network() -> Network:
        import torch

        from sensiview.models.network import network_from_module

        with torch.random.fork_rng():
            torch.manual_seed(5)
            module = torch.nn.Sequential(
                torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1), torch.nn.Sigmoid()
            ).double()
        return network_from_module(module, sample=table().features()[:2], name="example", device="cpu")

    return Study(dataset=table().card, model=network().card, device="cpu", table_loader=table, network_loader=network)
