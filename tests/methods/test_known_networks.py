"""Every analysis of images on networks that people have: in-place and re-used layers, side outputs, transformers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import sensiview
from sensiview.analysis.items import FieldMap
from sensiview.analysis.result import Result
from sensiview.models.architectures import architectures

CLASSES = ("cat", "dog", "ship")
MAPS: dict[str, dict[str, Any]] = {
    "grad_cam": {"images": "0-1", "relu": False},
    "grad_cam_pp": {"images": "0-1", "relu": False},
    "saliency": {"images": "0-1"},
    "integrated_gradients": {"images": "0-1", "steps": 3},
    "occlusion": {"images": "0", "window": 16, "stride": 16},
}
OTHERS: dict[str, dict[str, Any]] = {
    "classification": {},
    "local_sensitivity": {"images": "0", "every": 16, "perturbation": "derivative"},
    "activation_maximization": {"steps": 2, "target": "dog"},
    "sanity": {"images": "0", "layers": 2, "repeats": 1, "orders": 2, "steps": 2, "cell": 16, "draws": 2},
}


def network(name: str, side: int) -> nn.Module:
    """An architecture with random weights; a last layer of zeros, as transformers begin with, is drawn."""
    architecture = architectures()[name]
    options = {"hidden": (32,)} if name == "vgg16_cifar" else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = architecture.build(architecture.Options(**options), (3, side, side), len(CLASSES))
        for parameter in module.parameters():
            if parameter.ndim == 2 and not parameter.any():
                nn.init.normal_(parameter, std=0.1)
    return module


def analyse(key: str, module: nn.Module, side: int, **more: Any) -> Result:
    images = (np.random.default_rng(0).random((3, side, side, 3)) * 255).astype(np.uint8)
    return sensiview.analyse(
        key, module, images, labels=CLASSES, class_names=CLASSES, device="cpu", progress=False, **more
    )


def check(module: nn.Module, side: int) -> None:
    """Run every analysis; numbers are finite, maps are not empty, and the network stays as it was."""
    module.train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = {key: analyse(key, module, side, parameters=chosen) for key, chosen in (MAPS | OTHERS).items()}
    runs = {key: found[key] for key in ("saliency", "integrated_gradients")}
    found["comparison"] = analyse("comparison", module, side, runs=runs, parameters={"steps": 2, "cell": 16})
    for key, result in found.items():
        for item in result.values():
            if isinstance(item, FieldMap):
                assert np.isfinite(item.values).all(), (key, item.title)
    for key in ("grad_cam", "saliency", "integrated_gradients", "local_sensitivity"):
        assert np.abs(found[key]["map"].values).max() > 0, key
    assert all(part.training for part in module.modules())
    assert not any(part._forward_hooks or part._forward_pre_hooks or part._backward_hooks for part in module.modules())
    for name, value in module.state_dict().items():
        torch.testing.assert_close(value, before[name], atol=0, rtol=0)


@pytest.mark.parametrize("name, side", [("lenet", 28), ("squeezenet1_1", 48)])
def test_that_every_analysis_of_images_runs_on_small_networks(name: str, side: int) -> None:
    check(network(name, side), side)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, side",
    [
        ("vgg16_cifar", 32), ("resnet18_cifar", 32), ("mobilenet_v3_small", 64), ("densenet121", 48),
        ("shufflenet_v2_x1_0", 64), ("googlenet", 48), ("inception_v3", 80), ("vit_b_16", 32), ("swin_t", 48),
        ("convnext_tiny", 48),
    ],
)  # fmt: skip
def test_that_every_analysis_of_images_runs_on_known_networks(name: str, side: int) -> None:
    check(network(name, side), side)
