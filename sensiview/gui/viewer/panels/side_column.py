"""The column beside the panes: layers, regions, cases, measurements, histogram, one tab each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QIcon, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QStyle, QTabWidget, QVBoxLayout, QWidget

from sensiview.gui.icons import icon
from sensiview.gui.viewer.panels.atlas import AtlasPanel
from sensiview.gui.viewer.panels.cases import CasesPanel
from sensiview.gui.viewer.panels.go_to import GoTo
from sensiview.gui.viewer.panels.histogram import HistogramPanel
from sensiview.gui.viewer.panels.layers import LayersPanel
from sensiview.gui.viewer.panels.measurements import MeasurementsPanel
from sensiview.gui.viewer.panels.regions import RegionsPanel
from sensiview.gui.viewer.scene import Scene

# Of a tab's name, left and right together, with what the style adds.
_TAB_PADDING = 18
_PICTURES = {
    "cases": "dataset", "layers": "layers", "regions": "target", "measure": "viewer_length", "histogram": "histogram",
}  # fmt: skip


class SideColumn(QTabWidget):
    """All panels of one scene; the tab of the cases is hidden while there is one volume only."""

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewer_side")
        self.setAccessibleName("Panels of the viewer")
        self.setDocumentMode(True)
        self.layers = LayersPanel(scene, self)
        self.histogram = HistogramPanel(scene, self)
        self.go_to = GoTo(scene, self)
        self.atlas = AtlasPanel(scene, self)
        self.regions = RegionsPanel(scene, self)
        self.cases = CasesPanel(self)
        self.measurements = MeasurementsPanel(scene, self)
        # Three panels below each other are higher than a small window: they scroll, and the window stays small.
        self.places = QScrollArea(self)
        self.places.setObjectName("places_tab")
        self.places.setFrameShape(QFrame.Shape.NoFrame)
        self.places.setWidgetResizable(True)
        self.places.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        content = self._content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for panel in (self.go_to, self.atlas):
            column.addWidget(panel)
        column.addWidget(self.regions, 1)
        self.places.setWidget(content)
        self.tabs: dict[str, QWidget] = {
            "cases": self.cases, "layers": self.layers, "regions": self.places, "measure": self.measurements,
            "histogram": self.histogram,
        }  # fmt: skip
        for name, widget in self.tabs.items():
            self.addTab(widget, name.capitalize())
        self.tabBar().setIconSize(QSize(18, 18))
        self.tabBar().setAccessibleName("Panels")
        self.tabBar().setUsesScrollButtons(True)
        self.tabBar().setDrawBase(False)
        self.show_cases(on=False)
        self.open_tab("layers")

    def show_cases(self, *, on: bool) -> None:
        """Offer the list of cases, or not."""
        self.setTabVisible(self.indexOf(self.cases), on)
        self._name_tabs()

    def minimumSizeHint(self) -> QSize:
        """Ask for the widest panel, so that nothing in it is cut off, whatever the size of the font."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        areas = {self.places: self._content, self.layers: self.layers.form}
        widths = [areas.get(panel, panel).minimumSizeHint().width() for panel in self.tabs.values()]
        return QSize(max(240, *widths) + bar + 4, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show pictures instead of names where all names have no room beside each other."""
        super().resizeEvent(event)
        self._name_tabs()

    def _name_tabs(self) -> None:
        """Pictures for all tabs or names for all: a name that hides behind an arrow is not found."""
        bar, metrics = self.tabBar(), self.tabBar().fontMetrics()
        shown = [(at, name) for at, name in enumerate(self.tabs) if self.isTabVisible(at)]
        needed = sum(metrics.horizontalAdvance(name.capitalize()) + _TAB_PADDING for _, name in shown)
        named = needed <= self.width()
        for at, name in shown:
            text = name.capitalize()
            bar.setTabText(at, text if named else "")
            bar.setTabIcon(at, QIcon() if named else icon(_PICTURES[name]))
            bar.setTabToolTip(at, "" if named else text)
            bar.setAccessibleTabName(at, text)

    def open_tab(self, name: str) -> None:
        """Bring a panel to the front."""
        self.setCurrentWidget(self.tabs[name])

    def state(self) -> dict[str, Any]:
        """Return the open tab and what the panels keep, as JSON values."""
        current = self.currentWidget()
        opened = next((name for name, widget in self.tabs.items() if widget is current), "layers")
        return {
            "tab": opened,
            "layers": self.layers.state(),
            "cases": self.cases.state(),
            "regions": self.regions.table.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; unknown values are left out."""
        for name, panel in (("layers", self.layers), ("cases", self.cases), ("regions", self.regions.table)):
            kept = state.get(name)
            if isinstance(kept, Mapping):
                panel.restore(kept)
        tab = state.get("tab")
        if tab in self.tabs and self.isTabVisible(self.indexOf(self.tabs[tab])):
            self.open_tab(tab)
