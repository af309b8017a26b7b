"""Every exception becomes a sentence."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from sensiview.errors import JobFailed, ModelError
from sensiview.jobs.failures import failed


class OutOfMemoryError(RuntimeError):
    """As torch calls it."""


def chained() -> Exception:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise ValueError("can't write") from error
    except ValueError as outer:
        return outer


@pytest.mark.parametrize(
    "error, words",
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/x"),
            "The disk is full: Sobol' indices could not be written",
        ),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "The disk is full"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "The disk is full"),
        (chained(), "The disk is full"),
        (MemoryError(), "The memory of this computer was not enough for Sobol' indices."),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "The graphics card's memory was not enough"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "The memory of this computer"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "The memory of this computer"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x.csv"), "'/data/x.csv': Permission denied."),
        (KeyError("factor"), "Sobol' indices failed: KeyError: 'factor'."),
        (ValueError("first line\nsecond line"), "ValueError: first line second line."),
        (ValueError("x" * 5000), "xxx…"),
        (AssertionError(), "Sobol' indices failed: AssertionError."),
    ],
)
def test_that_an_exception_becomes_a_sentence_with_its_traceback_in_the_details(error: Exception, words: str) -> None:
    final = failed("r", error, "Sobol' indices", Path("/runs/r"))
    assert words in final.sentence
    assert "\n" not in final.sentence
    assert len(final.sentence) < 500
    assert type(error).__name__ in final.details
    assert not final.user_error


def test_that_our_own_errors_keep_their_sentence_and_details() -> None:
    final = failed("r", ModelError("The weights don't fit.", details="a table"), "Training", Path("/x"))
    assert (final.sentence, final.details, final.user_error) == ("The weights don't fit.", "a table", True)
    assert not failed("r", JobFailed("It ended."), "Training", Path("/x")).user_error
