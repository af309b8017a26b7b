"""Fixtures for every test: an own home, the shared real data, and no surprises from the machine."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, plugins and log of a test never touch the user's."""
    home = tmp_path / "sensiview-home"
    monkeypatch.setenv("SENSIVIEW_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data and trained models that lie beside the checkout; tests are skipped without them."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder does not lie beside this checkout")
    return folder
