"""Opening what the viewer shows below a map: a volume of the run's data set, and the atlas that fits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import FieldMap
from sensiview.datasets.volume import Volume
from sensiview.errors import SensiViewError

_NONE = "none"
_MOST_VOXELS = 40_000_000

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.atlas import Atlas
    from sensiview.datasets.card import DatasetCard
    from sensiview.datasets.volumes import VolumeSet


@dataclass(frozen=True, eq=False)
class Cohort:
    """Volumes that were opened, the class of each (empty where unknown), and the first to show."""

    volumes: VolumeSet
    classes: tuple[str, ...]
    hashes: tuple[str, ...]
    first: Loaded

    def thumbnail(self, index: int) -> Any:
        """Return three small slices of a volume, uint8 (y, x); for a background thread."""
        from sensiview.datasets.thumbnails import kept_thumbnail

        return kept_thumbnail(self.volumes.entries[index], self.hashes[index])


@dataclass(frozen=True, eq=False)
class Loaded:
    """A volume, what else there is to choose, the atlas (None where none fits), and what went wrong on the way."""

    volume: Volume
    name: str
    names: tuple[str, ...] = ()
    atlas: Atlas | None = None
    problem: SensiViewError | None = None


def load_cohort(source: DatasetSource) -> Cohort:
    """Open a data set of volumes and its first volume; reads files, for a background thread.

    Raises
    ------
    DataError
        The files are gone or changed.
    """
    from sensiview.datasets.volume_opening import open_volumes
    from sensiview.datasets.volumes import class_name

    volumes = open_volumes(source)
    target = source.card.target
    classes = ("",) * len(volumes) if target is None else tuple(class_name(v) for v in volumes.table[target])
    volume = volumes.volume(0)
    first = Loaded(volume, volumes.names[0], volumes.names, fitting_atlas(source.card, volume))
    hashes = tuple(source.files[known["files"][0]].sha256 for known in source.card.reading["volumes"])
    return Cohort(volumes, classes, hashes, first)


def load_underlay(source: DatasetSource | None, wanted: str, item: FieldMap, parameters: Mapping[str, Any]) -> Loaded:
    """Return a volume of the data set for a map to lie over; the map's own grid, empty, when there is none.

    `wanted` names the volume, the first is taken otherwise. Reads files: call it off the GUI thread.
    """
    volume = name = None
    names: tuple[str, ...] = ()
    problem = None
    if source is not None and source.card.kind == "volumes":
        from sensiview.datasets.volume_opening import open_volumes

        try:
            volumes = open_volumes(source)
            names = volumes.names
            index = names.index(wanted) if wanted in names else 0
            volume, name = volumes.volume(index), names[index]
        except SensiViewError as error:
            problem = error
    if volume is None:
        shape = item.values.shape[-3:][::-1]
        affine = np.asarray(item.affine, dtype=np.float64)
        volume, name = Volume(np.zeros(shape, dtype=np.uint8), affine, name="no volume"), "no volume"
    atlas = fitting_atlas(source.card if source else None, volume, str(parameters.get("atlas") or ""))
    return Loaded(volume, name or "", names, atlas, problem)


def fitting_atlas(card: DatasetCard | None, volume: Volume, wanted: str = "") -> Atlas | None:
    """Return the atlas of a run or of a data set, or the one that comes with SensiView; None where none fits."""
    from sensiview.datasets.atlas import atlas_for

    if wanted == _NONE or _chosen(card) == _NONE:
        return None
    # Of a very large volume the values would take longer to read than they tell.
    data = volume.values() if volume.raw.size < _MOST_VOXELS else None
    for text in dict.fromkeys((wanted, "")):
        try:
            found = atlas_for(text, card, volume.grid, data)
        except SensiViewError:
            continue
        if found is not None:
            return found[0]
    return None


def _chosen(card: DatasetCard | None) -> str:
    atlas = card.extra.get("atlas") if card is not None else None
    return str(atlas.get("file", "")) if isinstance(atlas, Mapping) else ""


@dataclass(frozen=True)
class Fitting:
    """How an atlas fits a data set: a sentence, what is odd, and whether it can be used."""

    sentence: str
    findings: tuple[str, ...]
    fits: bool


def fitting(source: DatasetSource, text: str, names: Path | None) -> Fitting:
    """Place an atlas on the first volume of a data set; reads files, for a background thread.

    Raises
    ------
    UserError, DataError
        There is no such atlas, or it can't be read.
    """
    from sensiview.datasets.atlas import atlas_fit, find_atlas
    from sensiview.datasets.volume_opening import open_volumes

    volume = open_volumes(source).volume(0)
    atlas = find_atlas(text, names)
    data = volume.values() if volume.raw.size < _MOST_VOXELS else None
    fit = atlas_fit(atlas, volume.grid, data, space=str(source.card.extra.get("space", "")))
    findings = tuple(dict.fromkeys([*fit.reasons, *fit.warnings, *atlas.findings]))
    share = f"{len(atlas.names)} regions, {100 * fit.share_inside:.0f} % of them inside the volumes"
    sentence = f"{share}. It fits." if fit.ok else f"{share}. It does not fit these volumes."
    return Fitting(sentence, findings or ("Nothing odd was noticed.",), fit.ok)
