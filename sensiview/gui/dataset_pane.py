"""The chosen data set: columns, rows, histograms per class, correlation, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from sensiview.analysis.sources import DatasetSource
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.data_import import choose_target
from sensiview.gui.dataset_facts import headline, sections
from sensiview.gui.dataset_overview import Overview, class_balance, column_frame, read_overview
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.facts_tree import FactsTree
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.image_dataset_page import ImageDatasetPage
from sensiview.gui.picture_tab import PictureTab
from sensiview.gui.plots.bars import BarsPlot
from sensiview.gui.plots.histograms import HistogramsPlot
from sensiview.gui.plots.matrix import MatrixPlot
from sensiview.gui.session import Session
from sensiview.gui.volume_dataset_page import VolumeDatasetPage

_NOTHING = (
    "No data set is chosen.\n\nImport a table, images, volumes (NIfTI) or a folder of DICOM. Or drop files onto the "
    "window."
)
_READ_FOR = ("rows", "histograms", "correlation")
# Smaller files are read as soon as the page is seen, for the quartiles in the table of columns.
_QUICK_BYTES = 50_000_000


class DatasetPane(QWidget):
    """The data set's page. The file is read when rows or pictures of them are looked at, in the background.

    Signals
    -------
    command_wanted(str)
        A key of the window's list of actions.
    run_opened(str)
        The result of a run is to be shown.
    """

    command_wanted = Signal(str)
    run_opened = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("dataset_pane")
        self._session = session
        self._source: DatasetSource | None = None
        self._read: DatasetSource | None = None  # whose rows are shown or on their way
        self._forget: Callable[[], None] | None = None
        self.heading, self.line = ElidedLabel(), ElidedLabel()
        self.heading.setProperty("role", "heading")
        self.line.setProperty("role", "muted")
        self.target = QComboBox()
        self.columns, self.rows = FrameTable("column_table"), FrameTable("row_table", row_numbers=True)
        self.facts = FactsTree("dataset_facts", "What is known of this data set")
        self.pictures: dict[str, PictureTab] = {}
        self.tabs = QTabWidget()
        self.volumes: VolumeDatasetPage | None = None
        self.images: ImageDatasetPage | None = None
        self._stack = QStackedWidget()
        self._lay_out()
        self.target.activated.connect(self._choose_target)
        self.tabs.currentChanged.connect(self._read_if_needed)
        for signal in (session.project_changed, session.datasets_changed, session.selection_changed):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the data set that is chosen now."""
        source = self._session.dataset
        if source is not None and source.card.kind == "volumes":
            self._drop()
            if self.volumes is None:
                self.volumes = VolumeDatasetPage(self._session)
                self.volumes.command_wanted.connect(self.command_wanted)
                self._stack.addWidget(self.volumes)
            self.volumes.show_source(source)
            self._stack.setCurrentWidget(self.volumes)
            return
        if source is not None and source.card.kind == "images":
            self._drop()
            if self.images is None:
                self.images = ImageDatasetPage(self._session)
                self.images.run_opened.connect(self.run_opened)
                self._stack.addWidget(self.images)
            self.images.show_source(source)
            self._stack.setCurrentWidget(self.images)
            return
        self._stack.setCurrentIndex(1 if source is not None else 0)
        if source is None or source == self._source:
            if source is None:
                self._drop()
            return
        self._source = source
        card = source.card
        self.heading.setText(card.name)
        self.line.setText(headline(card))
        self.columns.show_frame(column_frame(card))
        self.facts.show_sections(sections(source))
        self._offer_targets(source)
        self._show_balance(source)
        if self._read is not None and self._read != source:
            self._drop_rows()
        self._read_if_needed()

    def showEvent(self, event: QShowEvent) -> None:
        """Read what the visible tab needs."""
        super().showEvent(event)
        self._read_if_needed()

    # Inside.

    def _lay_out(self) -> None:
        self.target.setObjectName("dataset_target")
        self.target.setAccessibleName("Target column")
        self.target.setToolTip("The column that models predict; all other numbers are factors. Can be undone.")
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.target.setMinimumContentsLength(14)
        label = QLabel("&Target")
        label.setBuddy(self.target)
        head = QHBoxLayout()
        head.addWidget(self.heading, 1)
        head.addWidget(label)
        head.addWidget(self.target)
        rows = PictureTab(self.rows)
        self.tabs.setObjectName("dataset_tabs")
        self.tabs.setAccessibleName("Views of the data set")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for name, title, widget in (
            ("columns", "Columns", self.columns),
            ("rows", "Rows", rows),
            ("histograms", "Histograms", PictureTab()),
            ("classes", "Classes", PictureTab()),
            ("correlation", "Correlation", PictureTab()),
            ("file", "File and notes", self.facts),
        ):
            widget.setProperty("tab", name)
            self.tabs.addTab(widget, title)
            if isinstance(widget, PictureTab):
                self.pictures[name] = widget
                widget.problem.connect(self._session.problem)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.line)
        column.addWidget(self.tabs, 1)
        nothing = QLabel(_NOTHING)
        nothing.setObjectName("no_dataset")
        nothing.setProperty("role", "muted")
        nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        nothing.setWordWrap(True)
        self._stack.addWidget(nothing)
        self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)

    def _offer_targets(self, source: DatasetSource) -> None:
        self.target.clear()
        self.target.addItem("none", None)
        for column in source.card.columns:
            self.target.addItem(column.name, column.name)
        self.target.setCurrentIndex(max(0, self.target.findData(source.card.target)))
        project = self._session.project
        self.target.setEnabled(project is not None and not project.read_only)

    def _choose_target(self) -> None:
        source, chosen = self._source, self.target.currentData()
        if source is not None and chosen != source.card.target:
            choose_target(self._session, source.id, chosen)
            # Until the file has been read for its classes, and when it can't be, the old one holds.
            self.target.setCurrentIndex(max(0, self.target.findData(source.card.target)))

    def _show_balance(self, source: DatasetSource) -> None:
        classes = self.pictures["classes"]
        classes.show_item(class_balance(source.card), BarsPlot, "The data set has no target with classes.")
        self.tabs.setTabVisible(self.tabs.indexOf(classes), bool(source.card.class_counts))

    def _read_if_needed(self) -> None:
        name = self.tabs.currentWidget().property("tab")
        source = self._source
        if source is None or not self.isVisible() or self._read == source:
            return
        quick = name == "columns" and sum(file.size for file in source.files) < _QUICK_BYTES
        if name not in _READ_FOR and not quick:
            return
        self._drop_rows()
        self._read = source
        for name in _READ_FOR:
            self.pictures[name].say("Reading the file …")
        self._forget = run_in_background(lambda: read_overview(source), self._take, self._fail, owner=self)

    def _take(self, overview: Overview) -> None:
        self.rows.show_frame(overview.frame)
        self.columns.show_frame(overview.columns)
        self.pictures["rows"].show_content()
        few = "There is nothing to draw: the data set has no numeric factors."
        self.pictures["histograms"].show_item(overview.histograms, HistogramsPlot, few)
        alone = "A correlation needs at least two factors."
        self.pictures["correlation"].show_item(overview.correlation, MatrixPlot, alone)
        for name in ("histograms", "correlation"):
            self.pictures[name].setToolTip(overview.note)

    def _fail(self, error: SensiViewError) -> None:
        for name in _READ_FOR:
            self.pictures[name].say(error.sentence)
        if self.tabs.currentWidget().property("tab") in _READ_FOR:
            self._session.problem.emit(error)

    def _drop(self) -> None:
        self._source = None
        self._drop_rows()

    def _drop_rows(self) -> None:
        """Forget rows of another data set, also those that are still being read."""
        if self._forget is not None:
            self._forget()
            self._forget = None
        self._read = None
        self.rows.clear()
        for name in _READ_FOR:
            self.pictures[name].say("")
