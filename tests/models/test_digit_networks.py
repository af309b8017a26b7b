"""The network of the biased digits: built as published, read from weights, trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sensiview.errors import ModelError, UserError
from sensiview.models.architectures import architectures
from sensiview.models.image_settings import ImageSettings
from tests.models.test_image_networks import inspected, opened, quick, saved

__all__ = ["quick"]  # the fixture that shortens timings

ARCHITECTURE = architectures()["biased_digits_cnn"]


def built(shape: tuple[int, ...] = (3, 48, 48), outputs: int = 10, **options: Any) -> nn.Module:
    torch.manual_seed(3)
    return ARCHITECTURE.build(ARCHITECTURE.parse(options), shape, outputs).eval()


def published(rows: Tensor, state: dict[str, Tensor]) -> Tensor:
    """What Shrestha et al. compute, layer by layer: four convolutions between a batch norm and an average."""
    norm = [state[f"bn0.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    rows = functional.batch_norm(rows, *norm)
    for number, (stride, padding) in enumerate([(1, 2), (1, 1), (2, 1), (2, 1)], start=1):
        conv = state[f"conv{number}.weight"], state[f"conv{number}.bias"]
        rows = functional.relu(functional.conv2d(rows, *conv, stride=stride, padding=padding))
        if number == 1:
            rows = functional.max_pool2d(rows, 3, stride=2, padding=1)
    return functional.linear(rows.mean(dim=(2, 3)), state["fc.weight"], state["fc.bias"])


def test_that_it_computes_what_was_published() -> None:
    module = built()
    rows = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(module(rows), published(rows, module.state_dict()))


def test_that_it_has_the_published_layers_and_number_of_weights() -> None:
    module = built()
    shapes = {key: tuple(value.shape) for key, value in module.state_dict().items() if key.endswith("weight")}
    assert shapes == {
        "bn0.weight": (3,),
        "conv1.weight": (32, 3, 5, 5),
        "conv2.weight": (32, 32, 3, 3),
        "conv3.weight": (64, 32, 3, 3),
        "conv4.weight": (64, 64, 3, 3),
        "fc.weight": (10, 64),
    }
    # Counted by hand: 6 + 2,432 + 9,248 + 18,496 + 36,928 + 650.
    assert sum(p.numel() for p in module.parameters()) == 67_760


def test_that_sizes_are_options() -> None:
    module = built((1, 32, 32), 4, filters="8,8,16,16,32")
    assert module(torch.zeros(2, 1, 32, 32)).shape == (2, 4)
    assert module.get_submodule("conv5").stride == (2, 2)
    assert built((3, 160, 160))(torch.zeros(1, 3, 160, 160)).shape == (1, 10)


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((3, 8, 48), {}, "8 x 48 pixels are too small for 4 convolutions; at least 16 x 16"),
        ((3, 48), {}, "takes images"),
        ((2, 48, 48), {}, "not 2 channels"),
        ((3, 48, 48), {"num_classes": 7}, "num_classes of 'biased_digits_cnn' is 7"),
    ],
)
def test_that_images_that_do_not_fit_are_a_sentence(
    shape: tuple[int, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        built(shape, **options)


def test_that_one_filter_is_too_few() -> None:
    with pytest.raises(UserError, match="filters"):
        ARCHITECTURE.parse({"filters": "32"})


def test_that_filters_colours_and_classes_are_read_from_the_weights(tmp_path: Path) -> None:
    module = built(outputs=7, filters="8,12,16")
    file = saved(dict(module.state_dict()), tmp_path / "net.pth")
    card = inspected("biased_digits_cnn", file).card
    assert card.options["filters"] == [8, 12, 16]
    network = opened("biased_digits_cnn", file)
    assert network.module.get_submodule("fc").weight.shape == (7, 16)
    rows = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(network.module.eval()(rows), module(rows))


def test_that_another_size_is_an_option_and_pixels_go_in_as_they_are(tmp_path: Path) -> None:
    file = saved(dict(built().state_dict()), tmp_path / "net.pth")
    settings = ImageSettings(**inspected("biased_digits_cnn", file).card.preprocessing)
    assert (settings.size, settings.mean, settings.std) == ((48, 48), (0.0,), (1.0,))
    settings = ImageSettings(**inspected("biased_digits_cnn", file, options={"size": 96}).card.preprocessing)
    assert settings.size == (96, 96)


def test_that_weights_under_other_names_are_taken_by_their_order(tmp_path: Path) -> None:
    module = built()
    names = {"bn0": "0", "conv1": "1", "conv2": "4", "conv3": "6", "conv4": "8", "fc": "12"}
    state = {}
    for key, value in module.state_dict().items():
        layer, _, parameter = key.partition(".")
        state[f"module.{names[layer]}.{parameter}"] = value
    network = opened("biased_digits_cnn", saved(state, tmp_path / "net.pth"))
    rows = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(4))
    np.testing.assert_allclose(network.module.eval()(rows).detach(), module(rows).detach(), rtol=1e-5, atol=1e-6)
