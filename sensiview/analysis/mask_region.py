"""Where a mask may be: everywhere, in an atlas's regions, or in those of a mask file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.items import Array
from sensiview.errors import UserError

if TYPE_CHECKING:
    from sensiview.datasets.atlas import Atlas
    from sensiview.datasets.volume import Grid


def allowed_voxels(text: str, atlas: Atlas | None, labels: Array | None, grid: Grid, data: Array) -> Array | None:
    """Return where a mask may be at all, bool (i, j, k); None for everywhere."""
    word = text.strip().lower()
    if word in ("auto", "all"):
        return None
    if text.strip().lower().endswith((".nii", ".nii.gz", ".img", ".hdr")):
        return _mask_file(text.strip(), grid)
    if atlas is None or labels is None:
        raise UserError(
            f"The region of interest '{text}' is one of an atlas, but no atlas fits these data. Choose an atlas, write "
            "'auto' or 'all', or give a mask file."
        )
    if word == "atlas":
        return np.asarray(labels != 0)
    from sensiview.datasets.atlas_sides import find_regions

    wanted = find_regions(atlas.names, [part for part in text.split(",") if part.strip()])
    return np.isin(labels, [label for several in wanted.values() for label in several])


def _mask_file(text: str, grid: Grid) -> Array:
    """Return where a mask file is not 0, brought onto the grid by nearest neighbours."""
    from sensiview.datasets.atlas_nearest import nearest
    from sensiview.datasets.nifti import read_nifti

    path = Path(text).expanduser()
    if not path.is_file():
        raise UserError(f"There is no file '{text}' to read the region of interest from.")
    mask = read_nifti(path)
    inside = (np.nan_to_num(mask.values()) != 0).astype(np.int32)
    if mask.grid.same_as(grid):
        same: Array = inside != 0
        return same
    return np.asarray(nearest(inside, np.linalg.inv(mask.affine) @ grid.affine, grid.shape) != 0)
