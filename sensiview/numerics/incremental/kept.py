"""What is remembered of unperturbed inputs: the values that windows are taken from."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from sensiview.numerics.incremental.geometry import Ints
from sensiview.numerics.incremental.placing import Place, add_into, as_kept, as_maps, gathered, rows_last
from sensiview.numerics.incremental.program import Program


class Base:
    """Unperturbed inputs with the activations that are needed to compute changes from them.

    Made by ``keep``; belongs to the network that made it and to the layers that were asked for then.

    Attributes
    ----------
    program : Program
    inputs : Tensor
        (bases, channels, height, width), as they are now: with every change that was made to stay.
    outputs : Tensor
        (bases, ...), the network's outputs for them.
    """

    def __init__(self, program: Program, inputs: Tensor, output: int) -> None:
        self.program = program
        self._kept: dict[int, Tensor] = {}
        self._output = output
        self._keep(0, inputs)
        values = {0: inputs.contiguous(memory_format=torch.channels_last)}
        program.run(values, 0, len(inputs), self._keep)

    def __len__(self) -> int:
        return len(self._kept[0])

    @property
    def inputs(self) -> Tensor:
        """The inputs as they are now, sharing memory with what is kept."""
        return as_maps(self._kept[0])

    @property
    def outputs(self) -> Tensor:
        """The network's outputs as they are now."""
        return self.whole(self._output)

    @property
    def bytes(self) -> int:
        """Memory that is held."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self._kept.values())

    def _keep(self, number: int, values: Tensor) -> None:
        if number in self.program.kept:
            # A copy: what a network gives may be its input, or a view of something larger.
            self._kept[number] = as_kept(values).clone() if values.ndim == 4 else values.clone()

    def whole(self, number: int, bases: Ints | None = None) -> Tensor:
        """Return a value of all bases, or of one base per row; may share memory with what is kept."""
        root = self._kept[self.program.root(number)]
        if bases is not None and len(root) > 1:
            root = root.index_select(0, torch.from_numpy(bases).to(root.device))
        values = as_maps(root) if root.ndim == 4 else root
        if bases is not None and len(values) == 1 < len(bases):
            return self.program.derived(number, values).expand(len(bases), *values.shape[1:])
        return self.program.derived(number, values)

    def windows(self, number: int, bases: Ints, place: Place, *, rows_last: bool = False) -> Tensor:
        """Return windows of a value, (rows or 1, channels, height, width); `rows_last` as in `gathered`."""
        root = self._kept[self.program.root(number)]
        return self.program.derived(number, gathered(root, bases, place, rows_last=rows_last))

    def move(self, number: int, bases: Ints, place: Place, change: Tensor) -> None:
        """Make the change of a windowed value stay. No base may occur twice."""
        if number in self.program.kept:
            add_into(self._kept[number], bases, place, change)

    def replace(self, number: int, bases: Ints, values: Tensor) -> None:
        """Put whole values in place of those that are kept."""
        if number in self.program.kept:
            where = torch.from_numpy(bases).to(values.device)
            self._kept[number].index_copy_(0, where, as_kept(values) if values.ndim == 4 else values)


class WindowFrame:
    """What operations see while a group of rows is computed: windows of the base, and where each change lies."""

    def __init__(self, base: Base, bases: Ints, places: Mapping[int, Place], *, tangent: bool, lenient: bool) -> None:
        self.places = places
        self.tangent = tangent
        self.lenient = lenient
        self._base, self._bases = base, bases

    def base(self, value: int, place: Place, like: Tensor) -> Tensor:
        """Return the base's feature maps in windows."""
        return self._base.windows(value, self._bases, place, rows_last=rows_last(like))
