"""What all dialogs share: margins on an 8 px grid, a heading, the row of buttons, a place for a sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)


def dialog_column(dialog: QDialog, name: str, title: str) -> QVBoxLayout:
    """Name the dialog and return its column of widgets."""
    dialog.setObjectName(name)
    dialog.setWindowTitle(title)
    dialog.setAccessibleName(title)
    column = QVBoxLayout(dialog)
    column.setContentsMargins(24, 24, 24, 16)
    column.setSpacing(16)
    return column


def form() -> QFormLayout:
    """Return an empty form whose fields grow."""
    layout = QFormLayout()
    layout.setHorizontalSpacing(16)
    layout.setVerticalSpacing(8)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return layout


def label(text: str, role: str, parent: QWidget, *, name: str = "") -> QLabel:
    """Return a wrapped label in one of the style sheet's roles."""
    made = QLabel(text, parent)
    if role:
        made.setProperty("role", role)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if name:
        made.setObjectName(name)
    return made


def row_label(text: str, buddy: QWidget, parent: QWidget) -> QLabel:
    """Return a form's label whose mnemonic leads to `buddy`: needed where the row holds more than one widget."""
    made = QLabel(text, parent)
    made.setBuddy(buddy)
    return made


def heading_row(tree: QTreeWidget, title: str) -> QTreeWidgetItem:
    """Add a bold row that groups the rows below it and can't be chosen itself."""
    row = QTreeWidgetItem([title])
    font = row.font(0)
    font.setBold(True)
    row.setFont(0, font)
    row.setFlags(Qt.ItemFlag.ItemIsEnabled)
    tree.addTopLevelItem(row)
    return row


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget another role of the style sheet, for everybody to see at once."""
    widget.setProperty("role", role)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def named(widget: QWidget, name: str, spoken: str, tip: str = "") -> QWidget:
    """Give an interactive widget its objectName, its accessible name and its tool tip."""
    widget.setObjectName(name)
    widget.setAccessibleName(spoken)
    if tip:
        widget.setToolTip(tip)
        widget.setAccessibleDescription(tip)
    return widget


def buttons(dialog: QDialog, accept: str, name: str, *, cancel: str = "Cancel") -> tuple[QDialogButtonBox, QPushButton]:
    """Return the row of buttons and its main button; cancel closes the dialog."""
    row = QDialogButtonBox(dialog)
    main = QPushButton(accept, dialog)
    main.setObjectName(name)
    main.setAccessibleName(accept)
    main.setProperty("role", "primary")
    main.setDefault(True)
    row.addButton(main, QDialogButtonBox.ButtonRole.AcceptRole)
    other = row.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
    other.setObjectName("cancel_dialog_button")
    other.setAutoDefault(False)
    row.rejected.connect(dialog.reject)
    return row, main


def close_button(dialog: QDialog) -> QDialogButtonBox:
    """Return a row with Close alone."""
    row = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    button = row.button(QDialogButtonBox.StandardButton.Close)
    button.setObjectName("close_dialog_button")
    row.rejected.connect(dialog.reject)
    return row
