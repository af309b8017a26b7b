"""Which images of a set are shown, and in which order: by name, class, split, and what a model answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from sensiview.datasets.images import ImageSet
from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.image_answers import Answer
from sensiview.gui.number_text import grouped

_NO_CLASS = "without a class"
_ORDERS = (
    ("data order", ""),
    ("by name", "name"),
    ("mistakes first", "mistakes"),
    ("unsure first", "unsure"),
)


class ImageFilters(QWidget):
    """A row of a search field and choices; one that has nothing to choose from is hidden.

    Signals
    -------
    changed()
        Other images are to be shown.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: ImageSet | None = None
        self._classes: Sequence[str] = ()
        self._splits: Sequence[str] = ()
        self._answers: Mapping[str, Answer] = {}
        self._pair: tuple[str, str] | None = None  # class and answer of a cell of the confusion matrix
        self.search = QLineEdit(placeholderText="Filter by name or group", clearButtonEnabled=True)
        self.search.setObjectName("image_filter")
        self.search.setAccessibleName("Filter images by name or group")
        self.search.setMinimumWidth(90)
        self.classes = _combo("image_class_filter", "Class")
        self.splits = _combo("image_split_filter", "Split")
        self.answers = _combo("image_answer_filter", "Answer")
        self.order = _combo("image_order", "Order")
        self.count = ElidedLabel()
        self.count.setObjectName("image_count")
        self.count.setProperty("role", "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 0)
        row.setSpacing(8)
        row.addWidget(self.search, 1)
        for combo in (self.classes, self.splits, self.answers, self.order):
            row.addWidget(combo)
            combo.activated.connect(self._chosen_by_hand)
        row.addWidget(self.count, 1)
        for combo in (self.classes, self.splits, self.answers):
            combo.hide()
        self._offer_orders()
        self._wait = QTimer(self, singleShot=True, interval=150)
        self._wait.timeout.connect(self.changed)
        self.search.textChanged.connect(lambda _: self._wait.start())

    def take(self, images: ImageSet | None, splits: Sequence[str]) -> None:
        """Take another set of images."""
        self._images, self._splits, self._pair, self._answers = images, splits, None, {}
        _offer(self.splits, "all splits", [(name, name) for name in dict.fromkeys(splits) if name])
        _offer(self.answers, "all answers", [])
        self._offer_orders()

    def take_classes(self, classes: Sequence[str]) -> None:
        """Take the class of every image."""
        self._classes = classes
        known = list(self._images.card.class_counts) if self._images is not None else []
        there = set(classes)
        names = [name for name in known if name in there] or sorted(there - {""})
        if names and "" in there:
            names.append(_NO_CLASS)
        _offer(self.classes, "all classes", [(name, name) for name in names])

    def take_answers(self, answers: Mapping[str, Answer]) -> None:
        """Take what a model answers, by the image's name."""
        had, self._answers = bool(self._answers), answers
        if had != bool(answers):
            self._pair = None
            choices = [("right", "right"), ("wrong", "wrong")] if answers else []
            _offer(self.answers, "all answers", choices)
            self._offer_orders()

    def choose_wrong(self) -> None:
        """Show the wrong answers, the surest mistakes first."""
        self._reset()
        self.answers.setCurrentIndex(max(0, self.answers.findData("wrong")))
        self.order.setCurrentIndex(max(0, self.order.findData("mistakes")))
        self.changed.emit()

    def choose_pair(self, truth: str, predicted: str, split: str = "") -> None:
        """Show the images of a class (and a split) that the network takes for another."""
        self._reset()
        self._pair = (truth, predicted)
        self.splits.setCurrentIndex(max(0, self.splits.findData(split or None)))
        self.classes.setCurrentIndex(max(0, self.classes.findData(truth)))
        self.changed.emit()

    def places(self) -> list[int]:
        """Return the images that pass, in the order that was chosen, and say how many they are."""
        images = self._images
        if images is None:
            self.count.setText("")
            return []
        found = self._passing(images)
        total = len(images)
        shown = f"{grouped(len(found))} of {grouped(total)}" if len(found) != total else grouped(total)
        taken = f", taken for {self._pair[1]}" if self._pair is not None else ""
        self.count.setText(f"{shown} images{taken}")
        return self._ordered(images, found)

    # Inside.

    def _passing(self, images: ImageSet) -> list[int]:
        """Return the images that pass; each filter looks only at what those before it let through."""
        wanted, split, answer = (combo.currentData() for combo in (self.classes, self.splits, self.answers))
        found = list(range(len(images)))
        names, groups, answers = images.names, images.groups, self._answers
        if wanted is not None:
            found = [place for place in found if (self._classes[place] or _NO_CLASS) == wanted]
        if split is not None:
            found = [place for place in found if self._splits[place] == split]
        if answer is not None:
            right = answer == "right"
            found = [p for p in found if (known := answers.get(names[p])) is not None and known.correct is right]
        if self._pair is not None:
            taken = self._pair[1]
            found = [p for p in found if (known := answers.get(names[p])) is not None and known.predicted == taken]
        for word in self.search.text().casefold().split():
            found = [place for place in found if word in f"{names[place]} {groups[place]}".casefold()]
        return found

    def _ordered(self, images: ImageSet, places: list[int]) -> list[int]:
        key, names = self.order.currentData(), images.names
        if not key:
            return places
        if key == "name":
            return sorted(places, key=lambda place: names[place].casefold())

        def rank(place: int) -> tuple[bool, float]:
            answer = self._answers.get(names[place])
            if answer is None:
                return True, 0.0
            return (
                (answer.correct is not False, -answer.probability)
                if key == "mistakes"
                else (
                    False,
                    answer.probability,
                )
            )

        return sorted(places, key=rank)

    def _offer_orders(self) -> None:
        chosen = self.order.currentData()
        self.order.clear()
        for text, key in _ORDERS if self._answers else _ORDERS[:2]:
            self.order.addItem(text, key)
        self.order.setCurrentIndex(max(0, self.order.findData(chosen)))

    def _reset(self) -> None:
        self._pair = None
        self.search.clear()
        self._wait.stop()
        for combo in (self.classes, self.splits, self.answers):
            combo.setCurrentIndex(0)

    def _chosen_by_hand(self) -> None:
        self._pair = None
        self.changed.emit()


def _combo(name: str, spoken: str) -> QComboBox:
    combo = QComboBox()
    combo.setObjectName(name)
    combo.setAccessibleName(spoken)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    combo.setMaximumWidth(220)
    combo.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return combo


def _offer(combo: QComboBox, everything: str, choices: Sequence[tuple[str, str]]) -> None:
    chosen = combo.currentData()
    combo.clear()
    combo.addItem(everything, None)
    for text, key in choices:
        combo.addItem(text, key)
    combo.setCurrentIndex(max(0, combo.findData(chosen)))
    combo.setVisible(len(choices) > 1)
