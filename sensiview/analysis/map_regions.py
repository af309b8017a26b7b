"""Maps told by the regions of an atlas, found once per run; without one there is no table, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import IndexTable
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Grid
from sensiview.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

# A larger share outside the regions is said beside their names.
_MOSTLY = 0.5


def region_item(frame: pd.DataFrame) -> IndexTable:
    """Return a table of regions as an item; its first columns up to ``region`` are the keys."""
    from sensiview.numerics.regions import REGION_UNITS

    columns = list(frame.columns)
    keys = tuple(columns[: columns.index("region") + 1])
    units = {name: REGION_UNITS.get(name, "") for name in columns if name not in keys}
    return IndexTable(
        title="Regions",
        description="Mean size of the map in each region of the atlas, highest first; the peak in mm (RAS).",
        frame=frame,
        keys=keys,
        values=("density", "share_of_map"),
        units=units,
    )


@dataclass
class RegionFinder:
    """Tables of regions on one grid, the atlas found once.

    Parameters
    ----------
    wanted : str
        ``none``, empty for the data's own or the bundled one, a bundled name, or a file.
    dataset : DatasetCard
    grid : Grid
    warn : callable
        Gets a sentence when an atlas that was asked for does not fit, or only with a loss.
    """

    wanted: str
    dataset: DatasetCard
    grid: Grid
    warn: Callable[[str], None]
    labels: NDArray[np.int32] | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        from sensiview.datasets.atlas import atlas_for

        try:
            found = atlas_for(self.wanted, self.dataset, self.grid)
        except UserError as error:
            self.warn(f"There is no table of regions. {error.sentence}")
            return
        # The bundled atlas is only tried; data of another space have no regions, and nobody asked.
        if found is not None:
            atlas, self.labels, said = found
            self.names, self.name = atlas.names, atlas.name
            for sentence in said:
                self.warn(sentence)

    def table(self, values: NDArray[Any]) -> pd.DataFrame | None:
        """Return the regions of one map (i, j, k), None without an atlas."""
        if self.labels is None:
            return None
        from sensiview.numerics.regions import region_table

        return region_table(values, self.labels, self.names, self.grid.affine, kind="map")


def strongest(frame: pd.DataFrame | None, most: int = 3) -> str:
    """Say which regions are highest in a table of regions; empty without one or with a map of zeros."""
    if frame is None:
        return ""
    means = frame[frame["label"] != 0].groupby("region", sort=False)["density"].mean()
    top = means[means > 0].sort_values(ascending=False, kind="stable").head(most)
    return f"Strongest in {', '.join(map(str, top.index))}.{outside(frame)}" if len(top) else ""


def outside(frame: pd.DataFrame) -> str:
    """Say how much of a map lies outside all regions where that is most of it; empty where it is not."""
    share = float(frame.loc[frame["label"] == 0, "share_of_map"].mean())
    return f" But {100 * share:.3g} % of it lies outside the atlas." if share > _MOSTLY else ""
