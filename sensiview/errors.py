"""The errors SensiView raises on purpose: each is a sentence for the person in front of it."""

from __future__ import annotations

from typing import Any


class SensiViewError(Exception):
    """Something went wrong in a way that we can explain.

    Parameters
    ----------
    sentence : str
        What happened, in words a user understands, ending with what to do next.
    details : str
        Text for "Details" and "Copy report": a table, a traceback of the cause. Never shown first.
    """

    def __init__(self, sentence: str, *, details: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.details = details


class UserError(SensiViewError):
    """The input can't be used: wrong file, wrong value, wrong name. Exit code 1."""


class DataError(UserError):
    """A data file can't be read, or is not what the project remembers."""


class ModelError(UserError):
    """Weights or an architecture can't be used."""


class ProjectError(UserError):
    """The project folder can't be opened or written."""


class JobFailed(SensiViewError):
    """A job ended without a result. Exit code 3."""


class Stopped(Exception):
    """Raised inside a job, at its next batch, after the user cancelled it."""


def os_reason(error: OSError) -> str:
    """Return why the system refused a file or folder, without the file's name."""
    text = error.strerror or str(error)
    if text.startswith("No usable temporary directory"):  # Python's tempfile, with a list of what it tried
        return "no folder for temporary files can be written: make room in /tmp, or name another in TMPDIR"
    return text


def suggestion(wrong: str, known: list[str], *, likeness: float = 0.6) -> str:
    """Return `` Did you mean 'x'?`` for the known name nearest to `wrong`, or the known names.

    `likeness` is how much of both names must agree, 0 to 1 (difflib's ratio).
    """
    import difflib

    near = difflib.get_close_matches(wrong, known, n=1, cutoff=likeness)
    if near:
        return f" Did you mean '{near[0]}'?"
    if 0 < len(known) <= 30:
        return f" Known: {', '.join(known)}."
    return ""


def complaints(error: Any) -> list[tuple[str, str, Any]]:
    """Return what a pydantic ``ValidationError`` says of each field: its name, what is wrong, and the value.

    The name is empty where it is about several fields.
    """
    found = error.errors()
    by_name = [str(one["loc"][0]) if one["loc"] else "" for one in found]
    told = []
    for name, one in zip(by_name, found, strict=True):
        context = one.get("ctx") or {}
        if one["type"] == "too_short" and by_name.count(name) > 1:
            continue  # values that are wrong themselves were not counted
        message = str(one["msg"]).removeprefix("Value error, ")
        if one["type"] in ("too_short", "too_long") and one["loc"] and "item" in message:
            least = one["type"] == "too_short"
            count = context["min_length" if least else "max_length"]
            values = f"{count} value{'s' if count != 1 else ''}"
            message = f"at least {values} must be given" if least else f"at most {values} can be given"
        if one["type"] in ("bool_parsing", "bool_type"):
            message = "Input should be true or false"
        told.append((name, message, one.get("input")))
    return told
