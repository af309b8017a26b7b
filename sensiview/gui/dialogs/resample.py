"""Bringing all volumes of a data set onto one grid."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDialog, QFileDialog, QLineEdit, QPushButton, QWidget

from sensiview.analysis.sources import DatasetSource
from sensiview.errors import SensiViewError
from sensiview.gui.dialogs.layout import buttons, dialog_column, form, label, named
from sensiview.gui.session import Session

_TEMPLATES = (
    ("MNI152, 3 mm", "mni152_3mm"),
    ("MNI152, 2 mm", "mni152_2mm"),
    ("MNI152, 1 mm", "mni152_1mm"),
)
_INTERPOLATIONS = (
    ("Linear", "linear", "Fast; values stay within those of the volume"),
    ("Continuous (cubic spline)", "continuous", "Sharper; may overshoot a little at edges"),
    ("Nearest neighbour", "nearest", "For labels: no new values arise"),
)


class ResampleDialog(QDialog):
    """Template, interpolation and name; the volumes themselves stay as they are.

    Signals
    -------
    started
        The `RunRecord` that was queued.
    """

    started = Signal(object)

    def __init__(self, session: Session, source: DatasetSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._source = session, source
        column = dialog_column(self, "resample_dialog", "Resample volumes")
        column.addWidget(label("Resample volumes", "heading", self))
        about = (
            f"The {source.card.n_rows} volumes of '{source.card.name}' are brought onto the grid of a template by "
            "their affines and become a new data set. Nothing is registered: anatomy that is not aligned stays so."
        )
        column.addWidget(label(about, "muted", self))
        self.template = QComboBox(self)
        named(self.template, "resample_template", "Template")
        for title, key in _TEMPLATES:
            self.template.addItem(title, key)
        for name in source.card.extra.get("names", ())[:200]:
            self.template.addItem(f"Grid of {name}", name)
        self.browse = QPushButton("Other file…", self)
        named(self.browse, "resample_browse", "Choose a NIfTI file as template")
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self._ask)
        self.interpolation = QComboBox(self)
        named(self.interpolation, "resample_interpolation", "Interpolation")
        for title, key, tip in _INTERPOLATIONS:
            self.interpolation.addItem(title, key)
            self.interpolation.setItemData(self.interpolation.count() - 1, tip, 3)
        self.name = QLineEdit(f"{source.card.name}, resampled", self)
        named(self.name, "dataset_name", "Name of the new data set")
        fields = form()
        fields.addRow("&Template", self.template)
        fields.addRow("", self.browse)
        fields.addRow("&Interpolation", self.interpolation)
        fields.addRow("&Name", self.name)
        column.addLayout(fields)
        self.problem = label("", "error", self, name="resample_problem")
        self.problem.hide()
        column.addWidget(self.problem)
        column.addStretch(1)
        box, _main = buttons(self, "Resample", "resample_start_button")
        box.accepted.connect(self._start)
        column.addWidget(box)
        self.setMinimumWidth(520)

    def _ask(self) -> None:
        dialog = QFileDialog(self, "Template")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Volumes (*.nii *.nii.gz *.img *.hdr)", "All files (*)"])
        dialog.fileSelected.connect(self.take_template)
        dialog.open()

    def take_template(self, path: str) -> None:
        """Offer and choose a file."""
        self.template.addItem(f"Grid of {Path(path).name}", path)
        self.template.setCurrentIndex(self.template.count() - 1)

    def _start(self) -> None:
        try:
            run = self._session.start_preparation(
                "resampling",
                dataset=self._source.id,
                parameters={
                    "template": self.template.currentData(),
                    "interpolation": self.interpolation.currentData(),
                    "name": self.name.text().strip() or f"{self._source.card.name}, resampled",
                },
                name=f"Resample {self._source.card.name}",
            )
        except SensiViewError as error:
            self.problem.setText(error.sentence)
            self.problem.show()
            return
        self.accept()
        self.started.emit(run)
