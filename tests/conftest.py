"""Fixtures for every test: an own home, the shared real data, and no surprises from the machine."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    """The one application of this process stands on the screen, whichever test comes first.

    A plot that is drawn into a file where there is no application yet makes one that draws into memory; windows and
    OpenGL would then be tested on that one.
    """
    wanted = any("qapp" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and not session.config.option.collectonly and has_screen():
        from sensiview.gui.application import make_application

        make_application()


def has_screen() -> bool:
    """Return whether windows can be shown."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


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


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A folder that belongs to an unprivileged user, below one that everybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="sensiview-test-"))
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Root may write everywhere: act as "nobody" for the test."""
    if os.name != "posix":
        pytest.skip("permissions of a POSIX system")
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
