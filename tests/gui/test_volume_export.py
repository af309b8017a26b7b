"""Maps over volumes, exported from the window: over their anatomy, and the window stays alive meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QDesktopServices

from sensiview.analysis.item_files import write_items
from sensiview.analysis.items import FieldMap
from sensiview.gui.background import busy
from sensiview.gui.exporting import export_to, report_to
from sensiview.importing import add_volumes

pytestmark = pytest.mark.needs_display

SHAPE = (60, 70, 80)
AFFINE = np.diag([-2.0, 2.0, 2.0, 1.0])
NAMES = ("sub-01", "sub-02", "sub-03")


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is opened in another program."""
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: True)


@pytest.fixture
def window(window: Any, tmp_path: Path) -> Any:
    """Return the window with a run whose map has three subjects."""
    assert window.session.create(tmp_path / "study.sensiview", "Study")
    (tmp_path / "in").mkdir()
    values = np.zeros(SHAPE, np.int16)
    values[10:-10, 10:-10, 10:-10] = np.random.default_rng(1).integers(50, 200, (40, 50, 60))
    for name in NAMES:
        nib.save(nib.Nifti1Image(values, AFFINE), tmp_path / "in" / f"{name}.nii.gz")
    project = window.session.project
    source = add_volumes(project, [tmp_path / "in"], name="heads").source
    maps = np.zeros((3, *SHAPE[::-1]), np.float32)
    maps[:, 30:40, 30:40, 20:30] = 1.0
    item = FieldMap(
        title="Saliency", values=maps, axes=("subject", "z", "y", "x"), coordinates={"subject": NAMES}, affine=AFFINE
    )
    run = project.new_run(analysis="saliency", dataset=source.id, parameters={}, name="A run", seed=1)
    write_items({"map": item}, project.run_directory(run.id))
    project.update_run(run.id, state="succeeded", items=["map"])
    window.session.entries_changed("run")
    window.heard = []
    window.session.message.connect(lambda level, sentence, details: window.heard.append(sentence))
    return window


def test_that_maps_are_exported_over_their_subjects_without_holding_the_window_up(
    window: Any, tmp_path: Path, wait_until: Any
) -> None:
    beats: list[float] = []
    pulse = QTimer(interval=5)
    pulse.timeout.connect(lambda: beats.append(time.monotonic()))
    pulse.start()
    export_to(window, window.session.runs()[0], tmp_path / "out")
    wait_until(lambda: not busy() and (tmp_path / "out" / "map.svg").is_file(), 30)
    pulse.stop()
    assert "Each over its own subject." in (tmp_path / "out" / "map.svg").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "map.png").is_file()
    assert max(np.diff(beats)) < 0.5


@pytest.mark.parametrize("name", ["report.html", "report.pdf"])
def test_that_a_report_is_written_also_when_a_volume_is_gone(
    window: Any, tmp_path: Path, wait_until: Any, name: str
) -> None:
    (tmp_path / "in" / "sub-02.nii.gz").unlink()
    report_to(window, tmp_path / name)
    wait_until(lambda: not busy() and (tmp_path / name).is_file(), 30)
    if name.endswith("html"):
        assert "Drawn without anatomy" in (tmp_path / name).read_text(encoding="utf-8")
    export_to(window, window.session.runs()[0], tmp_path / "out")
    wait_until(lambda: not busy() and (tmp_path / "out" / "map.svg").is_file(), 30)
    wait_until(lambda: any("sub-02.nii.gz" in sentence for sentence in window.heard), 5)
    assert window.dialog("error") is None
