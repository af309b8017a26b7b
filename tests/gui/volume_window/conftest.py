"""The window with an empty project and panes that need no OpenGL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def plain_panes(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the window around the panes."""
    monkeypatch.setenv("SENSIVIEW_CANVAS", "pyqtgraph")


@pytest.fixture
def window(window: Any, tmp_path: Path) -> Iterator[Any]:
    """Return the window with an empty project; errors are kept instead of shown."""
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    window.session.jobs.paused = True
    window.said = []
    window.session.problem.disconnect(window.show_problem)
    window.session.problem.connect(lambda error: window.said.append(error.sentence))
    yield window
    for dialog in list(window.dialogs._dialogs.values()):
        dialog.close()
