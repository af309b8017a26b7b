"""Training the same architecture again on the most and on the least important factors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import field_validator

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Curve, IndexTable, Interval, Item, Note
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.rows import rows_problem
from sensiview.errors import SensiViewError, UserError, suggestion
from sensiview.models.architectures import Architecture, architectures, choose
from sensiview.models.recipe import TrainingRecipe
from sensiview.numerics.subset_reading import ALL, LEAST, MOST, in_words, score_table, summary_table
from sensiview.numerics.subset_recipe import changed, row_counts

if TYPE_CHECKING:
    from sensiview.analysis.items import Array
    from sensiview.datasets.table import Table
    from sensiview.models.network import Network
    from sensiview.models.training import EpochReport
    from sensiview.numerics.subset_training import SubsetPlan

_SUBSETS = 3
_SECONDS_BETWEEN_PREVIEWS = 0.5
# A step of a tiny network on one core; more work is in the evaluations.
_SECONDS_PER_STEP = 8e-4


class FeatureSubsetParameters(Parameters):
    """How many factors, ranked by what, and how the networks are trained."""

    k: int = parameter(4, label="Factors", help="Size of the most important and the least important subset.", ge=1)
    repeats: int = parameter(10, label="Seeds", help="Trainings per subset, each with another seed.", ge=1, le=1000)
    runs: str | list[str] = parameter(
        [],
        label="Ranking from run",
        help="A finished Sobol' run, whose total index ST ranks.",
        suggestions="runs:sobol",
    )
    order: list[str] = parameter(
        [], label="Ranking", help="All factors from the most to the least important.", suggestions="factors"
    )
    n: int = parameter(
        1024,
        label="Base points N",
        help="Without a run or a ranking, ST is computed here with this many points, a power of two.",
        ge=64,
        le=1 << 20,
    )
    train_rows: str = parameter(
        "recipe", label="Training rows", help="recipe: as the architecture has them; random; or such as 0-499."
    )
    test_rows: str = parameter(
        "recipe", label="Test rows", help="recipe: as the architecture has them; random; or such as 500-699."
    )
    epochs: int | None = parameter(None, label="Epochs", help="Empty takes the architecture's own.", ge=1, le=1_000_000)
    learning_rate: float | None = parameter(
        None, label="Learning rate", help="Empty takes the architecture's own.", gt=0, le=10, advanced=True
    )
    recipe: dict[str, Any] = parameter(
        {},
        label="Recipe",
        help='Other settings of the training: {"optimiser": "adam", "batch_size": 32}.',
        advanced=True,
    )

    @field_validator("order", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("n")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(
                f"N must be a power of two, such as {1 << (value.bit_length() - 1)} or {1 << value.bit_length()}"
            )
        return value

    def run_names(self) -> list[str]:
        """Return the runs as a list."""
        names = [self.runs] if isinstance(self.runs, str) else list(self.runs)
        return [name.strip() for name in names if name.strip()]


class FeatureSubset(Analysis[FeatureSubsetParameters]):
    """Trains the network anew on the most and on the least important factors only.

    If an importance measure is right, a network that sees only the factors it calls important is nearly as good as one
    that sees all, and a network that sees only the others is not. The same architecture is trained from new random
    weights on all factors, on the k with the largest total index ST and on the k with the smallest, with the same
    seeds, rows and recipe. `accuracy` is the share of rows in the right class, in eval mode; for a target of numbers
    `error` is the root of the mean squared error. The model given is not changed.

    It misleads where factors carry the same information: the least important ones may replace a factor that was left
    out. The spread over seeds is that of the training, not of the choice of rows: few test rows make all differences
    uncertain (of 200 rows, one is half a per cent). A ranking from the same test rows favours the important ones.
    """

    key = "feature_subset"
    title = "Feature subsets"
    rank = 30
    extendable = frozenset({"repeats"})
    Parameters = FeatureSubsetParameters

    def obstacles(self, study: Study) -> list[str]:
        """Say what is missing: a target, or an architecture that can be built anew."""
        found = super().obstacles(study)
        if study.dataset is not None and study.dataset.kind == "table" and study.dataset.target is None:
            found.append(f"'{study.dataset.name}' has no target column to train for. Choose one first.")
        if study.model is not None:
            try:
                _architecture(study)
            except SensiViewError as error:
                found.append(error.sentence)
        return found

    def problems(self, study: Study, parameters: FeatureSubsetParameters) -> list[str]:
        """Say which factors, runs, rows or settings don't fit."""
        if study.dataset is None or study.model is None:
            return []
        factors = study.dataset.features
        found = []
        if parameters.k >= len(factors):
            found.append(
                f"There are {len(factors)} factors, so a subset has at most {len(factors) - 1}, not {parameters.k}."
            )
        found += _order_problems(parameters.order, factors)
        runs = parameters.run_names()
        if runs and parameters.order:
            found.append("Give either a run to rank by or a ranking, not both.")
        if len(runs) > 1:
            found.append("Give one run to rank by.")
        elif runs and runs[0] not in (study.runs or {}):
            found.append(f"There is no finished run '{runs[0]}'.{suggestion(runs[0], list(study.runs or {}))}")
        try:
            architecture, recipe = _architecture(study), _recipe(study, parameters)
            architecture.n_outputs(len(study.dataset.class_counts))
            for text in (recipe.train_rows, recipe.test_rows):
                wrong = rows_problem(text, study.dataset.n_rows) if text else ""
                found += [f"{wrong} Set 'train_rows' and 'test_rows', 'random' for instance."] if wrong else []
        except SensiViewError as error:
            found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: FeatureSubsetParameters) -> Cost:
        """Return rows times epochs times trainings, and those of the ranking."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            recipe = _recipe(study, parameters)
            train, test = row_counts(recipe, study.dataset.n_rows)
        except SensiViewError:
            return Cost(0, 0)
        trainings = _SUBSETS * parameters.repeats
        ranking = 0 if parameters.order or parameters.run_names() else parameters.n * (len(study.dataset.features) + 2)
        steps = trainings * recipe.epochs * max(1, -(-train // (recipe.batch_size or train or 1)))
        peak = 64 * study.dataset.n_rows * (len(study.dataset.features) + 1) + 6 * 4 * study.model.n_parameters
        return Cost(
            ranking + trainings * recipe.epochs * (train + test),
            peak + (train + test) * study.model.bytes_per_row,
            note=f"{trainings} trainings of {recipe.epochs:,} epochs.",
            other_seconds=steps * _SECONDS_PER_STEP,
        )

    def run(self, study: Study, parameters: FeatureSubsetParameters, progress: Progress) -> Result:
        """Rank, train, compare. Goes on after the last training that was kept."""
        table = study.table()
        earlier = progress.restored()
        ranked = 0
        if earlier is not None:
            order, total = [str(name) for name in earlier.values["order"]], list(earlier.values["total"])
        else:
            order, total, ranked = _ranking(study, parameters, table, progress)
        plan = _plan(study, parameters, table, order, progress)
        scores = plan.no_scores()
        if earlier is not None:
            if earlier.values["identity"] != plan.identity:
                raise UserError("The trainings to go on from were made with other settings. Start a new run.")
            kept = np.asarray(earlier.arrays["scores"])[:, : len(plan.seeds)]
            scores[:, : kept.shape[1]] = kept
        live = _Live(plan, scores, progress, {"order": order, "total": total, "identity": plan.identity})
        plan.train(scores, begin=live.begin, skip=live.skip, done=live.done, warn=progress.warn)
        factors = {name: ", ".join(table.card.features[i] for i in columns) for name, columns in plan.subsets.items()}
        items: dict[str, Item] = {
            _name(plan): _scores_item(plan, scores, table.card),
            "summary": _summary_item(plan, scores, factors),
        }
        if None not in total:
            items["ranking"] = _ranking_item(order, total)
        both = [name for name in order if name in order[: parameters.k] and name in order[-parameters.k :]]
        words = in_words(scores, factors, classes=plan.n_classes > 0, overlap=both)
        items["notes"] = Note(title="In words", text=words)
        return Result(items, evaluations=ranked + live.rows, facts={"trains": True})

    def example(self) -> Example[FeatureSubsetParameters]:
        """Return 120 rows of which two columns matter, and a small perceptron."""
        return Example(_example_study(), FeatureSubsetParameters(k=2, repeats=2, epochs=30, n=64))


def _architecture(study: Study) -> Architecture:
    """Return the architecture of the study's model.

    Raises
    ------
    UserError
        The model has no name by which it could be built anew, or it is not for tables.
    """
    card = study.model
    if card is None or not card.architecture:
        name = card.name if card else ""
        raise UserError(
            f"'{name}' was not made from a named architecture, so it can't be built anew for fewer factors. Choose a "
            "model that was trained here or added with its architecture."
        )
    found = choose(card.architecture, study.architectures or architectures())
    if found.input_kind != "table":
        raise UserError(f"The architecture '{found.key}' is not one for tables. Choose another model.")
    return found


def _recipe(study: Study, parameters: FeatureSubsetParameters) -> TrainingRecipe:
    """Return the architecture's recipe with what was set."""
    changes = dict(parameters.recipe)
    for name in ("epochs", "learning_rate"):
        if getattr(parameters, name) is not None:
            changes[name] = getattr(parameters, name)
    for name in ("train_rows", "test_rows"):
        chosen = getattr(parameters, name).strip()
        if chosen.lower() != "recipe":
            changes[name] = "" if chosen.lower() == "random" else chosen
    return changed(_architecture(study).recipe(), changes)


