"""The table of a cohort: who, which class, which grid at once; numbers of the voxels one volume after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.orientation import obliquity, orientation
from sensiview.datasets.volume_cache import kept_small
from sensiview.datasets.volume_statistics import VoxelStatistics, findings, voxel_statistics
from sensiview.datasets.volumes import VolumeEntry, VolumeSet
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

# Voxels of each volume that are looked at: all of 160^3, a third of a 256^3 in whole slices.
SAMPLED = 1 << 22
PROBLEMS = "problems"
# Numbers of a volume's voxels, as the table calls them.
NUMBERS: Mapping[str, str] = {
    "min": "minimum", "mean": "mean", "max": "maximum", "std": "std", "not zero": "nonzero_share",
}  # fmt: skip
_REVISION = 1
_OBLIQUE_DEG = 3.0


@dataclass(frozen=True)
class Numbers:
    """What looking at a volume's voxels gave: statistics, or None and a sentence why there are none."""

    statistics: VoxelStatistics | None
    sentences: tuple[str, ...] = ()


def numbers_of(entry: VolumeEntry, key: str) -> Numbers:
    """Return the numbers of a volume, from the cache where they were found before.

    Parameters
    ----------
    entry : VolumeEntry
        Opened only when the numbers are new.
    key : str
        What tells this content from others: the hash of its file.
    """
    names = [field.name for field in fields(VoxelStatistics)]

    def look() -> npt.NDArray[np.float64]:
        found = voxel_statistics(entry.open(), SAMPLED)
        return np.array([getattr(found, name) for name in names], dtype=np.float64)

    try:
        kept = kept_small(f"statistics\0{_REVISION}\0{key}\0{entry.name}", look)
        if kept.shape != (len(names),):
            kept = look()
    except DataError as error:
        return Numbers(None, (error.sentence,))
    counts = {"n", "seen", "nan", "infinite"}
    values = {name: int(value) if name in counts else float(value) for name, value in zip(names, kept, strict=True)}
    found = VoxelStatistics(**values)  # type: ignore[arg-type]
    return Numbers(found, findings(found))


def cohort_table(volumes: VolumeSet, *, target: str | None = None, sizes: Sequence[float] = ()) -> pd.DataFrame:
    """Return one row per volume; no file is read.

    Columns: volume, subject, the target's, problems (sentences, empty where none is known), voxels, spacing (mm), axes
    (towards which the voxel axes run), `NUMBERS` (NaN until `add_numbers` knows them), size (MB, where given), and the
    participants' other columns.

    Parameters
    ----------
    volumes : VolumeSet
    target : str, optional
        The participants' column that holds the class.
    sizes : sequence of float, optional
        Bytes of each volume's files.
    """
    import pandas as pd

    odd = _odd_grids(volumes)
    rows: list[dict[str, Any]] = []
    for place, entry in enumerate(volumes.entries):
        row: dict[str, Any] = {"volume": entry.name, "subject": entry.subject, PROBLEMS: odd[place]}
        row["voxels"] = " × ".join(map(str, entry.grid.shape))
        row["spacing (mm)"] = " × ".join(f"{size:.3g}" for size in entry.grid.spacing)
        row["axes"] = orientation(entry.grid.affine)
        row |= dict.fromkeys(NUMBERS, float("nan"))
        if sizes:
            row["size"] = sizes[place] / 1e6
        rows.append(row)
    table = pd.DataFrame(rows)
    extra = volumes.table.reset_index(drop=True)
    others = [column for column in extra.columns if column not in table.columns]
    if target in others:
        table.insert(2, target, extra[target])
        others.remove(target)
    return pd.concat([table, extra[others]], axis=1)


def add_numbers(table: pd.DataFrame, found: Mapping[int, Numbers]) -> None:
    """Put numbers, by place of the volume, into the rows of a `cohort_table`, in place."""
    columns = [str(name) for name in table.columns]
    problems = columns.index(PROBLEMS)
    places = {name: columns.index(name) for name in NUMBERS}
    for row, numbers in found.items():
        if numbers.statistics is not None:
            for name, field in NUMBERS.items():
                table.iat[row, places[name]] = float(getattr(numbers.statistics, field))
        known = str(table.iat[row, problems])
        new = [sentence for sentence in numbers.sentences if sentence not in known]
        table.iat[row, problems] = " ".join([*new, *([known] if known else [])])


def _odd_grids(volumes: VolumeSet) -> list[str]:
    """Return per volume what its grid makes difficult: another one than most have, or an oblique one."""
    keys = [(entry.grid.shape, np.round(entry.grid.affine, 2).tobytes()) for entry in volumes.entries]
    counted = Counter(keys)
    usual, most = counted.most_common(1)[0]
    usual_holds = 2 * most > len(keys)
    told = []
    for entry, key in zip(volumes.entries, keys, strict=True):
        said = []
        if len(counted) > 1 and not (usual_holds and key == usual):
            what = "Not on the grid of most volumes" if usual_holds else f"One of {len(counted):,} grids"
            said.append(f"{what}: resample before training.")
        angle = obliquity(entry.grid.affine)
        if angle > _OBLIQUE_DEG:
            said.append(f"Oblique by {angle:.0f} degrees.")
        told.append(" ".join(said))
    return told
