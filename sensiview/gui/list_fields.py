"""Editors for lists of names and for anything else."""

from __future__ import annotations

import json
from typing import Any

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLineEdit, QMenu, QToolButton

from sensiview.gui.field_specs import Context, FieldSpec
from sensiview.gui.field_texts import FieldProblem, read_list, write_list
from sensiview.gui.form_fields import MOST_OFFERED, Field


class SeveralField(Field):
    """A list written with commas, with a menu to tick what is known."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._offers: list[tuple[str, str]] = []
        self.editor = QLineEdit()
        self.editor.setPlaceholderText("none" if not spec.default else "")
        self.name_editor(self.editor)
        self.editor.textChanged.connect(self.changed)
        self.row.addWidget(self.editor, 1)
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._fill)
        self._button = QToolButton()
        self._button.setText("Choose")
        self._button.setObjectName(f"parameter_{spec.name}_choose")
        self._button.setAccessibleName(f"Choose {spec.label}")
        self._button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._button.setMenu(self._menu)
        self._button.setVisible(bool(spec.suggestions))
        self.row.addWidget(self._button)

    def value(self) -> Any:
        """Return the list; a single text where the parameter takes one."""
        parts = read_list(self.editor.text())
        known = {value for value, _ in self._offers}
        values = [self._converted(part, known) for part in parts]
        if "string" in self.spec.takes or "integer" in self.spec.takes:
            if len(values) == 1:
                return values[0]
            if not values and "array" not in self.spec.takes:
                return ""
        return values

    def set_value(self, value: Any) -> None:
        """Show a list, or a single value."""
        values = value if isinstance(value, list | tuple) else [] if value in (None, "") else [value]
        self.editor.setText(write_list([str(v) for v in values]))

    def set_context(self, context: Context) -> None:
        """Offer other names."""
        self._offers = context.offers(self.spec.suggestions)
        self._button.setEnabled(bool(self._offers))

    def _converted(self, part: str, known: set[str]) -> Any:
        # A class called "1" is a name; otherwise a number is meant where one is allowed.
        if part not in known and ("integer" in self.spec.takes or not self.spec.suggestions):
            try:
                return int(part)
            except ValueError:
                pass
        if part not in known and not self.spec.suggestions:
            try:
                return float(part)
            except ValueError:
                pass
        return part

    def _fill(self) -> None:
        self._menu.clear()
        chosen = read_list(self.editor.text())
        for value, about in self._offers[:MOST_OFFERED]:
            action = QAction(value.replace("&", "&&"), self._menu)
            action.setToolTip(about or value)
            action.setCheckable(True)
            action.setChecked(value in chosen)
            action.triggered.connect(lambda checked, name=value: self._tick(name, checked))
            self._menu.addAction(action)
        if len(self._offers) > MOST_OFFERED:
            more = self._menu.addAction(f"{len(self._offers) - MOST_OFFERED} more: write their names")
            more.setEnabled(False)

    def _tick(self, name: str, checked: bool) -> None:
        names = [part for part in read_list(self.editor.text()) if part != name]
        if name == "all":
            names = []
        elif checked:
            names = [part for part in names if part != "all"]
        self.editor.setText(write_list([*names, name] if checked else names))


class JsonField(Field):
    """Anything else, as one line of JSON."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self.editor = QLineEdit()
        self.editor.setPlaceholderText('JSON, such as {"name": [0, 1]}' if "object" in spec.takes else "JSON")
        self.name_editor(self.editor)
        self.editor.textChanged.connect(self.changed)
        self.row.addWidget(self.editor)

    def value(self) -> Any:
        """Return the value; nothing written is the default."""
        text = self.editor.text().strip()
        if not text:
            return self.spec.default
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise FieldProblem(f"This is not JSON: {error.msg} at character {error.pos + 1}.") from None

    def set_value(self, value: Any) -> None:
        """Show a value."""
        self.editor.setText("" if value in (None, {}, []) else json.dumps(value, ensure_ascii=False))
