"""Gradient maps against Captum and by hand, in one to three dimensions."""

from __future__ import annotations

import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam
from captum.attr import Saliency as CaptumSaliency
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.numerics.gradient_maps import cut, input_gradients, layer_cams, leaf_at
from sensiview.numerics.upsampling import upsample

CONV = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
POOL = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
NAMES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def network(rank: int, *, inplace: bool = False) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(
            CONV[rank](1, 4, 3, stride=2, padding=1),
            nn.ReLU(inplace=inplace),
            CONV[rank](4, 5, 3),
            nn.ReLU(inplace=inplace),
            POOL[rank](1),
            nn.Flatten(),
            nn.Linear(5, 3),
        ).eval()


def rows(rank: int, n: int = 2) -> Tensor:
    return torch.randn((n, 1, *(11, 9, 13)[:rank]), generator=torch.Generator().manual_seed(4))


def cam(module: nn.Module, layer: str, x: Tensor, target: int, *, relu: bool = True) -> Tensor:
    with leaf_at(module, layer) as leaf:
        scores = module(x)[:, [target]]
        return cut(layer_cams(leaf.take(len(x)), scores, layer), relu=relu, absolute=False)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("layer", ["0", "1", "2", "3"])
def test_that_grad_cam_with_its_upsampling_equals_captum(rank: int, layer: str) -> None:
    module, x = network(rank), rows(rank)
    for relu in (False, True):
        found = upsample(cam(module, layer, x, 1, relu=relu), x.shape[2:])
        reference = LayerGradCam(module, module.get_submodule(layer)).attribute(x, 1, relu_attributions=relu)
        wanted = LayerAttribution.interpolate(reference, tuple(x.shape[2:]), NAMES[rank]).detach()
        assert relu or wanted.abs().max() > 0
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)


def test_that_an_in_place_relu_behind_the_layer_changes_nothing() -> None:
    plain, inplace = network(3), network(3, inplace=True)
    inplace.load_state_dict(plain.state_dict())
    for layer in ("0", "2"):
        torch.testing.assert_close(cam(inplace, layer, rows(3), 0), cam(plain, layer, rows(3), 0), atol=0, rtol=0)


def test_that_a_channel_weighs_the_mean_over_all_three_axes() -> None:
    # One channel per cell value: the score is a weighted sum, so its gradient is known.
    weights = torch.arange(24.0).reshape(1, 1, 2, 3, 4)

    class Weighted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return (self.inside(x) * weights).sum(dim=(1, 2, 3, 4))[:, None]

    x = torch.rand(2, 1, 2, 3, 4)
    torch.testing.assert_close(cam(Weighted(), "inside", x, 0), x * weights.mean())


def test_that_grad_cam_plus_plus_equals_its_formula() -> None:
    module, x = network(2), rows(2)
    with leaf_at(module, "2") as leaf:
        scores = module(x)[:, [2]]
        value = leaf.take(2)
        found = layer_cams(value, scores, "2", "grad_cam_plus_plus")
    activation = module[:3](x).detach().requires_grad_(True)
    (g,) = torch.autograd.grad(module[3:](activation)[:, 2].sum(), activation)
    a = activation.detach()
    alpha = g**2 / (2 * g**2 + a.sum((2, 3), keepdim=True) * g**3 + 1e-30)
    wanted = ((alpha * g.clamp(min=0)).sum((2, 3), keepdim=True) * a).sum(1, keepdim=True)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_that_the_gradient_equals_captum_for_every_target_at_once(rank: int) -> None:
    module, x = network(rank), rows(rank, 3)
    found, scores = input_gradients(module, x)
    assert found.shape == (3, 3, *x.shape[1:])
    torch.testing.assert_close(scores, module(x).detach())
    for target in range(3):
        wanted = CaptumSaliency(module).attribute(x.clone().requires_grad_(), target, abs=False)
        torch.testing.assert_close(found[:, target], wanted, atol=1e-6, rtol=1e-6)


