"""The menu of display ranges: from the values, thresholds of a map, and the windows of each modality."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from sensiview.gui.viewer.panels import windows
from sensiview.gui.viewer.panels.windows import Preset
from sensiview.gui.viewer.scene import Layer, Scene


def offer(menu: QMenu, text: str, name: str, call: Callable[..., object]) -> QAction:
    """Add an entry under a name for tests and scripts."""
    action = menu.addAction(text)
    action.setObjectName(name.lower().replace(" ", "_"))
    action.triggered.connect(lambda: call())
    return action


def fill_window_menu(
    menu: QMenu, layer: Layer, scene: Scene, own_presets: Sequence[Preset], use: Callable[[Preset], None]
) -> None:
    """Offer ranges for a layer: its own modality's windows first, the others in menus of their own."""
    low, high = windows.auto_range(layer)
    offer(menu, "Auto (0.5 to 99.5 %)", "window_auto", lambda: scene.set_look(layer.key, low=low, high=high))
    least, most = windows.full_range(layer)
    offer(menu, "Full range", "window_full", lambda: scene.set_look(layer.key, low=least, high=most))
    if layer.role != "underlay":
        menu.addSeparator()
        for share in (0.01, 0.05, 0.1):
            cut = windows.top_share(layer, share)
            offer(
                menu, f"Threshold: top {share:.0%}", f"threshold_top_{share:.0%}".rstrip("%"),
                lambda cut=cut: scene.set_look(layer.key, threshold=cut),
            )  # fmt: skip
    menu.addSeparator()
    own = windows.modality_of(layer)
    for modality in sorted(windows.MODALITIES, key=lambda m: m != own):
        presets = [p for p in (*windows.PRESETS, *own_presets) if p.modality == modality]
        target = menu if modality == own else menu.addMenu(modality)
        for preset in presets:
            text = f"{preset.name}\tW {preset.width:g}  L {preset.level:g}"
            offer(target, text, f"window_{preset.name}", lambda preset=preset: use(preset))
        if target is not menu:
            target.menuAction().setVisible(bool(presets))
