"""First-layer sensitivity and derivative statistics of networks for tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from pydantic import field_validator

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Array, IndexTable, Item, Note, Remark
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.rows import parse_rows, rows_problem
from sensiview.errors import UserError, suggestion
from sensiview.models.card import ModelCard
from sensiview.models.outputs import OutputChoice, parse_target

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.table import Table
    from sensiview.models.network import Network

_KINDS = ("Linear", "Conv1d", "Conv2d", "Conv3d", "Bilinear")
# The derivative table has one row per unit and factor; more is no longer a table for people.
_MOST_DERIVATIVES = 200_000
# From this share of zeros on, a factor's mean says more about its zeros than about the layer.
_MANY_ZEROS = 0.2
_BLOCK_BYTES = 64 << 20
_DERIVATIVE_ROWS = 4096


class FirstLayerParameters(Parameters):
    """What to perturb, and where to look."""

    layers: list[str] = parameter(
        [],
        label="Layers",
        help="Whose pre-activations are watched; empty takes the first linear or convolutional layer.",
        suggestions="layers",
    )
    delta: float = parameter(
        0.01, label="Perturbation", help="Each value changes by this share of itself: 0.01 is 1 %.", ge=-1.0, le=10.0
    )
    rows: str | list[int] = parameter(
        "all", label="Rows", help="Rows of the table, counted from 0: all, or ranges such as 0-699."
    )
    output: str = parameter(
        "auto",
        label="Output",
        help="Whose derivatives are taken: probability, logit, loss, or auto (probability of a classifier).",
        suggestions="outputs",
    )
    target: str | int | list[str | int] = parameter(
        "all", label="Class", help="Classes of that output: all, a name, or a number.", suggestions="classes"
    )

    batch_size: int | Literal["auto"] = parameter(
        "auto", label="Batch size", help="Rows per forward pass; auto takes what fits into memory.", advanced=True
    )

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value

    @field_validator("layers", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("delta")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        if abs(value) < 1e-9:
            raise ValueError("The perturbation must differ from 0")
        return value

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Check values; `layer` may be written for a single one of `layers`."""
        given = dict(values)
        if "layer" in given and "layers" not in given:
            given["layers"] = given.pop("layer")
        return super().parse(given)


