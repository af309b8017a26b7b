"""Networks with random weights: what changes, what does not, in which order."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sensiview.models.network import Network, network_from_module
from sensiview.numerics.randomisation import RandomisedCopy, stages, weighted_layers


class Crooked(nn.Module):
    """Layers are called in another order than they are written down; one is never called, one twice."""

    def __init__(self) -> None:
        super().__init__()
        self.last, self.idle = nn.Linear(3, 2), nn.Linear(3, 3)
        self.first, self.twice, self.norm = nn.Linear(4, 3), nn.Linear(3, 3), nn.BatchNorm1d(3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.twice(self.first(x))
        return self.last(self.twice(self.norm(x)).relu())


def network() -> Network:
    torch.manual_seed(2)
    return network_from_module(Crooked(), sample=torch.rand(2, 4).numpy(), device="cpu")


def test_that_layers_come_from_output_to_input_as_they_are_called() -> None:
    module = Crooked().eval()
    assert weighted_layers(module, torch.rand(1, 4)) == ["last", "twice", "norm", "first"]
    assert not any(part._forward_hooks for part in module.modules())


def test_that_many_layers_are_put_into_groups_of_neighbours() -> None:
    assert stages(["a", "b", "c"], 10) == [["a"], ["b"], ["c"]]
    assert stages(list("abcdefg"), 3) == [["a", "b", "c"], ["d", "e"], ["f", "g"]]


def test_that_one_layer_changes_at_a_time_and_the_network_given_never() -> None:
    given = network()
    before = {name: tensor.clone() for name, tensor in given.module.state_dict().items()}
    other = RandomisedCopy(given, seed=1)
    other.randomise("last")
    changed = {
        name for name, tensor in other.network.module.state_dict().items() if not torch.equal(tensor, before[name])
    }
    assert changed <= {"last.weight", "last.bias"}
    assert "last.weight" in changed
    other.restore()
    assert all(torch.equal(tensor, before[name]) for name, tensor in other.network.module.state_dict().items())
    assert all(torch.equal(tensor, before[name]) for name, tensor in given.module.state_dict().items())


def test_that_the_same_seed_gives_the_same_weights_in_any_order() -> None:
    one, other = RandomisedCopy(network(), seed=3), RandomisedCopy(network(), seed=3)
    for layer in ("last", "twice"):
        one.randomise(layer)
    torch.manual_seed(99)
    for layer in ("twice", "last"):
        other.randomise(layer)
    for mine, its in zip(
        one.network.module.state_dict().values(), other.network.module.state_dict().values(), strict=True
    ):
        assert torch.equal(mine, its)


def test_that_the_size_of_weights_stays_and_vectors_are_only_shuffled() -> None:
    module = nn.Sequential(nn.Linear(200, 300), nn.BatchNorm1d(300))
    with torch.no_grad():
        module[0].weight.normal_(2.0, 0.5)
        module[1].running_mean.copy_(torch.arange(300.0))
        module[1].weight.copy_(torch.arange(300.0))
    other = RandomisedCopy(network_from_module(module, device="cpu"), seed=1)
    for layer in ("0", "1"):
        other.randomise(layer)
    weight = other.network.module[0].weight.detach()
    assert abs(float(weight.mean()) - 2.0) < 0.02
    assert abs(float(weight.std()) - 0.5) < 0.02
    norm = other.network.module[1]
    assert not torch.equal(norm.weight, module[1].weight)
    assert torch.equal(norm.weight.sort().values, torch.arange(300.0))
    # A channel keeps its statistics together.
    assert torch.equal(norm.weight, norm.running_mean)
