"""The keys in force: those that commands declare, unless the user has chosen others.

Commands are named ``window.KEY`` (menus) and ``viewer.NAME`` (volume viewer). What the user changed is kept in the
settings; whoever obeys or shows keys asks here, and listens to `notifier` for changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QKeySequence


class _Notifier(QObject):
    """Tells menus, tool tips and panes that keys have changed."""

    changed = Signal()


notifier = _Notifier()
_chosen: Mapping[str, tuple[str, ...]] = {}


def use_bindings(chosen: Mapping[str, Sequence[str]]) -> None:
    """Put what the user chose in force, by command; an empty sequence takes a command's keys away."""
    global _chosen
    made = {command: tuple(keys) for command, keys in chosen.items()}
    if made != _chosen:
        _chosen = made
        notifier.changed.emit()


def chosen_bindings() -> dict[str, tuple[str, ...]]:
    """Return what the user has changed, by command."""
    return dict(_chosen)


def keys_of(command: str, declared: Sequence[str]) -> tuple[str, ...]:
    """Return the keys of a command, as `QKeySequence` reads them; `declared` where the user changed nothing."""
    return _chosen.get(command, tuple(declared))


def native(keys: str) -> str:
    """Return a key as this system writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)


def with_keys(text: str, command: str, declared: Sequence[str]) -> str:
    """Return a text for a tool tip with the first key behind it: ``Undo (Ctrl+Z)``."""
    keys = keys_of(command, declared)
    return f"{text} ({native(keys[0])})" if keys else text


def same_key(one: str, other: str) -> bool:
    """Say whether two texts mean the same key."""
    return QKeySequence(one) == QKeySequence(other)
