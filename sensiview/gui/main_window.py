"""The main window: puts panes, menus and dialogs together; every command is in `commands`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QDockWidget, QMainWindow, QMessageBox, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui import recent, window_layout
from sensiview.gui.actions import ActionSet
from sensiview.gui.background import wait_for_background
from sensiview.gui.centre import Centre
from sensiview.gui.commands import Commands
from sensiview.gui.dialog_host import DialogHost
from sensiview.gui.icons import application_icon
from sensiview.gui.job_table import JobTable
from sensiview.gui.menus import make_menus, make_tool_bar
from sensiview.gui.message_list import MessageList
from sensiview.gui.project_tree import ProjectTree
from sensiview.gui.project_view import ProjectView
from sensiview.gui.sample_project import SampleProject
from sensiview.gui.session import Session
from sensiview.gui.status_bar import StatusBar
from sensiview.gui.themes import notifier

if TYPE_CHECKING:
    from sensiview.gui.analysis_pane import AnalysisPane
    from sensiview.gui.result_tabs import ResultTabs

FIRST_SIZE = QSize(1440, 900)
# Below these widths names and fields are cut off.
_NARROWEST = {"project": 210, "analysis": 320}


class MainWindow(QMainWindow):
    """Everything in one window.

    It is usable as soon as it is shown: `complete` adds the panes that need pandas and pyqtgraph a moment later.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("SensiView")
        self.setWindowIcon(application_icon())
        self.setAcceptDrops(True)
        self.setDockOptions(
            QMainWindow.DockOption.AnimatedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.AllowNestedDocks
        )
        self.session = session
        session.setParent(self)
        self.analysis: AnalysisPane | None = None
        self.results: ResultTabs | None = None
        self._closing = False
        self.dialogs = DialogHost()
        self.centre = Centre(self)
        self.setCentralWidget(self.centre)
        self.tree = ProjectTree(session, self)
        self.jobs = JobTable(session, self)
        self.messages = MessageList(session, self)
        self.setStatusBar(StatusBar(session, self))
        self.commands = Commands(self)
        self.action_set = ActionSet(session, self.commands, self)
        self.tree.use_actions(self.action_set)
        self.jobs.use_actions(self.action_set)
        self.docks = self._make_docks()
        self.menus = make_menus(self)
        self.tool_bar = make_tool_bar(self)
        self._view = ProjectView(self)
        self.sample = SampleProject(session, self)
        self._connect()
        self.resize(FIRST_SIZE)
        self._docks_kept = False
        self._show_docks(False)

    # Building

    def _make_docks(self) -> dict[str, QDockWidget]:
        left, right, bottom = (
            Qt.DockWidgetArea.LeftDockWidgetArea,
            Qt.DockWidgetArea.RightDockWidgetArea,
            Qt.DockWidgetArea.BottomDockWidgetArea,
        )
        docks = {}
        for key, title, widget, area in (
            ("project", "Project", self.tree, left),
            ("analysis", "Analysis", QWidget(self), right),
            ("jobs", "Jobs", self.jobs, bottom),
            ("messages", "Messages", self.messages, bottom),
        ):
            dock = QDockWidget(title, self)
            dock.setObjectName(f"{key}_dock")
            dock.setAccessibleName(title)
            dock.setWidget(widget)
            if key in _NARROWEST:
                dock.setMinimumWidth(_NARROWEST[key])
            self.addDockWidget(area, dock)
            docks[key] = dock
        # The form on the right keeps its full height; jobs and messages get the width below the rest.
        self.setCorner(Qt.Corner.BottomLeftCorner, bottom)
        self.setCorner(Qt.Corner.BottomRightCorner, right)
        return docks

    def _connect(self) -> None:
        session, welcome = self.session, self.centre.welcome
        session.project_changed.connect(self._project_changed)
        session.problem.connect(self.show_problem)
        session.selection_changed.connect(self._follow_selection)
        notifier.changed.connect(self._recolour)
        welcome.command_wanted.connect(lambda key: self.action_set[key].trigger())
        welcome.project_chosen.connect(self.commands.open_path)
        self.tree.entry_chosen.connect(self.commands.choose_entry)
        self.tree.entry_opened.connect(self.commands.open_entry)
        self.tree.files_dropped.connect(self.commands.take_files)
        self.jobs.run_chosen.connect(session.select_run)
        self.jobs.run_opened.connect(lambda run: self.commands.open_entry("run", run))
        self.messages.details_wanted.connect(
            lambda sentence, details: self.show_problem(SensiViewError(sentence, details=details))
        )

    def complete(self) -> None:
        """Add the panes that need more than Qt; called once pandas and pyqtgraph are imported."""
        from sensiview.gui.analysis_pane import AnalysisPane
        from sensiview.gui.dataset_pane import DatasetPane
        from sensiview.gui.model_pane import ModelPane
        from sensiview.gui.result_tabs import ResultTabs

        self.results = ResultTabs(self.session)
        self.centre.install("results", self.results)
        pane = DatasetPane(self.session)
        pane.command_wanted.connect(lambda key: self.action_set[key].trigger())
        pane.run_opened.connect(lambda run: self.commands.open_entry("run", run))
        self.centre.install("dataset", pane)
        self.centre.install("model", ModelPane(self.session))
        self.analysis = AnalysisPane(self.session)
        placeholder = self.docks["analysis"].widget()
        self.docks["analysis"].setWidget(self.analysis)
        placeholder.deleteLater()
        self.results.command_wanted.connect(lambda key: self.action_set[key].trigger())
        self.results.edit_wanted.connect(self.commands.edit_run)
        self.analysis.started.connect(lambda run: self.commands.open_entry("run", run))
        # Connected after the panes: what they forget of the last project comes before what this one brings back.
        self.session.project_changed.connect(self._view.restore)
        self._view.restore()
        self.action_set.refresh()

    @property
    def is_complete(self) -> bool:
        """Whether all panes are there."""
        return self.analysis is not None

    # Following the session

    def _project_changed(self) -> None:
        project = self.session.project
        self.dialogs.close_all(lasting=False)
        if project is None:
            self.setWindowTitle("SensiView")
            self.setWindowFilePath("")
            self._show_docks(False)
            self.centre.show_welcome()
            return
        locked = " (read only)" if project.read_only else ""
        self.setWindowTitle(f"{project.title}{locked} – SensiView")
        recent.remember(project.path, project.title)
        self.centre.show_project()
        self._show_docks(True)

    def _show_docks(self, shown: bool) -> None:
        """Panes belong to a project: without one only the welcome page is there."""
        if shown:
            if not window_layout.restore_docks(self):
                self.first_layout()
        elif self._docks_kept:
            window_layout.save_docks(self)
        self._docks_kept = shown
        if not shown:
            for dock in self.docks.values():
                dock.hide()
        self.tool_bar.setVisible(shown)
        for dock in self.docks.values():
            dock.toggleViewAction().setEnabled(shown)

    def first_layout(self) -> None:
        """Put every pane where a new user finds it."""
        left, right, bottom = (
            Qt.DockWidgetArea.LeftDockWidgetArea,
            Qt.DockWidgetArea.RightDockWidgetArea,
            Qt.DockWidgetArea.BottomDockWidgetArea,
        )
        for key, area in (("project", left), ("analysis", right), ("jobs", bottom), ("messages", bottom)):
            dock = self.docks[key]
            dock.setFloating(False)
            self.addDockWidget(area, dock)
            dock.show()
        self.tabifyDockWidget(self.docks["jobs"], self.docks["messages"])
        self.docks["jobs"].raise_()
        self.resizeDocks([self.docks["project"], self.docks["analysis"]], [240, 340], Qt.Orientation.Horizontal)
        self.resizeDocks([self.docks["jobs"]], [96], Qt.Orientation.Vertical)
        self.tool_bar.show()

    def _follow_selection(self) -> None:
        run = self.session.run
        if run is not None:
            self.jobs.select(run.id)

    def _recolour(self) -> None:
        for widget in self.findChildren(QWidget):
            widget.update()
        status = self.statusBar()
        if isinstance(status, StatusBar):
            status.refresh()

    # Dialogs

    def show_dialog(self, key: str, dialog: QDialog, *, sheet: bool = False) -> None:
        """Show a dialog without blocking; see `DialogHost.show`."""
        self.dialogs.show(key, dialog, sheet=sheet)

    def dialog(self, key: str) -> QDialog | None:
        """Return the dialog of a kind that is open."""
        return self.dialogs.get(key)

    def show_problem(self, error: SensiViewError) -> None:
        """Show an error as its sentence, with what to do next; it also stays in the messages."""
        from sensiview.gui.dialogs.error_dialog import ErrorDialog

        self.messages.add("error", error.sentence, error.details)
        self.show_dialog("error", ErrorDialog(error, self, remedy=self.commands.remedy(error)), sheet=True)

    # Files from the desktop

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and project folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.commands.take_files(files))

    # Closing

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask when a job goes on, without blocking; otherwise keep what is open and end everything."""
        if self.session.jobs.live is not None and not self._closing:
            event.ignore()
            self.ask_to_stop("Stop and close", self._close_for_good)
            return
        self.leave_project()
        self.dialogs.close_all()
        window_layout.save_geometry(self)
        self.session.jobs.shut_down()
        wait_for_background()
        self.session.close_project(quiet=True)
        event.accept()

    def _close_for_good(self) -> None:
        self._closing = True
        self.close()

    def leave_project(self) -> None:
        """Keep the project's view and the panes' places before another project, or none, is shown."""
        if self.session.project is not None:
            self._view.save()
            if self._docks_kept:
                window_layout.save_docks(self)

    def ask_to_stop(self, accept: str, then: Callable[[], None]) -> None:
        """Ask whether the running job may be stopped, then stop it and go on with `then`."""
        asked = self.dialogs.get("stop")
        if asked is not None:
            asked.raise_()
            return
        live = self.session.jobs.live
        run = self.session.run_record(live.run) if live else None
        box = QMessageBox(self)
        box.setObjectName("stop_question")
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("A job is running")
        box.setText(f"'{run.name if run else 'A job'}' is still running.")
        box.setInformativeText("Stopping keeps what was computed up to its last checkpoint; it can be resumed later.")
        stop = box.addButton(accept, QMessageBox.ButtonRole.AcceptRole)
        stop.setObjectName("stop_and_close_button")
        keep = box.addButton("Keep working", QMessageBox.ButtonRole.RejectRole)
        keep.setObjectName("keep_working_button")
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        stop.clicked.connect(lambda: self.session.jobs.stop_all(then))
        self.show_dialog("stop", box, sheet=True)
