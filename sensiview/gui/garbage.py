"""Python's search for cycles of garbage, held back until the user pauses.

With napari imported there are half a million objects to look through, which takes a quarter of a second and, on a
busy machine, a whole one. Left to itself Python does that whenever enough objects have been made: in the middle of
a drag through the slices. The small searches of young objects (below a millisecond) go on as always.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

# Without a step, drag or change for so long the user looks or thinks.
_PAUSE_MS = 2000
# Searches of the middle generation since the last full one: some hundred thousand objects made and not yet freed.
_ENOUGH = 20
_NEVER = 1 << 20


class IdleCollector(QObject):
    """Makes full searches while nothing is dragged and nothing has changed for a while."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, _NEVER)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_PAUSE_MS)
        self._later.timeout.connect(self._collect)
        self._later.start()

    def postpone(self, *_: object) -> None:
        """Say that the user is at work: wait for the next pause."""
        self._later.start()

    def _collect(self) -> None:
        if gc.get_count()[2] >= _ENOUGH and QApplication.mouseButtons() == Qt.MouseButton.NoButton:
            gc.collect()
        self._later.start()


def idle_collector() -> IdleCollector:
    """Return the one of this application; the first call makes it."""
    app = QApplication.instance()
    assert app is not None
    found = app.findChild(IdleCollector)
    return found if found is not None else IdleCollector(app)
