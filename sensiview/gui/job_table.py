"""The jobs: what runs, what waits, what ended how; and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QFont
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

from sensiview.gui.entry_texts import STATE_WORDS, counted, when
from sensiview.gui.icons import icon
from sensiview.gui.progress_delegate import ProgressDelegate
from sensiview.gui.session import Session
from sensiview.gui.themes import theme

if TYPE_CHECKING:
    from sensiview.gui.actions import ActionSet
    from sensiview.projects.records import RunRecord

COLUMNS = ("Run", "State", "Stage", "Progress", "Rows/s", "Time", "Memory")
SHARE = Qt.ItemDataRole.UserRole + 1
_RUN, _STATE, _STAGE, _PROGRESS, _SPEED, _LEFT, _MEMORY = range(len(COLUMNS))
# Older ends are in the project tree; the table is about what goes on.
_ENDED_SHOWN = 50
# Longer ones do not fit over the bar; they become a percentage.
_LONGEST_COUNTS = 18
_COLOURS = {"succeeded": "good", "failed": "error", "interrupted": "warning", "running": "accent"}


class JobModel(QAbstractTableModel):
    """Rows: the run that goes on, those that wait in order, then those that ended, the latest first."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._runs: list[RunRecord] = []
        self.refresh()

    def refresh(self) -> None:
        """Read runs and queue anew. Only rows that moved are told apart from rows that changed."""
        by_id = {run.id: run for run in self._session.runs()}
        active = [by_id.pop(run_id) for run_id in self._active() if run_id in by_id]
        ended = sorted(by_id.values(), key=lambda run: run.finished or run.started or run.created, reverse=True)
        runs = active + ended[:_ENDED_SHOWN]
        same = [run.id for run in runs] == [run.id for run in self._runs]
        if same:
            self._runs = runs
            self.refresh_live()
            if runs:
                self.dataChanged.emit(self.index(0, 0), self.index(len(runs) - 1, len(COLUMNS) - 1))
        else:
            self.beginResetModel()
            self._runs = runs
            self.endResetModel()

    def _active(self) -> list[str]:
        jobs = self._session.jobs
        return ([jobs.live.run] if jobs.live else []) + list(jobs.waiting)

    def refresh_live(self) -> None:
        """Say that the first row, the run that goes on, has newer values."""
        if self._runs and self._session.jobs.live:
            self.dataChanged.emit(self.index(0, _STATE), self.index(0, _MEMORY))

    def run_at(self, row: int) -> RunRecord | None:
        """Return the run of a row."""
        return self._runs[row] if 0 <= row < len(self._runs) else None

    def row_of(self, run_id: str) -> int:
        """Return the row of a run, -1 when it is not shown."""
        return next((row for row, run in enumerate(self._runs) if run.id == run_id), -1)

    # Qt's side

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        """Return the number of runs shown."""
        return 0 if parent is not None and parent.isValid() else len(self._runs)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex | None = None) -> int:
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the column's title."""
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return COLUMNS[section]
            if role == Qt.ItemDataRole.ToolTipRole and section == _SPEED:
                return "Model evaluations per second: rows through the network"
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        run = self.run_at(index.row())
        if run is None:
            return None
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(run, column)
        if role == Qt.ItemDataRole.DecorationRole and column == _RUN:
            return icon(self._state(run))
        if role == Qt.ItemDataRole.ForegroundRole and column == _STATE:
            return QColor(str(getattr(theme(), _COLOURS.get(self._state(run), "text"))))
        if role == Qt.ItemDataRole.FontRole and column == _RUN and self._session.jobs.is_busy_with(run.id):
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{run.name} ({run.id})\n{run.message}".strip()
        if role == SHARE and column == _PROGRESS:
            return self._share(run)
        return None

    def _state(self, run: RunRecord) -> str:
        return "running" if self._session.jobs.is_busy_with(run.id) else run.state

    def _share(self, run: RunRecord) -> float | None:
        """0 to 1, -1 for 'going on, nobody knows how far', None for no bar."""
        live = self._session.jobs.live
        if live is not None and live.run == run.id:
            return -1.0 if live.share is None else live.share
        return None

    def _text(self, run: RunRecord, column: int) -> str:
        live = self._session.jobs.live
        if column == _RUN:
            return run.name
        if live is not None and live.run == run.id:
            return self._live_text(column)
        if column == _STATE:
            waiting = self._session.jobs.waiting
            return (
                f"waits ({waiting.index(run.id) + 1})" if run.id in waiting else STATE_WORDS.get(run.state, run.state)
            )
        if column == _STAGE:
            return run.message
        if column == _PROGRESS and run.evaluations:
            return counted(run.evaluations, "row")
        if column == _SPEED and run.evaluations and run.seconds:
            return f"{run.evaluations / run.seconds:,.0f}".replace(",", "\u2009")
        if column == _LEFT and run.finished:
            return when(run.finished)
        return ""

    def _live_text(self, column: int) -> str:
        from sensiview.gui.number_text import duration, memory

        live = self._session.jobs.live
        if live is None:
            return ""
        if column == _STATE:
            return "stopping" if live.stopping else "running"
        if column == _STAGE:
            return live.stage
        if column == _PROGRESS:
            counts = f"{live.done:,} of {live.total:,}".replace(",", "\u2009") if live.total else ""
            return counts if len(counts) <= _LONGEST_COUNTS or live.share is None else f"{live.share:.0%}"
        if column == _SPEED:
            return f"{live.per_second:,.0f}".replace(",", "\u2009") if live.per_second else ""
        if column == _LEFT:
            return "" if live.seconds_left is None else f"{duration(live.seconds_left)} left"
        if column == _MEMORY and live.memory:
            device = f" + {memory(live.device_memory)} GPU" if live.device_memory else ""
            return memory(live.memory) + device
        return ""


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
        table.setItemDelegateForColumn(_PROGRESS, ProgressDelegate(SHARE, table))
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
        header.setSectionResizeMode(_STAGE, QHeaderView.ResizeMode.Stretch)
        for column, width in ((_RUN, 190), (_STATE, 80), (_PROGRESS, 140), (_SPEED, 80), (_LEFT, 96), (_MEMORY, 80)):
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
