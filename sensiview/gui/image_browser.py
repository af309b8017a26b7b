"""The grid of a set's images with filters, and the chosen image large beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.image_answers import Answer
from sensiview.gui.image_filters import ImageFilters
from sensiview.gui.image_grid import ImageGrid
from sensiview.gui.image_loading import LoadedImages
from sensiview.gui.image_picture import PictureView

_HINT = "Point at a pixel to read it; wheel to zoom"


class ImageBrowser(QWidget):
    """Filters above a grid; the image under the cursor large on the right. Enter or a double click enlarges it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("image_browser")
        self._loaded: LoadedImages | None = None
        self._classes: Sequence[str] = ()
        self._splits: Sequence[str] = ()
        self._answers: Mapping[str, Answer] = {}
        self._place = -1
        self._forget: Callable[[], None] | None = None
        self.filters = ImageFilters()
        self.grid = ImageGrid("image_grid")
        self.picture = PictureView("image_picture")
        self.name, self.facts, self.readout = ElidedLabel(), QLabel(), QLabel(_HINT)
        self._lay_out()
        self.filters.changed.connect(self.apply)
        self.grid.image_chosen.connect(self.show_image)
        self.grid.image_opened.connect(lambda _: self._enlarge())
        self.picture.opened.connect(self._enlarge)
        self.picture.pointed.connect(lambda text: self.readout.setText(text or _HINT))
        leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(lambda: self._enlarge() if self.left.isHidden() else None)

    def take(self, loaded: LoadedImages) -> None:
        """Take another set of images, or another choice of their classes."""
        kept = self._loaded is not None and self._loaded.images.names == loaded.images.names
        place = self._place if kept else -1
        self._drop()
        self._loaded = loaded
        self.grid.images.take(loaded.images.names, loaded.thumbnail)
        self._classes = loaded.column(loaded.images.card.target)
        self._splits = loaded.column(loaded.images.card.extra.get("split"))
        self.filters.take(loaded.images, self._splits)
        self.filters.take_classes(self._classes)
        self._describe()
        self.apply()
        if place >= 0:
            self.grid.choose(place)
        else:
            self._choose_first()

    def clear(self) -> None:
        """Show nothing."""
        self._drop()
        self._loaded = None
        self.filters.take(None, ())
        self.grid.images.take((), None)
        self.picture.say("")
        self.name.setText("")
        self.facts.clear()

    def set_answers(self, answers: Mapping[str, Answer]) -> None:
        """Take what a model answers, by the image's name; nothing where there is none."""
        if answers is self._answers or not (answers or self._answers):
            return
        self._answers = answers
        self.filters.take_answers(answers)
        self._describe()
        self.apply()
        if self._place >= 0:
            self._show_facts(self._place)

    def show_wrong(self) -> None:
        """Show the wrong answers, the surest mistakes first."""
        self.filters.choose_wrong()
        self._choose_first()

    def show_pair(self, truth: str, predicted: str, split: str = "") -> None:
        """Show the images of a class (and a split) that the network takes for another."""
        self.filters.choose_pair(truth, predicted, split)
        self._choose_first()

    def places(self) -> list[int]:
        """Return the images that are shown, in order."""
        return [self.grid.images.place(row) for row in range(self.grid.images.rowCount())]

    def apply(self) -> None:
        """Show the images that pass the filters; the one that is shown large stays."""
        self.grid.images.show_places(self.filters.places())
        if self._place >= 0:
            self.grid.choose(self._place)

    def show_image(self, place: int) -> None:
        """Show an image large."""
        loaded = self._loaded
        if loaded is None or place == self._place:
            return
        self._place = place
        self.name.setText(loaded.images.names[place])
        self._show_facts(place)
        if self._forget is not None:
            self._forget()

        def read() -> object:
            from sensiview.datasets.image_thumbnails import as_bytes

            pixels = loaded.images.image(place)
            return pixels, as_bytes(pixels, loaded.images.valid_range)

        self._forget = run_in_background(read, lambda pair: self.picture.show_pixels(*pair), self._fail, owner=self)

    # Inside.

    def _lay_out(self) -> None:
        self.left = QWidget()
        column = QVBoxLayout(self.left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.grid, 1)
        right = QWidget()
        side = QVBoxLayout(right)
        side.setContentsMargins(8, 0, 8, 0)
        side.setSpacing(4)
        self.name.setProperty("role", "subheading")
        self.name.setObjectName("image_name")
        for label, name in ((self.facts, "image_facts"), (self.readout, "image_readout")):
            label.setObjectName(name)
            label.setProperty("role", "muted")
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        for widget, stretch in ((self.name, 0), (self.facts, 0), (self.picture, 1), (self.readout, 0)):
            side.addWidget(widget, stretch)
        self.split = QSplitter()
        self.split.setObjectName("image_splitter")
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.left)
        self.split.addWidget(right)
        self.split.setSizes([600, 400])
        self.split.setStretchFactor(0, 3)
        self.split.setStretchFactor(1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        # Above both: beside the image it would make the page too wide for a small screen.
        layout.addWidget(self.filters)
        layout.addWidget(self.split, 1)

    def _choose_first(self) -> None:
        if self.grid.images.rowCount():
            self.grid.choose(self.grid.images.place(0))

    def _describe(self) -> None:
        loaded = self._loaded
        if loaded is None:
            return
        if not self._answers:
            self.grid.images.describe(self._classes)
            return
        subtitles, marks = [], []
        for name, known in zip(loaded.images.names, self._classes, strict=True):
            answer = self._answers.get(name)
            correct = answer.correct if answer is not None else None
            arrow = "→ " if correct is False else ""
            subtitles.append(f"{known}\n{arrow}{answer.text if answer is not None else ''}")
            marks.append({True: "good", False: "error", None: ""}[correct])
        self.grid.images.describe(subtitles, marks)

    def _show_facts(self, place: int) -> None:
        loaded = self._loaded
        if loaded is None:
            return
        entry = loaded.images.entries[place]
        answer = self._answers.get(entry.name)
        parts = [
            f"{entry.size[0]} × {entry.size[1]} pixels, {'colour' if entry.channels == 3 else 'grey'}",
            f"class {self._classes[place]}" if self._classes[place] else "",
            self._splits[place],
            f"group {entry.group}" if entry.group != entry.name else "",
        ]
        if answer is not None:
            verdict = {True: "right", False: "wrong", None: "not comparable"}[answer.correct]
            parts.append(f"answer {answer.predicted}, probability {answer.probability:.3f}: {verdict}")
        self.facts.setText("  ·  ".join(part for part in parts if part))

    def _fail(self, error: SensiViewError) -> None:
        self.picture.say(error.sentence)

    def _enlarge(self) -> None:
        """Give the image the whole page, or the grid its place back."""
        self.left.setVisible(self.left.isHidden())
        (self.picture if self.left.isHidden() else self.grid).setFocus()

    def _drop(self) -> None:
        if self._forget is not None:
            self._forget()
            self._forget = None
        self._place, self._answers = -1, {}
        self.left.show()
