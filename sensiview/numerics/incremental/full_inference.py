"""Whole inference behind the same methods: for networks whose windows can't be computed alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sensiview.errors import ModelError, UserError, suggestion
from sensiview.models import devices
from sensiview.models.batching import Footprint, is_out_of_memory, release
from sensiview.models.capture import LayerCapture
from sensiview.models.readout import first_tensor
from sensiview.models.shared_layers import layers_apart
from sensiview.models.state import kept_as_it_was
from sensiview.models.tracing import Meter
from sensiview.numerics.incremental.geometry import Ints
from sensiview.numerics.incremental.kept import Base
from sensiview.numerics.incremental.results import Evaluation, Patches, norms_of
from sensiview.numerics.incremental.tangents import carrying, tangent_of, with_tangent

_MOST_ROWS = 1024
_WORK = {"cpu": 6e10, "cuda": 8e12, "mps": 1e12}
_SHARE_OF_MEMORY = 4


class FullBase:
    """Unperturbed inputs with the values of the layers that are looked at.

    Attributes
    ----------
    inputs : Tensor
        (bases, ...), as they are now.
    outputs : Tensor
        (bases, ...).
    values : dict
        Layer -> (bases, ...).
    """

    def __init__(self, inputs: Tensor, outputs: Tensor, values: dict[str, Tensor]) -> None:
        self.inputs, self.outputs, self.values = inputs, outputs, values

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def bytes(self) -> int:
        """Memory that is held."""
        return sum(t.numel() * t.element_size() for t in (self.inputs, self.outputs, *self.values.values()))


class FullInference:
    """A network that computes every input whole, with the methods of `IncrementalNetwork`.

    Parameters
    ----------
    module : nn.Module
    example : Tensor
        (1, channels, height, width) as the module takes it.
    why : str
        What stands in the way of windows, as the end of a sentence.

    Attributes
    ----------
    reason : str
        A sentence for the run's record.
    """

    def __init__(self, module: nn.Module, example: Tensor, why: str) -> None:
        self._module = module
        self._shape = tuple(example.shape[1:])
        self._item_bytes = example.element_size()
        self._rows = 0
        self.reason = f"Every input was computed whole: the network can't be computed on windows because {why}."

    @property
    def layers(self) -> tuple[str, ...]:
        """Dotted names of the modules, all names of those that have several."""
        return tuple(name for name, _ in self._module.named_modules(remove_duplicate=False) if name)

    def describe(self) -> str:
        """Return a sentence for the run's record."""
        return self.reason

    def keep(self, inputs: Tensor, watch: Sequence[str] = (), *, outputs: bool = True) -> FullBase:
        """Compute unperturbed inputs; see `IncrementalNetwork.keep`."""
        if tuple(inputs.shape[1:]) != self._shape:
            raise UserError(
                f"The network was prepared for inputs of shape {self._shape}, these have {tuple(inputs.shape[1:])}."
            )
        unknown = [name for name in watch if name not in self.layers]
        if unknown:
            raise UserError(f"There is no layer '{unknown[0]}'.{suggestion(unknown[0], list(self.layers))}")
        found: list[tuple[Tensor, dict[str, Tensor]]] = []
        with kept_as_it_was(self._module):
            self._prepare(inputs[:1].detach())
            for begin in range(0, len(inputs), self._rows):
                found.append(self._run(inputs[begin : begin + self._rows].detach(), watch))
        values = {name: torch.cat([part[name] for _, part in found]) for name in watch}
        return FullBase(inputs.detach().clone(), torch.cat([answer for answer, _ in found]), values)

    def bytes_per_base(self, watch: Sequence[str] = (), *, outputs: bool = True) -> int:
        """Return the memory that `keep` needs for one input, without the layers watched."""
        return int(np.prod(self._shape)) * self._item_bytes

    def evaluate(
        self,
        base: Base | FullBase,
        patches: Patches,
        *,
        norms: Sequence[str] = (),
        values: Sequence[str] = (),
        outputs: bool = True,
        move: bool = False,
        tangent: bool = False,
        advance: Callable[[int], None] = lambda _: None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> Evaluation:
        """Compute inputs that differ from their base in a window; see `IncrementalNetwork.evaluate`."""
        if not isinstance(base, FullBase):
            raise UserError("This base was kept by another network.")
        names = list(dict.fromkeys((*norms, *values)))
        missing = [name for name in names if name not in base.values]
        if missing:
            raise UserError(f"The base was kept without {missing[0]}.")
        bases = np.zeros(len(patches), dtype=np.int64) if patches.bases is None else patches.bases
        if len(bases) and not 0 <= int(bases.min()) <= int(bases.max()) < len(base):
            raise UserError(f"There are {len(base)} bases; a patch asks for another.")
        if move and (tangent or len(set(bases.tolist())) < len(bases)):
            raise UserError("A base can be moved by one patch at a time, and not by a derivative.")
        out: list[Tensor] = []
        sizes: dict[str, list[NDArray[np.float64]]] = {name: [] for name in norms}
        kept: dict[str, list[Tensor]] = {name: [] for name in values}
        with kept_as_it_was(self._module):
            done, at_once = 0, self._rows
            while done < len(patches):
                numbers = np.arange(done, min(len(patches), done + at_once))
                where = torch.from_numpy(bases[numbers]).to(base.inputs.device)
                try:
                    rows = patched(base.inputs[where], patches, numbers)
                    before = {name: base.values[name][where] for name in names}
                    if tangent:
                        answer, found = self._derivative(base.inputs[where], rows, names)
                        changed = found
                    else:
                        answer, found = self._run(rows, names)
                        changed = {name: found[name] - before[name] for name in names}
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error) or at_once < 2:
                        raise
                    failed = True
                else:
                    failed = False
                if failed:
                    release(base.inputs.device)
                    at_once = max(1, at_once // 2)
                    warn(f"Memory ran out on {base.inputs.device}; going on with {at_once} inputs at once.")
                    continue
                done += len(numbers)
                if outputs:
                    out.append(answer)
                for name in norms:
                    sizes[name].append(norms_of(changed[name]))
                for name in values:
                    kept[name].append(found[name])
                if move:
                    base.inputs[where], base.outputs[where] = rows, answer
                    for name in names:
                        base.values[name][where] = found[name]
                advance(len(numbers))
        return Evaluation(
            (torch.cat(out) if out else base.outputs[:0]) if outputs else None,
            {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in sizes.items()},
            {name: torch.cat(parts) if parts else base.values[name][:0] for name, parts in kept.items()},
        )

    def _run(self, rows: Tensor, names: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
        captures = {name: LayerCapture(name) for name in names}
        with layers_apart(self._module), ExitStack() as stack:
            for name, capture in captures.items():
                stack.callback(self._module.get_submodule(name).register_forward_hook(capture).remove)
            answer, _ = first_tensor(self._module(rows))
        for name, capture in captures.items():
            if not isinstance(capture.value, Tensor):
                raise ModelError(f"The layer '{name}' gives no single tensor. Choose a layer before or behind it.")
        return answer, {name: capture.value for name, capture in captures.items()}

    def _derivative(self, before: Tensor, rows: Tensor, names: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
        with carrying():
            answer, found = self._run(with_tangent(before, rows - before), names)
            return tangent_of(answer), {name: tangent_of(value) for name, value in found.items()}

    def _prepare(self, row: Tensor) -> None:
        """Decide how many rows go through at once."""
        if self._rows:
            return
        with Meter() as meter:
            self._module(row)
        cost = Footprint.of(meter, row)
        fits = devices.memory_free(row.device) // _SHARE_OF_MEMORY // max(1, cost.bytes_per_row)
        work = _WORK.get(row.device.type, 6e10) / max(1, cost.flops_per_row)
        self._rows = max(1, min(_MOST_ROWS, int(fits), int(work)))


def patched(rows: Tensor, patches: Patches, numbers: Ints) -> Tensor:
    """Overwrite in each of `rows`, (n, channels, height, width), the window of one patch, and return them."""
    _, _, height, width = rows.shape
    for row, number in zip(rows, numbers, strict=True):
        y0, y1, x0, x1 = (int(edge) for edge in patches.windows[number])
        top, bottom, left, right = max(0, y0), min(height, y1), max(0, x0), min(width, x1)
        if top >= bottom or left >= right:
            continue
        new = patches.values[number if len(patches.values) > 1 else 0]
        down, across = (y0, x0) if patches.cropped else (0, 0)
        row[:, top:bottom, left:right] = new[:, top - down : bottom - down, left - across : right - across]
    return rows
