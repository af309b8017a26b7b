"""Arrays for other programs: NPZ with one array per axis, and NIfTI in the input's own grid."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from sensiview.analysis.items import Array, FieldMap, ImageSeries, Item, Matrix
from sensiview.errors import SensiViewError
from sensiview.reporting.files import write_file

_SPATIAL = ("x", "y", "z")
# NIfTI-1 has seven dimensions.
_MOST_DIMENSIONS = 7
# Axes whose labels are numbers, written as text for people.
_COUNTED = ("step", "lambda_1", "lambda_2")
_RESERVED = ("values", "affine", "spacing", "unit", "file")


def item_arrays(item: Item) -> dict[str, Array] | None:
    """Return an item as named arrays, or None for one without.

    ``values``, and under each axis's name its labels (numbers for steps and weights), or 0, 1, 2, ... where it has
    none; an axis whose name is taken gets ``_axis`` behind it. ``affine`` (4, 4) maps voxel (x, y, z) to RAS
    millimetres; ``spacing`` and ``unit`` where known.

    Raises
    ------
    SensiViewError
        The values are neither numbers nor text.
    """
    more: dict[str, Array] = {}
    axes: Sequence[str]
    if isinstance(item, FieldMap):
        axes, labels, values, unit = item.axes, dict(item.coordinates), item.values, item.unit
        if item.affine is not None:
            more["affine"] = np.asarray(item.affine, dtype=np.float64)
        if item.spacing is not None:
            more["spacing"] = np.asarray(item.spacing, dtype=np.float64)
    elif isinstance(item, ImageSeries):
        axes, labels = (item.axis, "y", "x", "channel"), {item.axis: item.labels}
        values, unit = item.values, item.unit
    elif isinstance(item, Matrix):
        axes, labels = (item.row_axis, item.column_axis), {}
        values, unit = item.values, item.unit
    else:
        return None
    arrays: dict[str, Array] = {"values": np.asarray(values)}
    per_axis = [labels.get(axis) for axis in axes]
    if isinstance(item, Matrix):
        per_axis = [item.rows, item.columns]
    for axis, known, size in zip(axes, per_axis, arrays["values"].shape, strict=True):
        name = f"{axis}_axis" if axis in _RESERVED or axis in arrays else axis
        arrays[name] = _labels(axis, known) if known is not None else np.arange(size)
    if arrays["values"].dtype.hasobject:
        raise SensiViewError(f"'{item.title}' holds objects, not numbers; it can't be exported.")
    return {**arrays, **more, "unit": np.array(unit, dtype=np.str_)}


def _labels(axis: str, known: Sequence[str]) -> Array:
    if axis in _COUNTED:
        try:
            numbers = np.array([float(label) for label in known])
        except ValueError:
            return np.array(known, dtype=np.str_)
        whole = bool(np.all(numbers == np.round(numbers)))
        return numbers.astype(np.int64) if whole else numbers
    return np.array(known, dtype=np.str_)


def write_npz(arrays: dict[str, Array], path: Path) -> Path:
    """Write arrays, compressed, without pickle; UserError when the file can't be written."""
    return write_file(path, lambda stream: np.savez_compressed(stream, **cast("dict[str, Any]", arrays)))


def write_nifti(item: FieldMap, path: Path, space: str = "unknown") -> Path | None:
    """Write a map that has an affine as ``.nii.gz``; None when its axes are not those of a volume.

    The file's first three axes are x, y, z of the input, whatever the order in memory, with the input's
    affine unchanged and its code for what coordinates mean; other axes (image, channel, ...) follow as fourth, fifth,
    ... dimension.

    Parameters
    ----------
    item : FieldMap
    path : Path
    space : str
        What the input's coordinates mean: ``mni``, ``scanner``, ``aligned``, ...

    Raises
    ------
    UserError
        The file can't be written.
    """
    import nibabel

    from sensiview.datasets.nifti_affine import write_affine

    volume = _volume(item)
    if volume is None or item.affine is None:
        return None
    nifti: Any = nibabel.Nifti1Image  # nibabel is typed only in part
    affine = np.asarray(item.affine, dtype=np.float64)
    image = nifti(volume, affine)
    write_affine(image, affine, space)
    image.header["descrip"] = item.title.encode("ascii", "replace")[:79]

    def write(stream: BinaryIO) -> None:
        # No name and no time in the header: the same map gives the same file.
        with gzip.GzipFile(filename="", mode="wb", fileobj=stream, compresslevel=6, mtime=0) as packed:
            image.to_stream(packed)

    return write_file(path, write)


def _volume(item: FieldMap) -> Array | None:
    """Return the values in the order x, y, z, others, as a type that NIfTI knows."""
    if not {"x", "y"} <= set(item.axes) or len(set(item.axes)) != len(item.axes):
        return None
    values, axes = np.asarray(item.values), list(item.axes)
    if "z" not in axes:
        values, axes = values[..., np.newaxis], [*axes, "z"]
    order = [axes.index(axis) for axis in _SPATIAL] + [i for i, axis in enumerate(axes) if axis not in _SPATIAL]
    values = values.transpose(order)
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim > _MOST_DIMENSIONS:
        return None
    return np.ascontiguousarray(values.astype(_nifti_type(values), copy=False))


def _nifti_type(values: Array) -> type[np.generic]:
    """Return the type to store: programs read few of NIfTI's, so the nearest one that loses nothing."""
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "b":
        return np.uint8
    if kind == "f":
        return np.float64 if size > 4 else np.float32
    lowest, highest = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for candidate in (np.uint8, np.int16, np.int32):
        if np.iinfo(candidate).min <= lowest and highest <= np.iinfo(candidate).max:
            return candidate
    return np.float64
