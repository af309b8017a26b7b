"""Masks over a grid of weights: every cell, the order, warm starts, going on, pictures and words."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sensiview.analysis.items import ImageSeries, Mask, Matrix
from sensiview.analysis.mask_grid_items import GridOfWeights
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.errors import Stopped, UserError
from sensiview.methods.lambda_grid import LambdaGrid, LambdaGridParameters
from sensiview.methods.mask_optimization import MaskOptimization, MaskOptimizationParameters
from sensiview.numerics.mask_example import SHAPE

QUICK: dict[str, Any] = {
    "steps": 10,
    "tolerance": 0.0,
    "grid_spacing": 2.0,
    "lambda_1": [100.0, 30.0, 3.0],
    "lambda_2": [3.0, 0.3],
}


def run(progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = LambdaGridParameters.parse({**QUICK, **parameters})
    return LambdaGrid().run(LambdaGrid().example().study, chosen, progress or Silent())


def test_that_the_cells_form_a_snake() -> None:
    cells = GridOfWeights([1, 2, 3], [1, 2, 3]).cells
    assert len(set(cells)) == 9
    steps = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in pairwise(cells)]
    assert set(steps) == {1}


def test_that_every_cell_has_a_mask_under_its_weights() -> None:
    result = run()
    masks = result["masks"]
    assert isinstance(masks, Mask)
    assert masks.axes == ("lambda_1", "lambda_2", "z", "y", "x")
    assert masks.values.shape == (3, 2, *SHAPE[::-1])
    assert masks.coordinates == {"lambda_1": ("100", "30", "3"), "lambda_2": ("3", "0.3")}
    frame = result["probability"].frame  # type: ignore[attr-defined]
    assert len(frame) == 3 * 2 * 3
    assert result.evaluations == 3 * (1 + 6 * 11)
    covered = (1 - masks.values).sum(axis=(2, 3, 4))
    assert covered[2, 1] > covered[0, 1]


def test_that_a_cell_without_a_warm_start_is_what_the_single_analysis_finds() -> None:
    grid = run(warm_start=False)
    single = MaskOptimization().run(
        LambdaGrid().example().study,
        MaskOptimizationParameters.parse({**QUICK, "lambda_1": 30.0, "lambda_2": 0.3}),
        Silent(),
    )
    assert np.array_equal(grid["masks"].values[1, 1], single["mask"].values)  # type: ignore[attr-defined]


def test_that_a_stopped_grid_goes_on_within_its_cell_to_the_same_numbers() -> None:
    class Stopping(Silent):
        advances = 0

        def advance(self, done: int) -> None:
            self.advances += done > 0
            if self.advances == 30:
                raise Stopped

    whole = run()
    first = Stopping()
    with pytest.raises(Stopped):
        run(first)
    resumed = run(Silent(first.restored()))
    assert np.array_equal(whole["masks"].values, resumed["masks"].values)  # type: ignore[attr-defined]
    assert whole["probability"].frame.equals(resumed["probability"].frame)  # type: ignore[attr-defined]
    assert whole["trace"].frame.equals(resumed["trace"].frame)  # type: ignore[attr-defined]
    assert resumed.evaluations < whole.evaluations


def test_that_pictures_and_similarities_have_one_entry_per_cell() -> None:
    result = run()
    overview, similarity = result["overview"], result["roi_similarity"]
    assert isinstance(overview, ImageSeries)
    assert isinstance(similarity, Matrix)
    assert overview.values.shape[0] == len(overview.labels) == 6
    assert overview.values.shape[-1] == 3
    assert overview.values.min() >= 0
    assert overview.values.max() <= 1
    assert similarity.values.shape == (6, 6)
    assert similarity.rows[0] == "λ1 = 100, λ2 = 3"
    # Red is where something is masked.
    assert (overview.values[5, ..., 0] - overview.values[5, ..., 1]).max() > 0.3


def test_that_single_masks_have_an_axis_of_subjects() -> None:
    masks = run(group=False, steps=3)["masks"]
    assert isinstance(masks, Mask)
    assert masks.axes == ("lambda_1", "lambda_2", "subject", "z", "y", "x")
    assert masks.values.shape == (3, 2, 3, *SHAPE[::-1])


def test_that_weights_may_be_written_as_text_and_must_differ() -> None:
    assert LambdaGridParameters.parse({"lambda_1": "0.1, 0.01"}).lambda_1 == [0.1, 0.01]
    assert LambdaGridParameters.parse({"lambda_1": 5}).lambda_1 == [5.0]
    for wrong in ([1.0, 1.0], [-1.0], [], ["x"]):
        with pytest.raises(UserError, match="lambda_1"):
            LambdaGridParameters.parse({"lambda_1": wrong})
