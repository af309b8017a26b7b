"""Starting from a trained network: its weights in a new one, its last layer drawn anew, the others kept as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from sensiview.errors import ModelError


@dataclass(frozen=True)
class Start:
    """A trained network to start from.

    Parameters
    ----------
    state : mapping
        Its weights, under the names of the architecture's layers.
    name : str
        What it is called, for messages.
    same_classes : bool
        Whether it tells the same classes apart, in the same order: then its last layer is kept too.
    """

    state: Mapping[str, Tensor]
    name: str
    same_classes: bool


def last_layer(module: nn.Module) -> str:
    """Return the name of the last layer that has weights, in the order in which the network defines them.

    Raises
    ------
    ModelError
        There is none.
    """
    names: list[str] = [
        name for name, part in module.named_modules() if next(part.parameters(recurse=False), None) is not None
    ]
    if not names:
        raise ModelError("This network has no layers with weights, so there is nothing to train.")
    return names[-1]


def take_weights(module: nn.Module, start: Start) -> list[str]:
    """Put the weights of a trained network into a fresh one of the same architecture; return sentences.

    Weights whose shape differs (for other classes, side outputs) stay as they were drawn.

    Raises
    ------
    ModelError
        Other layers than the last differ.
    """
    own = module.state_dict()
    head = last_layer(module) + "."
    fitting = {
        key: value
        for key, value in start.state.items()
        if key in own and own[key].shape == value.shape and (start.same_classes or not key.startswith(head))
    }
    left = [key for key in own if key not in fitting and not key.endswith("num_batches_tracked")]
    others = [
        key
        for key in left
        if not key.startswith(head) and own[key].shape != getattr(start.state.get(key), "shape", None)
    ]
    side = [key for key in others if key.startswith(("aux", "Aux"))]
    if len(others) > len(side):
        raise ModelError(
            f"The weights of '{start.name}' do not fit this network: '{next(k for k in others if k not in side)}' has "
            "another shape. Keep the colours, the size and the options that it was trained with."
        )
    module.load_state_dict({**own, **fitting})
    drawn = sorted({key.rpartition(".")[0] for key in left})
    said = f"Starts from the weights of '{start.name}'"
    return [f"{said}; {', '.join(drawn)} {'is' if len(drawn) == 1 else 'are'} drawn anew." if drawn else f"{said}."]


def freeze_all_but(module: nn.Module, layer: str) -> None:
    """Let only the weights of one layer be trained."""
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name.startswith(f"{layer}."))
