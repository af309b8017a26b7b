"""The table of atlas regions: what a result, or a map on the screen, says of each; a row leads to its region."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.layout import named
from sensiview.gui.flow_layout import FlowLayout
from sensiview.gui.frame_model import FrameModel
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.viewer.panels import landmarks
from sensiview.gui.viewer.panels.buttons import arrow_button, inset, tool_button
from sensiview.gui.viewer.panels.readout import region_at
from sensiview.gui.viewer.panels.region_values import explained, measure, sources
from sensiview.gui.viewer.panels.saving import ask_file, safe_name, write_frame
from sensiview.gui.viewer.scene import Layer, Millimetres, Scene

if TYPE_CHECKING:
    import pandas as pd

_HIDDEN = ("label", "peak_x", "peak_y", "peak_z")  # in the frame and in what is exported; nobody reads them here
_UNITS = {"volume_mm3": "mm³"}
_RESULT = "\x00result"


class RegionsPanel(QWidget):
    """Sortable table of regions with a filter; linked with the cursor in both directions.

    Signals
    -------
    problem(object)
        A `SensiViewError`: a table could not be computed or written.
    """

    problem = Signal(object)

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("regions_panel")
        self._scene = scene
        self._given: pd.DataFrame | None = None
        self._given_title = ""
        self._frame: pd.DataFrame | None = None
        self._computed: dict[tuple[str, int, str, int, float], pd.DataFrame] = {}
        self._places: dict[tuple[str, int], dict[int, Millimetres]] = {}
        self._forget: Callable[[], None] | None = None
        self._following = False
        self.source = QComboBox(self)
        named(self.source, "regions_source", "What the table is about")
        self.source.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.source.activated.connect(lambda: self._show_source())
        self.table = FrameTable("regions_table", self)
        self.table.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.view.setAccessibleName("Regions")
        self.table.view.clicked.connect(lambda index: self._go(index))
        self.table.view.activated.connect(lambda index: self._go(index))
        self._note = QLabel(self)
        self._note.setObjectName("regions_note")
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        self._note.setContentsMargins(8, 0, 8, 0)
        left, right = Qt.ArrowType.LeftArrow, Qt.ArrowType.RightArrow
        self.previous = arrow_button(self, "previous_region", left, "Region above", lambda: self.step(-1))
        self.next = arrow_button(self, "next_region", right, "Region below", lambda: self.step(1))
        self.outline = tool_button(
            self, "outline_regions", "Outline", "Draw only the chosen regions, as outlines", self.outline_chosen
        )
        self.all = tool_button(self, "all_regions", "All", "Draw all regions of the atlas again", self.show_all)
        self.export = tool_button(self, "export_regions", "Export …", "Write the table as CSV", self._ask_export)
        self._arrange()
        scene.layers_changed.connect(self._offer)
        scene.cursor_changed.connect(self._follow_cursor)
        self._offer()

    def show_result(self, frame: pd.DataFrame | None, title: str = "Result") -> None:
        """Show the table of a run beside those that can be computed here; None takes it away."""
        self._given, self._given_title = frame, title
        self._offer()
        if frame is not None:
            self.source.setCurrentIndex(self.source.findData(_RESULT))
        self._show_source()

    def step(self, direction: int) -> None:
        """Go to the next or previous row as the table is sorted; after the last comes the first."""
        view, model = self.table.view, self.table.view.model()
        if model is None or model.rowCount() == 0:
            return
        row = view.currentIndex().row() if view.currentIndex().isValid() else (-1 if direction > 0 else 0)
        index = model.index((row + direction) % model.rowCount(), 0)
        view.setCurrentIndex(index)

    def outline_chosen(self) -> None:
        """Draw only the regions of the chosen rows, as outlines; a second time takes them away again."""
        atlas = self._atlas()
        labels = tuple(sorted({label for row in self._chosen_rows() if (label := self._label(row))}))
        if atlas is None or not labels:
            return
        if atlas.look.only == labels and atlas.look.visible:
            self.show_all()
        else:
            self._scene.set_look(atlas.key, only=labels, outline=True, visible=True)

    def show_all(self) -> None:
        """Draw all regions."""
        atlas = self._atlas()
        if atlas is not None:
            self._scene.set_look(atlas.key, only=(), outline=False)

    def frame(self) -> pd.DataFrame | None:
        """Return the table that is shown, in its own order."""
        return self._frame

    def _offer(self) -> None:
        kept = self.source.currentData()
        self.source.blockSignals(True)
        self.source.clear()
        if self._given is not None:
            self.source.addItem(self._given_title, _RESULT)
        for text, mark in sources(self._scene.layers):
            self.source.addItem(text, mark)
        self.source.setCurrentIndex(max(0, self.source.findData(kept)))
        self.source.blockSignals(False)
        self._computed = {mark: frame for mark, frame in self._computed.items() if self._alive(mark)}
        self._show_source()

    def _alive(self, mark: tuple[str, int, str, int, float]) -> bool:
        arrays = {(layer.key, id(layer.array)) for layer in self._scene.layers}
        return (mark[0], mark[1]) in arrays and (mark[2], mark[3]) in arrays

    def _show_source(self) -> None:
        chosen = self.source.currentData()
        if self._forget is not None:
            self._forget()
        if chosen is None:
            self._show(None, "Load an atlas to see values by region.")
            return
        if chosen == _RESULT:
            self._show(self._given, "")
            return
        # Never the numbers of one map under the name of another, not even while counting.
        self._show(None, "")
        if not self.isVisible():
            return  # counted when somebody looks
        key, atlas_key = str(chosen).split("\t")
        layer, atlas, grid = self._scene.layer(key), self._scene.layer(atlas_key), self._scene.grid
        mark = (key, id(layer.array), atlas_key, id(atlas.array), layer.look.threshold)
        if mark in self._computed:
            self._show(self._computed[mark], "")
            self.source.setToolTip(explained(layer))
            return

        def done(frame: pd.DataFrame) -> None:
            self._computed[mark] = frame
            self._show(frame, "")
            self.source.setToolTip(explained(layer))

        self._note.setText("Counting voxels by region …")
        self._note.show()
        self._forget = run_in_background(lambda: measure(layer, atlas, grid), done, self._failed, owner=self)

    def showEvent(self, event: Any) -> None:
        """Compute what was put off while nobody looked."""
        super().showEvent(event)
        if self._frame is None:
            self._show_source()

    def _failed(self, error: SensiViewError) -> None:
        self._show(None, error.sentence)

    def _show(self, frame: pd.DataFrame | None, note: str) -> None:
        self._frame = frame
        self._note.setText(note)
        self._note.setVisible(bool(note))
        for widget in (self.previous, self.next, self.outline, self.all, self.export):
            widget.setEnabled(frame is not None)
        self.table.view.setEnabled(frame is not None)
        if frame is None:
            self.table.clear()
            return
        self.table.show_frame(frame, units=_UNITS, align=True)
        view = self.table.view
        for column, name in enumerate(frame.columns):
            view.setColumnHidden(column, str(name) in _HIDDEN)
        view.selectionModel().currentRowChanged.connect(self._row_changed)
        view.model().modelReset.connect(self._follow_cursor)  # sorted or filtered
        self._follow_cursor()

    def _row_changed(self, index: QModelIndex, _: QModelIndex) -> None:
        if not self._following and index.isValid():
            self._go(index)

    def _go(self, index: QModelIndex) -> None:
        row = self.table.current_source_row()
        if row is None or self._frame is None:
            return
        record = self._frame.iloc[row]
        if {"peak_x", "peak_y", "peak_z"} <= set(record.index):
            mm = (float(record["peak_x"]), float(record["peak_y"]), float(record["peak_z"]))
            if np.isfinite(mm).all() and self._scene.grid.holds(self._scene.grid.voxel(mm)):
                self._move(mm)
                return
        place = self._centres().get(self._label(row))
        if place is not None:
            self._move(place)

    def _move(self, mm: Millimetres) -> None:
        # The row that was clicked stays chosen, even where another atlas region is drawn over the place.
        self._following = True
        try:
            self._scene.set_cursor(mm)
        finally:
            self._following = False

    def _follow_cursor(self) -> None:
        if self._following or self._frame is None:
            return
        atlas = self._atlas()
        if atlas is None:
            return
        label, name = region_at(atlas, self._scene)
        model, view = self.table.view.model(), self.table.view
        if not isinstance(model, FrameModel) or not label:
            return
        for row in range(model.rowCount()):
            source = model.source_row(row)
            if self._label(source) == label or str(self._frame.iloc[source].get("region", "")) == name:
                self._following = True
                view.setCurrentIndex(model.index(row, 0))
                self._following = False
                return

    def _chosen_rows(self) -> list[int]:
        model = self.table.view.model()
        if not isinstance(model, FrameModel):
            return []
        return [model.source_row(index.row()) for index in self.table.view.selectionModel().selectedRows()]

    def _label(self, row: int) -> int:
        """Return the atlas label of a row of the frame; 0 when the atlas has no such region."""
        assert self._frame is not None
        if "label" in self._frame.columns:
            return int(self._frame["label"].iloc[row])
        atlas = self._atlas()
        wanted = str(self._frame["region"].iloc[row]) if "region" in self._frame.columns else ""
        return next((label for label, name in atlas.names.items() if name == wanted), 0) if atlas is not None else 0

    def _atlas(self) -> Layer | None:
        chosen = str(self.source.currentData() or "")
        atlases = [layer for layer in self._scene.layers if layer.role == "atlas"]
        key = chosen.partition("\t")[2]
        return next((a for a in atlases if a.key == key), atlases[0] if atlases else None)

    def _centres(self) -> dict[int, Millimetres]:
        atlas = self._atlas()
        if atlas is None:
            return {}
        mark = (atlas.key, id(atlas.array))
        if mark not in self._places:
            self._places = {mark: {n: p.mm for n, p in landmarks.regions(atlas, self._scene.grid)}}
        return self._places[mark]

    def _ask_export(self) -> None:
        frame, name = self._frame, f"{safe_name(f'{self._scene.title} regions')}.csv"
        if frame is not None:
            tell = self.problem.emit
            ask_file(self, "Export regions", name, ["Table (*.csv)"], lambda path: write_frame(frame, path, tell))

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(8, 6, 8, 0)
        top.addWidget(self.source)
        tools = FlowLayout(across=2, down=2)
        for button in (self.previous, self.next, self.outline, self.all, self.export):
            tools.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addWidget(self._note)
        column.addLayout(inset(tools))
