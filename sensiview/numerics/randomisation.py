"""Networks with random weights, layer by layer: what a map must not survive (Adebayo et al., NeurIPS 2018)."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.batching import compute
from sensiview.models.network import Network


def weighted_layers(module: nn.Module, rows: Tensor) -> list[str]:
    """Return the layers with weights of their own, from the output back to the input.

    The order is that in which they are called, not that in which they are written down; layers that are never called
    are left out, and one that is called several times stands where it is called last.

    Parameters
    ----------
    module : nn.Module
        Called once; use it inside `Network.measuring`.
    rows : Tensor
        One prepared input, (1, *input_shape).

    Raises
    ------
    ModelError
        The network can't compute on it.
    """
    called: list[str] = []

    def note(name: str) -> None:
        if name in called:
            called.remove(name)
        called.append(name)

    handles = [
        part.register_forward_hook(lambda *_, name=name: note(name))
        for name, part in module.named_modules()
        if name and any(True for _ in part.parameters(recurse=False))
    ]
    try:
        compute(module, rows, type(module).__name__)
    finally:
        for handle in handles:
            handle.remove()
    return called[::-1]


def stages(layers: Sequence[str], most: int) -> list[list[str]]:
    """Return layers in at most `most` groups of neighbours, as equal as possible, for networks of many layers."""
    return [[str(name) for name in group] for group in np.array_split(np.array(layers), min(most, len(layers)))]


class RandomisedCopy:
    """A deep copy of a network whose layers get random weights one after the other.

    A tensor of weights is drawn anew from a normal distribution with its own mean and standard deviation; vectors
    (biases, the parameters and statistics of a batch norm) are shuffled, the same way within a layer. So the sizes of
    the activations stay what they are, and what is lost is what was learnt: freshly initialised weights would often
    give a dead network, and a map of zeros is no comparison.

    Parameters
    ----------
    network : Network
        Not touched.
    seed : int

    Raises
    ------
    ModelError
        It can't be copied.
    """

    def __init__(self, network: Network, seed: int) -> None:
        try:
            module = copy.deepcopy(network.module)
        except Exception as error:
            raise ModelError(
                f"The network '{network.card.name}' can't be copied, so its weights can't be randomised. Switch the "
                "randomisation off.",
                details=f"{type(error).__name__}: {error}",
            ) from error
        self.network = Network(module, network.card, network.device)
        self._learnt = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        self._seed = seed

    def randomise(self, layer: str) -> None:
        """Give one layer random weights; the same seed gives the same ones, whatever was randomised before."""
        part = self.network.module.get_submodule(layer)
        words = np.random.SeedSequence([self._seed, *layer.encode()]).generate_state(1)
        generator = torch.Generator().manual_seed(int(words[0]))
        tensors = [*part.parameters(recurse=False), *part.buffers(recurse=False)]
        orders: dict[int, Tensor] = {}
        with torch.no_grad():
            for tensor in tensors:
                if not tensor.is_floating_point() or tensor.numel() < 2:
                    continue
                if tensor.ndim >= 2:
                    noise = torch.randn(tensor.shape, generator=generator).to(tensor)
                    tensor.copy_(tensor.mean() + tensor.std() * noise)
                    continue
                n = tensor.numel()
                if n not in orders:
                    orders[n] = torch.randperm(n, generator=generator)
                tensor.copy_(tensor[orders[n].to(tensor.device)])

    def restore(self) -> None:
        """Put the learnt weights back."""
        with torch.no_grad():
            for name, tensor in self.network.module.state_dict().items():
                tensor.copy_(self._learnt[name])
