"""How a file's text is understood, field by field; only what the user changes is fixed, the rest is found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QSpinBox, QVBoxLayout, QWidget

from sensiview.gui.dialogs.layout import form, label, named

if TYPE_CHECKING:
    from sensiview.datasets.options import ReadingOptions

_DELIMITERS = (
    (",", "Comma  ,"),
    (";", "Semicolon  ;"),
    ("\t", "Tab"),
    ("|", "Bar  |"),
    (" ", "One space"),
    ("whitespace", "Blanks"),
)
_DECIMALS = ((".", "Point  1.5"), (",", "Comma  1,5"))
_THOUSANDS = (
    ("", "None  1000"),
    (",", "Comma  1,000"),
    (".", "Point  1.000"),
    (" ", "Space  1 000"),
    ("'", "Apostrophe  1'000"),
)
_ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "iso8859-1", "utf-16", "cp1250", "cp1251", "shift_jis", "gb18030")
_FIELDS_OF = {
    "csv": ("delimiter", "decimal", "thousands", "encoding", "skip_lines", "missing_values", "header", "has_index"),
    "excel": ("sheet", "decimal", "thousands", "skip_lines", "missing_values", "header", "has_index"),
    "parquet": (),
}


class ReadingFields(QWidget):
    """Follows what was understood; a change by the user is fixed from then on.

    Signals
    -------
    changed
        The user changed something.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fixed: dict[str, Any] = {}
        self._quiet = False
        self._form = form()
        self._fields: dict[str, QWidget] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(8)
        column.addLayout(self._form)
        self._add_choices("sheet", "&Sheet", ())
        self._add_choices("delimiter", "&Delimiter", _DELIMITERS)
        self._add_choices("decimal", "D&ecimal", _DECIMALS)
        self._add_choices("thousands", "&Thousands", _THOUSANDS)
        self._add_choices("encoding", "E&ncoding", tuple((name, name) for name in _ENCODINGS))
        skip = QSpinBox(self, minimum=0, maximum=100_000)
        skip.valueChanged.connect(lambda value: self._fix("skip_lines", value))
        self._add("skip_lines", "&Lines above", skip, "Lines above the table that are left out")
        missing = QLineEdit(self, placeholderText="empty cells, NA, NaN, null")
        missing.editingFinished.connect(self._missing_edited)
        self._add(
            "missing_values",
            "&Missing",
            missing,
            "More words that mean 'no value', separated by blanks; empty cells, NA, NaN, null and the like always do",
        )
        self._add_check("header", "The first row holds the &names")
        self._add_check("has_index", "The first column only n&umbers the rows")
        column.addWidget(label("Where something does not fit", "subheading", self))
        for name, text in (
            ("unreadable", "Take text in number columns as missing"),
            ("uneven_rows", "Leave out rows of another length"),
            ("rename_duplicates", "Number columns of the same name"),
        ):
            check = QCheckBox(text, self)
            named(check, f"reading_{name}", text)
            check.toggled.connect(lambda on, key=name: self._fix_strictness(key, on))
            self._fields[name] = check
            column.addWidget(check)
        self.again = QPushButton("Find out anew", self)
        named(self.again, "reading_again_button", "Forget these choices and find out anew")
        self.again.setAutoDefault(False)
        self.again.clicked.connect(self._start_anew)
        column.addWidget(self.again)
        column.addStretch(1)

    def follow(self, options: ReadingOptions, sheets: Sequence[str]) -> None:
        """Show how the file is read now."""
        from sensiview.datasets.options import MISSING

        self._quiet = True
        shown = _FIELDS_OF[options.format]
        for row in range(self._form.rowCount()):
            self._form.setRowVisible(row, self._order[row] in shown)
        sheet = self._fields["sheet"]
        if isinstance(sheet, QComboBox) and [sheet.itemText(i) for i in range(sheet.count())] != list(sheets):
            sheet.clear()
            for name in sheets:
                sheet.addItem(name, name)
        for name in ("sheet", "delimiter", "decimal", "thousands", "encoding"):
            _choose(self._fields[name], getattr(options, name))
        for name, value in (
            ("header", options.header),
            ("has_index", options.has_index),
            ("unreadable", options.unreadable == "missing"),
            ("uneven_rows", options.uneven_rows == "leave_out"),
            ("rename_duplicates", options.rename_duplicates),
        ):
            field = self._fields[name]
            if isinstance(field, QCheckBox):
                field.setChecked(value)
        skip, missing = self._fields["skip_lines"], self._fields["missing_values"]
        if isinstance(skip, QSpinBox):
            skip.setValue(options.skip_lines)
        if isinstance(missing, QLineEdit):
            missing.setText(
                " ".join(word for word in options.missing_values if word not in MISSING and " " not in word)
            )
        self._quiet = False

    def fix(self, name: str, value: Any) -> None:
        """Fix an option from outside: a kind of a column, more missing words."""
        self.fixed[name] = value
        self.changed.emit()

    @property
    def _order(self) -> list[str]:
        return [name for name in self._fields if name not in ("unreadable", "uneven_rows", "rename_duplicates")]

    def _add(self, name: str, title: str, field: QWidget, tip: str) -> None:
        named(field, f"reading_{name}", title.replace("&", ""), tip)
        self._fields[name] = field
        self._form.addRow(title, field)

    def _add_choices(self, name: str, title: str, choices: Sequence[tuple[str, str]]) -> None:
        box = QComboBox(self)
        for value, text in choices:
            box.addItem(text, value)
        box.currentIndexChanged.connect(lambda: self._fix(name, box.currentData()))
        self._add(name, title, box, "")

    def _add_check(self, name: str, text: str) -> None:
        check = QCheckBox(text, self)
        named(check, f"reading_{name}", text.replace("&", ""))
        check.toggled.connect(lambda on: self._fix(name, on))
        self._fields[name] = check
        self._form.addRow(check)

    def _fix(self, name: str, value: Any) -> None:
        if not self._quiet and value is not None:
            self.fix(name, value)

    def _fix_strictness(self, name: str, on: bool) -> None:
        words = {"unreadable": ("missing", "refuse"), "uneven_rows": ("leave_out", "refuse")}
        self._fix(name, words[name][0 if on else 1] if name in words else on)

    def _missing_edited(self) -> None:
        from sensiview.datasets.options import MISSING

        field = self._fields["missing_values"]
        if isinstance(field, QLineEdit) and field.isModified():
            field.setModified(False)
            self._fix("missing_values", tuple(dict.fromkeys((*MISSING, *field.text().split()))))

    def _start_anew(self) -> None:
        self.fixed.clear()
        self.changed.emit()


def _choose(field: QWidget, value: str) -> None:
    if isinstance(field, QComboBox):
        if field.findData(value) < 0:
            field.addItem(value, value)
        field.setCurrentIndex(field.findData(value))
