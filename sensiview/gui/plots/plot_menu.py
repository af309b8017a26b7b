"""Export, copy and reset: the same menu on the button and on a right click."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton

from sensiview.errors import SensiViewError

if TYPE_CHECKING:
    from sensiview.gui.plots.item_plot import ItemPlot


class PlotMenu(QMenu):
    """What can be done with a plot."""

    def __init__(self, plot: ItemPlot) -> None:
        super().__init__(plot)
        self._plot = plot
        self.setObjectName("plot_menu")
        self._add("export_png", "Export as PNG…", lambda: self.ask("png"))
        self._add("export_svg", "Export as SVG…", lambda: self.ask("svg"))
        if hasattr(plot.item, "to_frame"):
            self._add("export_csv", "Export numbers as CSV…", lambda: self.ask("csv"))
        self._add("copy_plot", "Copy", plot.copy)
        if plot.zoomable:
            self._add("reset_view", "Reset view", plot.reset_view)

    def button(self) -> QToolButton:
        """Return the button that opens this menu."""
        button = QToolButton()
        button.setText("Export")
        button.setObjectName("plot_export_button")
        button.setAccessibleName("Export or copy this plot")
        button.setToolTip("Save this plot as PNG, SVG or CSV, or copy it")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(self)
        return button

    def ask(self, kind: str) -> None:
        """Ask for a file name and write the plot there."""
        dialog = QFileDialog(self._plot, f"Export as {kind.upper()}")
        dialog.setObjectName("export_dialog")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"{kind.upper()} (*.{kind})")
        dialog.setDefaultSuffix(kind)
        dialog.selectFile(f"{file_name(self._plot.item.title)}.{kind}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save_to)
        dialog.open()

    def save_to(self, name: str) -> None:
        """Write the plot, and say in the read-out where it is or why not."""
        try:
            self._plot.save(Path(name))
        except SensiViewError as error:
            self._plot.readout.setText(error.sentence)
            self._plot.problem.emit(error)
        else:
            self._plot.readout.setText(f"Saved as {name}")

    def _add(self, name: str, text: str, call: object) -> None:
        action = QAction(text, self)
        action.setObjectName(name)
        action.triggered.connect(call)
        self.addAction(action)


def file_name(title: str) -> str:
    """Return a title as a file name that every system takes."""
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in title).strip("._")
    return "_".join(part for part in kept.split("_") if part)[:80] or "plot"
