"""How many rows go through a network at once: a share of the free memory, a bounded piece of work. Loads no torch."""

from __future__ import annotations

MOST_ROWS = 65_536
SHARE_OF_MEMORY = 4
# Work of one batch, in floating point operations: about half a second on two cores, and on a GPU. Without such a
# bound a batch of a large network takes minutes, and a cancelled job could not end.
WORK = {"cpu": 6e10, "mps": 1e12, "cuda": 8e12}
# On a CPU the values of a batch that pass through a network: larger blocks are given back to the system after each
# layer and taken anew, which costs as much as the arithmetic (half of the time of a small 3-D network).
PASSING_BYTES = 32 << 20


def memory_available() -> int:
    """Return the bytes of the machine's memory that can still be had."""
    import psutil

    return int(psutil.virtual_memory().available)


def rows_that_fit(
    free: int, bytes_per_row: int, flops_per_row: int, device: str = "cpu", *, gradient: bool = False
) -> int:
    """Return the largest power of two of rows that fits a quarter of the `free` bytes and a bounded piece of work.

    Without a `gradient`, which keeps all values anyway, a batch on a CPU is no larger than what passes quickly.
    """
    if device == "cpu" and not gradient:
        free = min(free, SHARE_OF_MEMORY * PASSING_BYTES)
    fits = free // SHARE_OF_MEMORY // max(1, bytes_per_row)
    work = WORK[device] / max(1, flops_per_row)
    most = max(1, min(MOST_ROWS, int(fits), int(work)))
    return 1 << (most.bit_length() - 1)
