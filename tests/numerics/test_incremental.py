"""Incremental inference against whole inference: small networks of every operator, windows everywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sensiview.errors import Stopped, UserError
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.full_inference import FullInference, patched
from sensiview.numerics.incremental.results import Patches


def conv(i: int, o: int, k: int = 3, **more: object) -> nn.Conv2d:
    return nn.Conv2d(i, o, k, **more)  # type: ignore[arg-type]


class Residual(nn.Module):
    """A block as in ResNets: its ReLU used twice, adding in place."""

    def __init__(self, i: int, o: int, stride: int) -> None:
        super().__init__()
        self.one, self.two = conv(i, o, 3, stride=stride, padding=1), conv(o, o, 3, padding=1)
        self.norm_1, self.norm_2 = nn.BatchNorm2d(o), nn.BatchNorm2d(o)
        self.shortcut = conv(i, o, 1, stride=stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm_2(self.two(self.relu(self.norm_1(self.one(x)))))
        out += self.shortcut(x)
        return self.relu(out)


class Functional(nn.Module):
    """Everything as functions, branches joined and subtracted, scaled by channel."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = conv(3, 6, 3, padding=1), conv(3, 6, 5, padding=2), conv(12, 4, 3)
        self.register_buffer("scale", torch.rand(12, 1, 1) + 0.5)
        self.mean = torch.rand(1, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = (x - self.mean.to(x)) / 0.3
        one, two = F.relu(self.one(x)), F.leaky_relu(self.two(x), 0.1)
        both = torch.cat([one, one - two], dim=1) * self.scale
        both = F.pad(both, (1, 0, 2, 1))
        out = 2.0 - F.gelu(self.three(F.max_pool2d(both, 3, 2, 1)))
        return F.dropout(out, 0.5, self.training).mean(dim=(2, 3), keepdim=True).flatten(1)


class PreActivation(nn.Module):
    """An in-place activation whose input is used again afterwards: what is added is the changed tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = conv(3, 5, 3, padding=1), conv(5, 5, 3, padding=1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.one(x)
        return torch.flatten(self.two(self.act(x)) + x, 1)


def sequence(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(4))


BUILDERS = {
    "plain": lambda: sequence(conv(3, 8, padding=1), nn.ReLU(True), nn.MaxPool2d(2), conv(8, 6, padding=1), nn.ReLU()),
    "odd kernels": lambda: sequence(conv(3, 5, (3, 5), padding=(2, 1)), nn.SiLU(), conv(5, 4, (4, 2), stride=(2, 3))),
    "dilated": lambda: sequence(conv(3, 6, dilation=2, padding=2), nn.Hardswish(), conv(6, 6, dilation=(1, 3))),
    "grouped": lambda: sequence(conv(3, 6), nn.ReLU6(), conv(6, 6, padding=1, groups=6), conv(6, 4, 1, bias=False)),
    "strides above kernels": lambda: sequence(conv(3, 6, 1, stride=2), nn.ReLU(), conv(6, 4, 2, stride=3, padding=1)),
    "batch norm": lambda: sequence(conv(3, 6, bias=False), nn.BatchNorm2d(6), nn.GELU(), nn.BatchNorm2d(6), conv(6, 4)),
    "same padding": lambda: sequence(conv(3, 6, 4, padding="same"), nn.ELU(), nn.ZeroPad2d((1, -2, 0, 3)), conv(6, 4)),
    "pools": lambda: sequence(
        conv(3, 6), nn.MaxPool2d(3, 2, 1), nn.Sigmoid(), nn.AvgPool2d(3, 2, 1), nn.MaxPool2d(2, 1, dilation=2)
    ),
    "ceiled pools": lambda: sequence(
        conv(3, 6, padding=1), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Tanh(), nn.AvgPool2d(2, 2, ceil_mode=True)
    ),
    "ceiled padded pools": lambda: sequence(
        conv(3, 6), nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.AvgPool2d(3, 3, 1, ceil_mode=True)
    ),
    "pools without padding": lambda: sequence(
        conv(3, 4), nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.PReLU(4), nn.AvgPool2d(2, divisor_override=3)
    ),
    "adaptive": lambda: sequence(conv(3, 6, padding=1), nn.Mish(), nn.AdaptiveAvgPool2d((1, 1))),
    "uneven adaptive": lambda: sequence(conv(3, 6, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d((3, 5))),
    "adaptive max": lambda: sequence(conv(3, 6), nn.ReLU(), nn.AdaptiveMaxPool2d(1)),
    "reflected": lambda: sequence(conv(3, 6), nn.ReLU(), conv(6, 4, padding=1, padding_mode="reflect"), nn.ReLU()),
    "residual": lambda: sequence(Residual(3, 6, 1), Residual(6, 8, 2), Residual(8, 8, 2), nn.AdaptiveAvgPool2d(1)),
    "twice": lambda: (lambda c: sequence(c, nn.ReLU(), c, nn.ReLU(), c))(conv(3, 3, padding=1)),
    "tiny maps": lambda: sequence(
        conv(3, 6, padding=1), nn.MaxPool2d(8), nn.ReLU(), conv(6, 8, padding=1), nn.ReLU(), conv(8, 8, padding=1)
    ),
    "functions": Functional,
    "pre-activation": PreActivation,
}


def made(name: str, size: tuple[int, int], dtype: torch.dtype = torch.float64) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(3)
    module = BUILDERS[name]()
    x = torch.rand(1, 3, *size)
    module(x.repeat(2, 1, 1, 1))  # lazy layers get their sizes
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.2)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
            nn.init.uniform_(layer.weight, -1.0, 2.0)
            nn.init.normal_(layer.bias)
    return module.to(dtype).eval(), x.to(dtype)


def random_windows(size: tuple[int, int], count: int, seed: int = 1) -> np.ndarray:
    """Corners, edges, single pixels, the whole image, partly and wholly outside, and random ones."""
    h, w = size
    fixed = [
        [0, 1, 0, 1],
        [h - 1, h, w - 1, w],
        [0, h, 0, w],
        [-3, 2, w - 2, w + 5],
        [0, h, 3, 4],
        [-9, h + 9, -9, 2],
        [4, 4, 5, 9],
        [h + 2, h + 4, 0, 3],
    ]
    rng = np.random.default_rng(seed)
    y, x = rng.integers(-2, h, count), rng.integers(-2, w, count)
    some = np.stack([y, y + rng.integers(1, h // 2, count), x, x + rng.integers(1, w // 2, count)], axis=1)
    return np.concatenate([fixed, some])


def whole(module: nn.Module, bases: Tensor, patches: Patches) -> Tensor:
    rows = bases[torch.from_numpy(patches.bases)].clone()
    with torch.no_grad():
        return module(patched(rows, patches, np.arange(len(patches))))


# torch's own remark about uneven kernels
@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("size", [(17, 22), (24, 16)])
@pytest.mark.parametrize("name", BUILDERS)
def test_that_windows_give_what_whole_inference_gives(name: str, size: tuple[int, int]) -> None:
    module, x = made(name, size)
    network = IncrementalNetwork.build(module, x)
    assert network.reason == ""
    windows = random_windows(size, 30)
    patches = Patches.filled(windows, torch.rand(len(windows), 3, *size, dtype=x.dtype))
    base = network.keep(x)
    wanted = whole(module, x, patches)
    torch.testing.assert_close(base.outputs, module(x).detach(), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(network.evaluate(base, patches).outputs, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["plain", "residual", "functions", "pools", "tiny maps"])
def test_that_single_precision_is_kept(name: str) -> None:
    size = (24, 20)
    module, x = made(name, size, torch.float32)
    network = IncrementalNetwork.build(module, x)
    patches = Patches.filled(random_windows(size, 20), torch.rand(3, *size))
    wanted = whole(module, x, patches)
    found = network.evaluate(network.keep(x), patches).outputs
    assert found is not None
    assert float((found - wanted).abs().max()) <= 1e-5 * float(wanted.abs().max())


def test_that_each_row_starts_from_its_own_base() -> None:
    module, _ = made("residual", (20, 20))
    bases = torch.rand(4, 3, 20, 20, dtype=torch.float64)
    network = IncrementalNetwork.build(module, bases[:1])
    windows = random_windows((20, 20), 25)
    numbers = np.arange(len(windows)) % 4
    patches = Patches(windows, torch.rand(len(windows), 3, 40, 60, dtype=torch.float64), numbers)
    found = network.evaluate(network.keep(bases), patches).outputs
    torch.testing.assert_close(found, whole(module, bases, patches), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["residual", "functions", "pools", "reflected"])
def test_that_layers_are_seen_as_hooks_see_them(name: str) -> None:
    module, x = made(name, (18, 18))
    network = IncrementalNetwork.build(module, x)
    layers = list(network.layers)
    patches = Patches.filled(random_windows((18, 18), 8), torch.rand(3, 18, 18, dtype=x.dtype))
    found = network.evaluate(network.keep(x, layers), patches, norms=layers, values=layers)
    other = FullInference(module, x, "of the test")
    wanted = other.evaluate(other.keep(x, layers), patches, norms=layers, values=layers)
    for layer in layers:
        torch.testing.assert_close(found.values[layer], wanted.values[layer], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.norms[layer], wanted.norms[layer], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["plain", "residual", "pools", "functions", "batch norm"])
def test_that_derivatives_equal_those_of_autograd(name: str) -> None:
    module, x = made(name, (16, 16))
    network = IncrementalNetwork.build(module, x)
    layers = list(network.layers)[:2]
    windows = np.array([[3, 4, 5, 6], [0, 2, 0, 3], [14, 16, 9, 16], [0, 16, 0, 16]])
    directions = torch.randn(4, 3, 16, 16, dtype=x.dtype)
    patches = Patches.filled(windows, x + directions)
    found = network.evaluate(network.keep(x, layers), patches, norms=layers, tangent=True)
    for row, (y0, y1, x0, x1) in enumerate(windows):
        direction = torch.zeros_like(x)
        direction[0, :, y0:y1, x0:x1] = directions[row, :, y0:y1, x0:x1]
        _, derivative = torch.autograd.functional.jvp(module, x, direction)
        torch.testing.assert_close(found.outputs[row : row + 1], derivative, rtol=1e-8, atol=1e-10)
    full = FullInference(module, x, "of the test")
    wanted_norms = full.evaluate(full.keep(x, layers), patches, norms=layers, tangent=True).norms
    for layer in layers:
        np.testing.assert_allclose(found.norms[layer], wanted_norms[layer], rtol=1e-8, atol=1e-10)


def test_that_the_module_is_left_as_it_was() -> None:
    module, x = made("residual", (16, 16), torch.float32)
    module.train()
    module[0].norm_1.eval()
    flags = [layer.training for layer in module.modules()]
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    random, hooks = torch.get_rng_state(), [len(layer._forward_hooks) for layer in module.modules()]
    network = IncrementalNetwork.build(module, x)
    network.evaluate(network.keep(x), Patches.filled(random_windows((16, 16), 3), torch.zeros(3, 16, 16)))
    assert [layer.training for layer in module.modules()] == flags
    assert all(torch.equal(value, weights[name]) for name, value in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert [len(layer._forward_hooks) for layer in module.modules()] == hooks
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert torch.is_grad_enabled()


def test_that_every_row_is_counted_and_a_run_can_be_stopped() -> None:
    module, x = made("plain", (32, 32), torch.float32)
    network = IncrementalNetwork.build(module, x)
    base, done = network.keep(x), []
    windows = random_windows((32, 32), 40)
    patches = Patches.filled(windows, torch.zeros(3, 32, 32))
    network.evaluate(base, patches, advance=done.append)
    assert sum(done) == len(windows)

    def stop(_: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        network.evaluate(base, patches, advance=stop)


def test_that_running_out_of_memory_halves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    from sensiview.numerics.incremental.sliding import Convolution

    module, x = made("plain", (32, 32))
    network = IncrementalNetwork.build(module, x)
    base, said = network.keep(x), []
    patches = Patches.filled(np.array([[12, 16, 12, 16]] * 20), torch.rand(20, 3, 32, 32, dtype=x.dtype))
    wanted = network.evaluate(base, patches).outputs
    change = Convolution.change

    def tight(self: Convolution, frame: object, changes: list[Tensor]) -> Tensor:
        if len(changes[0]) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return change(self, frame, changes)  # type: ignore[arg-type]

    monkeypatch.setattr(Convolution, "change", tight)
    found = network.evaluate(base, patches, warn=said.append).outputs
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
    assert said
    assert "Memory ran out" in said[0]


def test_that_no_windows_give_no_rows() -> None:
    module, x = made("plain", (16, 16))
    network = IncrementalNetwork.build(module, x)
    base = network.keep(x, ["0"])
    patches = Patches(np.zeros((0, 4), dtype=np.int64), x[:0])
    found = network.evaluate(base, patches, norms=["0"])
    assert found.outputs is not None
    assert found.outputs.shape == (0, 4)
    assert found.norms["0"].shape == (0,)


def test_that_whole_rows_are_cut_to_what_differs() -> None:
    module, x = made("plain", (16, 16))
    rows = x.repeat(3, 1, 1, 1)
    rows[0, :, 2:5, 3:9] += 1
    rows[1, 0, 1, 1] += 1
    rows[1, 0, 9, 4] += 1
    patches = Patches.from_rows(rows, x)
    assert patches.windows.tolist() == [[2, 5, 3, 9], [1, 10, 1, 5], [0, 0, 0, 0]]
    network = IncrementalNetwork.build(module, x)
    found = network.evaluate(network.keep(x), patches).outputs
    torch.testing.assert_close(found, module(rows).detach(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"windows": np.zeros((2, 3), dtype=int)}, "y0, y1, x0, x1"),
        ({"windows": np.zeros((2, 4))}, "whole numbers"),
        ({"windows": np.array([[4, 2, 0, 1]])}, "ends before it begins"),
        ({"windows": np.array([[0, 9, 0, 9]])}, "9 x 9"),
        ({"bases": np.zeros(5, dtype=int)}, "bases of shape"),
        ({"values": torch.zeros(3, 3, 4, 4)}, "should have"),
    ],
)
def test_that_wrong_patches_are_refused_with_a_sentence(change: dict[str, object], words: str) -> None:
    right: dict[str, object] = {"windows": np.array([[0, 2, 0, 2]]), "values": torch.zeros(1, 3, 4, 4)}
    with pytest.raises(UserError, match=words):
        Patches(**{**right, **change})  # type: ignore[arg-type]


def test_that_wrong_questions_are_answered_with_a_sentence() -> None:
    module, x = made("plain", (16, 16))
    network = IncrementalNetwork.build(module, x)
    base = network.keep(x)
    patches = Patches(np.array([[0, 2, 0, 2]] * 2), torch.zeros(1, 3, 2, 2, dtype=x.dtype))
    with pytest.raises(UserError, match="no layer '99'"):
        network.keep(x, ["99"])
    with pytest.raises(UserError, match="kept without 0"):
        network.evaluate(base, patches, norms=["0"])
    with pytest.raises(UserError, match="prepared for inputs of shape"):
        network.keep(x[:, :, :8])
    with pytest.raises(UserError, match="one patch at a time"):
        network.evaluate(base, patches, move=True)
    with pytest.raises(UserError, match="asks for another"):
        network.evaluate(base, Patches(patches.windows, patches.values, np.array([0, 1])))
    with pytest.raises(UserError, match="without the outputs"):
        network.evaluate(network.keep(x, ["0"], outputs=False), patches)
