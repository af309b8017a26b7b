"""Thumbnails in the rows of a result about images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QObject, QSize, Qt
from PySide6.QtGui import QPixmap

from sensiview.analysis.items import IndexTable, Item
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.image_grid import ImageModel
from sensiview.gui.image_loading import LoadedImages, load_images
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource

_PICTURE = 34  # height in the table, in pixels of the screen


class ImageRows(QObject):
    """Gives each row of a table of images its thumbnail, made in the background when the row is seen.

    Parameters
    ----------
    table : FrameTable
        That shows the item.
    source : DatasetSource
        The images of the run. Where they can't be opened, the rows stay without pictures.
    """

    def __init__(self, table: FrameTable, source: DatasetSource) -> None:
        super().__init__(table)
        self._table = table
        self._names: list[str] = []
        self._rows: dict[str, int] = {}
        self._places: dict[str, int] = {}
        self._scaled: dict[int, QPixmap] = {}
        self._black = QPixmap(_PICTURE, _PICTURE)
        self._black.fill(Qt.GlobalColor.black)
        self._pictures = ImageModel()
        self._pictures.setParent(self)
        self._pictures.dataChanged.connect(self._picture_came)
        table.view.setIconSize(QSize(_PICTURE, _PICTURE))
        table.view.verticalHeader().setDefaultSectionSize(_PICTURE + 6)
        run_in_background(lambda: load_images(source), self._take, self._stay_plain, owner=self)

    def show_item(self, item: IndexTable) -> None:
        """Take the rows of another item about the same images."""
        self._names = [str(name) for name in item.frame[item.keys[0]]]
        self._rows = {name: row for row, name in enumerate(self._names)}

    def picture(self, row: int) -> QPixmap:
        """Return the thumbnail of a row, black until it has come."""
        place = self._places.get(self._names[row], -1)
        if place < 0:
            return self._black
        if place not in self._scaled:
            found = self._pictures.index(place).data(Qt.ItemDataRole.DecorationRole)
            if not isinstance(found, QPixmap):
                return self._black
            ratio = self._table.devicePixelRatioF()
            side = round(_PICTURE * ratio)
            how = Qt.TransformationMode.SmoothTransformation if found.width() > side else (
                Qt.TransformationMode.FastTransformation
            )  # fmt: skip
            made = found.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, how)
            made.setDevicePixelRatio(ratio)
            self._scaled[place] = made
        return self._scaled[place]

    def _take(self, loaded: LoadedImages) -> None:
        names = loaded.images.names
        self._pictures.take(names, loaded.thumbnail)
        self._pictures.show_places(range(len(names)))
        self._places = {name: place for place, name in enumerate(names)}
        self._table.fit_column("image")
        self._table.view.viewport().update()

    def _stay_plain(self, error: SensiViewError) -> None:
        """The data set's page says what is wrong with its files."""

    def _picture_came(self, index: QModelIndex) -> None:
        name = index.data()
        if name in self._rows:
            self._table.refresh_source_row(self._rows[name])


def image_rows(session: Session, run_id: str, item: Item, table: FrameTable | None) -> ImageRows | None:
    """Return what puts thumbnails into the rows of an item of a run; None where its rows are no images."""
    if table is None or not isinstance(item, IndexTable) or item.keys[:1] != ("image",) or item.plot == "screening":
        return None
    run = session.run_record(run_id)
    source = next((known for known in session.datasets() if run is not None and known.id == run.dataset), None)
    if source is None or source.card.kind != "images":
        return None
    return ImageRows(table, source)
