"""A DICOM series as a volume: stored numbers where one rescale serves all slices, and the exact way to RAS mm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.dicom_frames import Frame
from sensiview.datasets.dicom_pixels import Decoded, cut_to, decoded, opened
from sensiview.datasets.dicom_series import Series
from sensiview.datasets.dicom_values import text, whole
from sensiview.datasets.volume import Volume
from sensiview.errors import DataError

if TYPE_CHECKING:
    from pydicom import Dataset

Array = npt.NDArray[Any]
# A slice that lies further than this share of a voxel from where it was listed is another slice.
_MOVED = 0.6
_UNITS = {"BQML": "Bq/ml", "CNTS": "counts", "GML": "g/ml", "CM2ML": "cm2/ml", "PROPCNTS": "counts"}


def open_series(series: Series, on_progress: Callable[[float], None] | None = None) -> Volume:
    """Read the pixels of a series.

    Parameters
    ----------
    series : Series
        From `list_series` or `Series.from_plain`.
    on_progress : callable, optional
        Told the share of slices read, 0 to 1; what it raises (a stop) ends the reading.

    Returns
    -------
    Volume
        `raw` is (i, j, k): column, row and slice, a view of slices that lie one after the other in memory; the
        stored integers when all slices have one slope and intercept, float32 values otherwise, float32 with NaN in
        place of missing slices. The affine takes (i, j, k) to RAS mm; with a tilted gantry it has a shear.

    Raises
    ------
    DataError
        It is no volume, a file is gone, damaged, cut off or another one than when it was listed, no codec reads it,
        or it does not fit into memory.
    """
    if not series.readable or series.affine is None:
        reasons = " ".join(finding.sentence for finding in series.findings if finding.severity == "error")
        raise DataError(f"'{series.title}' can't be opened as a volume. {reasons}".strip())
    stack = _Stack(series)
    wanted: dict[int, dict[int, int]] = defaultdict(dict)
    for k, place in enumerate(series.places):
        if place is not None:
            wanted[place[0]][place[1]] = k
    told = on_progress or (lambda share: None)
    try:
        for done, (number, frames) in enumerate(wanted.items()):
            told(done / len(wanted))
            _read_file(stack, series, series.files[number], frames)
        told(1.0)
        return stack.volume()
    except MemoryError:
        raise _too_large(series) from None


def _read_file(stack: _Stack, series: Series, path: Path, frames: dict[int, int]) -> None:
    dataset = opened(path)
    described = _frames(path, dataset, series)
    for picture in decoded(path, dataset, list(frames), series.tiles):
        k = frames[picture.frame]
        _check_place(path, described.get(picture.frame), series, k)
        stack.put(path, k, picture, described[picture.frame])
    if not stack.unit:
        stack.unit = _unit(dataset)


def _frames(path: Path, dataset: Dataset, series: Series) -> dict[int, Frame]:
    from sensiview.datasets.dicom_frames import frames_of, mosaic_frames
    from sensiview.datasets.dicom_header import quietly

    with quietly():
        found = frames_of(dataset, {})
        if series.tiles:
            found = mosaic_frames(dataset, found[0])
        rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    if not rows or not columns:
        raise DataError(f"{path} is damaged: it is no image any more. Copy the series again from its source.")
    side = max(series.tiles, 1)
    if (rows // side, columns // side) != (series.rows, series.columns):
        raise _changed(path)
    return {frame.index: frame for frame in found}


def _check_place(path: Path, frame: Frame | None, series: Series, k: int) -> None:
    """Refuse a file that is not the slice it was when the series was listed: it would show the wrong anatomy."""
    if frame is None or frame.position is None or series.affine is None or series.spacing is None:
        raise _changed(path)
    expected = series.affine @ np.array([0.0, 0.0, k, 1.0])
    found = np.array([-frame.position[0], -frame.position[1], frame.position[2]])
    if np.linalg.norm(expected[:3] - found) > _MOVED * min(series.spacing):
        raise _changed(path)


def _changed(path: Path) -> DataError:
    return DataError(f"{path} is another slice than when the series was listed. Add the series again.")


def _too_large(series: Series) -> DataError:
    size = series.rows * series.columns * len(series.places) * 2 / 2**30
    return DataError(
        f"'{series.title}' has {series.columns} x {series.rows} x {len(series.places)} voxels, at least {size:.1f} "
        "GiB: more than the free memory. Close other data sets, or choose a coarser series."
    )


class _Stack:
    """Slices put together as they come: integers stay integers as long as that is exact."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self.shape = len(series.places), series.rows, series.columns
        self.buffer: Array | None = None
        self.scales = np.tile([[1.0, 0.0]], (len(series.places), 1))
        self.unit = ""
        self.padded = 0
        self.padding: tuple[float, float] | None = None
        self.bits: set[int] = set()
        self.ends = [0, 0]  # smallest and largest stored integer
        self.odd_bits = False
        self.tables = 0

    def put(self, path: Path, k: int, picture: Decoded, frame: Frame) -> None:
        """Take one slice."""
        values = picture.stored
        if values.dtype.byteorder not in "=|":
            values = values.astype(values.dtype.newbyteorder("="))
        if values.dtype == np.float64:
            values = values.astype(np.float32)
        if values.shape != self.shape[1:]:
            raise _changed(path)
        if self.buffer is None:
            self.buffer = self._made(values.dtype)
        wider = np.result_type(self.buffer, values)
        if wider != self.buffer.dtype:  # files of one series that differ in sign or width
            self.buffer = self.buffer.astype(np.float32 if wider == np.float64 else wider)
        self.buffer[k] = values
        if not picture.table:
            self.scales[k] = frame.slope, frame.intercept
        self.tables += picture.table
        if values.dtype.kind in "iu":
            self.bits.add(picture.bits)
            self.ends = [min(self.ends[0], int(values.min())), max(self.ends[1], int(values.max()))]
        if picture.padding is not None:
            self.padding = picture.padding
            self.padded += int(((values >= picture.padding[0]) & (values <= picture.padding[1])).sum())

    def _made(self, dtype: np.dtype[Any]) -> Array:
        import psutil

        needed = int(np.prod(self.shape, dtype=np.int64)) * dtype.itemsize
        if needed > psutil.virtual_memory().available:
            raise _too_large(self.series)
        return np.zeros(self.shape, dtype=dtype)

    def volume(self) -> Volume:
        """Return what was put together."""
        series, buffer = self.series, self.buffer
        if buffer is None or series.affine is None:
            raise DataError(f"'{series.title}' holds no slices.")
        buffer = self._signed(buffer)
        there = np.array([place is not None for place in series.places])
        scales = self.scales[there]
        slope, intercept = float(scales[0, 0]), float(scales[0, 1])
        if not there.all() or not (scales == scales[0]).all():
            if buffer.dtype != np.float32:
                buffer = buffer.astype(np.float32)
            for k in range(len(buffer)):  # slice by slice: no second copy of the whole
                buffer[k] *= np.float32(self.scales[k, 0])
                buffer[k] += np.float32(self.scales[k, 1])
            buffer[~there] = np.nan
            slope, intercept = 1.0, 0.0
        return Volume(
            raw=buffer.transpose(2, 1, 0),
            affine=series.affine.copy(),
            slope=slope,
            intercept=intercept,
            name=series.title,
            source=f"DICOM, {len(series.files):,} {'file' if len(series.files) == 1 else 'files'}",
            unit=self.unit,
            notes=(*(f.sentence for f in series.findings if f.kind not in ("no_name", "characters")), *self._notes()),
        )

    def _signed(self, buffer: Array) -> Array:
        """Give numbers their sign where it was stored in fewer bits than there are, which shows in the whole only."""
        bits = max(self.bits, default=0)
        if buffer.dtype.kind not in "iu" or not 0 < bits < buffer.dtype.itemsize * 8:
            return buffer
        signed = buffer.dtype.kind == "i"
        low, top = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        if low <= self.ends[0] and self.ends[1] <= top:
            return buffer
        if signed and len(self.bits) == 1 and self.ends[0] >= 0 and self.ends[1] < 1 << bits:
            return cut_to(buffer, bits)
        self.odd_bits = True
        return buffer

    def _notes(self) -> list[str]:
        notes = []
        if self.padding is not None and self.padded:
            share = 100 * self.padded / float(np.prod(self.shape))
            low, high = self.padding
            span = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            notes.append(
                f"{share:.1f} % of the voxels hold the stored number {span}, which marks what lies outside the "
                "measured field (Pixel Padding Value); they are kept."
            )
        if self.odd_bits:
            notes.append("Some numbers are larger than the headers' Bits Stored allows; they are kept as they are.")
        if self.tables:
            notes.append("Values come from a table in the headers (Modality LUT).")
        return notes


def _unit(dataset: Dataset) -> str:
    """Return the unit of the values: Hounsfield for CT, what the headers say for PET and dose, otherwise none."""
    kind = text(dataset, "RescaleType")
    if kind == "HU" or (text(dataset, "Modality") == "CT" and text(dataset, "RescaleSlope") and kind in ("", "US")):
        return "HU"
    if text(dataset, "DoseUnits") == "GY":
        return "Gy"
    return _UNITS.get(text(dataset, "Units"), "")
