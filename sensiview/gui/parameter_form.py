"""A form for any pydantic declaration: labels, units, help, bounds and sentences follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from sensiview.gui.factor_fields import BoundsField, DistributionsField, FixedField, GroupsField
from sensiview.gui.field_specs import Context, FieldSpec, field_specs
from sensiview.gui.field_texts import FieldProblem
from sensiview.gui.form_fields import (
    BooleanField,
    ChoiceField,
    Field,
    IntegerField,
    NumberField,
    OptionalField,
    TextField,
)
from sensiview.gui.icons import icon
from sensiview.gui.list_fields import JsonField, SeveralField

_EDITORS: Mapping[str, Callable[[FieldSpec], Field]] = {
    "integer": IntegerField,
    "power_of_two": lambda spec: IntegerField(spec, doubling=True),
    "number": NumberField,
    "boolean": BooleanField,
    "choice": ChoiceField,
    "text": TextField,
    "several": SeveralField,
    "bounds": BoundsField,
    "distributions": DistributionsField,
    "groups": GroupsField,
    "fixed": FixedField,
    "json": JsonField,
}
# Editors narrow enough to stand beside their label.
_BESIDE = ("integer", "power_of_two", "number", "choice")
_WIDTH = 140
_PER_FACTOR = ("bounds", "distributions", "groups", "fixed")


class ParameterForm(QWidget):
    """One row per parameter; advanced ones behind "More settings".

    Signals
    -------
    changed()
        A value is another one, or can no longer be read.
    """

    changed = Signal()

    def __init__(self, declaration: type[BaseModel], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("parameter_form")
        self.declaration = declaration
        self._quiet = False
        self._rows: dict[str, FieldRow] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        more = QWidget()
        more_column = QVBoxLayout(more)
        more_column.setContentsMargins(0, 4, 0, 0)
        more_column.setSpacing(8)
        specs = field_specs(declaration)
        for spec in specs:
            row = FieldRow(spec)
            row.changed.connect(self._emit)
            self._rows[spec.name] = row
            (more_column if spec.advanced else column).addWidget(row)
        self.more_button = QToolButton()
        self.more_button.setText("More settings")
        self.more_button.setObjectName("more_settings")
        self.more_button.setAccessibleName("More settings")
        self.more_button.setCheckable(True)
        self.more_button.setArrowType(Qt.ArrowType.RightArrow)
        self.more_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more_button.toggled.connect(more.setVisible)
        self.more_button.toggled.connect(
            lambda opened: self.more_button.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        )
        more.hide()
        if any(spec.advanced for spec in specs):
            column.addWidget(self.more_button)
            column.addWidget(more)
        else:
            self.more_button.setParent(self)
            self.more_button.hide()
        self.reset()

    def field(self, name: str) -> Field:
        """Return the editor of a parameter."""
        return self._rows[name].field

    def values(self) -> dict[str, Any]:
        """Return all values that can be read; the others are left out and named by `problems`."""
        found = {}
        for name, row in self._rows.items():
            try:
                found[name] = row.field.value()
            except FieldProblem:
                continue
        return found

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show values; parameters without one get their default, unknown names are left out."""
        self._quiet = True
        for name, row in self._rows.items():
            row.set_value(values.get(name, row.spec.default))
        self._quiet = False
        if any(name in values and row.spec.advanced and values[name] != row.spec.default
               for name, row in self._rows.items()):  # fmt: skip
            self.more_button.setChecked(True)
        self._emit()

    def reset(self) -> None:
        """Show every default."""
        self.set_values({})

    def set_context(self, context: Context) -> None:
        """Offer the names of another data set or model."""
        self._quiet = True
        kind = context.dataset.kind if context.dataset is not None else ""
        for row in self._rows.values():
            row.field.set_context(context)
            # What means nothing for these data goes back to its default, and out of sight.
            fits = not kind or not row.spec.kinds or kind in row.spec.kinds
            if not fits:
                row.set_value(row.spec.default)
            row.setVisible(fits)
        self._quiet = False
        self._emit()

    def problems(self) -> dict[str, str]:
        """Return a sentence per parameter that can't be used as it is, and show each below its field."""
        found: dict[str, str] = {}
        values: dict[str, Any] = {}
        for name, row in self._rows.items():
            try:
                values[name] = row.field.value()
            except FieldProblem as problem:
                found[name] = str(problem)
        try:
            self.declaration(**values)
        except ValidationError as error:
            for part in error.errors():
                name = str(part["loc"][0]) if part["loc"] else ""
                found.setdefault(name, sentence(part))
        for name, row in self._rows.items():
            row.show_problem(found.get(name, ""))
        return found

    def _emit(self) -> None:
        if not self._quiet:
            self.problems()
            self.changed.emit()


class FieldRow(QWidget):
    """Label, editor, the way back to the default, and the sentence when something is wrong.

    Signals
    -------
    changed()
        The value is another one.
    """

    changed = Signal()

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__()
        self.spec = spec
        field = _EDITORS[spec.kind](spec)
        self.field = OptionalField(field) if spec.optional and spec.kind not in _PER_FACTOR else field
        self.problem = QLabel()
        self.problem.setObjectName(f"problem_{spec.name}")
        self.problem.setProperty("role", "error")
        self.problem.setWordWrap(True)
        self.problem.setTextFormat(Qt.TextFormat.PlainText)
        self.problem.hide()
        self.reset_button = QToolButton()
        self.reset_button.setIcon(icon("restore"))
        self.reset_button.setObjectName(f"reset_{spec.name}")
        self.reset_button.setAccessibleName(f"Set {spec.label} back to its default")
        shown = spec.default if spec.default not in (None, "", [], {}) else "none"
        self.reset_button.setToolTip(f"Back to the default: {shown}")
        self.reset_button.clicked.connect(lambda: self.set_value(spec.default))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        head = QHBoxLayout()
        head.setSpacing(4)
        beside = spec.kind in _BESIDE
        if spec.kind == "boolean":
            head.addWidget(self.field, 1)
        else:
            label = QLabel(spec.label)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setToolTip(spec.help)
            label.setBuddy(self.field)
            label.setWordWrap(beside)
            head.addWidget(label, 1)
        head.addWidget(self.reset_button)
        grid.addLayout(head, 0, 0)
        if beside:
            self.field.setFixedWidth(_WIDTH)
            self.field.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            grid.addWidget(self.field, 0, 1)
        elif spec.kind != "boolean":
            grid.addWidget(self.field, 1, 0, 1, 2)
        grid.addWidget(self.problem, 2, 0, 1, 2)
        self.field.changed.connect(self._follow)

    def set_value(self, value: Any) -> None:
        """Show a value."""
        self.field.set_value(value)
        self._mark()

    def show_problem(self, text: str) -> None:
        """Show a sentence below the field; empty hides it."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _follow(self) -> None:
        self._mark()
        self.changed.emit()

    def _mark(self) -> None:
        """Offer the way back while the value is not the default."""
        try:
            differs = self.field.value() != self.spec.default
        except FieldProblem:
            differs = True
        self.reset_button.setVisible(differs)


def sentence(error: Any) -> str:
    """Return one of pydantic's errors as a sentence about the value."""
    message = str(error["msg"]).removeprefix("Value error, ")
    given = error.get("input")
    shown = f" (given: {given})" if isinstance(given, int | float | str) and not isinstance(given, bool) else ""
    message = message.replace("Input should be", "Must be")
    return f"{message}{shown}." if not message.endswith(".") else message
