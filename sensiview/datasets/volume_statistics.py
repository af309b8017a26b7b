"""Numbers about the voxels of a volume, chunk by chunk, and what is odd about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from sensiview.datasets.volume import Volume

# Voxels converted at a time: 16 MB of float32.
_CHUNK = 1 << 22
# Up to here every voxel is looked at; of larger volumes as many, in whole slices spread over the volume.
MOST_VOXELS = 1 << 25


@dataclass(frozen=True)
class VoxelStatistics:
    """What the voxels of one volume are.

    Parameters
    ----------
    n, seen : int
        Voxels of the volume, and how many of them were looked at: fewer only for very large volumes.
    nan, infinite : int
        Of those seen.
    minimum, maximum, mean, std : float
        Over finite voxels; `std` with n in the denominator. 0 when there are none.
    nonzero_share, finite_share : float
        Of the voxels seen, 0 to 1.
    """

    n: int
    seen: int
    nan: int
    infinite: int
    minimum: float
    maximum: float
    mean: float
    std: float
    nonzero_share: float
    finite_share: float

    @property
    def constant(self) -> bool:
        """Whether all finite voxels seen are the same."""
        return self.finite_share > 0 and self.minimum == self.maximum

    def to_plain(self) -> dict[str, float]:
        """Return JSON values."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def voxel_statistics(volume: Volume, most_voxels: int = MOST_VOXELS) -> VoxelStatistics:
    """Look at a volume slice by slice; at most `most_voxels` voxels are read and none are kept."""
    seen = nan = finite = nonzero = 0
    low, high = np.inf, -np.inf
    mean = squares = 0.0  # of the values so far, after Chan, Golub & LeVeque (1983)
    for values in _chunks(volume, most_voxels):
        seen += values.size
        if volume.raw.dtype.kind == "f" or not np.isfinite(volume.slope):
            nan += int(np.count_nonzero(np.isnan(values)))
        usable = values if np.isfinite(values).all() else values[np.isfinite(values)]
        if not usable.size:
            continue
        nonzero += int(np.count_nonzero(usable))
        low, high = min(low, float(usable.min())), max(high, float(usable.max()))
        count, here = usable.size, float(usable.mean(dtype=np.float64))
        apart, finite = here - mean, finite + count
        squares += float(usable.var(dtype=np.float64)) * count + apart**2 * count * (finite - count) / finite
        mean += apart * count / finite
    return VoxelStatistics(
        n=volume.raw.size,
        seen=seen,
        nan=nan,
        infinite=seen - finite - nan,
        minimum=low if finite else 0.0,
        maximum=high if finite else 0.0,
        mean=mean,
        std=float(np.sqrt(squares / finite)) if finite else 0.0,
        nonzero_share=nonzero / seen,
        finite_share=finite / seen,
    )


def _chunks(volume: Volume, most_voxels: int) -> Iterator[npt.NDArray[np.float32]]:
    """Values in slabs along k, in which a file's voxels lie together."""
    in_slice = volume.raw.shape[0] * volume.raw.shape[1]
    n_slices = volume.raw.shape[2]
    wanted = max(1, min(n_slices, most_voxels // in_slice))
    if wanted == n_slices:
        step = max(1, _CHUNK // in_slice)
        for start in range(0, n_slices, step):
            yield volume.scaled(volume.raw[:, :, start : start + step])
        return
    for k in np.linspace(0, n_slices - 1, wanted).round().astype(int):
        yield volume.scaled(volume.raw[:, :, k])


def findings(statistics: VoxelStatistics) -> tuple[str, ...]:
    """Return sentences about voxels that are no numbers, and about a volume without contrast."""
    said = []
    sampled = " of those looked at" if statistics.seen < statistics.n else ""
    kinds = [f"{n:,} {what}" for n, what in ((statistics.nan, "NaN"), (statistics.infinite, "infinite")) if n]
    if kinds and statistics.finite_share > 0:
        voxels = "voxel" if statistics.nan + statistics.infinite == 1 else "voxels"
        said.append(f"{' and '.join(kinds)} {voxels}{sampled}; they count as 0 where numbers are needed.")
    if statistics.finite_share == 0:
        said.append("No voxel holds a finite number: there is nothing to see. Check how the volume was exported.")
    elif statistics.constant:
        said.append(
            f"Every voxel{sampled} is {statistics.minimum:g}: there is nothing to see. Check how it was exported."
        )
    return tuple(said)
