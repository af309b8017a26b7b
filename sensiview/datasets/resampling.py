"""Volumes onto another grid: a template's, or that of one of them. Nothing is registered, only resampled."""

from __future__ import annotations

import gzip
import os
import warnings
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from sensiview.datasets.nifti_affine import write_affine
from sensiview.datasets.nifti_files import is_volume_name
from sensiview.datasets.nifti_header import read_header
from sensiview.datasets.volume import Grid, Volume
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import DataError, UserError, suggestion
from sensiview.files import write_atomically

Interpolation = Literal["continuous", "linear", "nearest"]

# The MNI152 template (ICBM 2009a, nonlinear, symmetric) in the box in which nilearn ships it: shape at 1, 2 and 3 mm as
# `nilearn.datasets.load_mni152_template` makes them.
_MNI_ORIGIN = (-98.0, -134.0, -72.0)
_MNI_SHAPES = {1: (197, 233, 189), 2: (99, 117, 95), 3: (67, 79, 64)}
# Of what is bright in a volume, the share that has to lie inside the template's box.
HARDLY = 0.5
_MOST_POINTS = 64
_MOST_VOXELS = 1 << 29


@dataclass(frozen=True, eq=False)
class Template:
    """A grid to resample to; `space` is what its coordinates mean (``mni``, ``scanner``, ...)."""

    name: str
    grid: Grid
    space: str


def templates() -> dict[str, str]:
    """Return the names of the templates that come along, and what they are."""
    return {f"mni152_{mm}mm": f"MNI152, {mm} mm, {' x '.join(map(str, shape))}" for mm, shape in _MNI_SHAPES.items()}


def find_template(text: str, volumes: VolumeSet, spacing: float | None = None) -> Template:
    """Return a grid by name.

    Parameters
    ----------
    text : str
        ``mni152`` (3 mm unless `spacing` says otherwise), ``mni152_1mm``, ``mni152_2mm``, ``mni152_3mm``; the name of
        one of the volumes; or the path of a NIfTI file.
    volumes : VolumeSet
        What will be resampled.
    spacing : float, optional
        Edge of the voxels in mm, over the same box; as the template has it when not given.

    Raises
    ------
    UserError
        There is nothing of that name, or it would have too many voxels.
    DataError
        The file can't be read.
    """
    wanted = text.strip()
    if wanted.lower() == "mni152":
        exact = spacing is None or spacing in _MNI_SHAPES
        wanted, spacing = f"mni152_{spacing or 3:g}mm" if exact else "mni152_1mm", None if exact else spacing
    found = _named(wanted, volumes)
    return found if spacing is None else with_spacing(found, spacing)


def with_spacing(template: Template, mm: float) -> Template:
    """Return a template with cubic voxels of `mm`, whose box begins where it began and covers it.

    Raises
    ------
    UserError
        It would have more than half a billion voxels.
    """
    old = template.grid
    scale = mm / np.array(old.spacing)
    if np.prod(np.array(old.shape) / scale) > _MOST_VOXELS:
        raise UserError(
            f"With voxels of {mm:g} mm {template.name} would have more than {_MOST_VOXELS:,} voxels. "
            "Choose larger ones."
        )
    first, second, third = (int(n) for n in np.maximum(1, np.ceil(np.array(old.shape) / scale - 1e-6)))
    affine = old.affine.copy()
    affine[:3, :3] = old.affine[:3, :3] * scale
    affine[:3, 3] = (old.affine @ np.append(0.5 * (scale - 1), 1.0))[:3]
    return Template(
        f"{template.name.removesuffix('_1mm')} at {mm:g} mm", Grid((first, second, third), affine), template.space
    )


def _named(wanted: str, volumes: VolumeSet) -> Template:
    for mm, shape in _MNI_SHAPES.items():
        if wanted.lower() == f"mni152_{mm}mm":
            affine = np.diag([mm, mm, mm, 1.0])
            affine[:3, 3] = _MNI_ORIGIN
            return Template(wanted.lower(), Grid(shape, affine), "mni")
    if wanted in volumes.names:
        entry = volumes.entries[volumes.names.index(wanted)]
        return Template(wanted, entry.grid, str(volumes.card.extra.get("space", "unknown")))
    path = Path(wanted).expanduser()
    if wanted and (is_volume_name(path) or os.path.lexists(path)):
        header = read_header(path)
        return Template(path.name, Grid(header.shape, header.affine), header.space)
    known = [*templates(), *volumes.names]
    raise UserError(
        f"There is no template '{wanted}'. Choose {', '.join(templates())}, the name of a volume, or a NIfTI file."
        f"{suggestion(wanted, known) if len(known) > 30 else ''}"
    )


