"""Errors before there is a window, made visible where nobody reads a terminal: in a small box of their own.

Started from a menu or by a double click, a program whose sentence goes to stderr just does not appear. This module
imports Qt only inside functions: it also has to speak where Qt can't be loaded.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import traceback
from typing import Any

from sensiview.errors import SensiViewError
from sensiview.locations import log_file

# Programs of desktops that show a sentence, for when Qt itself can't; the first one found is used.
_SPEAKERS = (
    ("zenity", "--error", "--no-markup", "--title=SensiView", "--width=480", "--text={sentence}"),
    ("kdialog", "--title", "SensiView", "--error", "{sentence}"),
    ("xmessage", "-center", "-title", "SensiView", "{sentence}"),
    ("notify-send", "--urgency=critical", "SensiView", "{sentence}"),
)
_COLUMNS = 72


def nobody_reads() -> bool:
    """Say whether what is written to stderr reaches nobody: there is no terminal, and no program at a pipe's end."""
    if sys.stderr is None:  # a windowed program on Windows
        return True
    if os.environ.get("GIO_LAUNCHED_DESKTOP_FILE_PID") == str(os.getpid()):
        return True  # a desktop's launcher, whatever it does with the output
    try:
        kind = os.fstat(sys.stderr.fileno()).st_mode
        at_terminal = sys.stderr.isatty() or (sys.stdin is not None and sys.stdin.isatty())
    except (OSError, ValueError):
        return False  # a stream of another program's making, such as a test's
    return not at_terminal and not stat.S_ISFIFO(kind)


def told(error: Exception) -> SensiViewError:
    """Return an error of the start as one with a sentence that says what to do."""
    if isinstance(error, SensiViewError):
        return error
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    sentence = (
        f"SensiView can't start because of an error that it does not know ({said}). The details are in "
        f"'{log_file()}'. Install SensiView again; if that does not help, report them."
    )
    return SensiViewError(sentence, details="".join(traceback.format_exception(error)))


def show_error(error: SensiViewError) -> None:
    """Show an error in a box and wait until it is closed; by another program where Qt can't be used."""
    try:
        from PySide6.QtWidgets import QApplication, QMessageBox

        from sensiview.gui.platform_check import first_application
    except ImportError:
        speak(error.sentence)
        return
    # Not the start's own application object with its icon and theme: what failed may be one of them.
    application = QApplication.instance() or first_application(
        lambda: QApplication(sys.argv[:1]), lambda sentence, _details: speak(sentence)
    )
    box = QMessageBox(QMessageBox.Icon.Critical, "SensiView can't start", error.sentence)
    box.setObjectName("start_error")
    if error.details:
        box.setDetailedText(error.details)
    box.exec()
    del application


def speak(sentence: str) -> None:
    """Show a sentence through one of the desktop's own programs; nothing happens where there is none."""
    import textwrap

    for program, *arguments in _SPEAKERS:
        found = shutil.which(program)
        if found is None:
            continue
        # xmessage does not wrap lines.
        text = "\n".join(textwrap.wrap(sentence, _COLUMNS)) if program == "xmessage" else sentence
        command = [found, *(argument.format(sentence=text) for argument in arguments)]
        quiet: Any = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        try:
            subprocess.run(command, check=False, **quiet)
        except OSError:
            continue
        return
