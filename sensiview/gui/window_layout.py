"""Where panes are and how large the window is, kept between starts in a small file of the user's folder."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QMainWindow

from sensiview import locations

# Rises when docks are added or renamed: an older state would then hide them.
_VERSION = 1


def _store() -> QSettings:
    return QSettings(str(locations.home() / "window.ini"), QSettings.Format.IniFormat)


def restore_geometry(window: QMainWindow) -> bool:
    """Give the window the size and place it had; False when none is kept."""
    value = _store().value("geometry")
    return isinstance(value, QByteArray) and window.restoreGeometry(value)


def restore_docks(window: QMainWindow) -> bool:
    """Put docks and tool bars where they were; False when nothing is kept."""
    value = _store().value("docks")
    return isinstance(value, QByteArray) and window.restoreState(value, _VERSION)


def save_geometry(window: QMainWindow) -> None:
    """Keep size and place."""
    store = _store()
    store.setValue("geometry", window.saveGeometry())
    store.sync()


def save_docks(window: QMainWindow) -> None:
    """Keep where docks and tool bars are."""
    store = _store()
    store.setValue("docks", window.saveState(_VERSION))
    store.sync()


def forget_docks() -> None:
    """Start with the first layout again."""
    store = _store()
    store.remove("docks")
    store.sync()
