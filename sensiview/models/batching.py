"""How many rows go through a network at once: what one row costs, what fits, what to do when memory runs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import torch
from torch import Tensor, nn

from sensiview.errors import ModelError, SensiViewError
from sensiview.models import devices
from sensiview.models.batch_limits import rows_that_fit
from sensiview.models.tracing import Meter

if TYPE_CHECKING:
    from sensiview.models.network import Network

_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "alloc_failed",
)
# What torch says where poolings and windows leave nothing.
_TOO_SMALL = ("Output size is too small", "Kernel size can't be greater than actual input size")


@dataclass(frozen=True)
class Footprint:
    """What one row costs on its way through: bytes alive together at the peak, and floating point operations."""

    bytes_per_row: int
    flops_per_row: int

    @classmethod
    def of(cls, meter: Meter, rows: Tensor) -> Footprint:
        """Return the cost of one of the rows that went through while `meter` watched."""
        own = rows[0].numel() * rows.element_size()
        return cls(own + meter.peak_bytes // len(rows), meter.flops // len(rows))


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory ran out: on the GPU, in torch's allocator, in Python's."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def compute(module: nn.Module, rows: Tensor, name: str) -> Any:
    """Return ``module(rows)``; torch's complaint about a shape becomes a sentence.

    Raises
    ------
    ModelError
        The module can't compute on rows of this shape.
    """
    try:
        return module(rows)
    except SensiViewError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        if any(words in str(error) for words in _TOO_SMALL):
            raise ModelError(
                f"Inputs of shape {tuple(rows.shape[1:])} are too small for the network '{name}': nothing is left of "
                "them in its later layers. Take larger ones (the size in its preprocessing, or the image size of the "
                "training).",
                details=f"{type(error).__name__}: {error}",
            ) from error
        raise ModelError(
            f"The network '{name}' can't compute on inputs of shape {tuple(rows.shape)}, rows first"
            f"{_expectation(module, tuple(rows.shape))}. It says: {_first_line(error)}",
            details=f"{type(error).__name__}: {error}",
        ) from error


def _expectation(module: nn.Module, shape: tuple[int, ...]) -> str:
    """Say what the first layer with weights takes, where its class tells and `shape` is not that already."""
    sides = {nn.Conv1d: "length", nn.Conv2d: "height, width", nn.Conv3d: "depth, height, width"}
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            count = layer.in_features
            return f"; its first layer takes {count} values per row, so the shape should be (rows, {count})"
        for kind, rest in sides.items():
            if isinstance(layer, kind):
                count = layer.in_channels
                if len(shape) == len(layer.kernel_size) + 2 and shape[1] == count:
                    return (
                        "; the number of channels is right, so a later layer needs another height and width: set the "
                        "size in the network's preprocessing"
                        if kind is nn.Conv2d
                        else ""
                    )
                return f"; its first layer takes {count} channels, so the shape should be (rows, {count}, {rest})"
    return ""


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:200].rstrip(".") + "."


def footprint(module: nn.Module, rows: Tensor, name: str) -> tuple[Any, Footprint]:
    """Run `rows` once and return the answer with what one row costs. Depends on the network alone, never on a clock."""
    with Meter() as meter:
        answer = compute(module, rows, name)
    return answer, Footprint.of(meter, rows)


def fitting(
    network: Network, cost: Footprint, answer_bytes: int, wanted: int | None = None, *, gradient: bool = False
) -> int:
    """Return the largest power of two of rows that fits a quarter of the free memory and a bounded piece of work.

    Decided by what a row costs, never by a clock, so that the same network on the same machine gets the same batches.
    `answer_bytes` is what a row of the answer takes. `wanted` rows win over what would fit, and the number of rows that
    an exported program was made for wins over both. `gradient`: a backward pass will follow.
    """
    fixed: int | None = getattr(network.module, "fixed_rows", None)
    if fixed or wanted:
        return fixed or wanted or 1
    free = devices.memory_free(network.device)
    size = cost.bytes_per_row + answer_bytes
    return rows_that_fit(free, size, cost.flops_per_row, network.device.type, gradient=gradient)


def release(device: torch.device) -> None:
    """Give back what torch keeps in reserve, after memory ran out."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def does_not_fit(network: Network) -> ModelError:
    """Return the error for a network that not even one row goes through."""
    free = devices.memory_free(network.device) / 2**30
    return ModelError(
        f"The network '{network.card.name}' does not fit into the memory of {network.device} with even one row at a "
        f"time ({free:.1f} GB free). Close other programs, choose another device, or make the inputs smaller."
    )


def check_answer(n_rows: int, n_columns: int, item_bytes: int) -> None:
    """Refuse an answer that the machine's memory can't hold.

    Raises
    ------
    ModelError
        It would need more than what is free.
    """
    needed, free = n_rows * n_columns * item_bytes, int(psutil.virtual_memory().available)
    if needed > free:
        raise ModelError(
            f"The answer for {n_rows:,} rows has {n_columns:,} columns and needs {needed / 2**30:,.1f} GB; "
            f"{free / 2**30:,.1f} GB are free. Choose a layer with fewer units, or fewer rows."
        )
