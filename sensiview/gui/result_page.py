"""One run: its items, its parameters, its help; live while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from sensiview.analysis.contract import Analysis
from sensiview.analysis.item_plain import from_plain
from sensiview.analysis.items import Item
from sensiview.errors import SensiViewError
from sensiview.gui.help_dialog import help_page
from sensiview.gui.item_list import HELP, PARAMETERS, ItemList
from sensiview.gui.item_view import Mode
from sensiview.gui.result_header import ModeSwitch, ResultHeader
from sensiview.gui.result_views import ResultView, view_of
from sensiview.gui.run_facts_view import RunFactsView
from sensiview.gui.run_state_panel import RunStatePanel
from sensiview.gui.session import Session
from sensiview.jobs.events import Event, Previewed

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord

_PREVIEW_MS = 250


class ResultPage(QWidget):
    """The tab of one run.

    Signals
    -------
    command_wanted(str)
        A command about this run: a key of the window's list of actions, or ``edit``.
    """

    command_wanted = Signal(str)

    def __init__(self, session: Session, run_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("result_page")
        self._session, self.run_id = session, run_id
        self._items: dict[str, Item] = {}
        self._views: dict[str, ResultView] = {}
        self._previews: dict[str, Mapping[str, Any]] = {}
        self._kept: dict[str, Any] = {}  # choices of items that are not there yet
        self._mode: Mode = "plot"
        self._final = False
        self.header = ResultHeader()
        self.header.wanted.connect(self.command_wanted)
        self.panel = RunStatePanel()
        self.panel.wanted.connect(self.command_wanted)
        self.list = ItemList()
        self.list.chosen.connect(self._show)
        self.stack = QStackedWidget()
        self.empty = QLabel()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setProperty("role", "muted")
        self.facts = RunFactsView()
        self._help: QWidget | None = None
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.facts)
        self._modes = ModeSwitch()
        self._modes.chosen.connect(lambda mode: self._set_mode(cast("Mode", mode)))
        self._lay_out()
        self._preview_timer = QTimer(self, singleShot=True, interval=_PREVIEW_MS)
        self._preview_timer.timeout.connect(self._show_previews)
        session.runs_changed.connect(self.refresh)
        session.job_event.connect(self._hear)
        session.jobs.progressed.connect(self._progress)
        session.jobs.changed.connect(self.refresh)
        self.refresh()

    # What others call.

    def chosen(self) -> str:
        """Return the name of the item that is shown."""
        return self.list.current()

    def choose(self, name: str) -> None:
        """Show an item, the parameters or the help."""
        self.list.choose(name)

    def item_names(self) -> list[str]:
        """Return the names of the items, in order."""
        return list(self._items)

    def view(self) -> ResultView | None:
        """Return the view of the chosen item; None for parameters and help."""
        return self._views.get(self.chosen())

    def state(self) -> dict[str, Any]:
        """Return every choice as plain values."""
        views = {**self._kept, **{name: view.state() for name, view in self._views.items()}}
        return {"run": self.run_id, "item": self.chosen(), "mode": self._mode, "views": views,
                "sizes": self.splitter.sizes()}  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave; items that are not there yet get theirs when they come."""
        views = state.get("views")
        if isinstance(views, Mapping):
            self._kept = dict(views)
            for name, view in self._views.items():
                if isinstance(self._kept.get(name), Mapping):
                    view.restore(self._kept[name])
        if state.get("mode") in ("plot", "both", "table"):
            self._set_mode(cast("Mode", state["mode"]))
        sizes = state.get("sizes")
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(n, int) for n in sizes) and sum(sizes):
            self.splitter.setSizes(sizes)
        if isinstance(state.get("item"), str):
            self.choose(state["item"])

    def record(self) -> RunRecord | None:
        """Return what the project knows of this run."""
        return self._session.run_record(self.run_id)

    def refresh(self) -> None:
        """Take over another state of the run; a run that has ended shows its result."""
        record = self.record()
        if record is None:
            return
        live = self._live()
        project = self._session.project
        writable = project is not None and not project.read_only
        self.panel.show_run(record, live, writable=writable)
        succeeded = record.state == "succeeded" and live is None
        if succeeded and not self._final:
            self._take_result()
        elif not succeeded:
            self._final = False
        self.empty.setText("" if succeeded else _waiting(record, bool(live)))
        known = record.analysis in self._session.catalogue
        analysis = self._session.catalogue[record.analysis] if known else None
        self.header.show_run(
            record, _possible(record, analysis, succeeded=succeeded, live=bool(live), writable=writable)
        )
        self.facts.show_run(record, analysis)
        if analysis is not None and self._help is None:
            self._help = help_page(analysis)
            self.stack.addWidget(self._help)
        self._list_items()

    # Inside.

    def _lay_out(self) -> None:
        side = QWidget()
        side_column = QVBoxLayout(side)
        side_column.setContentsMargins(0, 0, 0, 0)
        side_column.setSpacing(0)
        side_column.addWidget(self.list, 1)
        side_column.addWidget(self._modes)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setObjectName("result_splitter")
        self.splitter.addWidget(side)
        self.splitter.addWidget(self.stack)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([170, 700])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.header)
        column.addWidget(self.panel)
        column.addWidget(self.splitter, 1)

    def _live(self) -> Any:
        jobs = self._session.jobs
        return jobs.live if jobs.is_busy_with(self.run_id) else None

    def _progress(self) -> None:
        live = self._live()
        if live is not None:
            self.panel.show_progress(live)

    def _hear(self, event: Event) -> None:
        if event.run == self.run_id and isinstance(event, Previewed):
            # Only the newest of each item matters, and not more often than one can look.
            self._previews[event.name] = event.item
            if not self._preview_timer.isActive():
                self._preview_timer.start()

    def _show_previews(self) -> None:
        previews, self._previews = self._previews, {}
        for name, plain in previews.items():
            try:
                self._take_item(name, from_plain(plain))
            except SensiViewError:
                continue  # a preview that can't be read is followed by another, or by the result
        self._list_items()

    def _take_result(self) -> None:
        with self._session.guard():
            result = self._session.result(self.run_id)
            for name in [name for name in self._items if name not in result]:
                self._drop_item(name)
            for name, item in result.items():
                self._take_item(name, item)
            self._items = {name: self._items[name] for name in result}
            self._final = True
            self._previews = {}

    def _take_item(self, name: str, item: Item) -> None:
        old = self._items.get(name)
        self._items[name] = item
        view = self._views.get(name)
        if view is None:
            return
        if type(old) is type(item):
            view.show_item(item)
        else:
            self._drop_item(name)
            self._items[name] = item

    def _drop_item(self, name: str) -> None:
        self._items.pop(name, None)
        view = self._views.pop(name, None)
        if view is not None:
            self._kept[name] = view.state()
            self.stack.removeWidget(view)
            view.deleteLater()

    def _list_items(self) -> None:
        entries = [(name, item.title, item.kind) for name, item in self._items.items()]
        self.list.offer([*entries, (PARAMETERS, "Parameters", "parameters"),
                         *([(HELP, "How to read it", "help")] if self._help is not None else [])])  # fmt: skip
        self._show(self.list.current())

    def _show(self, name: str) -> None:
        if name == PARAMETERS:
            self.stack.setCurrentWidget(self.facts)
        elif name == HELP and self._help is not None:
            self.stack.setCurrentWidget(self._help)
        elif name in self._items:
            view = self._views.get(name) or self._make_view(name)
            view.set_mode(self._mode)
            self.stack.setCurrentWidget(view)
        else:
            self.stack.setCurrentWidget(self.empty)
        self._offer_modes()

    def _make_view(self, name: str) -> ResultView:
        view = view_of(self._items[name], self._session, self.run_id, lambda: self._items)
        view.problem.connect(self._session.problem)
        if isinstance(self._kept.get(name), Mapping):
            view.restore(self._kept[name])
        self._views[name] = view
        self.stack.addWidget(view)
        return view

    def _set_mode(self, mode: Mode) -> None:
        self._mode = mode
        view = self.view()
        if view is not None:
            view.set_mode(mode)
        self._offer_modes()

    def _offer_modes(self) -> None:
        view = self.view()
        self._modes.offer(view.modes if view is not None else (), view.mode if view is not None else self._mode)


def _possible(
    record: RunRecord, analysis: Analysis[Any] | None, *, succeeded: bool, live: bool, writable: bool
) -> set[str]:
    """Return the commands that make sense for a run as it is."""
    found = set()
    if succeeded:
        found |= {"export_run", "write_report"}
    if succeeded and "map_mu_star" in record.items:
        found.add("compare_screenings")
    if succeeded and writable:
        found.add("retry")
    if analysis is not None and succeeded and writable and analysis.extendable:
        found.add("extend")
    if analysis is not None and writable and not live:
        found.add("edit")
    return found


def _waiting(record: RunRecord, live: bool) -> str:
    if live or record.state == "running":
        return "The first values appear here while the run goes on."
    if record.state == "queued":
        return "This run starts when those before it have ended."
    return "This run has no result."
