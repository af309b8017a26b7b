"""Batches whose files are read while the network computes with the one before. Loads no torch by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Places = NDArray[np.int64]


def in_batches(
    parts: Iterable[Places], batch: Callable[[Places], Tensor], *, ready: Callable[[int], bool]
) -> Iterator[tuple[Places, Tensor]]:
    """Yield the places of each part that is not empty with its batch.

    Where something is not `ready` (kept in memory), the next batch is read while one is computed with.
    """
    todo = [part for part in parts if len(part)]
    if all(ready(int(index)) for part in todo for index in part):
        for part in todo:
            yield part, batch(part)
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading") as reader:
        waiting: Future[Tensor] | None = None
        for place, part in enumerate(todo):
            now = waiting if waiting is not None else reader.submit(batch, part)
            rows = now.result()
            waiting = reader.submit(batch, todo[place + 1]) if place + 1 < len(todo) else None
            yield part, rows
