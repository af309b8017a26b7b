"""Masks over a grid of the two weights, each found from its neighbour."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationInfo, field_validator

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.mask_following import MaskFollower
from sensiview.analysis.mask_grid_items import GridOfWeights, grid_items, mean_of_cell, overview_item
from sensiview.analysis.mask_parameters import MaskParameters
from sensiview.analysis.mask_study import (
    MaskStudy,
    mask_cost,
    mask_obstacles,
    mask_problems,
    open_masks,
    schedule_of,
)
from sensiview.analysis.parameters import parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError

if TYPE_CHECKING:
    from sensiview.numerics.mask_run import MaskRun

_MOST_CELLS = 400


class LambdaGridParameters(MaskParameters):
    """The weights to try, and what all analyses of masks have."""

    lambda_1: list[float] = parameter(
        [1000.0, 100.0, 10.0, 1.0],
        label="Area weights λ1",
        help="Values to try, separated by commas. Of means over the voxels that may be masked, unless terms are sums.",
        min_length=1,
    )
    lambda_2: list[float] = parameter(
        [1000.0, 100.0, 10.0, 1.0],
        label="Smoothness weights λ2",
        help="Values to try, separated by commas.",
        min_length=1,
    )
    warm_start: bool = parameter(
        True,
        label="Start from the neighbour",
        help="Each cell begins with the mask of the cell before it, which saves steps; off: all begin alike.",
        advanced=True,
    )

    @field_validator("lambda_1", "lambda_2", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator("lambda_1", "lambda_2")
    @classmethod
    def _weights(cls, value: list[float], info: ValidationInfo) -> list[float]:
        if not all(np.isfinite(v) and 0 <= v <= 1e9 for v in value):
            raise ValueError("Weights must be numbers from 0 to 1e9")
        if len(set(value)) < len(value):
            raise ValueError(f"A weight is named twice in {info.field_name!s}")
        return value

    def grid(self) -> GridOfWeights:
        """Return the cells in their order."""
        return GridOfWeights(self.lambda_1, self.lambda_2)


class LambdaGrid(Analysis[LambdaGridParameters]):
    """Optimises masks for every pair of weights λ1 and λ2, to choose them and to see how much hangs on them.

    Every cell is a mask as `mask_optimization` finds it. Read the overview from large λ1 (small masks) to small: where
    neighbouring cells show the same regions (`roi_similarity` near 1), the finding does not hang on the choice of
    weights. `probability` tells which masks do what they should: a cell that leaves the probability high is too small,
    one that covers much of the brain at no gain too large. The study that this follows found similarities of 0.83 to
    0.95 over four decades of λ1.

    The weights are those of means over the voxels that may be masked. The study's own values, 0.1, 0.01, 0.001 and
    0.0001, are of the printed formula, a sum over voxels: give them with `normalisation` sum.

    It misleads where all masks are as good as empty, or all are as large as they get: then all are alike and nothing is
    shown. With a start from the neighbour the cells are not independent, as each mask begins where the last one ended;
    that makes them somewhat more alike than masks that begin anew.

    References
    ----------
    Thibeau-Sutre, Colliot, Dormont, Burgos (2020). Visualization approach to assess the robustness of neural networks
    for medical image classification. SPIE Medical Imaging 11313 (table 1, figure 1).
    Fong, Vedaldi (2017). Interpretable explanations of black boxes by meaningful perturbation. ICCV, 3449-3457.
    """

    key = "lambda_grid"
    title = "Masks over a grid of weights"
    revision = 2
    rank = 41
    accepts = ("volumes",)
    Parameters = LambdaGridParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return what the contract asks, and that a network of volumes of this size is needed."""
        return super().obstacles(study) + mask_obstacles(study)

    def problems(self, study: Study, parameters: LambdaGridParameters) -> list[str]:
        """Return sentences on subjects, classes, fill, region, and the number of cells."""
        found = mask_problems(study, parameters)
        if len(parameters.grid().cells) > _MOST_CELLS:
            found.append(f"{len(parameters.grid().cells):,} pairs of weights are too many; {_MOST_CELLS} are allowed.")
        return found

    def cost(self, study: Study, parameters: LambdaGridParameters) -> Cost:
        """Return subjects times steps times cells, at most."""
        return mask_cost(study, parameters, cells=len(parameters.grid().cells))

    def run(self, study: Study, parameters: LambdaGridParameters, progress: Progress) -> Result:
        """Compute cell by cell; goes on within the cell that was interrupted."""
        from sensiview.numerics.mask_run import MaskRun
        from sensiview.numerics.mask_terms import Weights

        began = time.monotonic()
        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        opened = open_masks(study, parameters, progress, progress.advance)
        order = parameters.grid().cells
        cells = [
            Weights(
                parameters.lambda_1[i],
                parameters.lambda_2[j],
                parameters.beta_1,
                parameters.beta_2,
                parameters.normalisation,
            )
            for i, j in order
        ]
        run = MaskRun(opened.problem, opened.grids, cells, schedule_of(parameters), warm_start=parameters.warm_start)
        follower = MaskFollower(opened, run, progress)
        follower.restore()
        shown = _Cells(opened, run, follower, progress, parameters.grid())
        try:
            with opened.problem.inputs.differentiating():
                run.run(begin=shown.begin, after_step=follower.step, after_cell=shown.done)
        except Stopped:
            with contextlib.suppress(Stopped):
                follower.keep()
            raise
        progress.stage("Describing the masks")
        with opened.problem.inputs.network.measuring():
            items = grid_items(opened, run, parameters.grid(), progress)
        return Result(
            items,
            evaluations=opened.problem.evaluations,
            seconds=time.monotonic() - began,
            facts={"subjects": opened.names, "cells": len(order), "atlas": opened.atlas.name if opened.atlas else ""},
        )

    def example(self) -> Example[LambdaGridParameters]:
        """Return three patients with a known loss and a network that sees it; four cells."""
        from sensiview.numerics.mask_example import example_network, example_volumes

        volumes, network = example_volumes(), example_network()
        study = Study(
            dataset=volumes.card,
            model=network.card,
            device="cpu",
            volumes_loader=lambda: volumes,
            network_loader=example_network,
        )
        parameters = LambdaGridParameters(
            steps=12, tolerance=0.0, grid_spacing=2.0, lambda_1=[30.0, 3.0], lambda_2=[3.0, 0.3]
        )
        return Example(study, parameters)


class _Cells:
    """Says which cell is at work, and shows those that are done."""

    def __init__(
        self, opened: MaskStudy, run: MaskRun, follower: MaskFollower, progress: Progress, weights: GridOfWeights
    ) -> None:
        self._opened, self._run, self._follower = opened, run, follower
        self._progress, self._weights = progress, weights

    def begin(self, cell: int) -> None:
        """A cell begins."""
        run = self._run
        self._progress.stage(
            f"Cell {cell + 1} of {len(run.cells)}: {self._weights.label(self._weights.cells[cell])}",
            len(self._opened.problem) * (run.schedule.steps + 1),
        )

    def done(self, cell: int) -> None:
        """A cell is done: keep it, and show all that are."""
        from sensiview.analysis.mask_pictures import overview

        self._follower.keep()
        order = self._weights.cells[: cell + 1]
        masks = [mean_of_cell(self._opened, self._run, n) for n in range(len(order))]
        pictures = overview(self._opened, masks)
        self._progress.preview("overview", overview_item(self._opened, pictures, order, self._weights))
