"""What was open in a project, kept in the project itself: pages, selection, result tabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import QObject

from sensiview.errors import SensiViewError
from sensiview.gui.centre import PAGES, Page

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow

_NAME = "window"


class ProjectView(QObject):
    """Saves and restores a project's view. A view that does not fit any more is left out, never an error."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._restored = ""

    def save(self) -> None:
        """Keep the view in the project, if it can be written and its panes are there."""
        window = self._window
        project = window.session.project
        if project is None or project.read_only or not window.is_complete or window.results is None:
            return
        session = window.session
        values: dict[str, Any] = {
            "page": window.centre.page,
            "dataset": session.dataset.id if session.dataset else "",
            "model": session.model.id if session.model else "",
            "run": session.run.id if session.run else "",
            "results": window.results.state(),
        }
        with session.guard():
            project.save_view(_NAME, values)

    def restore(self) -> None:
        """Show what was open; called when the project is open and when the panes are there, whichever is later."""
        window = self._window
        project = window.session.project
        key = str(project.path) if project is not None else ""
        if project is None:
            self._restored = ""
            return
        if not window.is_complete or window.results is None or self._restored == key:
            return
        self._restored = key
        try:
            values = project.load_view(_NAME)
        except SensiViewError:
            values = None
        if not isinstance(values, Mapping):
            self._first_view()
            return
        session = window.session
        if any(source.id == values.get("dataset") for source in session.datasets()):
            session.select_dataset(str(values["dataset"]))
        if any(source.id == values.get("model") for source in session.models()):
            session.select_model(str(values["model"]))
        if session.run_record(str(values.get("run", ""))) is not None:
            session.select_run(str(values["run"]))
        with session.guard():
            if isinstance(values.get("results"), Mapping):
                window.results.restore(values["results"])
        if values.get("page") in PAGES:
            window.centre.show_page(cast("Page", values["page"]))

    def _first_view(self) -> None:
        """A project that was never shown: its results when it has some, else its data."""
        window = self._window
        finished = [run for run in window.session.runs() if run.state == "succeeded"]
        if finished and window.results is not None:
            for run in finished:
                window.results.open_run(run.id)
            window.centre.show_page("results")
        else:
            window.centre.show_page("dataset")
