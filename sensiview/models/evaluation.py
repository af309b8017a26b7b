"""Running many rows through a network, in batches that fit, once for all outputs and layers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import ModelError, UserError
from sensiview.models import batching
from sensiview.models.batching import Footprint, compute, footprint, is_out_of_memory
from sensiview.models.capture import LayerCapture, capturing
from sensiview.models.network import Network
from sensiview.models.outputs import OutputChoice, ResolvedKind, Target, TargetName, parse_target
from sensiview.models.readout import Forward, as_columns, first_tensor, read
from sensiview.models.tracing import FinalActivation

Array = NDArray[Any]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Block:
    """A run of columns of the answer: one kind of output, or one layer."""

    kind: ResolvedKind
    title: str
    targets: tuple[Target, ...] = ()
    layer: str = ""
    shape: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        return len(self.targets) if self.kind != "layer" else int(np.prod(self.shape))


class Evaluator:
    """Computes chosen outputs and hidden units of a network for any number of rows.

    One forward pass per batch serves all of them. The batch size changes the numbers by rounding only (float32: about
    1e-7), since BLAS sums in another order; it is a power of two, so that the same machine takes the same one.

    Parameters
    ----------
    network : Network
        Left as it was after every call.
    outputs : sequence of str
        ``auto``, ``probability``, ``logit``, ``loss`` or names of layers, see `OutputChoice`.
    target : int, str, list or None
        Classes, by index or name; "all" or None for all.
    batch_size : int, optional
        Rows per forward pass. The default is probed: as many as fit a quarter of the free memory and half a second of
        work, at most 65,536; decided by measured bytes and operations per row, never by a clock.
    on_batch : callable, optional
        Called after each batch with the number of rows of that call that are finished so far. What it raises
        (`Stopped`) comes through, with the network as it was.
    warn : callable, optional
        Gets sentences; they go to the log otherwise.

    Attributes
    ----------
    labels : tuple of str
        One per column of the answer.
    columns : dict of str to slice
        Where each of `outputs` lies in the answer.
    batch_size : int
        Rows per forward pass; smaller after memory ran out.
    footprint : Footprint
        What one row costs.

    Raises
    ------
    UserError
        Unknown output, layer or class.
    ModelError
        The network can't compute on its own input shape, or one row does not fit into memory.
    """

    def __init__(
        self,
        network: Network,
        outputs: Sequence[str] = ("auto",),
        *,
        target: TargetName = "all",
        batch_size: int | None = None,
        on_batch: Callable[[int], None] | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> None:
        if isinstance(outputs, str):
            outputs = (outputs,)
        if not outputs:
            raise UserError("No output is chosen. Name at least one, for example 'auto'.")
        if batch_size is not None and batch_size < 1:
            raise UserError(f"The batch size is {batch_size}; it should be at least 1.")
        self.network = network
        self._on_batch = on_batch
        self._warn = warn or _log.warning
        self._said: set[str] = set()
        choices = [OutputChoice.parse(text, network.card) for text in dict.fromkeys(outputs)]
        self._captures = {c.layer: LayerCapture(c.layer) for c in choices if c.kind == "layer"}
        kinds = [choice.resolved(network.card) for choice in choices]
        self._watch_activation = network.card.emits == "probability" and bool({"logit", "loss"} & set(kinds))
        self._dtype = np.float64 if network.dtype == torch.float64 else np.float32
        self._say(*network.notices)
        self._blocks, self.footprint = self._probe(choices, kinds, target)
        self.columns: dict[str, slice] = {}
        start = 0
        for text, block in zip(dict.fromkeys(outputs), self._blocks, strict=True):
            self.columns[text] = slice(start, start + block.width)
            start += block.width
        self._width = start
        answer_bytes = 2 * self._width * np.dtype(self._dtype).itemsize
        self.batch_size = batching.fitting(network, self.footprint, answer_bytes, wanted=batch_size)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the columns: classes or outputs, and ``layer[unit]`` or ``layer[channel,y,x]`` for layers."""
        several = sum(block.kind != "layer" for block in self._blocks) > 1
        found: list[str] = []
        for block in self._blocks:
            if block.kind == "layer":
                found += [f"{block.layer}[{','.join(map(str, unit))}]" for unit in np.ndindex(block.shape)]
            elif block.kind == "loss" or several:
                found += [f"{target.label} ({block.title})" for target in block.targets]
            else:
                found += [target.label for target in block.targets]
        return tuple(found)

    def __call__(self, rows: Array) -> Array:
        """Return the chosen numbers.

        Parameters
        ----------
        rows : ndarray
            Raw values, shape (n, *input_shape), any real dtype; preprocessing happens inside. May be memory-mapped.

        Returns
        -------
        ndarray
            Shape (n, len(labels)), in the network's dtype (float32; float64 for a float64 network).

        Raises
        ------
        ModelError
            The shape does not fit, the network fails, or one row does not fit into memory.
        """
        rows = self._checked(rows)
        batching.check_answer(len(rows), self._width, np.dtype(self._dtype).itemsize)
        answer = np.empty((len(rows), self._width), dtype=self._dtype)
        target = torch.from_numpy(answer)
        done = 0
        with self._ready() as watch:
            while done < len(rows):
                upto = min(done + self.batch_size, len(rows))
                if not self._compute_into(target[done:upto], rows[done:upto], watch):
                    self._halve(upto - done)
                    continue
                done = upto
                if self._on_batch is not None:
                    self._on_batch(done)
        return answer

    @contextmanager
    def _ready(self) -> Iterator[FinalActivation | None]:
        """Hooks on, module quiet; everything off and back at the end."""
        watch = FinalActivation() if self._watch_activation else None
        with (
            self.network.measuring(),
            capturing(self.network.module, self._captures.values()),
            watch or nullcontext(),
        ):
            yield watch

    def _compute_into(self, target: Tensor, rows: Array, watch: FinalActivation | None) -> bool:
        """Fill `target` with the answer for one batch; False when memory ran out."""
        try:
            forward = self._forward(self._tensor(rows), watch)
            start = 0
            for block in self._blocks:
                if block.kind == "layer":
                    values = self._captures[block.layer].take(len(rows)).flatten(1)
                else:
                    values = read(block.kind, forward, self.network.card.emits, block.targets)
                target[:, start : start + block.width] = values
                start += block.width
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        return True

    def _tensor(self, rows: Array) -> Tensor:
        """Return one batch as the network takes it."""
        plain = rows.flags.writeable and rows.dtype.isnative and min(rows.strides, default=0) >= 0
        raw = torch.from_numpy(rows if plain else np.array(rows, dtype=rows.dtype.newbyteorder("="), order="C"))
        return self.network.preprocess(raw)

    def _forward(self, inputs: Tensor, watch: FinalActivation | None) -> Forward:
        name = self.network.card.name
        output, note = first_tensor(compute(self.network.module, inputs, name))
        if note:
            self._say(note)
        for capture in self._captures.values():
            if capture.calls > 1:
                self._say(
                    f"The layer '{capture.name}' is called {capture.calls} times in one pass of the network; the last "
                    "call is what is looked at."
                )
        raw = as_columns(output, len(inputs), f"The network '{name}'")
        if watch is None:
            return Forward(raw)
        found = watch.behind(output)
        watch.forget()
        # A program for a fixed number of rows computes more than were asked for.
        before = None if found is None or output.storage_offset() else found[1][: len(inputs)]
        if found is None or before is None or found[0] == "log_softmax" or before.numel() != raw.numel():
            self._say(
                f"What enters the final sigmoid or softmax of '{name}' can't be seen; logits are computed back from "
                "the probabilities, log p/(1-p), and are infinite where p is 0 or 1."
            )
            return Forward(raw)
        return Forward(raw, as_columns(before, len(inputs), "The final activation"), found[0])

    def _probe(
        self, choices: Sequence[OutputChoice], kinds: Sequence[ResolvedKind], target: TargetName
    ) -> tuple[list[_Block], Footprint]:
        """Run two made-up rows: shapes of everything, what a row costs, and whether the answer is the same twice."""
        card = self.network.card
        if not card.input_shape:
            raise ModelError(f"The model '{card.name}' does not say what shape its inputs have. Add it again.")
        made_up = np.linspace(0, 1, 2 * int(np.prod(card.input_shape))).reshape(2, *card.input_shape)
        try:
            with self._ready():
                inputs = self._tensor(made_up)
                answer, cost = footprint(self.network.module, inputs, card.name)
                raw = as_columns(first_tensor(answer)[0], 2, f"The network '{card.name}'")
                shapes = {n: tuple(c.take(2).shape[1:]) for n, c in self._captures.items()}
                again = self._forward(inputs, None).raw
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise batching.does_not_fit(self.network) from error
        if not torch.equal(torch.nan_to_num(raw), torch.nan_to_num(again)):
            self._say(
                f"The network '{card.name}' gives different answers for the same input (dropout that is always on?): "
                "part of what is measured is its own noise."
            )
        targets = parse_target(target, card, raw[0].numel())
        blocks = []
        for choice, kind in zip(choices, kinds, strict=True):
            if kind == "layer":
                blocks.append(_Block(kind, choice.layer, layer=choice.layer, shape=shapes[choice.layer]))
            else:
                blocks.append(_Block(kind, kind, targets))
        return blocks, cost

    def _halve(self, rows: int) -> None:
        """Go on with half the batch; raises when a single row was too much."""
        batching.release(self.network.device)
        if rows <= 1:
            raise batching.does_not_fit(self.network)
        self.batch_size = max(1, rows // 2)
        self._say(
            f"Memory ran out on {self.network.device} with {rows:,} rows at once; going on with {self.batch_size:,}."
        )

    def _checked(self, rows: Array) -> Array:
        rows = np.asarray(rows)
        shape = self.network.card.input_shape
        if rows.shape[1:] != shape or rows.ndim != len(shape) + 1:
            expected = ", ".join(["rows", *map(str, shape)])
            raise ModelError(
                f"The network '{self.network.card.name}' takes inputs of shape ({expected}); "
                f"these have shape {rows.shape}."
            )
        if not (np.issubdtype(rows.dtype, np.number) or rows.dtype == bool) or np.iscomplexobj(rows):
            raise ModelError(
                f"The network '{self.network.card.name}' takes numbers; these inputs are of type '{rows.dtype}'."
            )
        return rows

    def _say(self, *sentences: str) -> None:
        for sentence in sentences:
            if sentence not in self._said:
                self._said.add(sentence)
                self._warn(sentence)
