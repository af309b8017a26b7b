"""Axis codes, obliquity and turning agree with nibabel, for numpy and for torch."""

from __future__ import annotations

import itertools

import nibabel as nib
import numpy as np
import pytest
import torch

from sensiview.datasets.orientation import obliquity, orientation, to_orientation
from sensiview.errors import DataError

CODES = [
    "".join(letters) for order in itertools.permutations(("LR", "PA", "IS")) for letters in itertools.product(*order)
]


def affine_for(codes: str, spacing: tuple[float, float, float] = (1, 2, 3)) -> np.ndarray:
    affine = nib.orientations.inv_ornt_aff(nib.orientations.axcodes2ornt(codes), (4, 5, 6))
    return np.diag([1, 1, 1, 1]) @ np.linalg.inv(affine) @ np.diag([*spacing, 1])


def rotated(degrees: float) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn


def test_that_there_are_48_orientations() -> None:
    assert len(set(CODES)) == 48


@pytest.mark.parametrize("codes", CODES)
def test_that_turning_equals_nibabel(codes: str) -> None:
    data = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    affine = affine_for("PIR") @ np.eye(4)
    affine[:3, 3] = (10, -20, 30)
    image = nib.Nifti1Image(data.astype(np.int16), affine)
    start = nib.orientations.io_orientation(affine)
    wanted = image.as_reoriented(nib.orientations.ornt_transform(start, nib.orientations.axcodes2ornt(codes)))
    turn = to_orientation(affine, (4, 5, 6), codes)
    np.testing.assert_array_equal(turn.apply(data), np.asarray(wanted.dataobj))
    np.testing.assert_allclose(turn.affine, wanted.affine)
    assert turn.shape == wanted.shape
    assert orientation(turn.affine) == codes
    assert np.shares_memory(turn.apply(data), data)
    np.testing.assert_array_equal(turn.undo(turn.apply(data)), data)
    tensor = torch.from_numpy(data).permute(turn.axes).flip(turn.flips)
    np.testing.assert_array_equal(tensor.numpy(), turn.apply(data))


def test_that_a_voxel_stays_where_it_is_in_mm_when_an_oblique_volume_is_turned() -> None:
    affine = rotated(20) @ affine_for("LIA")
    data = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    turn = to_orientation(affine, (4, 5, 6))
    place = np.argwhere(turn.apply(data) == data[1, 2, 3])[0]
    np.testing.assert_allclose(turn.affine @ [*place, 1], affine @ [1, 2, 3, 1])


def test_that_obliquity_is_the_angle_of_rotation() -> None:
    assert obliquity(affine_for("PSR")) == 0
    assert obliquity(rotated(20) @ affine_for("RAS")) == pytest.approx(20, abs=1e-4)
    assert orientation(rotated(20) @ affine_for("RAS")) == "RAS"


@pytest.mark.parametrize("codes", ["RA", "RAR", "RAX", "", "RASS"])
def test_that_letters_that_name_no_orientation_are_refused(codes: str) -> None:
    with pytest.raises(DataError, match="is no orientation"):
        to_orientation(np.eye(4), (2, 2, 2), codes)
