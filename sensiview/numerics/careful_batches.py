"""Work in batches that fit the memory: probed once, halved when memory runs out, never silently."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from sensiview.models.batching import Footprint, does_not_fit, fitting, footprint, is_out_of_memory, release
from sensiview.models.network import Network

# A backward pass keeps what a forward pass lets go: about this many times its peak.
_GRAPH = 4


class CarefulBatches:
    """Cuts a number of pieces of work into batches.

    Parameters
    ----------
    network : Network
    size : int, optional
        Rows at once; what fits by default, decided by `probe`.
    warn : callable
        Gets a sentence each time memory runs out.
    what : str
        What the rows are, in that sentence.

    Attributes
    ----------
    size : int
        Rows at once, now; 0 before it is known.
    given : bool
        Whether somebody asked for a size.
    """

    def __init__(self, network: Network, size: int | None, warn: Callable[[str], None], what: str = "volumes") -> None:
        self.network = network
        self.size = max(1, size) if size else 0
        self.given = bool(size)
        self.warn = warn
        self._what = what

    def probe(self, row: Tensor, *, gradient: bool, extra_bytes: int = 0) -> None:
        """Decide the size from what one prepared row, (1, *input_shape), costs; nothing when the size is known.

        Call it inside `Network.measuring`.
        """
        if self.size:
            return
        _, cost = footprint(self.network.module, row, self.network.card.name)
        times = _GRAPH if gradient else 1
        work = Footprint(cost.bytes_per_row * times, cost.flops_per_row * (3 if gradient else 1))
        self.size = fitting(self.network, work, extra_bytes, gradient=gradient)

    def run(self, pieces: Sequence[int], work: Callable[[Sequence[int]], None]) -> None:
        """Call `work` with one batch of `pieces` after the other.

        A batch for which memory runs out is tried again with half as many.

        Raises
        ------
        ModelError
            Not even one row fits.
        """
        done = 0
        while done < len(pieces):
            batch = pieces[done : done + max(1, self.size)]
            try:
                work(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                failed = error
            else:
                done += len(batch)
                continue
            release(self.network.device)
            if len(batch) <= 1:
                raise does_not_fit(self.network) from failed
            self.size = len(batch) // 2
            self.warn(
                f"Memory ran out on {self.network.device} with {len(batch)} {self._what} at once; going on with "
                f"{self.size}."
            )
