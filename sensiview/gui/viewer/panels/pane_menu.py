"""The menu of a right click into a pane: what one does at a place, with the keys that do the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from sensiview.gui.key_bindings import native
from sensiview.gui.viewer.panels.commands import keys_in_force
from sensiview.gui.viewer.panels.position import signed_text
from sensiview.gui.viewer.panels.readout import region_text
from sensiview.gui.viewer.shortcut_table import shortcut

if TYPE_CHECKING:
    from sensiview.gui.viewer.workbench import ViewerWorkbench


def show_pane_menu(bench: ViewerWorkbench, at: QPoint, pane: str) -> None:
    """Open the menu of a pane at a global position; it deletes itself."""
    menu = pane_menu(bench, pane)
    menu.aboutToHide.connect(menu.deleteLater)
    menu.popup(at)


def pane_menu(bench: ViewerWorkbench, pane: str) -> QMenu:
    """Return the menu of a pane: ``axial``, ``sagittal`` or ``coronal``."""
    viewer, scene = bench.viewer, bench.scene
    menu = QMenu(bench)
    menu.setObjectName("pane_menu")

    def offer(name: str, text: str, call: Callable[[], object], keys: tuple[str, ...] = ()) -> None:
        action = menu.addAction(f"{text}\t{native(keys[0])}" if keys else text)
        action.setObjectName(f"pane_{name}")
        action.setEnabled(bool(scene.layers))
        action.triggered.connect(lambda: call())

    def act(action: str, text: str) -> None:
        offer(action, text, lambda: viewer.commands.run(action, viewer.panes[pane]), shortcut(action).in_force)

    clipboard = QGuiApplication.clipboard()
    offer(
        "copy_position",
        f"Copy position {signed_text(scene.cursor)}",
        lambda: clipboard.setText(signed_text(scene.cursor)),
    )
    region = region_text(scene)
    if region:
        offer("copy_region", f"Copy region: {region}", lambda: clipboard.setText(region))
    offer("copy_picture", "Copy picture of this pane", lambda: clipboard.setImage(viewer.picture(pane)))
    menu.addSeparator()
    act("auto_window", "Auto window")
    act("reset_view", "Fit this pane")
    act(f"enlarge_{pane}", "Show all panes" if viewer.enlarged else "Enlarge this pane")
    act("centre_cursor", "Crosshair to the middle")
    menu.addSeparator()
    offer("screenshot", "Save a picture…", bench.commands.screenshot, keys_in_force("screenshot"))
    offer("lightbox", "Many slices at once…", bench.commands.lightbox, keys_in_force("lightbox"))
    return menu
