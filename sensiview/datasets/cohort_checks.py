"""Reading a cohort's files through once: what each holds, which grids there are, what is odd."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sensiview.datasets.cohort_files import FileFinding
from sensiview.datasets.describing import listed
from sensiview.datasets.file_entities import kind_of_image
from sensiview.datasets.nifti import open_header, read_header
from sensiview.datasets.nifti_header import NiftiHeader
from sensiview.datasets.orientation import obliquity, orientation
from sensiview.datasets.volume import Grid
from sensiview.datasets.volume_statistics import VoxelStatistics, findings, voxel_statistics
from sensiview.errors import DataError, UserError

# Voxels of each volume that are looked at: all of 160^3, a third of a 256^3 in whole slices.
SAMPLED = 1 << 22
# Below, axes are along the patient's: scanners and registration leave small angles.
_OBLIQUE_DEG = 3.0
_THREADS = 4


@dataclass(frozen=True, eq=False)
class Examined:
    """One volume that can be used: its header, and what its voxels are."""

    path: Path
    header: NiftiHeader
    statistics: VoxelStatistics
    notes: tuple[str, ...]

    @property
    def grid(self) -> Grid:
        """Shape and affine."""
        return Grid(self.header.shape, self.header.affine)


def read_headers(
    paths: Sequence[Path], frame: int | None, said: list[FileFinding], on_progress: Callable[[float], None]
) -> list[tuple[Path, NiftiHeader]]:
    """Return path and header of each file that can be used; of every other a finding says why not."""
    found = []
    for done, path in enumerate(paths, start=1):
        try:
            header = read_header(path)
            if frame is None and header.n_frames > 1:
                raise DataError(
                    f"{path} is a 4-D file of {header.n_frames:,} volumes. Choose one of them by its number, 0 to "
                    f"{header.n_frames - 1:,}."
                )
            # A choice of volume is for the 4-D files of a cohort; the 3-D ones have nothing to choose.
            if frame is not None and header.n_frames > 1 and not 0 <= frame < header.n_frames:
                raise DataError(
                    f"There is no volume {frame} in {path}: it holds {header.n_frames:,}, 0 to {header.n_frames - 1:,}."
                )
            found.append((path, header))
        except UserError as error:
            said.append(FileFinding(path, error.sentence, "error"))
        on_progress(done / len(paths))
    return found


def examine(
    headers: Sequence[tuple[Path, NiftiHeader]],
    frame: int | None,
    said: list[FileFinding],
    on_progress: Callable[[float], None],
) -> list[Examined]:
    """Open every volume and look at its voxels, several at a time; those that are damaged are left out with a finding.

    What `on_progress` raises ends the work at the next volume.
    """
    done: list[Examined] = []
    look = partial(_look, frame=frame)
    pool = ThreadPoolExecutor(max(1, min(_THREADS, os.cpu_count() or 1)), thread_name_prefix="volumes")
    try:
        for place, ((path, _), result) in enumerate(zip(headers, pool.map(look, headers), strict=True), start=1):
            if isinstance(result, UserError):
                said.append(FileFinding(path, result.sentence, "error"))
            else:
                done.append(result)
                said += [FileFinding(path, sentence, "warning") for sentence in result.notes]
            on_progress(place / len(headers))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return done


def _look(one: tuple[Path, NiftiHeader], frame: int | None) -> Examined | UserError:
    path, header = one
    try:
        volume = open_header(header, frame if header.n_frames > 1 else None)
        statistics = voxel_statistics(volume, SAMPLED)
    except UserError as error:
        return error
    except MemoryError:
        return DataError(f"{path} does not fit into this machine's memory. Unpack the file (gunzip), and add that.")
    return Examined(path, header, statistics, findings(statistics))


@dataclass(frozen=True)
class Grids:
    """The grids of a cohort, and per volume which of them it lies on."""

    grids: tuple[Grid, ...]
    places: tuple[int, ...]

    def to_plain(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return the card's ``grids``."""
        count = Counter(self.places)
        return [
            {**grid.to_plain(), "count": count[place], "example": names[self.places.index(place)]}
            for place, grid in enumerate(self.grids)
        ]


def group_grids(all_grids: Sequence[Grid]) -> Grids:
    """Find the different grids, in the order in which they occur."""
    known: list[Grid] = []
    of_shape: dict[tuple[int, ...], list[int]] = {}
    places = []
    for grid in all_grids:
        alike = of_shape.setdefault(grid.shape, [])
        if alike:
            apart = np.abs(np.array([known[i].affine for i in alike]) - grid.affine).max(axis=(1, 2))
            near = [alike[int(i)] for i in np.flatnonzero(apart < 0.01)]
        else:
            near = []
        place = next((i for i in near if known[i].same_as(grid)), -1)
        if place < 0:
            place = len(known)
            known.append(grid)
            alike.append(place)
        places.append(place)
    return Grids(tuple(known), tuple(places))


