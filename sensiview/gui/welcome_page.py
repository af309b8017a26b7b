"""The first page: recent projects, the sample project, a new one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from sensiview import __version__
from sensiview.gui import recent
from sensiview.gui.entry_delegate import SUBTITLE, EntryDelegate
from sensiview.gui.icons import application_pixmap, icon

_PATH = Qt.ItemDataRole.UserRole + 1
_MISSING = Qt.ItemDataRole.UserRole + 2


class WelcomePage(QWidget):
    """What SensiView shows while no project is open.

    Signals
    -------
    command_wanted(str)
        A button was pressed: a key of the window's list of actions.
    project_chosen
        A recent project's folder.
    """

    command_wanted = Signal(str)
    project_chosen = Signal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome_page")
        self.setAccessibleName("Welcome")
        outer = QHBoxLayout(self)
        outer.setContentsMargins(32, 32, 32, 32)
        outer.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(24)
        column.addStretch(1)
        column.addLayout(self._heading())
        columns = QHBoxLayout()
        columns.setSpacing(40)
        columns.addLayout(self._start_column())
        columns.addLayout(self._recent_column(), 1)
        column.addLayout(columns)
        column.addStretch(2)
        outer.addLayout(column, 8)
        outer.addStretch(1)
        self.refresh()

    # Parts

    def _heading(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(16)
        picture = QLabel(self)
        picture.setPixmap(application_pixmap(56, self.devicePixelRatioF()))
        title = QLabel("SensiView", self)
        title.setProperty("role", "title")
        line = QLabel(
            f"Shows what a neural network is sensitive to, and whether that can be trusted.  Version {__version__}",
            self,
        )
        line.setProperty("role", "muted")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(title)
        words.addWidget(line)
        row.addWidget(picture)
        row.addLayout(words, 1)
        return row

    def _start_column(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(_subheading("Start", self))
        self.sample_button = _big_button("Open sample project", "sample", "sample_button", self)
        self.sample_button.setProperty("role", "primary")
        self.sample_button.setIcon(icon("sample", "accent_text"))
        self.new_button = _big_button("New project…", "project_new", "new_project_button", self)
        self.open_button = _big_button("Open project…", "project_open", "open_project_button", self)
        self.image_button = _big_button("Open image sample", "sample", "image_sample_button", self)
        self.digits_button = _big_button("Open digits sample", "sample", "digits_sample_button", self)
        self.brain_button = _big_button("Open brain sample", "sample", "brain_sample_button", self)
        for button, key in (
            (self.sample_button, "open_sample"),
            (self.image_button, "open_image_sample"),
            (self.digits_button, "open_digits_sample"),
            (self.brain_button, "open_brain_sample"),
            (self.new_button, "new_project"),
            (self.open_button, "open_project"),
        ):
            button.clicked.connect(lambda _checked=False, key=key: self.command_wanted.emit(key))
            column.addWidget(button)
        hint = QLabel(
            "The sample projects train a small network on the Pima diabetes data and show its Sobol' indices; explain "
            "networks of images on garments and photographs; find out how networks of digits cheat; or "
            "train 3-D networks on simulated grey-matter maps and show what they rest on.",
            self,
        )
        hint.setProperty("role", "muted")
        hint.setWordWrap(True)
        hint.setMaximumWidth(240)
        column.addSpacing(8)
        column.addWidget(hint)
        column.addStretch(1)
        return column

    def _recent_column(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(_subheading("Recent projects", self))
        frame = QFrame(self)
        frame.setProperty("role", "card")
        self.list = QListWidget(frame)
        self.list.setObjectName("recent_projects")
        self.list.setAccessibleName("Recent projects")
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setMinimumHeight(280)
        self.list.itemActivated.connect(self._activate)
        self.list.itemClicked.connect(self._activate)
        self.list.customContextMenuRequested.connect(self._show_menu)
        self.list.installEventFilter(self)
        self._empty = QLabel("No project yet.\nOpen the sample project to look around, or make a new one.", frame)
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout(frame)
        self._stack.setContentsMargins(4, 4, 4, 4)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._empty)
        column.addWidget(frame, 1)
        self._note = QLabel("Delete takes a project off this list; its folder stays.", self)
        self._note.setProperty("role", "muted")
        column.addWidget(self._note)
        return column

    # Contents

    def refresh(self) -> None:
        """Read the list of recent projects anew."""
        self.list.clear()
        for project in recent.recent_projects():
            missing = project.missing
            item = QListWidgetItem(icon("warning" if missing else "folder"), project.title or Path(project.path).stem)
            item.setData(SUBTITLE, f"not found: {project.path}" if missing else f"{project.when()}  ·  {project.path}")
            item.setData(_PATH, project.path)
            item.setData(_MISSING, missing)
            item.setToolTip(
                f"{project.path}\nThe folder is not there. Press Delete to take it off the list."
                if missing
                else project.path
            )
            self.list.addItem(item)
        count = self.list.count()
        self._stack.setCurrentWidget(self.list if count else self._empty)
        self._note.setVisible(bool(count))
        if count:
            self.list.setCurrentRow(0)

    def _activate(self, item: QListWidgetItem) -> None:
        if not item.data(_MISSING):
            self.project_chosen.emit(Path(str(item.data(_PATH))))

    def remove_current(self) -> None:
        """Take the current project off the list."""
        item = self.list.currentItem()
        if item is not None:
            recent.forget(str(item.data(_PATH)))
            self.refresh()

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        """The delete key takes a project off the list."""
        if not isinstance(event, QKeyEvent) or watched is not self.list:
            return False
        deletes = event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Delete
        if deletes:
            self.remove_current()
        return deletes

    def _show_menu(self, position: QPoint) -> None:
        item = self.list.itemAt(position)
        if item is None:
            return
        self.list.setCurrentItem(item)
        menu = QMenu(self)
        opening = menu.addAction(icon("project_open"), "Open", lambda: self._activate(item))
        opening.setEnabled(not item.data(_MISSING))
        menu.addAction(icon("close"), "Remove from this list", self.remove_current)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.list.viewport().mapToGlobal(position))


def _subheading(text: str, parent: QWidget) -> QLabel:
    label = QLabel(text, parent)
    label.setProperty("role", "subheading")
    return label


def _big_button(text: str, picture: str, name: str, parent: QWidget) -> QPushButton:
    button = QPushButton(icon(picture), text, parent)
    button.setObjectName(name)
    button.setAccessibleName(text.rstrip("…"))
    button.setProperty("align", "left")
    button.setMinimumSize(240, 40)
    button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return button
