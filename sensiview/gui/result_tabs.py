"""A tab per opened run; which are open and what they show comes back exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from sensiview.gui.icons import icon
from sensiview.gui.result_page import ResultPage
from sensiview.gui.session import Session

_LONGEST = 28
_NOTHING = "No result is open.\n\nChoose an analysis on the right and run it, or open a run in the project tree."


class ResultTabs(QWidget):
    """The results page of the window.

    Signals
    -------
    command_wanted(str)
        A command of the window (``export_run``, ``write_report``, ``extend``) about the selected run.
    edit_wanted(str)
        The parameters of this run are to be put into the form.
    """

    command_wanted = Signal(str)
    edit_wanted = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.tabs = QTabWidget()
        self.tabs.setObjectName("result_tabs")
        self.tabs.setAccessibleName("Results")
        self.tabs.setTabsClosable(True)
        self.tabs.setMovable(True)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideRight)
        self.tabs.tabCloseRequested.connect(self._close_at)
        self.tabs.currentChanged.connect(self._select)
        self.nothing = QLabel(_NOTHING)
        self.nothing.setObjectName("no_results")
        self.nothing.setProperty("role", "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.nothing.setWordWrap(True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(self.tabs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._project = str(session.project.path) if session.project is not None else ""
        session.project_changed.connect(self._project_changed)
        session.runs_changed.connect(self._follow)
        session.selection_changed.connect(self._open_new)
        self._show_or_hide()

    def open_run(self, run_id: str) -> None:
        """Show a run in a tab of its own, or in the one it has."""
        page = self.page(run_id)
        if page is None:
            record = self._session.run_record(run_id)
            if record is None:
                return
            page = ResultPage(self._session, run_id)
            page.command_wanted.connect(lambda key, run_id=run_id: self._carry_out(key, run_id))
            self.tabs.addTab(page, "")
            self._name_tabs()
        self.tabs.setCurrentWidget(page)
        self._show_or_hide()

    def open_runs(self) -> list[str]:
        """Return the runs that have a tab, in order."""
        return [page.run_id for page in self._pages()]

    def current_run(self) -> str:
        """Return the run whose tab is in front; empty without one."""
        page = self.tabs.currentWidget()
        return page.run_id if isinstance(page, ResultPage) else ""

    def page(self, run_id: str) -> ResultPage | None:
        """Return the tab of a run."""
        return next((page for page in self._pages() if page.run_id == run_id), None)

    def close_run(self, run_id: str) -> None:
        """Close a run's tab; the run stays."""
        page = self.page(run_id)
        if page is not None:
            self._close_at(self.tabs.indexOf(page))

    def state(self) -> dict[str, Any]:
        """Return what is open and every choice in it, as plain values."""
        return {"open": [page.state() for page in self._pages()], "current": self.current_run()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Open what `state` gave; runs that are gone are left out."""
        self._close_all()
        opened = state.get("open")
        for entry in opened if isinstance(opened, list) else ():
            if isinstance(entry, Mapping) and self._session.run_record(str(entry.get("run", ""))) is not None:
                self.open_run(str(entry["run"]))
                page = self.page(str(entry["run"]))
                if page is not None:
                    page.restore(entry)
        current = self.page(str(state.get("current", "")))
        if current is not None:
            self.tabs.setCurrentWidget(current)
        self._show_or_hide()

    def _pages(self) -> list[ResultPage]:
        widgets = (self.tabs.widget(at) for at in range(self.tabs.count()))
        return [widget for widget in widgets if isinstance(widget, ResultPage)]

    def _carry_out(self, key: str, run_id: str) -> None:
        session = self._session
        if key == "stop":
            session.cancel(run_id)
        elif key in ("retry", "resume"):
            with session.guard():
                record = session.retry(run_id) if key == "retry" else session.resume(run_id)
                self.open_run(record.id)
        elif key == "edit":
            self.edit_wanted.emit(run_id)
        else:
            session.select_run(run_id)
            self.command_wanted.emit(key)

    def _close_at(self, at: int) -> None:
        page = self.tabs.widget(at)
        self.tabs.removeTab(at)
        if page is not None:
            page.deleteLater()
        self._show_or_hide()

    def _close_all(self) -> None:
        while self.tabs.count():
            self._close_at(0)

    def _project_changed(self) -> None:
        path = str(self._session.project.path) if self._session.project is not None else ""
        if path != self._project:
            self._project = path
            self._close_all()

    def _follow(self) -> None:
        """Close tabs of runs that are gone; name the others as they are called now."""
        for page in self._pages():
            if page.record() is None:
                self._close_at(self.tabs.indexOf(page))
        self._name_tabs()

    def _name_tabs(self) -> None:
        for at, page in enumerate(self._pages()):
            record = page.record()
            if record is None:
                continue
            name = record.name if len(record.name) <= _LONGEST else record.name[: _LONGEST - 1] + "…"
            self.tabs.setTabText(at, name.replace("&", "&&"))
            self.tabs.setTabToolTip(at, f"{record.name} ({record.id})")
            self.tabs.setTabIcon(at, icon(record.state))

    def _open_new(self) -> None:
        """Give a run that was just queued its tab, so that it can be watched."""
        run = self._session.run
        if run is not None and run.state in ("queued", "running") and run.kind != "inspection":
            self.open_run(run.id)

    def _select(self, at: int) -> None:
        page = self.tabs.widget(at)
        if isinstance(page, ResultPage) and self._session.run_record(page.run_id) is not None:
            self._session.select_run(page.run_id)

    def _show_or_hide(self) -> None:
        self._stack.setCurrentWidget(self.tabs if self.tabs.count() else self.nothing)