def share_inside(volume: Volume, grid: Grid) -> float:
    """Return which share of what is bright in a volume (above its mean) lies inside the box of a grid, 0 to 1.

    At most 64 voxels along each axis are looked at.
    """
    steps = [max(1, -(-n // _MOST_POINTS)) for n in volume.raw.shape]
    values = np.nan_to_num(volume.scaled(volume.raw[:: steps[0], :: steps[1], :: steps[2]]), posinf=0.0, neginf=0.0)
    bright = values > values.mean(dtype=np.float64)
    if not bright.any():
        bright = np.ones(values.shape, dtype=bool)
    voxels = np.argwhere(bright) * steps
    there = np.linalg.solve(grid.affine, volume.affine @ np.c_[voxels, np.ones(len(voxels))].T)[:3]
    edges = np.array(grid.shape)[:, None] - 0.5
    return float(np.mean(((there >= -0.5) & (there <= edges)).all(axis=0)))


def resample_volume(volume: Volume, grid: Grid, interpolation: Interpolation = "linear") -> Volume:
    """Return the volume on another grid, by its place in mm; 0 outside of it.

    Parameters
    ----------
    volume : Volume
    grid : Grid
        The new one.
    interpolation : str
        ``continuous`` (cubic splines, kept within the range of the values), ``linear``, or ``nearest``, which
        keeps the values and for integers the type.

    Returns
    -------
    Volume
        float32, or the integers of the file for ``nearest``.
    """
    from nilearn.image import resample_img

    nibabel: Any = import_module("nibabel")  # typed only in part
    whole = interpolation == "nearest" and volume.raw.dtype.kind in "iu" and (volume.slope, volume.intercept) == (1, 0)
    values = _storable(np.asarray(volume.raw)) if whole else np.nan_to_num(volume.values(), posinf=0.0, neginf=0.0)
    if volume.grid.same_as(grid):
        return Volume(values, grid.affine, name=volume.name, source=volume.source, unit=volume.unit)
    with warnings.catch_warnings():
        # About casts and copied headers: the values are as asked for, and the header is ours.
        warnings.simplefilter("ignore")
        made = resample_img(
            nibabel.Nifti1Image(values, volume.affine),
            target_affine=grid.affine,
            target_shape=grid.shape,
            interpolation=interpolation,
            clip=interpolation == "continuous",
            copy_header=True,
        )
    raw = np.asarray(made.dataobj)
    raw = raw if whole else raw.astype(np.float32, copy=False)
    return Volume(raw, grid.affine, name=volume.name, source=volume.source, unit=volume.unit)


def _storable(values: Any) -> Any:
    """Integers in a type that every program reads; 64 bits are not such a type."""
    if values.dtype.itemsize < 8:
        return values.astype(values.dtype.newbyteorder("="))
    small = np.iinfo(np.int32)
    fits = values.size == 0 or (values.min() >= small.min and values.max() <= small.max)
    return values.astype(np.int32 if fits else np.float64)


def write_volume(volume: Volume, path: Path, space: str = "unknown") -> None:
    """Write a volume as .nii.gz, its affine as `write_affine` does; the same volume gives the same bytes.

    Raises
    ------
    DataError
        There is no room or no permission.
    """
    nibabel: Any = import_module("nibabel")
    plain = (volume.slope, volume.intercept) == (1.0, 0.0)
    image = nibabel.Nifti1Image(_storable(np.asarray(volume.raw)) if plain else volume.values(), volume.affine)
    write_affine(image, volume.affine, space)
    try:
        write_atomically(path, partial(_compress, image.to_bytes()))
    except OSError as error:
        raise DataError(
            f"{path} can't be written ({error.strerror}). Make room on the disk, or check the folder."
        ) from None


def _compress(content: bytes, stream: BinaryIO) -> None:
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=4, mtime=0) as packed:
        packed.write(content)
