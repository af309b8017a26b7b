"""Opening what the viewer shows below a map: a volume of the run's data set, and the atlas that fits it."""

from __future__ import annotations

import contextlib
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
    from sensiview.gui.viewer.panels.opening import Case


@dataclass(frozen=True, eq=False)
class Cohort:
    """Volumes that were opened, the class of each (empty where unknown), and the atlas that fits the first.

    `first` is the first volume, None where it can't be read: the others may be. `problem` tells what is wrong with
    the atlas that was chosen.
    """

    volumes: VolumeSet
    classes: tuple[str, ...]
    hashes: tuple[str, ...]
    first: Volume | None
    atlas: Atlas | None
    problem: SensiViewError | None = None

    def case(self, index: int) -> Case:
        """Return a volume with the atlas; reads files, for a background thread.

        Raises
        ------
        DataError
            The file is gone or changed, or is no volume any more.
        """
        from sensiview.gui.viewer.panels.opening import Case

        volume = self.first if index == 0 and self.first is not None else self.volumes.volume(index)
        return Case(volume, self.volumes.names[index], atlas=self.atlas)

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

    volumes = open_volumes(source)
    hashes = tuple(source.files[known["files"][0]].sha256 for known in source.card.reading["volumes"])
    first = atlas = problem = None
    with contextlib.suppress(SensiViewError):  # said when the viewer asks for it
        first = volumes.volume(0)
    if first is not None:
        atlas, problem = fitting_atlas(source.card, first)
    return Cohort(volumes, classes_of(source.card, volumes), hashes, first, atlas, problem)


def classes_of(card: DatasetCard, volumes: VolumeSet) -> tuple[str, ...]:
    """Return the class of each volume by the data set's target, empty where there is none."""
    from sensiview.datasets.selecting import class_name

    target = card.target
    if target is None or target not in volumes.table.columns:
        return ("",) * len(volumes)
    return tuple(class_name(value) for value in volumes.table[target])


def load_underlay(source: DatasetSource | None, wanted: str, item: FieldMap, parameters: Mapping[str, Any]) -> Loaded:
    """Return a volume of the data set for a map to lie over; the map's own grid, empty, when there is none.

    `wanted` names the volume; otherwise the one that the map says it lies over, or the first of the run's group. Reads
    files: call it off the GUI thread.
    """
    volume = name = None
    names: tuple[str, ...] = ()
    problem = None
    if source is not None and source.card.kind == "volumes":
        from sensiview.datasets.volume_opening import open_volumes
        from sensiview.reporting.anatomy import volume_below

        names = tuple(str(known["name"]) for known in source.card.reading["volumes"])
        name = wanted if wanted in names else ""
        try:
            # A missing file of another subject hides no map of this one.
            volumes = open_volumes(source, all_there=False)
            if not name:
                first = (0,) * (item.values.ndim - 3)
                name = names[volume_below(volumes, item, first, parameters)[0]]
            volume = volumes.volume(names.index(name))
        except SensiViewError as error:
            problem = error
    if volume is None:
        shape = item.values.shape[-3:][::-1]
        affine = np.asarray(item.affine, dtype=np.float64)
        # Broadcast: nothing is allocated for a black ground.
        volume = Volume(np.broadcast_to(np.uint8(0), shape), affine, name="No anatomy")
    atlas, odd = fitting_atlas(source.card if source else None, volume, str(parameters.get("atlas") or ""))
    return Loaded(volume, name or "", names, atlas, problem or odd)


def fitting_atlas(
    card: DatasetCard | None, volume: Volume, wanted: str = ""
) -> tuple[Atlas | None, SensiViewError | None]:
    """Return the atlas of a run or of a data set, or the one that comes with SensiView where it fits.

    The second is what is wrong with the atlas that was chosen.
    """
    from sensiview.datasets.atlas import atlas_for

    if wanted == _NONE or (not wanted and _chosen(card) == _NONE):
        return None, None
    from sensiview.gui.viewer.panels.opening import MOST_LABELLED, judging_grid

    if volume.raw.size > MOST_LABELLED and not wanted and not _chosen(card):
        return None, None  # nobody asked for one; the viewer says why where somebody does
    # Of a very large volume the values would take longer to read than they tell.
    data = volume.values() if volume.raw.size < _MOST_VOXELS and volume.raw.any() else None
    grid = volume.grid if data is not None else judging_grid(volume.grid)[0]
    problem = None
    for text in dict.fromkeys((wanted, "")):
        try:
            found = atlas_for(text, card, grid, data)
        except SensiViewError as error:
            problem = problem or error
            continue
        if found is not None:
            return found[0], problem
    return None, problem


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
