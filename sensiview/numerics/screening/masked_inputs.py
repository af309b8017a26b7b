"""Images and volumes with parts masked: their pixels become 0, the lumped value of nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from sensiview.errors import UserError
from sensiview.models.readout import as_columns
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.results import Patches
from sensiview.numerics.incremental.trajectories import walk
from sensiview.numerics.map_space import MapInputs, Space
from sensiview.numerics.screening.changed_inputs import Bools, ChangedInputs
from sensiview.numerics.screening.designs import Ints
from sensiview.numerics.screening.part_boxes import PartBoxes
from sensiview.numerics.screening.partition import Division
from sensiview.numerics.screening.scaled_inputs import ScaledInput

# Boxes around parts may cover the image this many times before whole inference is the quicker way.
_MOST_OVERLAP = 3.0


class MaskedInputs(ChangedInputs):
    """Images or volumes cut into parts, of which some are masked.

    Masking is done to the values as the data have them, before the network's own scaling of values; outside the parts
    nothing changes. Parts of images are masked one after the other by exact incremental inference where the network
    allows it: consecutive inputs differ in one part.

    Parameters
    ----------
    inputs : MapInputs
    divisions : callable
        Gets the place of an input in the data set, returns its parts.
    batches, advance
        See `ChangedInputs`.
    warn : callable
    """

    def __init__(
        self,
        inputs: MapInputs,
        divisions: Callable[[int], Division],
        batches: CarefulBatches,
        advance: Callable[[int], None],
        warn: Callable[[str], None],
    ) -> None:
        super().__init__(inputs.network, batches, advance)
        self._inputs, self._divisions, self._warn = inputs, divisions, warn
        self._read = inputs.reader(warn)
        self._now: tuple[int, ScaledInput] | None = None
        self._windows: IncrementalNetwork | None = None
        self._built = False

    def own(self, index: int) -> Tensor:
        """Return what the network gives for the untouched input."""
        scaled = self._scaled(index)
        with self.network.measuring():
            output = scaled.space.forward(scaled.row.clone(), scaled.row)
        self.advance(1)
        return output

    def changeable(self, index: int) -> Bools:
        """Return which parts have a pixel that is not 0."""
        scaled = self._scaled(index)
        labels = np.broadcast_to(scaled.division.labels, scaled.row.shape[1:])
        some = (scaled.row[0] != 0).cpu().numpy() & (labels >= 0)
        return np.bincount(labels[some], minlength=scaled.parts) > 0

    def prepared(self, index: int) -> Tensor:
        """Return what the module takes for the untouched input."""
        scaled = self._scaled(index)
        return scaled.space.prepared(scaled.row.clone(), scaled.row)

    def rows_forward(self, index: int, changed: Bools, draw: Ints) -> Tensor:
        """Return what the network gives with parts masked."""
        with self.network.measuring():
            return self._scaled(index).forward(np.where(changed, 0.0, 1.0))

    def along(self, index: int, orders: Ints) -> Tensor:
        """Mask parts one after the other, by windows where that is possible; see `ChangedInputs.along`."""
        scaled = self._scaled(index)
        network = self._incremental(scaled)
        boxes = PartBoxes(scaled.row, scaled.division) if network is not None else None
        if (
            network is None
            or boxes is None
            or boxes.area() * scaled.parts > _MOST_OVERLAP * np.prod(scaled.space.shape)
        ):
            return super().along(index, orders)
        count, draws, steps = orders.shape
        flat = orders.reshape(-1, steps)
        scales = np.ones((len(flat), scaled.parts))

        def patches_at(numbers: Ints, step: int) -> Patches:
            parts = flat[numbers, step]
            scales[numbers, parts] = 0.0
            windows, values = boxes.patches(parts, scaled.everywhere(scales[numbers]))
            return Patches(windows, scaled.space.prepared(values))

        with self.network.measuring():
            starts = scaled.space.prepared(scaled.row).repeat(len(flat), 1, 1, 1)
            side_by_side = self.batches.size if self.batches.given else None
            found = walk(
                network, starts, steps, patches_at, side_by_side=side_by_side, advance=self.advance, warn=self._warn
            )
        rows = as_columns(found[:, 1:].flatten(0, 1), len(flat) * steps, f"The network '{self.network.card.name}'")
        return rows.reshape(count, draws, steps, *rows.shape[1:])

    def _scaled(self, index: int) -> ScaledInput:
        if self._now is None or self._now[0] != index:
            row, space = self._read([index])
            self._now = index, _on_grid(space, row, self._divisions(index), self._inputs, index)
        return self._now[1]

    def _incremental(self, scaled: ScaledInput) -> IncrementalNetwork | None:
        """Return what computes windows alone; None for volumes, for parts that are channels, and where it can't."""
        if len(scaled.space.shape) != 2 or len(scaled.division.labels) != 1:
            return None
        if not self._built:
            self._built = True
            network = IncrementalNetwork.build(self.network.module, scaled.space.prepared(scaled.row))
            self.sentence = network.describe()
            self._windows = network if isinstance(network, IncrementalNetwork) else None
        return self._windows


def _on_grid(space: Space, row: Tensor, division: Division, inputs: MapInputs, index: int) -> ScaledInput:
    seen, own = tuple(row.shape[1:]), division.labels.shape
    if len(seen) != len(own) or any(part not in (1, whole) for part, whole in zip(own, seen, strict=True)):
        raise UserError(
            f"The parts of '{inputs.names[index]}' lie on {_size(own)} places, the network sees {_size(seen)} of it "
            "now. The preprocessing has changed since the screening: run it again."
        )
    return ScaledInput(space, row, division)


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape[1:]))


def division_of(labels: np.ndarray[tuple[int, ...], np.dtype[np.generic]], names: Sequence[str]) -> Division:
    """Return parts from their numbers as results hold them: from 1, 0 outside all; (*shape) or (channels, 1, ...)."""
    numbers = np.ascontiguousarray(np.round(np.asarray(labels, dtype=np.float64)), dtype=np.int32) - 1
    return Division(numbers, tuple(names))
