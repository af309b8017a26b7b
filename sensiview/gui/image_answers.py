"""What a model answers for each image of a data set: the newest run of the classification, and how to start one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from sensiview.analysis.items import IndexTable, Item
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.projects.records import RunRecord

KEY = "classification"


@dataclass(frozen=True)
class Answer:
    """The network's answer for one image; `correct` is None where the true class is not known to it."""

    predicted: str
    probability: float
    correct: bool | None

    @property
    def text(self) -> str:
        """What stands under the thumbnail."""
        return f"{self.predicted} {self.probability:.2f}"


def answers_in(items: Mapping[str, Item]) -> dict[str, Answer]:
    """Return the answers of a result by the image's name."""
    table = items.get("predictions")
    if not isinstance(table, IndexTable):
        return {}
    frame = table.frame
    return {
        str(name): Answer(str(predicted), float(probability), {"yes": True, "no": False}.get(str(correct)))
        for name, predicted, probability, correct in zip(
            frame[table.keys[0]], frame["predicted"], frame["probability"], frame["correct"], strict=True
        )
    }


class ImageAnswers(QObject):
    """Follows the chosen model and the project's runs.

    Signals
    -------
    changed()
        There are other answers, or none.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._source: DatasetSource | None = None
        self._run = ""
        self._forget: Callable[[], None] | None = None
        self.items: Mapping[str, Item] = {}
        self.by_name: dict[str, Answer] = {}
        for signal in (session.runs_changed, session.selection_changed, session.models_changed):
            signal.connect(self.refresh)

    @property
    def run(self) -> RunRecord | None:
        """The run that the answers are from."""
        return self._session.run_record(self._run) if self._run else None

    def show_source(self, source: DatasetSource | None) -> None:
        """Follow another data set."""
        if source is None or self._source is None or source.id != self._source.id:
            self._drop()
        self._source = source
        self.refresh()

    def refresh(self) -> None:
        """Take the newest finished run of this data set and the chosen model."""
        newest = self._newest("succeeded")
        if newest is None:
            if self._run:
                self._drop()
            self.changed.emit()
            return
        if newest.id == self._run:
            self.changed.emit()
            return
        self._drop()
        self._run = newest.id
        project = self._session.project
        assert project is not None
        folder = project.run_directory(newest.id)
        self._forget = run_in_background(lambda: _read(folder), self._take, self._fail, owner=self)
        self.changed.emit()

    def pending(self) -> RunRecord | None:
        """Return a run of this data set and model that waits or goes on."""
        return self._newest("queued", "running")

    def obstacle(self) -> str:
        """Return why the classification can't be started, or nothing."""
        session, source = self._session, self._source
        if session.project is None or source is None:
            return "Open a project first."
        if session.project.read_only:
            return "The project is open for reading only."
        if session.model is None:
            return "Choose a model in the project tree, or add one, to see what it answers for these images."
        if KEY not in session.catalogue:
            return "The classification is not among the analyses."
        from sensiview.studies import study_of

        found = session.catalogue[KEY].obstacles(study_of(session.project, source, session.model))
        return " ".join(found)

    def start(self) -> None:
        """Queue the classification of all images with the chosen model."""
        with self._session.guard():
            model = self._session.model
            name = f"Classification, {model.card.name}" if model is not None else ""
            self._session.start_analysis(KEY, {}, name=name)

    def _newest(self, *states: str) -> RunRecord | None:
        source, model = self._source, self._session.model
        if source is None or model is None:
            return None
        fitting = (
            run
            for run in reversed(self._session.runs())
            if run.analysis == KEY and run.dataset == source.id and run.model == model.id and run.state in states
        )
        return next(fitting, None)

    def _take(self, items: dict[str, Item]) -> None:
        self.items, self.by_name = items, answers_in(items)
        self.changed.emit()

    def _fail(self, error: SensiViewError) -> None:
        self._session.problem.emit(error)
        self.changed.emit()

    def _drop(self) -> None:
        if self._forget is not None:
            self._forget()
            self._forget = None
        self._run = ""
        self.items, self.by_name = {}, {}


def _read(folder: Path) -> dict[str, Item]:
    from sensiview.analysis.item_files import read_items

    return dict(read_items(folder))
