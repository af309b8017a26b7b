"""What the keys and buttons of the workbench do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from sensiview.gui.key_bindings import keys_of, with_keys

if TYPE_CHECKING:
    from sensiview.gui.viewer.workbench import ViewerWorkbench

# Text and keys; the method is the key. Single letters reach us only when the panes have no use for them.
KEYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "next_case": ("Next case", ("Ctrl+PgDown",)),
    "previous_case": ("Previous case", ("Ctrl+PgUp",)),
    "go_to_place": ("Type where to go", ("Ctrl+G",)),
    "find_region": ("Find a region by name", ("Ctrl+Shift+F",)),
    "go_to_peak": ("Peak of the topmost map", ("P",)),
    "next_place": ("Next region, cluster or local peak", (".",)),
    "previous_place": ("Previous region, cluster or local peak", (",",)),
    "undo": ("Take the last change of the view back", ("Ctrl+Z",)),
    "redo": ("Make it again", ("Ctrl+Shift+Z", "Ctrl+Y")),
    "toggle_side": ("Show or hide the panels", ("T",)),
    "screenshot": ("Save a picture", ("Ctrl+Shift+P",)),
    "copy_picture": ("Copy a picture", ("Ctrl+Shift+C",)),
    "lightbox": ("Many slices at once", ("Ctrl+L",)),
    "shortcut_sheet": ("This page", ("?", "Shift+?")),
}


class WorkbenchCommands:
    """One method for each entry of `KEYS`."""

    def __init__(self, bench: ViewerWorkbench) -> None:
        self._bench = bench

    def run(self, name: str) -> None:
        """Do a command by its name."""
        getattr(self, name)()

    def next_case(self) -> None:
        """Open the next case of those listed."""
        self._bench.side.cases.step(1)

    def previous_case(self) -> None:
        """Open the previous case of those listed."""
        self._bench.side.cases.step(-1)

    def go_to_place(self) -> None:
        """Let the user type coordinates."""
        self._reveal("regions", self._bench.side.go_to.field)

    def find_region(self) -> None:
        """Let the user type a region's name."""
        self._reveal("regions", self._bench.side.atlas.search)

    def go_to_peak(self) -> None:
        """Go to the largest magnitude of the topmost map."""
        maps = [layer for layer in self._bench.scene.layers if layer.role in ("overlay", "mask") and layer.look.visible]
        if maps:
            self._bench.side.go_to.go_to_peak(maps[-1].key)

    def next_place(self) -> None:
        """Go to the next region, cluster or local peak."""
        self._bench.side.go_to.step(1)

    def previous_place(self) -> None:
        """Go to the previous region, cluster or local peak."""
        self._bench.side.go_to.step(-1)

    def undo(self) -> None:
        """Take the last change of the view back."""
        self._bench.history.undo()

    def redo(self) -> None:
        """Make the change again."""
        self._bench.history.redo()

    def toggle_side(self) -> None:
        """Show or hide the panels."""
        self._bench.side.setVisible(self._bench.side.isHidden())

    def screenshot(self) -> None:
        """Ask how to save a picture."""
        self._bench.pictures.ask_screenshot()

    def copy_picture(self) -> None:
        """Copy the panes as they are seen."""
        self._bench.pictures.copy()

    def lightbox(self) -> None:
        """Open the mosaic of slices."""
        self._bench.pictures.open_lightbox()

    def shortcut_sheet(self) -> None:
        """Show all keys."""
        self._bench.pictures.open_shortcuts([(KEYS[name][0], keys_in_force(name)) for name in KEYS])

    def _reveal(self, tab: str, field: QWidget) -> None:
        self._bench.side.show()
        self._bench.side.open_tab(tab)
        field.setFocus()


def keys_in_force(name: str) -> tuple[str, ...]:
    """Return the keys that do a command of `KEYS` now."""
    return keys_of(f"viewer.{name}", KEYS[name][1])


def tip(name: str, text: str = "") -> str:
    """Return a tool tip with the key behind it; the command's own text without another."""
    return with_keys(text or KEYS[name][0], f"viewer.{name}", KEYS[name][1])


def command_of(event: QKeyEvent) -> str:
    """Return the command of a key event; empty when we have none."""
    pressed = QKeySequence(event.keyCombination())
    for name in KEYS:
        if any(QKeySequence(key) == pressed for key in keys_in_force(name)):
            return name
    return ""
