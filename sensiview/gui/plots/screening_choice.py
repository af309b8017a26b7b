"""Choosing factors in a plot: by a click, a frame, or the keyboard, and saying which are chosen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QWidget

from sensiview.analysis.items import Array, IndexTable, Item
from sensiview.gui.plots.canvas import Panel
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.screening_data import Dots
from sensiview.gui.themes import Theme

Ranges: TypeAlias = tuple[tuple[float, float], tuple[float, float]]


class FactorsPlot(ItemPlot):
    """A plot of factors of which some can be chosen. Subclasses keep `_dots` and draw what is chosen.

    Parameters
    ----------
    beside : callable, optional
        The other items of the result, as they are now.

    Signals
    -------
    chosen_changed()
        Other factors are chosen.
    """

    chosen_changed = Signal()
    item: IndexTable
    _dots: Dots

    def __init__(
        self,
        item: Item,
        *,
        colours: Theme | None = None,
        parent: QWidget | None = None,
        beside: Callable[[], Mapping[str, Item]] | None = None,
    ) -> None:
        self._beside = beside or dict
        self._chosen: list[str] = []
        self._places: dict[str, int] = {}
        self._zoom: Ranges | None = None
        super().__init__(item, colours=colours, parent=parent)

    def show_chosen(self) -> None:
        """Draw which factors are chosen."""

    def upwards(self) -> Array:
        """Return the value of each factor that the up and down keys go through."""
        return np.arange(self.count())

    def keep_zoom(self, panel: Panel, whole: Ranges) -> None:
        """Show what was zoomed into, at first the whole; newer values and another theme do not change that."""
        panel.view.sigRangeChangedManually.connect(lambda *_: self._remember(panel))
        panel.show_range(*(self._zoom or whole))

    def reset_view(self) -> None:
        """Show all dots."""
        self._zoom = None
        self.redraw()

    def take(self, dots: Dots) -> None:
        """Show these factors; what is chosen and not among them is left."""
        self._dots = dots
        self._places = {name: k for k, name in enumerate(dots.names)}
        self._chosen = [name for name in self._chosen if name in self._places]

    def count(self) -> int:
        """Return the number of factors."""
        return len(self._dots)

    def factors(self) -> tuple[str, ...]:
        """Return the names of the factors, smallest mu_star first."""
        return self._dots.names

    def chosen_factors(self) -> list[str]:
        """Return the factors that are chosen, in the order in which they were."""
        return list(self._chosen)

    def choose_factors(self, names: Collection[str]) -> None:
        """Choose factors by name; those that are not shown are left out."""
        self._chosen = [name for name in names if name in self._places]
        self.show_chosen()
        self._say_chosen()
        self.chosen_changed.emit()

    def point_at(self, name: str) -> None:
        """Show a factor as if the cursor were on its dot; empty for none."""
        found = self._places.get(name)
        if found != self._current:
            self._read(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape leaves what was chosen."""
        if event.key() == Qt.Key.Key_Escape and self._chosen:
            self.choose_factors(())
            return
        super().keyPressEvent(event)

    def state(self) -> dict[str, Any]:
        """Return the choices, and the factors that are chosen."""
        return {**super().state(), "chosen": list(self._chosen)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave."""
        chosen = state.get("chosen")
        if isinstance(chosen, list):
            self._chosen = [str(name) for name in chosen]
        super().restore(state)

    # Inside.

    def _remember(self, panel: Panel) -> None:
        x, y = panel.view.viewRange()
        self._zoom = (x[0], x[1]), (y[0], y[1])

    def _choose(self) -> None:
        self._zoom = None  # another output has other numbers
        super()._choose()

    def _read(self, index: int | None) -> None:
        super()._read(index)
        if index is None:
            self._say_chosen()

    def _step(self, columns: int, rows: int) -> None:
        """Go sideways in the order of mu_star, up and down in the order of what lies upwards."""
        count = self.count()
        if not count:
            return
        if self._current is None:
            self._read(count - 1)  # the strongest
            return
        order = np.arange(count)
        if rows:
            values = self.upwards()
            order = np.argsort(np.where(np.isfinite(values), values, -np.inf), kind="stable")
        at = int(np.flatnonzero(order == self._current)[0]) + columns - rows
        if 0 <= at < count:
            self._read(int(order[at]))

    def _click(self, position: QPointF) -> None:
        found = self.nearest(position)
        if found is not None:
            self._choose_one(found)
            self.picked.emit(found)
        elif self._chosen:
            self.choose_factors(())

    def _enter(self) -> None:
        if self._current is not None:
            self._choose_one(self._current)
            self.picked.emit(self._current)

    def _choose_one(self, index: int) -> None:
        """Choose a factor alone, or leave the one that is; with Ctrl or Shift beside others."""
        name, adding = self._dots.names[index], adds(QGuiApplication.keyboardModifiers())
        others = [known for known in self._chosen if known != name] if adding else []
        leave = name in self._chosen and (adding or self._chosen == [name])
        self.choose_factors(others if leave else [*others, name])

    def _choose_framed(self, indices: Array, adding: bool) -> None:
        framed = [self._dots.names[k] for k in indices[::-1]]
        self.choose_factors(list(dict.fromkeys([*(self._chosen if adding else ()), *framed])))

    def _say_chosen(self) -> None:
        """Say in the read-out what is chosen, while nothing is pointed at."""
        if self._current is not None:
            return
        if not self._chosen:
            self.readout.setText(self.hint)
            return
        if len(self._chosen) == 1:
            self.readout.setText("  ·  ".join(self.describe(self._places[self._chosen[0]])))
            return
        mu_star = self._dots.values["mu_star"]
        whole = float(np.nansum(mu_star))
        part = float(np.nansum(mu_star[[self._places[name] for name in self._chosen]]))
        share = f", {100 * part / whole:.0f} % of the sum of μ*" if whole > 0 else ""
        text = f"{len(self._chosen):,} of {len(self._dots):,} factors chosen{share}"
        self.readout.setText(f"{text}: {', '.join(self._chosen)}")


def adds(held: Qt.KeyboardModifier) -> bool:
    """Say whether keys are held that add to a choice."""
    return bool(held & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier))
