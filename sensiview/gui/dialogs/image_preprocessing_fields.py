"""What is done to images before the first layer, set by hand: size, colours, mean and standard deviation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from sensiview.errors import UserError
from sensiview.gui.dialogs.layout import form, named

# Presets of mean and standard deviation, by what people call them.
_IMAGENET, _HALVES, _PLAIN, _OWN = "imagenet", "halves", "plain", "own"


class ImagePreprocessingFields(QWidget):
    """Resize, cut, colours and values; starts from what the architecture was published with.

    Signals
    -------
    changed
        A value is another one.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rest: dict[str, Any] = {}
        layout = form()
        layout.setContentsMargins(0, 0, 0, 0)
        self.channels = QComboBox(self)
        named(self.channels, "image_channels", "Colours", "Colour images become grey, or grey ones are repeated")
        self.channels.addItem("Colour (3 channels)", 3)
        self.channels.addItem("Grey (1 channel)", 1)
        self.resize_to = QLineEdit(self, placeholderText="256, or 224 x 224; empty: as they are")
        named(self.resize_to, "image_resize", "Resize",
              "One number: length of the shorter side; two: height and width")  # fmt: skip
        self.size_box = QLineEdit(self, placeholderText="224; empty: all of it")
        named(self.size_box, "image_size", "Cut out", "Height and width that are cut out of the middle")
        self.interpolation = QComboBox(self)
        named(self.interpolation, "image_interpolation", "Interpolation", "How values between pixels are found")
        for name in ("bilinear", "bicubic", "nearest"):
            self.interpolation.addItem(name, name)
        self.values = QComboBox(self)
        named(self.values, "image_values", "Values", "Mean and standard deviation that the network was trained with")
        self.values.addItem("ImageNet mean and deviation", _IMAGENET)
        self.values.addItem("From -1 to 1 (mean 0.5, deviation 0.5)", _HALVES)
        self.values.addItem("From 0 to 1", _PLAIN)
        self.values.addItem("Other numbers", _OWN)
        self.mean = QLineEdit(self, placeholderText="0.485, 0.456, 0.406")
        named(self.mean, "image_mean", "Mean", "One number per channel, or one for all; for pixels from 0 to 1")
        self.std = QLineEdit(self, placeholderText="0.229, 0.224, 0.225")
        named(self.std, "image_std", "Standard deviation", "One number per channel, or one for all")
        self.bgr = QCheckBox("Blue, green, red instead of red, green, blue", self)
        named(self.bgr, "image_bgr", "Reverse the order of the colours", "For networks from Caffe and OpenCV")
        layout.addRow("C&olours", self.channels)
        layout.addRow("&Resize", self.resize_to)
        layout.addRow("C&ut out", self.size_box)
        layout.addRow("&Interpolation", self.interpolation)
        layout.addRow("&Values", self.values)
        layout.addRow("M&ean", self.mean)
        layout.addRow("Devia&tion", self.std)
        layout.addRow("", self.bgr)
        self.setLayout(layout)
        self._layout = layout
        for box in (self.channels, self.interpolation):
            box.currentIndexChanged.connect(self.changed)
        self.values.currentIndexChanged.connect(self._preset)
        for line in (self.resize_to, self.size_box):
            line.textChanged.connect(self.changed)
        for line in (self.mean, self.std):
            line.textChanged.connect(self.changed)
            line.textEdited.connect(self._own)
        self.bgr.toggled.connect(self.changed)
        self.show_settings({})

    def line_up(self, width: int) -> None:
        """Make the labels as wide as those of the form around, so that all fields begin at one place."""
        found = self._layout.labelForField(self.channels)
        if found is not None:
            found.setMinimumWidth(width)

    def show_settings(self, settings: Mapping[str, Any]) -> None:
        """Fill the fields with a card's ``{"kind": "image", ...}``; what they don't show is kept."""
        from sensiview.models.image_settings import IMAGENET_MEAN, IMAGENET_STD, ImageSettings

        known = {"size": (224, 224), "resize": 256, "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
        found = ImageSettings(**(dict(settings) if settings else known))
        self._rest = {"range": list(found.range), "antialias": found.antialias}
        self.channels.setCurrentIndex(self.channels.findData(found.channels))
        self.resize_to.setText(_size_text(found.resize))
        self.size_box.setText(_size_text(found.size))
        self.interpolation.setCurrentIndex(self.interpolation.findData(found.interpolation))
        self.mean.setText(", ".join(f"{value:g}" for value in found.mean))
        self.std.setText(", ".join(f"{value:g}" for value in found.std))
        self.bgr.setChecked(found.bgr)
        self._name_preset()

    def value(self) -> dict[str, Any]:
        """Return the preprocessing as a model card keeps it.

        Raises
        ------
        UserError
            No sizes or numbers, or not one per channel.
        """
        from sensiview.errors import ModelError
        from sensiview.models.image_settings import parse_image_settings

        resize = _size(self.resize_to.text(), "resizing")
        size = _size(self.size_box.text(), "cut")
        made = {
            "kind": "image",
            "channels": self.channels.currentData(),
            "resize": resize,
            "size": (size, size) if isinstance(size, int) else size,
            "interpolation": self.interpolation.currentData(),
            "bgr": self.bgr.isChecked(),
            "mean": _numbers(self.mean.text(), "mean"),
            "std": _numbers(self.std.text(), "standard deviation"),
            **self._rest,
        }
        try:
            return parse_image_settings(made, "this model").to_card()
        except ModelError as error:
            raise UserError(error.sentence) from None

    def _preset(self) -> None:
        """Write the numbers of the chosen preset into the fields."""
        from sensiview.models.image_settings import IMAGENET_MEAN, IMAGENET_STD

        grey = self.channels.currentData() == 1
        pairs = {
            _IMAGENET: ((0.449,), (0.226,)) if grey else (IMAGENET_MEAN, IMAGENET_STD),
            _HALVES: ((0.5,), (0.5,)),
            _PLAIN: ((0.0,), (1.0,)),
        }
        pair = pairs.get(self.values.currentData())
        if pair is None:
            self.mean.setFocus()
            return
        for line, numbers in zip((self.mean, self.std), pair, strict=True):
            line.setText(", ".join(f"{value:g}" for value in numbers))

    def _own(self) -> None:
        self._name_preset()

    def _name_preset(self) -> None:
        """Let the list of presets say which one the numbers are."""
        pair = self.mean.text().replace(" ", ""), self.std.text().replace(" ", "")
        names = {
            ("0.485,0.456,0.406", "0.229,0.224,0.225"): _IMAGENET,
            ("0.449", "0.226"): _IMAGENET,
            ("0.5", "0.5"): _HALVES,
            ("0.5,0.5,0.5", "0.5,0.5,0.5"): _HALVES,
            ("0", "1"): _PLAIN,
            ("0,0,0", "1,1,1"): _PLAIN,
        }
        self.values.blockSignals(True)
        self.values.setCurrentIndex(self.values.findData(names.get(pair, _OWN)))
        self.values.blockSignals(False)


def _size_text(size: int | tuple[int, int] | None) -> str:
    if size is None:
        return ""
    return str(size) if isinstance(size, int) else f"{size[0]} x {size[1]}"


def _size(text: str, what: str) -> int | tuple[int, int] | None:
    parts = re.findall(r"\d+", text)
    if not text.strip():
        return None
    if not re.fullmatch(r"\s*\d+(\s*[x×,;]\s*\d+)?\s*", text):
        raise UserError(f"The {what} must be one or two whole numbers of pixels, such as 224 or 224 x 224.")
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


def _numbers(text: str, what: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError as error:
        raise UserError(f"The {what} must be numbers separated by commas ({error}).") from None
    if not found:
        raise UserError(f"The {what} is missing: give one number per channel, or one for all.")
    return found
