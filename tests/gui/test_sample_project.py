"""The sample projects of images and of digits, begun from the welcome page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.gui.conftest import WaitUntil


@pytest.mark.needs_display
@pytest.mark.timeout(180)
def test_that_the_image_sample_begins_from_the_welcome_page(
    window: Any, wait_until: WaitUntil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENSIVIEW_HOME", str(tmp_path / "home"))
    window.centre.show_welcome()
    QTest.mouseClick(window.centre.welcome.image_button, Qt.MouseButton.LeftButton)
    session = window.session
    wait_until(lambda: session.project is not None, what="the project")
    names = [source.card.name for source in session.datasets()]
    assert names == ["Fashion-MNIST, 3,500 garments", "Four photographs"]
    assert [source.card.n_rows for source in session.datasets()] == [3500, 4]
    wait_until(lambda: session.jobs.live is not None, timeout=60, what="the training")
    (training,) = session.require_project().runs()
    assert (training.kind, training.name) == ("training", "garment network")
    # The window makes the small size: it must not take an hour.
    assert training.parameters["recipe"]["epochs"] == 12
    assert Path(session.project.path).is_relative_to(tmp_path)


@pytest.mark.needs_display
@pytest.mark.timeout(180)
def test_that_the_digits_sample_begins_from_the_welcome_page(
    window: Any, wait_until: WaitUntil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sensiview.demos import digits

    monkeypatch.setenv("SENSIVIEW_HOME", str(tmp_path / "home"))
    window.centre.show_welcome()
    QTest.mouseClick(window.centre.welcome.digits_button, Qt.MouseButton.LeftButton)
    session = window.session
    wait_until(lambda: session.project is not None, what="the project")
    wait_until(lambda: session.jobs.live is not None, timeout=60, what="the job")
    (drawing,) = session.require_project().runs()
    assert (drawing.kind, drawing.analysis, drawing.name) == ("preparation", "biased_digits", "p 0.5 drawing")
    # The window makes the small size.
    assert drawing.parameters == {"name": "Digits p 0.5", "p_corr": 0.5, "drawings": digits._QUICK.drawings}
    assert window.centre.page == "results"
