"""What is done to raw values before the first layer; it belongs to the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QWidget

from sensiview.errors import UserError
from sensiview.gui.dialogs.image_preprocessing_fields import ImagePreprocessingFields
from sensiview.gui.dialogs.layout import form, label, named
from sensiview.gui.image_settings_text import image_settings_line
from sensiview.gui.session import Session

_OWN = ""
_NOTHING = ("Nothing: raw values", "none")
_STANDARDISE = ("Standardise: (value - mean) / std", "standardise")
_IMAGES = ("Set for images by hand", "image")
_CHOICES = {
    "table": (_NOTHING, _STANDARDISE),
    "volumes": (_NOTHING, _STANDARDISE),
    "images": (("As the weights were published", _OWN), _IMAGES, _NOTHING),
    "": (("As the program's inputs need it", _OWN), _NOTHING, _STANDARDISE, _IMAGES),
}


class PreprocessingFields(QWidget):
    """What the architecture was published with, nothing, what images need, or standardising of a table's columns.

    Signals
    -------
    changed
        A value is another one.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        layout = form()
        layout.setContentsMargins(0, 0, 0, 0)
        self.kind = QComboBox(self)
        named(self.kind, "preprocessing_choice", "Preprocessing")
        self.images = ImagePreprocessingFields(self)
        self.own = label("", "muted", self, name="preprocessing_own")
        self._kind = ""
        self.mean = QLineEdit(self, placeholderText="3.8, 120.9, ...")
        named(self.mean, "preprocessing_mean", "Means", "One number per input, separated by commas")
        self.std = QLineEdit(self, placeholderText="3.4, 32.0, ...")
        named(self.std, "preprocessing_std", "Standard deviations", "One number per input, separated by commas")
        self.fill = QPushButton("Take from the chosen data set", self)
        named(self.fill, "preprocessing_fill_button", "Take means and standard deviations from the chosen data set")
        self.fill.setAutoDefault(False)
        self.fill.setToolTip("Over all rows of the data set; type the numbers of the training rows if they differ")
        layout.addRow("&Preprocessing", self.kind)
        layout.addRow("&Means", self.mean)
        layout.addRow("St&d. deviations", self.std)
        layout.addRow("", self.fill)
        layout.addRow(self.own)
        layout.addRow(self.images)
        self.setLayout(layout)
        self._layout = layout
        self.images.line_up(layout.labelForField(self.kind).sizeHint().width())
        self.kind.currentIndexChanged.connect(self._show)
        self.kind.currentIndexChanged.connect(self.changed)
        self.mean.textChanged.connect(self.changed)
        self.std.textChanged.connect(self.changed)
        self.images.changed.connect(self.changed)
        self.fill.clicked.connect(self._fill)
        self.show_for("table", {})

    def show_for(self, input_kind: str, own: Mapping[str, Any]) -> None:
        """Offer what inputs of this kind can need.

        Parameters
        ----------
        input_kind : str
            ``table``, ``images``, ``volumes``; empty for an exported program.
        own : mapping
            What the architecture was published with.
        """
        images = own if own.get("kind") == "image" else {}
        self.own.setText(f"By default: {image_settings_line(images)}" if images else "")
        self.images.blockSignals(True)
        self.images.show_settings(images)
        self.images.blockSignals(False)
        if input_kind != self._kind:
            self._kind = input_kind
            self.kind.blockSignals(True)
            self.kind.clear()
            for title, name in _CHOICES.get(input_kind, _CHOICES["table"]):
                self.kind.addItem(title, name)
            self.kind.blockSignals(False)
        self._show()

    def value(self) -> dict[str, Any]:
        """Return the preprocessing as a model card keeps it; empty for what the architecture was published with.

        Raises
        ------
        UserError
            Not numbers, not as many deviations as means, or a deviation that is not above 0.
        """
        if self.kind.currentData() == _OWN:
            return {}
        if self.kind.currentData() == "none":
            return {"kind": "none"}
        if self.kind.currentData() == "image":
            return self.images.value()
        mean, std = _numbers(self.mean.text(), "means"), _numbers(self.std.text(), "standard deviations")
        if len(mean) != len(std) or not mean:
            raise UserError(f"Give one mean and one standard deviation per input (given: {len(mean)} and {len(std)}).")
        if min(std) <= 0:
            raise UserError(f"Standard deviations must be above 0 (given: {min(std):g}).")
        return {"kind": "standardise", "mean": mean, "std": std}

    def _show(self) -> None:
        shown = self.kind.currentData() == "standardise"
        for row in (1, 2, 3):
            self._layout.setRowVisible(row, shown)
        self._layout.setRowVisible(self.own, self.kind.currentData() == _OWN and bool(self.own.text()))
        self._layout.setRowVisible(self.images, self.kind.currentData() == "image")
        self.fill.setEnabled(self._session.dataset is not None)

    def _fill(self) -> None:
        source = self._session.dataset
        if source is None:
            return
        cards = [source.card.column(name) for name in source.card.features]
        self.mean.setText(", ".join(f"{card.mean:.10g}" for card in cards if card.mean is not None))
        self.std.setText(", ".join(f"{card.std:.10g}" for card in cards if card.std is not None))


def _numbers(text: str, what: str) -> list[float]:
    try:
        return [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
    except ValueError as error:
        raise UserError(f"The {what} must be numbers separated by commas ({error}).") from None
