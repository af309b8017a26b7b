"""Which view an item of a run gets in the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from sensiview.analysis.items import FieldMap, IndexTable, Item
from sensiview.gui.image_rows import image_rows
from sensiview.gui.item_view import ItemView
from sensiview.gui.mask_comparison import connect_cells
from sensiview.gui.plots.matrix import MatrixPlot
from sensiview.gui.screening_volume_view import ScreeningVolumeView, is_over_volumes
from sensiview.gui.session import Session
from sensiview.gui.volume_item_view import VolumeItemView
from sensiview.gui.volume_maps import is_volume_map

ResultView: TypeAlias = ItemView | VolumeItemView | ScreeningVolumeView


def view_of(item: Item, session: Session, run_id: str, items: Callable[[], Mapping[str, Item]]) -> ResultView:
    """Return the view of an item of a run; `items` gives all items of the run as they are now."""
    if isinstance(item, FieldMap) and is_volume_map(item):
        return VolumeItemView(session, run_id, item)
    if isinstance(item, IndexTable) and is_over_volumes(item, items()):
        return ScreeningVolumeView(session, run_id, item, items)
    view = ItemView(item, beside=items)
    view.take_pictures(image_rows(session, run_id, item, view.table))
    if isinstance(view.plot, MatrixPlot):
        connect_cells(view.plot, session, run_id, items)
    return view
