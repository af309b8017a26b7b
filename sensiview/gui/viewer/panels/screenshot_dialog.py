"""A picture of the panes: which, with or without letters, how large, to a file or the clipboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPixmap
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from sensiview.gui.dialogs.layout import form, named, row_label
from sensiview.gui.viewer.panels.saving import PICTURES, ask_file, safe_name, write_picture

if TYPE_CHECKING:
    from sensiview.gui.viewer.viewer import VolumeViewer

_PANES = (("All panes", "all"), ("Axial", "axial"), ("Coronal", "coronal"), ("Sagittal", "sagittal"), ("3-D", "3d"))
_PREVIEW = QSize(420, 300)


class ScreenshotDialog(QDialog):
    """Saves or copies what a viewer shows.

    Signals
    -------
    problem(object)
        A `SensiViewError`: the file could not be written.
    """

    problem = Signal(object)

    def __init__(self, viewer: VolumeViewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("screenshot_dialog")
        self.setWindowTitle("Save picture")
        self._viewer = viewer
        self.pane = QComboBox(self)
        named(self.pane, "screenshot_pane", "Which panes")
        for text, name in _PANES:
            if name in ("all", viewer.enlarged) or not viewer.enlarged:
                self.pane.addItem(text, name)
        self.clean = QCheckBox("Slices only, without letters, crosshair and bars", self)
        named(self.clean, "screenshot_clean", "Slices only")
        self.scale = QComboBox(self)
        named(self.scale, "screenshot_scale", "Size")
        for factor in (1, 2, 3, 4):
            self.scale.addItem(f"{factor} x the screen" if factor > 1 else "As on the screen", factor)
        self.scale.setCurrentIndex(1)
        self._preview = QLabel(self)
        self._preview.setObjectName("screenshot_preview")
        self._preview.setAccessibleName("Preview")
        self._preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._preview.setMinimumSize(_PREVIEW)
        self._size = QLabel(self)
        self._size.setObjectName("screenshot_size")
        self._size.setProperty("role", "muted")
        fields = form()
        fields.addRow(row_label("Show", self.pane, self), self.pane)
        fields.addRow(row_label("Size", self.scale, self), self.scale)
        fields.addRow("", self.clean)
        buttons = QDialogButtonBox(self)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        named(copy, "screenshot_copy", "Copy the picture")
        copy.clicked.connect(lambda *_: self.copy())
        save = buttons.addButton("Save …", QDialogButtonBox.ButtonRole.ActionRole)
        named(save, "screenshot_save", "Save the picture")
        save.clicked.connect(lambda *_: self._ask())
        buttons.addButton(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addWidget(self._preview, 1)
        column.addLayout(fields)
        column.addWidget(self._size)
        column.addWidget(buttons)
        self.pane.currentIndexChanged.connect(lambda _: self._show())
        self.scale.currentIndexChanged.connect(lambda _: self._show())
        self.clean.toggled.connect(lambda _: self._show())
        self._show()

    def image(self) -> QImage:
        """Return the picture as chosen."""
        return self._viewer.picture(
            str(self.pane.currentData()), clean=self.clean.isChecked(), scale=int(self.scale.currentData())
        )

    def copy(self) -> None:
        """Copy the picture."""
        QGuiApplication.clipboard().setImage(self.image())

    def save(self, path: Path) -> None:
        """Write the picture; what goes wrong is told."""
        write_picture(self.image(), path, self.problem.emit)

    def _ask(self) -> None:
        name = safe_name(f"{self._viewer.scene.title} {self.pane.currentData()}")
        ask_file(self, "Save picture", f"{name}.png", PICTURES, self.save)

    def _show(self) -> None:
        image = self._viewer.picture(str(self.pane.currentData()), clean=self.clean.isChecked(), scale=1)
        shown = QPixmap.fromImage(image).scaled(
            _PREVIEW, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        self._preview.setPixmap(shown)
        factor = int(self.scale.currentData())
        self._size.setText(f"{image.width() * factor} x {image.height() * factor} pixels")
