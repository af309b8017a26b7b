"""Reading an atlas: a volume of labels from any file nibabel opens, and the names that lie beside it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.atlas_beside import ENDING, complete_names, names_for
from sensiview.datasets.atlas_names import NAME_ENDINGS
from sensiview.datasets.volume import Grid
from sensiview.errors import DataError

_WHOLE = 1e-3  # labels went through a scale factor in float32
_IMAGE_LABELS = 60  # from so many labels on, an atlas is told from a picture by its neighbours
_EQUAL_NEIGHBOURS = 0.3
_MOST_LABELS = 20_000


@dataclass(frozen=True, eq=False)
class Atlas:
    """A volume of labels with names.

    Parameters
    ----------
    labels : ndarray
        (i, j, k), int32, in the file's own order; 0 is no region.
    affine : ndarray
        (4, 4), voxel to RAS mm.
    names : dict of int to str
        Of every label that has voxels, ascending by label, each name once.
    name, source : str
        For people: what it is called, and the file it comes from.
    findings : tuple of str
        Sentences about what was found while reading: labels without a name, names without voxels, repeated names.
    space : str
        ``mni`` where the header says so (form code 4), ``talairach`` (3), else empty.
    """

    labels: npt.NDArray[np.int32]
    affine: npt.NDArray[np.float64]
    names: dict[int, str]
    name: str = ""
    source: str = ""
    findings: tuple[str, ...] = ()
    space: str = ""

    @property
    def grid(self) -> Grid:
        """Shape and affine."""
        i, j, k = self.labels.shape
        return Grid((i, j, k), self.affine)


def open_atlas(path: Path | str, names_path: Path | str | None = None) -> Atlas:
    """Return an atlas from a label volume, with the names given or found beside it.

    Looked for are files of the same stem (``aal.nii.gz``: ``aal.tsv``, ``aal.nii.txt``, ``aal.xml``, ...), a
    ``_dseg.tsv`` that says less than the volume's name does (BIDS), and in the folder and the one above FSL's XML that
    names the volume. The first one that fits any of the labels is taken. A file that says its index in several
    ways is understood so that most of the labels have a name.

    Parameters
    ----------
    path : path
        NIfTI (3-D), Analyze, MGH or MINC.
    names_path : path, optional
        The list of names; must fit.

    Raises
    ------
    DataError
        It can't be read, is 4-D, holds no whole numbers (a probability map, an interpolated atlas, a picture), is
        empty, has no usable affine, or the names given are not those of its labels.
    """
    file = Path(path)
    raw, affine, space = _read(file)
    labels, findings = _as_labels(raw, file.name)
    present = present_labels(labels)
    if present.size == 0:
        raise DataError(f"'{file.name}' has no labelled voxel: all are 0. Choose the atlas's label volume.")
    _refuse_picture(labels, present, file.name)
    found = names_for(file, Path(names_path) if names_path else None, [int(i) for i in present])
    names, said = complete_names(found, [int(i) for i in present])
    return Atlas(labels, affine, names, ENDING.sub("", file.name), str(file), (*findings, *said), space)


def _read(file: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64], str]:
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    try:
        image: Any = nibabel.load(file)
        if not hasattr(image, "affine"):
            raise DataError(f"'{file.name}' is not a volume (a surface or a table?). Choose the label volume in NIfTI.")
        shape = tuple(n for n in image.shape[3:] if n != 1)
        if len(image.shape) < 3 or shape:
            raise DataError(_wrong_dimensions(file.name, image.shape))
        raw = np.asanyarray(image.dataobj)
        _check_sum(file)
    except FileNotFoundError:
        raise DataError(f"There is no atlas '{file}'. Choose the file where it lies now.") from None
    except ImageFileError as error:
        hint = " Choose the label volume; its names are found beside it." if file.suffix in NAME_ENDINGS else ""
        raise DataError(f"'{file.name}' is not a volume that can be read (NIfTI, MGH).{hint}") from error
    except MemoryError:
        raise DataError(f"The atlas '{file.name}' is larger than the memory. Resample it to a coarser grid.") from None
    except (OSError, EOFError, ValueError, TypeError, zlib.error) as error:
        # Only what the system says has a number; a file cut short has not.
        why = error.strerror if isinstance(error, OSError) and error.errno else "it is damaged or incomplete"
        raise DataError(
            f"The atlas '{file.name}' can't be read: {why}. Copy or download it again.", details=repr(error)
        ) from error
    affine = np.asarray(image.affine, dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise DataError(f"'{file.name}' does not say where its voxels lie (its affine is zero or singular).")
    header = image.header
    codes = (
        {int(header[key]) for key in ("sform_code", "qform_code") if key in header} if "sform_code" in header else ()
    )
    space = "mni" if 4 in codes else "talairach" if 3 in codes else ""
    return raw.reshape(raw.shape[:3]), affine, space


def _check_sum(file: Path) -> None:
    """Read a compressed file to its end: only there zlib compares the check sum, and nibabel stops before."""
    if file.suffix.lower() in (".gz", ".mgz"):
        with gzip.open(file) as stream:
            while stream.read(1 << 20):
                pass


def _wrong_dimensions(name: str, shape: Sequence[int]) -> str:
    if len(shape) < 3:
        return f"'{name}' has {len(shape)} dimensions; an atlas is a volume with three."
    n = int(np.prod(shape[3:]))
    return (
        f"'{name}' has four dimensions: a probabilistic atlas with {n} maps, one for each region. Choose its "
        "maximum-probability volume, in which each voxel holds the number of one region."
    )


def _as_labels(raw: npt.NDArray[Any], name: str) -> tuple[npt.NDArray[np.int32], list[str]]:
    findings: list[str] = []
    if raw.dtype.kind not in "iufb":
        raise DataError(f"'{name}' holds colours or complex numbers; an atlas holds whole numbers.")
    whole = raw
    if raw.dtype.kind == "f":
        bad = ~np.isfinite(raw)
        if bad.any():
            findings.append(f"{int(bad.sum()):,} voxels are not numbers (NaN) and count as no region.")
            raw = np.where(bad, 0, raw)
        whole = np.rint(raw)
        off = np.abs(raw - whole) > _WHOLE
        if off.any():
            raise DataError(_not_whole(raw, off, name))
    if whole.size and (float(whole.min()) < -(2**31) or float(whole.max()) >= 2**31):
        raise DataError(f"'{name}' has labels beyond 2,147,483,647; number its regions anew.")
    return np.ascontiguousarray(whole.astype(np.int32)), findings


def _not_whole(raw: npt.NDArray[Any], off: npt.NDArray[np.bool_], name: str) -> str:
    example = float(raw.ravel()[np.flatnonzero(off)[0]])
    share = float(off.sum()) / max(1, int(np.count_nonzero(raw)))
    if float(raw.min()) >= 0 and float(raw.max()) <= 1 + _WHOLE:
        return (
            f"'{name}' is a probability map with values between 0 and 1, not a label volume. Choose the "
            "maximum-probability volume of the atlas."
        )
    return (
        f"'{name}' holds values between whole numbers ({example:.4g}, in {100 * share:.0f} % of its voxels that are "
        "not 0): an atlas that was interpolated, or a picture. Resample the original with nearest neighbour."
    )


def present_labels(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the labels that occur, ascending, without 0."""
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    if high - low < 1 << 22:
        # Counting takes a tenth of the time of sorting.
        found = np.flatnonzero(np.bincount(labels.ravel().astype(np.intp) - low)).astype(np.int64) + low
    else:
        found = np.unique(labels).astype(np.int64)
    return np.asarray(found[found != 0], dtype=np.int64)


def _refuse_picture(labels: npt.NDArray[np.int32], present: npt.NDArray[np.int64], name: str) -> None:
    """Raise DataError for whole numbers that are grey values: neighbours of a region carry the same label."""
    if present.size < _IMAGE_LABELS:
        return
    equal = inside = 0
    for axis in range(3):
        one, other = np.moveaxis(labels, axis, 0)[:-1], np.moveaxis(labels, axis, 0)[1:]
        both = (one != 0) & (other != 0)
        inside += int(both.sum())
        equal += int((both & (one == other)).sum())
    if present.size > _MOST_LABELS or equal < _EQUAL_NEIGHBOURS * inside:
        raise DataError(
            f"'{name}' looks like a picture, not an atlas: {present.size:,} different values, and neighbouring voxels "
            "rarely share one. Choose the label volume."
        )
