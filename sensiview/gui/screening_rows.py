"""Rows of a table and dots of a plot that stand for the same factors: what is chosen in one is chosen in the other."""

from __future__ import annotations

from PySide6.QtCore import QObject

from sensiview.gui.frame_table import FrameTable
from sensiview.gui.plots.screening_choice import FactorsPlot

_FACTOR = 0  # column of the names


class FactorRows(QObject):
    """Links both ways.

    Parameters
    ----------
    plot : FactorsPlot
    table : FrameTable
        Shows ``plot.table()``: the first column names the factor.
    """

    def __init__(self, plot: FactorsPlot, table: FrameTable) -> None:
        super().__init__(table)
        self._plot, self._table = plot, table
        self._following = False
        plot.chosen_changed.connect(self._choose_row)
        table.row_chosen.connect(self._choose_factor)

    def _choose_row(self) -> None:
        """Go to the row of the factor that was chosen last."""
        chosen = self._plot.chosen_factors()
        if self._following or not chosen or not self._table.columns():
            return
        frame = self._plot.table()
        assert frame is not None
        found = (frame.iloc[:, _FACTOR].astype(str) == chosen[-1]).to_numpy().nonzero()[0]
        self._following = True
        try:
            if found.size:
                self._table.choose_source_row(int(found[0]))
        finally:
            self._following = False

    def _choose_factor(self, row: int) -> None:
        frame = self._plot.table()
        if self._following or frame is None or row >= len(frame):
            return
        self._following = True
        try:
            self._plot.choose_factors([str(frame.iloc[row, _FACTOR])])
        finally:
            self._following = False
