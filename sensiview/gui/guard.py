"""From an exception to the sentence that the window shows."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from sensiview.errors import SensiViewError, UserError, os_reason


class Guard:
    """A ``with`` block in which an error that we can explain goes to `tell` instead of further up.

    Other exceptions go on to the report of unexpected errors.
    """

    def __init__(self, tell: Callable[[SensiViewError], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, SensiViewError):
            self._tell(error)
            return True
        if isinstance(error, OSError):
            self._tell(os_problem(error))
            return True
        return False


def os_problem(error: OSError) -> UserError:
    """Return an error of the file system as a sentence."""
    where = f" '{error.filename}'" if error.filename else ""
    reason = os_reason(error)
    return UserError(
        f"The file{where} can't be read or written: {reason}. Check that it exists, that you may write there and that "
        "the disk is not full.",
        details=repr(error),
    )
