"""Occlusion: windows or atlas regions of volumes and images replaced one by one, in batches, resumable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.outputs import Target
from sensiview.numerics.map_makers import FoundMaps, MapWork, predictions
from sensiview.numerics.map_space import Space
from sensiview.numerics.occlusion_inference import AT_ONCE, WindowInference
from sensiview.numerics.occlusion_windows import Patches, Windows, perturbed
from sensiview.numerics.replacement import Replacement
from sensiview.numerics.window_sizes import Sizes, Unit, window_sizes

# Numbers of patches to the output of the network with each of them replaced, (k, outputs).
OutputOf = Callable[[Sequence[int]], Tensor]


@dataclass
class OcclusionMemory:
    """Scores that are computed already, by place of the input in the data set: what a checkpoint keeps.

    Parameters
    ----------
    scores : dict
        float64 (patches, targets), NaN where not computed yet.
    keep : callable
        Called after each batch.
    inference : WindowInference or None
        How windows are computed, found with the first input; of one network with the weights it has.
    """

    scores: dict[int, NDArray[np.float64]] = field(default_factory=dict)
    keep: Callable[[], None] = lambda: None
    inference: WindowInference | None = None

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return plain arrays by name."""
        return {f"scores_{index}": values for index, values in self.scores.items()}

    def restore(self, arrays: Mapping[str, NDArray[np.float64]]) -> None:
        """Take back what `arrays` gave."""
        self.scores = {int(name.removeprefix("scores_")): np.array(values) for name, values in arrays.items()}

    def of(self, index: int, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return the scores of one input, to be filled in."""
        if index not in self.scores or self.scores[index].shape != shape:
            self.scores[index] = np.full(shape, np.nan)
        return self.scores[index]


@dataclass(frozen=True, eq=False)
class OcclusionMaker:
    """The fall of a score when a part of the volume is replaced, drawn where that part was.

    Windows that overlap are averaged (Zeiler and Fergus 2014, as Captum computes it).

    Parameters
    ----------
    patches : Patches
        On the inputs' grid.
    replacement : Replacement
        What is put in.
    memory : OcclusionMemory
        Where scores are kept.
    """

    gradient: ClassVar[bool] = False

    patches: Patches
    replacement: Replacement
    memory: OcclusionMemory = field(default_factory=OcclusionMemory)

    @property
    def signed(self) -> bool:
        """A part may also speak against the class."""
        return True

    def evaluations(self, shape: Sequence[int]) -> int:
        """One per patch, and one for the input as it is."""
        return len(self.patches) + 1

    def together(self, size: int) -> int:
        """One input, with a batch of its patches."""
        return 1

    def make(self, work: MapWork, indices: Sequence[int], rows: Tensor, space: Space) -> FoundMaps:
        """Return the maps; each batch advances."""
        inputs, scorer = work.scorer.inputs, work.scorer
        with inputs.network.measuring():
            output = space.forward(rows.clone(), rows)
            chosen = scorer.choose(indices, output)
            probability = scorer.probabilities(output, chosen)
            whole = scorer.matrix(output, chosen).to(device="cpu", dtype=torch.float64).numpy()
            work.advance(len(rows))
            drops = np.empty((len(rows), len(self.patches), scorer.count))
            for place, index in enumerate(indices):
                base = rows[place : place + 1]
                scores = self._scores(work, index, base, space, chosen[place])
                drops[place] = whole[place] - scores
        values = np.stack([self.patches.spread(one) for one in drops]).astype(np.float32)
        return FoundMaps(tuple(indices), values, probability, chosen, predictions(scorer, output), drops)

    def _scores(
        self, work: MapWork, index: int, base: Tensor, space: Space, chosen: tuple[Target, ...]
    ) -> NDArray[np.float64]:
        scorer = work.scorer
        scores = self.memory.of(index, (len(self.patches), scorer.count))
        left = np.flatnonzero(np.isnan(scores).any(axis=1))
        if not left.size:
            return scores
        fill = self.replacement.of(base, space)
        output_of = self._windows(work, base, fill, space) or self._whole(base, fill, space)

        def batch(numbers: Sequence[int]) -> None:
            found = scorer.matrix(output_of(numbers), [chosen] * len(numbers))
            scores[list(numbers)] = found.detach().to(device="cpu", dtype=torch.float64).numpy()
            self.memory.keep()
            work.advance(len(numbers))

        work.batches.run([int(number) for number in left], batch)
        return scores

    def _windows(self, work: MapWork, base: Tensor, fill: Tensor, space: Space) -> OutputOf | None:
        """Return what computes only what a window reaches; None where the network does not allow it."""
        if not isinstance(self.patches, Windows):
            return None
        if self.memory.inference is None:
            self.memory.inference = WindowInference(work.scorer.inputs.network, space, base)
        inference = self.memory.inference
        if not inference.possible:
            return None
        if not work.batches.given:
            work.batches.size = AT_ONCE
        return inference.on(base, fill, self.patches, lambda: work.advance(0), work.batches.warn)

    def _whole(self, base: Tensor, fill: Tensor, space: Space) -> OutputOf:
        # One tensor per size of batch: statistics taken from it are taken once.
        likes: dict[int, Tensor] = {}

        def outputs(numbers: Sequence[int]) -> Tensor:
            rows = perturbed(base, fill, self.patches, numbers)
            return space.forward(rows, likes.setdefault(len(rows), base.expand_as(rows)))

        return outputs


def windows_on(space: Space, window: Sizes, stride: Sizes, unit: Unit) -> Windows:
    """Return windows on a grid; a stride of 0 is half a window.

    Those of volumes don't depend on the order in which a file stores its voxels.

    Raises
    ------
    UserError
        The window is larger than the input, or the steps leave gaps.
    """
    sizes = window_sizes(space.shape, space.spacing, window, stride, unit)
    return Windows(space.shape, *sizes, mirrored=len(space.shape) == 3)
