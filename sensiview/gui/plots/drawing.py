"""From an item to its plot, and from a plot to a file without a window."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget

from sensiview.analysis.items import Curve, FieldMap, ImageSeries, IndexTable, Item, Matrix, Note
from sensiview.errors import SensiViewError
from sensiview.gui import themes
from sensiview.gui.plots import pictures
from sensiview.gui.plots.bars import BarsPlot
from sensiview.gui.plots.curve import CurvePlot
from sensiview.gui.plots.image_depth import DepthProfilePlot
from sensiview.gui.plots.image_views import is_depth_profile, plot_with_others
from sensiview.gui.plots.item_plot import ItemPlot
from sensiview.gui.plots.matrix import MatrixPlot
from sensiview.gui.plots.note import NotePlot
from sensiview.gui.plots.pixels import PixelsPlot
from sensiview.gui.plots.points import PointsPlot
from sensiview.gui.plots.scatter import ScatterPlot
from sensiview.gui.volume_maps import is_volume_map

if TYPE_CHECKING:
    from sensiview.gui.plots.volume_mosaic import VolumeMosaic
    from sensiview.reporting.anatomy import Anatomy

_BY_TABLE: dict[str, type[ItemPlot]] = {
    "bars": BarsPlot, "matrix": MatrixPlot, "points": PointsPlot, "scatter": ScatterPlot,
    "screening": ScatterPlot,  # of other measures than mu_star and sigma
}  # fmt: skip
_BY_KIND: tuple[tuple[type[Item], type[ItemPlot]], ...] = (
    (Curve, CurvePlot), (Matrix, MatrixPlot), (FieldMap, PixelsPlot), (ImageSeries, PixelsPlot), (Note, NotePlot),
)  # fmt: skip
# The application that exports without a window live in: Qt allows one per process and wants it to stay.
_application: list[QApplication] = []


def plot_for(
    item: Item,
    parent: QWidget | None = None,
    *,
    colours: themes.Theme | None = None,
    beside: Callable[[], Mapping[str, Item]] | None = None,
) -> ItemPlot | None:
    """Return the plot of an item, by its kind; None for a table that is not meant to be drawn.

    Parameters
    ----------
    colours : Theme or None
        None follows the window's theme, also when it changes.
    beside : callable, optional
        The items of the same result, as they are now: the image below a map is one of them.
    """
    with_others = plot_with_others(item)
    if with_others is not None:
        return with_others(item, colours=colours, parent=parent, beside=beside)
    made = _plot_class(item)
    return made(item, colours=colours, parent=parent) if made is not None else None


def draw_item(
    item: Item,
    path: Path,
    *,
    theme: Literal["light", "dark"] = "light",
    size: tuple[int, int] = (900, 600),
    anatomy: Anatomy | None = None,
) -> bool:
    """Write the plot of an item as the window shows it: .png with twice the pixels, or .svg.

    Works without a display and without a window. `size` (width, height) in pixels of the screen; the height grows
    when the item has more names than fit. A map over a volume becomes a mosaic of slices over the volumes that
    `anatomy` finds; its height follows from the slices. Returns False, and writes nothing, for a table that is not
    drawn.

    Raises
    ------
    UserError
        Another ending, or the file can't be written.
    DataError
        A map over a volume does not say where its voxels lie.
    """
    _ensure_application()
    colours = themes.DARK if theme == "dark" else themes.LIGHT
    mosaic = mosaic_of(item, anatomy, colours=colours, width=size[0])
    if mosaic is not None:
        return save_mosaic(mosaic, path)
    plot = plot_for(item, colours=colours, beside=(lambda: anatomy.items) if anatomy is not None else None)
    if plot is None:
        return False
    try:
        plot.resize_drawing(*size)
        plot.save(path)
    finally:
        plot.deleteLater()
        # Without an event loop nobody else would delete it.
        QCoreApplication.sendPostedEvents(plot, QEvent.Type.DeferredDelete)
    return True


def mosaic_of(
    item: Item, anatomy: Anatomy | None, *, colours: themes.Theme = themes.LIGHT, width: int = 900
) -> VolumeMosaic | None:
    """Return the slices that a map over a volume becomes, None for every other item.

    Opens files and looks at every voxel once; nothing is painted, so that it can be done off the GUI thread.
    """
    if not isinstance(item, FieldMap) or not is_volume_map(item):
        return None
    from sensiview.gui.plots.volume_mosaic import VolumeMosaic

    below = (lambda place: anatomy.below(item, place)) if anatomy is not None else None
    return VolumeMosaic(item, below=below, colours=colours, width=width)


def save_mosaic(mosaic: VolumeMosaic, path: Path) -> bool:
    """Write slices as .png or .svg; returns True, and raises as `draw_item`."""
    pictures.save_drawing(mosaic.to_image, mosaic.to_svg, path)
    return True


def _ensure_application() -> None:
    if QApplication.instance() is not None:
        return
    before = os.environ.get("QT_QPA_PLATFORM")
    if sys.platform.startswith("linux"):
        # No display is needed to draw into a file. Elsewhere the system's own platform has the fonts.
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    _application.append(QApplication(["sensiview"]))
    if before is None:
        os.environ.pop("QT_QPA_PLATFORM", None)
    else:
        os.environ["QT_QPA_PLATFORM"] = before


def _plot_class(item: Item) -> type[ItemPlot] | None:
    if isinstance(item, IndexTable):
        if is_depth_profile(item):
            return DepthProfilePlot
        return _BY_TABLE.get(item.plot)
    for kind, plot in _BY_KIND:
        if isinstance(item, kind):
            return plot
    raise SensiViewError(f"There is no view for results of kind '{item.kind}'.")
