"""What is said of maximised inputs: what was done, and what is odd about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.activation_parameters import ActivationParameters

if TYPE_CHECKING:
    from sensiview.numerics.activation_ascent import Ascent

_NAMED = 4


def odd_sentences(labels: Sequence[str], ascent: Ascent) -> list[str]:
    """Return sentences on activations without gradient, and on gradients that are not finite."""
    found = []
    if ascent.flat.any():
        names = _some([labels[int(row)] for row in np.flatnonzero(ascent.flat)])
        found.append(
            f"The activation of {names} does not react to the picture at all: it has no gradient here, and only the "
            "regularisers moved the picture. Try another start."
        )
    if ascent.broken.any():
        names = _some([labels[int(row)] for row in np.flatnonzero(ascent.broken)])
        found.append(f"The gradient of {names} was not finite in some steps, which were left out. Use smaller steps.")
    return found


def sentences(labels: Sequence[str], ascent: Ascent, parameters: ActivationParameters) -> list[str]:
    """Return what was done, and which activation rose most."""
    trace, layer = ascent.trace, parameters.layer.strip()
    where = f"of the layer '{layer}'" if layer else "of classes, before the last softmax or sigmoid,"
    found = [
        f"{len(labels)} picture{'' if len(labels) == 1 else 's'} for activations {where} after {parameters.steps} "
        f"steps of {parameters.step_size:g} (total variation {parameters.tv_weight:g}, L2 {parameters.l2_weight:g})."
    ]
    rise = trace[:, -1, 1] - trace[:, 0, 1]
    if np.isfinite(rise).any():
        best = int(np.nanargmax(rise))
        found.append(
            f"The largest rise is that of {labels[best]}: from {trace[best, 0, 1]:.3g} to {trace[best, -1, 1]:.3g}."
        )
    if parameters.clamp == "authors":
        found.append("The normalised input was changed and kept in [0, 1], as published; pictures show that input.")
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
