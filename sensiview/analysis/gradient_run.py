"""What maps from gradients of the input share: channels, words, and going on after an interruption."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sensiview.analysis.image_choice import colour_names
from sensiview.analysis.map_run import MapRun
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.errors import Stopped

if TYPE_CHECKING:
    from sensiview.numerics.map_memory import MapMemory


def channel_names(opened: MapRun, channels: str) -> tuple[str, ...]:
    """Return the names of an image's channels where each has a map of its own, else nothing."""
    return colour_names(opened.space.channels) if channels == "each" else ()


def value_name(opened: MapRun) -> str:
    """Return what one place of the inputs is called."""
    return "pixel" if opened.inputs.what == "image" else "voxel"


def map_memory(progress: Progress) -> MapMemory:
    """Return what keeps finished maps in the run's checkpoint, with those of an interrupted run."""
    from sensiview.numerics.map_memory import MapMemory

    memory = MapMemory(lambda arrays, values: progress.checkpoint(Checkpoint(dict(arrays), dict(values))))
    if (restored := progress.restored()) is not None:
        memory.restore(restored.arrays, restored.values)
    return memory


@contextmanager
def finish_sooner(memory: MapMemory | None) -> Iterator[None]:
    """Write what was made since the last checkpoint when the run is stopped."""
    try:
        yield
    except Stopped:
        if memory is not None:
            with contextlib.suppress(Stopped):
                memory.write()
        raise
