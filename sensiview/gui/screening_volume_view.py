"""A screening of parts of volumes: its dots, and the viewer in which the parts are found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSplitter, QToolButton, QVBoxLayout, QWidget

from sensiview.analysis.items import FieldMap, IndexTable, Item
from sensiview.gui.background import run_in_background
from sensiview.gui.item_view import ItemView, Mode
from sensiview.gui.plots.screening_plot import ScreeningPlot
from sensiview.gui.screening_volume_parts import PARTS, VolumeParts, volume_parts
from sensiview.gui.session import Session
from sensiview.gui.volume_item_view import VolumeItemView
from sensiview.gui.volume_maps import is_volume_map

if TYPE_CHECKING:
    from sensiview.gui.viewer.layer import Layer

MAP = "map_mu_star"
_LAYER = "parts"
# Pixels from which on dots and panes lie side by side, or one below the other; smaller, one of them is seen.
_WIDE, _HIGH = 900, 760
_AXES = {"subject": "subject", "output": "target"}  # keys of the table and axes of the map


class ScreeningVolumeView(QWidget):
    """Dots and table beside the map of mu_star over the volume, linked both ways.

    A factor that is chosen is outlined in the panes, which go to its centre; the part under the cursor of the panes
    lights its dot.

    Parameters
    ----------
    items : callable
        The items of the run as they are now.

    Signals
    -------
    changed()
        The user chose something.
    problem(object)
        A `SensiViewError`.
    """

    changed = Signal()
    problem = Signal(object)

    def __init__(
        self,
        session: Session,
        run_id: str,
        item: IndexTable,
        items: Callable[[], Mapping[str, Item]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("screening_volume_view")
        self._items = items
        self._parts: VolumeParts | None = None
        self._shown_for: tuple[str, str] | None = None
        self._layer: Layer | None = None
        self._opened = False
        self.dots = ItemView(item, beside=items)
        shown = items()[MAP]
        assert isinstance(shown, FieldMap)
        self.panes = VolumeItemView(session, run_id, shown)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setObjectName("screening_splitter")
        self.splitter.setChildrenCollapsible(False)
        for part in (self.dots, self.panes):
            self.splitter.addWidget(part)
            part.changed.connect(self.changed)
            part.problem.connect(self.problem)
        self.splitter.setSizes([450, 550])
        # Together they would push a window off a small screen; there one of them is seen at a time.
        self.splitter.setMinimumSize(1, 1)
        self.switch = _Switch()
        self.switch.chosen.connect(self._arrange)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.switch)
        layout.addWidget(self.splitter, 1)
        self.plot.chosen_changed.connect(self._show_chosen)
        self.plot.changed.connect(self._follow_choice)
        self.panes.changed.connect(self._follow_panes)
        self.panes.shown.connect(self._connect)
        self._follow_choice()

    @property
    def plot(self) -> ScreeningPlot:
        """The dots."""
        assert isinstance(self.dots.plot, ScreeningPlot)
        return self.dots.plot

    @property
    def modes(self) -> tuple[Mode, ...]:
        """What there is a choice of."""
        return self.dots.modes

    @property
    def mode(self) -> Mode:
        """What is shown beside the panes."""
        return self.dots.mode

    def set_mode(self, mode: Mode) -> None:
        """Show dots, table, or both; the panes stay."""
        self.dots.set_mode(mode)

    def show_item(self, item: Item) -> None:
        """Show newer numbers, keeping every choice."""
        self.dots.show_item(item)
        shown = self._items().get(MAP)
        if isinstance(shown, FieldMap):
            self.panes.show_item(shown)
        self._shown_for = None
        self._follow_choice()

    def state(self) -> dict[str, Any]:
        """Return every choice as plain values."""
        return {"dots": self.dots.state(), "panes": self.panes.state(), "sizes": self.splitter.sizes()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave; what does not fit is left out."""
        for name, view in (("dots", self.dots), ("panes", self.panes)):
            if isinstance(state.get(name), Mapping):
                view.restore(state[name])
        self._opened = self._opened or isinstance(state.get("panes"), Mapping)
        sizes = state.get("sizes")
        if isinstance(sizes, list) and len(sizes) == 2 and all(isinstance(n, int) for n in sizes) and sum(sizes):
            self.splitter.setSizes(sizes)
        self._follow_choice()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put dots and panes where there is room for them."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        beside, stacked = self.width() >= _WIDE, self.height() >= _HIGH
        wanted = Qt.Orientation.Horizontal if beside else Qt.Orientation.Vertical
        if self.splitter.orientation() != wanted:
            self.splitter.setOrientation(wanted)
        together = beside or stacked
        self.switch.setVisible(not together)
        self.dots.setVisible(together or not self.switch.on_volume())
        self.panes.setVisible(together or self.switch.on_volume())

    # From the dots to the panes.

    def _follow_choice(self) -> None:
        """Show the volume and the output that the dots are of."""
        fixed = self.plot.fixed()
        for key, axis in _AXES.items():
            if key in fixed:
                self.panes.choose(axis, fixed[key])
        place = self.plot.input_place()
        if place != self._shown_for:
            self._shown_for = place
            self._parts = volume_parts(self._items(), *place)
            self._layer = None
            self._connect()

    def _connect(self) -> None:
        """Lay the outlines over what the panes show by now; they were made anew."""
        workbench = self.panes.workbench
        if workbench is None or self._parts is None:
            return
        workbench.scene.cursor_changed.connect(self._point, Qt.ConnectionType.UniqueConnection)
        if not self._opened:
            # Dots and table say what its panels would; the button above the panes brings them.
            self._opened = True
            workbench.side.hide()
        parts, grid = self._parts, workbench.scene.grid

        def make() -> Layer:
            from sensiview.gui.viewer.build import layer_from_atlas

            return layer_from_atlas(parts, grid, key=_LAYER)

        def take(layer: Layer) -> None:
            if parts is self._parts and workbench.scene.grid == grid:
                self._layer = layer
                self._outline()

        # An oblique volume is interpolated for display, which takes its time.
        run_in_background(make, take, self.problem.emit, owner=self)

    def _show_chosen(self) -> None:
        """Outline the parts that are chosen, and go to the one that was chosen last."""
        self._outline()
        workbench, chosen = self.panes.workbench, self._chosen_numbers()
        if workbench is None or self._parts is None or not chosen:
            return
        centre = self._parts.centre(chosen[-1])
        if centre is not None:
            workbench.scene.set_cursor(centre)

    def _outline(self) -> None:
        workbench = self.panes.workbench
        if workbench is None or self._layer is None:
            return
        only = tuple(sorted(self._chosen_numbers()))
        look = replace(self._layer.look, only=only, outline=True, visible=bool(only), opacity=1.0)
        workbench.scene.set_layer(replace(self._layer, look=look))

    def _chosen_numbers(self) -> list[int]:
        numbers = {name: number for number, name in self._parts.names.items()} if self._parts is not None else {}
        return [numbers[name] for name in self.plot.chosen_factors() if name in numbers]

    # From the panes to the dots.

    def _follow_panes(self) -> None:
        """Show the dots of the subject and the output that were chosen above the panes."""
        shown, fixed = self.panes.places(), self.plot.fixed()
        wanted = {key: shown[axis] for key, axis in _AXES.items() if axis in shown and key in fixed}
        if any(fixed[key] != place for key, place in wanted.items()):
            self.plot.restore(wanted)
            self.plot.table_changed.emit()
            self._follow_choice()

    def _point(self) -> None:
        workbench = self.panes.workbench
        if workbench is not None and self._parts is not None:
            number = self._parts.number_at(workbench.scene.cursor)
            self.plot.point_at(self._parts.names.get(number, ""))


class _Switch(QWidget):
    """Two buttons: the effects, or the volume in which the parts lie.

    Signals
    -------
    chosen()
        The user pressed one.
    """

    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 0)
        self._group = QButtonGroup(self)
        for text, name in (("Effects", "show_effects"), ("Volume", "show_volume")):
            button = QToolButton()
            button.setText(text)
            button.setObjectName(name)
            button.setAccessibleName(f"Show {text.lower()}")
            button.setCheckable(True)
            self._group.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        self._group.buttons()[0].setChecked(True)
        self._group.buttonClicked.connect(lambda _: self.chosen.emit())

    def on_volume(self) -> bool:
        """Say whether the volume is chosen."""
        return self._group.buttons()[1].isChecked()


def is_over_volumes(item: Item, items: Mapping[str, Item]) -> bool:
    """Say whether an item is a screening whose parts lie in volumes."""
    parts, shown = items.get(PARTS), items.get(MAP)
    return (
        isinstance(item, IndexTable) and item.plot == "screening"
        and isinstance(parts, FieldMap) and is_volume_map(parts)
        and isinstance(shown, FieldMap) and is_volume_map(shown)
    )  # fmt: skip
