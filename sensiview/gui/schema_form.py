"""A form for plain values from a JSON schema: options of architectures and recipes of training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QLabel, QLineEdit, QSpinBox, QWidget

from sensiview.gui.dialogs.layout import form

_LARGEST = 2_000_000_000


class SchemaForm(QWidget):
    """One field per property, with label, tool tip, bounds and default from the schema.

    Signals
    -------
    changed
        A value is another one.
    """

    changed = Signal()

    def __init__(
        self,
        schema: Mapping[str, Any],
        values: Mapping[str, Any] | None = None,
        *,
        leave_out: Iterable[str] = (),
        only: Iterable[str] | None = None,
        prefix: str = "option",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._fields: dict[str, QWidget] = {}
        self._schema: Mapping[str, Any] = schema.get("properties", {})
        layout = form()
        layout.setContentsMargins(0, 0, 0, 0)
        wanted = [name for name in self._schema if (only is None or name in set(only)) and name not in set(leave_out)]
        for name in wanted:
            described = self._schema[name]
            value = (values or {}).get(name, described.get("default"))
            field = self._field(described, value)
            field.setObjectName(f"{prefix}_{name}")
            title = str(described.get("title", name))
            field.setAccessibleName(title)
            field.setToolTip(str(described.get("description", "")))
            field.setAccessibleDescription(str(described.get("description", "")))
            self._fields[name] = field
            if isinstance(field, QCheckBox):
                field.setText(title)
                layout.addRow("", field)
            else:
                layout.addRow(title, field)
        if not wanted:
            nothing = QLabel("Nothing to choose.", self)
            nothing.setProperty("role", "muted")
            layout.addRow(nothing)
        self._layout: QFormLayout = layout
        self.setLayout(layout)

    def field(self, name: str) -> QWidget:
        """Return the widget of a property."""
        return self._fields[name]

    def values(self) -> dict[str, Any]:
        """Return what is in the fields; pydantic checks it where it is used."""
        return {name: self._value(name, field) for name, field in self._fields.items()}

    def changes(self) -> dict[str, Any]:
        """Return only what differs from the schema's defaults."""
        return {name: value for name, value in self.values().items() if value != self._schema[name].get("default")}

    def _field(self, described: Mapping[str, Any], value: Any) -> QWidget:
        kind = described.get("type")
        if "enum" in described:
            box = QComboBox(self)
            for entry in described["enum"]:
                box.addItem(str(entry).replace("_", " "), entry)
            box.setCurrentIndex(max(0, box.findData(value)))
            box.currentIndexChanged.connect(self.changed)
            return box
        if kind == "boolean":
            check = QCheckBox(self)
            check.setChecked(bool(value))
            check.toggled.connect(self.changed)
            return check
        if kind == "integer":
            whole = QSpinBox(self)
            whole.setRange(_lowest(described), min(_LARGEST, int(described.get("maximum", _LARGEST))))
            whole.setGroupSeparatorShown(True)
            if "zero" in described and whole.minimum() == 0:
                whole.setSpecialValueText(str(described["zero"]))
            whole.setValue(int(value or 0))
            whole.valueChanged.connect(self.changed)
            return whole
        if kind == "number":
            return self._number(described, float(value or 0.0))
        line = QLineEdit(_as_text(value), self)
        line.textChanged.connect(self.changed)
        return line

    def _number(self, described: Mapping[str, Any], value: float) -> QWidget:
        number = QDoubleSpinBox(self)
        number.setDecimals(8)
        number.setRange(float(described.get("minimum", described.get("exclusiveMinimum", -1e9))),
                        float(described.get("maximum", described.get("exclusiveMaximum", 1e9))))  # fmt: skip
        number.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        number.textFromValue = lambda shown: f"{shown:.8f}".rstrip("0").rstrip(".") or "0"  # type: ignore[method-assign]
        number.setValue(value)
        number.valueChanged.connect(self.changed)
        return number

    def _value(self, name: str, field: QWidget) -> Any:
        if isinstance(field, QComboBox):
            return field.currentData()
        if isinstance(field, QCheckBox):
            return field.checkState() == Qt.CheckState.Checked
        if isinstance(field, QSpinBox):
            return field.value()
        if isinstance(field, QDoubleSpinBox):
            return float(field.value())
        if isinstance(field, QLineEdit):
            return _from_text(field.text(), self._schema[name])
        return None


def _lowest(described: Mapping[str, Any]) -> int:
    if "exclusiveMinimum" in described:
        return int(described["exclusiveMinimum"]) + 1
    return int(described.get("minimum", -_LARGEST))


def _as_text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(entry) for entry in value)
    return "" if value is None else str(value)


def _from_text(text: str, described: Mapping[str, Any]) -> Any:
    """Text, or the list of numbers that a property takes beside or instead of text."""
    choices = [described, *described.get("anyOf", [])]
    array = next((choice for choice in choices if choice.get("type") == "array"), None)
    text = text.strip()
    if array is not None:
        parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        kind = array.get("items", {}).get("type")
        if kind in ("integer", "number"):
            try:
                return [int(part) if kind == "integer" else float(part) for part in parts]
            except ValueError:
                # A word instead of numbers ("balanced"), or a mistake that the check explains.
                return text
        if kind == "string":
            return parts
    if not text and any(choice.get("type") == "null" for choice in choices):
        return None
    return text
