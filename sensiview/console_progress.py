"""Progress in terminals and notebooks: a bar where someone can see it, silence in files and pipes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from sensiview.analysis.items import Item
from sensiview.analysis.progress import Silent


def _bar_class() -> Any:
    if "ipykernel" in sys.modules:
        from tqdm.auto import tqdm

        return tqdm
    from tqdm import tqdm as terminal_bar

    return terminal_bar


class ConsoleProgress(Silent):
    """A `Progress` drawn with tqdm on stderr; one bar per stage.

    Parameters
    ----------
    title : str
        Shown before the first stage has a name.
    shown : bool
        False draws nothing.
    """

    def __init__(self, title: str, *, shown: bool = True) -> None:
        super().__init__()
        self._title = title
        self._shown = shown
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def stage(self, name: str, total: int | None = None) -> None:
        """Begin a new bar; evaluations are counted in thousands, millions."""
        self._close()
        if self._shown:
            # disable=None: nothing when stderr is not a terminal (a notebook's bar decides for itself).
            self._bar = _bar_class()(
                total=total, desc=name or self._title, unit=" evaluations", unit_scale=True, disable=None, leave=False
            )

    def advance(self, done: int) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(done)

    def warn(self, sentence: str) -> None:
        """Keep the sentence, and write it above the bar."""
        super().warn(sentence)
        if self._bar is not None and not self._bar.disable:
            self._bar.write(sentence, file=sys.stderr)

    def preview(self, name: str, item: Item) -> None:
        """A terminal shows no previews."""


@contextmanager
def share_bar(title: str) -> Iterator[Callable[[float], None]]:
    """Show how far something is: the callable takes the share that is done, 0 to 1. Silent in files and pipes."""
    layout = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}"
    bar = _bar_class()(total=1.0, desc=title, disable=None, leave=False, bar_format=layout)

    def tell(share: float) -> None:
        if share > bar.n:
            bar.update(share - bar.n)

    try:
        yield tell
    finally:
        bar.close()
