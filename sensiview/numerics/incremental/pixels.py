"""How much each pixel and channel of an image moves each block of a network: one sweep for all blocks.

A perturbed pixel reaches only its receptive field, so each of the perturbations is computed on windows that grow from
one pixel. Pixels whose windows do not meet could share one pass (Curtis, Powell and Reid 1974); on whole maps that
takes more arithmetic than the windows themselves, from the first block on, so there is no colouring here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import UserError
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.full_inference import FullInference
from sensiview.numerics.incremental.results import Patches

_AT_ONCE = 16_384


def pixel_sensitivity(
    network: IncrementalNetwork | FullInference,
    images: Tensor,
    layers: Sequence[str],
    steps: float | Tensor | None,
    *,
    advance: Callable[[int], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> dict[str, NDArray[np.float64]]:
    """Return S(i, j, c) = || B(x + d e_ijc) - B(x) || for every pixel, channel and layer B.

    Parameters
    ----------
    network : IncrementalNetwork or FullInference
    images : Tensor
        (n, channels, height, width), x as the network takes it.
    layers : sequence of str
        Dotted names of modules.
    steps : float, Tensor or None
        d: one for all, or (n, channels, height, width) or what expands to it. None: the derivative || dB / dx_ijc ||,
        the limit of S / |d| for small d, computed exactly.
    advance, warn : callable
        As for `IncrementalNetwork.evaluate`; there are channels x height x width rows per image.

    Returns
    -------
    dict
        Layer -> float64 (n, channels, height, width).

    Raises
    ------
    UserError
        No layer is named, there is no such layer, or the steps don't fit the images.

    References
    ----------
    Section 3 of the method's paper: sensitivity of the blocks of VGG-16 and ResNet-18 to pixels.
    """
    if not layers:
        raise UserError("Name at least one layer whose sensitivity is wanted.")
    found = {name: np.zeros(tuple(images.shape)) for name in layers}
    size = torch.as_tensor(1.0 if steps is None else steps, dtype=images.dtype, device=images.device)
    try:
        size = size.expand(images.shape)
    except RuntimeError:
        raise UserError(
            f"Steps of shape {tuple(size.shape)} don't fit images of shape {tuple(images.shape)}."
        ) from None
    for index, image in enumerate(images):
        base = network.keep(image[None], watch=layers, outputs=False)
        maps = {name: found[name][index].reshape(-1) for name in layers}
        for begin in range(0, image.numel(), _AT_ONCE):
            numbers = np.arange(begin, min(begin + _AT_ONCE, image.numel()))
            patches = _pixels(image, size[index], numbers)
            result = network.evaluate(
                base, patches, norms=layers, outputs=False, tangent=steps is None, advance=advance, warn=warn
            )
            for name in layers:
                maps[name][numbers] = result.norms[name]
    return found


def _pixels(image: Tensor, steps: Tensor, numbers: NDArray[np.int64]) -> Patches:
    """Return one patch per number of a pixel and channel in (channels, height, width) order."""
    channels, height, width = image.shape
    c, y, x = np.unravel_index(numbers, (channels, height, width))
    where = [torch.from_numpy(part).to(image.device) for part in (c, y, x)]
    values = image[:, where[1], where[2]].T.clone()
    values[torch.arange(len(numbers), device=image.device), where[0]] += steps[where[0], where[1], where[2]]
    windows = np.stack([y, y + 1, x, x + 1], axis=1)
    return Patches(windows, values[:, :, None, None])
