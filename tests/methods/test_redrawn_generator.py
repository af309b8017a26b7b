"""Studies on screenings of a generator's factors: what is drawn anew, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sensiview.analysis.screened_examples import finished_screening
from sensiview.analysis.study import Finished, Study
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.generators import Generator, GeneratorFactor, Values
from sensiview.datasets.images import ImageSet
from sensiview.errors import UserError
from sensiview.methods.interaction_pairs import InteractionPairs
from sensiview.methods.masking_validation import MaskingValidation
from tests.methods.image_studies import image_set, note, run, study_of
from tests.methods.screened_runs import PLAIN, frame, with_runs

COLOURS, PLACES = ("red", "green", "blue"), ("left", "right")


def stripe(colour: int, place: int) -> np.ndarray:
    """A stripe of a colour at one side, uint8 (16, 16, 3)."""
    found = np.full((16, 16, 3), 20, dtype=np.uint8)
    found[:, 2 + 8 * place : 6 + 8 * place, colour] = 220
    return found


class Stripes(Generator):
    """Stripes of three colours at two places."""

    key = "stripes"
    title = "Stripes"

    def factors(self, card: DatasetCard) -> tuple[GeneratorFactor, ...]:
        return GeneratorFactor.of_levels("colour", COLOURS), GeneratorFactor.of_levels("place", PLACES)

    def own_values(self, images: ImageSet, index: int) -> Values:
        return np.array([index % 3, index % 2], dtype=np.float64)

    def generate(self, images: ImageSet, index: int, values: Values) -> np.ndarray:
        return np.stack([stripe(int(colour), int(place)) for colour, place in values])


class Strongest(nn.Module):
    """The strongest channel is the class."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, rows: Tensor) -> Tensor:
        return self.scale * rows.mean(dim=(2, 3)) * 10


def stripes_study(effects: np.ndarray, **parameters: Any) -> tuple[Study, Finished]:
    arrays = [stripe(k % 3, k % 2).transpose(2, 0, 1) / 255 for k in range(6)]
    images = image_set(arrays, [COLOURS[k % 3] for k in range(6)])
    study = study_of(Strongest(), images, settings=PLAIN, class_names=COLOURS)
    study = replace(study, plugin_parts=lambda: ({}, {"stripes": Stripes()}))
    chosen = {"partition": "generator", "generator": "stripes"} | parameters
    values = np.broadcast_to(effects[None, :, None], (6, 2, 1))
    one = finished_screening(study, "stripes", images.names, ("colour", "place"), values, **chosen)
    return with_runs(study, one), one


def test_that_a_redrawn_colour_is_kept_by_chance_and_the_place_does_not_matter() -> None:
    study, _ = stripes_study(np.array([3.0, 1.0]))
    result = run(MaskingValidation(), study, runs=["stripes"], by="mu_star", repeats=300, ranking="global")
    curves = frame(result, "curves").set_index(["side", "share"])["accuracy"]
    # One level in three is the own one.
    assert curves["top", 0.5] == pytest.approx(1 / 3, abs=0.05)
    assert curves["bottom", 0.5] == 1
    assert curves["top", 1.0] == curves["bottom", 1.0] == pytest.approx(1 / 3, abs=0.05)
    assert 1 / 3 < curves["random", 0.5] < 1
    drops = frame(result, "drops").set_index("side")
    assert drops.loc["top", "accuracy_drop_low"] > drops.loc["random", "accuracy_drop_high"] > 0
    assert (drops["parts"] == 2).all()
    assert frame(result, "curves")["accuracy_high"].le(1).all()
    steps = frame(result, "steps").set_index("factor")
    # The colour does it by itself: it costs the same before and after the place.
    assert steps.loc["colour", "most_first"] == pytest.approx(steps.loc["colour", "least_first"])
    assert (steps.loc["place", ["most_first", "least_first"]] == 0).all()
    assert steps.loc["colour", "most_first_low"] < 2 / 3 < steps.loc["colour", "most_first_high"]
    text = note(result, "verdict")
    assert "with the top 1 of 2 factors drawn anew" in text
    assert "(mu_star: colour)" in text


def test_that_factors_that_do_not_work_together_do_not_interact() -> None:
    study, _ = stripes_study(np.array([3.0, 1.0]))
    result = run(InteractionPairs(), study, runs=["stripes"], top_k=2, output="logit", repeats=50)
    row = frame(result, "pairs").iloc[0]
    assert row["score_excess"] == pytest.approx(0, abs=1e-5)
    assert row["strength"] == pytest.approx(0, abs=1e-5)
    # All images have the same score, of which nothing is a share.
    assert np.isnan(row["superset_importance"])


def test_that_the_only_generator_that_fits_is_found_by_itself() -> None:
    study, _ = stripes_study(np.array([3.0, 1.0]), generator="auto")
    assert study.dataset is not None
    # Biased digits need columns that these images don't have.
    assert (
        frame(run(MaskingValidation(), study, runs=["stripes"], by="sigma", repeats=4), "drops")["inputs"].eq(6).all()
    )


def test_that_a_generator_that_is_gone_or_has_other_factors_is_refused() -> None:
    study, _ = stripes_study(np.array([3.0, 1.0]), generator="lost")
    with pytest.raises(UserError, match="no generator 'lost'"):
        run(MaskingValidation(), study, runs=["stripes"])
    study, one = stripes_study(np.array([3.0, 1.0]))
    assert study.dataset is not None
    values = np.ones((6, 2, 1)) * np.array([[[1.0], [2.0]]])
    other = finished_screening(
        study, "other", study.dataset.extra["names"], ("colour", "size"), values, **dict(one.parameters)
    )
    with pytest.raises(UserError, match="the generator has colour, place now"):
        run(MaskingValidation(), with_runs(study, other), runs=["other"])