def _order_problems(order: Sequence[str], factors: Sequence[str]) -> Iterator[str]:
    if not order:
        return
    for name in order:
        if name not in factors:
            yield f"There is no factor '{name}'.{suggestion(name, list(factors))}"
    if len(set(order)) < len(order):
        yield "The ranking names a factor twice."
    missing = [name for name in factors if name not in order]
    if missing:
        yield f"The ranking must name every factor; it lacks {', '.join(missing[:10])}."


def _ranking(
    study: Study, parameters: FeatureSubsetParameters, table: Table, progress: Progress
) -> tuple[list[str], list[float | None], int]:
    """Return the factors from the most important on, their ST (None where only an order was given), evaluations."""
    factors = table.card.features
    if parameters.order:
        return list(parameters.order), [None] * len(factors), 0
    if parameters.run_names():
        total = _total_of_run(study, parameters.run_names()[0], factors)
        evaluations = 0
    else:
        from sensiview.numerics.subset_training import total_indices

        evaluations = parameters.n * (len(factors) + 2)
        progress.stage("Ranking the factors", evaluations)
        total = total_indices(
            study.network(),
            table.features(table.complete_rows()),
            factors,
            n=parameters.n,
            seed=study.seed,
            batch_size=study.batch_size,
            advance=progress.advance,
            warn=progress.warn,
        )
    if not np.isfinite(total).all():
        raise UserError(
            "The total index ST of some factor is not a number, so the factors can't be ranked. Give 'order'."
        )
    places = np.argsort(-total, kind="stable")
    return [factors[i] for i in places], [float(total[i]) for i in places], evaluations


