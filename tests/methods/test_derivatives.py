"""Derivatives, moments and relative changes against analytic values and central differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sensiview.errors import ModelError, Stopped, UserError
from sensiview.models.evaluation import Evaluator
from sensiview.models.network import Network, network_from_module
from sensiview.numerics.derivatives import Jacobian, in_double
from sensiview.numerics.moments import Moments
from sensiview.numerics.relative_change import relative_change


def network(module: nn.Module, width: int, *, classes: tuple[str, ...] = (), **options: object) -> Network:
    sample = np.linspace(-1, 1, 2 * width).reshape(2, width)
    return network_from_module(module, sample=sample, name="net", class_names=classes, device="cpu", **options)  # type: ignore[arg-type]


def seeded(*layers: nn.Module) -> nn.Sequential:
    """Return a network of fixed weights."""
    module = nn.Sequential(*layers)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return module


def rows(count: int, width: int) -> np.ndarray:
    return np.random.default_rng(11).normal(size=(count, width))


def central_difference(net: Network, outputs: list[str], x: np.ndarray) -> np.ndarray:
    evaluate = Evaluator(net, outputs)
    found = []
    for column in range(x.shape[1]):
        step = np.zeros(x.shape[1])
        step[column] = 1e-5
        found.append((evaluate(x + step) - evaluate(x - step)) / 2e-5)
    return np.stack(found, axis=2)


def test_that_a_linear_model_has_its_weights_as_derivatives() -> None:
    module = seeded(nn.Linear(4, 3))
    weights = module[0].weight.detach().numpy()
    found = Jacobian(network(module, 4), "auto", ["0"])(rows(5, 4))
    assert found.shape == (5, 6, 4)
    np.testing.assert_allclose(found[:, :3], np.broadcast_to(weights, (5, 3, 4)), rtol=1e-7)
    np.testing.assert_allclose(found[:, 3:], np.broadcast_to(weights, (5, 3, 4)), rtol=1e-7)


def test_that_a_logistic_model_has_p_times_one_minus_p_times_w() -> None:
    module = seeded(nn.Linear(3, 1), nn.Sigmoid()).double()
    x = rows(20, 3)
    weights = module[0].weight.detach().numpy()[0]
    p = 1 / (1 + np.exp(-(x @ weights + module[0].bias.item())))
    net = network(module, 3, classes=("no", "yes"))
    found = Jacobian(net, "probability", target="all")(x)[:, 0]
    np.testing.assert_allclose(found, (p * (1 - p))[:, None] * weights, rtol=1e-12)
    # The logit is read before the sigmoid, so it stays exact where the sigmoid is saturated.
    np.testing.assert_allclose(Jacobian(net, "logit")(1e3 * x)[:, 0], np.broadcast_to(weights, x.shape), rtol=1e-12)
    np.testing.assert_allclose(Jacobian(net, "probability", target="no")(x)[:, 0], -found, rtol=1e-12)
    np.testing.assert_allclose(Jacobian(net, "loss", target="yes")(x)[:, 0], -(1 - p)[:, None] * weights, rtol=1e-11)


@pytest.mark.parametrize("output", ["auto", "probability", "logit", "loss"])
def test_that_derivatives_equal_central_differences_in_float64(output: str) -> None:
    module = seeded(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3)).double()
    net = network(
        module,
        4,
        classes=("a", "b", "c"),
        preprocessing={"kind": "standardise", "mean": [1, 2, 3, 4], "std": [2, 3, 4, 5]},
    )
    x = 3 * rows(7, 4)
    found = Jacobian(net, output, ["0", "2"], batch_size=3)(x)
    np.testing.assert_allclose(found, central_difference(net, [output, "0", "2"], x), atol=1e-8)


def test_that_units_are_named_by_layer_and_number_outputs_first() -> None:
    net = network(seeded(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2)), 3, classes=("cat", "dog"))
    assert Jacobian(net, "auto", ["0"]).units == (("output", "cat"), ("output", "dog"), ("0", "0"), ("0", "1"))
    assert Jacobian(net, "1", ["0"]).units == (("1", "0"), ("1", "1"), ("0", "0"), ("0", "1"))


def test_that_in_place_activations_do_not_spoil_what_the_layer_before_them_gave() -> None:
    plain, in_place = seeded(nn.Linear(3, 4), nn.ReLU()), seeded(nn.Linear(3, 4), nn.ReLU(inplace=True))
    x = rows(9, 3)
    one, two = (Jacobian(network(m, 3), "auto", ["0"])(x) for m in (plain, in_place))
    np.testing.assert_array_equal(one, two)


def test_that_a_dead_relu_has_derivative_zero_and_an_unused_unit_too() -> None:
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used = nn.Linear(2, 1)
            self.constant = nn.Linear(2, 3)

        def forward(self, x: Tensor) -> Tensor:
            self.constant(torch.ones_like(x))
            return torch.relu(self.used(x) - 1e6)

    found = Jacobian(network(Unused(), 2), "auto", ["constant"])(rows(4, 2))
    assert not found.any()


def test_that_a_network_without_derivatives_is_a_sentence() -> None:
    class Cut(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.detach().sum(1, keepdim=True)

    net = network(Cut(), 2)
    with pytest.raises(ModelError, match="has no derivatives"):
        Jacobian(net, "auto")(rows(2, 2))


def test_that_the_network_is_as_it_was_also_after_a_cancel() -> None:
    module = seeded(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 1)).train()
    module[3].requires_grad_(False)
    before = {k: v.clone() for k, v in module.state_dict().items()}
    flags = [p.requires_grad for p in module.parameters()]
    net = network(module, 3)
    random = torch.get_rng_state()

    def stop(_: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        Jacobian(net, "auto", ["0"], batch_size=2, on_batch=stop)(rows(6, 3))
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())
    assert [p.requires_grad for p in module.parameters()] == flags
    assert all(p.grad is None for p in module.parameters())
    assert all(m.training for m in module.modules())
    assert not module[0]._forward_hooks
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), random)


def test_that_memory_running_out_halves_the_batch_and_gives_the_same_numbers() -> None:
    class Hungry(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2).double()

        def forward(self, x: Tensor) -> Tensor:
            if len(x) > 3:
                raise RuntimeError("CUDA out of memory. Tried to allocate 3 GiB")
            return torch.tanh(self.layer(x))

    said: list[str] = []
    net = network(Hungry(), 2)
    x = rows(10, 2)
    jacobian = Jacobian(net, "auto", batch_size=10, warn=said.append)
    found = jacobian(x)
    assert jacobian.batch_size == 2
    assert len(said) == 2
    np.testing.assert_allclose(found, Jacobian(net, "auto", batch_size=1)(x), rtol=1e-12)


def test_that_an_unknown_layer_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="nor a layer of the network"):
        Jacobian(network(nn.Sequential(nn.Linear(2, 1)), 2), "auto", ["fn1"])


def test_that_a_float32_network_is_computed_in_float64_as_a_copy() -> None:
    module = seeded(nn.Linear(2, 2))
    double, sentence = in_double(network(module, 2))
    assert sentence == ""
    assert double.dtype == torch.float64
    assert module[0].weight.dtype == torch.float32


def test_that_a_network_that_insists_on_float32_is_computed_in_it_with_a_sentence() -> None:
    class Insists(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x.float())

    net = network(Insists(), 2)
    same, sentence = in_double(net)
    assert same is net
    assert "can't compute in float64" in sentence


def test_that_moments_of_pieces_equal_those_of_the_whole() -> None:
    values = 1e6 + np.random.default_rng(1).normal(size=(101, 3))
    moments = Moments()
    for piece in np.array_split(values, 7):
        moments.add(piece)
    moments.add(values[:0])
    np.testing.assert_allclose(moments.mean, values.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(moments.std, values.std(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(moments.mean_square, (values**2).mean(axis=0), rtol=1e-12)
    assert math.isnan(Moments().std)


@pytest.mark.parametrize("batch_size", [None, 1, 7])
def test_that_the_relative_change_of_a_linear_layer_is_delta_x_times_its_column(batch_size: int | None) -> None:
    module = seeded(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 1)).double()
    x = 10 * rows(30, 4)
    x[::3, 1] = 0
    done: list[int] = []
    moments, left_out = relative_change(
        network(module, 4), x, ["0"], 0.01, batch_size=batch_size, advance=done.append, warn=lambda _: None
    )
    expected = 0.01 * np.abs(x) * np.linalg.norm(module[0].weight.detach().numpy(), axis=0)
    np.testing.assert_allclose(moments["0"].mean, expected.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(moments["0"].std, expected.std(axis=0, ddof=1), rtol=1e-10)
    assert left_out == 0
    assert sum(done) == 30 * 5


def test_that_rows_whose_layer_is_not_finite_are_counted_and_left_out() -> None:
    class Log(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.log = nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.log(torch.log(x))

    x = np.abs(rows(6, 2)) + 1
    x[2, 0] = -1
    moments, left_out = relative_change(
        network(Log(), 2), x, ["log"], 0.01, batch_size=None, advance=lambda _: None, warn=lambda _: None
    )
    assert left_out == 1
    assert moments["log"].count == 5
    np.testing.assert_allclose(moments["log"].mean, [math.log(1.01)] * 2, rtol=1e-5)
