"""The menu in which lines of a plot are hidden and shown again, with the keyboard too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton

from sensiview.gui.natural_order import natural
from sensiview.gui.plots.lines import Line

if TYPE_CHECKING:
    from sensiview.gui.plots.curve import CurvePlot

LARGEST = 8  # lines that are drawn where there are many


class LinesButton(QToolButton):
    """A button whose menu names every line of a plot."""

    def __init__(self, plot: CurvePlot) -> None:
        super().__init__()
        self._plot = plot
        self.setText("Lines")
        self.setObjectName("plot_lines")
        self.setAccessibleName("Choose the lines that are drawn")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.aboutToShow.connect(self._fill)
        self.setMenu(menu)

    def _fill(self) -> None:
        menu, plot = self.menu(), self._plot
        menu.clear()
        everything = QAction("All", menu)
        everything.triggered.connect(lambda: plot.hide_lines(set()))
        largest = QAction(f"The {LARGEST} largest", menu)
        largest.triggered.connect(
            lambda: plot.hide_lines({line.name for line in largest_first(plot.lines())[LARGEST:]})
        )
        menu.addActions([everything, largest])
        menu.addSeparator()
        hidden = plot.hidden()
        for line in sorted(plot.lines(), key=lambda line: natural(line.name)):
            action = QAction(line.name.replace("&", "&&"), menu)
            action.setCheckable(True)
            action.setChecked(line.name not in hidden)
            action.triggered.connect(lambda _checked, name=line.name: plot.toggle(name))
            menu.addAction(action)


def largest_first(lines: Sequence[Line]) -> list[Line]:
    """Return lines in the order of the size of their last value."""
    return sorted(lines, key=lambda line: -abs(line.last()))