def test_that_an_in_place_first_layer_does_not_write_into_the_rows() -> None:
    module, x = nn.Sequential(nn.ReLU(inplace=True), *network(3)), rows(3)
    before = x.clone()
    found, _ = input_gradients(module, x)
    assert torch.equal(x, before)
    assert (found[:, 0][x < 0] == 0).all()


class Reused(nn.Module):
    """The same ReLU twice, as many networks have it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.act = nn.Conv3d(1, 2, 3), nn.Conv3d(2, 2, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.two(self.act(self.one(x)))).sum(dim=(2, 3, 4))


def test_that_of_a_layer_that_is_used_twice_the_last_call_counts() -> None:
    torch.manual_seed(0)
    module, x = Reused(), rows(3)
    last = module.act(module.two(module.act(module.one(x)))).detach()
    # The score of target 0 is the sum of channel 0: weight 1 for it, 0 for the other.
    torch.testing.assert_close(cam(module, "act", x, 0)[:, 0], last[:, 0])


def test_that_a_layer_with_two_names_is_looked_at_where_the_name_stands() -> None:
    torch.manual_seed(0)
    act = nn.ReLU(inplace=True)
    module = nn.Sequential(nn.Conv2d(1, 2, 3), act, nn.Conv2d(2, 2, 3), act, nn.Flatten(), nn.Linear(2 * 16, 2))
    x = torch.rand(2, 1, 8, 8)
    for layer in (1, 3):
        value = module[: layer + 1](x).detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(module[layer + 1 :](value.clone())[:, 1].sum(), value)
        expected = (gradient.mean(dim=(2, 3), keepdim=True) * value.detach()).sum(dim=1)
        torch.testing.assert_close(cam(module, str(layer), x, 1, relu=False)[:, 0], expected)
    assert module[1] is module[3] is act
    assert not act._forward_hooks


class Odd(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.inside, self.idle = how, nn.Conv3d(1, 2, 3), nn.Conv3d(1, 1, 1)
        self.pair = nn.LSTM(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "detached":
            return self.inside(x).detach().mean(dim=(2, 3, 4))
        if self.how == "elsewhere":
            self.inside(x)
            return (x * 2).mean(dim=(2, 3, 4))
        if self.how == "no_grad":
            with torch.no_grad():
                return self.inside(x).mean(dim=(2, 3, 4))
        self.pair(x[:, 0, 0, :, :3])
        return self.inside(x).mean(dim=(2, 3, 4))


@pytest.mark.parametrize(
    "how, layer, sentence",
    [
        ("detached", "inside", "no gradient with respect to the layer 'inside'"),
        ("elsewhere", "inside", "no gradient with respect to the layer 'inside'"),
        ("no_grad", "inside", "no gradient with respect to the layer 'inside'"),
        ("fine", "idle", "is not called"),
        ("fine", "pair", "gives a tuple, not one tensor"),
    ],
)
def test_that_a_layer_without_map_or_gradient_is_a_sentence_and_no_hook_is_left(
    how: str, layer: str, sentence: str
) -> None:
    module = Odd(how)
    with pytest.raises(ModelError, match=sentence):
        cam(module, layer, rows(3), 0)
    assert not any(part._forward_hooks for part in module.modules())


def test_that_a_layer_of_plain_numbers_is_no_map() -> None:
    module = network(3)
    with pytest.raises(ModelError, match="not a map with places"):
        cam(module, "6", rows(3), 0)


def test_that_nothing_below_the_layer_is_kept_for_the_backward_pass() -> None:
    module, x = network(3), rows(3)
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):  # type: ignore[func-returns-value]
        cam(module, "2", x, 0)
    full = x.numel() * 4 // 8
    assert max(kept) < full


def test_that_the_cut_keeps_what_is_asked_for() -> None:
    values = torch.tensor([-2.0, 0.0, 3.0])
    assert cut(values, relu=True, absolute=False).tolist() == [0.0, 0.0, 3.0]
    assert cut(values, relu=True, absolute=True).tolist() == [2.0, 0.0, 3.0]
    assert cut(values, relu=False, absolute=False).tolist() == [-2.0, 0.0, 3.0]
