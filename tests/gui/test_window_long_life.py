"""A window is open for days: calls into Qt must not wear Python out."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import sensiview.gui
from PySide6.QtCore import QObject, Signal

class Speaker(QObject):
    said = Signal(int)

speaker = Speaker()
speaker.said.connect(lambda number: None)
for number in range(200_000):
    speaker.setObjectName("name")
    speaker.said.emit(number)
print("alive", None, True, False)
"""


def test_that_hundreds_of_thousands_of_calls_into_qt_leave_the_interpreter_alive() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "alive None True False"), done.stderr
