"""A widget that comes later, with a sentence in its place until then."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from sensiview.analysis.items import Item
from sensiview.gui.plots.item_plot import ItemPlot


class PictureTab(QStackedWidget):
    """A widget that comes later, with a sentence in its place until then.

    Signals
    -------
    problem(object)
        A `SensiViewError` from an export.
    """

    problem = Signal(object)

    def __init__(self, content: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sentence = QLabel()
        self.sentence.setProperty("role", "muted")
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence.setWordWrap(True)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.addWidget(self.sentence)
        self.content: QWidget | None = None
        if content is not None:
            self.content = content
            self.addWidget(content)

    def say(self, sentence: str) -> None:
        """Show a sentence."""
        self.sentence.setText(sentence)
        self.setCurrentWidget(self.sentence)

    def take_content(self, widget: QWidget) -> None:
        """Take a widget that has come; `show_content` shows it."""
        self.content = widget
        self.addWidget(widget)

    def show_content(self) -> None:
        """Show the widget."""
        if self.content is not None:
            self.setCurrentWidget(self.content)

    def show_item(self, item: Item | None, plot: type[ItemPlot], otherwise: str) -> None:
        """Draw an item, or say why there is none."""
        if item is None:
            self.say(otherwise)
            return
        if isinstance(self.content, ItemPlot):
            self.content.set_item(item)
        else:
            made = plot(item)
            made.problem.connect(self.problem)
            self.content = made
            self.addWidget(made)
        self.show_content()
