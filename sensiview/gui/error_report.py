"""Nothing fails silently: an exception that nobody expected becomes a dialog with a report, and a line in the log."""

from __future__ import annotations

import platform
import sys
import threading
import traceback
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, qVersion

from sensiview import __version__, locations
from sensiview.errors import SensiViewError

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow


def write_log(text: str) -> None:
    """Append to the log; a log that can't be written must not add a second problem."""
    path = locations.log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')}\n{text}\n")
    except OSError:
        return


def report_text(sentence: str, details: str) -> str:
    """Return what "Copy report" puts on the clipboard: sentence, details, versions; no data, no paths of ours."""
    return "\n".join(
        [
            f"SensiView {__version__}, Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}",
            "",
            sentence,
            "",
            details.rstrip(),
        ]
    )


class UnexpectedErrors(QObject):
    """Takes what reaches ``sys.excepthook``: exceptions in slots, and in threads."""

    _raised = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._before = sys.excepthook
        self._before_threads = threading.excepthook
        # Queued: an exception in a thread is shown by the GUI thread, one in a paint event after it.
        self._raised.connect(self._show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over from Python's own hooks."""
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook

    def uninstall(self) -> None:
        """Give back Python's own hooks."""
        sys.excepthook = self._before
        threading.excepthook = self._before_threads

    def _hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._window.close()
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        write_log(details)
        if isinstance(error, SensiViewError):
            self._raised.emit(SensiViewError(error.sentence, details=error.details or details))
            return
        said = f"{kind.__name__}: {error}" if str(error) else kind.__name__
        sentence = (
            f"SensiView met an error that it does not know ({said}). Your project is safe; go on working, or save the "
            "report and start SensiView again if something looks wrong."
        )
        self._raised.emit(SensiViewError(sentence, details=details))

    def _thread_hook(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self._hook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _show(self, error: SensiViewError) -> None:
        self._window.show_problem(error)
