"""Screenings of several networks side by side: maps of images as one figure, of volumes in two linked viewers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from sensiview.analysis.items import FieldMap, Item
from sensiview.errors import SensiViewError, UserError
from sensiview.gui.background import run_in_background
from sensiview.gui.natural_order import natural
from sensiview.gui.picture_tab import PictureTab
from sensiview.gui.plots.screening_beside import MAPS, ScreeningMapsPlot, places_on, shared, side_by_side
from sensiview.gui.session import Session
from sensiview.gui.volume_maps import SPATIAL, is_volume_map

if TYPE_CHECKING:
    from sensiview.analysis.items import ImageSeries
    from sensiview.gui.viewer.compare import CompareView
    from sensiview.gui.volume_loading import Loaded
    from sensiview.projects.records import RunRecord

SCREENING = "morris"
_ID = Qt.ItemDataRole.UserRole


def screenings(session: Session) -> list[RunRecord]:
    """Return the finished screenings that have maps, in natural order of their names."""
    found = [
        run for run in session.runs()
        if run.analysis == SCREENING and run.state == "succeeded" and MAPS[0][0] in run.items
    ]  # fmt: skip
    return sorted(found, key=lambda run: natural(run.name))


class ScreeningComparison(QWidget):
    """A window: screenings to choose from, and their maps.

    Parameters
    ----------
    session : Session
    chosen : str
        The run that is chosen at first, with the others on the same data set.
    """

    def __init__(self, session: Session, chosen: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("screening_comparison")
        self.setWindowTitle("Screenings side by side")
        self._session = session
        self._pair: CompareView | None = None
        self._forget: Any = None
        self._items: dict[str, Mapping[str, Item]] = {}
        self._below: ImageSeries | None = None
        self.runs = QListWidget()
        self.runs.setObjectName("comparison_runs")
        self.runs.setAccessibleName("Screenings")
        self.runs.setToolTip("Check the screenings to show; drag them into the order in which they are to stand")
        self.runs.setDragDropMode(QListWidget.DragDropMode.InternalMove)
        self.output = self._combo("comparison_output", "Output")
        self.subject = self._combo("comparison_subject", "Volume")
        self.measure = self._combo("comparison_measure", "Measure")
        self.measure.addItems([f"{sign} ({name.removeprefix('map_')})" for name, sign in MAPS])
        self.maps = PictureTab()
        self.maps.problem.connect(session.problem)
        self._lay_out()
        self._offer(chosen)
        self.runs.itemChanged.connect(self._load)
        self.runs.model().rowsMoved.connect(self._load)
        for combo in (self.output, self.subject, self.measure):
            combo.activated.connect(self._show)
        self._load()

    def chosen(self) -> list[str]:
        """Return the ids of the checked runs, in order."""
        entries = [self.runs.item(row) for row in range(self.runs.count())]
        return [str(entry.data(_ID)) for entry in entries if entry.checkState() == Qt.CheckState.Checked]

    # Inside.

    def _combo(self, name: str, label: str) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName(name)
        combo.setAccessibleName(label)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        return combo

    def _lay_out(self) -> None:
        self._bar = QHBoxLayout()
        self._bar.setContentsMargins(12, 8, 12, 0)
        self._labels: dict[QComboBox, QLabel] = {}
        for text, combo in (("Output", self.output), ("Volume", self.subject), ("Measure", self.measure)):
            label = QLabel(text)
            label.setBuddy(combo)
            self._labels[combo] = label
            self._bar.addWidget(label)
            self._bar.addWidget(combo)
        self._bar.addStretch(1)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._bar)
        column.addWidget(self.maps, 1)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.runs)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([220, 1000])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    def _offer(self, chosen: str) -> None:
        found = screenings(self._session)
        data = next((run.dataset for run in found if run.id == chosen), found[0].dataset if found else "")
        names = [run.name for run in found]
        for run in found:
            entry = QListWidgetItem(f"{run.name} ({run.id})" if names.count(run.name) > 1 else run.name)
            entry.setData(_ID, run.id)
            entry.setToolTip(f"{run.model_name} on {run.dataset_name}")
            entry.setFlags(entry.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            entry.setCheckState(Qt.CheckState.Checked if run.dataset == data else Qt.CheckState.Unchecked)
            self.runs.addItem(entry)

    def _load(self) -> None:
        """Read the chosen runs, off the GUI thread; each is read once."""
        if self._forget is not None:
            self._forget()
        session, wanted = self._session, self.chosen()
        results = {run: session.result(run) for run in wanted if run not in self._items}

        def read() -> dict[str, Mapping[str, Item]]:
            names = (*(name for name, _ in MAPS), "input")
            return {run: {name: items[name] for name in names if name in items} for run, items in results.items()}

        def take(found: dict[str, Mapping[str, Item]]) -> None:
            self._items |= found
            self._offer_places()
            self._show()

        self._forget = run_in_background(read, take, self._fail, owner=self)

    def _fail(self, error: SensiViewError) -> None:
        self.maps.say(error.sentence)

    def _titled(self) -> list[tuple[str, Mapping[str, Item]]]:
        titles = {
            str(entry.data(_ID)): entry.text() for row in range(self.runs.count()) if (entry := self.runs.item(row))
        }
        return [(titles[run], self._items[run]) for run in self.chosen() if run in self._items]

    def _firsts(self) -> list[FieldMap]:
        found = [items.get(MAPS[0][0]) for _, items in self._titled()]
        return [item for item in found if isinstance(item, FieldMap)]

    def _offer_places(self) -> None:
        """Offer the outputs and volumes that all chosen runs have."""
        firsts = self._firsts()
        volumes = any(is_volume_map(item) for item in firsts)
        for combo, axis, wanted in ((self.output, "target", True), (self.subject, "subject", volumes)):
            names = shared(firsts, axis) if firsts and wanted else ()
            kept = combo.currentText()
            combo.clear()
            combo.addItems(list(names))
            combo.setCurrentIndex(max(0, combo.findText(kept)))
            self._see(combo, on=len(names) > 1)
        self._see(self.measure, on=volumes)

    def _see(self, combo: QComboBox, *, on: bool) -> None:
        combo.setVisible(on)
        self._labels[combo].setVisible(on)

    def _show(self) -> None:
        runs = self._titled()
        try:
            if not runs:
                raise UserError("Check the screenings on the left that are to stand side by side.")
            if any(is_volume_map(item) for item in self._firsts()):
                self._show_volumes(runs)
                return
            item, self._below = side_by_side(runs, self.output.currentText())
        except SensiViewError as error:
            self._fail(error)
            return
        if isinstance(self.maps.content, ScreeningMapsPlot):
            self.maps.content.set_item(item)
        else:
            plot = ScreeningMapsPlot(item, beside=lambda: {"input": self._below} if self._below is not None else {})
            plot.problem.connect(self._session.problem)
            self.maps.take_content(plot)
        self.maps.show_content()

    def _show_volumes(self, runs: Sequence[tuple[str, Mapping[str, Item]]]) -> None:
        """Show one measure of the first two runs in linked viewers."""
        if len(runs) < 2:
            raise UserError("Check two screenings of volumes: their maps are shown side by side in the viewer.")
        name = MAPS[self.measure.currentIndex()][0]
        (first, a), (second, b) = ((title, self._volume(items[name])) for title, items in runs[:2])
        record = self._session.run_record(self.chosen()[0])
        source = next((d for d in self._session.datasets() if record is not None and d.id == record.dataset), None)
        parameters = record.parameters if record is not None else {}
        subject = self.subject.currentText()

        def load() -> Loaded:
            from sensiview.gui.volume_loading import load_underlay

            return load_underlay(source, subject, a, parameters)

        def show(loaded: Loaded) -> None:
            from sensiview.gui.viewer.compare import CompareView

            if self._pair is None:
                self._pair = CompareView()
                self._pair.problem.connect(self._session.problem)
                self.maps.take_content(self._pair)
            self._pair.show_pair(loaded.volume, (first, a), (second, b), atlas=loaded.atlas)
            self.maps.show_content()

        self._forget = run_in_background(load, show, self._fail, owner=self)

    def _volume(self, item: Item) -> FieldMap:
        """Return the map of the chosen volume and output, axes z, y, x."""
        if not isinstance(item, FieldMap) or not is_volume_map(item):
            raise UserError("Screenings of images and of volumes have nothing to compare. Choose runs on one data set.")
        wanted = {"subject": self.subject.currentText(), "target": self.output.currentText()}
        index = tuple(
            places_on(item, axis).index(wanted[axis]) if wanted.get(axis) in places_on(item, axis) else 0
            for axis in item.axes[:-3]
        )
        return FieldMap(
            title=item.title, description=item.description, values=np.asarray(item.values[index]), axes=SPATIAL,
            unit=item.unit, over=wanted["subject"] or item.over, affine=item.affine,
        )  # fmt: skip


def compare_screenings(session: Session, chosen: str = "") -> ScreeningComparison:
    """Open the window that shows screenings side by side; `chosen` and those on the same data set are checked."""
    window = ScreeningComparison(session, chosen)
    window.setWindowFlag(Qt.WindowType.Window)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.resize(1240, 760)
    session.project_changed.connect(window.close)
    window.show()
    return window
