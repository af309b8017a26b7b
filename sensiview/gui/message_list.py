"""What happened, in sentences with their time; a click shows the details."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QStackedLayout, QVBoxLayout, QWidget

from sensiview.gui.icons import icon
from sensiview.gui.session import Session

_SENTENCE = Qt.ItemDataRole.UserRole + 1
_DETAILS = Qt.ItemDataRole.UserRole + 2
_KEPT = 500
_SPOKEN = {"info": "", "good": "", "warning": "Warning: ", "error": "Error: "}


class MessageList(QWidget):
    """The list, latest at the end.

    Signals
    -------
    details_wanted
        Sentence and details of the message that was clicked.
    """

    details_wanted = Signal(str, str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messages_pane")
        self.list = QListWidget(self)
        self.list.setObjectName("message_list")
        self.list.setAccessibleName("Messages")
        self.list.setWordWrap(True)
        self.list.setIconSize(QSize(16, 16))
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.itemActivated.connect(self._open)
        self.list.itemClicked.connect(self._open)
        empty = QLabel("Nothing to report yet.", self)
        empty.setProperty("role", "muted")
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        self._stack = QStackedLayout()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.list)
        layout.addLayout(self._stack)
        session.message.connect(self.add)

    def add(self, level: str, sentence: str, details: str) -> None:
        """Append one sentence; the oldest goes when there are too many."""
        more = "  Click for details." if details else ""
        item = QListWidgetItem(icon(level), f"{datetime.now():%H:%M:%S}   {sentence}{more}")
        item.setData(_SENTENCE, sentence)
        item.setData(_DETAILS, details)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{_SPOKEN.get(level, '')}{sentence}")
        self.list.addItem(item)
        while self.list.count() > _KEPT:
            self.list.takeItem(0)
        self._stack.setCurrentWidget(self.list)
        self.list.scrollToBottom()

    def sentences(self) -> list[str]:
        """Return every sentence shown, oldest first."""
        return [str(self.list.item(row).data(_SENTENCE)) for row in range(self.list.count())]

    def _open(self, item: QListWidgetItem) -> None:
        if item.data(_DETAILS):
            self.details_wanted.emit(str(item.data(_SENTENCE)), str(item.data(_DETAILS)))
