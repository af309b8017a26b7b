"""The version is that of the git tag, wherever it is shown."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _git(folder: Path, *arguments: str) -> str:
    who = {f"GIT_{role}_{part}": "x@example.invalid" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **who}
    )
    return done.stdout.strip()


def _version(folder: Path) -> str:
    asked = subprocess.run(
        [sys.executable, "-m", "hatchling", "version"], cwd=folder, check=True, capture_output=True, text=True
    )
    return asked.stdout.strip().splitlines()[-1]


@pytest.fixture
def small_checkout(tmp_path: Path) -> Path:
    """A repository with what the build reads, and one commit."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "sensiview").mkdir()
    (tmp_path / "sensiview" / "__init__.py").write_text("", encoding="utf-8")
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def test_that_a_tag_is_the_version(small_checkout: Path) -> None:
    _git(small_checkout, "tag", "v3.1.4")
    assert _version(small_checkout) == "3.1.4"


def test_that_a_later_commit_is_told_from_the_tag_and_names_itself(small_checkout: Path) -> None:
    _git(small_checkout, "tag", "v3.1.4")
    _git(small_checkout, "tag", "a-name-that-is-no-version")
    _git(small_checkout, "commit", "-q", "--allow-empty", "-m", "two")
    assert _version(small_checkout).startswith(f"3.1.5.dev1+g{_git(small_checkout, 'rev-parse', '--short=7', 'HEAD')}")


def test_that_sources_without_history_have_a_version(small_checkout: Path) -> None:
    shutil.rmtree(small_checkout / ".git")
    assert _version(small_checkout) == "0.1.0"


def test_that_the_program_says_the_version_that_was_built() -> None:
    import sensiview
    from sensiview._version import __version__ as built

    assert sensiview.__version__ == built
