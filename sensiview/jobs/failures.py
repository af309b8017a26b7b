"""Why a job ended without a result: one sentence for the user, the traceback kept for the report."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

from sensiview.errors import SensiViewError, UserError, os_reason
from sensiview.jobs.events import Failed

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# Native writers (safetensors, pyarrow) report a full disk in words only.
_FULL_WORDS = ("no space left on device", "disk quota exceeded", "not enough space on the disk")
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory", "failed to allocate")


def failed(run: str, error: BaseException, what: str, folder: Path) -> Failed:
    """Return the final event for an exception.

    Parameters
    ----------
    what : str
        The job in words (``Sobol' indices``), begins the sentence.
    folder : Path
        Where the run writes; named when the disk is full.
    """
    if isinstance(error, SensiViewError):
        return Failed(run, error.sentence, details=error.details, user_error=isinstance(error, UserError))
    details = "".join(traceback.format_exception(error))
    return Failed(run, _sentence(error, what, folder), details=details)


def _sentence(error: BaseException, what: str, folder: Path) -> str:
    if _is_full(error):
        return (
            f"The disk is full: {what} could not be written into '{folder}'. Free some space, then resume it or run it "
            "again."
        )
    if _is_out_of_memory(error):
        where = "The graphics card's memory" if "cuda" in _chain_text(error) else "The memory of this computer"
        return (
            f"{where} was not enough for {what}. Close other programs, choose a smaller batch size, fewer outputs or "
            "fewer evaluations, or another device."
        )
    if isinstance(error, OSError) and error.strerror:
        named = f" '{error.filename}'" if error.filename else ""
        return (
            f"{what} could not use a file or folder{named}: {os_reason(error)}. Check that it is there and its rights."
        )
    said = " ".join(str(error).split()).rstrip(".")
    said = said if len(said) <= 300 else said[:300] + "…"
    reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"{what} failed: {reason}. The details say where; copy the report to have it looked at."


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return found


def _chain_text(error: BaseException) -> str:
    return " ".join(f"{type(one).__name__} {one}" for one in _chain(error)).lower()


def _is_full(error: BaseException) -> bool:
    return any(
        (isinstance(one, OSError) and one.errno in _FULL) or any(words in str(one).lower() for words in _FULL_WORDS)
        for one in _chain(error)
    )


def _is_out_of_memory(error: BaseException) -> bool:
    # By name, because torch may not be loaded; CUDA's own error is a RuntimeError.
    return any(
        isinstance(one, MemoryError)
        or type(one).__name__ == "OutOfMemoryError"
        or (isinstance(one, OSError) and one.errno == errno.ENOMEM)
        or (isinstance(one, RuntimeError) and any(words in str(one).lower() for words in _MEMORY_WORDS))
        for one in _chain(error)
    )
