"""The viewer's tool bar: the commands that are used all the time, each with its key in the tool tip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton

from sensiview.gui.icons import icon
from sensiview.gui.key_bindings import native, notifier
from sensiview.gui.viewer.shortcut_table import shortcut

if TYPE_CHECKING:
    from sensiview.gui.viewer.viewer import VolumeViewer

_TOOLS = (
    ("cursor", "all_panes", "viewer_cursor", "Crosshair", "Click and drag move the crosshair"),
    ("length", "tool_length", "viewer_length", "Length", "Drag to measure a length in mm"),
    ("angle", "tool_angle", "viewer_angle", "Angle", "Click three points to measure an angle"),
    ("region", "tool_region", "viewer_region", "Region", "Drag a region: mean, deviation, area, volume"),
)
_SWITCHES = (
    ("radiological", "radiological", "Radiological", "The patient's right is on the left of the picture"),
    ("nose_left", "nose", "Nose to the left", "In the sagittal pane"),
    ("crosshair", "crosshair", "Crosshair", "Lines through the point that all panes show"),
    ("letters", "", "Letters at the edges", "L R A P S I"),
    ("scale_bar", "", "Scale bar", "In mm"),
    ("colour_bar", "colour_bar", "Colour bar", "Of the overlays"),
)


class ViewerToolBar(QToolBar):
    """Tools, fit, window, picture; follows the scene's options."""

    def __init__(self, viewer: VolumeViewer) -> None:
        super().__init__("Viewer", viewer)
        self._viewer = viewer
        self._scene = viewer.scene
        self.setObjectName("viewer_tool_bar")
        self.setAccessibleName("Viewer tools")
        self.setIconSize(QSize(18, 18))
        self.setMovable(False)
        self.actions_by_key: dict[str, QAction] = {}
        self._keys_of: dict[str, str] = {}  # by action: the entry of the table of shortcuts
        self._add_tools()
        self.addSeparator()
        self._add("reset_all", "viewer_fit", "Fit", "Show whole slices in all panes")
        self._add("centre_cursor", "target", "Centre", "Crosshair to the middle of the volume")
        self.addSeparator()
        self._add("auto_window", "viewer_window", "Auto window", "Window and level from the values")
        self._add("invert", "viewer_invert", "Invert", "Invert the colours of the active layer")
        self._add("interpolation", "viewer_smooth", "Smooth", "Interpolate between voxels").setCheckable(True)
        self._add("overlays", "eye", "Overlays", "Show or hide all overlays").setCheckable(True)
        self._add("outline", "viewer_outline", "Outline", "Masks and atlases as outline").setCheckable(True)
        self.addSeparator()
        self._add("radiological", "viewer_sides", "Sides", "Radiological or neurological convention")
        self._add_options()
        self._scene.options_changed.connect(self.follow)
        self._scene.layers_changed.connect(self.follow)
        self._scene.look_changed.connect(self.follow)
        notifier.changed.connect(self.show_keys)
        self.show_keys()
        self.follow()

    def show_keys(self) -> None:
        """Write the keys in force into the tool tips."""
        for key, action in self.actions_by_key.items():
            keys = shortcut(self._keys_of[key]).in_force if self._keys_of[key] else ()
            action.setToolTip(f"{action.text()}{f' ({native(keys[0])})' if keys else ''}\n{action.statusTip()}")

    def follow(self, *_: object) -> None:
        """Check what is on."""
        options, layers = self._scene.options, self._scene.layers
        actions = self.actions_by_key
        actions[f"tool_{options.tool}"].setChecked(True)
        for field, *_rest in _SWITCHES:
            actions[f"show_{field}"].setChecked(bool(getattr(options, field)))
        for shape in ("ellipse", "rectangle"):
            actions[f"region_{shape}"].setChecked(options.region_shape == shape)
        pictures = [layer for layer in layers if layer.role != "atlas"]
        above = [layer for layer in layers if layer.role != "underlay"]
        outlined = [layer for layer in layers if layer.role in ("mask", "atlas")]
        actions["interpolation"].setChecked(bool(pictures) and all(layer.look.interpolate for layer in pictures))
        actions["overlays"].setChecked(any(layer.look.visible for layer in above))
        actions["overlays"].setEnabled(bool(above))
        actions["outline"].setChecked(bool(outlined) and all(layer.look.outline for layer in outlined))
        actions["outline"].setEnabled(bool(outlined))
        for key in ("reset_all", "centre_cursor", "auto_window", "invert", "interpolation"):
            actions[key].setEnabled(bool(layers))

    def _make(self, key: str, picture: str, text: str, tip: str, keys_of: str = "") -> QAction:
        action = QAction(icon(picture), text, self)
        action.setObjectName(f"action_viewer_{key}")
        action.setStatusTip(tip)
        self.actions_by_key[key] = action
        self._keys_of[key] = keys_of
        return action

    def _add(self, key: str, picture: str, text: str, tip: str) -> QAction:
        action = self._make(key, picture, text, tip, key)
        action.triggered.connect(lambda: self._viewer.do(key))
        self.addAction(action)
        self._name_button(action)
        return action

    def _add_tools(self) -> None:
        group = QActionGroup(self)
        for tool, keys_of, picture, text, tip in _TOOLS:
            action = self._make(f"tool_{tool}", picture, text, tip, keys_of if tool != "cursor" else "")
            action.setCheckable(True)
            action.setActionGroup(group)
            action.triggered.connect(lambda _=False, t=tool: self._scene.set_options(tool=t))
            self.addAction(action)
            self._name_button(action)
        button = self.widgetForAction(self.actions_by_key["tool_region"])
        if isinstance(button, QToolButton):
            menu, shapes = QMenu(button), QActionGroup(self)
            for shape, text in (("ellipse", "Ellipse"), ("rectangle", "Rectangle")):
                action = self._make(f"region_{shape}", "viewer_region", text, f"Regions are drawn as {shape}")
                action.setCheckable(True)
                action.setActionGroup(shapes)
                action.triggered.connect(
                    lambda _=False, s=shape: self._scene.set_options(tool="region", region_shape=s)
                )
                menu.addAction(action)
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def _add_options(self) -> None:
        button = QToolButton(self)
        button.setObjectName("viewer_options")
        button.setAccessibleName("What the panes show")
        button.setToolTip("What the panes show")
        button.setIcon(icon("preferences"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        menu = QMenu(button)
        for field, keys_of, text, tip in _SWITCHES:
            action = self._make(f"show_{field}", "eye", text, tip, keys_of)
            action.setCheckable(True)
            action.toggled.connect(lambda on, f=field: self._scene.set_options(**{f: on}))
            menu.addAction(action)
        button.setMenu(menu)
        self.addWidget(button)

    def _name_button(self, action: QAction) -> None:
        button = self.widgetForAction(action)
        button.setObjectName(action.objectName().replace("action_", "button_"))
        button.setAccessibleName(action.text())
