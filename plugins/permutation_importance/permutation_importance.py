"""How much worse a network gets when one column is shuffled: the template for plugins, see README.md."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Array, IndexTable, Interval, Note, Remark
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.rows import parse_rows, rows_problem
from sensiview.errors import UserError

if TYPE_CHECKING:
    from sensiview.datasets.table import Table
    from sensiview.models.network import Network

MAX_BLOCK_BYTES = 64 << 20


class PermutationParameters(Parameters):
    """Each field is a row of the form, an option of the command line and a line of the help page."""

    measure: Literal["auto", "accuracy", "loss"] = parameter(
        "auto",
        label="Measure",
        help="What gets worse: accuracy, or loss (cross entropy; mean squared error where there are no classes).",
    )
    repeats: int = parameter(
        10, label="Repeats", help="How often each column is shuffled.", unit="times", ge=2, le=1000
    )
    rows: str | list[int] = parameter(
        "all", label="Rows", help="Rows of the table, counted from 0: all, or ranges such as 500-699."
    )
    confidence: float = parameter(
        0.95, label="Confidence", help="Of the interval around the mean.", gt=0.5, lt=1.0, advanced=True
    )
    batch_size: int | Literal["auto"] = parameter(
        "auto", label="Batch size", help="Rows per forward pass; auto takes what fits into memory.", advanced=True
    )


class PermutationImportance(Analysis[PermutationParameters]):
    """Measures how much worse the model gets when one column is shuffled.

    Shuffling a column cuts its tie to the target and to the other columns, and leaves its distribution as it is.
    `importance` is the drop of accuracy (or the rise of the loss), averaged over the repeats; `importance_conf` is the
    half width of the interval of that mean, `low` and `high` hold the middle part of the single repeats. An importance
    whose interval contains 0 can't be told from none; small negative ones are chance.

    It misleads where columns carry the same information: each can be replaced by the other, and both look unimportant.
    It also shows the network rows that don't occur, such as young people with ten pregnancies. Take rows on which the
    network was not trained (`rows`), or it shows what was learnt by heart.

    References
    ----------
    Breiman (2001). Random forests. Machine Learning 45, 5-32. doi:10.1023/A:1010933404324.
    Fisher, Rudin, Dominici (2019). All models are wrong, but many are useful. JMLR 20(177).
    """

    key = "permutation_importance"
    title = "Permutation importance"
    Parameters = PermutationParameters

    def obstacles(self, study: Study) -> list[str]:
        """Say why it can't run: on top of what every analysis needs, a target column."""
        found = super().obstacles(study)
        if study.dataset is not None and study.dataset.target is None:
            found.append(f"The table '{study.dataset.name}' has no target column to compare with. Choose one first.")
        return found

    def problems(self, study: Study, parameters: PermutationParameters) -> list[str]:
        """Say which values don't fit this table. Uses the cards only: the window asks at every change of the form."""
        if study.dataset is None:
            return []
        found = []
        if parameters.measure == "accuracy" and not study.dataset.class_counts:
            found.append(f"'{study.dataset.target}' holds no classes, so there is no accuracy. Choose the loss.")
        wrong = rows_problem(parameters.rows, study.dataset.n_rows)
        return [*found, wrong] if wrong else found

    def cost(self, study: Study, parameters: PermutationParameters) -> Cost:
        """Return every row once, and once per factor and repeat."""
        if study.dataset is None or study.model is None or rows_problem(parameters.rows, study.dataset.n_rows):
            return Cost(0, 0)
        rows = len(parse_rows(parameters.rows, study.dataset.n_rows))
        factors = len(study.dataset.features)
        peak = 3 * 8 * rows * factors + MAX_BLOCK_BYTES + 4096 * study.model.bytes_per_row
        return Cost(rows * (1 + factors * parameters.repeats), peak)

    def run(self, study: Study, parameters: PermutationParameters, progress: Progress) -> Result:
        """Score the rows as they are, then with one column shuffled, factor by factor."""
        table = study.table()
        rows, score, measure, evaluations = _prepared(study, table, study.network(), parameters, progress)
        factors = table.card.features
        progress.stage("Shuffling", len(rows) * (1 + len(factors) * parameters.repeats))
        worse = np.full((len(factors), parameters.repeats), np.nan)
        first, base = 0, float("nan")
        # A run that was interrupted goes on where it was, with the same numbers: nothing random is carried over.
        if (earlier := progress.restored()) is not None and earlier.arrays["worse"].shape == worse.shape:
            worse, first, base = np.array(earlier.arrays["worse"]), int(earlier.values["next"]), earlier.values["base"]
            progress.advance(len(rows) * (1 + first * parameters.repeats))
        else:
            base = score(rows)
        for factor in range(first, len(factors)):
            for repeat in range(parameters.repeats):
                # An own random stream for each shuffle: the same seed gives the same numbers in any order.
                random = np.random.default_rng([study.seed, factor, repeat])
                shuffled = rows.copy()
                shuffled[:, factor] = random.permutation(shuffled[:, factor])
                worse[factor, repeat] = score(shuffled) - base
            progress.checkpoint(Checkpoint({"worse": worse.copy()}, {"next": factor + 1, "base": base}))
            progress.preview("importance", _table(factors[: factor + 1], worse[: factor + 1], parameters, measure))
        table_item = _table(factors, worse, parameters, measure)
        note = Note(title="In words", text=_words(table_item, base, measure, len(rows)))
        return Result({"importance": table_item, "notes": note}, evaluations=evaluations())

    def example(self) -> Example[PermutationParameters]:
        """Return a table of 60 rows whose third column means nothing, and a small network."""
        return Example(_example_study(), PermutationParameters(repeats=3))


