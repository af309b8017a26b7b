"""Prints the manual page, made of the same texts as ``sensiview --help``: python manual_page.py VERSION"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

# The package beside this file, not one that happens to be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sensiview.command_line.parser import build_parser, build_window_parser


def _plain(text: str) -> str:
    """Text that troff prints as it is."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return f"\\&{escaped}" if escaped.startswith(".") else escaped


def _usage(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else f" \\fI{_plain(str(action.metavar or action.dest.upper()))}\\fR"
    if not action.option_strings:
        return f"\\fI{_plain(str(action.metavar or action.dest))}\\fR"
    return ", ".join(f"\\fB{_plain(name)}\\fR{value}" for name in action.option_strings)


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        # --json means the same for every command, and is told once.
        known = isinstance(action, argparse._HelpAction | argparse._VersionAction) or action.dest in ("json", "command")
        if known or action.help in (None, argparse.SUPPRESS):
            continue
        yield f".TP\n{_usage(action)}"
        yield _plain(action.help % {**vars(action), "prog": parser.prog})


def manual_page(version: str, day: str) -> str:
    """Return the page in the man macros."""
    parser, _ = build_parser()
    window = build_window_parser()
    [commands] = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    lines = [
        f'.TH SENSIVIEW 1 "{day}" "SensiView {_plain(version)}" "User Commands"',
        ".SH NAME\nsensiview \\- see what a neural network is sensitive to",
        ".SH SYNOPSIS\n.B sensiview\n[\\fIPROJECT\\fR]\n.br\n.B sensiview\n\\fICOMMAND\\fR [\\fIOPTIONS\\fR]",
        f".SH DESCRIPTION\n{_plain(parser.description or '')}",
        "Every command takes \\fB\\-\\-help\\fR, and \\fB\\-\\-json\\fR to print one JSON object and nothing else.",
        ".SH THE WINDOW",
        *_options(window),
        ".SH COMMANDS",
    ]
    for name, command in commands.choices.items():
        lines += [f".SS {_plain(name)}", _plain(command.description or ""), *_options(command)]
        if command.epilog:
            lines += [".PP", _plain(command.epilog)]
    lines += [
        ".SH ENVIRONMENT\n.TP\n\\fBSENSIVIEW_HOME\\fR",
        "Folder of settings, plugins, cache and log, instead of \\fI~/.local/share/SensiView\\fR.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    moment = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    print(manual_page(sys.argv[1], time.strftime("%Y-%m-%d", moment)), end="")
