"""An image or volume whose parts are made stronger or weaker, and what a network says of it along a design."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models.readout import as_columns
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.results import Patches
from sensiview.numerics.incremental.trajectories import together, walk
from sensiview.numerics.map_space import Space
from sensiview.numerics.screening.designs import Blocks, Floats, Ints
from sensiview.numerics.screening.part_boxes import PartBoxes
from sensiview.numerics.screening.partition import Division

# What is read of the network's outputs, (n, outputs) -> float (n, scores).
Read: TypeAlias = "Callable[[Tensor], NDArray[np.floating]]"
# Rows of a star that are put through windows at once.
_AT_ONCE = 128
# A part whose values sum up to less than this share of their sizes has no sum worth dividing by.
_CANCELLED = 1e-9


class ScaledInput:
    """One input and its parts; a sample multiplies the pixels of each part (C section 3.2).

    Part r has the lumped value l_r, the sum of its pixels. Its map is the part over l_r, and a sampled value v puts
    v / l_r times the part in its place. A part with l_r = 0 has no map: it stays as it is and has no effect.

    Parameters
    ----------
    space : Space
    row : Tensor
        (1, channels, *shape), as `Reader` gives it: values in the data's own unit.
    division : Division

    Attributes
    ----------
    lumped : ndarray
        (parts,), l_r, float64, in the data's unit times pixels.
    places : ndarray
        (parts,), how many pixels or voxels each has.
    """

    def __init__(self, space: Space, row: Tensor, division: Division) -> None:
        self.space, self.row, self.division = space, row, division
        self.parts = len(division)
        labels = torch.from_numpy(np.where(division.labels < 0, self.parts, division.labels).astype(np.int64))
        self._labels = labels.to(row.device)
        wide = np.broadcast_to(labels.numpy(), row.shape[1:])
        values = row[0].detach().cpu().double().numpy()
        flat = wide.ravel()
        sums = np.bincount(flat, weights=values.ravel(), minlength=self.parts + 1)[: self.parts]
        sizes = np.bincount(flat, weights=np.abs(values).ravel(), minlength=self.parts + 1)[: self.parts]
        self.lumped: Floats = np.where(np.abs(sums) <= _CANCELLED * sizes, 0.0, sums).astype(np.float64)
        self.places = np.bincount(labels.numpy().ravel(), minlength=self.parts + 1)[: self.parts]

    def scales(self, units: Floats, low: Floats, high: Floats) -> Floats:
        """Return what parts are multiplied by at points of the unit cube, (..., parts); 1 where l_r = 0.

        `low` and `high`, (parts,), are the bounds of the lumped values.
        """
        some = self.lumped != 0
        divisor = np.where(some, self.lumped, 1.0)
        found = (low + units * (high - low)) / divisor
        return np.where(some, found, 1.0)

    def rows(self, scales: Floats) -> Tensor:
        """Return the input with its parts multiplied, (n, channels, *shape), for `scales` (n, parts)."""
        return self.row * self.everywhere(scales)[:, self._labels]

    def forward(self, scales: Floats) -> Tensor:
        """Return what the network gives for `rows`, (n, outputs)."""
        rows = self.rows(scales)
        return self.space.forward(rows, self.row.expand_as(rows))

    def everywhere(self, scales: Floats) -> Tensor:
        """Return scales with a last one, 1, for what lies outside all parts, (n, parts + 1)."""
        whole = np.concatenate([scales, np.ones((len(scales), 1))], axis=1)
        return torch.from_numpy(whole).to(device=self.row.device, dtype=self.row.dtype)


class WholeWalk:
    """Every point of a design put through the network whole, in batches that fit the memory.

    Parameters
    ----------
    scaled : ScaledInput or anything with its `forward`
    batches : CarefulBatches
    read : callable
    advance : callable
        Gets the evaluations of each batch.
    """

    def __init__(
        self,
        forward: Callable[[Floats], Tensor],
        batches: CarefulBatches,
        read: Read,
        advance: Callable[[int], None],
    ) -> None:
        self._forward, self._batches, self._read, self._advance = forward, batches, read, advance

    def __call__(self, points: Floats) -> NDArray[np.floating]:
        """Return the scores at points in the parts' scales, (blocks, points, parts) -> (blocks, points, scores)."""
        flat = points.reshape(-1, points.shape[-1])
        found: list[NDArray[np.floating]] = []

        def batch(numbers: object) -> None:
            assert isinstance(numbers, range)
            found.append(self._read(self._forward(flat[numbers.start : numbers.stop])))
            self._advance(len(numbers))

        self._batches.run(range(len(flat)), batch)
        answers = np.concatenate(found)
        return answers.reshape(*points.shape[:-1], answers.shape[-1])


