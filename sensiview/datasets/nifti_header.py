"""The header of a NIfTI file: what it promises, checked, without touching a voxel."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.datasets.nifti_affine import Space, affine_of
from sensiview.datasets.nifti_files import Pair, header_and_image, is_compressed, unreadable_volume
from sensiview.errors import DataError

_NIFTI1, _NIFTI2 = 348, 540
_SINGLE = (b"n+1\0", b"n+2\0")
_PAIR = (b"ni1\0", b"ni2\0")
_LABEL_INTENT = 1002
# Bytes at the beginning of files that people take for NIfTI, and how to get one from them.
_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (128, b"DICM", "a DICOM image; add its folder as DICOM"),
    (0, b"NRRD", "an NRRD volume; convert it to NIfTI (3D Slicer, ITK-SNAP)"),
    (0, b"\x89HDF", "an HDF5 or MINC file; convert it to NIfTI (mnc2nii)"),
    (0, b"CDF", "a MINC file; convert it to NIfTI (mnc2nii)"),
    (0, b"\0\0\0\x01\0\0", "a FreeSurfer volume; convert it to NIfTI (mri_convert)"),
    (0, b"\x89PNG", "a PNG picture; add it as images"),
    (0, b"\xff\xd8\xff", "a JPEG picture; add it as images"),
    (0, b"PK\x03\x04", "a zip archive; unpack it first"),
    (0, b"BZh", "compressed with bzip2; unpack it first"),
    (0, b"\xfd7zXZ", "compressed with xz; unpack it first"),
    (0, b"(\xb5/\xfd", "compressed with zstd; unpack it first"),
    (0, b"ENVI", "the header of an ENVI image, not of a NIfTI volume"),
    (0, b"version https://git-lfs", "a placeholder of Git LFS; fetch the real file (git lfs pull)"),
    (0, b"/annex/", "a placeholder of git-annex; fetch the real file (datalad get)"),
)


@dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a file says of itself.

    Parameters
    ----------
    path, image : Path
        The file that was named, and the one that holds the voxels (another one for .hdr/.img pairs).
    compressed : bool
        The voxels are compressed with gzip, whatever the file is called.
    dtype : numpy.dtype
        On disk, with its byte order.
    offset : int
        First byte of the voxels, after decompression.
    shape : tuple of three int
        Of one volume (i, j, k).
    frames : tuple of int
        Lengths of the further axes that are not 1; empty for a 3-D file.
    affine : ndarray
        (4, 4), voxel to RAS mm; invertible.
    slope, intercept : float
        A value is ``raw * slope + intercept``.
    space : str
        What the spatial code says the coordinates mean: ``mni``, ``talairach``, ``template``, ``scanner``,
        ``aligned`` (to another image) or ``unknown``.
    is_labels : bool
        The header declares labels.
    notes : tuple of str
        Sentences about what is unusual.
    """

    path: Path
    image: Path
    compressed: bool
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, int, int]
    frames: tuple[int, ...]
    affine: npt.NDArray[np.float64]
    slope: float
    intercept: float
    space: Space
    is_labels: bool
    notes: tuple[str, ...]

    @property
    def n_frames(self) -> int:
        """How many volumes the file holds."""
        return int(np.prod(self.frames, dtype=np.int64)) if self.frames else 1

    @property
    def frame_bytes(self) -> int:
        """Bytes of one volume on disk."""
        first, second, third = self.shape
        return first * second * third * self.dtype.itemsize

    @property
    def files(self) -> tuple[Path, ...]:
        """The file, or the header and the image of a pair."""
        return (self.path,) if self.path == self.image else (self.path, self.image)


def read_header(path: Path) -> NiftiHeader:
    """Read and check the header of .nii, .nii.gz, .hdr/.img (NIfTI-1 and -2, either byte order; Analyze 7.5).

    Raises
    ------
    DataError
        The file is missing, unreadable, empty, damaged, no NIfTI, a 2-D image, of colours or complex numbers, or has
        sizes or an orientation that can't be used.
    """
    path = Path(path)
    pair = header_and_image(path)
    head = _beginning(pair)
    header, kind = _parse(pair, head)
    shape, frames = _sizes(path, header)
    dtype = _dtype(path, header)
    notes: list[str] = []
    affine, space = affine_of(path, header, analyze=kind == "analyze", notes=notes)
    slope, intercept = _scaling(path, header, dtype, notes)
    image = pair.header if kind == "single" else pair.image
    if image is None:
        raise DataError(
            f"{path} is only the header of a pair: the file with the voxels, {path.stem}.img, does not lie beside it. "
            "Put it there."
        )
    return NiftiHeader(
        path=pair.header,
        image=image,
        compressed=is_compressed(image),
        dtype=dtype,
        offset=_offset(path, header, kind, notes),
        shape=shape,
        frames=frames,
        affine=affine,
        slope=slope,
        intercept=intercept,
        space=space,
        is_labels=kind != "analyze" and int(header["intent_code"]) == _LABEL_INTENT,
        notes=tuple(notes),
    )