def _total_of_run(study: Study, run: str, factors: Sequence[str]) -> Array:
    """Return ST of each factor from a finished run, the mean over the network's outputs."""
    result = study.finished(run).result()
    item = result.items_by_name.get("first_total")
    if not isinstance(item, IndexTable):
        raise UserError(f"The run '{run}' has no total indices. Choose a run of Sobol' indices.")
    frame = item.frame
    names = study.model.output_names if study.model else ()
    of_outputs = frame[frame["output"].isin(names)]
    # A run may have looked at hidden units only, or at losses: then at all of them.
    by_factor = (of_outputs if len(of_outputs) else frame).groupby("factor")["ST"].mean()
    missing = [name for name in factors if name not in by_factor.index]
    if missing:
        raise UserError(
            f"The run '{run}' has no index for {', '.join(missing[:10])} (grouped, held fixed, or another table). "
            "Choose another run, or give the ranking in 'order'."
        )
    return by_factor.reindex(list(factors)).to_numpy(dtype=np.float64)


def _plan(
    study: Study, parameters: FeatureSubsetParameters, table: Table, order: Sequence[str], progress: Progress
) -> SubsetPlan:
    """Return the trainings; rows with a gap in any factor are out of every one, so that all see the same rows."""
    from sensiview.numerics.subset_training import SubsetPlan

    factors = table.card.features
    if set(order) != set(factors) or parameters.k >= len(factors):
        raise UserError("The ranking belongs to a table with other factors. Start a new run.")
    complete = table.complete_rows(with_target=True)
    if len(complete) < table.n_rows:
        progress.warn(f"{table.n_rows - len(complete):,} rows with a missing value take part in no training.")
    n_classes = len(table.card.class_counts)
    y = np.full(table.n_rows, -1.0 if n_classes else np.nan)
    y[complete] = table.target_values(complete)
    chosen = {ALL: factors, MOST: order[: parameters.k], LEAST: order[-parameters.k :]}
    return SubsetPlan(
        architecture=_architecture(study),
        options=study.model.options if study.model else {},
        recipe=_recipe(study, parameters),
        x=table.features(),
        y=y.astype(np.int64) if n_classes else y,
        n_classes=n_classes,
        # In the table's order: the weights a seed draws belong to columns, not to ranks.
        subsets={name: tuple(i for i, factor in enumerate(factors) if factor in part) for name, part in chosen.items()},
        seeds=tuple(range(study.seed, study.seed + parameters.repeats)),
        device=study.device,
    )


