"""The part of a network that certain values need, put in order, with what must be kept of a base."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from sensiview.numerics.incremental.operations import Normalised, Operation
from sensiview.numerics.incremental.sliding import Convolution

Seen = Callable[[int, Tensor], None]


@dataclass(frozen=True, eq=False)
class Program:
    """Operations in order.

    Parameters
    ----------
    steps : tuple of Operation
    shapes : dict
        Of every value, without the rows.
    wanted : frozenset of int
        Values that are looked at.
    """

    steps: tuple[Operation, ...]
    shapes: Mapping[int, tuple[int, ...]]
    wanted: frozenset[int]

    @classmethod
    def of(cls, steps: Sequence[Operation], shapes: Mapping[int, tuple[int, ...]], wanted: Iterable[int]) -> Program:
        """Return what is needed for the `wanted` values, batch norms taken into the convolutions before them."""
        asked = frozenset(wanted)
        return cls(tuple(_folded(_needed(steps, asked), asked)), shapes, asked)

    @cached_property
    def limit(self) -> int:
        """The first step that has no windowed form."""
        return next((i for i, step in enumerate(self.steps) if not step.windowed), len(self.steps))

    @cached_property
    def last_use(self) -> Mapping[int, int]:
        """The last step that reads each value."""
        return {number: i for i, step in enumerate(self.steps) for number in step.inputs}

    @cached_property
    def makers(self) -> Mapping[int, Operation]:
        """The operation that gives each value."""
        return {number: step for step in self.steps for number in step.outputs}

    def root(self, number: int) -> int:
        """Return the value from which `number` follows pixel by pixel."""
        while number in self.makers and self.makers[number].local:
            number = self.makers[number].inputs[0]
        return number

    def derived(self, number: int, from_root: Tensor) -> Tensor:
        """Return a value from its root, both in the same windows."""
        chain: list[Operation] = []
        while number in self.makers and self.makers[number].local:
            chain.append(self.makers[number])
            number = chain[-1].inputs[0]
        for step in reversed(chain):
            from_root = step.full({step.inputs[0]: from_root}, len(from_root))[step.output]
        return from_root

    @cached_property
    def kept(self) -> frozenset[int]:
        """Values of the base that must be kept: what windows are taken from, and what is looked at."""
        read = {step.inputs[0] for step in self.steps[: self.limit] if step.reads}
        return frozenset(self.root(number) for number in {0} | read | self.wanted | self.live(self.limit))

    def live(self, position: int) -> frozenset[int]:
        """Return the values that exist before a step and are read by it or later."""
        made = {0, *(number for step in self.steps[:position] for number in step.outputs)}
        return frozenset(n for n, last in self.last_use.items() if n in made and last >= position)

    @cached_property
    def cuts(self) -> tuple[int, ...]:
        """Positions at which whole maps can take over: what lives there follows from what is kept."""
        return tuple(i for i in range(self.limit + 1) if all(self.root(number) in self.kept for number in self.live(i)))

    @cached_property
    def work(self) -> tuple[float, ...]:
        """Multiply-adds per row of each step on whole maps."""
        return tuple(step.work for step in self.steps)

    def run(self, values: dict[int, Tensor], position: int, rows: int, seen: Seen) -> None:
        """Compute whole values from a step on. `seen` gets each value that was made; `values` loses what was read."""
        for i in range(position, len(self.steps)):
            step = self.steps[i]
            made = step.full(values, rows)
            for number, tensor in made.items():
                seen(number, tensor)
                if self.last_use.get(number, -1) > i:
                    values[number] = tensor
            for number in set(step.inputs):
                if self.last_use[number] == i:
                    values.pop(number, None)


def _needed(steps: Sequence[Operation], wanted: frozenset[int]) -> list[Operation]:
    needed, found = set(wanted), []
    for step in reversed(steps):
        if needed.intersection(step.outputs):
            found.append(step)
            needed.update(step.inputs)
    return found[::-1]


def _folded(steps: Sequence[Operation], wanted: frozenset[int]) -> list[Operation]:
    """Take each batch norm into the convolution before it, where nothing else looks at what is between."""
    readers: dict[int, int] = {}
    for step in steps:
        for number in step.inputs:
            readers[number] = readers.get(number, 0) + 1
    found: list[Operation] = []
    places: dict[int, int] = {}
    for step in steps:
        before = places.get(step.inputs[0]) if step.inputs else None
        if isinstance(step, Normalised) and before is not None:
            number, earlier = step.inputs[0], found[before]
            if isinstance(earlier, Convolution) and readers[number] == 1 and number not in wanted:
                found[before] = earlier.normalised(step.scale.double(), step.shift.double(), step.output)
                places[step.output] = before
                continue
        places.update(dict.fromkeys(step.outputs, len(found)))
        found.append(step)
    return found
