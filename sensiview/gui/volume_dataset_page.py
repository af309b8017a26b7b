"""The page of a cohort: every volume in the linked viewer, the table of subjects, classes, grids and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from sensiview.analysis.sources import DatasetSource
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.conditions import CONDITIONS
from sensiview.gui.data_import import choose_target
from sensiview.gui.dataset_overview import class_balance, column_frame
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.facts_tree import FactsTree
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.picture_tab import PictureTab
from sensiview.gui.plots.bars import BarsPlot
from sensiview.gui.session import Session
from sensiview.gui.volume_facts import volume_headline, volume_sections
from sensiview.gui.volume_loading import Cohort, classes_of, load_cohort
from sensiview.gui.volume_table import VolumeTable

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
        self._opened = self._failed = False  # whether the volumes are shown or on their way
        self._cohort: Cohort | None = None
        self._forget: Any = None
        self.workbench: ViewerWorkbench | None = None
        self.heading, self.line = ElidedLabel(), ElidedLabel()
        self.heading.setProperty("role", "heading")
        self.heading.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.line.setProperty("role", "muted")
        self.target = QComboBox()
        self.volumes = VolumeTable()
        self.volumes.opened.connect(self.open_case)
        self.columns = FrameTable("participant_table")
        self.facts = FactsTree("volume_facts", "What is known of this data set")
        self.viewer, self.classes = PictureTab(), PictureTab()
        self.tabs = QTabWidget()
        self._lay_out()
        session.project_changed.connect(self._forget_project)

    def show_source(self, source: DatasetSource) -> None:
        """Show a data set of volumes; files are opened when the viewer is looked at."""
        self._follow_project()
        if source == self._source:
            return
        old, self._source = self._source, source
        card = source.card
        self.heading.setText(card.name)
        self.line.setText(volume_headline(card))
        self.columns.show_frame(column_frame(card))
        self.facts.show_sections(volume_sections(source))
        self.classes.show_item(class_balance(card), BarsPlot, "Choose the column of the diagnosis as target.")
        self._offer_targets()
        if old is None or _opened_alike(old) != _opened_alike(source):
            self._drop()
            self._open_if_needed()
        elif self._cohort is not None and self.workbench is not None:
            # Another name or target: what is being read stays on the screen.
            classes = classes_of(card, self._cohort.volumes)
            self.workbench.set_classes(classes)
            self.volumes.show_target(source, classes)

    def open_case(self, place: int) -> None:
        """Show one of the volumes in the viewer."""
        if self.workbench is not None:
            self.tabs.setCurrentWidget(self.viewer)
            self.workbench.choose_case(place)

    def showEvent(self, event: QShowEvent) -> None:
        """Open what the visible tab needs; what could not be opened is tried again."""
        super().showEvent(event)
        if self._failed:
            self._opened = False
        self._open_if_needed()

    # Inside.

    def _lay_out(self) -> None:
        self.target.setObjectName("volume_target")
        self.target.setAccessibleName("Target column")
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.target.setMinimumContentsLength(10)
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
        for widget in (label, self.target, self.atlas, self.resample):
            head.addWidget(widget)
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

    def _button(self, command: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"{command}_button")
        button.clicked.connect(lambda: self.command_wanted.emit(command))
        return button

    def _follow_project(self) -> None:
        """Say why nothing can be changed where that is so."""
        reason = CONDITIONS["volumes"](self._session)
        tips = (
            (self.target, "The column of the diagnosis: what models predict. Can be undone."),
            (self.atlas, "The label volume whose region names belong to these volumes"),
            (self.resample, "Bring all volumes onto the grid of a template, as a new data set"),
        )
        for widget, tip in tips:
            widget.setEnabled(not reason)
            widget.setToolTip(reason or tip)

    def _forget_project(self) -> None:
        """Let go of the files of a project that was closed."""
        if self._source is not None and self._session.dataset != self._source:
            self._source = None
            self._drop()

    def _drop(self) -> None:
        """Forget volumes that are shown or on their way: they are those of another data set."""
        if self._forget is not None:
            self._forget()
            self._forget = None
        self._opened = self._failed = False
        self._cohort = None
        self.volumes.clear()
        self.viewer.say("")
        if self.workbench is not None:
            self.workbench.clear()

    def _offer_targets(self) -> None:
        if self._source is None:
            return
        self.target.clear()
        self.target.addItem("none", None)
        for column in self._source.card.columns:
            self.target.addItem(column.name, column.name)
        self.target.setCurrentIndex(max(0, self.target.findData(self._source.card.target)))

    def _choose_target(self) -> None:
        source, chosen = self._source, self.target.currentData()
        if source is not None and chosen != source.card.target:
            choose_target(self._session, source.id, chosen)
            # Until the classes are counted, and when they can't be, the old one holds.
            self.target.setCurrentIndex(max(0, self.target.findData(source.card.target)))

    def _open_if_needed(self) -> None:
        source = self._source
        name = self.tabs.currentWidget().property("tab")
        if source is None or not self.isVisible() or name not in ("viewer", "volumes") or self._opened:
            return
        self._opened, self._failed = True, False
        self.viewer.say("Opening the volumes …")
        self._forget = run_in_background(lambda: load_cohort(source), self._take, self._fail, owner=self)

    def _take(self, cohort: Cohort) -> None:
        self._cohort = cohort
        source = self._source
        assert source is not None
        self.volumes.show_cohort(source, cohort)
        if self.workbench is None:
            from sensiview.gui.viewer.workbench import ViewerWorkbench

            self.workbench = ViewerWorkbench()
            self.workbench.problem.connect(self._cant_show)
            self.workbench.shown.connect(self.viewer.show_content)
            self.workbench.case_changed.connect(self._show_case)
            self.viewer.take_content(self.workbench)
        classes = classes_of(source.card, cohort.volumes)
        self.workbench.set_cases(cohort.volumes.names, classes, cohort.thumbnail, cohort.case)
        self.workbench.choose_case(0)
        if cohort.problem is not None:
            self._session.say(cohort.problem.sentence, level="warning")

    def _cant_show(self, error: SensiViewError) -> None:
        """A volume that can't be read is said above the panes; the others can still be chosen."""
        self.viewer.show_content()
        self._session.problem.emit(error)

    def _show_case(self, index: int) -> None:
        """Select the row of the case that the viewer shows; its saved views are kept in the project."""
        self.volumes.choose(index)
        if self.workbench is not None and self._source is not None and self._cohort is not None:
            volume = f"{self._source.id}/{self._cohort.volumes.names[index]}"
            self.workbench.pictures.set_store(self._session.project, volume)

    def _fail(self, error: SensiViewError) -> None:
        self._failed = True
        self.viewer.say(error.sentence)
        self._session.problem.emit(error)


def _opened_alike(source: DatasetSource) -> object:
    """Return what the viewer shows of a data set; name and target are not among it."""
    return source.id, source.files, source.card.extra.get("atlas"), source.card.reading
