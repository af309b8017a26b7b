"""A cohort of what a notebook has in memory: nibabel's images, arrays, files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.cohort_checks import about_grids, common, group_grids
from sensiview.datasets.cohort_targets import candidates, empty_table, with_target
from sensiview.datasets.describing import column_card
from sensiview.datasets.nifti import read_nifti
from sensiview.datasets.nifti_header import read_header
from sensiview.datasets.volume import Grid, Volume
from sensiview.datasets.volume_statistics import voxel_statistics
from sensiview.datasets.volumes import VolumeEntry, VolumeSet
from sensiview.errors import DataError, UserError

if TYPE_CHECKING:
    import pandas as pd

_NO_AFFINE = "An array has no position in space: voxels are taken as 1 mm, the axes as RAS."


def volumes_from_images(
    images: Any,
    *,
    name: str = "volumes",
    names: Sequence[str] | None = None,
    labels: Sequence[Any] | None = None,
    target: str = "label",
) -> VolumeSet:
    """Make a cohort of images in memory or in files.

    Parameters
    ----------
    images : image or sequence of images
        nibabel images, `Volume`, paths of NIfTI files, or arrays (i, j, k), also mixed. A 4-D nibabel image or file
        gives one volume per last axis, a 4-D array (n, i, j, k) or (n, 1, i, j, k) one per first axis. Images of
        nibabel are not loaded before they are used. Arrays get the identity as affine, and a note.
    name : str
        Of the cohort.
    names : sequence of str, optional
        Of the volumes; file names or ``volume 1``, ... when not given. Volumes of one subject can't be told here: each
        is its own.
    labels : sequence, optional
        Class of each volume; None or NaN where unknown.
    target : str
        Name of the column that holds them.

    Raises
    ------
    UserError
        No volume; another number of names or labels than volumes; names that occur twice; something that is no volume.
    DataError
        A file can't be read, an affine is singular, all labels are the same.
    """
    volumes = list(_each(images))
    if not volumes:
        raise UserError("There is no volume in what was given. Hand over images, arrays or paths.")
    found = _named(volumes, names)
    table = _table(labels, target, len(volumes))
    grids = group_grids([grid for _, grid, _ in volumes])
    entries = tuple(
        VolumeEntry(label, label, grid, partial(_opened, opener, label))
        for label, (_, grid, opener) in zip(found, volumes, strict=True)
    )
    card = DatasetCard(
        name=name,
        kind="volumes",
        n_rows=len(volumes),
        columns=tuple(column_card(str(label), values) for label, values in table.items()),
        notes=tuple(about_grids(grids, found)),
        extra={
            **common(grids),
            "grids": grids.to_plain(found),
            "names": found,
            "subjects": found,
            "statistics": _first_statistics(entries[0]),
            "space": "unknown",
            "unit": "",
            "candidates": candidates(table, found),
        },
    )
    if labels is not None:
        card = with_target(card, table, target)
    return VolumeSet(card, entries, table)


def _table(labels: Sequence[Any] | None, target: str, count: int) -> pd.DataFrame:
    import pandas as pd

    if labels is None:
        return empty_table(count)
    values = list(labels)
    if len(values) != count:
        raise UserError(f"{count} volumes need as many labels, but {len(values)} are given.")
    return pd.DataFrame({target: pd.Series(values, dtype=None if any(_number(v) for v in values) else "object")})


def _number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and value == value


def _named(volumes: Sequence[tuple[str, Grid, Any]], names: Sequence[str] | None) -> list[str]:
    if names is None:
        found = [named or f"volume {number}" for number, (named, _, _) in enumerate(volumes, start=1)]
        if len(set(found)) < len(found):
            found = [f"{named} {number}" for number, named in enumerate(found, start=1)]
        return found
    found = [str(one) for one in names]
    if len(found) != len(volumes):
        raise UserError(f"{len(volumes)} volumes need as many names, but {len(found)} are given.")
    if len(set(found)) < len(found):
        raise UserError("Two volumes have the same name. Give each its own.")
    return found


def _opened(opener: Any, name: str) -> Volume:
    volume: Volume = opener()
    return replace(volume, name=name)


def _first_statistics(entry: VolumeEntry) -> dict[str, float]:
    found = voxel_statistics(entry.open(), 1 << 20)
    return {
        "mean": found.mean, "std": found.std, "min": found.minimum, "max": found.maximum,
        "finite_share": found.finite_share, "nonzero_share": found.nonzero_share,
    }  # fmt: skip


def _each(images: Any) -> Iterator[tuple[str, Grid, Any]]:
    """Yield name, grid and a function that opens it, for every volume in what was given."""
    if isinstance(images, Volume):
        yield images.name, images.grid, lambda: images
    elif isinstance(images, str | os.PathLike):
        yield from _of_file(Path(images))
    elif hasattr(images, "dataobj") and hasattr(images, "affine"):
        yield from _of_image(images)
    elif isinstance(images, np.ndarray) or (hasattr(images, "__array__") and hasattr(images, "shape")):
        yield from _of_array(np.asarray(images))
    elif isinstance(images, Sequence) or hasattr(images, "__iter__"):
        for one in images:
            yield from _each(one)
    else:
        raise UserError(
            f"What was given ({type(images).__name__}) is no volume. Hand over nibabel images, arrays (i, j, k), or "
            "paths of NIfTI files."
        )


def _of_file(path: Path) -> Iterator[tuple[str, Grid, Any]]:
    header = read_header(path)
    grid = Grid(header.shape, header.affine)
    for frame in range(header.n_frames):
        chosen = frame if header.n_frames > 1 else None
        stem = path.name.split(".nii")[0]
        yield stem if chosen is None else f"{stem}_{frame}", grid, partial(read_nifti, path, chosen)


def _of_image(image: Any) -> Iterator[tuple[str, Grid, Any]]:
    shape = tuple(int(n) for n in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) not in (3, 4):
        raise UserError(f"An image has the shape {image.shape}; a volume has three axes, several volumes four.")
    _check_slices(shape)
    affine = np.eye(4) if image.affine is None else np.asarray(image.affine, dtype=np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        raise DataError("An image has an affine that is singular or no 4 x 4 matrix. Give it the one of its scan.")
    get = image.get_filename() if hasattr(image, "get_filename") else None
    stem = Path(get).name.split(".nii")[0] if get else ""
    grid = Grid((shape[0], shape[1], shape[2]), affine)
    for frame in range(shape[3] if len(shape) == 4 else 1):
        label = stem if len(shape) == 3 else f"{stem or 'volume'}_{frame}"
        yield label, grid, partial(_image_volume, image, frame, grid, str(get or ""))


def _check_slices(shape: Sequence[int]) -> None:
    if min(shape[:3]) == 1:
        written = " x ".join(map(str, shape[:3]))
        raise DataError(
            f"What was given has {written} voxels, a single slice: a 2-D image, not a volume, which needs at least two."
        )


def _image_volume(image: Any, frame: int, grid: Grid, source: str) -> Volume:
    """One volume of a nibabel image, in its own memory only where nibabel holds a file."""
    further = (frame, *(0,) * (len(image.shape) - 4)) if len(image.shape) > 3 else ()
    raw = np.asarray(image.dataobj[(slice(None), slice(None), slice(None), *further)])
    if raw.dtype.kind not in "biuf":
        raise DataError(f"An image holds {raw.dtype} voxels. Give one number per voxel.")
    return Volume(raw, grid.affine, source=source)


def _of_array(array: Any) -> Iterator[tuple[str, Grid, Any]]:
    if array.ndim == 5 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 4:
        for one in array:
            yield from _of_array(one)
        return
    if array.ndim != 3 or array.dtype.kind not in "biuf" or 0 in array.shape:
        raise UserError(
            f"An array of shape {array.shape} and type {array.dtype} is no volume. Give numbers on three axes (i, j, "
            "k)."
        )
    _check_slices(array.shape)
    volume = Volume(array, np.eye(4), notes=(_NO_AFFINE,))
    yield "", volume.grid, lambda: volume
