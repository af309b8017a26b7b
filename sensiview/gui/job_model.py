"""The rows of the job table: what goes on, what waits, what ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from sensiview.gui.entry_texts import STATE_WORDS, counted, when
from sensiview.gui.icons import icon
from sensiview.gui.session import Session
from sensiview.gui.themes import theme

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord

COLUMNS = ("Run", "State", "Stage", "Progress", "Rows/s", "Time", "Memory")
SHARE = Qt.ItemDataRole.UserRole + 1
RUN, STATE, STAGE, PROGRESS, SPEED, TIME, MEMORY = range(len(COLUMNS))
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
            self.dataChanged.emit(self.index(0, STATE), self.index(0, MEMORY))

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
            if role == Qt.ItemDataRole.ToolTipRole and section == SPEED:
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
        if role == Qt.ItemDataRole.DecorationRole and column == RUN:
            return icon(self._state(run))
        if role == Qt.ItemDataRole.ForegroundRole and column == STATE:
            return QColor(str(getattr(theme(), _COLOURS.get(self._state(run), "text"))))
        if role == Qt.ItemDataRole.FontRole and column == RUN and self._session.jobs.is_busy_with(run.id):
            font = QFont()
            font.setBold(True)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{run.name} ({run.id})\n{run.message}".strip()
        if role == SHARE and column == PROGRESS:
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
        if column == RUN:
            return run.name
        if live is not None and live.run == run.id:
            return self._live_text(column)
        if column == STATE:
            waiting = self._session.jobs.waiting
            return (
                f"waits ({waiting.index(run.id) + 1})" if run.id in waiting else STATE_WORDS.get(run.state, run.state)
            )
        if column == STAGE:
            return run.message
        if column == PROGRESS and run.evaluations:
            return counted(run.evaluations, "row")
        if column == SPEED and run.evaluations and run.seconds:
            return f"{run.evaluations / run.seconds:,.0f}"
        if column == TIME and run.finished:
            return when(run.finished)
        return ""

    def _live_text(self, column: int) -> str:
        from sensiview.gui.number_text import duration, memory

        live = self._session.jobs.live
        if live is None:
            return ""
        if column == STATE:
            return "stopping" if live.stopping else "running"
        if column == STAGE:
            return live.stage
        if column == PROGRESS:
            counts = f"{live.done:,} of {live.total:,}" if live.total else ""
            return counts if len(counts) <= _LONGEST_COUNTS or live.share is None else f"{live.share:.0%}"
        if column == SPEED:
            return f"{live.per_second:,.0f}" if live.per_second else ""
        if column == TIME:
            return "" if live.seconds_left is None else f"{duration(live.seconds_left)} left"
        if column == MEMORY and live.memory:
            device = f" + {memory(live.device_memory)} GPU" if live.device_memory else ""
            return memory(live.memory) + device
        return ""
