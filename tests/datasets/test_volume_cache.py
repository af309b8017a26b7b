"""The cache of unpacked volumes: bounded, shared, and never in the way."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import numpy as np
import pytest

from sensiview.datasets import volume_cache
from sensiview.datasets.volume_cache import cache_folder, kept_small, unpacked
from sensiview.errors import DataError

CONTENT = np.arange(5000, dtype=np.uint8)


def packed(path: Path, content: bytes = CONTENT.tobytes()) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


def test_that_the_wanted_bytes_are_mapped(tmp_path: Path) -> None:
    found = unpacked(packed(tmp_path / "a.gz"), offset=100, size=4000)
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, CONTENT[100:4100])


def test_that_a_cache_that_can_not_be_written_costs_only_memory(tmp_path: Path) -> None:
    cache_folder().parent.mkdir(parents=True)
    cache_folder().write_text("a file in the way")
    found = unpacked(packed(tmp_path / "a.gz"), offset=100, size=4000)
    assert not isinstance(found, np.memmap)
    assert not found.flags.writeable
    np.testing.assert_array_equal(found, CONTENT[100:4100])


def test_that_a_home_that_may_not_be_looked_into_costs_only_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    path = packed(tmp_path / "a.gz")
    monkeypatch.setattr(Path, "exists", refused)
    np.testing.assert_array_equal(unpacked(path, offset=100, size=4000), CONTENT[100:4100])


def test_that_a_damaged_file_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.gz")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="cut short"):
        unpacked(path, offset=0, size=5000)
    assert list(cache_folder().iterdir()) == []


def test_that_a_copy_of_the_wrong_size_is_made_again(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.gz")
    unpacked(path, offset=0, size=5000)
    (kept,) = cache_folder().iterdir()
    kept.write_bytes(b"half")
    np.testing.assert_array_equal(unpacked(path, offset=0, size=5000), CONTENT)


def test_that_what_was_not_used_for_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_cache, "LARGEST", 12_000)
    files = [packed(tmp_path / f"{n}.gz") for n in range(3)]
    kept = {}
    for age, path in enumerate(files[:2]):
        before = set(cache_folder().iterdir()) if cache_folder().exists() else set()
        unpacked(path, offset=0, size=5000)
        (kept[age],) = set(cache_folder().iterdir()) - before
        os.utime(kept[age], (time.time() - 1000 + age, time.time() - 1000 + age))
    unpacked(files[0], offset=0, size=5000)  # used again: now the second one is the oldest
    unpacked(files[2], offset=0, size=5000)
    left = set(cache_folder().iterdir())
    assert len(left) == 2
    assert kept[0] in left
    assert kept[1] not in left


def test_that_a_file_without_room_anywhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_cache, "_has_room", lambda size: False)
    with pytest.raises(DataError, match=r"unpacks to 1000000\.0 GB, for which there is room neither"):
        unpacked(packed(tmp_path / "a.gz"), offset=0, size=10**15)


def test_that_small_arrays_are_made_once_and_made_again_when_damaged() -> None:
    made = []

    def make() -> np.ndarray:
        made.append(1)
        return np.arange(6).reshape(2, 3)

    for _ in range(3):
        np.testing.assert_array_equal(kept_small("a", make), np.arange(6).reshape(2, 3))
    assert len(made) == 1
    (kept,) = (cache_folder().parent / "thumbnails").iterdir()
    kept.write_bytes(b"no array")
    kept_small("a", make)
    assert len(made) == 2