def _prepared(
    study: Study, table: Table, network: Network, parameters: PermutationParameters, progress: Progress
) -> tuple[Array, Callable[[Array], float], str, Callable[[], int]]:
    """Return complete rows, a function that says how bad the model is on rows, its name, and the count of rows run."""
    from sensiview.models.evaluation import Evaluator  # torch: only when the analysis runs

    chosen = table.row_selection(parameters.rows)
    complete = table.complete_rows(chosen, with_target=True)
    if len(complete) < len(chosen):
        progress.warn(f"{len(chosen) - len(complete):,} rows left out: a value is missing.")
    if not len(complete):
        raise UserError("Every chosen row has a missing value. Choose other rows, or fill the gaps.")
    classes = bool(table.card.class_counts)
    rows = table.features(complete)
    wanted = _codes(table, network, complete) if classes else table.target_values(complete)
    measure = parameters.measure
    if measure == "auto":
        measure = "accuracy" if classes else "loss"
    seen = 0

    def told(done: int) -> None:
        # The evaluator says how many rows of its call are done; progress wants how many more.
        nonlocal seen
        progress.advance(done - seen)
        seen = done % len(rows)

    batch_size = parameters.batch_size if isinstance(parameters.batch_size, int) else study.batch_size
    evaluate = Evaluator(
        network, ["probability" if classes else "auto"], batch_size=batch_size, on_batch=told, warn=progress.warn
    )
    calls = 0

    def badness(values: Array) -> float:
        nonlocal calls
        calls += 1
        answer = evaluate(values).astype(np.float64)
        if not classes:
            return float(np.mean((answer[:, 0] - wanted) ** 2))
        p = np.column_stack([1 - answer[:, 0], answer[:, 0]]) if answer.shape[1] == 1 else answer
        codes = wanted.astype(np.int64)
        if measure == "accuracy":
            return -float(np.mean(p.argmax(axis=1) == codes))
        # A probability of exactly 0 in float32 is a rounded small one.
        return -float(np.mean(np.log(np.maximum(p[np.arange(len(codes)), codes], np.finfo(np.float32).tiny))))

    return rows, badness, measure, lambda: calls * len(rows)


def _codes(table: Table, network: Network, chosen: Array) -> Array:
    """Return the number of each row's class in the order of the network's outputs."""
    codes = table.labels(chosen)
    of_table, of_model = list(table.card.class_counts), list(network.card.class_names)
    if sorted(of_table) != sorted(of_model):
        return codes  # the network has no names of its own: the order is taken to be the same
    return np.array([of_model.index(name) for name in of_table])[codes]


def _table(factors: tuple[str, ...], worse: Array, parameters: PermutationParameters, measure: str) -> IndexTable:
    import pandas as pd

    tail = 50 * (1 - parameters.confidence)
    std = worse.std(axis=1, ddof=1)
    conf = NormalDist().inv_cdf(0.5 + parameters.confidence / 2) * std / np.sqrt(worse.shape[1])
    frame = pd.DataFrame(
        {
            "factor": list(factors),
            "importance": worse.mean(axis=1),
            "importance_conf": conf,
            "std": std,
            "low": np.percentile(worse, tail, axis=1),
            "high": np.percentile(worse, 100 - tail, axis=1),
        }
    )
    unsure = np.flatnonzero(np.abs(frame["importance"].to_numpy()) <= conf)
    return IndexTable(
        title=f"{'Drop of accuracy' if measure == 'accuracy' else 'Rise of the loss'} when a column is shuffled",
        description=f"Mean of {worse.shape[1]} shuffles with its {parameters.confidence:.0%} interval.",
        frame=frame,
        keys=("factor",),
        values=("importance",),
        units={"importance": "share of rows" if measure == "accuracy" else "loss"},
        intervals={"importance": Interval(half="importance_conf", low="low", high="high")},
        remarks=tuple(
            Remark(int(row), "importance", "includes_zero", f"The interval of {factors[row]} includes 0.")
            for row in unsure
        ),
    )


def _words(item: IndexTable, base: float, measure: str, n_rows: int) -> str:
    order = item.frame.sort_values("importance", ascending=False, kind="stable")
    whole = f"accuracy {-base:.1%}" if measure == "accuracy" else f"loss {base:.4g}"
    leading = ", ".join(f"{f} ({v:.3g})" for f, v in zip(order["factor"][:3], order["importance"][:3], strict=True))
    return f"On {n_rows:,} rows as they are: {whole}. Shuffling hurts most for {leading}."


def _example_study() -> Study:
    def table() -> Table:
        import pandas as pd

        from sensiview.datasets.table import table_from_frame

        values = np.random.default_rng(3).normal(size=(60, 3))
        frame = pd.DataFrame(values, columns=["strong", "weak", "none"])
        frame["class"] = np.where(2 * frame["strong"] + frame["weak"] > 0, "yes", "no")
        return table_from_frame(frame, name="example", target="class")

    def network() -> Network:
        import torch

        from sensiview.models.network import network_from_module

        module = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Sigmoid())
        module.load_state_dict({"0.weight": torch.tensor([[2.0, 1.0, 0.0]]), "0.bias": torch.tensor([0.0])})
        return network_from_module(
            module, sample=table().features()[:2], name="example", class_names=("no", "yes"), device="cpu"
        )

    return Study(dataset=table().card, model=network().card, device="cpu", table_loader=table, network_loader=network)
