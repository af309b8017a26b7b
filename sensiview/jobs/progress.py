"""What a running job says, at a rate that a window can follow.

An analysis may call `advance` a thousand times a second; what leaves here is at most twenty events a second, with the
last word of every stage that was shown.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import numpy as np

from sensiview.analysis.item_files import to_plain
from sensiview.analysis.item_plain import bulk_of
from sensiview.analysis.items import Item
from sensiview.analysis.progress import Checkpoint
from sensiview.errors import Stopped
from sensiview.jobs.events import Advanced, Checkpointed, Event, Previewed, StageBegan, Warned

# Per tick at most four events leave: a stage, an advance, a preview, and the last advance of a stage that ended.
TICK_S = 0.25
_MOST_WARNINGS = 50
_MOST_PREVIEW_VALUES = 100_000
# Checkpoints and previews may cost a tenth of the time each, however often an analysis offers them.
_CHECKPOINT_S = 1.0
RARELY = 10.0
# The first preview loads pandas: that cost does not come again, so it does not count in full.
_DEAREST_PREVIEW_S = 0.2
_SPEED_MEMORY_S = 3.0


class JobProgress:
    """The `sensiview.analysis.progress.Progress` of a job.

    Parameters
    ----------
    run : str
        Identifier in the events.
    emit : callable
        Takes each event.
    cancelled : callable
        True from the moment the user cancels: the next call of any method then raises `Stopped`.
    keep : callable
        Writes a checkpoint.
    restored : Checkpoint or None
        What `restored` gives.
    note : callable
        Takes every stage as it begins, also those too short to be shown.
    memory : callable
        Bytes of this process and of the device.
    clock : callable
        Seconds; replaced in tests.
    """

    def __init__(
        self,
        run: str,
        emit: Callable[[Event], None],
        cancelled: Callable[[], bool],
        *,
        keep: Callable[[Checkpoint], None],
        restored: Checkpoint | None = None,
        note: Callable[[Event], None] = lambda event: None,
        memory: Callable[[], tuple[int, int]] = lambda: (0, 0),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._emit = emit
        self._cancelled = cancelled
        self._keep = keep
        self._restored = restored
        self._note = note
        self._memory = memory
        self._clock = clock
        self.warnings: list[str] = []
        self.evaluations = 0
        self.rows_per_second = 0.0  # mean of the stage with the most evaluations
        self._last_tick = -np.inf
        self._stage: StageBegan | None = None
        self._stage_shown = True
        self._done = 0
        self._done_shown = 0
        self._most_done = 0
        self._stage_began = clock()
        self._speed = _Speed(clock())
        self._previews: dict[str, Item] = {}
        self._preview_due = -np.inf
        self._pending_checkpoint: Checkpoint | None = None
        self._checkpoint_due = -np.inf

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a stage; the one before gets its last word."""
        self._finish_stage()
        self._stage = StageBegan(self._run, name, total)
        self._note(self._stage)
        self._stage_shown = False
        self._done = self._done_shown = 0
        self._stage_began = self._clock()
        self._speed = _Speed(self._stage_began)
        self._tick()
        self._obey()

    def advance(self, done: int) -> None:
        """Count, and say so when it is time."""
        self._done += int(done)
        self.evaluations += int(done)
        self._tick()
        self._obey()

    def warn(self, sentence: str) -> None:
        """Keep a sentence once and say it at once; a flood of different ones is cut off."""
        if sentence not in self.warnings and len(self.warnings) <= _MOST_WARNINGS:
            if len(self.warnings) == _MOST_WARNINGS:
                sentence = f"More than {_MOST_WARNINGS} different warnings; the others are left out."
            self.warnings.append(sentence)
            self._emit(Warned(self._run, sentence))
        self._obey()

    def preview(self, name: str, item: Item) -> None:
        """Show a provisional item at the next tick, unless a newer one comes first or it is too big to be live."""
        if sum(int(np.size(bulk)) for bulk in bulk_of(item).values()) <= _MOST_PREVIEW_VALUES:
            self._previews.pop(name, None)
            self._previews[name] = item
            self._tick()
        self._obey()

    def checkpoint(self, state: Checkpoint) -> None:
        """Write the state, or keep a copy for a little later when the last one was just written."""
        if self._clock() >= self._checkpoint_due:
            self._write_checkpoint(state)
        else:
            # The caller may go on to change its arrays in place.
            arrays = {name: np.array(values) for name, values in state.arrays.items()}
            self._pending_checkpoint = Checkpoint(arrays, copy.deepcopy(dict(state.values)))
        self._obey()

    def restored(self) -> Checkpoint | None:
        """Return the state to go on from."""
        return self._restored

    def finish(self) -> None:
        """Say and write what was held back: the last word of the stage, the last checkpoint."""
        self._finish_stage()
        if self._pending_checkpoint is not None:
            self._write_checkpoint(self._pending_checkpoint)

    def _obey(self) -> None:
        if self._cancelled():
            raise Stopped

    def _tick(self) -> None:
        now = self._clock()
        if self._pending_checkpoint is not None and now >= self._checkpoint_due:
            self._write_checkpoint(self._pending_checkpoint)
        if now - self._last_tick < TICK_S:
            return
        self._last_tick = now
        if self._stage is not None and not self._stage_shown:
            self._stage_shown = True
            self._emit(self._stage)
        if self._done > self._done_shown:
            self._say_advanced(now)
        if self._previews and now >= self._preview_due:
            name = next(iter(self._previews))
            self._emit(Previewed(self._run, name, to_plain(self._previews.pop(name))))
            ended = self._clock()
            self._preview_due = ended + RARELY * min(ended - now, _DEAREST_PREVIEW_S)

    def _finish_stage(self) -> None:
        # A stage too short to be shown at all needs no last word.
        now = self._clock()
        if self._stage_shown and self._done > self._done_shown:
            self._say_advanced(now)
        if self._done > self._most_done and now > self._stage_began:
            self._most_done = self._done
            self.rows_per_second = self._done / (now - self._stage_began)

    def _say_advanced(self, now: float) -> None:
        self._done_shown = self._done
        total = self._stage.total if self._stage else None
        speed = self._speed.at(now, self._done)
        left = max(total - self._done, 0) / speed if total is not None and speed > 0 else None
        memory, device_memory = self._memory()
        self._emit(
            Advanced(self._run, self._done, total, self.evaluations, speed, left, memory, device_memory=device_memory)
        )

    def _write_checkpoint(self, state: Checkpoint) -> None:
        began = self._clock()
        self._pending_checkpoint = None
        self._keep(state)
        ended = self._clock()
        self._checkpoint_due = ended + max(_CHECKPOINT_S, RARELY * (ended - began))
        self._emit(Checkpointed(self._run))


class _Speed:
    """Evaluations per second, of the last seconds rather than of the whole stage."""

    def __init__(self, now: float) -> None:
        self._began = self._time = now
        self._done = 0
        self._value = 0.0

    def at(self, now: float, done: int) -> float:
        span = now - self._time
        if span <= 0:
            return self._value
        latest = (done - self._done) / span
        # Exponential forgetting; until there is a past, the plain mean.
        weight = max(1.0 - np.exp(-span / _SPEED_MEMORY_S), min(1.0, span / (now - self._began)))
        self._value = float(self._value + weight * (latest - self._value))
        self._time, self._done = now, done
        return self._value
