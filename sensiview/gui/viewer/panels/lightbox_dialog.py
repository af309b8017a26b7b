"""Choosing what a mosaic shows, looking at it, saving it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from sensiview.errors import SensiViewError
from sensiview.gui.dialogs.layout import form, named, row_label
from sensiview.gui.viewer.lightbox import MOST_TILES, Mosaic, draw_mosaic, extent
from sensiview.gui.viewer.panels.saving import PICTURES, ask_file, safe_name, write_picture
from sensiview.gui.viewer.scene import Axis, Scene

_PLANES: tuple[tuple[str, Axis], ...] = (("Axial", 2), ("Coronal", 1), ("Sagittal", 0))
_CHECKS = (
    ("overlays", "Overlays", "Maps, masks and atlases"),
    ("labels", "Millimetres", "The place of each slice"),
    ("letters", "Letters", "L R A P S I"),
    ("locator", "Locator", "A last picture shows where the slices lie"),
    ("colour_bar", "Colour bar", "Of the topmost map"),
    ("crop", "Crop", "Leave out the empty margin"),
)


class _Preview(QWidget):
    """A picture that fills its place and keeps its shape."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("lightbox_preview")
        self.setAccessibleName("Preview of the mosaic")
        self.picture = QPixmap()
        self.setMinimumSize(320, 240)

    def sizeHint(self) -> QSize:
        """Ask for a good part of the screen."""
        return QSize(760, 560)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture in the middle, on black."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        if self.picture.isNull():
            return
        ratio = self.devicePixelRatioF()
        shown = self.picture.scaled(
            self.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        shown.setDevicePixelRatio(ratio)
        size = shown.deviceIndependentSize()
        painter.drawPixmap(int((self.width() - size.width()) / 2), int((self.height() - size.height()) / 2), shown)


class LightboxDialog(QDialog):
    """A mosaic of the scene as it is: it follows looks and layers while it is open.

    Signals
    -------
    problem(object)
        A `SensiViewError`: the picture could not be written.
    """

    problem = Signal(object)

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lightbox_dialog")
        self.setWindowTitle("Mosaic of slices")
        self._scene = scene
        self._filling = False
        self.preview = _Preview(self)
        self._wait = QTimer(self, singleShot=True, interval=60)
        self._wait.timeout.connect(self.draw)
        self.plane = QComboBox(self)
        named(self.plane, "lightbox_plane", "Plane")
        for text, axis in _PLANES:
            self.plane.addItem(text, axis)
        self.rows = self._count("lightbox_rows", "Rows", 4)
        self.columns = self._count("lightbox_columns", "Columns", 6)
        self.first = self._place("lightbox_first", "First slice, mm")
        self.last = self._place("lightbox_last", "Last slice, mm")
        self.step = self._place("lightbox_step", "Distance of slices, mm")
        self.step.setMinimum(0.01)
        self.scale = QComboBox(self)
        named(self.scale, "lightbox_scale", "Resolution of the saved picture")
        for text, factor in (("1 pixel per mm", 1.0), ("2 pixels per mm", 2.0), ("4 pixels per mm", 4.0)):
            self.scale.addItem(text, factor)
        self.scale.setCurrentIndex(1)
        self.checks = {name: QCheckBox(text, self) for name, text, _ in _CHECKS}
        for name, text, tip in _CHECKS:
            named(self.checks[name], f"lightbox_{name}", text, tip)
            self.checks[name].setChecked(True)
            self.checks[name].toggled.connect(lambda _: self._later())
        self._size = QLabel(self)
        self._size.setObjectName("lightbox_size")
        self._size.setProperty("role", "muted")
        self._arrange()
        self.plane.currentIndexChanged.connect(lambda _: self._whole())
        self.rows.valueChanged.connect(lambda _: self._counted())
        self.columns.valueChanged.connect(lambda _: self._counted())
        self.first.valueChanged.connect(lambda _: self._ranged())
        self.last.valueChanged.connect(lambda _: self._ranged())
        self.step.valueChanged.connect(lambda _: self._stepped())
        self.checks["locator"].toggled.connect(lambda _: self._ranged())
        self.scale.currentIndexChanged.connect(lambda _: self._later())
        for signal in (scene.layers_changed, scene.look_changed, scene.options_changed):
            signal.connect(lambda *_: self._later())
        scene.grid_changed.connect(self._whole)
        self._whole()

    def mosaic(self) -> Mosaic:
        """Return what is chosen."""
        chosen = {name: box.isChecked() for name, box in self.checks.items()}
        return Mosaic(
            axis=self.plane.currentData(), rows=self.rows.value(), columns=self.columns.value(),
            first=self.first.value(), last=self.last.value(), **chosen,
        )  # fmt: skip

    def draw(self) -> None:
        """Draw the preview at about the screen's resolution."""
        self._wait.stop()
        if not self._scene.layers or not self.isVisible():
            return
        what = self.mosaic()
        grid = self._scene.grid
        widest = max(n * s for n, s in zip(grid.shape, grid.spacing, strict=True))
        room = max(self.preview.width() / what.columns, 40) * self.devicePixelRatioF()
        image = draw_mosaic(self._scene, what, scale=min(room / widest * 1.5, float(self.scale.currentData())))
        self.preview.picture = QPixmap.fromImage(image)
        self.preview.update()
        self._size.setText(f"{what.count} slices, {what.step:.1f} mm apart")

    def image(self) -> Any:
        """Return the mosaic at the chosen resolution."""
        return draw_mosaic(self._scene, self.mosaic(), scale=float(self.scale.currentData()))

    def copy(self) -> None:
        """Copy the mosaic at the chosen resolution."""
        QGuiApplication.clipboard().setImage(self.image())

    def save(self, path: Path) -> None:
        """Write the mosaic; what goes wrong is told."""
        write_picture(self.image(), path, self._tell)

    def showEvent(self, event: Any) -> None:
        """Draw when it comes."""
        super().showEvent(event)
        self._later()

    def resizeEvent(self, event: Any) -> None:
        """Draw anew at another size."""
        super().resizeEvent(event)
        self._later()

    def _tell(self, error: SensiViewError) -> None:
        self.problem.emit(error)

    def _later(self) -> None:
        self._wait.start()

    def _whole(self) -> None:
        axis: Axis = self.plane.currentData()
        first, last = extent(self._scene, axis)
        self._set(self.first, first)
        self._set(self.last, last)
        self._ranged()

    def _counted(self) -> None:
        if self.rows.value() * self.columns.value() > MOST_TILES:
            self.columns.setValue(MOST_TILES // self.rows.value())
        self._ranged()

    def _ranged(self) -> None:
        self._set(self.step, self.mosaic().step)
        self._later()

    def _stepped(self) -> None:
        what = self.mosaic()
        direction = 1.0 if what.last >= what.first else -1.0
        self._set(self.last, what.first + direction * self.step.value() * (what.count - 1))
        self._later()

    @staticmethod
    def _set(box: QDoubleSpinBox, value: float) -> None:
        box.blockSignals(True)
        box.setValue(value)
        box.blockSignals(False)

    def _count(self, name: str, spoken: str, value: int) -> QSpinBox:
        box = QSpinBox(self)
        named(box, name, spoken)
        box.setRange(1, 20)
        box.setValue(value)
        return box

    def _place(self, name: str, spoken: str) -> QDoubleSpinBox:
        box = QDoubleSpinBox(self)
        named(box, name, spoken)
        box.setRange(-10_000, 10_000)
        box.setDecimals(1)
        box.setSuffix(" mm")
        box.setKeyboardTracking(False)
        return box

    def _ask(self) -> None:
        plane = self.plane.currentText().lower()
        ask_file(self, "Save mosaic", f"{safe_name(f'{self._scene.title} {plane}')}.png", PICTURES, self.save)

    def _arrange(self) -> None:
        fields = form()
        pairs: tuple[tuple[str, QWidget], ...] = (
            ("Plane", self.plane), ("Rows", self.rows), ("Columns", self.columns), ("From", self.first),
            ("To", self.last), ("Step", self.step), ("Saved at", self.scale),
        )  # fmt: skip
        for text, widget in pairs:
            fields.addRow(row_label(text, widget, self), widget)
        fields.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addLayout(fields)
        for box in self.checks.values():
            left.addWidget(box)
        left.addWidget(self._size)
        left.addStretch(1)
        buttons = QDialogButtonBox(self)
        for text, name, call in (("Copy", "lightbox_copy", self.copy), ("Save …", "lightbox_save", self._ask)):
            button = buttons.addButton(text, QDialogButtonBox.ButtonRole.ActionRole)
            named(button, name, text)
            button.clicked.connect(_plain(call))
        close = buttons.addButton(QDialogButtonBox.StandardButton.Close)
        close.setObjectName("close_dialog_button")
        buttons.rejected.connect(self.reject)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addLayout(left)
        top.addWidget(self.preview, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addLayout(top, 1)
        column.addWidget(buttons)


def _plain(call: Callable[[], None]) -> Callable[..., None]:
    return lambda *_: call()