class WindowWalk:
    """Points of a design through exact incremental inference: consecutive ones differ in one part.

    Parameters
    ----------
    scaled : ScaledInput
        Of an image, with parts that are the same in all channels.
    network : IncrementalNetwork
    read, advance
        As for `WholeWalk`.
    warn : callable
    """

    def __init__(
        self,
        scaled: ScaledInput,
        network: IncrementalNetwork,
        read: Read,
        advance: Callable[[int], None],
        warn: Callable[[str], None],
    ) -> None:
        self._scaled, self._network = scaled, network
        self._read, self._advance, self._warn = read, advance, warn
        self._boxes = PartBoxes(scaled.row, scaled.division)

    def __call__(self, starts: Floats, goals: Floats, blocks: Blocks) -> NDArray[np.floating]:
        """Return the scores, (blocks, steps + 1, scores).

        `starts` and `goals` are scales of all parts, (blocks, parts); ``blocks.order``, (blocks, steps), says which
        part changes when. A star takes them in the same order in every block.
        """
        found = self._chain(starts, goals, blocks.order) if blocks.chained else self._star(starts, goals, blocks.order)
        count, points = len(starts), blocks.order.shape[1] + 1
        columns = as_columns(found.reshape(count * points, *found.shape[2:]), count * points, "The network")
        answers = self._read(columns)
        return answers.reshape(count, points, answers.shape[-1])

    def _prepared(self, scales: Floats) -> Tensor:
        rows = self._scaled.rows(scales)
        return self._scaled.space.prepared(rows, self._scaled.row.expand_as(rows))

    def _chain(self, starts: Floats, goals: Floats, order: Ints) -> Tensor:
        now = starts.copy()

        def patches_at(numbers: Ints, step: int) -> Patches:
            parts = order[numbers, step]
            now[numbers, parts] = goals[numbers, parts]
            return self._patches(parts, now[numbers])

        return walk(
            self._network,
            self._prepared(starts),
            order.shape[1],
            patches_at,
            advance=self._advance,
            warn=self._warn,
        )

    def _star(self, starts: Floats, goals: Floats, order: Ints) -> Tensor:
        parts = order[0]
        side_by_side = together(self._network, self._scaled.row.device)
        found = []
        for first in range(0, len(starts), side_by_side):
            part = starts[first : first + side_by_side]
            base = self._network.keep(self._prepared(part))
            self._advance(len(part))
            answers = [base.outputs[:, None].clone()]
            for begin in range(0, len(parts), max(1, _AT_ONCE // len(part))):
                changed = parts[begin : begin + max(1, _AT_ONCE // len(part))]
                blocks, numbers = np.repeat(np.arange(len(part)), len(changed)), np.tile(changed, len(part))
                now = part[blocks]
                now[np.arange(len(now)), numbers] = goals[first + blocks, numbers]
                patches = self._patches(numbers, now, blocks)
                outputs = self._network.evaluate(base, patches, advance=self._advance, warn=self._warn).outputs
                assert outputs is not None  # they were asked for
                answers.append(outputs.reshape(len(part), len(changed), *outputs.shape[1:]))
            found.append(torch.cat(answers, dim=1))
        return torch.cat(found)

    def _patches(self, parts: Ints, scales: Floats, bases: Ints | None = None) -> Patches:
        windows, values = self._boxes.patches(parts, self._scaled.everywhere(scales))
        return Patches(windows, self._scaled.space.prepared(values), bases)
