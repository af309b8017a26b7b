"""The layers panel: which layers there are, in which order, and how the chosen one is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QActionGroup, QResizeEvent
from PySide6.QtWidgets import (
    QLabel,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from sensiview.gui.flow_layout import FlowLayout
from sensiview.gui.viewer.panels import windows
from sensiview.gui.viewer.panels.buttons import menu_button, tool_button
from sensiview.gui.viewer.panels.layer_list import LayerList
from sensiview.gui.viewer.panels.linked_looks import LinkedLooks
from sensiview.gui.viewer.panels.look_form import LookForm
from sensiview.gui.viewer.panels.window_menu import fill_window_menu, offer
from sensiview.gui.viewer.panels.windows import Preset
from sensiview.gui.viewer.scene import Layer, Scene

_ROLES = (
    ("underlay", "Underlay", "The anatomy below everything"), ("overlay", "Overlay", "A map with a threshold"),
    ("mask", "Mask", "A share from 0 to 1"),
)  # fmt: skip


class LayersPanel(QWidget):
    """List of layers, buttons, and the look of the chosen layer.

    The user's own windows are kept by `state`.
    """

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layers_panel")
        self.scene = scene
        self.own_presets: list[Preset] = []
        self.links = LinkedLooks(scene, self)
        self.list = LayerList(scene, self.links, self)
        self.form = LookForm(scene, self)
        self._name = QLabel(self)
        self._name.setObjectName("chosen_layer")
        self._name.setProperty("role", "subheading")
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._window = menu_button(self, "layer_windows", "Window", "Display ranges by name", self._fill_windows)
        tip = "Reset: draw this layer as at first"
        self._reset = tool_button(self, "layer_reset", "", tip, self._reset_look, picture="restore")
        self._solo = tool_button(
            self, "layer_solo", "Solo", "Show this layer alone, or all again (Alt+Space)", self._alone
        )
        tip = "Link: linked layers are drawn alike"
        self._link = tool_button(self, "layer_link", "", tip, self._toggle_link, picture="link")
        self._link.setCheckable(True)
        self._more = menu_button(self, "layer_more", "More", "Move, rename, remove, show as", self._fill_more)
        self._arrange()
        self.form.wanted.connect(self._change)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._chosen())
        scene.layers_changed.connect(self._layers_changed)
        scene.look_changed.connect(self._look_changed)
        scene.active_changed.connect(self._follow_active)
        self.links.changed.connect(self._show)
        self._layers_changed()

    def chosen(self) -> Layer | None:
        """Return the layer that the controls are about."""
        key = self.list.current_key()
        return next((layer for layer in self.scene.layers if layer.key == key), None)

    def choose(self, key: str) -> None:
        """Choose a layer."""
        self.list.choose(key)

    def use(self, preset: Preset) -> None:
        """Give the chosen layer the range of a preset."""
        layer = self.chosen()
        if layer is not None:
            low = 0.0 if layer.look.signed else preset.low
            self.scene.set_look(layer.key, low=low, high=preset.high)

    def keep_window(self, name: str) -> None:
        """Keep the chosen layer's range under a name, in place of an earlier one of that name."""
        layer = self.chosen()
        if layer is not None and name.strip():
            low = -layer.look.high if layer.look.signed else layer.look.low
            made = Preset(name.strip(), low, layer.look.high, windows.modality_of(layer))
            self.own_presets = [p for p in self.own_presets if p.name != made.name] + [made]

    def state(self) -> dict[str, Any]:
        """Return the user's own windows as JSON values."""
        return {"windows": [preset.to_plain() for preset in self.own_presets]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; a window that can't be read is dropped."""
        kept = []
        for values in state.get("windows", []):
            try:
                kept.append(Preset.from_plain(values))
            except (KeyError, TypeError, ValueError):
                continue
        self.own_presets = kept

    def _change(self, changes: dict[str, Any]) -> None:
        layer = self.chosen()
        if layer is None:
            return
        if changes.get("signed"):
            # A grey or one-sided map would hide the sign that the switch is there to show.
            changes = {**changes, "colour_map": "blue_red", "low": 0.0}
            changes["high"] = max(abs(layer.look.low), abs(layer.look.high)) or 1.0
        elif changes.get("signed") is False:
            changes = {**changes, "colour_map": "hot"}
        self.scene.set_look(layer.key, **changes)

    def _layers_changed(self) -> None:
        active = self.scene.active
        top = self.scene.layers[-1].key if self.scene.layers else ""
        wanted = self.list.current_key() or self._last_key
        if self.list.layers.row_of(wanted) < 0:
            wanted = active.key if active is not None else top
        self.list.choose(wanted)
        self._divide()
        self._show()

    _last_key = ""
    _divided_by_user = False

    def _keep_division(self) -> None:
        self._divided_by_user = True

    def _divide(self) -> None:
        """Give the list the height of its rows, so that the form below has the rest; until the user drags."""
        if not self._divided_by_user:
            row = max(28, self.fontMetrics().height() + 12)
            wanted = min(6, max(2, len(self.scene.layers))) * row + 8
            self._splitter.setSizes([wanted, max(300, self._splitter.height() - wanted)])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the list keep the height of its rows."""
        super().resizeEvent(event)
        self._divide()

    def _look_changed(self, key: str) -> None:
        if key == self.list.current_key():
            self._show()

    def _follow_active(self) -> None:
        active = self.scene.active
        if active is not None and active.key != self.list.current_key():
            self.list.choose(active.key)

    def _chosen(self) -> None:
        key = self.list.current_key()
        if key:
            self._last_key = key
            self.scene.set_active(key)
        self._show()

    def _show(self) -> None:
        layer = self.chosen()
        self.form.show_layer(layer)
        self._name.setText(layer.name if layer is not None else "No layer")
        self._name.setToolTip(layer.source if layer is not None else "")
        for button in (self._window, self._reset, self._solo, self._link, self._more):
            button.setEnabled(layer is not None)
        self._window.setVisible(layer is None or layer.role != "atlas")
        self._link.setChecked(layer is not None and layer.key in self.links)

    def _reset_look(self) -> None:
        layer = self.chosen()
        if layer is not None:
            self.scene.set_look(layer.key, **asdict(windows.reset_look(layer)))

    def _alone(self) -> None:
        self.list.solo(self.list.current_key())

    def _toggle_link(self) -> None:
        key = self.list.current_key()
        self.links.set_linked(key, key not in self.links)

    def _fill_windows(self, menu: QMenu) -> None:
        layer = self.chosen()
        assert layer is not None
        fill_window_menu(menu, layer, self.scene, self.own_presets, self.use)
        menu.addSeparator()
        offer(menu, "Keep this window …", "window_keep", self._ask_name)

    def _ask_name(self) -> None:
        from PySide6.QtWidgets import QInputDialog

        dialog = QInputDialog(self)
        dialog.setObjectName("window_name_dialog")
        dialog.setWindowTitle("Keep window")
        dialog.setLabelText("Name of this window:")
        dialog.textValueSelected.connect(self.keep_window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _fill_more(self, menu: QMenu) -> None:
        layer = self.chosen()
        assert layer is not None
        row, count = self.list.layers.row_of(layer.key), len(self.scene.layers)
        up = offer(menu, "Move up\tAlt+Up", "layer_up", lambda: self._move(layer.key, row - 1))
        up.setEnabled(row > 0)
        down = offer(menu, "Move down\tAlt+Down", "layer_down", lambda: self._move(layer.key, row + 1))
        down.setEnabled(row < count - 1)
        offer(menu, "Rename\tF2", "layer_rename", lambda: self.list.edit(self.list.currentIndex()))
        if layer.role != "atlas":
            roles = menu.addMenu("Show as")
            group = QActionGroup(roles)
            for role, text, tip in _ROLES:
                action = offer(roles, text, f"layer_as_{role}", lambda role=role: self._show_as(layer.key, role))
                action.setToolTip(tip)
                action.setCheckable(True)
                action.setChecked(layer.role == role)
                group.addAction(action)
        menu.addSeparator()
        if self.links.keys():
            offer(menu, "Link no layers", "layer_unlink_all", self._unlink)
        offer(menu, "Show all layers", "layer_show_all", self._show_all)
        offer(menu, "Remove from the view\tDel", "layer_remove", lambda: self.scene.remove_layer(layer.key))

    def _move(self, key: str, row: int) -> None:
        self.list.layers.move(key, row)
        self.list.choose(key)

    def _show_as(self, key: str, role: Any) -> None:
        self.scene.set_layer(replace(self.scene.layer(key), role=role))
        self.list.choose(key)

    def _unlink(self) -> None:
        for key in self.links.keys():  # noqa: SIM118 - not a dictionary
            self.links.set_linked(key, False)

    def _show_all(self) -> None:
        for layer in self.scene.layers:
            self.scene.set_look(layer.key, visible=True)

    def _arrange(self) -> None:
        tools = FlowLayout(across=2, down=2)
        for button in (self._window, self._reset, self._solo, self._link, self._more):
            tools.addWidget(button)
        below = QWidget(self)
        column = QVBoxLayout(below)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(6)
        column.addWidget(self._name)
        column.addLayout(tools)
        column.addWidget(self.form)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setObjectName("look_area")
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(below)
        splitter = self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        splitter.setObjectName("layers_splitter")
        splitter.setChildrenCollapsible(False)
        self.list.setMinimumHeight(64)
        splitter.addWidget(self.list)
        splitter.addWidget(area)
        splitter.setStretchFactor(1, 1)
        splitter.splitterMoved.connect(self._keep_division)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)
