"""From a cell of a robustness matrix to the two masks behind it, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import Qt

from sensiview.analysis.items import FieldMap, Item, Mask
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.plots.matrix import MatrixPlot
from sensiview.gui.session import Session
from sensiview.gui.volume_loading import Loaded, load_underlay

if TYPE_CHECKING:
    from sensiview.gui.viewer.compare import CompareView

_CONTEXT = "context"
_MASKS = "masks"


def connect_cells(plot: MatrixPlot, session: Session, run_id: str, items: Callable[[], Mapping[str, Item]]) -> None:
    """Let a click on a cell of `plot` open both masks, where the run holds the masks that its names are of."""
    masks = items().get(_MASKS)
    if not isinstance(masks, Mask) or masks.axes[0] != _CONTEXT:
        return
    plot.hint = "Click a cell, or press Enter on it, to see both masks side by side."
    plot.readout.setText(plot.hint)

    def show(cell: int) -> None:
        found = items().get(_MASKS)
        row, column = plot.names_of(cell)
        known = found.coordinates.get(_CONTEXT, ()) if isinstance(found, Mask) else ()
        if isinstance(found, Mask) and row in known and column in known:
            compare_masks(session, run_id, found, row, column)

    plot.picked.connect(show)


def compare_masks(session: Session, run_id: str, masks: Mask, first: str, second: str) -> CompareView:
    """Open a window with two masks of a run over one of its volumes, linked, and their difference."""
    from sensiview.gui.viewer.compare import CompareView

    window = CompareView()
    window.setWindowFlag(Qt.WindowType.Window)
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    window.setObjectName("mask_comparison")
    window.setWindowTitle(f"{first} beside {second}")
    window.resize(1240, 760)
    one, other = (_mask(masks, name) for name in (first, second))
    run = session.run_record(run_id)
    source = next((d for d in session.datasets() if run is not None and d.id == run.dataset), None)
    parameters = run.parameters if run is not None else {}

    def load() -> tuple[Loaded, Any, Any]:
        loaded = load_underlay(source, "", one, parameters)
        return loaded, _regions(one, loaded), _regions(other, loaded)

    def show(found: tuple[Loaded, Any, Any]) -> None:
        loaded, *regions = found
        window.show_pair(loaded.volume, (first, one), (second, other), *regions, atlas=loaded.atlas)
        if loaded.problem is not None:
            session.say(loaded.problem.sentence, level="warning")

    run_in_background(load, show, session.problem.emit, owner=window)
    window.problem.connect(session.problem)
    session.project_changed.connect(window.close)
    window.show()
    return window


def _mask(masks: Mask, name: str) -> Mask:
    index = masks.coordinates[_CONTEXT].index(name)
    return Mask(
        title=name, description=masks.description, values=np.asarray(masks.values[index]), axes=masks.axes[1:],
        unit=masks.unit, over=masks.over, affine=masks.affine,
    )  # fmt: skip


def _regions(mask: FieldMap, loaded: Loaded) -> object:
    """Return the table of regions of a mask; None without an atlas that fits it."""
    if loaded.atlas is None:
        return None
    from sensiview.datasets.atlas import atlas_on
    from sensiview.datasets.volume import Grid
    from sensiview.numerics.regions import region_table

    values = np.swapaxes(np.asarray(mask.values), -1, -3)
    affine = np.asarray(mask.affine, dtype=np.float64)
    try:
        labels = atlas_on(loaded.atlas, Grid((values.shape[0], values.shape[1], values.shape[2]), affine))
    except SensiViewError:
        return None  # the masks can be compared all the same
    return region_table(values, labels, loaded.atlas.names, affine, kind="mask")
