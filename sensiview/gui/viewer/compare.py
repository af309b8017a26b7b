"""Two maps side by side with one cursor: two runs, folds or models; their difference; their regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QTabWidget, QVBoxLayout, QWidget

from sensiview.analysis.items import FieldMap
from sensiview.datasets.volume import Volume
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.viewer.build import layer_from_map
from sensiview.gui.viewer.panels.buttons import tool_button
from sensiview.gui.viewer.panels.differences import DIFFERENCE, difference_layer, empty_volume, region_places
from sensiview.gui.viewer.panels.opening import Case, Opened, open_case
from sensiview.gui.viewer.panels.readout import Readout
from sensiview.gui.viewer.panels.region_bars import RegionBars
from sensiview.gui.viewer.scene import Layer, Look
from sensiview.gui.viewer.viewer import VolumeViewer

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.atlas import Atlas

_FLICKER_MS = 700
_MAP, _OTHER = "map0", "other"


class CompareView(QWidget):
    """Left A, right B; below the read-out of the side that was used last, and the regions of both.

    Signals
    -------
    shown()
        Both maps are on the screen.
    problem(object)
        A `SensiViewError` for the user.
    """

    shown = Signal()
    problem = Signal(object)

    def __init__(self, parent: QWidget | None = None, *, canvas: str = "") -> None:
        super().__init__(parent)
        self.setObjectName("compare_view")
        self.setAccessibleName("Two maps side by side")
        self.left, self.right = VolumeViewer(parent=self, canvas=canvas), VolumeViewer(parent=self, canvas=canvas)
        self._titles = tuple(ElidedLabel(parent=self, mode=Qt.TextElideMode.ElideMiddle) for _ in range(2))
        for label, side in zip(self._titles, ("left", "right"), strict=True):
            label.setObjectName(f"compare_title_{side}")
            label.setProperty("role", "subheading")
        self.link = self.left.link(self.right)
        self.difference = tool_button(
            self,
            "compare_difference",
            "Difference",
            "Show A - B on the right",
            self.show_difference,
        )
        self.flicker = tool_button(
            self, "compare_flicker", "Flicker", "Show A and B in turn on the left", self.toggle_flicker
        )
        for button in (self.difference, self.flicker):
            button.setCheckable(True)
            button.setEnabled(False)
        self.same_range = tool_button(
            self, "compare_same_range", "Same range", "Draw both maps with the same colours and range", self._match
        )
        self.same_range.setCheckable(True)
        self.same_range.setChecked(True)
        self._notice = QLabel(self)
        self._notice.setObjectName("compare_notice")
        self._notice.setProperty("role", "warning")
        self._notice.setWordWrap(True)
        self._notice.setTextFormat(Qt.TextFormat.PlainText)
        self._notice.setContentsMargins(10, 0, 10, 4)
        self._notice.hide()
        self.bars = RegionBars(self)
        self._readouts = (Readout(self.left.scene, self), Readout(self.right.scene, self))
        self._timer = QTimer(self)
        self._timer.setInterval(_FLICKER_MS)
        self._timer.timeout.connect(self._turn)
        self._following = False
        self._names = ("A", "B")
        self._arrange()
        self.bars.region_chosen.connect(self._go_to_region)
        for here, there in ((self.left, self.right), (self.right, self.left)):
            here.scene.look_changed.connect(lambda key, h=here, t=there: self._follow(key, h, t))
        self._places: dict[str, tuple[float, float, float]] = {}

    def show_pair(
        self,
        base: Volume | None,
        a: tuple[str, FieldMap],
        b: tuple[str, FieldMap],
        regions_a: pd.DataFrame | None = None,
        regions_b: pd.DataFrame | None = None,
        *,
        atlas: Atlas | None = None,
    ) -> None:
        """Show two maps over one anatomy; without one over the first map's own grid.

        Parameters
        ----------
        base : Volume, optional
        a, b : (str, FieldMap)
            Title and map; they may have different grids.
        regions_a, regions_b : DataFrame, optional
            Tables with columns ``region`` and ``density``: bars, largest difference first.
        atlas : Atlas, optional
            Over both, for the region's name in the read-out.
        """
        self.stop_flicker()
        self._names = (a[0] or a[1].title, b[0] or b[1].title)
        for label, letter, name in zip(self._titles, "AB", self._names, strict=True):
            label.setText(f"{letter}: {name}")
        volume = base if base is not None else empty_volume(a[1])

        def make() -> tuple[Opened, Layer, Layer, Layer]:
            opened = open_case(Case(volume, atlas=atlas))
            first = layer_from_map(a[1], opened.grid, key=_MAP, name=self._names[0])
            second = layer_from_map(b[1], opened.grid, key=_MAP, name=self._names[1])
            return opened, first, second, difference_layer(first, second, opened.grid)

        def done(made: tuple[Opened, Layer, Layer, Layer]) -> None:
            self._take(*made)
            self.bars.show_pair(self._names, regions_a, regions_b)
            self._tabs.setVisible(self.bars.has_bars())

        run_in_background(make, done, self._failed, owner=self)

    def show_difference(self) -> None:
        """Show A - B on the right, or B again."""
        on = self.difference.isChecked()
        self.right.scene.set_look(_MAP, visible=not on)
        self.right.scene.set_look(DIFFERENCE, visible=on)
        self.right.scene.set_active(DIFFERENCE if on else _MAP)
        self._titles[1].setText(f"A - B: {self._names[0]} minus {self._names[1]}" if on else f"B: {self._names[1]}")

    def toggle_flicker(self) -> None:
        """Begin to show A and B in turn on the left, or stop."""
        if self.flicker.isChecked():
            self._timer.start()
        else:
            self.stop_flicker()

    def stop_flicker(self) -> None:
        """Show A on the left."""
        self._timer.stop()
        self.flicker.setChecked(False)
        self._show_left(first=True)

    def state(self) -> dict[str, Any]:
        """Return what both viewers show and the switches, as JSON values."""
        return {"left": self.left.state(), "difference": self.difference.isChecked(), "sizes": self._splitter.sizes()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave; what makes no sense is left out."""
        if isinstance(state.get("left"), Mapping):
            self.left.restore(state["left"])
        if isinstance(state.get("difference"), bool) and self.difference.isEnabled():
            self.difference.setChecked(state["difference"])
            self.show_difference()

    def hideEvent(self, event: Any) -> None:
        """Do not flicker where nobody looks."""
        super().hideEvent(event)
        self.stop_flicker()

    def _take(self, opened: Opened, first: Layer, second: Layer, difference: Layer) -> None:
        layers = opened.layers
        below = tuple(la for la in layers if la.role != "atlas")
        atlases = tuple(replace(la, look=replace(la.look, visible=False)) for la in layers if la.role == "atlas")
        other = replace(second, key=_OTHER, look=replace(second.look, visible=False))
        common = (*below, *atlases)
        title = opened.title
        self.left.scene.show(opened.grid, (*common, first, other), title=title, to_file_voxel=opened.to_file_voxel)
        self.right.scene.show(
            opened.grid, (*common, second, difference), title=title, to_file_voxel=opened.to_file_voxel
        )
        self._places = region_places(layers, opened.grid)
        for button in (self.difference, self.flicker):
            button.setEnabled(True)
        self.difference.setChecked(False)
        self._match()
        self._say(" ".join(problem.sentence for problem in opened.problems))
        self.shown.emit()

    def _match(self) -> None:
        """Give both maps the wider of both ranges."""
        if not self.same_range.isChecked() or not self.left.scene.layers:
            return
        one, two = self.left.scene.layer(_MAP), self.right.scene.layer(_MAP)
        high, low = max(one.look.high, two.look.high), min(one.look.low, two.look.low)
        signed = one.look.signed or two.look.signed
        colours = next((la.look.colour_map for la in (one, two) if la.look.signed == signed), one.look.colour_map)
        changes = {
            "low": 0.0 if signed else low, "high": high, "signed": signed, "colour_map": colours,
            "threshold": max(one.look.threshold, two.look.threshold),
        }  # fmt: skip
        self.left.scene.set_look(_MAP, **changes)

        self.right.scene.set_look(_MAP, **changes)

    def _follow(self, key: str, here: VolumeViewer, there: VolumeViewer) -> None:
        if self._following or key not in (_MAP, "volume"):
            return
        if key == _MAP and not self.same_range.isChecked():
            return
        self._following = True
        try:
            look: Look = here.scene.layer(key).look
            for viewer in (there, self.left):
                for target in (key, _OTHER if key == _MAP else key):
                    known = next((la for la in viewer.scene.layers if la.key == target), None)
                    if known is not None and known is not here.scene.layer(key):
                        fields = {**look.__dict__, "visible": known.look.visible}
                        viewer.scene.set_look(target, **fields)
        finally:
            self._following = False

    def _turn(self) -> None:
        scene = self.left.scene
        self._show_left(first=not scene.layer(_MAP).look.visible)

    def _show_left(self, *, first: bool) -> None:
        if any(layer.key == _OTHER for layer in self.left.scene.layers):
            self.left.scene.set_look(_MAP, visible=first)
            self.left.scene.set_look(_OTHER, visible=not first)
            self._titles[0].setText(f"A: {self._names[0]}" if first else f"B: {self._names[1]}")

    def _go_to_region(self, name: str) -> None:
        place = self._places.get(name)
        if place is not None:
            self.left.scene.set_cursor(place)

    def _failed(self, error: SensiViewError) -> None:
        self._say(error.sentence)
        self.problem.emit(error)

    def _say(self, sentence: str) -> None:
        self._notice.setText(sentence)
        self._notice.setVisible(bool(sentence))

    def _arrange(self) -> None:
        tools = QHBoxLayout()
        tools.setContentsMargins(8, 2, 8, 2)
        for button in (self.difference, self.flicker, self.same_range):
            tools.addWidget(button)
        tools.addStretch(1)
        panes = QSplitter(Qt.Orientation.Horizontal, self)
        panes.setObjectName("compare_panes")
        panes.setChildrenCollapsible(False)
        for title, viewer, readout in zip(self._titles, (self.left, self.right), self._readouts, strict=True):
            side = QWidget(panes)
            column = QVBoxLayout(side)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(0)
            title.setContentsMargins(10, 2, 10, 4)
            column.addWidget(title)
            column.addWidget(viewer, 1)
            column.addWidget(readout)
            panes.addWidget(side)
        # One tool bar is enough for two linked viewers.
        self.right.tool_bar.hide()
        self._tabs = QTabWidget(self)
        self._tabs.setObjectName("compare_tabs")
        self._tabs.setDocumentMode(True)
        self._tabs.tabBar().setDrawBase(False)
        self._tabs.addTab(self.bars, "Regions")
        self._tabs.hide()
        self._splitter = QSplitter(Qt.Orientation.Vertical, self)
        self._splitter.setObjectName("compare_splitter")
        self._splitter.addWidget(panes)
        self._splitter.addWidget(self._tabs)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(tools)
        column.addWidget(self.left.tool_bar)
        column.addWidget(self._notice)
        column.addWidget(self._splitter, 1)
