"""The table of lengths, angles and regions that were drawn in the panes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sensiview.gui.flow_layout import FlowLayout
from sensiview.gui.number_text import full, short, with_unit_behind
from sensiview.gui.viewer.measurements import angle_degrees, length_mm, region_statistics
from sensiview.gui.viewer.panels.buttons import inset, tool_button
from sensiview.gui.viewer.panels.position import millimetre_text
from sensiview.gui.viewer.panels.saving import ask_file, safe_name, write_frame
from sensiview.gui.viewer.scene import Measurement, Millimetres, Scene

if TYPE_CHECKING:
    import pandas as pd

_KINDS = {"length": "Length", "angle": "Angle", "ellipse": "Ellipse", "rectangle": "Rectangle"}
_HEADERS = ("Kind", "Result", "Where", "Comment")
_COMMENT = 3


class _Table(QTableWidget):
    """Delete removes the chosen rows."""

    removal_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Remove by a key."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.removal_wanted.emit()
        else:
            super().keyPressEvent(event)


class MeasurementsPanel(QWidget):
    """What was measured; a row leads to its place, its comment can be typed.

    Signals
    -------
    problem(object)
        A `SensiViewError`: the table could not be written.
    """

    problem = Signal(object)

    def __init__(self, scene: Scene, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("measurements_panel")
        self._scene = scene
        self._filling = False
        self.table = _Table(0, len(_HEADERS), self)
        self.table.setObjectName("measurements_table")
        self.table.setAccessibleName("Measurements")
        self.table.setHorizontalHeaderLabels(list(_HEADERS))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setAlternatingRowColors(True)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().setVisible(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.table.itemChanged.connect(self._commented)
        self.table.currentCellChanged.connect(lambda row, *_: self._go(row))
        self.table.clicked.connect(lambda index: self._go(QModelIndex(index).row()))
        self.table.removal_wanted.connect(self.remove_chosen)
        hint = "Nothing is measured yet. Choose Length, Angle or Region in the tool bar, then draw in a pane."
        self._empty = QLabel(hint, self)
        self._empty.setWordWrap(True)
        self._empty.setMargin(16)
        self._empty.setObjectName("measurements_empty")
        self._empty.setProperty("role", "muted")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._copy = tool_button(self, "copy_measurements", "Copy", "Copy the table", self.copy)
        self._export = tool_button(self, "export_measurements", "Export …", "Write the table as CSV", self._ask_export)
        self._remove = tool_button(
            self, "remove_measurements", "Remove", "Remove the chosen rows (Del)", self.remove_chosen
        )
        self._clear = tool_button(self, "clear_measurements", "Clear", "Remove all", self._remove_all)
        self._arrange()
        scene.measurements_changed.connect(self._fill)
        scene.active_changed.connect(self._fill)
        scene.layers_changed.connect(self._fill)
        self._fill()

    def frame(self) -> pd.DataFrame:
        """Return the table with every digit: kind, mm or degrees, statistics of the active layer, points, comment."""
        import pandas as pd

        scene, rows = self._scene, []
        layer = scene.active
        for m in scene.measurements:
            row: dict[str, Any] = {"kind": m.kind}
            row["length_mm"] = length_mm(m.points) if m.kind == "length" else math.nan
            row["angle_degrees"] = angle_degrees(m.points) if m.kind == "angle" else math.nan
            found = region_statistics(m, layer, scene.grid) if m.kind in _AREAS and layer is not None else None
            for name in ("mean", "deviation", "least", "most", "count", "area", "volume"):
                unit = {"area": "_mm2", "volume": "_mm3"}.get(name, "")
                row[name + unit] = float(getattr(found, name)) if found is not None else math.nan
            row["layer"] = layer.name if found is not None and layer is not None else ""
            row["points_ras_mm"] = "; ".join(" ".join(f"{v:.3f}" for v in point) for point in m.points)
            row["comment"] = m.text
            rows.append(row)
        return pd.DataFrame(rows)

    def copy(self) -> None:
        """Copy the table, tab-separated."""
        from PySide6.QtGui import QGuiApplication

        frame = self.frame()
        lines = ["\t".join(str(c) for c in frame.columns)]
        lines += ["\t".join(full(value) for value in row) for row in frame.itertuples(index=False)]
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")

    def remove_chosen(self) -> None:
        """Remove the chosen rows."""
        rows = {index.row() for index in self.table.selectionModel().selectedRows()}
        kept = tuple(m for n, m in enumerate(self._scene.measurements) if n not in rows)
        if len(kept) != len(self._scene.measurements):
            self._scene.set_measurements(kept)

    def _remove_all(self) -> None:
        self._scene.set_measurements(())

    def _fill(self) -> None:
        self._filling = True
        self.table.setRowCount(len(self._scene.measurements))
        for row, measurement in enumerate(self._scene.measurements):
            texts = (
                _KINDS[measurement.kind], self._result(measurement), millimetre_text(middle(measurement)),
                measurement.text,
            )  # fmt: skip
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                if column != _COMMENT:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                self.table.setItem(row, column, item)
        self._filling = False
        some = bool(self._scene.measurements)
        self._pages.setCurrentIndex(0 if some else 1)
        for button in (self._copy, self._export, self._remove, self._clear):
            button.setEnabled(some)

    def _result(self, measurement: Measurement) -> str:
        if measurement.kind == "length":
            return f"{length_mm(measurement.points):.1f} mm"
        if measurement.kind == "angle":
            return f"{angle_degrees(measurement.points):.1f}°"
        layer = self._scene.active
        if layer is None:
            return ""
        found = region_statistics(measurement, layer, self._scene.grid)
        if not found.count or not np.isfinite(found.mean):
            return "no voxel"
        mean = with_unit_behind(f"{short(found.mean)} ± {short(found.deviation, 3)}", layer.unit)
        return f"{mean}, {short(found.volume)} mm³"

    def _go(self, row: int) -> None:
        if not self._filling and 0 <= row < len(self._scene.measurements):
            self._scene.set_cursor(middle(self._scene.measurements[row]))

    def _commented(self, item: QTableWidgetItem) -> None:
        if self._filling or item.column() != _COMMENT:
            return
        from dataclasses import replace

        row = item.row()
        changed = [
            replace(m, text=item.text().strip()) if n == row else m for n, m in enumerate(self._scene.measurements)
        ]
        self._scene.set_measurements(tuple(changed))

    def _ask_export(self) -> None:
        frame = self.frame()
        stem = safe_name(f"{self._scene.title} measurements")
        ask_file(
            self, "Export measurements", f"{stem}.csv", ["Table (*.csv)"],
            lambda path: write_frame(frame, path, self.problem.emit),
        )  # fmt: skip

    def _arrange(self) -> None:
        below = FlowLayout(across=2, down=2)
        for button in (self._remove, self._clear, self._copy, self._export):
            below.addWidget(button)
        self._pages = QStackedLayout()
        self._pages.addWidget(self.table)
        self._pages.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._pages, 1)
        column.addLayout(inset(below))


_AREAS = ("ellipse", "rectangle")


def middle(measurement: Measurement) -> Millimetres:
    """Return where to look to see a measurement: its vertex, or the middle of its points."""
    if measurement.kind == "angle":
        return measurement.points[1]
    first, second, third = np.mean(np.asarray(measurement.points[:2]), axis=0)
    return float(first), float(second), float(third)
