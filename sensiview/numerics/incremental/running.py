"""One evaluation: groups of rows on windows, then the rest of the network on whole maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.models import devices
from sensiview.models.batching import is_out_of_memory, release
from sensiview.numerics.incremental.changes import input_changes, inside
from sensiview.numerics.incremental.geometry import Ints
from sensiview.numerics.incremental.grouping import Group, Limits, groups
from sensiview.numerics.incremental.kept import Base, WindowFrame
from sensiview.numerics.incremental.placing import Place, joined, widened
from sensiview.numerics.incremental.results import Patches, norms_of
from sensiview.numerics.incremental.tangents import carrying, tangent_of, with_tangent

# Multiply-adds that a device does while Python and torch start one operator, and those of one batch: about a third of
# a second, so that a cancelled job ends soon.
_OVERHEAD = {"cpu": 4e6, "cuda": 2e8, "mps": 5e7}
_WORK = {"cpu": 1.5e10, "cuda": 2e12, "mps": 3e11}
_MOST_ROWS = 1024
_SHARE_OF_MEMORY = 8


class Run:
    """Computes all rows and collects what is asked for.

    Parameters
    ----------
    base : Base
    patches : Patches
    norms, values : set of int
        Values whose norm of change, or which themselves, are collected.
    move, tangent, advance, warn
        As in `sensiview.numerics.incremental.engine.IncrementalNetwork.evaluate`.
    """

    def __init__(
        self,
        base: Base,
        patches: Patches,
        norms: set[int],
        values: set[int],
        *,
        move: bool,
        tangent: bool,
        advance: Callable[[int], None],
        warn: Callable[[str], None],
    ) -> None:
        self._base, self._patches, self._program = base, patches, base.program
        self._move, self._tangent = move, tangent
        self._advance, self._warn = advance, warn
        self._bases: Ints = np.zeros(len(patches), dtype=np.int64) if patches.bases is None else patches.bases
        self._norms: dict[int, NDArray[np.float64]] = {number: np.zeros(len(patches)) for number in norms}
        self._wanted = values
        # Where only changes are asked for, whole maps are changes as well: of small changes they keep more digits.
        self._changes_only = tangent or not (values or move)
        self._values: dict[int, Tensor] = {}
        self._waiting: dict[int, list[tuple[Ints, dict[int, Tensor]]]] = {}
        self._device = base.inputs.device
        self._numbers = devices.memory_free(self._device) / _SHARE_OF_MEMORY / base.inputs.element_size()

    def norms_of(self, number: int) -> NDArray[np.float64]:
        """Return the norms of change of a value, float64 (rows,)."""
        return self._norms[number]

    def values_of(self, number: int) -> Tensor:
        """Return a value, (rows, ...)."""
        if number not in self._values:
            self._values[number] = self._base.inputs.new_zeros((len(self._patches), *self._program.shapes[number]))
        return self._values[number]

    def all(self) -> None:
        """Compute every row."""
        if not len(self._patches):
            return
        kind = self._device.type
        limits = Limits(_OVERHEAD.get(kind, 4e6), _WORK.get(kind, 1.5e10), self._numbers)
        windows = inside(self._patches.windows, *self._program.shapes[0][1:])
        for group in groups(self._program, windows, limits):
            self._carefully(group)
            if sum(len(rows) for rows, _ in self._waiting.get(group.cut, ())) >= self._rows_at_once(group.cut):
                self._finish(group.cut)
        for cut in list(self._waiting):
            self._finish(cut)

    def _carefully(self, group: Group) -> None:
        """Compute a group; when memory runs out, in halves."""
        try:
            self._on_windows(group)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or len(group.rows) < 2:
                raise
        else:
            # Rows that wait for the rest of the network are not finished, but it is a moment to stop at.
            self._advance(len(group.rows) if group.cut == len(self._program.steps) else 0)
            return
        release(self._device)
        self._warn(f"Memory ran out on {self._device} with {len(group.rows)} windows at once; going on with half.")
        for half in group.halves():
            self._carefully(half)

    def _on_windows(self, group: Group) -> None:
        program, base = self._program, self._base
        bases = self._bases[group.rows]
        changes = {0: input_changes(base.inputs, self._patches, group.rows, group.places[0])}
        moves = {0: changes[0]}

        def seen(number: int, change: Tensor) -> None:
            self._see_change(number, group.rows, group.places[number], change)
            if self._move and number in program.kept:
                moves[number] = change

        seen(0, changes[0])
        self._pass_on(changes, group.places, bases, range(group.cut), seen)
        if group.cut < len(program.steps):
            live = {n: self._whole(n, bases, group.places[n], changes[n]) for n in program.live(group.cut)}
            self._waiting.setdefault(group.cut, []).append((group.rows, live))
        if self._move:
            for number, change in moves.items():
                base.move(number, bases, group.places[number], change)

    def _pass_on(
        self,
        changes: dict[int, Tensor],
        places: Mapping[int, Place],
        bases: Ints,
        steps: range,
        seen: Callable[[int, Tensor], None],
    ) -> None:
        """Pass changes through some steps; what is not read any more is let go."""
        program = self._program
        frame = WindowFrame(self._base, bases, places, tangent=self._tangent, lenient=self._changes_only)
        for i in steps:
            step = program.steps[i]
            changes[step.output] = change = step.change(frame, [changes[number] for number in step.inputs])
            seen(step.output, change)
            for number in {*step.inputs, step.output}:
                if program.last_use.get(number, -1) <= i:
                    del changes[number]

    def _see_change(self, number: int, rows: Ints, place: Place, change: Tensor) -> None:
        if number in self._norms:
            self._norms[number][rows] = norms_of(change)
        if number in self._wanted:
            self._put(number, rows, self._whole(number, self._bases[rows], place, change))

    def _whole(self, number: int, bases: Ints, place: Place, change: Tensor) -> Tensor:
        """Return the value on whole maps, or the whole derivative."""
        wide = widened(change, place, self._program.shapes[number])
        return wide if self._changes_only else wide + self._base.whole(number, bases)

    def _put(self, number: int, rows: Ints, values: Tensor) -> None:
        self.values_of(number)[torch.from_numpy(rows).to(values.device)] = values

    def _rows_at_once(self, cut: int) -> int:
        """Return how many rows go through the rest of the network at once."""
        program = self._program
        work = max(1.0, sum(program.work[cut:]))
        # No step is left where everything asked for is computed on windows.
        rest = [int(np.prod(program.shapes[n])) for step in program.steps[cut:] for n in step.outputs]
        largest = max(rest, default=1)
        fits = self._numbers / (4 * largest)
        return max(1, int(min(_MOST_ROWS, 4 * _WORK.get(self._device.type, 1.5e10) / work, fits)))

    def _finish(self, cut: int) -> None:
        """Compute the rest of the network for the rows that wait for it."""
        waiting = self._waiting.pop(cut)
        rows = np.concatenate([some for some, _ in waiting])
        values = {n: joined([live[n] for _, live in waiting]) for n in waiting[0][1]}
        waiting.clear()
        at_once = self._rows_at_once(cut)
        done = 0
        while done < len(rows):
            part = slice(done, done + at_once)
            try:
                self._on_whole(cut, rows[part], {number: tensor[part] for number, tensor in values.items()})
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or at_once < 2:
                    raise
            else:
                self._advance(len(rows[part]))
                done += at_once
                continue
            release(self._device)
            at_once = max(1, at_once // 2)
            self._warn(f"Memory ran out on {self._device}; going on with {at_once} inputs at once.")

    def _on_whole(self, cut: int, rows: Ints, values: dict[int, Tensor]) -> None:
        bases = self._bases[rows]
        if self._changes_only:
            cut = self._changes_on_whole(cut, rows, values)
            if cut == len(self._program.steps):
                return
        if not self._tangent:
            if self._changes_only:
                values = {n: change + self._base.whole(n, bases) for n, change in values.items()}
            # The base moves at the end: until then changes are measured from where it was.
            moves: list[tuple[int, Tensor]] = []

            def seen(number: int, made: Tensor) -> None:
                self._see_whole(number, rows, bases, made)
                if self._move and number in self._program.kept:
                    moves.append((number, made))

            self._program.run(values, cut, len(rows), seen)
            for number, made in moves:
                self._base.replace(number, bases, made)
            return
        with carrying():
            duals = {n: with_tangent(self._base.whole(n, bases), tangent) for n, tangent in values.items()}
            self._program.run(
                duals, cut, len(rows), lambda number, made: self._see_tangent(number, rows, tangent_of(made))
            )

    def _changes_on_whole(self, cut: int, rows: Ints, changes: dict[int, Tensor]) -> int:
        """Pass changes of whole maps on as far as that goes; return the step that is next."""
        program = self._program
        numbers = {*changes, *(step.output for step in program.steps[cut : program.limit])}
        places = {number: Place.whole(program.shapes[number], len(rows)) for number in numbers}
        self._pass_on(
            changes,
            places,
            self._bases[rows],
            range(cut, program.limit),
            lambda number, change: self._see_change(number, rows, places[number], change),
        )
        return program.limit

    def _see_whole(self, number: int, rows: Ints, bases: Ints, made: Tensor) -> None:
        if number in self._norms:
            self._norms[number][rows] = norms_of(made - self._base.whole(number, bases))
        if number in self._wanted:
            self._put(number, rows, made)

    def _see_tangent(self, number: int, rows: Ints, made: Tensor) -> None:
        if number in self._norms:
            self._norms[number][rows] = norms_of(made)
        if number in self._wanted:
            self._put(number, rows, made)
