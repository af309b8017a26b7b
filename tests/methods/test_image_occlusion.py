"""Occlusion of images against Captum, with exact incremental inference and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import Occlusion as CaptumOcclusion
from scipy import ndimage
from torch import Tensor, nn

from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.errors import Stopped
from sensiview.methods.occlusion import Occlusion
from sensiview.numerics.example_images import PLANTED, example_module
from tests.methods.image_studies import Residual, Scaled, field, image_set, note, run, seeded, seen_rows, study_of

ANALYSIS = Occlusion()


class Mixing(nn.Module):
    """Every pixel is mixed with every other at once: no window can be computed alone."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(3 * 256, 3 * 256)
        self.head = nn.Linear(3 * 256, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.tanh(self.mix(x.flatten(1))))


@pytest.mark.parametrize(
    "make, exact",
    [(example_module, True), (lambda: seeded(Residual), True), (lambda: seeded(Mixing), False)],
    ids=["sequential", "residual", "mixing"],
)
@pytest.mark.parametrize(
    "window, stride, sides", [(5, 3, (5, 3)), ([4, 6], [2, 5], ([4, 6], [2, 5])), (16, 0, (16, 8))]
)
def test_that_the_map_equals_captum_and_the_note_says_how_it_was_computed(
    make: Callable[[], nn.Module], exact: bool, window: Any, stride: Any, sides: Any
) -> None:
    study = study_of(make())

    def probability(rows: Tensor) -> Tensor:
        return torch.softmax(Scaled(make().eval())(rows), dim=1)

    size, step = (tuple(s) if isinstance(s, list) else (s, s) for s in sides)
    wanted = CaptumOcclusion(probability).attribute(
        seen_rows(study), (3, *size), strides=(3, *step), baselines=0.3, target=0, perturbations_per_eval=4
    )
    result = run(ANALYSIS, study, target="bright", window=window, stride=stride, fill=0.3)
    np.testing.assert_allclose(field(result).values, wanted[:, 0].detach().numpy(), atol=1e-5)
    assert field(result).unit == "probability"
    said = "exact incremental inference" if exact else "Every input was computed whole"
    assert said in note(result)


@pytest.mark.parametrize(
    "options, filled",
    [
        ({"fill": "zero"}, lambda v: np.zeros_like(v[1])),
        ({"fill": "black"}, lambda v: np.zeros_like(v[1])),
        ({"fill": "mean"}, lambda v: np.broadcast_to(v[1].mean(axis=(1, 2), keepdims=True), v[1].shape)),
        (
            {"fill": "blur", "blur": 2.0},
            lambda v: np.stack([ndimage.gaussian_filter(c, 2.0, mode="nearest") for c in v[1]]),
        ),
        ({"fill": "controls", "controls": "class=plain"}, lambda v: (v[0] + v[2]) / 2),
    ],
)
def test_that_every_fill_puts_in_what_it_says(options: dict[str, Any], filled: Callable[[Any], Any]) -> None:
    study = study_of()
    rows = seen_rows(study).numpy()
    both = torch.from_numpy(np.stack([rows[1], filled(rows)]).astype(np.float32))
    before, after = torch.softmax(Scaled(example_module().eval())(both), dim=1)[:, 0].tolist()
    found = field(run(ANALYSIS, study, target="bright", images="1", window=16, **options))
    np.testing.assert_allclose(found.values, before - after, atol=1e-6)


def test_that_removing_the_square_is_what_counts_and_the_average_says_so() -> None:
    result = run(ANALYSIS, study_of(), target="bright", images="class=bright", window=6, fill="mean", average=True)
    values = field(result, "mean_map").values
    inside = np.zeros((16, 16), dtype=bool)
    inside[PLANTED] = True
    assert values[inside].mean() > 2 * np.abs(values[~inside]).mean()
    assert "25 windows of 6 x 6 pixels were replaced one by one, by the image's mean." in note(result)


def test_that_a_black_image_hidden_by_black_has_a_map_of_zeros() -> None:
    result = run(ANALYSIS, study_of(images=image_set([np.zeros((3, 16, 16))])), target="bright", window=4)
    assert np.abs(field(result).values).max() < 1e-6
    assert np.isfinite(field(result).values).all()


def test_that_a_cancelled_run_goes_on_and_ends_with_the_same_bits() -> None:
    study, options = study_of(), {"target": "all", "window": 4, "batch_size": 8}
    whole = run(ANALYSIS, study, **options)

    class Stopping(Silent):
        evaluated = 0

        def advance(self, done: int) -> None:
            self.evaluated += done
            if self.evaluated > 100:
                raise Stopped

    stopping = Stopping()
    with pytest.raises(Stopped):
        run(ANALYSIS, study, stopping, **options)
    state = stopping.restored()
    assert state is not None
    again = run(ANALYSIS, study, Silent(Checkpoint(state.arrays, state.values)), **options)
    assert again.evaluations < whole.evaluations - 80
    np.testing.assert_allclose(field(again).values, field(whole).values, atol=1e-7)


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"window": 17}, "window of 17 x 17 pixels is larger than the image of 16 x 16"),
        ({"window": 3, "stride": 4}, "Steps of 4 x 4 pixels leave gaps"),
        ({"window": [2, 3, 4]}, "Write one size, or 2, one for each axis (given: 3)"),
        ({"fill": "meen"}, "Did you mean 'mean'"),
        ({"fill": "controls"}, "Name the controls"),
        ({"mode": "regions"}, "The parameter 'mode' has no meaning for images"),
        ({"unit": "mm"}, "The parameter 'unit' has no meaning for images"),
    ],
)
def test_that_what_does_not_fit_is_a_sentence_before_the_run(parameters: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(ANALYSIS.against(study_of(), ANALYSIS.Parameters.parse(parameters)))
