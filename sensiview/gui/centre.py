"""The middle of the window: welcome page, or the project's pages for data set, model and results."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from sensiview.gui.icons import icon
from sensiview.gui.welcome_page import WelcomePage

Page = Literal["dataset", "model", "results"]
PAGES: tuple[Page, ...] = ("dataset", "model", "results")
_TITLES = {"dataset": "Data set", "model": "Model", "results": "Results"}


class Centre(QWidget):
    """A bar with three pages below it; the welcome page while no project is open.

    Signals
    -------
    page_changed
        The name of the page that is shown now.
    """

    page_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("centre")
        self.welcome = WelcomePage(self)
        self.bar = QTabBar(self)
        self.bar.setObjectName("centre_tabs")
        self.bar.setAccessibleName("Data set, model or results")
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self._pages = QStackedWidget(self)
        self._widgets: dict[Page, QWidget] = {}
        for page in PAGES:
            at = self.bar.addTab(icon(page), _TITLES[page])
            self.bar.setTabToolTip(at, f"{_TITLES[page]} (Ctrl+{at + 1})")
            self._widgets[page] = _loading(self)
            self._pages.addWidget(self._widgets[page])
        project = QWidget(self)
        column = QVBoxLayout(project)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._pages, 1)
        self._stack = QStackedWidget(self)
        # In a scroll area, so that the page's size does not keep the window large while a project is open.
        area = QScrollArea(self)
        area.setObjectName("welcome_area")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self.welcome)
        self._stack.addWidget(area)
        self._stack.addWidget(project)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self.bar.currentChanged.connect(self._switched)

    def install(self, page: Page, widget: QWidget) -> None:
        """Put the real page where the placeholder was."""
        old = self._widgets[page]
        at = self._pages.indexOf(old)
        shown = self._pages.currentIndex()
        self._pages.removeWidget(old)
        old.deleteLater()
        self._pages.insertWidget(at, widget)
        self._widgets[page] = widget
        self._pages.setCurrentIndex(shown)

    def show_welcome(self) -> None:
        """Show the welcome page with a fresh list of projects."""
        self.welcome.refresh()
        self._stack.setCurrentIndex(0)

    def show_project(self) -> None:
        """Show the pages of the project."""
        self._stack.setCurrentIndex(1)

    @property
    def page(self) -> Page:
        """The page that is shown, or would be if a project were open."""
        return PAGES[self.bar.currentIndex()]

    def show_page(self, page: Page) -> None:
        """Show one of the project's pages."""
        self.bar.setCurrentIndex(PAGES.index(page))

    def widget(self, page: Page) -> QWidget:
        """Return the widget of a page."""
        return self._widgets[page]

    def _switched(self, at: int) -> None:
        self._pages.setCurrentIndex(at)
        self.page_changed.emit(PAGES[at])


def _loading(parent: QWidget) -> QLabel:
    label = QLabel("Loading …", parent)
    label.setProperty("role", "muted")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
