"""The page of a cohort: every volume in the linked viewer, the table of subjects, classes, grids and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from sensiview.analysis.sources import DatasetSource
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.data_import import choose_target
from sensiview.gui.dataset_overview import class_balance, column_frame
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.facts_tree import FactsTree
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.picture_tab import PictureTab
from sensiview.gui.plots.bars import BarsPlot
from sensiview.gui.session import Session
from sensiview.gui.volume_facts import cohort_frame, volume_headline, volume_sections
from sensiview.gui.volume_loading import Cohort, load_cohort

if TYPE_CHECKING:
    from sensiview.gui.viewer.workbench import ViewerWorkbench


class VolumeDatasetPage(QWidget):
    """Shown in the data set's place when it holds volumes.

    Signals
    -------
    command_wanted(str)
        A command about this data set: a key of the window's list of actions.
    """

    command_wanted = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("volume_dataset_page")
        self._session = session
        self._source: DatasetSource | None = None
        self._opened = ""  # whose volumes are shown or on their way
        self._cohort: Cohort | None = None
        self._forget: Any = None
        self.workbench: ViewerWorkbench | None = None
        self.heading, self.line = ElidedLabel(), ElidedLabel()
        self.heading.setProperty("role", "heading")
        self.line.setProperty("role", "muted")
        self.target = QComboBox()
        self.volumes = FrameTable("volume_table", row_numbers=True)
        self.columns = FrameTable("participant_table")
        self.facts = FactsTree("volume_facts", "What is known of this data set")
        self.viewer, self.classes = PictureTab(), PictureTab()
        self.tabs = QTabWidget()
        self._lay_out()

    def show_source(self, source: DatasetSource) -> None:
        """Show a data set of volumes; files are opened when the viewer is looked at."""
        if source == self._source:
            return
        same_files = self._source is not None and self._source.id == source.id and self._source.files == source.files
        self._source = source
        card = source.card
        self.heading.setText(card.name)
        self.line.setText(volume_headline(card))
        self.columns.show_frame(column_frame(card))
        self.facts.show_sections(volume_sections(source))
        self.classes.show_item(class_balance(card), BarsPlot, "Choose the column of the diagnosis as target.")
        self._offer_targets()
        if not same_files:
            self._opened = ""
        elif self._cohort is not None:
            self._opened = ""  # another target: classes of the cases change
        self._open_if_needed()

    def showEvent(self, event: QShowEvent) -> None:
        """Open what the visible tab needs."""
        super().showEvent(event)
        self._open_if_needed()

    # Inside.

    def _lay_out(self) -> None:
        self.target.setObjectName("volume_target")
        self.target.setAccessibleName("Target column")
        self.target.setToolTip("The column of the diagnosis: what models predict. Can be undone.")
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.target.setMinimumContentsLength(14)
        self.target.activated.connect(self._choose_target)
        label = QLabel("&Target")
        label.setBuddy(self.target)
        self.atlas = self._button("choose_atlas", "Atlas…")
        self.resample = self._button("resample", "Resample…")
        # One line: every line that the head takes, slices lose.
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.heading)
        head.addWidget(self.line, 1)
        for widget in (self.atlas, self.resample):
            head.addWidget(widget)
        corner = QWidget()
        corner_row = QHBoxLayout(corner)
        corner_row.setContentsMargins(8, 0, 0, 2)
        corner_row.addWidget(label)
        corner_row.addWidget(self.target)
        self.tabs.setCornerWidget(corner)
        self.tabs.setObjectName("volume_tabs")
        self.tabs.setAccessibleName("Views of the data set")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        tabs: tuple[tuple[str, str, QWidget], ...] = (
            ("viewer", "Viewer", self.viewer),
            ("volumes", "Volumes", self.volumes),
            ("columns", "Columns", self.columns),
            ("classes", "Classes", self.classes),
            ("file", "Files and notes", self.facts),
        )
        for name, title, page in tabs:
            page.setProperty("tab", name)
            self.tabs.addTab(page, title)
        self.tabs.currentChanged.connect(self._open_if_needed)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 4)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.tabs, 1)

    def _offer_targets(self) -> None:
        if self._source is None:
            return
        self.target.clear()
        self.target.addItem("none", None)
        for column in self._source.card.columns:
            self.target.addItem(column.name, column.name)
        self.target.setCurrentIndex(max(0, self.target.findData(self._source.card.target)))
        project = self._session.project
        self.target.setEnabled(project is not None and not project.read_only)

    def _choose_target(self) -> None:
        source, chosen = self._source, self.target.currentData()
        if source is not None and chosen != source.card.target:
            choose_target(self._session, source.id, chosen)
            self.target.setCurrentIndex(max(0, self.target.findData(source.card.target)))

    def _open_if_needed(self) -> None:
        source = self._source
        name = self.tabs.currentWidget().property("tab")
        if source is None or not self.isVisible() or name not in ("viewer", "volumes") or self._opened == source.id:
            return
        if self._forget is not None:
            self._forget()
        self._opened = source.id
        if self.workbench is None:
            self.viewer.say("Opening the volumes …")
        self._forget = run_in_background(lambda: load_cohort(source), self._take, self._fail, owner=self)

    def _take(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self.volumes.show_frame(cohort_frame(cohort.volumes))
        if self.workbench is None:
            from sensiview.gui.viewer.workbench import ViewerWorkbench

            self.workbench = ViewerWorkbench()
            self.workbench.problem.connect(self._session.problem)
            self.workbench.case_changed.connect(self._show_case)
            self.viewer.set_content(self.workbench)
        volumes = cohort.volumes
        self.workbench.set_cases(
            volumes.names, cohort.classes, cohort.thumbnail, volumes.volume,
        )  # fmt: skip
        self.workbench.show_volume(cohort.first.volume, title=cohort.first.name, atlas=cohort.first.atlas)
        self.viewer.show_content()

    def _show_case(self, index: int) -> None:
        """Select the row of the case that the viewer shows."""
        self.volumes.view.selectRow(index)

    def _fail(self, error: SensiViewError) -> None:
        self._opened = ""
        self.viewer.say(error.sentence)
        self._session.problem.emit(error)
