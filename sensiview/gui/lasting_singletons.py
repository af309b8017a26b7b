"""Keeps None, True and False alive on Python 3.11 under PySide6's wheels.

The wheels of PySide6 6.12 are built for the stable ABI of Python 3.12 and later, where these three are immortal
(PEP 683) and returning them takes no reference. Python 3.11 counts them: every call of a Qt method that returns
nothing takes one reference to None away, and after some thousand of them the interpreter stops with "deallocating
None". Measured: 1000 calls of ``setObjectName`` lower ``sys.getrefcount(None)`` by 1000.

What Python 3.12 does from the start is done here for older ones: the counts become so large that they never end.
"""

from __future__ import annotations

import ctypes
import sys

# As far from 0 as from the largest count: neither more nor fewer references matter any more.
_LASTING = 1 << (8 * ctypes.sizeof(ctypes.c_ssize_t) - 3)


def keep_singletons_alive() -> None:
    """Give None, True and False a count of references that lasts; does nothing where they are immortal anyway."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    for singleton in (None, True, False):
        # The count is the first field of every object in a CPython that was not built for tracing references.
        count = ctypes.c_ssize_t.from_address(id(singleton))
        if count.value < _LASTING:
            count.value += _LASTING
