"""Reading NIfTI volumes: slices come from a memory map, whatever the size of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.nifti_files import unreadable_volume, volume_stem
from sensiview.datasets.nifti_header import NiftiHeader, read_header
from sensiview.datasets.volume import Volume
from sensiview.datasets.volume_cache import unpacked
from sensiview.errors import DataError, UserError

__all__ = ["NiftiHeader", "open_header", "read_header", "read_nifti"]


def read_nifti(path: Path, frame: int | None = None) -> Volume:
    """Open a volume: .nii, .nii.gz, .hdr/.img; NIfTI-1 and -2, either byte order, and Analyze 7.5.

    An uncompressed file is mapped into memory and read slice by slice as it is used; a compressed one is checked and
    unpacked into the cache first. Nothing of the voxels is converted: `Volume.raw` has the type of the file, with slope
    and intercept beside it.

    Parameters
    ----------
    path : Path
        The file; of a pair either one.
    frame : int, optional
        Which volume of a 4-D file, from 0; for files with more axes the volumes are counted with the fourth axis
        running fastest. A file with one volume needs none.

    Returns
    -------
    Volume
        (i, j, k) in the file's own order; `notes` say what is unusual about the header.

    Raises
    ------
    DataError
        As `read_header`; voxels missing at the end; a 4-D file without a choice.
    UserError
        There is no such volume in the file.
    """
    return open_header(read_header(Path(path)), frame)


def open_header(header: NiftiHeader, frame: int | None = None) -> Volume:
    """Open the volume of a header that was read before; as `read_nifti`."""
    place = _chosen(header, frame)
    notes = list(header.notes)
    if header.n_frames > 1:
        notes.append(f"Volume {place} of {header.n_frames:,} in the file.")
    name = volume_stem(header.path)
    return Volume(
        raw=_voxels(header, place),
        affine=header.affine,
        slope=header.slope,
        intercept=header.intercept,
        name=name if header.n_frames == 1 else f"{name}_{place}",
        source=str(header.path),
        notes=tuple(notes),
    )


def _chosen(header: NiftiHeader, frame: int | None) -> int:
    count = header.n_frames
    if frame is None:
        if count > 1:
            raise DataError(
                f"{header.path} is a 4-D file of {count:,} volumes. Choose one of them by its number, 0 to "
                f"{count - 1:,}."
            )
        return 0
    if not 0 <= frame < count:
        held = "one volume, number 0" if count == 1 else f"{count:,} volumes, 0 to {count - 1:,}"
        raise UserError(f"There is no volume {frame} in {header.path}: it holds {held}.")
    return frame


def _voxels(header: NiftiHeader, place: int) -> npt.NDArray[Any]:
    size = header.frame_bytes * header.n_frames
    if header.compressed:
        first = place * header.frame_bytes
        content = unpacked(header.image, offset=header.offset, size=size)[first : first + header.frame_bytes]
        return content.view(header.dtype).reshape(header.shape, order="F")
    try:
        there = header.image.stat().st_size - header.offset
        if there < size:
            raise DataError(
                f"{header.image} is cut short: its header promises {size:,} bytes of voxels and {max(there, 0):,} are "
                "there. Copy or download it again."
            )
        return np.memmap(
            header.image,
            dtype=header.dtype,
            mode="r",
            offset=header.offset + place * header.frame_bytes,
            shape=header.shape,
            order="F",
        )
    except OSError as error:
        raise unreadable_volume(header.image, error) from None
