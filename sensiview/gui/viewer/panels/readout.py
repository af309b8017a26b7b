"""The line below the panes: where the cursor is, what every visible layer says there, in which region it lies."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QWidget

from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.viewer.panels.position import millimetre_text, signed_text, voxel_text
from sensiview.gui.viewer.scene import Layer, Millimetres, Scene

_LONGEST_NAME = 24
_SHORT_NAME = 10
_USUAL_REGION = 12
_DIGITS = "-0000.0"
_BETWEEN, _GAP = "   ", 14


class Readout(QFrame):
    """Position in mm and voxels, values with units, and atlas regions under the cursor, in one line.

    The context menu copies the position or all of it.
    """

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewer_readout")
        self.setAccessibleName("Read-out at the cursor")
        self._scene = scene
        self._place = QLabel(self)
        self._place.setObjectName("readout_place")
        self._place.setAccessibleName("Position in millimetres")
        self._voxel = QLabel(self)
        self._voxel.setObjectName("readout_voxel")
        self._voxel.setAccessibleName("Voxel of the file")
        self._voxel.setProperty("role", "muted")
        for label, widest in ((self._place, "R 000.0  A 000.0  S 000.0 mm"), (self._voxel, "(000, 000, 000)")):
            # A fixed width, or everything to the right would jump with every digit.
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest))
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self._values = ElidedLabel(parent=self)
        self._values.setObjectName("readout_values")
        self._values.setAccessibleName("Values of the visible layers")
        self._region = ElidedLabel(parent=self)
        self._region.setObjectName("readout_region")
        self._region.setAccessibleName("Atlas region")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(8, 3, 8, 3)
        self._grid.setHorizontalSpacing(_GAP)
        self._grid.setVerticalSpacing(1)
        self._in_two = False
        self._place_labels(in_two=False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._offer("Copy position", "copy_position", lambda: signed_text(self._scene.cursor))
        self._offer("Copy read-out", "copy_readout", self.text)
        for signal in (scene.cursor_changed, scene.layers_changed, scene.grid_changed):
            signal.connect(self._update)
        scene.look_changed.connect(self._update)
        self._update()

    def text(self) -> str:
        """Return everything it says, tab-separated: position, voxel, values, regions."""
        parts = (label.text() for label in (self._place, self._voxel, self._values, self._region))
        return "\t".join(part for part in parts if part)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take a second line where one is too short."""
        super().resizeEvent(event)
        self._choose_lines()
        self._say_values()

    def showEvent(self, event: QShowEvent) -> None:
        """Arrange what came while nobody looked."""
        super().showEvent(event)
        self._choose_lines()
        self._say_values()

    def _choose_lines(self) -> None:
        # By what there is to say, not by its length at this place: panes must not jump while the cursor moves.
        metrics = self.fontMetrics()
        atlases = sum(layer.role == "atlas" for layer in self._scene.layers)
        region = atlases * metrics.horizontalAdvance("n" * _USUAL_REGION)
        beside = self._place.minimumWidth() + self._voxel.minimumWidth() + 3 * _GAP + 16
        needed = self._room_for(_SHORT_NAME) + max(region, self._room_for(_SHORT_NAME) * 2 // 3 if atlases else 0)
        in_two = self.isVisible() and beside + needed > self.width()
        if in_two != self._in_two:
            self._place_labels(in_two=in_two)

    def _shown(self) -> list[Layer]:
        layers = reversed(self._scene.layers)
        return [layer for layer in layers if layer.look.visible and layer.role != "atlas"]

    def _room_for(self, longest: int) -> int:
        """Return the width of all values, however many digits they have, with names of at most so many letters."""
        texts = [f"{shortened(layer.name, longest)} {_DIGITS} {layer.unit}" for layer in self._shown()]
        return self.fontMetrics().horizontalAdvance(_BETWEEN.join(texts))

    def _say_values(self) -> None:
        """Write the values; where room is scarce names become shorter, for a number that is cut off is a wrong one."""
        shown = self._shown()
        room = self._values.width()
        lengths = (_LONGEST_NAME, 18, 14, _SHORT_NAME, 7, 4)
        longest = next((length for length in lengths if self._room_for(length) <= room), lengths[-1])
        self._values.setText(_BETWEEN.join(_value(layer, self._scene, longest) for layer in shown))
        self._values.setToolTip("\n".join(_value(layer, self._scene, 200) for layer in shown))

    def _place_labels(self, *, in_two: bool) -> None:
        self._in_two = in_two
        labels = (self._place, self._voxel, self._values, self._region)
        places = (
            ((0, 0, 1), (0, 1, 1), (1, 0, 2), (1, 2, 1)) if in_two else ((0, 0, 1), (0, 1, 1), (0, 2, 1), (0, 3, 1))
        )
        for label, (row, column, span) in zip(labels, places, strict=True):
            self._grid.removeWidget(label)
            self._grid.addWidget(label, row, column, 1, span)
        stretches = (0, 3, 2, 0) if in_two else (0, 0, 3, 2)
        for column, stretch in enumerate(stretches):
            self._grid.setColumnStretch(column, stretch)
        self._grid.activate()

    def _update(self) -> None:
        scene = self._scene
        self._place.setText(millimetre_text(scene.cursor))
        self._place.setToolTip(f"RAS {signed_text(scene.cursor)} mm: right, anterior and superior are positive")
        self._voxel.setText(voxel_text(scene.file_voxel))
        self._voxel.setToolTip("Voxel (i, j, k) of the file, counted from 0")
        self._region.setText(region_text(scene))
        self._region.setVisible(bool(self._region.text()))
        self._choose_lines()
        self._grid.activate()
        self._say_values()

    def _offer(self, text: str, name: str, content: object) -> None:
        action = QAction(text, self)
        action.setObjectName(name)
        assert callable(content)
        action.triggered.connect(lambda: QGuiApplication.clipboard().setText(str(content())))
        self.addAction(action)


def region_text(scene: Scene, mm: Millimetres | None = None) -> str:
    """Return the region of every atlas at a point (the cursor), with the atlas's name where there are several."""
    atlases = [layer for layer in scene.layers if layer.role == "atlas"]
    named = []
    for atlas in atlases:
        _, name = region_at(atlas, scene, mm)
        named.append(f"{shortened(atlas.name)}: {name or 'no region'}" if len(atlases) > 1 else name or "no region")
    return "   ".join(named)


def region_at(atlas: Layer, scene: Scene, mm: Millimetres | None = None) -> tuple[int, str]:
    """Return label and name of the region at a point (the cursor); (0, "") outside all."""
    value = atlas.value_at(scene.cursor if mm is None else mm, scene.grid)
    label = int(value) if math.isfinite(value) else 0
    return label, atlas.names.get(label, f"label {label}") if label else ""


def shortened(name: str, longest: int = _LONGEST_NAME) -> str:
    """Return a layer's name short enough for a line that holds several."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _value(layer: Layer, scene: Scene, longest: int) -> str:
    value = layer.value_at(scene.cursor, scene.grid)
    text = with_unit_behind(short(value), layer.unit) if math.isfinite(value) else "no value"
    return f"{shortened(layer.name, longest)} {text}"
