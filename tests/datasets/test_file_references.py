"""Files of a project: still what they were, and never half written."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

import sensiview.files
from sensiview.errors import DataError
from sensiview.files import fingerprint, verify, write_atomically


def test_that_an_unchanged_file_is_accepted_even_with_another_time(tmp_path: Path) -> None:
    path = tmp_path / "a b ü.csv"
    path.write_text("a,b\n1,2\n")
    reference = fingerprint(path)
    os.utime(path, (1, 1))
    verify(reference)


def test_that_a_moved_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    reference = fingerprint(path)
    path.rename(tmp_path / "b.csv")
    with pytest.raises(DataError, match=r"moved or deleted .* Put it back, or add the file"):
        verify(reference)


def test_that_a_changed_file_is_refused_by_size_and_by_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    reference = fingerprint(path)
    path.write_text("a,b\n1,3\n")
    os.utime(path, (reference.modified, reference.modified))
    with pytest.raises(DataError, match=r"changed since it was added .* another content"):
        verify(reference)
    path.write_text("a,b\n1,30\n")
    with pytest.raises(DataError, match="it had 8 bytes and now has 9"):
        verify(reference)


def test_that_a_folder_in_its_place_and_a_forbidden_file_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    reference = fingerprint(path)

    def forbidden(_path: Path) -> object:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(sensiview.files, "fingerprint", forbidden)
        with pytest.raises(DataError, match="no permission"):
            verify(reference)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="not a file any more"):
        verify(reference)


def test_that_a_large_file_is_trusted_by_size_and_time_and_hashed_when_its_time_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    reference = fingerprint(path)
    monkeypatch.setattr(sensiview.files, "ALWAYS_HASHED", 4)
    path.write_text("a,b\n1,3\n")
    os.utime(path, (reference.modified, reference.modified))
    with caplog.at_level("INFO"):
        verify(reference)
    assert "content was not read again" in caplog.text
    os.utime(path, (1, 1))
    with pytest.raises(DataError, match="another content"):
        verify(reference)


def test_that_a_failed_writing_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def fails(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_atomically(path, fails)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    write_atomically(path, lambda stream: stream.write(b"new"))
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="rights are written as bits on POSIX only")
def test_that_a_written_file_has_the_rights_of_the_users_other_files(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"")
    path = tmp_path / ("n" * 250)
    write_atomically(path, lambda stream: stream.write(b"x"))
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)