def common(grids: Grids) -> dict[str, Any]:
    """Return shape, affine, orientation and spacing of a cohort; None each where volumes differ in it."""
    first = grids.grids[0]
    shapes = {grid.shape for grid in grids.grids}
    codes = {orientation(grid.affine) for grid in grids.grids}
    spacings = {tuple(round(s, 3) for s in grid.spacing) for grid in grids.grids}
    return {
        "shape": list(first.shape) if len(shapes) == 1 else None,
        "affine": first.affine.tolist() if len(grids.grids) == 1 else None,
        "orientation": codes.pop() if len(codes) == 1 else None,
        "spacing": list(spacings.pop()) if len(spacings) == 1 else None,
    }


def about_grids(grids: Grids, names: Sequence[str]) -> list[str]:
    """Return sentences on volumes of different grids, and on oblique ones."""
    said = []
    n = len(grids.grids)
    if n > 1:
        shapes = Counter(grids.grids[place].shape for place in grids.places)
        if len(shapes) == 1:
            what = f"All volumes have {_size(next(iter(shapes)))} voxels, but they lie at {n:,} different places"
        else:
            (most, count), *_ = shapes.most_common()
            usual = f" ({_size(most)} voxels in {count:,} of {len(names):,})" if 2 * count > len(names) else ""
            what = f"The volumes lie on {n:,} different grids{usual}"
        said.append(
            f"{what}. They can be looked at one by one; to train a network or to make one mask for a group, resample "
            "them to a template first."
        )
    angles = [obliquity(grid.affine) for grid in grids.grids]
    tilted = [name for name, place in zip(names, grids.places, strict=True) if angles[place] > _OBLIQUE_DEG]
    if tilted:
        said.append(
            f"{_of_all(len(tilted), len(names))} oblique, by up to {max(angles):.0f} degrees: shown resampled, "
            f"computed on their own grid ({listed(tilted, 3)})."
        )
    return said


def about_files(examined: Sequence[Examined], names: Sequence[str]) -> list[str]:
    """Return sentences on notes of the headers, each once, on several kinds of images, and on copies."""
    said = []
    by_note: dict[str, list[str]] = {}
    for one, name in zip(examined, names, strict=True):
        for note in (*one.header.notes, *one.notes):
            by_note.setdefault(note, []).append(name)
    for note, of in by_note.items():
        who = "" if len(of) == len(names) == 1 else "All volumes: " if len(of) == len(names) else f"{listed(of, 3)}: "
        said.append(f"{who}{note}")
    kinds = Counter(kind_of_image(one.path) for one in examined)
    if len(kinds) > 1 and sum(kinds.values()) > kinds[""]:
        parts = [f"{count:,} {kind or 'of no named kind'}" for kind, count in kinds.most_common()]
        said.append(
            f"The volumes are of several kinds: {listed(parts, 5)}. Add one kind at a time to compare like with like."
        )
    copies: dict[Any, list[str]] = {}
    for one, name in zip(examined, names, strict=True):
        if one.statistics.std > 0:
            copies.setdefault((one.header.shape, one.statistics), []).append(name)
    for alike in (group for group in copies.values() if len(group) > 1):
        said.append(
            f"{listed(alike, 3)} seem to hold the same voxels. If one is a copy, remove it: a network must not be "
            "tested on what it was trained on."
        )
    return said


def pooled(statistics: Sequence[VoxelStatistics]) -> dict[str, float]:
    """Return statistics over the voxels of all volumes together, each volume with the same weight."""
    all_of: Mapping[str, list[float]] = {
        name: [float(getattr(one, name)) for one in statistics]
        for name in ("mean", "std", "minimum", "maximum", "finite_share", "nonzero_share")
    }
    mean = float(np.mean(all_of["mean"]))
    square = np.mean(np.square(all_of["std"]) + np.square(np.array(all_of["mean"]) - mean))
    return {
        "mean": mean,
        "std": float(np.sqrt(square)),
        "min": min(all_of["minimum"]),
        "max": max(all_of["maximum"]),
        "finite_share": float(np.mean(all_of["finite_share"])),
        "nonzero_share": float(np.mean(all_of["nonzero_share"])),
    }


def _size(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _of_all(count: int, total: int) -> str:
    return "The volume is" if total == 1 else f"{count:,} of {total:,} volumes are"
