"""Thumbnails show every storage order alike: right on the left, nose on the left, head up."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from sensiview.datasets.orientation import to_orientation
from sensiview.datasets.thumbnails import kept_thumbnail, thumbnail
from sensiview.datasets.volume import Grid, Volume
from sensiview.datasets.volumes import VolumeEntry


def marked() -> np.ndarray:
    """A box with a bright block at the right, one at the front, one on top (RAS)."""
    values = np.zeros((48, 48, 48), np.float32)
    values[4:44, 4:44, 4:44] = 50
    values[38:44, 20:28, 20:28] = 200
    values[20:28, 38:44, 20:28] = 220
    values[20:28, 20:28, 38:44] = 240
    return values


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR", "ASL", "LIA", "SRP"])
def test_that_every_storage_order_gives_the_same_picture(codes: str) -> None:
    turn = to_orientation(np.eye(4), (48, 48, 48), codes)
    picture = thumbnail(Volume(turn.apply(marked()), turn.affine), 48)
    assert picture.shape == (48, 144)
    assert picture.dtype == np.uint8
    axial, coronal, sagittal = picture[:, :48], picture[:, 48:96], picture[:, 96:]
    # Radiological: the right side is drawn on the left; anterior and superior are up; anterior is left in sagittal.
    assert axial[24, 6] > axial[24, 41]
    assert axial[6, 24] > axial[41, 24]
    assert coronal[24, 6] > coronal[24, 41]
    assert coronal[6, 24] > coronal[41, 24]
    assert sagittal[24, 6] > sagittal[24, 41]
    assert sagittal[6, 24] > sagittal[41, 24]


def test_that_voxels_of_other_length_keep_their_proportions() -> None:
    picture = thumbnail(Volume(np.ones((40, 40, 10), np.uint8), np.diag([1, 1, 4.0, 1])), 60)
    assert (picture[:, 60:] > 0).mean() == pytest.approx(1.0)
    flat = thumbnail(Volume(np.ones((40, 40, 10), np.uint8), np.eye(4)), 60)
    assert (flat[:, 60:120] > 0).any(axis=1).sum() == 15


def test_that_nan_empty_and_constant_volumes_have_a_picture() -> None:
    values = marked()
    values[:24] = np.nan
    assert thumbnail(Volume(values, np.eye(4))).max() == 255
    assert thumbnail(Volume(np.zeros((5, 5, 5)), np.eye(4))).max() == 0
    assert thumbnail(Volume(np.full((5, 5, 5), np.nan), np.eye(4))).max() == 0
    assert thumbnail(Volume(np.full((5, 1, 3), -4), np.eye(4)), 8).shape == (8, 24)


def test_that_a_thumbnail_is_made_once() -> None:
    opened = []

    def opener() -> Volume:
        opened.append(1)
        return Volume(marked(), np.eye(4))

    entry = VolumeEntry("a", "a", Grid((48, 48, 48), np.eye(4)), opener)
    first = kept_thumbnail(entry, "hash")
    np.testing.assert_array_equal(kept_thumbnail(entry, "hash"), first)
    assert len(opened) == 1
    kept_thumbnail(entry, "another content")
    assert len(opened) == 2


def test_that_a_scaled_image_is_drawn_by_its_values() -> None:
    raw = marked().astype(np.int16)
    assert nib.aff2axcodes(np.eye(4)) == ("R", "A", "S")
    plain = thumbnail(Volume(raw, np.eye(4)))
    np.testing.assert_array_equal(thumbnail(Volume(raw, np.eye(4), slope=0.01)), plain)
