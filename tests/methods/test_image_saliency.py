"""Saliency of images against Captum, in the images' own values, and its options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient
from captum.attr import Saliency as CaptumSaliency

from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.errors import Stopped
from sensiview.methods.saliency import Saliency
from sensiview.models.image_settings import ImageSettings
from sensiview.numerics.example_images import PLANTED, example_module
from tests.methods.image_studies import Residual, Scaled, field, image_set, note, run, seeded, seen_rows, study_of

ANALYSIS = Saliency()


@pytest.mark.parametrize("module", [example_module, lambda: seeded(Residual)], ids=["sequential", "residual"])
@pytest.mark.parametrize("absolute", [True, False])
def test_that_every_colours_gradient_equals_captum_through_the_preprocessing(module: Any, absolute: bool) -> None:
    study = study_of(module())
    wanted = CaptumSaliency(Scaled(module().eval())).attribute(seen_rows(study).requires_grad_(), 0, abs=absolute)
    for batch_size in (1, 3):
        found = field(run(ANALYSIS, study, target="bright", absolute=absolute, channels="each", batch_size=batch_size))
        np.testing.assert_allclose(found.values, wanted.numpy(), atol=1e-6)
    assert found.axes == ("image", "channel", "y", "x")
    assert found.coordinates["channel"] == ("red", "green", "blue")


def test_that_the_largest_colour_and_their_sum_are_what_they_say() -> None:
    study = study_of()
    each = field(run(ANALYSIS, study, target="bright", absolute=False, channels="each")).values
    largest = field(run(ANALYSIS, study, target="bright", absolute=False, channels="largest")).values
    places = np.abs(each).argmax(axis=1)[:, None]
    np.testing.assert_array_equal(largest, np.take_along_axis(each, places, axis=1)[:, 0])
    np.testing.assert_array_equal(field(run(ANALYSIS, study, target="bright")).values, np.abs(largest))
    total = field(run(ANALYSIS, study, target="bright", absolute=False, channels="sum")).values
    np.testing.assert_allclose(total, each.sum(axis=1), atol=1e-6)
    sizes = field(run(ANALYSIS, study, target="bright", channels="sum")).values
    np.testing.assert_allclose(sizes, np.abs(each).sum(axis=1), atol=1e-6)


def test_that_times_input_equals_captum_on_the_seen_values() -> None:
    study = study_of()
    model = Scaled(example_module().eval())
    wanted = InputXGradient(model).attribute(seen_rows(study).requires_grad_(), 1).detach().sum(dim=1).numpy()
    found = field(run(ANALYSIS, study, target="plain", absolute=False, times_input=True, channels="sum"))
    np.testing.assert_allclose(found.values, wanted, atol=1e-6)


def test_that_reversed_channels_are_reversed_back() -> None:
    straight = field(run(ANALYSIS, study_of(), target="bright", channels="each")).values
    module = example_module()
    with torch.no_grad():
        module[0].weight.copy_(module[0].weight.flip(1))  # type: ignore[operator, union-attr]
    turned = ImageSettings(channels=3, size=(16, 16), mean=(0.5,), std=(0.5,), bgr=True)
    again = field(run(ANALYSIS, study_of(module, settings=turned), target="bright", channels="each")).values
    np.testing.assert_allclose(again, straight, atol=1e-6)


def test_that_the_gradient_is_largest_in_the_square_and_in_red() -> None:
    each = field(run(ANALYSIS, study_of(), target="bright", images="class=bright", channels="each")).values
    inside = np.zeros((16, 16), dtype=bool)
    inside[PLANTED] = True
    assert each[:, 0][:, inside].mean() > 2 * each[:, 0][:, ~inside].mean()
    assert each[:, 0][:, inside].mean() > 2 * each[:, 2][:, inside].mean()


def test_that_smoothgrad_does_not_depend_on_the_batch_and_nears_the_gradient_without_noise() -> None:
    study = study_of()
    options = {"target": "bright", "absolute": False, "samples": 12, "images": "1"}
    smooth = field(run(ANALYSIS, study, **options, batch_size=5)).values
    np.testing.assert_allclose(field(run(ANALYSIS, study, **options, batch_size=12)).values, smooth, atol=1e-6)
    plain = field(run(ANALYSIS, study, target="bright", absolute=False, images="1")).values
    assert np.abs(smooth - plain).max() > 0
    close = field(run(ANALYSIS, study, target="bright", absolute=False, images="1", samples=3, sigma=1e-6)).values
    np.testing.assert_allclose(close, plain, atol=1e-4)


def test_that_a_stopped_smoothgrad_goes_on_with_the_next_image_and_ends_with_the_same_bits() -> None:
    study, options = study_of(), {"target": "all", "samples": 8, "batch_size": 4, "average": True}
    whole = run(ANALYSIS, study, **options)

    class Stopping(Silent):
        rows = 0

        def advance(self, done: int) -> None:
            self.rows += done
            if self.rows > 20:
                raise Stopped

    stopping = Stopping()
    with pytest.raises(Stopped):
        run(ANALYSIS, study, stopping, **options)
    state = stopping.restored()
    assert state is not None
    again = run(ANALYSIS, study, Silent(Checkpoint(state.arrays, state.values)), **options)
    assert again.evaluations == whole.evaluations - 18
    np.testing.assert_array_equal(field(again).values, field(whole).values)
    np.testing.assert_array_equal(again["input"].values, whole["input"].values)  # type: ignore[attr-defined]
    assert again["scores"].frame.equals(whole["scores"].frame)  # type: ignore[attr-defined]
    assert note(again) == note(whole)


def test_that_times_input_of_a_black_image_is_zero_and_not_nan() -> None:
    images = image_set([np.zeros((3, 16, 16))])
    result = run(ANALYSIS, study_of(images=images), target="bright", times_input=True, samples=2)
    assert (field(result).values == 0).all()
    assert "The map is 0 everywhere for 'image-0.png'" in note(result)
