"""Does a mask that was found for one network work for another? The probability that is left, network by network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from sensiview.models.outputs import Target
from sensiview.numerics.mask_rows import MaskRows
from sensiview.numerics.volume_inputs import VolumeInputs

Floats = npt.NDArray[np.float64]


def remaining_probability(
    inputs: VolumeInputs,
    rows: MaskRows,
    targets: Sequence[Target],
    masks: Sequence[Floats],
    *,
    batch_size: int,
    on_batch: Callable[[int], None] = lambda done: None,
) -> float:
    """Return the mean over inputs of the probability of each one's target for the masked input.

    The masked input is ``m X + (1 - m) F`` in float64, as printed, and rounded once to what the network computes in;
    the mean is float64 too.

    Parameters
    ----------
    inputs : VolumeInputs
    rows : MaskRows
        The inputs, and what fills them.
    targets : sequence of Target
        One per input.
    masks : sequence of ndarray
        (i, j, k), one per input or one for all; 1 keeps the input.
    batch_size : int
    on_batch : callable
        Called with the number of inputs after every pass; may raise to stop.
    """
    n = len(targets)
    total = 0.0
    with inputs.network.measuring():
        for begin in range(0, n, batch_size):
            places = list(range(begin, min(begin + batch_size, n)))
            own, fill = rows.batch(places)
            chosen = masks if len(masks) == 1 else [masks[place] for place in places]
            # An Apple GPU has no float64.
            wide = torch.float32 if own.device.type == "mps" else torch.float64
            kept = torch.from_numpy(np.stack(chosen)).to(own.device, wide)[:, None]
            masked = kept * own.to(wide) + (1 - kept) * fill.to(wide)
            output = inputs.forward(masked.to(inputs.network.dtype), rows.grid, like=own.to(inputs.network.dtype))
            found = inputs.scores(output.to(wide), [targets[place] for place in places], "probability")
            total += float(found.sum().cpu())
            on_batch(len(places))
    return total / n
