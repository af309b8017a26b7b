"""Every key of the panes, declared once: panes obey this table, and the sheet of shortcuts shows it.

The user may choose other keys (`sensiview.gui.key_bindings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from sensiview.gui.key_bindings import keys_of, notifier


@dataclass(frozen=True)
class Shortcut:
    """One action.

    Parameters
    ----------
    action : str
        Method of `sensiview.gui.viewer.key_commands.KeyCommands`.
    keys : tuple of str
        As `QKeySequence` reads them; the first one is shown in tool tips.
    text : str
        What it does.
    group : str
        Heading in the sheet.
    """

    action: str
    keys: tuple[str, ...]
    text: str
    group: str

    @property
    def command(self) -> str:
        """Its name among all commands whose keys can be changed."""
        return f"viewer.{self.action}"

    @property
    def in_force(self) -> tuple[str, ...]:
        """The keys that do it now."""
        return keys_of(self.command, self.keys)


SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut("next_slice", ("PgUp", "+", "=", "F"), "Next slice", "Slices"),
    Shortcut("previous_slice", ("PgDown", "-", "B"), "Previous slice", "Slices"),
    Shortcut("ten_forward", ("Shift+PgUp", "Shift+F"), "Ten slices on", "Slices"),
    Shortcut("ten_back", ("Shift+PgDown", "Shift+B"), "Ten slices back", "Slices"),
    Shortcut("cursor_left", ("Left",), "Crosshair one voxel to the left of the picture", "Crosshair"),
    Shortcut("cursor_right", ("Right",), "Crosshair one voxel to the right of the picture", "Crosshair"),
    Shortcut("cursor_up", ("Up",), "Crosshair one voxel up", "Crosshair"),
    Shortcut("cursor_down", ("Down",), "Crosshair one voxel down", "Crosshair"),
    Shortcut("centre_cursor", ("Home", "C"), "Crosshair to the middle of the volume", "Crosshair"),
    Shortcut("origin", ("Shift+Home", "Shift+C"), "Crosshair to the origin, 0 0 0 mm", "Crosshair"),
    Shortcut("crosshair", ("X",), "Show or hide the crosshair", "Crosshair"),
    Shortcut("reset_view", ("R",), "Fit the slice into the pane", "View"),
    Shortcut("reset_all", ("Shift+R",), "Fit all panes", "View"),
    Shortcut("zoom_in", ("Ctrl++", "Ctrl+="), "Zoom in at the crosshair", "View"),
    Shortcut("zoom_out", ("Ctrl+-",), "Zoom out", "View"),
    Shortcut("enlarge_axial", ("1",), "Enlarge the axial pane, or show all", "View"),
    Shortcut("enlarge_sagittal", ("2",), "Enlarge the sagittal pane, or show all", "View"),
    Shortcut("enlarge_coronal", ("3",), "Enlarge the coronal pane, or show all", "View"),
    Shortcut("enlarge_3d", ("4",), "Enlarge the 3-D pane, or show all", "View"),
    Shortcut("all_panes", ("0", "Esc"), "Show all panes; put the tool away", "View"),
    Shortcut("next_pane", ("Space",), "Next pane", "View"),
    Shortcut("radiological", ("N",), "Radiological or neurological convention", "View"),
    Shortcut("nose", ("Shift+N",), "Sagittal: nose to the left or to the right", "View"),
    Shortcut("auto_window", ("A",), "Window and level from the values", "Picture"),
    Shortcut("invert", ("I",), "Invert the colours of the active layer", "Picture"),
    Shortcut("interpolation", ("S",), "Smooth or sharp voxels", "Picture"),
    Shortcut("colour_bar", ("K",), "Show or hide the colour bar", "Picture"),
    Shortcut("overlays", ("W",), "Show or hide all overlays", "Overlays"),
    Shortcut("less_opaque", ("Q",), "Overlays more transparent", "Overlays"),
    Shortcut("more_opaque", ("E",), "Overlays more opaque", "Overlays"),
    Shortcut("outline", ("O",), "Masks and atlas as outline or filled", "Overlays"),
    Shortcut("lower_threshold", ("[",), "Lower threshold of the active overlay", "Overlays"),
    Shortcut("higher_threshold", ("]",), "Higher threshold of the active overlay", "Overlays"),
    Shortcut("tool_length", ("L",), "Measure a length", "Measuring"),
    Shortcut("tool_angle", ("G",), "Measure an angle", "Measuring"),
    Shortcut("tool_region", ("M",), "Measure a region", "Measuring"),
    Shortcut("delete_measurement", ("Del", "Backspace"), "Remove the latest measurement", "Measuring"),
)

# What the mouse does; for the sheet.
MOUSE: tuple[tuple[str, str], ...] = (
    ("Click or drag", "Move the crosshair in all panes"),
    ("Double click", "Enlarge the pane, or show all"),
    ("Wheel", "Next or previous slice"),
    ("Ctrl+wheel", "Zoom at the mouse"),
    ("Right drag", "Window (sideways) and level (up and down) of the active layer"),
    ("Middle drag, Shift+drag", "Move the picture"),
)


def shortcut(action: str) -> Shortcut:
    """Return the entry of an action; KeyError when there is none."""
    return {entry.action: entry for entry in SHORTCUTS}[action]


def action_of(event: QKeyEvent) -> str:
    """Return the action of a key event; empty when the table has none."""
    # The keypad's + is the same key to people.
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    key = Qt.Key(event.key())
    found = _table().get(QKeyCombination(modifiers, key).toCombined(), "")
    if not found and modifiers & Qt.KeyboardModifier.ShiftModifier and not event.text().isalpha():
        # Where + or ] need Shift on this keyboard.
        found = _table().get(QKeyCombination(modifiers & ~Qt.KeyboardModifier.ShiftModifier, key).toCombined(), "")
    return found


@cache
def _table() -> dict[int, str]:
    # A sequence may hold several keys, one after the other; ours hold one.
    return {_combined(QKeySequence(keys)): entry.action for entry in SHORTCUTS for keys in entry.in_force}


notifier.changed.connect(lambda: _table.cache_clear())


def _combined(sequence: Any) -> int:
    # PySide's stubs leave out that a sequence can be indexed.
    return int(sequence[0].toCombined()) if not sequence.isEmpty() else 0
