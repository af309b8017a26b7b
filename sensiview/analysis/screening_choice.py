"""What the studies on screenings share: their parameters, and whose indices rank the parts. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import field_validator

from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.screening_runs import Indices, ScreeningRun, lacking_networks, named_runs
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError, suggestion
from sensiview.numerics.screening.designs import Floats
from sensiview.numerics.screening.ranking import BYS, By, importance

AUTO, ALL = "auto", "all"
_TRUE, _PREDICTED = "true class", "predicted class"


class ScreeningChoice(Parameters):
    """Which screenings, and whose indices count."""

    runs: list[str] = parameter(
        [],
        label="Screenings",
        help="Finished runs of Morris screening on the same data, one per network that is compared.",
        suggestions="runs:morris",
    )
    target: str | int = parameter(
        AUTO,
        label="Class",
        help="Whose indices count: auto takes the true class where a screening has it, else the predicted one, else "
        "all outputs; all averages every output divided by its largest part; or a class.",
        suggestions="classes",
    )
    resamples: int = parameter(
        1000,
        label="Resamples",
        help="Of the bootstrap over inputs that gives the 95 % intervals.",
        ge=20,
        le=100_000,
        advanced=True,
    )

    @field_validator("runs", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class RankingChoice(ScreeningChoice):
    """Whether every input has a ranking of its own."""

    ranking: Literal["auto", "local", "global"] = parameter(
        AUTO,
        label="Ranking",
        help="local: every input's own; global: one for all, from the average over inputs; auto as the screening was.",
    )


class MeasuresChoice(RankingChoice):
    """By which measures parts are ranked, one after the other."""

    by: list[By] = parameter(
        list(BYS),
        label="Ranked by",
        help="mu_star, sigma, and mu_star + sigma: what makes a part important; one or several.",
        min_length=1,
    )

    @field_validator("by", mode="before")
    @classmethod
    def _one_or_several_measures(cls, value: Any) -> Any:
        if value == ALL:
            return list(BYS)
        parts = value.split(",") if isinstance(value, str) else value
        return list(dict.fromkeys(p.strip() if isinstance(p, str) else p for p in parts)) if parts else parts


class MaskingChoice(RankingChoice):
    """What studies ask for besides that put inputs through the networks again."""

    output: Literal["auto", "probability", "logit"] = parameter(
        AUTO, label="Score", help="Which score of the true class is watched; auto takes the probability."
    )
    most: int = parameter(
        200, label="At most", help="So many inputs of each screening are looked at, evenly taken.", ge=1, le=100_000
    )
    repeats: int = parameter(
        100,
        label="Draws",
        help="For columns of a table and factors of a generator: how often each is drawn anew, per input.",
        ge=1,
        le=100_000,
    )
    batch_size: int | Literal["auto"] = parameter(
        AUTO, label="Batch size", help="Inputs per forward pass; auto takes what fits into memory.", advanced=True
    )

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value

    def rows_at_once(self, study: Study) -> int | None:
        """Return the batch size asked for, None when it is to be probed."""
        return self.batch_size if isinstance(self.batch_size, int) else study.batch_size


def choice_problems(study: Study, parameters: ScreeningChoice) -> list[str]:
    """Return sentences about the runs, and about networks that are gone where they are needed."""
    if study.dataset is None:
        return []
    try:
        runs = named_runs(study, parameters.runs)
    except UserError as error:
        return [error.sentence]
    if isinstance(parameters, MaskingChoice) and (sentence := lacking_networks(study, runs)):
        return [sentence]
    return []


def known_runs(study: Study, parameters: ScreeningChoice) -> list[Finished]:
    """Return the runs that are named as far as they are there: for what a run will cost."""
    return [study.runs[name] for name in dict.fromkeys(parameters.runs) if study.runs and name in study.runs]


def output_columns(indices: Indices, target: str | int, true_class: str, title: str) -> list[int]:
    """Return which outputs' indices count for an input of a class (empty where it is not known, or of an average).

    Raises
    ------
    UserError
        The screening has no such output.
    """
    names = list(indices.outputs)
    if target == ALL:
        return list(range(len(names)))
    if target == AUTO:
        known = next((name for name in (_TRUE, true_class, _PREDICTED) if name and name in names), None)
        return [names.index(known)] if known else list(range(len(names)))
    if str(target) in names:
        return [names.index(str(target))]
    if isinstance(target, int) and 0 <= target < len(names):
        return [target]
    raise UserError(f"'{title}' was not screened for '{target}'.{suggestion(str(target), names)}")


def importances(
    indices: Indices, by: Sequence[By], target: str | int, true_class: str, title: str
) -> Mapping[By, Floats]:
    """Return how important each part is, (parts,), by measure."""
    mu_star, sigma = indices.of(output_columns(indices, target, true_class, title))
    return {one: importance(mu_star, sigma, one) for one in by}


def one_ranking(run: ScreeningRun, ranking: str) -> bool:
    """Say whether one ranking serves all inputs.

    Raises
    ------
    UserError
        It can't, or inputs have no ranking of their own.
    """
    shared = run.is_global if ranking == AUTO else ranking == "global"
    if shared and run.common is None:
        raise UserError(
            f"The {run.what}s of '{run.title}' have parts of their own, so that one ranking can't serve all. Choose "
            "ranking = local, or a screening of a grid of cells."
        )
    if not shared and not run.own:
        raise UserError(
            f"'{run.title}' has one ranking for all, and none of single {run.what}s. Choose ranking = global."
        )
    return shared
