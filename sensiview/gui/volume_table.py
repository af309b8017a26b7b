"""The table of a cohort's volumes: pictures and numbers come from the background, rows can be sorted meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sensiview.analysis.items import Remark
from sensiview.datasets.cohort_table import NUMBERS, PROBLEMS, add_numbers, cohort_table, numbers_of
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.class_strip import ClassStrip
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.number_text import grouped
from sensiview.gui.viewer.panels.case_list import CaseModel

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.cohort_table import Numbers
    from sensiview.gui.volume_loading import Cohort

# So long a piece of work is, in seconds: other work in the background waits no longer.
_PIECE = 0.4
_PICTURE = 34  # height in the table, in pixels of the screen


class VolumeTable(QWidget):
    """Class balance, and one row per volume; a row that is opened asks for the viewer.

    Signals
    -------
    opened(int)
        The volume of this place was double-clicked, or Enter was pressed on its row.
    """

    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cohort: Cohort | None = None
        self._frame: pd.DataFrame | None = None
        self._forget: Callable[[], None] | None = None
        self._numbers: dict[int, Numbers] = {}  # by place, in order
        self._sizes: list[int] = []
        self._scaled: dict[int, QPixmap] = {}
        self._black = QPixmap(3 * _PICTURE, _PICTURE)  # three slices
        self._black.fill(Qt.GlobalColor.black)
        self._pictures = CaseModel(self)
        self._pictures.dataChanged.connect(self._picture_came)
        self.strip = ClassStrip()
        self.progress = QLabel()
        self.progress.setObjectName("volume_progress")
        self.progress.setProperty("role", "muted")
        self.table = FrameTable("volume_table")
        self.table.view.setToolTip("Double click or Enter opens a volume in the viewer")
        self.table.view.verticalHeader().setDefaultSectionSize(_PICTURE + 8)
        self.table.view.doubleClicked.connect(self._open)
        self.table.view.activated.connect(self._open)
        top = QHBoxLayout()
        top.setContentsMargins(0, 10, 8, 0)
        top.setSpacing(12)
        top.addWidget(self.strip, 1)
        top.addWidget(self.progress)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(top)
        column.addWidget(self.table, 1)

    def show_cohort(self, source: DatasetSource, cohort: Cohort) -> None:
        """Show volumes; numbers that are not known yet come when the table is looked at."""
        self.clear()
        self._cohort = cohort
        known = source.card.reading["volumes"]
        self._sizes = [sum(source.files[index].size for index in one["files"]) for one in known]
        self._pictures.set_cases(cohort.volumes.names, (), (), cohort.thumbnail)
        self.show_target(source, cohort.classes)
        self._go_on()

    def show_target(self, source: DatasetSource, classes: Sequence[str]) -> None:
        """Show the column of the target beside the subjects, and how many volumes each class has."""
        if self._cohort is None:
            return
        target = source.card.target
        self._frame = cohort_table(self._cohort.volumes, target=target, sizes=self._sizes)
        add_numbers(self._frame, self._numbers)
        self.table.show_frame(self._frame, units={"size": "MB"}, remarks=self._remarks(), decorate=self._picture)
        otherwise = "No target yet: choose the column of the diagnosis above to see the balance of classes."
        missing = sum(1 for name in classes if not name)
        self.strip.show_counts(source.card.class_counts if target else {}, missing, otherwise=otherwise)

    def clear(self) -> None:
        """Show nothing, and let go of what is on its way."""
        if self._forget is not None:
            self._forget()
        self._forget = self._cohort = self._frame = None
        self._numbers, self._scaled = {}, {}
        self._pictures.set_cases((), (), (), None)
        self.table.clear()
        self.progress.clear()

    def choose(self, place: int) -> None:
        """Select the row of a volume."""
        self.table.choose_source_row(place)

    def showEvent(self, event: Any) -> None:
        """Go on with the numbers."""
        super().showEvent(event)
        self._go_on()

    # Inside.

    def _go_on(self) -> None:
        """Ask for the numbers of the next volumes, while somebody looks."""
        cohort = self._cohort
        if cohort is None or self._forget is not None or not self.isVisible():
            return
        first, count = len(self._numbers), len(cohort.volumes)
        if first >= count:
            if self.progress.text():
                self.progress.clear()
                self.table.arrange_again()
                for name in (PROBLEMS, *NUMBERS):
                    self.table.fit_column(name)
            return
        self.progress.setText(f"Looking at volumes: {grouped(first)} of {grouped(count)}")
        self._forget = run_in_background(lambda: _piece(cohort, first), self._take, self._fail, owner=self)

    def _take(self, found: dict[int, Numbers]) -> None:
        assert self._frame is not None
        self._forget = None
        self._numbers |= found
        add_numbers(self._frame, found)
        self.table.refresh_values(self._remarks())
        self._go_on()

    def _fail(self, error: SensiViewError) -> None:
        self._forget = None
        self.progress.setText(error.sentence)

    def _remarks(self) -> list[Remark]:
        """Mark the cells that tell a problem."""
        assert self._frame is not None
        texts = self._frame[PROBLEMS]
        return [Remark(row, PROBLEMS, "problem", "") for row, text in enumerate(texts) if text]

    def _picture(self, row: int) -> QPixmap:
        """Return the thumbnail of a volume as high as a row; black until it has come."""
        if row not in self._scaled:
            found = self._pictures.index(row).data(Qt.ItemDataRole.DecorationRole)
            if found is None:
                return self._black
            ratio = self.devicePixelRatioF()
            made = found.scaledToHeight(round(_PICTURE * ratio), Qt.TransformationMode.SmoothTransformation)
            made.setDevicePixelRatio(ratio)
            self._scaled[row] = made
        return self._scaled[row]

    def _picture_came(self, index: QModelIndex) -> None:
        self.table.refresh_source_row(index.row())

    def _open(self, _: QModelIndex) -> None:
        row = self.table.current_source_row()
        if row is not None:
            self.opened.emit(row)


def _piece(cohort: Cohort, first: int) -> dict[int, Numbers]:
    """Return numbers of some volumes from the first on, as many as take a moment; for a background thread."""
    found: dict[int, Numbers] = {}
    end = time.monotonic() + _PIECE
    for place in range(first, len(cohort.volumes)):
        found[place] = numbers_of(cohort.volumes.entries[place], cohort.hashes[place])
        if time.monotonic() > end:
            break
    return found
