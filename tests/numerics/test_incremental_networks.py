"""Incremental inference on torchvision's networks, pixel sweeps and trajectories, and what falls back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn

from sensiview.numerics.incremental import winograd
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.full_inference import FullInference, patched
from sensiview.numerics.incremental.results import Patches
from sensiview.numerics.incremental.trajectories import walk


def opened(name: str, seed: int = 1) -> nn.Module:
    """A network of torchvision with random weights, and statistics as if it had been trained."""
    torch.manual_seed(seed)
    module = torchvision.models.get_model(name, num_classes=7).eval()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return module


def some_windows(size: int) -> np.ndarray:
    return np.array([[0, 8, 0, 8], [size - 5, size, 20, 31], [30, 31, 30, 31], [9, 40, 2, 17], [0, size, 0, size]])


def whole(module: nn.Module, x: Tensor, patches: Patches) -> Tensor:
    with torch.no_grad():
        return module(patched(x.repeat(len(patches), 1, 1, 1), patches, np.arange(len(patches))))


@pytest.mark.parametrize(
    "name, size",
    [("vgg11_bn", 64), ("alexnet", 80), ("squeezenet1_1", 72), ("resnet18", 64), ("resnet50", 64), ("densenet121", 64)],
)
def test_that_torchvision_networks_are_exact(name: str, size: int) -> None:
    module, x = opened(name), torch.rand(1, 3, size, size)
    patches = Patches.filled(some_windows(size), torch.rand(3, size, size))
    network = IncrementalNetwork.build(module, x)
    assert network.reason == ""
    assert "incremental" in network.describe()
    found, wanted = network.evaluate(network.keep(x), patches).outputs, whole(module, x, patches)
    assert found is not None
    assert float((found - wanted).abs().max()) <= 1e-5 * float(wanted.abs().max())
    double, x, values = module.double(), x.double(), patches.values.double()
    patches = Patches.filled(patches.windows, values)
    network = IncrementalNetwork.build(double, x)
    found, wanted = network.evaluate(network.keep(x), patches).outputs, whole(double, x, patches)
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


class DataDependent(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum((1, 2, 3)) if float(x.mean()) > 0 else x.flatten(1)


class Buffered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.register_buffer("sum", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        self.sum.add_(y.mean())
        return y.flatten(1)


class Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x + torch.randn_like(x)).flatten(1)


class Mixing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) - self.conv(x).mean(dim=0, keepdim=True)


@pytest.mark.parametrize(
    "module, words",
    [
        (DataDependent(), "depends on the values of its input"),
        (Buffered(), "writes into a tensor of its own"),
        (Noisy(), "draws random numbers"),
        (Mixing(), "mixes the rows of a batch|number of rows"),
        (nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 3)), "mixes all pixels"),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)), "batch norm '1' keeps no"),
    ],
)
def test_that_what_can_not_be_windowed_is_computed_whole_and_says_why(module: nn.Module, words: str) -> None:
    x = torch.rand(1, 3, 16, 16)
    network = IncrementalNetwork.build(module.eval(), x)
    assert isinstance(network, FullInference)
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(network.reason)
    assert network.reason.endswith(".")


def test_that_whole_inference_answers_the_same_questions() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 5), nn.Tanh(), nn.Linear(5, 3)).eval()
    x = torch.rand(2, 3, 16, 16)
    network = IncrementalNetwork.build(module, x[:1])
    patches = Patches(np.array([[-2, 3, 5, 9], [0, 16, 0, 16]]), torch.rand(2, 3, 16, 16), np.array([1, 0]))
    base = network.keep(x, ["1"])
    done: list[int] = []
    found = network.evaluate(base, patches, norms=["1"], values=["1"], advance=done.append)
    rows = patched(x[[1, 0]].clone(), patches, np.arange(2))
    with torch.no_grad():
        torch.testing.assert_close(found.outputs, module(rows))
        hidden = module[1](rows.flatten(1))
        norms = (hidden - module[1](x[[1, 0]].flatten(1))).norm(dim=1)
    torch.testing.assert_close(found.values["1"], hidden)
    np.testing.assert_allclose(found.norms["1"], norms.numpy(), rtol=1e-5)
    assert sum(done) == 2


def small_vgg() -> nn.Module:
    """For 8 x 8 pixels, as wide and with maps as small as it takes for every form of convolution."""
    torch.manual_seed(2)
    layers: list[nn.Module] = []
    for i, o in ((3, 32), (32, 512), (512, 512), (512, 64)):
        layers += [nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(inplace=True)]
        if (i, o) in ((3, 32), (512, 512)):
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256, 4)).eval()


def pixel_sensitivity(
    network: IncrementalNetwork | FullInference, x: Tensor, layers: list[str], steps: float | Tensor | None
) -> dict[str, np.ndarray]:
    """Change each pixel and channel of x by its step, or take the derivative; layer -> norms in the shape of x."""
    c, i, j = np.indices(x.shape[1:]).reshape(3, -1)
    values = x[0][:, i, j].T.clone()
    rows = torch.arange(len(c))
    values[rows, c] += torch.as_tensor(1.0 if steps is None else steps, dtype=x.dtype).expand(x.shape)[0, c, i, j]
    patches = Patches(np.stack([i, i + 1, j, j + 1], axis=1), values[:, :, None, None])
    base = network.keep(x, layers, outputs=False)
    found = network.evaluate(base, patches, norms=layers, outputs=False, tangent=steps is None)
    return {name: found.norms[name].reshape(x.shape) for name in layers}


@pytest.mark.parametrize("steps", [0.1, None])
def test_that_one_sweep_gives_every_block_what_single_perturbations_give(
    steps: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, images = small_vgg(), torch.rand(1, 3, 8, 8)
    layers = ["3", "10", "13", "14"]
    used = []
    for name in ("convolved", "transformed"):
        plain = getattr(winograd, name)
        monkeypatch.setattr(winograd, name, lambda *a, n=name, f=plain: used.append(n) or f(*a))
    network = IncrementalNetwork.build(module, images)
    found = pixel_sensitivity(network, images, layers, steps)
    assert "convolved" in used
    reference = pixel_sensitivity(FullInference(module.double(), images, "."), images.double(), layers, steps)
    for name in layers:
        assert found[name].shape == images.shape
        scale = float(reference[name].max())
        np.testing.assert_allclose(found[name], reference[name], atol=1e-5 * scale)
        assert scale > 0


def test_that_single_perturbations_are_what_the_definition_says() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3)).double()
    x, steps = torch.rand(1, 3, 9, 8).double(), torch.randn(1, 3, 9, 8).double()
    found = pixel_sensitivity(IncrementalNetwork.build(module, x), x, ["1", "3"], steps)
    module.eval()
    for c, i, j in [(0, 0, 0), (2, 8, 7), (1, 4, 3)]:
        moved = x.clone()
        moved[0, c, i, j] += steps[0, c, i, j]
        with torch.no_grad():
            one = (module[:2](moved) - module[:2](x)).norm()
            three = (module(moved) - module(x)).norm()
        np.testing.assert_allclose(found["1"][0, c, i, j], float(one), rtol=1e-10)
        np.testing.assert_allclose(found["3"][0, c, i, j], float(three), rtol=1e-10)


def test_that_a_layer_with_two_names_reacts_where_each_name_stands() -> None:
    torch.manual_seed(0)
    act, pool = nn.ReLU(inplace=True), nn.MaxPool2d(2)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), act, pool, nn.Conv2d(4, 5, 2), act, pool).double().eval()
    x = torch.rand(1, 3, 14, 14).double()
    layers = ["1", "2", "4", "5"]
    incremental = IncrementalNetwork.build(module, x)
    assert not incremental.reason
    moved = x.clone()
    moved[0, 1, 6, 7] += 0.1
    with torch.no_grad():
        expected = [float((module[: int(n) + 1](moved) - module[: int(n) + 1](x)).norm()) for n in layers]
    assert len({round(value, 9) for value in expected}) == 4
    for network in (incremental, FullInference(module, x, ".")):
        found = pixel_sensitivity(network, x, layers, 0.1)
        np.testing.assert_allclose([found[n][0, 1, 6, 7] for n in layers], expected, rtol=1e-10)
    assert module[1] is module[4] is act
    assert not act._forward_hooks


@pytest.mark.parametrize("name", ["resnet18", "alexnet"])
@pytest.mark.parametrize("side_by_side", [2, None])
def test_that_trajectories_are_walked_exactly(name: str, side_by_side: int | None) -> None:
    size, trajectories, cells = 64, 3, 4
    module = opened(name)
    random = np.random.default_rng(3)
    order = np.stack([random.permutation(cells * cells) for _ in range(trajectories)])
    starts, new = torch.rand(trajectories, 3, size, size), torch.rand(trajectories, 16, 3, 16, 16)

    def at(numbers: np.ndarray, step: int) -> Patches:
        y, x = order[numbers, step] // cells * 16, order[numbers, step] % cells * 16
        return Patches(np.stack([y, y + 16, x, x + 16], axis=1), new[torch.from_numpy(numbers), step])

    network = IncrementalNetwork.build(module, starts[:1])
    before, done = starts.clone(), []
    found = walk(network, starts, 16, at, side_by_side=side_by_side, advance=done.append)
    assert torch.equal(starts, before)
    assert sum(done) == trajectories * 17
    rows = starts.clone()
    with torch.no_grad():
        points = [module(rows)]
        for step in range(16):
            points.append(module(patched(rows, at(np.arange(trajectories), step), np.arange(trajectories))))
    wanted = torch.stack(points, dim=1)
    assert found.shape == wanted.shape
    assert float((found - wanted).abs().max()) <= 1e-5 * float(wanted.abs().max())


def test_that_whole_inference_walks_as_well() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(48, 2)).eval()
    starts = torch.rand(2, 3, 4, 4)
    patches = Patches(np.array([[0, 2, 0, 2], [2, 4, 1, 3]]), torch.ones(2, 3, 2, 2))
    network = IncrementalNetwork.build(module, starts[:1])
    found = walk(network, starts, 1, lambda numbers, step: patches)
    with torch.no_grad():
        torch.testing.assert_close(found[:, 0], module(starts))
        torch.testing.assert_close(found[:, 1], module(patched(starts.clone(), patches, np.arange(2))))


def test_that_memory_of_a_base_is_known_before() -> None:
    module, x = opened("resnet18"), torch.rand(3, 3, 64, 64)
    network = IncrementalNetwork.build(module, x[:1])
    assert network.keep(x).bytes == 3 * network.bytes_per_base()
