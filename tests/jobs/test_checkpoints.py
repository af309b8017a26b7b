"""Checkpoints: one file, whole or not at all."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from sensiview.analysis.progress import Checkpoint
from sensiview.errors import DataError, SensiViewError
from sensiview.jobs import checkpoints
from sensiview.jobs.checkpoints import has_checkpoint, read_checkpoint, write_checkpoint


def state() -> Checkpoint:
    return Checkpoint(
        {
            'y/Größe, "1"': np.array([0.1, math.nan, -0.0]),
            "file": np.arange(6, dtype=np.int8).reshape(2, 3),
            "": np.zeros((0, 4), dtype=np.float32),
            "header": np.array(3),
            "text": np.array(["a", "日本"]),
            "complex": np.array([1 + 2j]),
        },
        {"done": 3, "names": ["1", "NA"], "inf": math.inf, "nested": {"a": None}},
    )


def test_that_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path) is None
    assert not has_checkpoint(tmp_path)
    write_checkpoint(tmp_path, state())
    assert has_checkpoint(tmp_path)
    for where in (tmp_path, tmp_path / "checkpoint.npz"):
        read = read_checkpoint(where)
        assert read is not None
        assert read.values == state().values
        assert list(read.arrays) == list(state().arrays)
        for name, values in state().arrays.items():
            assert read.arrays[name].dtype == values.dtype
            np.testing.assert_array_equal(read.arrays[name], values)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_that_a_write_that_breaks_off_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(tmp_path, Checkpoint({"y": np.arange(3)}, {"done": 3}))

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.np, "savez", broken)
    with pytest.raises(OSError, match="No space"):
        write_checkpoint(tmp_path, Checkpoint({"y": np.arange(4)}, {"done": 4}))
    read = read_checkpoint(tmp_path)
    assert read is not None
    assert read.values == {"done": 3}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("how", ["empty", "truncated", "flipped", "html", "headless"])
def test_that_a_damaged_checkpoint_is_a_sentence(tmp_path: Path, how: str) -> None:
    write_checkpoint(tmp_path, Checkpoint({"y": np.arange(1000.0)}, {"done": 1}))
    path = tmp_path / "checkpoint.npz"
    content = bytearray(path.read_bytes())
    if how == "headless":
        np.savez(path, y=np.zeros(3))
    else:
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(
            {"empty": b"", "truncated": content[: len(content) // 2], "flipped": content, "html": b"<html>"}[how]
        )
    with pytest.raises(DataError, match=r"checkpoint\.npz' is damaged"):
        read_checkpoint(tmp_path)


def test_that_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, state(), {"analysis": "sobol", "revision": 1, "old": 3, "tuple": (1, 2)})
    assert read_checkpoint(tmp_path, {"analysis": "sobol", "revision": 1, "new": 4, "tuple": (1, 2)})
    with pytest.raises(DataError, match="belongs to another revision"):
        read_checkpoint(tmp_path, {"analysis": "sobol", "revision": 2})


def test_that_a_newer_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_FORMAT", 2)
    write_checkpoint(tmp_path, state())
    monkeypatch.undo()
    with pytest.raises(DataError, match="newer SensiView"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize(
    "bad",
    [Checkpoint({"y": np.array([object()])}), Checkpoint({}, {"x": object()}), Checkpoint({}, {"x": np.zeros(3)})],
)
def test_that_objects_are_refused(tmp_path: Path, bad: Checkpoint) -> None:
    with pytest.raises(SensiViewError, match="objects"):
        write_checkpoint(tmp_path, bad)
    assert not has_checkpoint(tmp_path)
