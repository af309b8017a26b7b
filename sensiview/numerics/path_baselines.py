"""Where the ways of integrated gradients begin: black, blurred, the mean, random, or a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sensiview.numerics.map_makers import seeded
from sensiview.numerics.map_space import MapInputs, Space
from sensiview.numerics.path_maker import BaselinesOf
from sensiview.numerics.path_words import NOISE, parse_baseline
from sensiview.numerics.replacement import replacement


def baselines_of(
    baseline: float | str,
    *,
    samples: int,
    blur: float,
    controls: str | Sequence[int | str],
    inputs: MapInputs,
    like: int,
    seed: int,
    tick: Callable[[], None],
) -> tuple[BaselinesOf, int]:
    """Return what gives the baselines of an input, and how many.

    ``noise`` gives `samples` of them, every number even between the input's lowest and highest value (the uniform
    baseline of Sturmfels, Lundberg and Lee, Distill 2020); everything else gives one.

    Parameters
    ----------
    baseline, blur, controls
        As parameters have them; see `replacement`.
    samples : int
    inputs : MapInputs
    like : int
        Place of one of the inputs.
    seed : int
    tick : callable
        Called while controls are read.

    Raises
    ------
    UserError
        An unknown word, or controls that are not named.
    """
    if parse_baseline(baseline) != NOISE:
        rule = replacement(baseline, blur=blur, controls=controls, inputs=inputs, like=like, tick=tick)
        return (lambda row, index, space: rule.of(row, space)), 1

    def random(row: Tensor, index: int, space: Space) -> Tensor:
        low, high = float(row.min()), float(row.max())
        even = torch.rand((samples, *row.shape[1:]), generator=seeded(seed, index))
        return (low + (high - low) * even).to(row)

    return random, samples
