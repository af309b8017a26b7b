"""Derivatives of a network's outputs and hidden units with respect to its raw inputs, exact, row by row."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import ModelError
from sensiview.models.batching import compute, is_out_of_memory, release
from sensiview.models.capture import LayerCapture, capturing
from sensiview.models.network import Network
from sensiview.models.outputs import OutputChoice, TargetName, parse_target
from sensiview.models.readout import Forward, as_columns, first_tensor, read
from sensiview.models.tracing import FinalActivation
from sensiview.numerics.moments import Moments

Array = NDArray[np.float64]

# A copy in float64 is worth its memory up to here.
_MOST_PARAMETERS = 50_000_000
_BLOCK_BYTES = 64 << 20


def in_double(network: Network) -> tuple[Network, str]:
    """Return the network in float64, as a copy, and a sentence when that is not possible.

    A change of one per cent, or of a millionth, is a difference of nearly equal numbers: float32 keeps few of its
    digits. The network given is not touched.
    """
    if network.dtype == torch.float64:
        return network, ""
    refused = f"The network '{network.card.name}' is computed in {str(network.dtype).removeprefix('torch.')}"
    if network.device.type == "mps":
        return network, f"{refused}, since Apple GPUs have no float64; small sensitivities have few digits."
    if network.card.n_parameters > _MOST_PARAMETERS:
        return network, f"{refused}, since it is too large to be copied; small sensitivities have few digits."
    try:
        double = Network(copy.deepcopy(network.module).double(), network.card, network.device)
        with double.measuring():
            answer, _ = first_tensor(double.module(double.preprocess(_made_up(network))))
            if answer.dtype == torch.float64:
                return double, ""
    except Exception:  # noqa: BLE001 - a forward() that insists on float32 may raise anything
        return network, f"{refused}, since it can't compute in float64; small sensitivities have few digits."
    return network, f"{refused}, since it rounds to that itself; small sensitivities have few digits."


def _made_up(network: Network) -> Tensor:
    shape = network.card.input_shape
    return torch.linspace(0, 1, 2 * int(np.prod(shape)), dtype=torch.float64).reshape(2, *shape)


class Jacobian:
    """Computes df/dx of chosen outputs and of every unit of chosen layers, preprocessing included.

    Reverse mode: one backward pass per unit and batch. In eval mode the rows don't meet, so that the gradient of a sum
    over rows is the gradient of every row.

    Parameters
    ----------
    network : Network
        Left as it was after every call.
    output : str
        ``auto``, ``probability``, ``logit``, ``loss``, a layer, or empty for no output.
    layers : sequence of str
        Dotted names; every unit of each.
    target : int, str, list or None
        Classes of the output.
    batch_size : int
        Rows at once; halved when memory runs out.
    warn : callable
        Gets sentences.
    on_batch : callable
        Called after each batch with the number of rows of that batch; what it raises comes through.

    Attributes
    ----------
    units : tuple of (str, str)
        Layer ("output" for outputs) and name of the unit, in the order of the answer.
    batch_size : int
        Smaller after memory ran out.

    Raises
    ------
    UserError
        Unknown output, layer or class.
    ModelError
        The network has no derivatives.
    """

    def __init__(
        self,
        network: Network,
        output: str,
        layers: Sequence[str] = (),
        *,
        target: TargetName = "all",
        batch_size: int = 1024,
        warn: Callable[[str], None] | None = None,
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        self.network = network
        self.batch_size = max(1, batch_size)
        self._warn = warn or (lambda _: None)
        self._on_batch = on_batch or (lambda _: None)
        card = network.card
        choice = OutputChoice.parse(output, card) if output else None
        if choice is not None and choice.kind == "layer":
            layers = [choice.layer, *(name for name in layers if name != choice.layer)]
            choice = None
        self._choice = choice
        # "layer:" says that a layer is meant, also where one is called "logit".
        self._layers = [OutputChoice.parse(f"layer:{name}", card).layer for name in layers]
        self._target = target
        self.units: tuple[tuple[str, str], ...] = ()
        with network.measuring():
            self._columns(network.preprocess(_made_up(network)))

    def __call__(self, rows: Array) -> Array:
        """Return the derivatives.

        Parameters
        ----------
        rows : ndarray, float64, shape (n, *input_shape)
            Raw values.

        Returns
        -------
        ndarray, float64, shape (n, len(units), *input_shape)
            Unit of the output per unit of the input column.
        """
        answer = np.empty((len(rows), len(self.units), *rows.shape[1:]), dtype=np.float64)
        done = 0
        while done < len(rows):
            upto = min(done + self.batch_size, len(rows))
            try:
                answer[done:upto] = self._batch(rows[done:upto])
            except (RuntimeError, MemoryError) as error:
                if is_out_of_memory(error) and upto - done > 1:
                    self._halve(upto - done)
                    continue
                raise
            self._on_batch(upto - done)
            done = upto
        return answer

    def _batch(self, rows: Array) -> Array:
        with self.network.measuring(), torch.enable_grad():
            for parameter in self.network.module.parameters():
                parameter.requires_grad = False
            raw = torch.tensor(rows, dtype=torch.float64 if self.network.device.type != "mps" else torch.float32)
            raw.requires_grad_()
            columns = self._columns(self.network.preprocess(raw))
            if not columns.requires_grad:
                raise ModelError(
                    f"The network '{self.network.card.name}' has no derivatives: its forward() cuts them off "
                    "(no_grad, rounding, numpy). Use an analysis that needs only outputs, Sobol' indices for instance."
                )
            found = np.empty((columns.shape[1], *rows.shape))
            for unit in range(columns.shape[1]):
                last = unit == columns.shape[1] - 1
                (gradient,) = torch.autograd.grad(columns[:, unit].sum(), raw, retain_graph=not last, allow_unused=True)
                # A unit that does not see the input at all: all its derivatives are 0.
                found[unit] = 0.0 if gradient is None else gradient.numpy()
        return np.moveaxis(found, 0, 1)

    def _columns(self, inputs: Tensor) -> Tensor:
        """Return output and layers as columns, shape (n, units), and note the units' names."""
        captures = [LayerCapture(layer) for layer in self._layers]
        blocks: list[Tensor] = []
        units: list[tuple[str, str]] = []
        with capturing(self.network.module, captures):
            answer = self._forward(inputs)
            if self._choice is not None:
                targets = parse_target(self._target, self.network.card, answer.raw[0].numel())
                blocks.append(read(self._choice.resolved(self.network.card), answer, self.network.card.emits, targets))
                units += [("output", target.label) for target in targets]
            for capture in captures:
                values = capture.take(len(inputs))
                blocks.append(values.flatten(1))
                units += [(capture.name, ",".join(map(str, unit))) for unit in np.ndindex(tuple(values.shape[1:]))]
        self.units = tuple(units)
        return torch.cat([block.to(torch.promote_types(block.dtype, torch.float32)) for block in blocks], dim=1)

    def _forward(self, inputs: Tensor) -> Forward:
        """Run the module; return its output, with the input of a final sigmoid where that is asked for."""
        name = self.network.card.name
        watch = FinalActivation()
        watched = self._choice is not None and self._choice.kind in ("logit", "loss")
        with watch if watched else nullcontext():
            output, _ = first_tensor(compute(self.network.module, inputs, name))
        raw = as_columns(output, len(inputs), f"The network '{name}'")
        found = watch.behind(output)
        watch.forget()
        if found is None or found[0] == "log_softmax" or found[1].numel() != raw.numel():
            return Forward(raw)
        if raw.requires_grad and not found[1].requires_grad:
            return Forward(raw)  # an in-place sigmoid: what it read was copied outside the graph
        return Forward(raw, as_columns(found[1], len(inputs), f"The network '{name}'"), found[0])

    def _halve(self, rows: int) -> None:
        release(self.network.device)
        self.batch_size = max(1, rows // 2)
        self._warn(
            f"Memory ran out on {self.network.device} with the derivatives of {rows:,} rows at once; going on with "
            f"{self.batch_size:,}."
        )


def derivative_moments(jacobian: Jacobian, rows: Array) -> tuple[Moments, Moments]:
    """Return the moments over rows of all derivatives, shape (units, D), and those of the rows themselves, shape (D,).

    Rows with a derivative that is not finite are in neither; `Moments.count` says how many are.
    """
    derivatives, values = Moments(), Moments()
    at_once = max(1, _BLOCK_BYTES // (8 * rows.shape[1] * len(jacobian.units)))
    for first in range(0, len(rows), at_once):
        block = rows[first : first + at_once]
        found = jacobian(block)
        finite = np.isfinite(found).all(axis=(1, 2))
        derivatives.add(found[finite])
        values.add(block[finite])
    return derivatives, values
