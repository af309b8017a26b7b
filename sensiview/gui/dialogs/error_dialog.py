"""An error as a sentence; details and the report for whoever wants them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.dialogs.layout import dialog_column, label
from sensiview.gui.error_report import report_text
from sensiview.gui.icons import icon


class ErrorDialog(QDialog):
    """The sentence first; a traceback or table only behind "Details".

    `remedy` is the way out, where there is one: the words of a button and what it does.
    """

    def __init__(
        self,
        error: SensiViewError,
        parent: QWidget | None = None,
        *,
        remedy: tuple[str, Callable[[], None]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._error = error
        column = dialog_column(self, "error_dialog", "SensiView")
        row = QHBoxLayout()
        row.setSpacing(16)
        picture = QLabel(self)
        picture.setPixmap(icon("error").pixmap(32, 32))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.sentence = label(error.sentence, "", self, name="error_sentence")
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sentence.setMinimumWidth(420)
        row.addWidget(picture)
        row.addWidget(self.sentence, 1)
        column.addLayout(row)
        self.details = QPlainTextEdit(error.details, self)
        self.details.setObjectName("error_details")
        self.details.setAccessibleName("Details")
        self.details.setReadOnly(True)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setMinimumSize(560, 220)
        self.details.hide()
        column.addWidget(self.details, 1)
        box = QDialogButtonBox(self)
        close = box.addButton("Close", QDialogButtonBox.ButtonRole.AcceptRole)
        close.setObjectName("close_dialog_button")
        close.setDefault(True)
        box.accepted.connect(self.accept)
        if remedy is not None:
            self._remedy = remedy[1]
            self.remedy_button = QPushButton(remedy[0], self)
            self.remedy_button.setObjectName("remedy_button")
            self.remedy_button.setProperty("role", "primary")
            self.remedy_button.clicked.connect(self._help)
            box.addButton(self.remedy_button, QDialogButtonBox.ButtonRole.ActionRole)
        if error.details:
            self.details_button = QPushButton("Details", self)
            self.details_button.setObjectName("details_button")
            self.details_button.setCheckable(True)
            self.details_button.setAutoDefault(False)
            self.details_button.toggled.connect(self._show_details)
            box.addButton(self.details_button, QDialogButtonBox.ButtonRole.ActionRole)
            self.copy_button = QPushButton("Copy report", self)
            self.copy_button.setObjectName("copy_report_button")
            self.copy_button.setAutoDefault(False)
            self.copy_button.setToolTip("Puts the sentence, the details and the versions on the clipboard")
            self.copy_button.clicked.connect(self._copy)
            box.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        column.addWidget(box)

    def _help(self) -> None:
        self.accept()
        self._remedy()

    def _show_details(self, shown: bool) -> None:
        self.details.setVisible(shown)
        self.adjustSize()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(report_text(self._error.sentence, self._error.details))
        self.copy_button.setText("Copied")
