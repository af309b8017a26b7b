"""Exact incremental inference: inputs that differ from a base in a window, at the price of the window.

A changed region of an image changes only a window of each feature map. The activations of the unperturbed image are
kept, and only the windows are computed, until they cover so much of a map that the rest of the network is computed
whole. Nothing is approximated; sums are formed in another order than in whole inference.

References
----------
Nakandala, Nagrecha, Kumar, Papakonstantinou (2019): Incremental and approximate inference for faster occlusion-based
deep CNN explanations. SIGMOD.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sensiview.errors import UserError, suggestion
from sensiview.models.batching import is_out_of_memory
from sensiview.models.readout import first_tensor
from sensiview.models.state import kept_as_it_was
from sensiview.models.tracing import Meter
from sensiview.numerics.incremental.full_inference import FullBase, FullInference
from sensiview.numerics.incremental.kept import Base
from sensiview.numerics.incremental.operations import Operation
from sensiview.numerics.incremental.program import Program
from sensiview.numerics.incremental.recording import Untraceable, record
from sensiview.numerics.incremental.results import Evaluation, Patches
from sensiview.numerics.incremental.running import Run
from sensiview.numerics.incremental.translation import translated

Advance = Callable[[int], None]
# What can be computed on windows must be at least this part of the whole.
_WORTHWHILE = 0.1


class IncrementalNetwork:
    """A network that computes inputs with a changed window from what it knows of the unchanged ones.

    It holds the weights as they were when it was built: build it again when they change. The module itself is left
    alone. Made by `build`.

    Attributes
    ----------
    layers : tuple of str
        Dotted names of the modules that can be watched.
    reason : str
        Empty; a sentence in `FullInference`.
    """

    reason = ""

    def __init__(
        self,
        module: nn.Module,
        steps: Sequence[Operation],
        shapes: dict[int, tuple[int, ...]],
        layers: dict[str, int],
        output: int,
        item_bytes: int,
    ) -> None:
        self._module = module
        self._item_bytes = item_bytes
        self._steps, self._shapes = tuple(steps), shapes
        self._layers, self._output = layers, output
        self._programs: dict[frozenset[int], Program] = {}

    @classmethod
    def build(cls, module: nn.Module, example: Tensor) -> IncrementalNetwork | FullInference:
        """Return the network, or one with the same methods that computes every input whole and says why.

        Parameters
        ----------
        module : nn.Module
            In any mode; it is looked at in eval mode and put back.
        example : Tensor
            (1, channels, height, width) as the module takes it, on its device and in its dtype. Other sizes of input
            need another network.
        """
        if example.ndim != 4:
            return FullInference(module, example, "its input is not an image of rows and columns of pixels")
        with kept_as_it_was(module):
            try:
                recording = record(module, example[:1].detach())
                steps = translated(recording)
            except Untraceable as error:
                return FullInference(module, example, str(error))
            found = cls(
                module,
                steps,
                {number: shape[1:] for number, shape in recording.shapes.items()},
                recording.layers,
                recording.output,
                example.element_size(),
            )
            why = found._objection(example[:1].detach())
        return FullInference(module, example, why) if why else found

    @property
    def layers(self) -> tuple[str, ...]:
        """Dotted names of the modules that can be watched."""
        return tuple(self._layers)

    def describe(self) -> str:
        """Return a sentence for the run's record."""
        return "Inputs were computed by exact incremental inference: only the windows that a change reaches."

    def keep(self, inputs: Tensor, watch: Sequence[str] = (), *, outputs: bool = True) -> Base:
        """Compute unperturbed inputs and keep what changes are computed from.

        Parameters
        ----------
        inputs : Tensor
            (bases, channels, height, width).
        watch : sequence of str
            Layers whose values or changes will be asked for.
        outputs : bool
            Whether the network's outputs will be asked for; without them, what comes after the last layer watched is
            not computed.

        Raises
        ------
        UserError
            There is no such layer, or the inputs have another shape than the example.
        """
        if tuple(inputs.shape[1:]) != self._shapes[0]:
            raise UserError(
                f"The network was prepared for inputs of shape {self._shapes[0]}, these have {tuple(inputs.shape[1:])}."
            )
        with kept_as_it_was(self._module):
            return Base(self._asked(watch, outputs), inputs.detach(), self._output)

    def bytes_per_base(self, watch: Sequence[str] = (), *, outputs: bool = True) -> int:
        """Return the memory that `keep` needs for one input."""
        program = self._asked(watch, outputs)
        numbers = sum(int(np.prod(self._shapes[number])) for number in program.kept)
        return numbers * self._item_bytes

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
        advance: Advance = lambda _: None,
        warn: Callable[[str], None] = lambda _: None,
    ) -> Evaluation:
        """Compute inputs that differ from their base in a window.

        Parameters
        ----------
        base : Base
            From `keep`, with the layers that are asked for here.
        patches : Patches
        norms, values : sequence of str
            Layers whose norm of change, or values, are returned.
        outputs : bool
            Whether the outputs are returned.
        move : bool
            Make the changes stay in `base`: the next call starts from there. No base may occur twice then.
        tangent : bool
            Take the patches for directions v at the base x and return derivatives: norms ||(dB/dx) v||, and (dB/dx) v
            in place of values and outputs. Only the difference between patch and base matters.
        advance : callable
            Called between batches with the number of rows that were finished since the last call; may raise to stop.
        warn : callable
            Gets a sentence when memory runs out and batches are halved.

        Raises
        ------
        UserError
            A layer or a base that `base` does not know.
        MemoryError, torch.OutOfMemoryError
            Not even one row fits.
        """
        if not isinstance(base, Base):
            raise UserError("This base was kept by another network.")
        numbers = {name: self._number(name) for name in (*norms, *values)}
        known = base.program.wanted
        missing = [name for name, number in numbers.items() if number not in known]
        if missing or (outputs and self._output not in known):
            raise UserError(f"The base was kept without {missing[0] if missing else 'the outputs'}.")
        bases = np.zeros(len(patches), dtype=np.int64) if patches.bases is None else patches.bases
        if len(bases) and not 0 <= int(bases.min()) <= int(bases.max()) < len(base):
            raise UserError(f"There are {len(base)} bases; a patch asks for another.")
        if move and len(set(bases.tolist())) < len(bases):
            raise UserError("A base can be moved by one patch at a time.")
        if move and tangent:
            raise UserError("A derivative does not move the base.")
        with kept_as_it_was(self._module):
            run = Run(
                base,
                patches,
                {numbers[name] for name in norms},
                {numbers[name] for name in values} | ({self._output} if outputs else set()),
                move=move,
                tangent=tangent,
                advance=advance,
                warn=warn,
            )
            run.all()
        return Evaluation(
            run.values_of(self._output) if outputs else None,
            {name: run.norms_of(numbers[name]) for name in norms},
            {name: run.values_of(numbers[name]) for name in values},
        )

    def _number(self, name: str) -> int:
        try:
            return self._layers[name]
        except KeyError:
            raise UserError(
                f"There is no layer '{name}' that gives one tensor.{suggestion(name, list(self._layers))}"
            ) from None

    def _asked(self, watch: Sequence[str], outputs: bool) -> Program:
        wanted = {self._number(name) for name in watch} | ({self._output} if outputs else set())
        if not wanted:
            raise UserError("Name a layer to watch, or ask for the outputs.")
        return self._program(frozenset(wanted))

    def _program(self, wanted: frozenset[int]) -> Program:
        return self._programs.setdefault(wanted, Program.of(self._steps, self._shapes, wanted))

    def _objection(self, example: Tensor) -> str:
        """Return why windows would gain nothing or go wrong, as the end of a sentence; empty when they are fine."""
        program = self._program(frozenset({self._output}))
        with Meter() as meter:
            self._module(example)
        if 2 * sum(program.work[: program.limit]) <= _WORTHWHILE * meter.flops:
            blocking = program.steps[program.limit] if program.limit < len(program.steps) else None
            if blocking is None:
                return "it has no convolution whose windows could be computed alone"
            where = f" in '{blocking.call.layer}'" if blocking.call.layer else ""
            return f"its operator '{blocking.call.name}'{where} mixes all pixels of the image before most of the work"
        return self._difference(example)

    def _difference(self, example: Tensor) -> str:
        """Try two windows against the module itself: the last word on whether the recording is true."""
        _, height, width = self._shapes[0]
        generator = torch.Generator().manual_seed(2)
        x = torch.rand(example.shape, generator=generator).to(example)
        h, w = max(1, height // 8), max(1, width // 8)
        windows = np.array([[0, h, 0, w], [height // 2, height // 2 + h, width // 2, width // 2 + w]])
        rows = x.repeat(2, 1, 1, 1)
        for row, (y0, y1, x0, x1) in zip(rows, windows, strict=True):
            row[:, y0:y1, x0:x1] += 1
        try:
            ours = self.evaluate(self.keep(x), Patches.filled(windows, rows)).outputs
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            return f"one of its operators can't be computed on windows ({str(error).splitlines()[0][:120]})"
        wanted = first_tensor(self._module(rows))[0]
        scale = float(wanted.abs().max()) or 1.0
        if ours is None or not bool(torch.isfinite(wanted).all()):
            return ""
        worst = float((ours - wanted).abs().max()) / scale
        return "" if worst < 1e-3 else "what it computes does not follow from its recorded operators alone"