def _beginning(pair: Pair) -> bytes:
    path = pair.header
    try:
        if not is_compressed(path):
            with path.open("rb") as stream:
                return stream.read(_NIFTI2)
        with gzip.open(path, "rb") as unpacked:
            return unpacked.read(_NIFTI2)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise DataError(f"{path} is damaged: it can't be decompressed. Copy or download it again.") from None
    except OSError as error:
        raise unreadable_volume(path, error) from None


def _parse(pair: Pair, head: bytes) -> tuple[Any, Literal["single", "pair", "analyze"]]:
    """Return nibabel's header, unchecked, and how the voxels are stored."""
    nibabel: Any = import_module("nibabel")  # typed only in part
    path = pair.header
    for order, sign in (("little", "<"), ("big", ">")):
        size = int.from_bytes(head[:4], order)  # type: ignore[arg-type]
        if size not in (_NIFTI1, _NIFTI2):
            continue
        if len(head) < size:
            raise DataError(f"{path} is cut short inside its header ({len(head)} bytes). Copy or download it again.")
        magic = head[344:348] if size == _NIFTI1 else head[4:8]
        if magic in _SINGLE + _PAIR:
            form = nibabel.Nifti1Header if size == _NIFTI1 else nibabel.Nifti2Header
            header = form(head[:size], endianness=sign, check=False)
            return header, "single" if magic in _SINGLE else "pair"
        if size == _NIFTI1 and pair.image is not None and pair.image != path:
            return nibabel.Spm99AnalyzeHeader(head[:size], endianness=sign, check=False), "analyze"
    other = next((what for place, sign, what in _OTHERS if head[place : place + len(sign)] == sign), "")
    what = f"It is {other}." if other else "Its beginning is not that of one. Choose the file that holds the volume."
    raise DataError(f"{path} is not a NIfTI volume. {what}")


def _sizes(path: Path, header: Any) -> tuple[tuple[int, int, int], tuple[int, ...]]:
    dims = [int(n) for n in header["dim"]]
    count = dims[0]
    if not 1 <= count <= 7:
        raise DataError(f"The header of {path} is damaged: it says {count} dimensions. Export the volume again.")
    sizes = dims[1 : count + 1]
    if any(n < 1 for n in sizes):
        written = " x ".join(map(str, sizes))
        raise DataError(f"The header of {path} is damaged: it says {written} voxels. Export the volume again.")
    if len(sizes) < 3 or min(sizes[:3]) == 1:
        written = " x ".join(str(n) for n in sizes if n > 1) or "1"
        raise DataError(
            f"{path} holds {written} voxels in a single slice: a 2-D image, not a volume, which needs at least two. "
            "Add it as an image, or choose the volume it was taken from."
        )
    return (sizes[0], sizes[1], sizes[2]), tuple(n for n in sizes[3:] if n > 1)


def _dtype(path: Path, header: Any) -> np.dtype[Any]:
    from nibabel.spatialimages import HeaderDataError

    try:
        dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    except (HeaderDataError, KeyError, TypeError):
        code = int(header["datatype"])
        raise DataError(
            f"{path} stores its voxels in a form that can't be read (data type {code}). Convert it to 16-bit integers "
            "or 32-bit floating point."
        ) from None
    if dtype.fields is not None:
        raise DataError(
            f"{path} holds colours (RGB), not one value per voxel: it is a picture of a volume. Choose the volume it "
            "was made from."
        )
    if dtype.kind == "c":
        raise DataError(
            f"{path} holds complex numbers. Save their magnitude as a volume (fslcomplex -realabs), and add that."
        )
    if dtype.kind not in "iuf":
        raise DataError(f"{path} does not hold numbers ({dtype}). Convert it to 16-bit integers or floating point.")
    return dtype


def _offset(path: Path, header: Any, kind: str, notes: list[str]) -> int:
    offset = float(header["vox_offset"])
    if not np.isfinite(offset) or offset < 0 or offset != int(offset):
        raise DataError(f"The header of {path} is damaged: its voxels begin at byte {offset:g}. Export it again.")
    least = int(header.sizeof_hdr) + 4 if kind == "single" else 0
    if offset < least:
        notes.append(f"The header says that voxels begin at byte {int(offset)}; taken as {least}, the first possible.")
        return least
    return int(offset)


def _scaling(path: Path, header: Any, dtype: np.dtype[Any], notes: list[str]) -> tuple[float, float]:
    names = header.keys()
    slope = float(header["scl_slope"]) if "scl_slope" in names else 1.0
    intercept = float(header["scl_inter"]) if "scl_inter" in names else 0.0
    if slope == 0 or not np.isfinite(slope):  # the standard's way to say: not scaled
        if np.isinf(slope):
            notes.append("The scale factor (scl_slope) is infinite and was ignored.")
        return 1.0, 0.0
    if not np.isfinite(intercept):
        raise DataError(
            f"The header of {path} scales values by {slope:g} and adds {intercept:g}, which is no number. Correct "
            "scl_inter, or export the volume again."
        )
    largest = float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0
    if largest * abs(slope) + abs(intercept) > float(np.finfo(np.float32).max):
        notes.append(
            f"The scale factor (scl_slope {slope:g}) is so large that values become infinite. Check the file it was "
            "exported from."
        )
    return slope, intercept
