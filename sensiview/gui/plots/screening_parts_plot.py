"""The parts of images as outlines over them: what the factors of a screening are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from sensiview.analysis.items import PART, FieldMap, ImageSeries, IndexTable, Item
from sensiview.gui.number_text import grouped, short
from sensiview.gui.plots.arrangement import title_of
from sensiview.gui.plots.chooser_bar import Chooser
from sensiview.gui.plots.image_tile import best_columns
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.screening_parts import numbers_of, parts_of
from sensiview.gui.plots.screening_picture import PartsPicture
from sensiview.gui.themes import Theme

_ALL = "all"
_MOST = 24  # images that are shown at once
_LEAST = 170  # pixels of height of one of several


def shows_parts(item: FieldMap) -> bool:
    """Say whether a map numbers the parts of images."""
    return item.unit == PART and item.axes[-2:] == ("y", "x") and item.axes[:-2] in ((), ("image",))


class PartsPlot(ItemPlot):
    """Each image with the borders of its parts.

    Parameters
    ----------
    beside : callable, optional
        The other items of the result: ``input`` holds the images, ``factors`` the names of the parts.
    """

    hint = "Point at a part, or use the arrow keys, to read it."
    item: FieldMap

    def __init__(
        self,
        item: Item,
        *,
        colours: Theme | None = None,
        parent: QWidget | None = None,
        beside: Callable[[], Mapping[str, Item]] | None = None,
    ) -> None:
        self._beside = beside or dict
        super().__init__(item, colours=colours, parent=parent)

    def choosers(self) -> list[Chooser]:
        """Offer one image, or all where they are not too many."""
        names = self._names()
        if len(names) < 2:
            return []
        every = ((_ALL, "all"),) if len(names) <= _MOST else ()
        return [Chooser("image", title_of("image").capitalize(), (*every, *((name, name) for name in names)))]

    def build(self) -> None:
        """Draw the images."""
        chosen, names = self.chosen("image"), self._names()
        shown = names if chosen == _ALL else [chosen] if chosen in names else names[:1]
        items = {**self._beside(), "parts": self.item}
        self._pictures: list[PartsPicture] = []
        self._entries: list[tuple[int, str, str]] = []  # picture, name of the part, name of the image
        self._numbers: list[int] = []
        wide = best_columns(len(shown), self.item.values.shape[-2] / self.item.values.shape[-1])
        for place, name in enumerate(shown):
            parts = parts_of(items, "image", name)
            assert parts is not None
            picture = PartsPicture(parts, self.colours, self.canvas.text_font(), caption=name)
            row, column = divmod(place, wide)
            self.canvas.grid.addItem(picture, 1 + row, column)
            self.canvas.grid.setRowStretchFactor(1 + row, 1)
            self.canvas.grid.setColumnStretchFactor(column, 1)
            self._pictures.append(picture)
            for factor, number in sorted(numbers_of(items, "image", name).items(), key=lambda pair: pair[1]):
                self._entries.append((place, factor, name))
                self._numbers.append(number)
        self.canvas.grid.setHorizontalSpacing(10)
        self._rows = -(-len(shown) // wide)
        self._index = {
            (place, number): k
            for k, ((place, _, _), number) in enumerate(zip(self._entries, self._numbers, strict=True))
        }

    def count(self) -> int:
        """Return the number of parts of all images that are shown."""
        return len(self._entries)

    def nearest(self, position: QPointF) -> int | None:
        """Return the part at a place."""
        for place, picture in enumerate(self._pictures):
            if number := picture.part_at(position):
                return self._index.get((place, number))
        return None

    def place(self, index: int) -> QRectF:
        """Return nothing: the part itself is outlined."""
        return QRectF()

    def describe(self, index: int) -> list[str]:
        """Return image, part, and what is known of it."""
        _, factor, image = self._entries[index]
        lines = [", ".join(part for part in (image, factor) if part)]
        item = self._beside().get("factors")
        if not isinstance(item, IndexTable):
            return lines
        frame = item.frame[item.frame["factor"].astype(str) == factor]
        if "image" in frame:
            frame = frame[frame["image"].astype(str) == image] if (frame["image"].astype(str) == image).any() else frame
        if not len(frame):
            return lines
        row = frame.iloc[0]
        if {"places", "share"} <= set(frame.columns):
            lines.append(f"{grouped(int(row['places']))} pixels, {100 * float(row['share']):.1f} % of the image")
        if {"value", "low", "high"} <= set(frame.columns):
            sampled = f"sampled from {short(float(row['low']))} to {short(float(row['high']))}"
            lines.append(f"sum of its values {short(float(row['value']))}, {sampled}")
        return lines

    def content_height(self) -> int:
        """Return room for all rows."""
        return max(320, 50 + _LEAST * self._rows)

    def _read(self, index: int | None) -> None:
        super()._read(index)
        at = self._entries[index][0] if index is not None else -1
        for place, picture in enumerate(self._pictures):
            picture.light(self._numbers[index] if index is not None and place == at else 0)

    def _names(self) -> list[str]:
        """Return the images: those on the map's axis, else those below it, else what it lies over."""
        if "image" in self.item.axes:
            return list(self.item.coordinates["image"])
        series = self._beside().get("input")
        if isinstance(series, ImageSeries) and series.labels:
            return list(dict.fromkeys(series.labels))
        return [self.item.over]
