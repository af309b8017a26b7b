"""Every command whose keys the user may change, and which commands want the same key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from PySide6.QtGui import QKeySequence

from sensiview.gui.action_list import ACTIONS
from sensiview.gui.key_bindings import chosen_bindings, keys_of
from sensiview.gui.viewer.panels.commands import KEYS
from sensiview.gui.viewer.shortcut_table import SHORTCUTS

Reach = Literal["window", "viewer"]
_BENCH = "Viewer: cases, places and pictures"


@dataclass(frozen=True)
class Rebindable:
    """A command with the keys that it has unless the user chose others.

    Parameters
    ----------
    command : str
        ``window.KEY`` or ``viewer.NAME``.
    reach : str
        Where its keys are obeyed: in the whole ``window``, or in the ``viewer`` of volumes, which comes first there.
    """

    command: str
    text: str
    group: str
    tip: str
    declared: tuple[str, ...]
    reach: Reach

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys in force."""
        return keys_of(self.command, self.declared)

    @property
    def is_changed(self) -> bool:
        """Whether the user chose other keys."""
        return not _same(self.keys, self.declared)


@cache
def rebindable() -> Mapping[str, Rebindable]:
    """Return the commands by name, in the order of menus and groups."""
    menus = [
        Rebindable(f"window.{a.key}", a.title, a.menu.replace("&", ""), a.tip, a.shortcuts, "window") for a in ACTIONS
    ]
    menus.sort(key=lambda entry: [a.menu.replace("&", "") for a in ACTIONS].index(entry.group))
    panes = [Rebindable(s.command, s.text, f"Viewer: {s.group.lower()}", "", s.keys, "viewer") for s in SHORTCUTS]
    bench = [Rebindable(f"viewer.{name}", text, _BENCH, "", keys, "viewer") for name, (text, keys) in KEYS.items()]
    return {entry.command: entry for entry in (*menus, *panes, *bench)}


def clashes(command: str, key: str) -> list[Rebindable]:
    """Return the other commands that have this key where `command` has its own: only one of them would be done."""
    own = rebindable()[command]
    return [other for other in _having(key) if other.command != command and other.reach == own.reach]


def hidden_by_viewer(command: str, key: str) -> list[Rebindable]:
    """Return commands with this key in the other place: in the viewer its own command is done, elsewhere the window's.

    That is allowed: Ctrl+Z takes back a change of the view in the viewer, and of the project elsewhere.
    """
    own = rebindable()[command]
    return [other for other in _having(key) if other.reach != own.reach]


def with_keys_for(command: str, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what the user chose, with these keys for a command, taken away from those that had them there."""
    chosen = chosen_bindings()
    _put(chosen, command, tuple(keys))
    for key in keys:
        for other in clashes(command, key):
            left = chosen.get(other.command, other.declared)
            _put(chosen, other.command, tuple(k for k in left if QKeySequence(k) != QKeySequence(key)))
    return chosen


def without(command: str) -> dict[str, tuple[str, ...]]:
    """Return what the user chose, with the declared keys for a command again; who took them gives them back."""
    return with_keys_for(command, rebindable()[command].declared)


def _put(chosen: dict[str, tuple[str, ...]], command: str, keys: tuple[str, ...]) -> None:
    if _same(keys, rebindable()[command].declared):
        chosen.pop(command, None)
    else:
        chosen[command] = keys


def _having(key: str) -> list[Rebindable]:
    wanted = QKeySequence(key)
    return [entry for entry in rebindable().values() if any(QKeySequence(known) == wanted for known in entry.keys)]


def _same(one: Sequence[str], other: Sequence[str]) -> bool:
    return [QKeySequence(key).toString() for key in one] == [QKeySequence(key).toString() for key in other]