class _Live:
    """Tells how far the trainings are, shows the one that runs, and keeps every one that ended."""

    def __init__(self, plan: SubsetPlan, scores: Array, progress: Progress, values: Mapping[str, Any]) -> None:
        self.rows = 0
        self._plan, self._scores, self._progress, self._values = plan, scores, progress, values
        self._per_epoch = plan.rows_per_epoch
        self._shown = time.monotonic()
        progress.stage("Training", len(plan.subsets) * len(plan.seeds) * plan.recipe.epochs * self._per_epoch)

    def begin(self, subset: str, seed: int) -> Callable[[EpochReport], None]:
        """Return what hears of every epoch of this training; a cancel comes out of it."""
        reports: list[EpochReport] = []

        def hear(report: EpochReport) -> None:
            reports.append(report)
            self.rows += self._per_epoch
            self._progress.advance(self._per_epoch)
            if time.monotonic() - self._shown > _SECONDS_BETWEEN_PREVIEWS:
                self._progress.preview("training", _curve(reports, f"{subset}, seed {seed}", self._plan.n_classes > 0))
                self._shown = time.monotonic()

        return hear

    def skip(self) -> None:
        """Count a training of an earlier run as done."""
        self._progress.advance(self._plan.recipe.epochs * self._per_epoch)

    def done(self) -> None:
        """Keep the scores so far, and show them."""
        self._progress.checkpoint(Checkpoint({"scores": self._scores.copy()}, self._values))
        self._progress.preview(_name(self._plan), _scores_item(self._plan, self._scores, None))


def _name(plan: SubsetPlan) -> str:
    return "accuracy" if plan.n_classes else "error"


def _scores_item(plan: SubsetPlan, scores: Array, card: DatasetCard | None) -> IndexTable:
    unit = "share of rows" if plan.n_classes else f"unit of {card.target}" if card else "unit of the target"
    return IndexTable(
        title="Accuracy by factors used" if plan.n_classes else "Error by factors used (root of the mean square)",
        description="Each dot is one training with its own seed, in eval mode; test rows were not trained on.",
        frame=score_table(scores, list(plan.subsets), plan.seeds),
        keys=("subset", "seed"),
        values=("test", "train"),
        units={"test": unit, "train": unit},
        plot="points",
    )


def _summary_item(plan: SubsetPlan, scores: Array, factors: Mapping[str, str]) -> IndexTable:
    unit = "share of rows" if plan.n_classes else "unit of the target"
    return IndexTable(
        title=f"{'Accuracy' if plan.n_classes else 'Error'} by factors used, over seeds",
        description="Mean and standard deviation over the trainings of a subset.",
        frame=summary_table(scores, factors),
        keys=("subset",),
        values=("test_mean", "train_mean"),
        units={"test_mean": unit, "train_mean": unit, "test_std": unit, "train_std": unit},
        intervals={"test_mean": Interval(half="test_std"), "train_mean": Interval(half="train_std")},
    )


def _ranking_item(order: Sequence[str], total: Sequence[float]) -> IndexTable:
    import pandas as pd

    return IndexTable(
        title="Ranking of the factors",
        description="By the total index ST of the model that was given.",
        frame=pd.DataFrame({"factor": list(order), "rank": range(1, len(order) + 1), "ST": list(total)}),
        keys=("factor",),
        values=("ST",),
        units={"ST": "share of the variance"},
    )


def _curve(reports: Sequence[EpochReport], name: str, classes: bool) -> Curve:
    """Return the training on its way, at most 200 points."""
    import pandas as pd

    step = -(-len(reports) // 200)
    some = reports[::step]
    train, test = ("train_accuracy", "test_accuracy") if classes else ("train_loss", "test_loss")
    frame = pd.DataFrame(
        {"epoch": [r.epoch for r in some], **{y: [getattr(r, y) for r in some] for y in (train, test)}}
    )
    unit = "share of rows" if classes else "loss"
    return Curve(
        title=f"Training: {name}",
        description="The training that runs now.",
        frame=frame,
        x="epoch",
        y=(test, train),
        units={"epoch": "epochs", test: unit, train: unit},
    )


def _example_study() -> Study:
    """Return 120 rows in which two of four columns decide the class, and a small perceptron for them."""

    def table() -> Table:
        import pandas as pd

        from sensiview.datasets.table import table_from_frame

        values = np.random.default_rng(5).normal(size=(120, 4))
        frame = pd.DataFrame(values, columns=["strong", "weak", "none", "nothing"])
        frame["class"] = np.where(2 * frame["strong"] + frame["weak"] > 0, "yes", "no")
        return table_from_frame(frame, name="example", target="class")

    def network() -> Network:
        import torch

        from sensiview.models.network import Network, network_from_module

        options = {"hidden": [4], "activation": "tanh"}
        perceptron = architectures()["mlp"]
        with torch.random.fork_rng():
            torch.manual_seed(5)
            module = perceptron.build(perceptron.parse(options), (4,), 1)
        with torch.no_grad():
            next(module.parameters()).mul_(torch.tensor([3.0, 1.5, 0.1, 0.1]))
        made = network_from_module(
            module, sample=table().features()[:2], name="example", class_names=("no", "yes"), device="cpu"
        )
        card = made.card.model_copy(update={"architecture": "mlp", "options": options})
        return Network(made.module, card, "cpu")

    return Study(dataset=table().card, model=network().card, device="cpu", table_loader=table, network_loader=network)
