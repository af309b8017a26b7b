"""What a run works on: the project's data sets and models, the same choice as in the project tree."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFormLayout, QWidget

from sensiview.analysis.sources import DatasetSource, ModelSource
from sensiview.gui.session import Session


class RunInputs(QWidget):
    """Two lists that follow the session and change its selection."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.dataset, self.model = QComboBox(), QComboBox()
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(6)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for text, combo, name in (("Data set", self.dataset, "dataset_choice"), ("Model", self.model, "model_choice")):
            combo.setObjectName(name)
            combo.setAccessibleName(text)
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            form.addRow(text, combo)
        self.dataset.activated.connect(lambda: session.select_dataset(str(self.dataset.currentData())))
        self.model.activated.connect(lambda: session.select_model(str(self.model.currentData())))

    def follow(self) -> None:
        """Show what the project has and what is selected."""
        session = self._session
        _fill(self.dataset, session.datasets(), session.dataset, "No data set yet")
        _fill(self.model, session.models(), session.model, "No model yet")


def _fill(
    combo: QComboBox,
    entries: Sequence[DatasetSource | ModelSource],
    chosen: DatasetSource | ModelSource | None,
    nothing: str,
) -> None:
    """Offer the project's entries in a list that shows the chosen one."""
    combo.clear()
    for entry in entries:
        combo.addItem(entry.card.name, entry.id)
    combo.setEnabled(bool(entries))
    if not entries:
        combo.addItem(nothing, "")
    combo.setCurrentIndex(combo.findData(chosen.id) if chosen is not None else (-1 if entries else 0))
