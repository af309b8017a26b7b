"""Views of volumes are kept in the project and come back in the next window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.gui.volume_window.parts import add, cohort, page_of

pytestmark = pytest.mark.needs_display


def test_that_a_view_is_kept_in_the_project_and_opens_its_case(window: Any, tmp_path: Path, wait_until: Any) -> None:
    add(window, [cohort(tmp_path / "in")], target="diagnosis")
    bench = page_of(window, wait_until).workbench
    bench.choose_case(2)
    wait_until(lambda: bench.scene.title.startswith("sub-03"), 20)
    bench.scene.set_cursor((3.0, 6.0, 9.0))
    bench.scene.set_options(radiological=False)
    bench.scene.set_look("volume", high=77.0)
    bench.pictures.save_view("left temporal")
    assert "viewer: left temporal" in window.session.project.views()
    bench.choose_case(0)
    wait_until(lambda: bench.scene.title.startswith("sub-01"), 20)
    bench.scene.set_options(radiological=True)
    bench.pictures.open_view("left temporal")
    wait_until(lambda: bench.scene.title.startswith("sub-03"), 20)
    assert bench.scene.cursor == (3.0, 6.0, 9.0)
    assert not bench.scene.options.radiological
    assert bench.scene.layer("volume").look.high == 77.0
    assert window.said == []
