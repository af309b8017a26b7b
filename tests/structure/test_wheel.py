"""A wheel built from the tree is complete: it runs from another folder with resources and bundled plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed into a folder of its own, away from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    python = [sys.executable, "-m"]
    build = [*python, "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    [wheel] = folder.glob("*.whl")
    target = folder / "site"
    install = [*python, "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    return target


def _run(installed: Path, *arguments: str) -> str:
    # -P and another working folder: the checkout must not be found by accident.
    done = subprocess.run(
        [sys.executable, "-P", "-m", "sensiview", *arguments],
        cwd=installed.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


def test_that_the_wheel_knows_its_analyses_and_bundled_plugins(installed: Path) -> None:
    keys = [row["key"] for row in json.loads(_run(installed, "analyses", "--json"))["analyses"]]
    assert {"sobol", "first_layer_sensitivity", "pca", "feature_subset", "permutation_importance"} <= set(keys)


def test_that_the_wheel_uses_its_own_resources(installed: Path) -> None:
    facts = json.loads(_run(installed, "doctor", "--json"))
    assert Path(facts["resources"]).is_relative_to(installed)
    assert (Path(facts["resources"]) / "samples" / "diabetes" / "diabetes.csv").is_file()
