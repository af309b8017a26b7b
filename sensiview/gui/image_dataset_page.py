"""The page of a set of images: the browser, the table, classes, sizes, duplicates, a model's answers, and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from sensiview.analysis.sources import DatasetSource
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.conditions import CONDITIONS
from sensiview.gui.data_import import choose_target
from sensiview.gui.dataset_overview import class_balance, column_frame
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.facts_tree import FactsTree
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.image_answers import ImageAnswers
from sensiview.gui.image_browser import ImageBrowser
from sensiview.gui.image_duplicates import ImageDuplicates
from sensiview.gui.image_facts import image_headline, image_sections, images_frame, sizes_table
from sensiview.gui.image_loading import LoadedImages, load_images
from sensiview.gui.image_predictions import ImagePredictions
from sensiview.gui.picture_tab import PictureTab
from sensiview.gui.plots.bars import BarsPlot
from sensiview.gui.session import Session

if TYPE_CHECKING:
    import pandas as pd

_NEEDS_IMAGES = ("images", "table", "duplicates", "predictions")


class ImageDatasetPage(QWidget):
    """Shown in the data set's place when it holds images.

    Signals
    -------
    run_opened(str)
        The result of a run is to be shown.
    """

    run_opened = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("image_dataset_page")
        self._session = session
        self._source: DatasetSource | None = None
        self._loaded: LoadedImages | None = None
        self._opened = self._failed = False  # whether the images are shown or on their way
        self._forget: Callable[[], None] | None = None
        self.heading, self.line = ElidedLabel(), ElidedLabel()
        self.heading.setProperty("role", "heading")
        self.heading.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.line.setProperty("role", "muted")
        self.target = QComboBox()
        self.answers = ImageAnswers(session, self)
        self.browser = ImageBrowser()
        self.images = PictureTab(self.browser)
        self.table = FrameTable("image_table", row_numbers=True)
        self.columns = FrameTable("image_column_table")
        self.classes, self.sizes = PictureTab(), PictureTab()
        self.duplicates = ImageDuplicates()
        self.predictions = ImagePredictions(session, self.answers)
        self.facts = FactsTree("image_dataset_facts", "What is known of this data set")
        self.tabs = QTabWidget()
        self._lay_out()
        self.answers.changed.connect(self._show_answers)
        self.predictions.cell_chosen.connect(self._show_pair)
        self.predictions.wrong_wanted.connect(self._show_wrong)
        self.predictions.run_opened.connect(self.run_opened)
        self.duplicates.image_opened.connect(self._show_image)
        self.classes.problem.connect(session.problem)
        self.sizes.problem.connect(session.problem)
        session.project_changed.connect(self._forget_project)

    def show_source(self, source: DatasetSource) -> None:
        """Show a data set of images; files are opened when their tab is looked at."""
        self._follow_project()
        if source is self._source or source == self._source:
            self.answers.show_source(source)
            return
        old, self._source = self._source, source
        card = source.card
        self.heading.setText(card.name)
        self.line.setText(image_headline(card))
        self.columns.show_frame(column_frame(card).drop(columns=["role"]))
        self.facts.show_sections(image_sections(source))
        self.classes.show_item(class_balance(card), BarsPlot, "Choose the column of the classes as target.")
        sizes = sizes_table(card)
        self.sizes.show_item(sizes, BarsPlot, "All images have one size.")
        self.tabs.setTabVisible(self.tabs.indexOf(self.sizes), sizes is not None)
        self._offer_targets()
        if old is None or (old.id, old.files) != (source.id, source.files):
            self._drop()
        else:
            # Another name or target: what is shown stays until the same files are opened with it.
            self._forget_opening()
            self._opened = False
        self.answers.show_source(source)
        self._open_if_needed()

    def showEvent(self, event: QShowEvent) -> None:
        """Open what the visible tab needs; what could not be opened is tried again."""
        super().showEvent(event)
        if self._failed:
            self._opened = False
        self._open_if_needed()

    # Inside.

    def _lay_out(self) -> None:
        self.target.setObjectName("image_target")
        self.target.setAccessibleName("Column of the classes")
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.target.setMinimumContentsLength(10)
        self.target.activated.connect(self._choose_target)
        label = QLabel("&Classes")
        label.setBuddy(self.target)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.heading)
        head.addWidget(self.line, 1)
        head.addWidget(label)
        head.addWidget(self.target)
        self.tabs.setObjectName("image_tabs")
        self.tabs.setAccessibleName("Views of the data set")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        tabs: tuple[tuple[str, str, QWidget], ...] = (
            ("images", "Images", self.images),
            ("table", "Table", self.table),
            ("classes", "Classes", self.classes),
            ("sizes", "Sizes", self.sizes),
            ("duplicates", "Duplicates", self.duplicates),
            ("predictions", "Predictions", self.predictions),
            ("columns", "Columns", self.columns),
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

    def _follow_project(self) -> None:
        """Say why nothing can be changed where that is so."""
        reason = CONDITIONS["dataset"](self._session)
        self.target.setEnabled(not reason)
        self.target.setToolTip(reason or "The column of the classes: what models tell apart. Can be undone.")

    def _forget_project(self) -> None:
        """Let go of the files of a project that was closed."""
        if self._source is not None and self._session.dataset != self._source:
            self._source = None
            self.answers.show_source(None)
            self._drop()

    def _forget_opening(self) -> None:
        if self._forget is not None:
            self._forget()
            self._forget = None

    def _drop(self) -> None:
        """Forget images that are shown or on their way: they are those of another data set."""
        self._forget_opening()
        self._opened = self._failed = False
        self._loaded = None
        self.table.clear()
        self.browser.clear()
        self.duplicates.clear()
        self.images.say("")

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
        if source is None or not self.isVisible() or name not in _NEEDS_IMAGES:
            return
        if self._opened:
            if name == "duplicates":
                self.duplicates.start_if_few()
            return
        self._opened, self._failed = True, False
        if self._loaded is None:
            self.images.say("Opening the images …")

        def load() -> tuple[LoadedImages, pd.DataFrame]:
            loaded = load_images(source)
            return loaded, images_frame(loaded.images)

        self._forget = run_in_background(load, lambda pair: self._take(*pair), self._fail, owner=self)

    def _take(self, loaded: LoadedImages, frame: pd.DataFrame) -> None:
        self._forget = None
        self._loaded = loaded
        self.table.show_frame(frame)
        self.browser.take(loaded)
        self.browser.set_answers(self.answers.by_name)
        self.images.show_content()
        self.duplicates.take(loaded)
        if loaded.problem is not None:
            self._session.say(loaded.problem.sentence, level="warning")

    def _fail(self, error: SensiViewError) -> None:
        self._failed = True
        self.images.say(error.sentence)
        self._session.problem.emit(error)

    def _show_answers(self) -> None:
        if self._loaded is not None:
            self.browser.set_answers(self.answers.by_name)

    def _show_pair(self, truth: str, predicted: str, split: str) -> None:
        self.tabs.setCurrentWidget(self.images)
        self.browser.show_pair(truth, predicted, split)

    def _show_wrong(self) -> None:
        self.tabs.setCurrentWidget(self.images)
        self.browser.show_wrong()

    def _show_image(self, place: int) -> None:
        self.tabs.setCurrentWidget(self.images)
        self.browser.show_image(place)
        self.browser.grid.choose(place)
