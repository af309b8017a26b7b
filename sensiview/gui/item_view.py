"""One result item: its plot, its table, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from sensiview.analysis.items import Curve, IndexTable, Item, Matrix
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.plots import plot_for
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.screening_choice import FactorsPlot
from sensiview.gui.screening_rows import FactorRows

if TYPE_CHECKING:
    from sensiview.gui.image_rows import ImageRows

Mode = Literal["plot", "both", "table"]
MODES: tuple[Mode, ...] = get_args(Mode)


class ItemView(QWidget):
    """Plot above table; each is made when it is first seen.

    Parameters
    ----------
    item : Item
    beside : callable, optional
        The items of the same result, as they are now.

    Signals
    -------
    changed()
        The user chose something in the plot or the table.
    problem(object)
        A `SensiViewError` from an export.
    """

    changed = Signal()
    problem = Signal(object)

    def __init__(
        self, item: Item, parent: QWidget | None = None, *, beside: Callable[[], Mapping[str, Item]] | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("item_view")
        self._item = item
        self._mode: Mode = "plot"
        self.plot: ItemPlot | None = plot_for(item, beside=beside)
        self.table: FrameTable | None = FrameTable("item_table") if has_table(item) else None
        self._table_stale = True
        self._pictures: ImageRows | None = None
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("item_splitter")
        self.splitter.setChildrenCollapsible(False)
        for part in (self.plot, self.table):
            if part is not None:
                self.splitter.addWidget(part)
                part.changed.connect(self.changed)
        if self.plot is not None:
            self.plot.problem.connect(self.problem)
            self.plot.table_changed.connect(self._refill)
        if isinstance(self.plot, FactorsPlot) and self.table is not None:
            self._rows = FactorRows(self.plot, self.table)
        self.splitter.setSizes([600, 300])
        self.description = ElidedLabel(item.description.replace("`", ""))
        self.description.setObjectName("item_description")
        self.description.setProperty("role", "muted")
        self.description.setContentsMargins(12, 4, 12, 0)
        self.description.setVisible(bool(item.description))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.description)
        layout.addWidget(self.splitter, 1)
        self.set_mode("plot")

    @property
    def modes(self) -> tuple[Mode, ...]:
        """What there is a choice of; one mode alone when the item has only a plot, or only a table."""
        if self.plot is None:
            return ("table",)
        return MODES if self.table is not None else ("plot",)

    @property
    def mode(self) -> Mode:
        """What is shown."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Show the plot, the table, or both."""
        self._mode = mode if mode in self.modes else self.modes[0]
        if self.plot is not None:
            self.plot.setVisible(self._mode != "table")
        if self.table is not None:
            self.table.setVisible(self._mode != "plot")
            self._fill_table()

    def show_item(self, item: Item) -> None:
        """Show newer values, keeping every choice."""
        self._item = item
        self._table_stale = True
        self.description.setText(item.description.replace("`", ""))
        self.description.setVisible(bool(item.description))
        if self.plot is not None:
            self.plot.set_item(item)
        self._fill_table()

    def take_pictures(self, pictures: ImageRows | None) -> None:
        """Take what draws a thumbnail into each row of the table."""
        self._pictures = pictures
        self._table_stale = True
        self._fill_table()

    def state(self) -> dict[str, Any]:
        """Return every choice as plain values."""
        return {
            "mode": self._mode,
            "sizes": self.splitter.sizes(),
            "plot": self.plot.state() if self.plot is not None else {},
            "table": self.table.state() if self.table is not None and not self._table_stale else {},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave; what does not fit is left out."""
        if state.get("mode") in MODES:
            self.set_mode(cast("Mode", state["mode"]))
        sizes = state.get("sizes")
        if isinstance(sizes, list) and len(sizes) == self.splitter.count() and all(isinstance(n, int) for n in sizes):
            self.splitter.setSizes(sizes)
        if self.plot is not None and isinstance(state.get("plot"), Mapping):
            self.plot.restore(state["plot"])
        if self.table is not None and isinstance(state.get("table"), Mapping) and state["table"]:
            self._fill_table(force=True)
            self.table.restore(state["table"])

    def _refill(self) -> None:
        self._table_stale = True
        self._fill_table()

    def _fill_table(self, *, force: bool = False) -> None:
        if self.table is None or not self._table_stale or (self._mode == "plot" and not force):
            return
        self._table_stale = False
        item = self._item
        if isinstance(item, Matrix):
            self.table.show_frame(item.to_frame().reset_index(), align=True)
        elif self.plot is not None and (frame := self.plot.table()) is not None:
            self.table.show_frame(frame, align=True)
        elif isinstance(item, IndexTable):
            pictures = self._pictures
            if pictures is not None:
                pictures.show_item(item)
            self.table.show_frame(
                item.frame, units=item.units, remarks=item.remarks, align=True,
                decorate=pictures.picture if pictures is not None else None,
            )  # fmt: skip
        elif isinstance(item, Curve):
            self.table.show_frame(item.frame, units=item.units, align=True)


def has_table(item: Item) -> bool:
    """Whether an item is rows and columns."""
    return isinstance(item, IndexTable | Curve | Matrix)
