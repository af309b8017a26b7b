from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from sensiview.datasets.simulated_brains import SIMULATED, Simulation, simulate_cohort, template_grey_matter
from sensiview.errors import DataError, Stopped

SPACING = 6.0


def labels_on(shape: tuple[int, int, int], affine: Any, radius: float = 15.0) -> tuple[Any, dict[int, str]]:
    """One region left and one right of the middle, where there is grey matter."""
    labels = np.zeros(shape, dtype=np.int32)
    for label, x in ((1, -30.0), (2, 30.0)):
        centre = np.linalg.solve(affine, np.array([x, -20.0, -10.0, 1.0]))[:3]
        distance = np.linalg.norm(np.moveaxis(np.indices(shape), 0, -1) - centre, axis=-1)
        labels[distance * SPACING < radius] = label
    return labels, {1: "Left spot", 2: "Right spot"}


def simulated(folder: Path, **changes: Any) -> Any:
    settings = {"subjects": 12, "spacing": SPACING, "regions": ("Left spot",), "seed": 1, **changes}
    return simulate_cohort(folder, Simulation(**settings), labels_on)


def values(path: Path) -> Any:
    return np.asarray(nibabel.load(path).dataobj)  # type: ignore[attr-defined]


def test_that_patients_lose_grey_matter_in_the_region_and_nowhere_else(tmp_path: Path) -> None:
    made = simulated(tmp_path, subjects=40, loss=(0.4, 0.4))
    maps = np.stack([values(path) for path in made.volumes])
    # Away from the border, over which deformations smear the loss.
    labels, _ = labels_on(maps.shape[1:], template_grey_matter(SPACING)[1], radius=9.0)
    control, patient = maps[::2], maps[1::2]
    lost = patient[:, labels == 1].mean() / control[:, labels == 1].mean()
    kept = patient[:, labels == 2].mean() / control[:, labels == 2].mean()
    assert lost == pytest.approx(0.6, abs=0.08)
    assert kept == pytest.approx(1.0, abs=0.05)


def test_that_the_loss_is_graded_and_told_in_the_participants_table(tmp_path: Path) -> None:
    made = simulated(tmp_path)
    lines = [line.split("\t") for line in made.participants.read_text().splitlines()]
    assert lines[0] == ["participant_id", "diagnosis", "age", "sex", "simulated_loss"]
    losses = {line[1]: [] for line in lines[1:]}  # type: dict[str, list[float]]
    for line in lines[1:]:
        losses[line[1]].append(float(line[4]))
    assert set(losses["control"]) == {0.0}
    assert len(set(losses["patient"])) == 6
    assert all(0.25 <= loss <= 0.6 for loss in losses["patient"])


def test_that_the_same_seed_gives_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    one, same, other = (simulated(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert all(p.read_bytes() == q.read_bytes() for p, q in zip(one.volumes, same.volumes, strict=True))
    assert one.volumes[0].read_bytes() != other.volumes[0].read_bytes()


def test_that_the_maps_are_densities_in_mni_space_and_say_that_they_are_simulated(tmp_path: Path) -> None:
    image: Any = nibabel.load(simulated(tmp_path).volumes[0])  # type: ignore[attr-defined]
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")  # type: ignore[attr-defined]
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (4, 4)
    data = np.asarray(image.dataobj)
    assert 0 <= data.min() <= data.max() <= 1.0 + 1e-6
    assert "imulated" in image.header["descrip"].item().decode()
    told = json.loads((tmp_path / "truth.json").read_text())
    assert told["what"] == SIMULATED
    assert told["regions"] == ["Left spot"]


def test_that_a_region_the_atlas_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no region Middle spot"):
        simulated(tmp_path, regions=("Left spot", "Middle spot"))


def test_that_a_cancel_ends_it(tmp_path: Path) -> None:
    def stop(number: int) -> None:
        raise Stopped

    settings = Simulation(subjects=4, spacing=SPACING, regions=("Left spot",))
    with pytest.raises(Stopped):
        simulate_cohort(tmp_path, settings, labels_on, on_subject=stop)
    assert len(list(tmp_path.glob("*.nii.gz"))) == 1
