"""Windows with rows last in memory are the windows that lie otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sensiview.numerics.incremental import operations, winograd
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.geometry import Offset, Span
from sensiview.numerics.incremental.placing import Place, gathered, joined, placed, rows_last
from sensiview.numerics.incremental.results import Patches


def turned(windows: Tensor) -> Tensor:
    """Return the same windows with rows and channels last in memory."""
    return windows.permute(2, 3, 0, 1).contiguous().permute(2, 3, 0, 1)


@pytest.mark.parametrize("starts", [[2, 2, 2], [0, 1, 3], [-1, -1, -1], [-1, 0, 4], [4, 4, 4]])
def test_that_windows_are_placed_alike_however_they_lie_in_memory(starts: list[int]) -> None:
    change = torch.randn(3, 5, 3, 2)
    y, x = Offset(np.array(starts), 6), Offset(np.array([1, 1, 1]), 4)
    wanted = torch.zeros(3, 5, 6, 4)
    for row, start in enumerate(starts):
        for i in range(3):
            if 0 <= start + i < 6:
                wanted[row, :, start + i, 1:3] = change[row, :, i]
    plain, last = placed(change.contiguous(memory_format=torch.channels_last), y, x), placed(turned(change), y, x)
    assert torch.equal(plain, wanted)
    assert torch.equal(last, wanted)
    assert rows_last(last)
    assert not rows_last(plain)


def test_that_windows_of_kept_maps_come_in_either_order() -> None:
    kept = torch.randn(2, 7, 6, 4)
    place = Place(Span(3, np.array([0, 2, 4])), Span(2, np.array([4, 0, 1])))
    bases = np.array([1, 0, 1])
    one, other = gathered(kept, bases, place), gathered(kept, bases, place, rows_last=True)
    assert torch.equal(one, other)
    assert rows_last(other)


def test_that_parts_are_joined_as_they_lie() -> None:
    parts = [torch.randn(2, 3, 4, 5), torch.randn(4, 3, 4, 5)]
    assert torch.equal(joined([turned(part) for part in parts]), torch.cat(parts))
    assert rows_last(joined([turned(part) for part in parts]))
    assert torch.equal(joined(parts), torch.cat(parts))


POOLS = {
    "halves": nn.MaxPool2d(2),
    "overlapping": nn.MaxPool2d(3, 2, 1),
    "dilated": nn.MaxPool2d(2, 1, dilation=2),
    "ceiled": nn.MaxPool2d(3, 2, ceil_mode=True),
    "uneven": nn.MaxPool2d((2, 3), (1, 2), (0, 1)),
}


@pytest.mark.parametrize("tangent", [False, True])
@pytest.mark.parametrize("pool", POOLS)
def test_that_everything_behind_fewer_products_sees_what_whole_inference_gives(
    pool: str, tangent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(4)
    module = nn.Sequential(
        *(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), POOLS[pool], nn.Conv2d(6, 5, 3, padding=1), nn.GELU()),
        *(nn.ConstantPad2d((1, 0, 2, -1), 0.0), nn.Conv2d(5, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 1), nn.ReLU()),
    )
    module = module.double().eval()
    x = torch.rand(1, 3, 14, 13, dtype=torch.float64)
    # However few channels there are.
    monkeypatch.setattr(winograd, "cost", lambda *_: 0.0)
    seen: list[bool] = []
    plain = operations.Pointwise.change
    monkeypatch.setattr(
        operations.Pointwise,
        "change",
        lambda self, frame, changes: seen.append(rows_last(changes[0])) or plain(self, frame, changes),
    )
    network = IncrementalNetwork.build(module, x)
    layers = [str(i) for i in range(len(module))]
    y, across = np.divmod(np.arange(14 * 13), 13)
    windows = np.stack([y, y + 1, across, across + 1], axis=1)
    values = x[0][:, y, across].T[:, :, None, None] + 0.3
    base = network.keep(x, layers, outputs=False)
    found = network.evaluate(base, Patches(windows, values), norms=layers, outputs=False, tangent=tangent).norms
    assert any(seen)
    before = x.repeat(len(windows), 1, 1, 1)
    after = before.clone()
    after[torch.arange(len(after)), :, y, across] += 0.3
    change = after - before
    with torch.no_grad():
        for name, layer in zip(layers, module, strict=True):
            if tangent:
                before, change = torch.func.jvp(layer, (before,), (change,))
            else:
                before, after = layer(before), layer(after)
                change = after - before
            wanted = change.flatten(1).norm(dim=1).numpy()
            np.testing.assert_allclose(found[name], wanted, rtol=1e-9, atol=1e-9)
