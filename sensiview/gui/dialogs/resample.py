"""Bringing all volumes of a data set onto one grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from sensiview.analysis.sources import DatasetSource
from sensiview.errors import SensiViewError
from sensiview.gui.dialogs.layout import form, named
from sensiview.gui.dialogs.queue_dialog import QueueDialog
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord

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
_MOST_VOLUMES = 200  # that are offered as template


class ResampleDialog(QueueDialog):
    """Template, voxel size, interpolation and name; the volumes themselves stay as they are."""

    def __init__(self, session: Session, source: DatasetSource, parent: QWidget | None = None) -> None:
        count = source.card.n_rows
        about = (
            f"The {f'{count:,} volumes' if count != 1 else 'volume'} of '{source.card.name}' "
            f"{'are' if count != 1 else 'is'} brought onto the grid of a template by the affines and become a new data "
            "set. Nothing is registered: anatomy that is not aligned stays so."
        )
        super().__init__(session, "resample", "Resample volumes", about, "Resample volumes", parent)
        self._source = source
        self.template = QComboBox(self)
        named(self.template, "resample_template", "Template")
        self.template.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.template.setMinimumContentsLength(24)
        self._offer_templates()
        self.browse = QPushButton("Other file…", self)
        named(self.browse, "resample_browse", "Choose a NIfTI file as template")
        self.browse.setAutoDefault(False)
        self.browse.clicked.connect(self._ask)
        self.spacing = QDoubleSpinBox(self, minimum=0.0, maximum=100.0, singleStep=0.5, decimals=2)
        named(
            self.spacing, "resample_spacing", "Edge of the voxels in mm",
            "Cubic voxels of this size over the template's box; 0 leaves them as the template has them",
        )  # fmt: skip
        self.spacing.setSpecialValueText("as the template")
        self.spacing.setSuffix(" mm")
        self.interpolation = QComboBox(self)
        named(self.interpolation, "resample_interpolation", "Interpolation")
        for title, key, tip in _INTERPOLATIONS:
            self.interpolation.addItem(title, key)
            self.interpolation.setItemData(self.interpolation.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.name = QLineEdit(f"{source.card.name}, resampled", self)
        named(self.name, "dataset_name", "Name of the new data set")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.template, 1)
        row.addWidget(self.browse)
        fields = form()
        fields.addRow("&Template", row)
        fields.labelForField(row).setBuddy(self.template)  # type: ignore[attr-defined]
        fields.addRow("&Voxels", self.spacing)
        fields.addRow("&Interpolation", self.interpolation)
        fields.addRow("&Name", self.name)
        self.column.addLayout(fields)
        self.finish_layout("Resample", "resample_start_button", self._queued)

    def _offer_templates(self) -> None:
        """Offer what comes along, grids of other data sets, and single volumes; each as settings of the job."""
        from sensiview.preparing import grid_like

        for title, key in _TEMPLATES:
            self.template.addItem(title, {"template": key})
        for other in self._session.datasets():
            if other.id != self._source.id and other.card.kind == "volumes":
                try:
                    self.template.addItem(f"Grid of {other.card.name}", grid_like(other))
                except SensiViewError:
                    continue  # its volumes have several
        for name in self._source.card.extra.get("names", ())[:_MOST_VOLUMES]:
            self.template.addItem(f"Grid of {name}", {"template": name})

    def _ask(self) -> None:
        dialog = QFileDialog(self, "Template")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Volumes (*.nii *.nii.gz *.img *.hdr)", "All files (*)"])
        dialog.fileSelected.connect(self.take_template)
        dialog.open()

    def take_template(self, path: str) -> None:
        """Offer and choose a file."""
        self.template.addItem(f"Grid of {Path(path).name}", {"template": path})
        self.template.setCurrentIndex(self.template.count() - 1)

    def _queued(self) -> RunRecord:
        chosen: dict[str, Any] = dict(self.template.currentData())
        return self._session.start_preparation(
            "resampling",
            dataset=self._source.id,
            parameters={
                **chosen,
                "spacing": self.spacing.value() or None,
                "interpolation": self.interpolation.currentData(),
                "name": self.name.text().strip() or f"{self._source.card.name}, resampled",
            },
            name=f"Resample {self._source.card.name}",
        )
