"""What the window works on: the open project, what is selected in it, and the runs that go on.

The session owns no widget. Panes read from it, ask it to act, and listen to its signals; whatever goes wrong
arrives as one `problem` with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from sensiview.errors import ProjectError, UserError
from sensiview.gui.guard import Guard
from sensiview.gui.job_queue import JobQueue
from sensiview.gui.run_requests import RunRequests

if TYPE_CHECKING:
    from sensiview.analysis.catalogue import Catalogue
    from sensiview.analysis.result import Result
    from sensiview.analysis.sources import DatasetSource, ModelSource
    from sensiview.datasets.card import DatasetCard
    from sensiview.jobs.supervisor import Worker
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project
    from sensiview.settings import Settings

EntryKind = Literal["dataset", "model", "run"]
Level = Literal["info", "good", "warning", "error"]
# Results kept in memory; reading one back takes a moment, keeping all of them takes memory.
_RESULTS_KEPT = 12


@dataclass(frozen=True)
class Services:
    """What the window is built upon. Each part is made when it is first asked for, after the window is visible."""

    settings: Callable[[], Settings]
    catalogue: Callable[[], Catalogue]
    worker: Callable[[], Worker]


class Session(RunRequests, QObject):
    """The open project, the selection and the runs.

    Signals
    -------
    project_changed
        Another project is open, or none.
    datasets_changed, models_changed, runs_changed
        Something was added, renamed, deleted, or has another state.
    selection_changed
        `dataset`, `model` or `run` is another one.
    job_event
        A `sensiview.jobs.events.Event` of any run.
    problem
        A `SensiViewError` to be shown as a sentence.
    message
        Level, sentence and details for the list of messages.
    settings_changed
        Preferences were saved.
    """

    project_changed = Signal()
    datasets_changed = Signal()
    models_changed = Signal()
    runs_changed = Signal()
    selection_changed = Signal()
    job_event = Signal(object)
    problem = Signal(object)
    message = Signal(str, str, str)
    settings_changed = Signal()

    def __init__(self, services: Services, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.services = services
        self.project: Project | None = None
        self.undo = QUndoStack(self)
        self.jobs = JobQueue(self)
        self._settings: Settings | None = None
        self._catalogue: Catalogue | None = None
        self._selected: dict[EntryKind, str] = {}
        self._results: dict[str, Result] = {}
        # Lists of the project's entries, read once per change: conditions and panes ask often.
        self._entries: dict[EntryKind, list[Any]] = {}
        # Connected first, so that every other listener reads fresh lists.
        self.project_changed.connect(self._entries.clear)
        self.datasets_changed.connect(lambda: self._entries.pop("dataset", None))
        self.models_changed.connect(lambda: self._entries.pop("model", None))
        self.runs_changed.connect(lambda: self._entries.pop("run", None))

    # What there is

    @property
    def settings(self) -> Settings:
        """The user's settings."""
        if self._settings is None:
            self._settings = self.services.settings()
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = settings
        self.settings_changed.emit()

    @property
    def catalogue(self) -> Catalogue:
        """The analyses, loaded on first use."""
        if self._catalogue is None:
            self._catalogue = self.services.catalogue()
        return self._catalogue

    def reload_catalogue(self) -> None:
        """Forget the analyses, so that newly trusted plugins are found; panes hear `selection_changed`."""
        self._catalogue = None
        self.selection_changed.emit()

    def require_project(self) -> Project:
        """Return the open project, or raise the sentence that asks for one."""
        if self.project is None:
            raise ProjectError("No project is open. Open or make one first (Ctrl+O, Ctrl+N).")
        return self.project

    def writable_project(self) -> Project:
        """Return the open project if it may be changed."""
        project = self.require_project()
        if project.read_only:
            raise ProjectError(project.notice or "The project is open for reading only, so it can't be changed here.")
        return project

    def datasets(self) -> list[DatasetSource]:
        """Return the project's data sets, oldest first; empty without a project."""
        if self.project is None:
            return []
        if "dataset" not in self._entries:
            self._entries["dataset"] = self.project.datasets()
        return self._entries["dataset"]

    def models(self) -> list[ModelSource]:
        """Return the project's models, oldest first; empty without a project."""
        if self.project is None:
            return []
        if "model" not in self._entries:
            self._entries["model"] = self.project.models()
        return self._entries["model"]

    def runs(self) -> list[RunRecord]:
        """Return the project's runs, oldest first; empty without a project."""
        if self.project is None:
            return []
        if "run" not in self._entries:
            self._entries["run"] = self.project.runs()
        return self._entries["run"]

    def run_record(self, run_id: str) -> RunRecord | None:
        """Return what the project knows of a run; None when it is not there (any more)."""
        return next((run for run in self.runs() if run.id == run_id), None)

    @property
    def dataset(self) -> DatasetSource | None:
        """The selected data set."""
        wanted = self._selected.get("dataset")
        return next((entry for entry in self.datasets() if entry.id == wanted), None)

    @property
    def model(self) -> ModelSource | None:
        """The selected model."""
        wanted = self._selected.get("model")
        return next((entry for entry in self.models() if entry.id == wanted), None)

    @property
    def run(self) -> RunRecord | None:
        """The selected run."""
        return self.run_record(self._selected.get("run", ""))

    def select_dataset(self, identifier: str) -> None:
        """Make a data set the one that analyses use."""
        self._select("dataset", identifier)

    def select_model(self, identifier: str) -> None:
        """Make a model the one that analyses use."""
        self._select("model", identifier)

    def select_run(self, identifier: str) -> None:
        """Make a run the one that commands are about."""
        self._select("run", identifier)

    def follow_run(self, identifier: str) -> None:
        """Make a run that was just queued the selected one, and tell everybody that it is there."""
        self._selected["run"] = identifier
        self.entries_changed("run")

    def _select(self, kind: EntryKind, identifier: str) -> None:
        if self._selected.get(kind, "") != identifier:
            self._selected[kind] = identifier
            self.selection_changed.emit()

    # Projects

    def open(self, path: Path) -> bool:
        """Open a project folder, for reading only when it can't be written; False when it can't be opened."""
        from sensiview.projects.store import Project

        return self._take(lambda: Project.open(path, allow_read_only=True))

    def create(self, path: Path, title: str = "") -> bool:
        """Make a new project folder and open it; False when that is impossible."""
        from sensiview.projects.store import Project

        return self._take(lambda: Project.create(path, title=title))

    def _take(self, get: Callable[[], Project]) -> bool:
        project = None
        with self.guard():
            project = get()
        if project is None:
            return False
        self.close_project(quiet=True)
        self.project = project
        self._entries.clear()
        datasets, models = self.datasets(), self.models()
        # The latest is what people go on with; a data set that the model takes rather than another.
        self._selected = {"model": models[-1].id} if models else {}
        if datasets:
            fitting = [d for d in datasets if models and len(d.card.features) == models[-1].card.n_inputs]
            self._selected["dataset"] = (fitting or datasets)[-1].id
        self.project_changed.emit()
        self.jobs.project_opened()
        for sentence in (project.notice, *project.unreadable().values()):
            if sentence:
                self.say(sentence, level="warning")
        return True

    def close_project(self, *, quiet: bool = False) -> None:
        """Close the project. Its running job must have been stopped before (`JobQueue.stop_all`)."""
        if self.project is not None:
            self.project.close()
        self.project = None
        self._selected = {}
        self._results = {}
        self.undo.clear()
        if not quiet:
            self.project_changed.emit()

    # Entries of the project

    def entries_changed(self, kind: EntryKind) -> None:
        """Tell everybody that entries of a kind are other ones."""
        signal = {"dataset": self.datasets_changed, "model": self.models_changed, "run": self.runs_changed}[kind]
        signal.emit()
        self.selection_changed.emit()

    def forget_entries(self, kind: EntryKind) -> None:
        """Read the entries of a kind anew when they are asked for next."""
        self._entries.pop(kind, None)

    def rename(self, kind: EntryKind, identifier: str, name: str) -> None:
        """Give an entry another name; raises when the name is taken or the project can't be written."""
        self.writable_project().rename(kind, identifier, name)
        self.entries_changed(kind)

    def delete(self, kind: EntryKind, identifier: str) -> None:
        """Move an entry to the project's trash."""
        if kind == "run" and self.jobs.is_busy_with(identifier):
            raise UserError("This run is going on. Stop it first, then delete it.")
        self.writable_project().delete(kind, identifier)
        self._results.pop(identifier, None)
        if self._selected.get(kind) == identifier:
            del self._selected[kind]
        if kind == "run":
            self.jobs.drop(identifier)
        self.entries_changed(kind)

    def restore(self, kind: EntryKind, identifier: str) -> None:
        """Take an entry back out of the trash."""
        self.writable_project().restore(kind, identifier)
        if kind == "run":
            self.jobs.take_back(identifier)
        self.entries_changed(kind)

    def replace_dataset_card(self, identifier: str, card: DatasetCard) -> None:
        """Describe a data set anew, under the name it has now; see `sensiview.gui.data_import.choose_target`."""
        project = self.writable_project()
        name = project.dataset(identifier).card.name
        project.update_dataset_card(identifier, card.model_copy(update={"name": name}))
        self.entries_changed("dataset")

    # Results

    def result(self, run_id: str) -> Result:
        """Return the items of a finished run; the latest few are kept in memory."""
        if run_id in self._results:
            self._results[run_id] = self._results.pop(run_id)
            return self._results[run_id]
        from sensiview import studies

        result = studies.read_result(self.require_project(), run_id)
        self._results[run_id] = result
        while len(self._results) > _RESULTS_KEPT:
            self._results.pop(next(iter(self._results)))
        return result

    def forget_result(self, run_id: str) -> None:
        """Read a run's result anew next time: it has another one now."""
        self._results.pop(run_id, None)

    # Saying what happened

    def say(self, sentence: str, *, level: Level = "info", details: str = "") -> None:
        """Put a sentence into the list of messages."""
        self.message.emit(level, sentence, details)

    def guard(self) -> Guard:
        """Return a ``with`` block that turns an error that we can explain into `problem`."""
        return Guard(self.problem.emit)