class FirstLayerSensitivity(Analysis[FirstLayerParameters]):
    """Shows how strongly each factor moves the first hidden layer, and the derivatives of output and units.

    Every value of a row is changed by 1 % of itself, one factor at a time. `relative` is the L2 norm of the change of
    the layer's pre-activation (what the layer gives, before the activation function), averaged over the rows: how
    loud a factor is where it enters the network. `derivative` holds, per factor, the mean, the standard deviation and
    the mean square over the rows of the exact derivative of the output and of every unit, in output per unit of the
    factor, with the model's preprocessing included. A mean near 0 with a large standard deviation is an effect that
    changes its sign; a standard deviation near 0 is a linear effect. `scaled` is the root of the mean square times
    the factor's own standard deviation, and is the column to compare factors by.

    It misleads where values are 0: 1 % of nothing is nothing, so that a factor with many zeros looks insensitive (the
    result says how many there are). What is loud in the first layer may be quiet in the output, since later layers
    can cancel it: compare with Sobol' indices. The numbers depend on the rows: the derivative is local.
    A network with float32 weights is computed in float64 here.

    References
    ----------
    Pizarroso, Portela, Munoz (2022). NeuralSens: Sensitivity Analysis of Neural Networks. Journal of Statistical
    Software 102(7). doi:10.18637/jss.v102.i07 (their mean, standard deviation and square measures).
    """

    key = "first_layer_sensitivity"
    title = "First-layer sensitivity"
    rank = 20
    Parameters = FirstLayerParameters

    def problems(self, study: Study, parameters: FirstLayerParameters) -> list[str]:
        """Return sentences on unknown layers, outputs, classes and rows, and on tables that would be too long."""
        if study.model is None or study.dataset is None:
            return []
        found = []
        try:
            layers = _layers(study.model, parameters)
            units = _units(study.model, layers)
            OutputChoice.parse(parameters.output, study.model)
            parse_target(parameters.target, study.model)
            count = units * len(study.dataset.features)
            if count > _MOST_DERIVATIVES:
                found.append(
                    f"The layers {', '.join(layers)} have {units:,} units, which with {len(study.dataset.features):,} "
                    f"factors makes {count:,} derivatives; at most {_MOST_DERIVATIVES:,} are possible. Name smaller "
                    "layers."
                )
        except UserError as error:
            found.append(error.sentence)
        sentence = rows_problem(parameters.rows, study.dataset.n_rows)
        return [*found, sentence] if sentence else found

    def cost(self, study: Study, parameters: FirstLayerParameters) -> Cost:
        """Return (factors + 2) evaluations per row: unperturbed, once per factor, once for the derivatives."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        n_factors = len(study.dataset.features)
        try:
            n_rows = len(parse_rows(parameters.rows, study.dataset.n_rows))
            units = _units(study.model, _layers(study.model, parameters))
        except UserError:
            return Cost(0, 0)
        # The derivatives' tables, and one batch in float64 with its graph.
        peak = 4 * 8 * units * n_factors + 2 * _BLOCK_BYTES + 4 * _DERIVATIVE_ROWS * study.model.bytes_per_row
        return Cost(n_rows * (n_factors + 2), peak, note="Each unit takes one backward pass on top.")

    def run(self, study: Study, parameters: FirstLayerParameters, progress: Progress) -> Result:
        """Compute both tables; the network is a copy in float64 where that is possible."""
        from sensiview.numerics.derivatives import in_double

        table, given = study.table(), study.network()
        layers = _layers(given.card, parameters)
        chosen = table.row_selection(parameters.rows)
        complete = table.complete_rows(chosen)
        if len(complete) < len(chosen):
            progress.warn(f"{_counted(len(chosen) - len(complete))} left out: a value is missing.")
        if not len(complete):
            raise UserError("Every chosen row has a missing value. Choose other rows, or fill the gaps.")
        rows = table.features(complete)
        network, sentence = in_double(given)
        if sentence:
            progress.warn(sentence)
        factors = table.card.features
        work = _Work(network, rows, layers, factors, parameters, _batch_size(study, parameters), progress)
        relative, derivative = work.relative(), work.derivative()
        zeros = (rows == 0).mean(axis=0)
        items: dict[str, Item] = {
            "relative": IndexTable(
                title=f"Change of the pre-activation for {100 * parameters.delta:g} % of each factor",
                description="Mean over the rows of the L2 norm; std is the spread over the rows, not an error.",
                frame=relative,
                keys=("layer", "factor"),
                values=("value",),
                units={"value": "pre-activation", "std": "pre-activation"},
                remarks=_zero_remarks(relative, dict(zip(factors, zeros, strict=True))),
            ),
            "derivative": IndexTable(
                title="Derivatives of output and hidden units",
                description="Over the rows, in raw units of each factor; `scaled` compares factors with each other.",
                frame=derivative,
                keys=("layer", "unit", "factor"),
                values=("scaled", "mean", "std", "mean_square"),
                units={
                    "mean": "output per unit of the factor",
                    "std": "output per unit of the factor",
                    "mean_square": "(output per unit of the factor)²",
                    "scaled": "output per standard deviation of the factor",
                },
            ),
            "notes": Note(title="How to read this", text=_words(relative, factors, zeros, len(rows))),
        }
        return Result(items, evaluations=len(rows) * (len(factors) + 2))

    def example(self) -> Example[FirstLayerParameters]:
        """Return a table of 40 rows and a small network with random weights."""
        return Example(_example_study(), FirstLayerParameters(rows="0-29"))


def _layers(card: ModelCard, parameters: FirstLayerParameters) -> list[str]:
    """Return the layers to watch, checked."""
    known = [layer.name for layer in card.layers if layer.output_shape is not None]
    for name in parameters.layers:
        if name not in known:
            raise UserError(f"The network '{card.name}' has no layer '{name}'.{suggestion(name, known)}")
    if parameters.layers:
        return list(dict.fromkeys(parameters.layers))
    for layer in card.layers:
        if layer.kind in _KINDS and layer.parameters and layer.output_shape is not None:
            return [layer.name]
    raise UserError(
        f"The network '{card.name}' has no linear or convolutional layer. Name the layers to watch in 'layers'."
        f"{suggestion('', known)}"
    )


def _units(card: ModelCard, layers: list[str]) -> int:
    """Return how many derivatives per factor there are: all units of the layers, and the outputs."""
    hidden = sum(int(np.prod(card.layer(name).output_shape or ())) for name in layers)
    return hidden + max(1, len(card.output_names))


@dataclass(frozen=True)
class _Work:
    """Rows without gaps, and the network to run them through."""

    network: Network
    rows: Array
    layers: list[str]
    factors: tuple[str, ...]
    parameters: FirstLayerParameters
    batch_size: int | None
    progress: Progress

    def relative(self) -> pd.DataFrame:
        """Return layer, factor, value, std."""
        import pandas as pd

        from sensiview.numerics.relative_change import relative_change

        self.progress.stage("Perturbing each factor", len(self.rows) * (len(self.factors) + 1))
        moments, left_out = relative_change(
            self.network,
            self.rows,
            self.layers,
            self.parameters.delta,
            batch_size=self.batch_size,
            advance=self.progress.advance,
            warn=self.progress.warn,
        )
        if left_out == len(self.rows):
            raise UserError("The layer gives no finite number for any row. Check the table's values and the weights.")
        if left_out:
            self.progress.warn(f"{_counted(left_out)} left out: the layer's values are not finite.")
        return pd.concat(
            [
                pd.DataFrame({"layer": layer, "factor": self.factors, "value": found.mean, "std": found.std})
                for layer, found in moments.items()
            ],
            ignore_index=True,
        )

    def derivative(self) -> pd.DataFrame:
        """Return layer, unit, factor, mean, std, mean_square, scaled."""
        import pandas as pd

        from sensiview.numerics.derivatives import Jacobian, derivative_moments

        self.progress.stage("Derivatives", len(self.rows))
        jacobian = Jacobian(
            self.network,
            self.parameters.output,
            self.layers,
            target=self.parameters.target,
            batch_size=self.batch_size or _DERIVATIVE_ROWS,
            warn=self.progress.warn,
            on_batch=self.progress.advance,
        )
        moments, values = derivative_moments(jacobian, self.rows)
        if moments.count < len(self.rows):
            self.progress.warn(
                f"{_counted(len(self.rows) - moments.count)} left out: a derivative is not finite there."
            )
        shape = (len(jacobian.units), len(self.factors))
        mean_square = np.broadcast_to(moments.mean_square, shape)
        return pd.DataFrame(
            {
                "layer": np.repeat([layer for layer, _ in jacobian.units], shape[1]),
                "unit": np.repeat([unit for _, unit in jacobian.units], shape[1]),
                "factor": np.tile(np.asarray(self.factors, dtype=object), shape[0]),
                "mean": np.broadcast_to(moments.mean, shape).ravel(),
                "std": np.broadcast_to(moments.std, shape).ravel(),
                "mean_square": mean_square.ravel(),
                "scaled": (np.sqrt(mean_square) * values.std).ravel(),
            }
        )


def _batch_size(study: Study, parameters: FirstLayerParameters) -> int | None:
    return parameters.batch_size if isinstance(parameters.batch_size, int) else study.batch_size


def _counted(rows: int) -> str:
    return "1 row is" if rows == 1 else f"{rows:,} rows are"


def _zero_remarks(relative: pd.DataFrame, zeros: Mapping[str, float]) -> tuple[Remark, ...]:
    return tuple(
        Remark(
            row,
            "value",
            "many_zeros",
            f"{zeros[factor]:.0%} of the values of {factor} are 0 and don't move: its mean is low because of them.",
        )
        for row, factor in enumerate(relative["factor"])
        if zeros[factor] >= _MANY_ZEROS
    )


def _words(relative: pd.DataFrame, factors: tuple[str, ...], zeros: Array, n_rows: int) -> str:
    """Say who is loud, and how many zeros there are."""
    sentences = []
    for layer, part in relative.groupby("layer", sort=False):
        loudest = part.sort_values("value", ascending=False, kind="stable")["factor"].head(3)
        sentences.append(f"Over {n_rows:,} rows, '{layer}' moves most for {', '.join(map(str, loudest))}.")
    some = [(factor, share) for factor, share in zip(factors, zeros, strict=True) if share > 0]
    if some:
        listed = ", ".join(f"{factor} {share:.1%}" for factor, share in sorted(some, key=lambda pair: -pair[1])[:30])
        sentences.append(
            f"Share of zeros: {listed}. A share of nothing is nothing: the relative perturbation leaves zeros where "
            "they are, so factors with many of them look less sensitive than they are. The derivatives are not "
            "affected."
        )
    return " ".join(sentences)


def _example_study() -> Study:
    """Return 40 rows of three factors, one of them with zeros, and a network with fixed weights."""

    def table() -> Table:
        import pandas as pd

        from sensiview.datasets.table import table_from_frame

        rng = np.random.default_rng(7)
        frame = pd.DataFrame(rng.normal(5.0, 2.0, (40, 3)), columns=["a", "b", "c"])
        frame.loc[::4, "b"] = 0.0
        return table_from_frame(frame, name="example")

    def network() -> Network:
        import torch

        from sensiview.models.network import network_from_module

        with torch.random.fork_rng():
            torch.manual_seed(7)
            module = torch.nn.Sequential(
                torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1), torch.nn.Sigmoid()
            )
        return network_from_module(module, sample=table().features()[:2], name="example", device="cpu")

    return Study(dataset=table().card, model=network().card, device="cpu", table_loader=table, network_loader=network)
