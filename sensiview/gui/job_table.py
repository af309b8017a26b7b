"""The jobs: what runs, what waits, what ended how; and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QStackedLayout,
    QTableView,
    QToolButton,
    QWidget,
)  # fmt: skip

from sensiview.gui.job_model import MEMORY, PROGRESS, RUN, SHARE, SPEED, STAGE, STATE, TIME, JobModel
from sensiview.gui.progress_delegate import ProgressDelegate
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.gui.actions import ActionSet


class JobTable(QWidget):
    """The table with its commands.

    Signals
    -------
    run_chosen
        The run that was clicked or reached with the keyboard.
    run_opened
        The run that was double-clicked or entered.
    """

    run_chosen = Signal(str)
    run_opened = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobs_pane")
        self._session = session
        self._actions: ActionSet | None = None
        self.model = JobModel(session)
        self.table = self._make_table()
        self._empty = QLabel("No job yet. Choose an analysis on the right and press Run.", self)
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._empty)
        self._buttons = QGridLayout()
        self._buttons.setSpacing(4)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addLayout(self._stack, 1)
        layout.addLayout(self._buttons)
        session.jobs.progressed.connect(self.model.refresh_live)
        for signal in (session.jobs.changed, session.runs_changed, session.project_changed):
            signal.connect(self.refresh)
        self.refresh()

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setObjectName("job_table")
        table.setAccessibleName("Jobs")
        table.setModel(self.model)
        table.setItemDelegateForColumn(PROGRESS, ProgressDelegate(SHARE, table))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setAlternatingRowColors(True)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(28)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(STAGE, QHeaderView.ResizeMode.Stretch)
        for column, width in ((RUN, 190), (STATE, 80), (PROGRESS, 140), (SPEED, 80), (TIME, 96), (MEMORY, 80)):
            header.resizeSection(column, width)
        table.selectionModel().currentRowChanged.connect(self._chosen)
        table.activated.connect(self._opened)
        table.customContextMenuRequested.connect(self._show_menu)
        return table

    def use_actions(self, actions: ActionSet) -> None:
        """Put the commands beside the table."""
        self._actions = actions
        for at, (key, name) in enumerate((
            ("stop", "cancel_button"), ("resume", "resume_button"),
            ("extend", "extend_button"), ("retry", "retry_button"),
        )):  # fmt: skip
            button = QToolButton(self)
            button.setObjectName(name)
            button.setDefaultAction(actions[key])
            button.setAccessibleName(actions.infos[key].title)
            # Two by two, so that the table gets the room; the words are in tool tip, menu and result page.
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
            button.setAutoRaise(True)
            self._buttons.addWidget(button, at // 2, at % 2)
        self._buttons.setRowStretch(2, 1)

    def refresh(self) -> None:
        """Show runs and queue anew; the current row stays on its run."""
        current = self.current()
        self.model.refresh()
        self._stack.setCurrentWidget(self.table if self.model.rowCount() else self._empty)
        if current is not None:
            self.select(current)

    def current(self) -> str | None:
        """Return the identifier of the current run."""
        run = self.model.run_at(self.table.currentIndex().row())
        return run.id if run else None

    def select(self, run_id: str) -> None:
        """Make a run the current row, telling nobody."""
        row = self.model.row_of(run_id)
        if row >= 0 and row != self.table.currentIndex().row():
            selection = self.table.selectionModel()
            selection.blockSignals(True)
            self.table.selectRow(row)
            selection.blockSignals(False)
            self.table.viewport().update()

    def _chosen(self, index: QModelIndex) -> None:
        run = self.model.run_at(index.row())
        if run is not None:
            self.run_chosen.emit(run.id)

    def _opened(self, index: QModelIndex) -> None:
        run = self.model.run_at(index.row())
        if run is not None:
            self.run_opened.emit(run.id)

    def _show_menu(self, position: QPoint) -> None:
        run = self.model.run_at(self.table.indexAt(position).row())
        if run is None or self._actions is None:
            return
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        if run.id in self._session.jobs.waiting:
            menu.addAction("Start earlier", lambda: self._session.jobs.move(run.id, -1))
            menu.addAction("Start later", lambda: self._session.jobs.move(run.id, 1))
            menu.addSeparator()
        for key in ("show_results", "stop", "resume", "extend", "retry", "delete"):
            menu.addAction(self._actions[key])
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.table.viewport().mapToGlobal(position))
