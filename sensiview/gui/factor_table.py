"""An editor with one line per factor; what is left empty stays as it is in the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sensiview.datasets.card import ColumnCard
from sensiview.gui.field_specs import Context, FieldSpec
from sensiview.gui.field_texts import FieldProblem
from sensiview.gui.form_fields import Field

_LINES = 8  # shown without scrolling
_NARROW, _WIDE = 62, 96


@dataclass(frozen=True)
class Column:
    """One column of an editor: its heading, and the words it can hold when it is not free."""

    heading: str
    words: tuple[str, ...] = ()


class FactorField(Field):
    """A table that opens below a button; the button says what is set."""

    columns: ClassVar[tuple[Column, ...]] = ()
    nothing: ClassVar[str] = ""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(spec)
        self._cards: dict[str, ColumnCard] = {}
        self.factors: list[str] = []
        self._given: dict[str, Any] = {}
        self._filling = False
        self.button = QToolButton()
        self.button.setObjectName(f"parameter_{spec.name}_open")
        self.button.setAccessibleName(spec.label)
        self.button.setAccessibleDescription(spec.help)
        self.button.setToolTip(spec.help)
        self.button.setCheckable(True)
        self.button.setArrowType(Qt.ArrowType.RightArrow)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.toggled.connect(self._open)
        self.table = QTableWidget()
        self.table.setObjectName(f"parameter_{spec.name}")
        self.table.setAccessibleName(spec.label)
        self.table.setAccessibleDescription(spec.help)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.AllEditTriggers)
        self.table.setItemDelegate(_WordDelegate(self.columns, self.table))
        self.table.cellChanged.connect(self._edited)
        self.table.hide()
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.table)
        self.row.addLayout(column)
        self.setFocusProxy(self.button)
        self._say()

    def value(self) -> Any:
        """Return what is set, by factor; the default when nothing is."""
        return dict(self._given) if self._given else self.spec.default

    def set_value(self, value: Any) -> None:
        """Show what is set."""
        self._given = self.read(value or {})
        self._fill()
        self.changed.emit()

    def set_context(self, context: Context) -> None:
        """Have a line for every factor of the data set; what is set for others is kept and will be named."""
        card = context.dataset
        self.factors = list(card.features) if card is not None else []
        self._cards = {column.name: column for column in card.columns} if card is not None else {}
        self._fill()

    # What the kinds differ in.

    def read(self, value: Any) -> dict[str, Any]:
        """Return a value from elsewhere (a run, a profile) by factor."""
        return dict(value)

    def texts(self, factor: str, given: Any) -> list[str]:
        """Return what stands in a factor's cells."""
        raise TypeError(f"{type(self).__name__} shows nothing.")

    def hints(self, card: ColumnCard | None) -> list[str]:
        """Return what holds where a cell is left empty, shown faintly."""
        return [""] * len(self.columns)

    def entry(self, factor: str, texts: Sequence[str]) -> Any:
        """Return what a factor's cells say; None when all are empty. Raises `FieldProblem`."""
        raise TypeError(f"{type(self).__name__} reads nothing.")

    def _open(self, opened: bool) -> None:
        self.button.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow)
        self.table.setVisible(opened)
        self._fill()

    def _lines(self) -> list[str]:
        return [*self.factors, *(name for name in self._given if name not in self.factors)]

    def _fill(self) -> None:
        self._say()
        if not self.button.isChecked():
            return
        self._filling = True
        lines = self._lines()
        self.table.setColumnCount(1 + len(self.columns))
        self.table.setHorizontalHeaderLabels(["Factor", *(column.heading for column in self.columns)])
        self.table.setRowCount(len(lines))
        for row, factor in enumerate(lines):
            name = QTableWidgetItem(factor)
            name.setFlags(Qt.ItemFlag.ItemIsEnabled)
            name.setToolTip(factor)
            self.table.setItem(row, 0, name)
            texts = self.texts(factor, self._given.get(factor))
            hints = self.hints(self._cards.get(factor))
            for at, (text, hint) in enumerate(zip(texts, hints, strict=True), start=1):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, hint)
                item.setToolTip(f"Left empty: {hint}" if hint else "")
                self.table.setItem(row, at, item)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for at in range(1, 1 + len(self.columns)):
            header.setSectionResizeMode(at, QHeaderView.ResizeMode.Interactive)
            header.resizeSection(at, _WIDE if self.columns[at - 1].words else _NARROW)
        height = self.table.verticalHeader().defaultSectionSize()
        self.table.setFixedHeight(header.sizeHint().height() + height * min(_LINES, max(1, len(lines))) + 2)
        self._filling = False

    def _edited(self, row: int, _column: int) -> None:
        if self._filling:
            return
        factor = self._lines()[row]
        texts = [self._text(row, 1 + at) for at in range(len(self.columns))]
        try:
            entry = self.entry(factor, texts)
        except FieldProblem as problem:
            entry = Unreadable(f"{factor}: {problem}", texts)
        if entry is None:
            self._given.pop(factor, None)
        else:
            self._given[factor] = entry
        self._say()
        self.changed.emit()

    def _text(self, row: int, column: int) -> str:
        item = self.table.item(row, column)
        return item.text().strip() if item is not None else ""

    def _say(self) -> None:
        self.button.setText(f"{len(self._given)} of {len(self._lines())} set" if self._given else self.nothing)

    def readable(self) -> dict[str, Any]:
        """Return what is set; raises `FieldProblem` for the first cell that can't be read."""
        for entry in self._given.values():
            if isinstance(entry, Unreadable):
                raise FieldProblem(entry.sentence)
        return dict(self._given)


@dataclass(frozen=True)
class Unreadable:
    """Cells that hold no value; they stay as they are until they are corrected."""

    sentence: str
    texts: list[str]


class _WordDelegate(QStyledItemDelegate):
    """Edits words with a list, and shows what an empty cell stands for."""

    def __init__(self, columns: Sequence[Column], parent: QTableWidget) -> None:
        super().__init__(parent)
        self._columns = columns

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        """Return a list of words, or a line."""
        words = self._columns[index.column() - 1].words if index.column() else ()
        if not words:
            return super().createEditor(parent, option, index)
        combo = QComboBox(parent)
        combo.addItems(["", *words])
        combo.activated.connect(lambda: self.commitData.emit(combo))
        return combo

    def setEditorData(self, editor: QWidget, index: QModelIndex | QPersistentModelIndex) -> None:
        """Show the cell's text."""
        if isinstance(editor, QComboBox):
            editor.setCurrentText(str(index.data() or ""))
        else:
            super().setEditorData(editor, index)

    def setModelData(
        self, editor: QWidget, model: QAbstractItemModel, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Keep the chosen word."""
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentText())
        else:
            super().setModelData(editor, model, index)

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Write the hint of an empty cell in the colour of placeholders."""
        super().initStyleOption(option, index)
        hint = index.data(Qt.ItemDataRole.UserRole)
        if hint and not index.data():
            option.text = str(hint)
            palette = option.palette
            for role in (palette.ColorRole.Text, palette.ColorRole.HighlightedText):
                palette.setColor(role, palette.color(palette.ColorRole.PlaceholderText))
            option.palette = palette
