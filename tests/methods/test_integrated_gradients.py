"""Integrated gradients against Captum, completeness, baselines, and going on after an interruption."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients as CaptumIntegratedGradients
from scipy import ndimage
from torch import nn

from sensiview.analysis.items import IndexTable
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError
from sensiview.methods.integrated_gradients import IntegratedGradients, IntegratedGradientsParameters
from sensiview.models.image_settings import ImageSettings
from sensiview.models.network import network_from_module
from sensiview.numerics.example_images import example_module
from sensiview.numerics.example_volumes import example_module as volume_module
from sensiview.numerics.example_volumes import example_volumes
from sensiview.numerics.path_maker import path_points
from tests.methods.image_studies import Residual, Scaled, field, image_set, note, run, seeded, seen_rows, study_of

ANALYSIS = IntegratedGradients()
CAPTUMS = {
    "gauss_legendre": "gausslegendre",
    "middle": "riemann_middle",
    "left": "riemann_left",
    "right": "riemann_right",
    "trapezoid": "riemann_trapezoid",
}


def table(result: Result) -> Any:
    item = result["completeness"]
    assert isinstance(item, IndexTable)
    return item.frame


@pytest.mark.parametrize("rule", list(CAPTUMS))
@pytest.mark.parametrize("module", [example_module, lambda: seeded(Residual)], ids=["sequential", "residual"])
def test_that_every_rule_equals_captum(rule: str, module: Any) -> None:
    study = study_of(module())
    reference = CaptumIntegratedGradients(Scaled(module().eval()))
    for target in (0, 1):
        wanted = reference.attribute(seen_rows(study), 0.0, target, n_steps=20, method=CAPTUMS[rule]).numpy()
        if rule == "trapezoid":
            # Captum's weights add up to 19/20 there, and its maps to so much of the difference.
            wanted = wanted * 20 / 19
        found = field(run(ANALYSIS, study, target=target, steps=20, rule=rule, channels="each", batch_size=7))
        np.testing.assert_allclose(found.values, wanted, atol=1e-5 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_that_the_weights_of_every_rule_add_up_to_one(steps: int) -> None:
    for rule in CAPTUMS:
        points, weights = path_points(rule, steps)  # type: ignore[arg-type]
        assert len(points) == len(weights) == steps
        assert weights.sum() == pytest.approx(1)
        assert 0 <= points.min() <= points.max() <= 1


@pytest.mark.parametrize(
    "baseline, start",
    [
        ("black", lambda row: np.zeros_like(row)),
        ("one", lambda row: np.ones_like(row)),
        ("0.25", lambda row: np.full_like(row, 0.25)),
        (0.25, lambda row: np.full_like(row, 0.25)),
        ("mean", lambda row: np.broadcast_to(row.mean(axis=(1, 2), keepdims=True), row.shape)),
        ("blurred", lambda row: np.stack([ndimage.gaussian_filter(c, 3.0, mode="nearest") for c in row])),
    ],
)
def test_that_every_baseline_is_where_the_way_begins(baseline: Any, start: Any) -> None:
    study = study_of()
    row = study.images().image(1)
    begins = torch.from_numpy(np.ascontiguousarray(start(row), dtype=np.float32))[None]
    wanted = CaptumIntegratedGradients(Scaled(example_module().eval())).attribute(
        torch.from_numpy(row)[None], begins, 0, n_steps=30
    )
    result = run(ANALYSIS, study, target="bright", images="1", baseline=baseline, steps=30, blur=3.0)
    np.testing.assert_allclose(field(result).values, wanted.sum(dim=1).numpy()[0], atol=1e-5)
    assert f"the baseline '{baseline}'" in note(result)


def test_that_the_mean_of_a_class_can_be_the_baseline() -> None:
    study = study_of()
    others = np.mean([study.images().image(i) for i in (0, 2)], axis=0, dtype=np.float64).astype(np.float32)
    wanted = CaptumIntegratedGradients(Scaled(example_module().eval())).attribute(
        torch.from_numpy(study.images().image(3))[None], torch.from_numpy(others)[None], 0, n_steps=12
    )
    options = {"baseline": "controls", "controls": "class=plain"}
    found = field(run(ANALYSIS, study, target="bright", images="3", steps=12, **options))
    np.testing.assert_allclose(found.values, wanted.sum(dim=1).numpy()[0], atol=1e-5)


def test_that_a_linear_network_is_attributed_exactly_in_one_step() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    plain = ImageSettings(channels=3, size=(16, 16))
    study = study_of(module, settings=plain)
    result = run(ANALYSIS, study, target="plain", steps=1, channels="each", images="2")
    weight = module[1].weight[1].detach().numpy().reshape(3, 16, 16)
    np.testing.assert_allclose(field(result).values, weight * study.images().image(2), atol=1e-6)
    assert table(result)["error"].max() < 1e-5


def test_that_maps_add_up_to_the_difference_of_the_scores_and_the_error_is_told() -> None:
    study = study_of()
    result = run(ANALYSIS, study, target="bright", steps=300)
    scores = Scaled(example_module().eval())
    rows = seen_rows(study)
    difference = (scores(rows) - scores(torch.zeros_like(rows)))[:, 0].detach().numpy()
    np.testing.assert_allclose(table(result)["difference"], difference, atol=1e-5)
    np.testing.assert_allclose(field(result).values.sum(axis=(1, 2)), table(result)["sum"], atol=1e-4)
    assert table(result)["error"].max() < 0.02
    rough = note(run(ANALYSIS, study, target="bright", steps=2, rule="left"))
    assert "take more steps" in rough


def test_that_random_baselines_are_averaged_and_come_from_the_seed() -> None:
    study = study_of()
    options = {"target": "bright", "images": "1", "baseline": "noise", "samples": 6, "steps": 8}
    one = field(run(ANALYSIS, study, **options, batch_size=5)).values
    two = field(run(ANALYSIS, study, **options, batch_size=48)).values
    np.testing.assert_allclose(one, two, atol=1e-6)
    result = run(ANALYSIS, study, **options)
    assert "6 random baselines" in note(result)
    assert result.evaluations == 1 + 6 * 9
    # The images' means are the baselines' mean: what is expected adds up as well.
    assert table(result)["error"].max() < 0.1


def test_that_a_black_image_with_a_black_baseline_is_zero_and_not_nan() -> None:
    result = run(ANALYSIS, study_of(images=image_set([np.zeros((3, 16, 16))])), target="bright", steps=4)
    assert (field(result).values == 0).all()
    assert table(result)["error"].tolist() == [0.0]
    assert "The map is 0 everywhere for 'image-0.png'" in note(result)


def test_that_volumes_equal_captum_in_their_own_grid() -> None:
    volumes = example_volumes()

    def network() -> Any:
        return network_from_module(
            volume_module(), sample=volumes.batch([0]), name="net", class_names=("AD", "CN"), device="cpu"
        )

    study = Study(
        dataset=volumes.card,
        model=network().card,
        device="cpu",
        volumes_loader=lambda: volumes,
        network_loader=network,
    )
    rows = torch.from_numpy(volumes.batch([1, 3]))
    wanted = CaptumIntegratedGradients(volume_module().eval()).attribute(rows, 0.0, 0, n_steps=16).numpy()[:, 0]
    result = run(ANALYSIS, study, target="AD", subjects="diagnosis=AD", atlas="none", steps=16)
    np.testing.assert_allclose(field(result).values, wanted.swapaxes(1, 3), atol=1e-5)
    np.testing.assert_array_equal(field(result).affine, volumes.entries[0].grid.affine)


def test_that_a_stopped_run_goes_on_with_the_next_image_and_ends_with_the_same_bits() -> None:
    study, options = study_of(), {"target": "true", "steps": 10, "batch_size": 4}
    whole = run(ANALYSIS, study, **options)

    class Stopping(Silent):
        rows = 0

        def advance(self, done: int) -> None:
            self.rows += done
            if self.rows > 30:
                raise Stopped

    stopping = Stopping()
    with pytest.raises(Stopped):
        run(ANALYSIS, study, stopping, **options)
    state = stopping.restored()
    assert state is not None
    again = run(ANALYSIS, study, Silent(Checkpoint(state.arrays, state.values)), **options)
    assert again.evaluations == whole.evaluations - 24
    np.testing.assert_array_equal(field(again).values, field(whole).values)
    assert table(again).equals(table(whole))


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"baseline": "blak"}, "The baseline 'blak' is neither a number nor a known word. Did you mean 'black'?"),
        ({"baseline": "controls"}, "Name the controls whose mean is the baseline"),
        ({"baseline": "controls", "controls": "class=dark"}, "No image has class=dark"),
        ({"baseline": "nan"}, "finite number"),
        ({"target": 7}, "There is no target 7"),
    ],
)
def test_that_what_does_not_fit_is_a_sentence_before_the_run(parameters: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(ANALYSIS.against(study_of(), IntegratedGradientsParameters.parse(parameters)))


@pytest.mark.parametrize("parameters", [{"steps": 0}, {"samples": 0}, {"blur": 0}, {"rule": "simpson"}])
def test_that_impossible_values_are_refused_at_once(parameters: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        IntegratedGradientsParameters.parse(parameters)
