"""Saliency of volumes against Captum, in raw units, and its options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient
from captum.attr import Saliency as CaptumSaliency
from torch import nn

from sensiview.analysis.items import FieldMap
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import UserError
from sensiview.methods.saliency import Saliency, SaliencyParameters
from sensiview.models.network import Network, network_from_module
from sensiview.numerics.example_volumes import PLANTED, example_module, example_volumes

ANALYSIS = Saliency()


def study_of(module: nn.Module, volumes: VolumeSet | None = None, **options: Any) -> Study:
    cohort = volumes or example_volumes()

    def network() -> Network:
        return network_from_module(
            module, sample=cohort.batch([0]), name="net", class_names=("AD", "CN"), device="cpu", **options
        )

    return Study(
        dataset=cohort.card,
        model=network().card,
        device="cpu",
        volumes_loader=lambda: cohort,
        network_loader=network,
    )


def run(study: Study, **parameters: Any) -> Result:
    chosen = SaliencyParameters.parse({"atlas": "none", **parameters})
    assert ANALYSIS.problems(study, chosen) == []
    result = ANALYSIS.run(study, chosen, Silent())
    assert result.evaluations == ANALYSIS.cost(study, chosen).evaluations
    return result


def field(result: Result, name: str = "map") -> FieldMap:
    item = result[name]
    assert isinstance(item, FieldMap)
    return item


@pytest.mark.parametrize("absolute", [True, False])
def test_that_the_gradient_equals_captum(absolute: bool) -> None:
    module, rows = example_module().eval(), torch.from_numpy(example_volumes().batch(range(4)))
    wanted = CaptumSaliency(module).attribute(rows.clone().requires_grad_(), 0, abs=absolute).numpy()[:, 0]
    for batch_size in (1, 3):
        found = field(run(study_of(module), target="AD", absolute=absolute, batch_size=batch_size))
        np.testing.assert_allclose(found.values, wanted.swapaxes(1, 3), atol=1e-6)
    assert found.signed is not absolute


def test_that_times_input_equals_captum() -> None:
    module, rows = example_module().eval(), torch.from_numpy(example_volumes().batch([1]))
    wanted = InputXGradient(module).attribute(rows.clone().requires_grad_(), 0).detach().numpy()[0, 0]
    found = field(run(study_of(module), target="AD", absolute=False, times_input=True, subjects="sub-1"))
    np.testing.assert_allclose(found.values, wanted.swapaxes(0, 2), atol=1e-6)
    assert found.over == "sub-1"


def test_that_preprocessing_is_part_of_the_derivative_with_the_untouched_volumes_scale() -> None:
    settings = {"kind": "volume", "intensity": "percentile", "percentile": 99.5, "clip": 1.5, "fit": None}
    settings |= {"orientation": None, "channels": 1}
    module = example_module().eval()
    volumes = example_volumes()
    row = torch.from_numpy(volumes.batch([1]))
    scale = float(np.percentile(row.numpy(), 99.5))
    wanted = CaptumSaliency(module).attribute((row / scale).requires_grad_(), 0, abs=False).numpy()[0, 0] / scale
    found = field(run(study_of(module, preprocessing=settings), target="AD", absolute=False, subjects="1"))
    np.testing.assert_allclose(found.values, wanted.swapaxes(0, 2), atol=1e-6)


def test_that_the_brightest_gradient_lies_in_the_planted_box() -> None:
    found = field(
        run(study_of(example_module()), target="AD", subjects="diagnosis=AD", average=True), "mean_map"
    ).values
    inside = np.zeros((12, 12, 12), dtype=bool)
    inside[PLANTED] = True
    inside = inside.swapaxes(0, 2)
    assert found[inside].mean() > 10 * found[~inside].mean()


def test_that_smoothgrad_is_the_mean_gradient_over_noisy_copies_whatever_the_batch() -> None:
    study = study_of(example_module())
    smooth = field(run(study, target="AD", samples=12, absolute=False, subjects="1", batch_size=5)).values
    other = field(run(study, target="AD", samples=12, absolute=False, subjects="0-1", batch_size=4)).values[1]
    np.testing.assert_allclose(smooth, other, atol=1e-7)
    plain = field(run(study, target="AD", absolute=False, subjects="1")).values
    assert np.abs(smooth - plain).max() > 0
    # With hardly any noise the mean is the gradient itself.
    close = field(run(study, target="AD", samples=3, sigma=1e-6, absolute=False, subjects="1")).values
    np.testing.assert_allclose(close, plain, atol=1e-4)


def test_that_a_linear_network_has_the_same_gradient_everywhere_and_no_spread() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(1728, 2))
    result = run(study_of(module), target="CN", absolute=False, average=True)
    weight = module[1].weight[1].detach().numpy().reshape(12, 12, 12)
    np.testing.assert_allclose(field(result, "mean_map").values, weight.swapaxes(0, 2), atol=1e-7)
    assert field(result, "spread").values.max() < 1e-7


@pytest.mark.parametrize("parameters", [{"samples": -1}, {"sigma": 0}, {"batch_size": 0}, {"nonsense": 1}])
def test_that_impossible_values_are_refused_at_once(parameters: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        SaliencyParameters.parse(parameters)
