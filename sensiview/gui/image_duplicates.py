"""Images that occur twice: looked for in the background, leaks across a split first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSplitter, QVBoxLayout, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.layout import set_role
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.image_grid import ImageGrid
from sensiview.gui.image_loading import LoadedImages

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.image_duplicates import Duplicates

# Up to here they are looked for as soon as the tab is seen.
_AT_ONCE = 5000
_ROW_WORDS = {"equal": "every pixel equal", "alike": "nearly the same"}


class ImageDuplicates(QWidget):
    """A sentence, a row per set of equal or alike images, and their thumbnails.

    Signals
    -------
    image_opened(int)
        The place of an image that was double-clicked.
    """

    image_opened = Signal(int)
    _progressed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("image_duplicates")
        self._loaded: LoadedImages | None = None
        self._found: Sequence[Duplicates] | None = None
        self._forget: Callable[[], None] | None = None
        self._stopped: list[bool] = []
        self.sentence = QLabel()
        self.sentence.setObjectName("duplicates_sentence")
        self.sentence.setWordWrap(True)
        self.look = QPushButton("Look for duplicates")
        self.look.setObjectName("look_for_duplicates_button")
        self.look.setAccessibleName("Look for duplicates")
        self.look.clicked.connect(self.start)
        self.bar = QProgressBar(minimum=0, maximum=1000)
        self.bar.setObjectName("duplicates_progress")
        self.bar.setAccessibleName("How much has been looked at")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.bar.hide()
        self._progressed.connect(self._show_progress)
        self.table = FrameTable("duplicate_table", row_numbers=True)
        self.grid = ImageGrid("duplicate_grid")
        self.grid.image_opened.connect(self.image_opened)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(self.table)
        split.addWidget(self.grid)
        split.setSizes([320, 260])
        head = QHBoxLayout()
        head.setContentsMargins(8, 8, 8, 0)
        head.addWidget(self.sentence, 1)
        head.addWidget(self.look, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(split, 1)

    def take(self, loaded: LoadedImages) -> None:
        """Take another set of images; they are compared when the tab is seen, many of them when asked."""
        self.clear()
        self._loaded = loaded
        self.grid.images.take(loaded.images.names, loaded.thumbnail)
        self.sentence.setText(
            "Equal images on both sides of a split, or in two classes, make accuracy worthless. All are read once."
        )
        if self.isVisible():
            self.start_if_few()

    def clear(self) -> None:
        """Forget what was found, or is being looked for."""
        if self._forget is not None:
            self._forget()
            self._forget = None
        for index in range(len(self._stopped)):
            self._stopped[index] = True
        self._loaded = self._found = None
        self.table.clear()
        self.grid.images.take((), None)
        self.sentence.clear()
        set_role(self.sentence, "")
        self.bar.hide()
        self.look.setEnabled(True)

    def start_if_few(self) -> None:
        """Look for duplicates, unless that takes minutes."""
        idle = self._loaded is not None and self._found is None and self._forget is None
        if idle and self._loaded is not None and len(self._loaded.images) <= _AT_ONCE:
            self.start()

    def start(self) -> None:
        """Look for duplicates in the background."""
        loaded = self._loaded
        if loaded is None or self._forget is not None:
            return
        self.look.setEnabled(False)
        self.bar.setValue(0)
        self.bar.show()
        self.sentence.setText("Comparing the images …")
        place = len(self._stopped)
        self._stopped.append(False)

        def tell(share: float) -> None:
            if self._stopped[place]:
                raise SensiViewError("This was given up.")
            self._progressed.emit(share)

        def work() -> list[Duplicates]:
            from sensiview.datasets.image_duplicates import find_duplicates

            return find_duplicates(loaded.images, tell)

        self._forget = run_in_background(work, self._take, self._fail, owner=self)

    def _take(self, found: list[Duplicates]) -> None:
        self._forget, self._found = None, found
        self.bar.hide()
        self.look.setEnabled(True)
        assert self._loaded is not None
        self.sentence.setText(in_words(found))
        set_role(self.sentence, "error" if any(one.is_leak or one.contradicts for one in found) else "")
        self.table.show_frame(_frame(found, self._loaded))
        self.table.view.selectionModel().currentChanged.connect(lambda *_: QTimer.singleShot(0, self, self._show_set))
        if found:
            self.table.choose_source_row(0)

    def _show_set(self) -> None:
        row = self.table.current_source_row()
        if row is None or self._found is None or self._loaded is None:
            return
        self.grid.images.show_places(self._found[row].places)
        loaded = self._loaded
        classes = loaded.column(loaded.images.card.target)
        splits = loaded.column(loaded.images.card.extra.get("split"))
        self.grid.images.describe(
            [", ".join(text for text in pair if text) for pair in zip(classes, splits, strict=True)]
        )

    def _fail(self, error: SensiViewError) -> None:
        self._forget = None
        self.bar.hide()
        self.look.setEnabled(True)
        self.sentence.setText(error.sentence)

    def _show_progress(self, share: float) -> None:
        self.bar.setValue(round(1000 * share))


def in_words(found: Sequence[Duplicates]) -> str:
    """Return what duplicates mean for this set, in a sentence or two."""
    if not found:
        return "No image occurs twice, and no two are nearly the same."
    equal, alike = (sum(one.kind == kind for one in found) for kind in ("equal", "alike"))
    parts = [f"{equal:,} sets of equal images" if equal != 1 else "1 set of equal images"] if equal else []
    if alike:
        parts.append(f"{alike:,} sets of nearly the same" if alike != 1 else "1 set of nearly the same")
    said = [" and ".join(parts) + "."]
    leaks, wrong = sum(one.is_leak for one in found), sum(one.contradicts for one in found)
    if leaks:
        said.append(
            f"{leaks:,} of them lie on several sides of the split: the test asks about images that were trained on."
        )
    if wrong:
        said.append(f"{wrong:,} of them have different classes: a label is wrong, or the picture does not decide.")
    within = sum(len(one.groups) == 1 for one in found)
    if within and not leaks:
        said.append(f"{within:,} lie within one group (a patient, a video), where that is to be expected.")
    return " ".join(said)


def _frame(found: Sequence[Duplicates], loaded: LoadedImages) -> pd.DataFrame:
    import pandas as pd

    names = loaded.images.names
    rows = [
        {
            "images": len(one.places),
            "kind": _ROW_WORDS[one.kind],
            "problem": "; ".join(
                text for text, yes in (("across the split", one.is_leak), ("different classes", one.contradicts)) if yes
            ),
            "classes": ", ".join(one.classes),
            "splits": ", ".join(one.splits),
            "groups": len(one.groups),
            "first": names[one.places[0]],
            "second": names[one.places[1]],
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=["images", "kind", "problem", "classes", "splits", "groups", "first", "second"])
