"""Bars of two tables of regions, the largest difference first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sensiview.gui.dialogs.layout import named
from sensiview.gui.number_text import short
from sensiview.gui.plots.colours import series_colour
from sensiview.gui.themes import notifier, theme

if TYPE_CHECKING:
    import pandas as pd

_MOST = 20
_WIDTH = 0.38


def paired(first: pd.DataFrame, second: pd.DataFrame, most: int = _MOST) -> pd.DataFrame:
    """Return ``region``, ``a``, ``b`` and ``difference`` (a - b) by the size of the difference, at most `most` rows.

    A region that only one table has counts as 0 in the other; voxels outside the atlas are left out.
    """
    tables = []
    for frame in (first, second):
        kept = frame[frame["label"] != 0] if "label" in frame.columns else frame
        tables.append(kept.groupby("region", sort=False)["density"].mean())
    both = tables[0].to_frame("a").join(tables[1].to_frame("b"), how="outer").fillna(0.0)
    both["difference"] = both["a"] - both["b"]
    order = np.argsort(-both["difference"].abs().to_numpy(), kind="stable")[:most]
    return both.iloc[order].reset_index(names="region")


class RegionBars(QWidget):
    """Two bars per region; a click chooses the region.

    Signals
    -------
    region_chosen(str)
        The name of the region whose bars were clicked.
    """

    region_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("region_bars")
        self._frame: pd.DataFrame | None = None
        self._names = ("A", "B")
        self.plot = pg.PlotWidget(self)
        named(self.plot, "region_bars_plot", "Density by region, A and B")
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(x=True, y=False)
        self.plot.setMinimumHeight(150)
        self._legend = self.plot.addLegend(offset=(-8, 4), brush=None)
        self.plot.scene().sigMouseClicked.connect(self._clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.plot)
        notifier.changed.connect(self._draw)

    def show_pair(self, names: tuple[str, str], first: pd.DataFrame | None, second: pd.DataFrame | None) -> None:
        """Show two tables with columns ``region`` and ``density``, or nothing where one is missing."""
        self._names = names
        usable = all(f is not None and {"region", "density"} <= set(f.columns) for f in (first, second))
        self._frame = paired(first, second) if usable and first is not None and second is not None else None
        self._draw()

    def has_bars(self) -> bool:
        """Say whether there is something to see."""
        return self._frame is not None and len(self._frame) > 0

    def regions(self) -> list[str]:
        """Return the names from left to right."""
        return [str(name) for name in self._frame["region"]] if self._frame is not None else []

    def choose(self, place: float) -> None:
        """Choose the region nearest to a place along the axis."""
        names = self.regions()
        number = round(place)
        if 0 <= number < len(names):
            self.region_chosen.emit(names[number])

    def _clicked(self, event: Any) -> None:
        at = self.plot.plotItem.vb.mapSceneToView(event.scenePos())
        self.choose(float(at.x()))

    def _draw(self) -> None:
        colours = theme()
        self.plot.clear()
        self._legend.clear()
        self.plot.setBackground(colours.panel)
        self._legend.setLabelTextColor(colours.text)
        for side in ("bottom", "left"):
            axis = self.plot.getAxis(side)
            axis.setPen(colours.border)
            axis.setTextPen(colours.text if side == "bottom" else colours.muted)
        self.plot.setLabel("left", "Density")
        if self._frame is None:
            return
        at = np.arange(len(self._frame), dtype=np.float64)
        for number, column in enumerate(("a", "b")):
            bars = pg.BarGraphItem(
                x=at + (number - 0.5) * _WIDTH, height=self._frame[column].to_numpy(), width=_WIDTH,
                brush=series_colour(colours, number), pen=None, name=f"{'AB'[number]}: {self._names[number]}",
            )  # fmt: skip
            self.plot.addItem(bars)
        # Long names are cut; the tool tip has all of them.
        ticks = [(float(x), _cut(name)) for x, name in zip(at, self.regions(), strict=True)]
        self.plot.getAxis("bottom").setTicks([ticks])
        self.plot.setXRange(-0.6, min(len(at), 9) - 0.4, padding=0)
        rows = zip(self.regions(), self._frame["a"], self._frame["b"], self._frame["difference"], strict=True)
        self.plot.setToolTip("\n".join(f"{n}: {short(a)} and {short(b)}, {short(d)}" for n, a, b, d in rows))


def _cut(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:9]}…{name[-8:]}"
