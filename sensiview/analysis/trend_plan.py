"""Which screenings a trend goes through and which number each stands for, known before they are read. No torch."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from pydantic import field_validator

from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.screening_runs import SCREENING
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)", re.IGNORECASE)


class TrendParameters(Parameters):
    """Which screenings, and what orders them."""

    runs: list[str] = parameter(
        [],
        label="Screenings",
        help="Finished runs of Morris screening with the same factors: of networks, or data, that differ in a number.",
        suggestions="runs:morris",
    )
    numbers: list[float] = parameter(
        [],
        label="Numbers",
        help="The number that each screening stands for, in their order, such as 0.5,0.6,0.7; empty takes the last "
        "number in the name of each.",
    )
    quantity: str = parameter(
        "", label="Number is", help="What the numbers are, for the axis: p_corr, say.", max_length=60
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

    @field_validator("numbers", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return [value] if isinstance(value, int | float) else value

    @field_validator("numbers")
    @classmethod
    def _finite(cls, value: list[float]) -> list[float]:
        if not all(math.isfinite(number) for number in value):
            raise ValueError("Every number must be finite")
        return value


def chosen_runs(study: Study, parameters: TrendParameters) -> list[tuple[float, Finished]]:
    """Return the screenings with their numbers, in the order of the numbers.

    Raises
    ------
    UserError
        Fewer than two, one that is not there or of another analysis, or numbers that are missing or all the same.
    """
    runs = [study.finished(run) for run in dict.fromkeys(parameters.runs)]
    for run in runs:
        if run.analysis and run.analysis != SCREENING:
            raise UserError(
                f"'{run.name or run.id}' is a run of '{run.analysis}', not of Morris screening. Choose screenings."
            )
    if len(runs) < 2:
        raise UserError("A trend needs two screenings or more, of networks that differ in one number. Choose them.")
    numbers = list(parameters.numbers) or numbers_in_names(runs)
    if len(numbers) != len(runs):
        raise UserError(f"There are {len(numbers)} numbers for {len(runs)} screenings. Give one for each, in order.")
    if len(set(numbers)) < 2:
        raise UserError(f"All screenings stand for the same number ({numbers[0]:g}). Give each its own.")
    return sorted(zip(numbers, runs, strict=True), key=lambda pair: pair[0])


def numbers_in_names(runs: Sequence[Finished]) -> list[float]:
    """Return the last number in the name of each run.

    Raises
    ------
    UserError
        A name has none.
    """
    found = []
    for run in runs:
        numbers = _NUMBER.findall(run.name)
        if not numbers:
            raise UserError(
                f"The name '{run.name or run.id}' has no number, so it is not known where it stands. Give the numbers: "
                "one for each screening, in order."
            )
        found.append(float(numbers[-1]))
    return found
