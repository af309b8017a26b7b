"""The column that models predict."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QDialog, QWidget

from sensiview.gui.data_import import choose_target
from sensiview.gui.dialogs.layout import buttons, dialog_column, form, label, named
from sensiview.gui.session import Session

NO_TARGET = "(none: the table has no target)"


class TargetDialog(QDialog):
    """One choice, undoable."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        source = session.dataset
        self._source = source
        column = dialog_column(self, "target_dialog", "Target column")
        column.addWidget(label("Target column", "heading", self))
        self.choice = QComboBox(self)
        named(self.choice, "target_choice", "Target column")
        self.choice.addItem(NO_TARGET, None)
        for card in source.card.columns if source is not None else ():
            classes = f"{card.distinct} values"
            self.choice.addItem(f"{card.name}   ({card.kind}, {classes})", card.name)
        self.choice.setCurrentIndex(max(0, self.choice.findData(source.card.target if source is not None else None)))
        fields = form()
        fields.addRow("&Column", self.choice)
        column.addLayout(fields)
        table = source is None or source.card.kind == "table"
        note = "All other numeric columns are the factors that analyses vary. " if table else ""
        note += "Choosing another target can be undone."
        column.addWidget(label(note, "muted", self))
        column.addStretch(1)
        box, _main = buttons(self, "Choose", "choose_target_button")
        box.accepted.connect(self._accept)
        column.addWidget(box)
        self.setMinimumWidth(460)

    def _accept(self) -> None:
        chosen = self.choice.currentData()
        self.accept()
        if self._source is not None and chosen != self._source.card.target:
            choose_target(self._session, self._source.id, chosen)
