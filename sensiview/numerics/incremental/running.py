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
from sensiview.numerics.incremental.placing import Place, widened
from sensiview.numerics.incremental.results import Patches, norms_of

# Multiply-adds that a device does while Python and torch start one operator, and those of one batch: about a third of
# a second, so that a cancelled job ends soon.
_OVERHEAD = {"cpu": 2e6, "cuda": 2e8, "mps": 5e7}
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
    move, tangent, check, warn
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
        check: Callable[[], None],
        warn: Callable[[str], None],
    ) -> None:
        self._base, self._patches, self._program = base, patches, base.program
        self._move, self._tangent = move, tangent
        self._check, self._warn = check, warn
        self._bases: Ints = np.zeros(len(patches), dtype=np.int64) if patches.bases is None else patches.bases
        self._norms: dict[int, NDArray[np.float64]] = {number: np.zeros(len(patches)) for number in norms}
        self._wanted = values
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
        limits = Limits(_OVERHEAD.get(kind, 2e6), _WORK.get(kind, 1.5e10), self._numbers)
        windows = inside(self._patches.windows, *self._program.shapes[0][1:])
        for group in groups(self._program, windows, limits):
            self._carefully(group)
            if sum(len(rows) for rows, _ in self._waiting.get(group.cut, ())) >= self._rows_at_once(group.cut):
                self._finish(group.cut)
        for cut in list(self._waiting):
            self._finish(cut)

    def _carefully(self, group: Group) -> None:
        """Compute a group; when memory runs out, in halves."""
        self._check()
        try:
            self._on_windows(group)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or len(group.rows) < 2:
                raise
        else:
            return
        release(self._device)
        self._warn(f"Memory ran out on {self._device} with {len(group.rows)} windows at once; going on with half.")
        for half in group.halves():
            self._carefully(half)

    def _on_windows(self, group: Group) -> None:
        program, base = self._program, self._base
        bases = self._bases[group.rows]
        frame = WindowFrame(base, bases, group.places, tangent=self._tangent)
        changes = {0: input_changes(base.inputs, self._patches, group.rows, group.places[0])}
        moves = {0: changes[0]}
        self._see_window(0, group, changes[0])
        for i, step in enumerate(program.steps[: group.cut]):
            change = step.change(frame, [changes[number] for number in step.inputs])
            changes[step.output] = change
            self._see_window(step.output, group, change)
            if self._move and step.output in program.kept:
                moves[step.output] = change
            for number in set(step.inputs):
                if program.last_use[number] == i:
                    del changes[number]
        if group.cut < len(program.steps):
            live = {n: self._whole(n, bases, group.places[n], changes[n]) for n in program.live(group.cut)}
            self._waiting.setdefault(group.cut, []).append((group.rows, live))
        if self._move:
            for number, change in moves.items():
                base.move(number, bases, group.places[number], change)

    def _see_window(self, number: int, group: Group, change: Tensor) -> None:
        if number in self._norms:
            self._norms[number][group.rows] = norms_of(change)
        if number in self._wanted:
            whole = self._whole(number, self._bases[group.rows], group.places[number], change)
            self._put(number, group.rows, whole)

    def _whole(self, number: int, bases: Ints, place: Place, change: Tensor) -> Tensor:
        """Return the value on whole maps, or the whole derivative."""
        wide = widened(change, place, self._program.shapes[number])
        return wide if self._tangent else wide + self._base.whole(number, bases)

    def _put(self, number: int, rows: Ints, values: Tensor) -> None:
        self.values_of(number)[torch.from_numpy(rows).to(values.device)] = values

    def _rows_at_once(self, cut: int) -> int:
        """Return how many rows go through the rest of the network at once."""
        program = self._program
        work = max(1.0, sum(program.work[cut:]))
        largest = max(int(np.prod(program.shapes[n])) for step in program.steps[cut:] for n in step.outputs)
        fits = self._numbers / (4 * largest)
        return max(1, int(min(_MOST_ROWS, 4 * _WORK.get(self._device.type, 1.5e10) / work, fits)))

    def _finish(self, cut: int) -> None:
        """Compute the rest of the network for the rows that wait for it."""
        waiting = self._waiting.pop(cut)
        rows = np.concatenate([some for some, _ in waiting])
        values = {n: torch.cat([live[n] for _, live in waiting]) for n in waiting[0][1]}
        waiting.clear()
        at_once = self._rows_at_once(cut)
        done = 0
        while done < len(rows):
            self._check()
            part = slice(done, done + at_once)
            try:
                self._on_whole(cut, rows[part], {number: tensor[part] for number, tensor in values.items()})
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or at_once < 2:
                    raise
            else:
                done += at_once
                continue
            release(self._device)
            at_once = max(1, at_once // 2)
            self._warn(f"Memory ran out on {self._device}; going on with {at_once} inputs at once.")

    def _on_whole(self, cut: int, rows: Ints, values: Mapping[int, Tensor]) -> None:
        bases = self._bases[rows]
        if not self._tangent:
            # The base moves at the end: until then changes are measured from where it was.
            moves: list[tuple[int, Tensor]] = []

            def seen(number: int, made: Tensor) -> None:
                self._see_whole(number, rows, bases, made)
                if self._move and number in self._program.kept:
                    moves.append((number, made))

            self._program.run(dict(values), cut, len(rows), seen)
            for number, made in moves:
                self._base.replace(number, bases, made)
            return
        forward = torch.autograd.forward_ad

        def see(number: int, made: Tensor) -> None:
            tangent = forward.unpack_dual(made).tangent
            self._see_tangent(number, rows, torch.zeros_like(made) if tangent is None else tangent)

        with forward.dual_level():
            duals = {
                number: forward.make_dual(self._base.whole(number, bases).contiguous(), tangent.contiguous())
                for number, tangent in values.items()
            }
            self._program.run(duals, cut, len(rows), see)

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
