"""One editor per kind of parameter; every one gives plain JSON values, or says why it can't."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from sensiview.gui.field_specs import Context, FieldSpec
from sensiview.gui.field_texts import read_number, write_list
from sensiview.gui.number_text import full

_LARGEST = 2**31 - 1
MOST_OFFERED = 200


class Field(QWidget):
    """Base of all editors.

    Signals
    -------
    changed()
        The value is another one, or can no longer be read.
    """

    changed = Signal()

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self.spec = spec
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(4)

    def value(self) -> Any:
        """Return the value as JSON; raises `FieldProblem` when the editor holds no value."""
        raise TypeError(f"{type(self).__name__} has no value.")

    def set_value(self, value: Any) -> None:
        """Show a value."""

    def set_context(self, context: Context) -> None:
        """Offer what another data set or model has."""

    def name_editor(self, editor: QWidget) -> None:
        """Give the widget that is edited the field's name for keyboards, screen readers and tests."""
        editor.setObjectName(f"parameter_{self.spec.name}")
        editor.setAccessibleName(self.spec.label)
        editor.setAccessibleDescription(self.spec.help)
        editor.setToolTip(self.spec.help)
        editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        editor.installEventFilter(_WheelGuard(editor))
        self.setFocusProxy(editor)


class IntegerField(Field):
    """A whole number. The range is checked by the declaration, so that a wrong value gets its sentence."""

    def __init__(self, spec: FieldSpec, *, doubling: bool = False) -> None:
        super().__init__(spec)
        self.editor = _DoublingSpin() if doubling else QSpinBox()
        low = -_LARGEST if spec.minimum is None or spec.minimum < 0 else 0
        self.editor.setRange(low, _LARGEST)
        self.editor.setGroupSeparatorShown(True)
        self.editor.setKeyboardTracking(True)
        if spec.unit:
            self.editor.setSuffix(f" {spec.unit}")
        self.name_editor(self.editor)
        self.editor.valueChanged.connect(self.changed)
        self.row.addWidget(self.editor)

    def value(self) -> int:
        """Return the number."""
        return self.editor.value()

    def set_value(self, value: Any) -> None:
        """Show a number."""
        self.editor.setValue(int(value or 0))


class NumberField(Field):
    """A real number in any notation; with digits kept as they were typed."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.editor = QLineEdit()
        self.name_editor(self.editor)
        self.editor.textChanged.connect(self.changed)
        self.row.addWidget(self.editor)
        if spec.unit:
            self.row.addWidget(_unit(spec.unit))

    def value(self) -> float:
        """Return the number; a decimal comma is understood."""
        return read_number(self.editor.text())

    def set_value(self, value: Any) -> None:
        """Show a number with all its digits."""
        self.editor.setText("" if value is None else full(float(value)).removesuffix(".0"))


class BooleanField(Field):
    """Yes or no."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.editor = QCheckBox(spec.label)
        self.name_editor(self.editor)
        self.editor.toggled.connect(self.changed)
        self.row.addWidget(self.editor)
        self.row.addStretch(1)

    def value(self) -> bool:
        """Return whether it is ticked."""
        return self.editor.isChecked()

    def set_value(self, value: Any) -> None:
        """Tick it or not."""
        self.editor.setChecked(bool(value))


class ChoiceField(Field):
    """One of a few values."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.editor = QComboBox()
        for choice in spec.choices:
            text = "none" if choice is None else str(choice).replace("_", " ")
            self.editor.addItem(text, choice)
        self.name_editor(self.editor)
        self.editor.currentIndexChanged.connect(self.changed)
        self.row.addWidget(self.editor)

    def value(self) -> Any:
        """Return the chosen value."""
        return self.editor.currentData()

    def set_value(self, value: Any) -> None:
        """Choose a value; one that does not exist is left alone."""
        at = self.editor.findData(value)
        if at >= 0:
            self.editor.setCurrentIndex(at)


class TextField(Field):
    """Free text, with suggestions that can be picked."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.editor = QComboBox()
        self.editor.setEditable(True)
        self.editor.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.editor.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.editor.setMinimumContentsLength(8)
        self.name_editor(self.editor)
        self.editor.editTextChanged.connect(self.changed)
        self.row.addWidget(self.editor)
        if spec.unit:
            self.row.addWidget(_unit(spec.unit))

    def value(self) -> str:
        """Return the text without spaces around it."""
        return self.editor.currentText().strip()

    def set_value(self, value: Any) -> None:
        """Show a text; a list as it would be written."""
        text = write_list([str(v) for v in value]) if isinstance(value, list | tuple) else str(value or "")
        self.editor.setEditText(text)

    def set_context(self, context: Context) -> None:
        """Offer other suggestions; what is written stays."""
        text = self.editor.currentText()
        self.editor.blockSignals(True)
        self.editor.clear()
        for value, about in context.offers(self.spec.suggestions)[:MOST_OFFERED]:
            self.editor.addItem(value)
            self.editor.setItemData(self.editor.count() - 1, about, Qt.ItemDataRole.ToolTipRole)
        self.editor.setEditText(text)
        self.editor.blockSignals(False)


class OptionalField(Field):
    """A value that may be left open: ticked, the editor beside it counts; not ticked, None."""

    def __init__(self, inner: Field) -> None:
        super().__init__(inner.spec)
        self.inner = inner
        self.box = QCheckBox()
        self.box.setObjectName(f"parameter_{inner.spec.name}_used")
        self.box.setAccessibleName(f"Use {inner.spec.label}")
        self.box.setToolTip("Not ticked: not limited, or chosen by itself")
        self.row.addWidget(self.box)
        self.row.addWidget(inner, 1)
        self.box.toggled.connect(inner.setEnabled)
        self.box.toggled.connect(self.changed)
        inner.changed.connect(self.changed)
        inner.setEnabled(False)
        self.setFocusProxy(self.box)

    def value(self) -> Any:
        """Return the editor's value, or None."""
        return self.inner.value() if self.box.isChecked() else None

    def set_value(self, value: Any) -> None:
        """Show a value; None leaves what the editor held, greyed."""
        self.box.setChecked(value is not None)
        if value is not None:
            self.inner.set_value(value)

    def set_context(self, context: Context) -> None:
        """Pass on what can be offered."""
        self.inner.set_context(context)


class _DoublingSpin(QSpinBox):
    """Arrow keys and buttons double and halve; any number may be typed."""

    def stepBy(self, steps: int) -> None:
        """Go to the next power of two."""
        value = max(1, self.value())
        for _ in range(abs(steps)):
            value = 1 << value.bit_length() if steps > 0 else 1 << max(0, (value - 1).bit_length() - 1)
        self.setValue(min(value, self.maximum()))


class _WheelGuard(QObject):
    """Scrolling through a form must not change the fields that pass under the mouse."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel to the form while the field does not have the keyboard."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def _unit(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "muted")
    return label
