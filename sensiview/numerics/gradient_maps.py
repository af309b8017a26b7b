"""Maps from gradients: of a score with respect to a layer (Grad-CAM) and to the input (saliency). Any number of axes.

Everything here takes tensors with the rows first, (n, channels, ...) with one, two or three spatial axes, and must run
inside `VolumeInputs.differentiating` or its like: eval mode, weights frozen, gradients on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.readout import as_columns
from sensiview.models.shared_layers import layers_apart
from sensiview.numerics.map_layers import MapForm

Weighting = Literal["grad_cam", "grad_cam_plus_plus"]
_NOTHING = 1e-12


class LayerLeaf:
    """A forward hook that makes what a layer gives the start of the graph, and keeps it.

    Nothing below the layer is remembered for the backward pass, so that memory is that of the part above it. What
    follows gets a copy: an in-place ReLU can't overwrite what is kept. A layer that is called several times in one
    pass is looked at where it is called last.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.value: Any = None
        self.calls = 0

    def __call__(self, _module: nn.Module, _inputs: Any, output: Any) -> Tensor | None:
        """Keep `output` and hand a copy on; what torch calls after the layer."""
        self.calls += 1
        if not isinstance(output, Tensor) or not output.is_floating_point():
            self.value = output
            return None
        leaf = output.detach().requires_grad_(True)
        self.value = leaf
        return leaf.clone()

    def take(self, n_rows: int) -> Tensor:
        """Return the layer's output, (n, channels, ...).

        Raises
        ------
        ModelError
            It was not called, or does not give a map.
        """
        if self.calls == 0:
            raise ModelError(f"The layer '{self.name}' is not called when the network computes. Choose another layer.")
        if not isinstance(self.value, Tensor):
            raise ModelError(
                f"The layer '{self.name}' gives a {type(self.value).__name__}, not one tensor of numbers. Choose a "
                "layer before or behind it."
            )
        value = as_columns(self.value, n_rows, f"The layer '{self.name}'")
        if value.ndim < 3:
            raise ModelError(
                f"The layer '{self.name}' gives {tuple(value.shape[1:])} per input, not a map with places in it. "
                "Choose a convolutional layer."
            )
        return value


@contextmanager
def leaf_at(module: nn.Module, name: str) -> Iterator[LayerLeaf]:
    """Hook a layer as `LayerLeaf`; the hook comes off at the end, also after an error.

    Of a layer that the network uses under several names, the place of this name is looked at.
    """
    leaf = LayerLeaf(name)
    with layers_apart(module):
        handle = module.get_submodule(name).register_forward_hook(leaf)
        try:
            yield leaf
        finally:
            handle.remove()
            leaf.value = None


def as_map(value: Tensor, form: MapForm | None) -> Tensor:
    """Return what a layer gives, (n, ...), as (n, channels, ...), read as `form` says; None takes it as it is.

    Raises
    ------
    ModelError
        There are other numbers of tokens than the form says.
    """
    if form is None or form.kind == "map":
        return value
    if form.kind == "channels_last":
        return value.movedim(-1, 1)
    patches = value[:, form.skipped :]
    cells = math.prod(form.space)
    if patches.shape[1] != cells:
        raise ModelError(
            f"The layer gives {value.shape[1]:,} tokens for this input and gave {form.skipped + cells:,} "
            "when the network was added, so they can't be laid out as a map. Give inputs of the size it was added with."
        )
    return patches.movedim(-1, 1).reshape(len(value), -1, *form.space)


def layer_cams(
    leaf: Tensor, scores: Tensor, layer: str, weighting: Weighting = "grad_cam", form: MapForm | None = None
) -> Tensor:
    """Return the class activation maps of a layer before any cut, (n, targets, ...).

    Parameters
    ----------
    leaf : Tensor
        (n, ...): what the layer gave, with the graph of `scores` beginning at it.
    scores : Tensor
        (n, targets).
    layer : str
        Its name, for messages.
    weighting : str
        ``grad_cam``: a channel weighs the mean of its gradient over *all* spatial axes (Selvaraju et al. 2017, eq. 1).
        ``grad_cam_plus_plus``: the weighted mean of its positive gradients (Chattopadhyay et al. 2018, eq. 10 and 19).
    form : MapForm, optional
        How it is read as (n, channels, ...), which it is when left out.

    Raises
    ------
    ModelError
        The score does not depend on the layer by any path that has a gradient.
    """
    active = as_map(leaf.detach(), form)
    space = tuple(range(2, active.ndim))
    maps = []
    for target in range(scores.shape[1]):
        gradient = as_map(_gradient(scores, target, leaf, f"the layer '{layer}'"), form)
        if weighting == "grad_cam":
            weights = gradient.mean(dim=space, keepdim=True)
        else:
            total = active.sum(dim=space, keepdim=True)
            below = 2 * gradient**2 + total * gradient**3
            alpha = torch.where(below.abs() > _NOTHING, gradient**2 / torch.where(below == 0, 1.0, below), 0.0)
            weights = (alpha * gradient.clamp(min=0)).sum(dim=space, keepdim=True)
        maps.append((weights * active).sum(dim=1))
    return torch.stack(maps, dim=1)


def cut(values: Tensor, *, relu: bool, absolute: bool) -> Tensor:
    """Return maps with negative values set to 0 (`relu`), without their sign (`absolute`), or as they are."""
    if absolute:
        return values.abs()
    return values.clamp(min=0) if relu else values


def input_gradients(score: Callable[[Tensor], Tensor], rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient of every score with respect to every number of the rows, and the scores.

    Parameters
    ----------
    score : callable
        Rows (n, channels, ...) to scores (n, targets), differentiable; a row's scores depend on that row alone.
    rows : Tensor
        (n, channels, ...).

    Returns
    -------
    tuple of Tensor
        (n, targets, channels, ...) and (n, targets), without graph.

    Raises
    ------
    ModelError
        The score has no gradient with respect to the input.
    """
    leaf = rows.detach().clone().requires_grad_(True)
    # A copy: an in-place first layer may not write into what the gradient is taken of.
    scores = score(leaf.clone())
    found = [_gradient(scores, target, leaf, "the input") for target in range(scores.shape[1])]
    return torch.stack(found, dim=1), scores.detach()


def _gradient(scores: Tensor, target: int, leaf: Tensor, what: str) -> Tensor:
    last = target == scores.shape[1] - 1
    if scores.requires_grad:
        (found,) = torch.autograd.grad(scores[:, target].sum(), leaf, retain_graph=not last, allow_unused=True)
        if found is not None:
            return found.detach()
    raise ModelError(
        f"The score has no gradient with respect to {what}: no path leads from there to the output, or the network "
        "cuts it (detach, no_grad, argmax). Choose another layer, or occlusion, which needs no gradient."
    )
