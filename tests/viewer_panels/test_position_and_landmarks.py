"""What places read like, what may be typed, and where peaks, clusters and regions are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sensiview.errors import UserError
from sensiview.gui.viewer.panels import landmarks
from sensiview.gui.viewer.panels.position import millimetre_text, parse_place
from sensiview.gui.viewer.scene import Scene


def test_that_a_point_reads_with_the_letters_of_its_sides() -> None:
    assert millimetre_text((24.0, 12.5, -8.0)) == "R 24.0  A 12.5  I 8.0 mm"
    assert millimetre_text((-24.04, -0.04, 0.0)) == "L 24.0  A 0.0  S 0.0 mm"


@pytest.mark.parametrize(
    "text",
    ["-12 8.5 -6", "-12, 8.5, -6 mm", "-12;8,5;-6", "-12 8,5 -6", "(-12 8.5 -6)", "L12 A8.5 I6", "A 8.5, I 6, L 12",
     "12L 8.5a 6i", "−12 8.5 −6", "R=-12 A=8.5 S=-6"],
)  # fmt: skip
def test_that_one_place_may_be_typed_in_many_ways(text: str, scene: Scene) -> None:
    assert parse_place(text, scene) == (-12.0, 8.5, -6.0)


def test_that_voxels_of_the_file_lead_to_their_millimetres(scene: Scene) -> None:
    scene.set_cursor(parse_place("voxel 4 6 3", scene))
    assert scene.file_voxel == (4, 6, 3)
    assert scene.cursor_voxel == (15, 6, 3)  # the file runs from right to left
    assert parse_place("4 6 3", scene, as_voxel=True) == scene.cursor


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing to go to"), ("hello", "not a place"), ("1 2", "not a place"), ("1 2 3 4", "not a place"),
        ("L12 L8 I6", "twice"), ("L12 A8", "not a place"), ("1e5 2 3", "not a place"), ("nan 1 2", "not a place"),
        ("500 0 0", "outside the volume"), ("voxel 1.5 2 3", "whole numbers"), ("voxel 400 2 3", "outside"),
        ("voxel L12 A8 I6", "mixes"),
    ],
)  # fmt: skip
def test_that_a_text_that_is_no_place_is_answered_with_a_sentence(text: str, said: str, scene: Scene) -> None:
    with pytest.raises(UserError, match=said):
        parse_place(text, scene)


def test_that_the_peak_is_the_largest_magnitude(scene: Scene) -> None:
    found = landmarks.peak(scene.layer("gcam"), scene.grid)
    assert found is not None
    assert found.value == -5.0
    assert scene.grid.voxel(found.mm) == (15, 17, 11)


def test_that_values_that_are_not_finite_are_no_peak(scene: Scene) -> None:
    layer = scene.layer("gcam")
    holed = layer.array.copy()
    holed[0, 0, 0], holed[1, 1, 1] = np.nan, np.inf
    found = landmarks.peak(replace(layer, array=holed), scene.grid)
    assert found is not None
    assert found.value == -5.0
    assert landmarks.peak(replace(layer, array=np.full((3, 3, 3), np.nan)), scene.grid) is None
    assert len(landmarks.clusters(replace(layer, array=holed), scene.grid)) == 2


def test_that_clusters_come_by_extent_and_peaks_by_magnitude(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landmarks, "_SLAB", 400)  # several slabs
    layer = scene.layer("gcam")
    parts = landmarks.clusters(layer, scene.grid)
    assert [(part.voxels, part.value) for part in parts] == [(27, 3.0), (8, -5.0)]
    peaks = landmarks.local_peaks(layer, scene.grid)
    assert [p.value for p in peaks] == [-5.0, 3.0]
    raised = replace(layer, look=replace(layer.look, threshold=4.5))
    assert [p.value for p in landmarks.local_peaks(raised, scene.grid)] == [-5.0]
    assert landmarks.clusters(replace(layer, look=replace(layer.look, threshold=50.0)), scene.grid) == ()


def test_that_a_bent_region_is_entered_and_not_missed(scene: Scene) -> None:
    atlas = scene.layer("aal")
    bent = np.zeros_like(atlas.array)
    bent[2:12, 2, 4], bent[2:12, 12, 4], bent[2, 2:12, 4] = 1, 1, 1
    ((label, place),) = landmarks.regions(replace(atlas, array=bent), scene.grid)
    assert label == 1
    assert bent[scene.grid.voxel(place.mm)] == 1
    assert [name for _, name in ((n, p.name) for n, p in landmarks.regions(atlas, scene.grid))] == [
        "Hippocampus_L", "Amygdala_R", "Thalamus_L",
    ]  # fmt: skip
