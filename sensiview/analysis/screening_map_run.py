"""Opens images or volumes and their network for a screening: parts of the input are the factors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.map_run import MapRun
from sensiview.analysis.progress import Progress
from sensiview.analysis.screening_map_items import centres
from sensiview.analysis.screening_parameters import ScreeningParameters
from sensiview.analysis.study import Study
from sensiview.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from sensiview.models.outputs import Target
    from sensiview.numerics.map_space import Space
    from sensiview.numerics.scored_inputs import Score
    from sensiview.numerics.screening.designs import Blocks
    from sensiview.numerics.screening.partition import Division, Partition, PartitionOptions
    from sensiview.numerics.screening.scaled_inputs import ScaledInput
    from sensiview.numerics.screening.screened import FactorRanges, Screened

Floats = NDArray[np.float64]
_EMPTY = "Its values sum up to 0, so there is nothing to multiply; it has no effect."
# Inputs that are read at once when only their sums are wanted.
_TOGETHER = 16
# Boxes around parts may cover the input this many times before whole inference is the quicker way.
_MOST_OVERLAP = 3.0


@dataclass
class MapScreening:
    """Opened images or volumes, cut into parts as they come.

    Parameters
    ----------
    opened : MapRun
    partition : Partition
    options : PartitionOptions
    parameters : ScreeningParameters
    study : Study
    progress : Progress
    how : list of str
        How inputs were computed, for the record.
    """

    opened: MapRun
    partition: Partition
    options: PartitionOptions
    parameters: ScreeningParameters
    study: Study
    progress: Progress
    how: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        from sensiview.numerics.careful_batches import CarefulBatches
        from sensiview.numerics.screening.scores import ScoreReader

        network = self.opened.inputs.network
        self._reader = self.opened.inputs.reader(self.opened.warn)
        self._batches = CarefulBatches(
            network, self.parameters.rows_at_once(self.study), self.opened.warn, f"{self.opened.inputs.what}s"
        )
        self._incremental: Any = None
        self._scores: ScoreReader | None = None
        self._bounds: tuple[Floats, Floats] | None = None

    @property
    def global_scope(self) -> bool:
        """Whether all inputs are sampled between the same bounds."""
        dataset = self.study.dataset
        return dataset is not None and self.parameters.scope_for(dataset.kind) == "global"

    def inputs(self) -> Iterator[Screened]:
        """Yield each chosen input, ready to be screened.

        Raises
        ------
        UserError
            An input can't be cut, or its parts are not those of the others where they have to be.
        """
        if self.global_scope:
            self._bounds = self._common_bounds()
        for index in self.opened.indices:
            rows, space = self._reader([index])
            yield self._screened(index, rows, space)

    def _scaled(self, index: int, row: Tensor, space: Space) -> ScaledInput:
        from sensiview.numerics.screening.partition import Picture
        from sensiview.numerics.screening.scaled_inputs import ScaledInput

        regions = self.opened.regions
        values = row[0].detach().cpu().numpy()
        values.flags.writeable = False
        picture = Picture(
            self.opened.inputs.names[index],
            values,
            space.spacing,
            affine=regions.grid.affine if regions is not None else None,
            index=index,
            atlas=regions.labels if regions is not None else None,
            regions=regions.names if regions is not None else {},
        )
        return ScaledInput(space, row, self.partition.divide(picture, self.options))

    def _common_bounds(self) -> tuple[Floats, Floats]:
        """Return the smallest and the largest lumped value of each part over all inputs (C section 5)."""
        self.progress.stage("Ranges of the parts", len(self.opened.indices))
        low = high = np.zeros(0)
        names: tuple[str, ...] = ()
        for index in self.opened.indices:
            rows, space = self._reader([index])
            scaled = self._scaled(index, rows, space)
            if names and scaled.division.names != names:
                raise UserError(
                    f"The parts of '{self.opened.inputs.names[index]}' are not those of the inputs before it, so there "
                    "is no common range. Choose scope = local, or a partition whose parts are the same everywhere."
                )
            low = np.asarray(np.minimum(low, scaled.lumped) if names else scaled.lumped)
            high = np.asarray(np.maximum(high, scaled.lumped) if names else scaled.lumped)
            names = scaled.division.names
            self.progress.advance(1)
        return low, high

    def _screened(self, index: int, row: Tensor, space: Space) -> Screened:
        from sensiview.numerics.screening.screened import Screened

        scaled = self._scaled(index, row, space)
        ranges = self._ranges(scaled)
        with self.opened.inputs.network.measuring():
            output = space.forward(row, row)
            self.progress.advance(1)
        targets = self._score_reader(output.shape[1]).targets(index, output[0])
        assert self._scores is not None

        def evaluate(blocks: Blocks) -> NDArray[Any]:
            with self.opened.inputs.network.measuring():
                return self._evaluate(scaled, ranges, targets, blocks)

        picture = row.detach().cpu().numpy()
        name = self.opened.inputs.names[index]
        return Screened(str(index), name, ranges, self._scores.names, evaluate, scaled.division, picture)

    def _ranges(self, scaled: ScaledInput) -> FactorRanges:
        from sensiview.numerics.screening.screened import FactorRanges

        spread = self.parameters.spread
        if self._bounds is not None:
            low, high = self._bounds
            why = [
                "" if a < b else "It has the same sum in every input, so it has no range."
                for a, b in zip(low, high, strict=True)
            ]
        else:
            ends = np.stack([(1 - spread) * scaled.lumped, (1 + spread) * scaled.lumped])
            low, high = ends.min(axis=0), ends.max(axis=0)
            why = ["" if value else _EMPTY for value in scaled.lumped]
        places = scaled.places
        more = {"places": places, "share": places / max(1, int(np.prod(scaled.row.shape[2:])))}
        more |= centres(scaled.division, self.opened.layout)
        return FactorRanges(scaled.division.names, low, high, scaled.lumped, tuple(why), more)

    def _score_reader(self, outputs: int) -> Any:
        from sensiview.numerics.screening.scores import ScoreReader

        if self._scores is None:
            self._scores = ScoreReader(self.opened.inputs.scored, self.parameters.target, self._kind(), outputs)
        return self._scores

    def _kind(self) -> Score:
        from sensiview.numerics.volume_scores import resolved

        return resolved(self.parameters.map_score(), self.opened.card, gradient=True)

    def _evaluate(
        self, scaled: ScaledInput, ranges: FactorRanges, targets: tuple[Target, ...], blocks: Blocks
    ) -> NDArray[Any]:
        """Return the scores along some blocks of a design over the factors that vary."""
        from sensiview.numerics.screening.designs import Blocks as Design
        from sensiview.numerics.screening.scaled_inputs import WholeWalk, WindowWalk

        active = ranges.active
        numbers = np.flatnonzero(active)
        low, high = ranges.low, ranges.high

        def read(outputs: Tensor) -> NDArray[np.floating]:
            assert self._scores is not None
            return self._scores.matrix(outputs, targets)

        own = np.where(high > low, (scaled.lumped - low) / np.where(high > low, high - low, 1.0), 0.0)

        def whole(units: Floats) -> Floats:
            """Return points over the active factors as points over all; the others stay as they are."""
            found = np.broadcast_to(own, (*units.shape[:-1], len(own))).copy()
            found[..., numbers] = units
            return scaled.scales(found, low, high)

        network = self._windows(scaled)
        if network is not None:
            walk = WindowWalk(scaled, network, read, self.progress.advance, self.opened.warn)
            given = Design(blocks.starts, numbers[blocks.order], blocks.goals, blocks.chained)
            return walk(whole(blocks.starts), whole(blocks.goals), given)
        if not self._batches.size:
            prepared = scaled.space.prepared(scaled.row, scaled.row)
            self._batches.probe(
                prepared[:1], gradient=False, extra_bytes=2 * scaled.row.numel() * scaled.row.element_size()
            )
        points = whole(blocks.points())
        return WholeWalk(scaled.forward, self._batches, read, self.progress.advance)(points)

    def _windows(self, scaled: ScaledInput) -> Any:
        """Return the network that computes windows alone, None where inputs have to be computed whole."""
        from sensiview.numerics.incremental.engine import IncrementalNetwork

        if len(scaled.space.shape) != 2:
            self._say("Every input was computed whole: windows of a network for volumes can't be computed alone.")
            return None
        if scaled.division.labels.shape[0] != 1 or scaled.division.labels.shape[1:] != tuple(scaled.space.shape):
            self._say("Every input was computed whole: a part reaches over the whole image.")
            return None
        if overlap(scaled.division) > _MOST_OVERLAP:
            self._say("Every input was computed whole: the boxes around the parts overlap too much.")
            return None
        if self._incremental is None:
            prepared = scaled.space.prepared(scaled.row, scaled.row)
            self._incremental = IncrementalNetwork.build(self.opened.inputs.network.module, prepared)
        self._say(self._incremental.describe())
        return self._incremental if isinstance(self._incremental, IncrementalNetwork) else None

    def _say(self, sentence: str) -> None:
        if sentence not in self.how:
            self.how.append(sentence)


def overlap(division: Division) -> float:
    """Return how many times the boxes around the parts cover the parts."""
    from scipy import ndimage

    labels = division.labels[0] + 1
    boxes = ndimage.find_objects(labels)
    area = sum(int(np.prod([part.stop - part.start for part in box])) for box in boxes if box is not None)
    return area / max(1, int((labels > 0).sum()))
