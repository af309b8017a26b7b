"""Statistics chunk by chunk equal numpy's on everything at once."""

from __future__ import annotations

import numpy as np
import pytest

from sensiview.datasets import volume_statistics
from sensiview.datasets.volume import Volume
from sensiview.datasets.volume_statistics import (
    voxel_statistics,
)
from sensiview.errors import DataError


def noise(shape: tuple[int, int, int] = (20, 21, 22), seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(100, 15, shape).astype(np.float32)
    values[:5] = 0
    return values


@pytest.mark.parametrize("chunk", [100, 1 << 22])
def test_that_statistics_equal_numpy(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(volume_statistics, "_CHUNK", chunk)
    values = noise()
    values[10, 10, 10], values[11, 11, 11], values[12, 12, 12] = np.nan, np.inf, -np.inf
    finite = values[np.isfinite(values)].astype(np.float64)
    found = voxel_statistics(Volume(values, np.eye(4)))
    assert (found.n, found.seen, found.nan, found.infinite) == (9240, 9240, 1, 2)
    assert found.mean == pytest.approx(finite.mean(), rel=1e-6)
    assert found.std == pytest.approx(finite.std(), rel=1e-6)
    assert (found.minimum, found.maximum) == (finite.min(), finite.max())
    assert found.nonzero_share == pytest.approx(np.count_nonzero(finite) / 9240)
    assert found.finite_share == pytest.approx(9237 / 9240)


def test_that_slope_and_intercept_count() -> None:
    raw = np.arange(210, dtype=np.uint8).reshape(5, 6, 7)
    found = voxel_statistics(Volume(raw, np.eye(4), slope=0.5, intercept=-10))
    assert (found.minimum, found.maximum) == (-10, 94.5)
    assert found.mean == pytest.approx(104.5 * 0.5 - 10)


def test_that_a_large_volume_is_sampled_in_whole_slices() -> None:
    found = voxel_statistics(Volume(noise((20, 20, 100)), np.eye(4)), most_voxels=4000)
    assert (found.n, found.seen) == (40_000, 4000)
    assert found.mean == pytest.approx(75, abs=2)
    assert not found.constant


def test_that_values_are_never_the_file_itself() -> None:
    raw = noise()
    raw.flags.writeable = False
    values = Volume(raw, np.eye(4)).values()
    values[0, 0, 0] = 7
    assert type(values) is np.ndarray
    assert raw[0, 0, 0] == 0


def test_that_values_beyond_memory_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    one = np.zeros((1, 1, 1), np.float32)
    huge = np.lib.stride_tricks.as_strided(one, (30_000, 30_000, 30_000), (0, 0, 0), writeable=False)
    with pytest.raises(DataError, match=r"need 108000\.0 GB of memory at once"):
        Volume(huge, np.eye(4), name="huge").values()
