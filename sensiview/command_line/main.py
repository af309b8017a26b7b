"""From arguments to an exit code: 0 success, 1 a user's error, 2 wrong usage, 3 a failed job, 130 stopped."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sensiview.errors import JobFailed, SensiViewError, os_reason, suggestion
from sensiview.locations import log_file

if TYPE_CHECKING:
    from sensiview.command_line.tools import Tools

OK, USER_ERROR, JOB_FAILED, STOPPED = 0, 1, 3, 130


def main(arguments: Sequence[str], tools: Tools) -> int:
    """Run one command, or open the window, and return the exit code; never a traceback."""
    from sensiview.command_line.parser import build_parser, build_window_parser  # they load every command

    parser, commands = build_parser()
    first = next((a for a in arguments if not a.startswith("-")), None)
    if first in commands or {"-h", "--help", "--version"} & set(arguments):
        options = parser.parse_args(arguments)
        if options.command is None:
            parser.print_help()
            return OK
        return guarded(lambda: int(options.run(options, tools)), as_json=bool(options.json))
    window = build_window_parser().parse_args(arguments)
    if window.project is not None and not window.project.exists():
        near = suggestion(str(window.project), sorted(commands)) if window.project.name == str(window.project) else ""
        complain(f"'{window.project}' is neither a project folder nor a command.{near}")
        return USER_ERROR
    screenshot = [str(window.screenshot), window.size, window.show] if window.screenshot else []
    return guarded(lambda: tools.open_window(window.project, screenshot), as_json=False)


def complain(text: str) -> None:
    """Print a line on stderr, where there is one: a windowed program on Windows has none."""
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


def guarded(command: Callable[[], int], *, as_json: bool) -> int:
    """Run `command`; every error becomes a sentence on stderr and an exit code."""
    try:
        return command()
    except SensiViewError as error:
        traced = "Traceback (most recent call last)" in error.details  # of a plugin's code: for its author
        where = _log(error.details) if traced else ""
        complain(f"{error.sentence}{where}")
        if error.details and not as_json and not traced:
            complain(error.details)
        if as_json:
            _say_json({"error": error.sentence, "details": error.details})
        return JOB_FAILED if isinstance(error, JobFailed) else USER_ERROR
    except KeyboardInterrupt:
        complain("Stopped.")
        return STOPPED
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: not an error, but Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        sentence = f"{os_reason(error)}: {error.filename}" if error.filename else os_reason(error)
        complain(f"{sentence}. Nothing was changed.")
        if as_json:
            _say_json({"error": sentence})
        return USER_ERROR
    except Exception as error:  # noqa: BLE001 - the last line of defence: a sentence and a log, not a traceback
        where = _log(traceback.format_exc())
        complain(f"SensiView met an error it does not know ({type(error).__name__}: {error}).{where}")
        if as_json:
            _say_json({"error": f"{type(error).__name__}: {error}"})
        return USER_ERROR


def _say_json(value: Mapping[str, str]) -> None:
    from sensiview.command_line.output import say_json

    say_json(value)


def _log(text: str) -> str:
    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')}\n{text}\n")
    except OSError:
        return ""
    return f" The details are in {path}."
