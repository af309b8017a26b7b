"""Volumes on disk for tests of the window, and ways to its dialogs and pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from sensiview.gui.background import busy
from sensiview.importing import add_volumes

AFFINE = np.diag([-3.0, 3.0, 3.0, 1.0])
AFFINE[:3, 3] = (12.0, -12.0, -12.0)


def head(path: Path, seed: int, shape: tuple[int, ...] = (8, 9, 10)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 200, shape).astype(np.int16)
    image = nib.Nifti1Image(values, AFFINE)
    image.set_sform(AFFINE, 1)
    nib.save(image, path)
    return path


def cohort(root: Path, n: int = 6) -> Path:
    for number in range(1, n + 1):
        head(root / f"sub-{number:02}_T1w.nii.gz", number)
    rows = [f"sub-{k:02}\t{60 + k}\t{'AD' if k % 2 else 'CN'}\t{k % 3}" for k in range(1, n + 1)]
    text = "\n".join(["participant_id\tage\tdiagnosis\tsite", *rows])
    (root / "participants.tsv").write_text(text + "\n", encoding="utf-8")
    return root


def dialog_of(window: Any, key: str, wait_until: Any) -> Any:
    wait_until(lambda: window.dialog(key) is not None, 10, key)
    dialog = window.dialog(key)
    wait_until(lambda: not busy(), 20, f"{key} to have looked")
    return dialog


def texts(widget: Any) -> str:
    return "\n".join(widget.item(row).text() for row in range(widget.count()))


def page_of(window: Any, wait_until: Any) -> Any:
    window.centre.show_page("dataset")
    pane = window.centre.widget("dataset")
    wait_until(lambda: pane.volumes is not None and pane.volumes.workbench is not None, 20, "the viewer")
    wait_until(lambda: not busy() and pane.volumes.workbench.scene.layers, 20, "the first case")
    return pane.volumes


def add(window: Any, paths: list[Path], **choices: Any) -> Any:
    source = add_volumes(window.session.project, paths, **choices).source
    window.session.entries_changed("dataset")
    window.session.select_dataset(source.id)
    return source
