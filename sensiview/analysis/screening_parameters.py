"""What a Morris screening asks for, and what can be said about it from the cards alone. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import field_validator

from sensiview.analysis.map_parameters import ChoiceParameters, Targets
from sensiview.analysis.parameters import parameter
from sensiview.errors import UserError, suggestion

Scope = Literal["auto", "local", "global"]
MOST_TRAJECTORIES = 1_000_000
COLUMNS, GENERATOR = "columns", "generator"
MAP_SCORES: Mapping[str, Literal["auto", "logit", "probability", "log_odds"]] = {
    "auto": "auto", "logit": "logit", "probability": "probability", "log_odds": "log_odds",
}  # fmt: skip


class ScreeningParameters(ChoiceParameters):
    """What is varied, how it is sampled, what is looked at, when to stop."""

    partition: str = parameter(
        "auto",
        label="Parts",
        help="The factors: columns, grid, superpixels, atlas, channels, generator, or a plugin's; auto takes columns "
        "of tables, cells of images, regions of volumes.",
        suggestions="partitions",
    )
    cells: int = parameter(
        8,
        label="Cells",
        help="Cells along each side of the grid; superpixels: as many as such a grid has.",
        ge=1,
        le=512,
        kinds=("images", "volumes"),
    )
    design: Literal["trajectory", "radial"] = parameter(
        "trajectory",
        label="Design",
        help="trajectory: steps of equal length on a grid of levels (Morris); radial: stars around Sobol' points.",
    )
    n: int = parameter(
        40,
        label="Trajectories N",
        help="Elementary effects per factor; each trajectory takes one evaluation more than there are factors. A "
        "finished run can be extended.",
        ge=2,
        le=MOST_TRAJECTORIES,
    )
    levels: int = parameter(
        8, label="Levels m", help="Levels of the grid that trajectories walk on; an even number.", le=10_000
    )
    scope: Scope = parameter(
        "auto",
        label="Scope",
        help="local: around each input's own values; global: over the range of all chosen inputs. auto: global for "
        "tables and generators, local for the rest.",
    )
    spread: float = parameter(
        1.0,
        label="Spread",
        help="Of the local scope: 1 samples a part from 0 to twice its own value, 0.1 from 0.9 to 1.1 times; a column "
        "by this share of half its range.",
        gt=0,
        le=10,
        advanced=True,
    )
    target: Targets = parameter(
        "auto",
        label="Class",
        help="Outputs: all, a class, a list, predicted, true; auto: all of up to 20, else predicted and true class.",
        suggestions="classes",
    )
    # Any word, where maps know four: tables have losses and layers as well. `map_score` narrows it again.
    output: str = parameter(  # type: ignore[assignment]
        "auto",
        label="Score",
        help="probability or logit; loss or a layer for tables; auto: probability for tables, logit for the rest.",
        suggestions="outputs",
    )
    rows: str | list[int] = parameter(
        "all",
        label="Rows",
        help="global: rows whose smallest and largest values are the bounds; local: the rows that are screened.",
        kinds=("table",),
    )
    bounds: dict[str, Any] | list[Any] | None = parameter(
        None,
        label="Bounds",
        help='Other bounds than those of the data: {"factor": [low, high]}.',
        suggestions="factors",
        kinds=("table",),
    )
    fixed: dict[str, float] | None = parameter(
        None,
        label="Held fixed",
        help='Factors that do not vary, and their value: {"factor": 3.5}.',
        advanced=True,
        suggestions="factors",
        kinds=("table",),
    )
    generator: str = parameter(
        "auto",
        label="Generator",
        help="For partition = generator: what makes images from metadata; auto takes the one that fits the images.",
        kinds=("images",),
        suggestions="generators",
    )
    average: bool = parameter(
        False,
        label="Average",
        help="Also give the mean over the chosen inputs; always so for the global scope.",
        kinds=("images", "volumes"),
    )
    compactness: float = parameter(
        10.0,
        label="Compactness",
        help="Of superpixels: higher ones are rounder, lower ones follow colours more closely.",
        gt=0,
        le=1000,
        advanced=True,
        kinds=("images", "volumes"),
    )
    options: dict[str, Any] | None = parameter(
        None,
        label="Options",
        help="Further values for a plugin's partition, as JSON.",
        advanced=True,
        kinds=("images", "volumes"),
    )
    stop_width: float | None = parameter(
        None,
        label="Stop at width",
        help="End early when every half width of mu_star is at most this share of the largest mu_star.",
        gt=0,
    )
    max_seconds: float | None = parameter(
        None, label="Stop after", help="Begin no further trajectories after this time.", unit="s", gt=0
    )
    resamples: int = parameter(
        100, label="Resamples", help="Bootstrap resamples for the intervals.", ge=2, le=10_000, advanced=True
    )
    confidence: float = parameter(
        0.95, label="Confidence", help="Of the intervals: 0.95 is 95 %.", gt=0, lt=1, advanced=True
    )

    @field_validator("bounds", "fixed", "options", mode="before")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        if value is None or value == "" or value == {}:
            return None
        if not isinstance(value, Mapping | list | tuple):
            raise ValueError('Write it as {"factor": ...}')
        return value

    @field_validator("rows", mode="before")
    @classmethod
    def _selection(cls, value: Any) -> Any:
        """Take what a command line makes of 5 and of 0-499,600."""
        if isinstance(value, list) and any(isinstance(part, str) for part in value):
            return ",".join(map(str, value))
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("partition", "generator", "output")
    @classmethod
    def _something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("Write auto, or name one")
        return value.strip()

    def map_score(self) -> Literal["auto", "logit", "probability", "log_odds"]:
        """Return the score of images and volumes; UserError for one that only tables have."""
        if self.output not in MAP_SCORES:
            near = suggestion(self.output, list(MAP_SCORES))
            raise UserError(f"'{self.output}' is no score of images and volumes.{near}")
        return MAP_SCORES[self.output]

    def parts_for(self, kind: str) -> str:
        """Return the key of the partition for a kind of data."""
        if self.partition.lower() != "auto":
            return self.partition
        return {"table": COLUMNS, "images": "grid"}.get(kind, "atlas")

    def scope_for(self, kind: str) -> Literal["local", "global"]:
        """Return the scope for a kind of data."""
        if self.scope != "auto":
            return self.scope
        return "global" if self.parts_for(kind) in (COLUMNS, GENERATOR) else "local"


def evaluations_of(n: int, factors: int, inputs: int) -> int:
    """Return N (p + 1) for each input."""
    return inputs * n * (factors + 1)


def answer_bytes(n: int, factors: int, outputs: int, resamples: int) -> int:
    """Return the memory of one input's scores, its effects and their bootstrap, beside the model's own."""
    scores = n * (factors + 1) * outputs
    return 4 * scores + 3 * 8 * n * factors * outputs + 2 * 24 * resamples * factors * outputs


def most_factors(memory: int, n: int, outputs: int, resamples: int) -> int:
    """Return how many factors fit into some bytes."""
    return max(1, math.floor(memory / max(1, answer_bytes(n, 1, outputs, resamples))))
