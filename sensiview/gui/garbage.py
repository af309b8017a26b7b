"""Python's search for cycles of garbage, made by the GUI thread at times that nobody notices.

Left to itself Python searches whenever enough objects have been made, in whichever thread that happens. Both hurt
here. With napari imported there are half a million objects to look through, which takes a quarter of a second and,
on a busy machine, a whole one: in the middle of a drag through the slices. And a widget that is found by a search of
a background thread is deleted there, which Qt does not allow.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

_LOOK_MS = 500
# Objects made and not yet freed, above which the young ones are looked through: milliseconds.
_YOUNG = 2000
# Searches of the young since the last full one, and the pause after the last step or drag, for a full one.
_ENOUGH = 60
_PAUSE_S = 2.0


class IdleCollector(QObject):
    """Searches young objects every now and then, and all of them while nothing is dragged and nothing has changed."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._touched = time.monotonic()
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.setInterval(_LOOK_MS)
        self._next.timeout.connect(self.look)
        self._next.start()

    def postpone(self, *_: object) -> None:
        """Say that the user is at work: no full search before the next pause."""
        self._touched = time.monotonic()

    def look(self) -> None:
        """Search where it is time to."""
        paused = time.monotonic() - self._touched >= _PAUSE_S
        if paused and gc.get_count()[2] >= _ENOUGH and QApplication.mouseButtons() == Qt.MouseButton.NoButton:
            gc.collect()
        elif gc.get_count()[0] >= _YOUNG:
            gc.collect(1)
        self._next.start()


def idle_collector() -> IdleCollector:
    """Return the one of this application; the first call makes it."""
    app = QApplication.instance()
    assert app is not None
    found = app.findChild(IdleCollector)
    return found if found is not None else IdleCollector(app)


def set_aside() -> None:
    """Leave what there is now out of all searches: modules, which stay to the end, outnumber everything else."""
    gc.freeze()
