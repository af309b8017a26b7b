"""How the keys of a file of weights fit a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

# Counters of batch norm that older files lack and that play no part in evaluation.
_DISPENSABLE = "num_batches_tracked"
Shape = tuple[int, ...]


@dataclass(frozen=True)
class KeyReport:
    """The table behind "these weights don't fit".

    Parameters
    ----------
    matched : tuple of str
        Keys with the right shape.
    missing : tuple of (key, model shape)
        The network has them, the file does not.
    unexpected : tuple of (key, file shape)
        The file has them, the network does not.
    misshaped : tuple of (key, file shape, model shape)
        Both have them, in different shapes.
    notes : tuple of str
        Sentences about what was stripped, converted or looks wrong (NaN).
    """

    matched: tuple[str, ...] = ()
    missing: tuple[tuple[str, Shape], ...] = ()
    unexpected: tuple[tuple[str, Shape], ...] = ()
    misshaped: tuple[tuple[str, Shape, Shape], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether every key has its place."""
        return not (self.missing or self.unexpected or self.misshaped)

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Return the table, columns key, state, shape in the file, shape in the network; what is wrong comes first."""
        return [
            *((key, "other shape", _text(there), _text(here)) for key, there, here in self.misshaped),
            *((key, "missing in the file", "", _text(shape)) for key, shape in self.missing),
            *((key, "not in the network", _text(shape), "") for key, shape in self.unexpected),
            *((key, "fits", "", "") for key in self.matched),
        ]

    def as_text(self) -> str:
        """Return the table as aligned text, without the keys that fit."""
        rows = [("key", "", "file", "network"), *(row for row in self.rows() if row[1] != "fits")]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, f"{len(self.matched)} keys fit."])

    def sentence(self, file: str) -> str:
        """Say in words why the weights don't fit."""
        parts = []
        if self.missing:
            lacking = len(self.missing)
            are = "is" if lacking == 1 else "are"
            parts.append(
                f"{lacking} of the network's {self._of_network} keys {are} missing (first: {self.missing[0][0]})"
            )
        if self.unexpected:
            parts.append(f"{_count(self.unexpected)} unknown to the network (first: {self.unexpected[0][0]})")
        if self.misshaped:
            key, there, here = self.misshaped[0]
            parts.append(
                f"{_count(self.misshaped)} of another shape (first: {key} is {_text(there)} in the file and "
                f"{_text(here)} in the network)"
            )
        if not self.matched and not self.misshaped:
            advice = "These are the weights of another network: choose the architecture they were trained with."
        elif self.misshaped and not self.missing and not self.unexpected:
            advice = (
                "Only sizes differ: set the options of the architecture (hidden units, classes) as they were trained."
            )
        else:
            advice = "Choose the architecture and options they were trained with."
        return f"The weights in '{file}' do not fit: {', '.join(parts)}. {advice}"

    @property
    def _of_network(self) -> int:
        return len(self.matched) + len(self.missing) + len(self.misshaped)


def compare(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> KeyReport:
    """Return how `given` (a file's tensors) fits `wanted` (a module's ``state_dict``)."""
    both = [key for key in wanted if key in given]
    shapes = {key: (tuple(given[key].shape), tuple(wanted[key].shape)) for key in both}
    return KeyReport(
        matched=tuple(key for key in both if shapes[key][0] == shapes[key][1]),
        missing=tuple(
            (key, tuple(value.shape))
            for key, value in wanted.items()
            if key not in given and not key.endswith(_DISPENSABLE)
        ),
        unexpected=tuple(
            (key, tuple(value.shape))
            for key, value in given.items()
            if key not in wanted and not key.endswith(_DISPENSABLE)
        ),
        misshaped=tuple((key, *shapes[key]) for key in both if shapes[key][0] != shapes[key][1]),
    )


def _text(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))})"


def _count(things: tuple[object, ...]) -> str:
    return f"{len(things)} key" + ("s are" if len(things) != 1 else " is")
