"""What a running analysis says to whoever started it, and how it learns that it should stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sensiview.analysis.items import Array, Item


@dataclass(frozen=True)
class Checkpoint:
    """Everything a run needs to go on: arrays (any shape, no objects) and plain JSON values."""

    arrays: Mapping[str, Array]
    values: Mapping[str, Any] = field(default_factory=dict)


class Progress(Protocol):
    """The one channel out of a running analysis. Every method may raise `sensiview.errors.Stopped`."""

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a stage, with the number of evaluations (or steps) it will take, if known."""

    def advance(self, done: int) -> None:
        """Say that `done` more evaluations are finished. Call once per batch: cancel is obeyed here."""

    def warn(self, sentence: str) -> None:
        """Keep a sentence with the run and show it."""

    def preview(self, name: str, item: Item) -> None:
        """Show an item that is not final: live convergence, live curves. Dropped when too frequent."""

    def checkpoint(self, state: Checkpoint) -> None:
        """Keep `state` so that an interrupted run goes on, or a finished one is extended."""

    def restored(self) -> Checkpoint | None:
        """Return the state to go on from, or None for a fresh start."""


class Silent:
    """A `Progress` that shows nothing: for tests, examples and ``progress=False``."""

    def __init__(self, checkpoint: Checkpoint | None = None) -> None:
        self._checkpoint = checkpoint
        self.warnings: list[str] = []

    def stage(self, name: str, total: int | None = None) -> None:
        """Nothing to show."""

    def advance(self, done: int) -> None:
        """Nothing to show."""

    def warn(self, sentence: str) -> None:
        """Keep the sentence in `warnings`."""
        self.warnings.append(sentence)

    def preview(self, name: str, item: Item) -> None:
        """Nothing to show."""

    def checkpoint(self, state: Checkpoint) -> None:
        """Keep the latest state in memory."""
        self._checkpoint = state

    def restored(self) -> Checkpoint | None:
        """Return the state given at construction, or the latest one kept."""
        return self._checkpoint
