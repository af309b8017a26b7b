"""From a volume, its maps and an atlas to the layers of a scene; nothing here touches a widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import FieldMap
from sensiview.datasets.volume import Grid, Volume
from sensiview.errors import SensiViewError
from sensiview.gui.viewer.build import is_oblique, layer_from_atlas, layer_from_map, layer_from_volume
from sensiview.gui.viewer.scene import DisplayGrid, Layer

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.atlas import Atlas

# Voxels above which the labels of an atlas, which lie in memory, are not laid over a volume, which does not.
MOST_LABELLED = 300_000_000
# Voxels that are looked at to tell whether an atlas lies well: they cost a dozen bytes each.
_JUDGED = 20_000_000


@dataclass(frozen=True, eq=False)
class Case:
    """What is shown together: the anatomy, maps over it, an atlas, and the table of regions of a run.

    `overlays` are (title, map); an empty title takes the map's own. `volume` None shows the first map's grid alone.
    """

    volume: Volume
    title: str = ""
    overlays: tuple[tuple[str, FieldMap], ...] = ()
    atlas: Atlas | None = None
    regions: pd.DataFrame | None = None


@dataclass(frozen=True, eq=False)
class Opened:
    """Layers of a case, bottom first, and sentences about what could not be shown."""

    grid: DisplayGrid
    layers: tuple[Layer, ...]
    to_file_voxel: Any
    title: str
    problems: tuple[SensiViewError, ...] = field(default=())


def is_quick(case: Case) -> bool:
    """Say whether all layers are views of what is in memory, so that no background thread is needed."""
    if is_oblique(case.volume) or case.atlas is not None:
        return False
    return all(_same_grid(item, case.volume.grid) for _, item in case.overlays)


def open_case(case: Case, atlases: Sequence[Atlas] = ()) -> Opened:
    """Return the layers of a case. A map or atlas that does not fit is left out, and a sentence says why.

    `atlases` were put over volumes before; those of a template, or of the same grid, stay.

    Raises
    ------
    DataError
        The volume itself says nothing usable about where it lies.
    """
    grid, below, to_file_voxel = layer_from_volume(case.volume, name=case.volume.name or case.title)
    layers, problems = [below], []
    for atlas in dict.fromkeys([*([case.atlas] if case.atlas is not None else []), *atlases]):
        try:
            if atlas is not case.atlas:
                _refuse_of_another(atlas, case.volume.grid)
            # Its names are in the read-out at once; its colours would lie over the anatomy that one wants to read.
            found = fitted_atlas(atlas, grid, below)
            layers.append(replace(found, look=replace(found.look, visible=False)))
        except SensiViewError as error:
            problems.append(error)
    for number, (title, item) in enumerate(case.overlays):
        try:
            layers.append(layer_from_map(item, grid, key=f"map{number}", name=title))
        except SensiViewError as error:
            problems.append(error)
    return Opened(grid, tuple(layers), to_file_voxel, case.title or case.volume.name, tuple(problems))


def _refuse_of_another(atlas: Atlas, grid: Grid) -> None:
    """Raise DataError when an atlas that was put over the volume before belongs to that one alone.

    The segmentation of one head lies well over another one too, and names its regions wrongly.
    """
    from sensiview.datasets.atlas_space import of_mni
    from sensiview.errors import DataError

    if not atlas.grid.same_as(grid) and not of_mni(atlas.grid, atlas.space):
        raise DataError(
            f"The atlas '{atlas.name}' is not shown: it is in no template's space and its voxels lie where those of "
            "another volume do. Add it here if it belongs to this one."
        )


def fitted_atlas(atlas: Atlas, grid: DisplayGrid, anatomy: Layer | None) -> Layer:
    """Return an atlas as a layer of a grid.

    Raises
    ------
    DataError
        It does not belong there; the sentence says why.
    """
    from sensiview.datasets.atlas import atlas_fit
    from sensiview.errors import DataError

    if np.prod(grid.shape, dtype=np.int64) > MOST_LABELLED:
        size = " x ".join(f"{n:,}" for n in grid.shape)
        raise DataError(
            f"The atlas '{atlas.name}' is not shown: its labels on {size} voxels would not fit into memory beside the "
            "volume. Resample the volume to a coarser grid first."
        )
    judged, step = judging_grid(Grid(grid.shape, grid.affine))
    data = None if anatomy is None else np.asarray(anatomy.array[::step, ::step, ::step], dtype=np.float32)
    fit = atlas_fit(atlas, judged, data)
    if not fit.ok:
        raise DataError(f"The atlas '{atlas.name}' does not fit this volume. {' '.join(fit.reasons)}")
    return layer_from_atlas(atlas, grid, key=f"atlas:{atlas.name}")


def judging_grid(grid: Grid) -> tuple[Grid, int]:
    """Return every n-th voxel of a grid, enough to tell whether an atlas lies well there, and the step."""
    step = max(1, int(np.ceil((np.prod(grid.shape, dtype=np.float64) / _JUDGED) ** (1 / 3))))
    i, j, k = (-(-n // step) for n in grid.shape)
    return Grid((i, j, k), grid.affine @ np.diag([step, step, step, 1.0])) if step > 1 else grid, step


def _same_grid(item: FieldMap, grid: Grid) -> bool:
    if item.affine is None or item.axes[-3:] != ("z", "y", "x"):
        return False
    z, y, x = np.asarray(item.values).shape[-3:]
    return Grid((x, y, z), np.asarray(item.affine, dtype=np.float64)).same_as(grid)
