"""Partitions: what they cut, what they cover, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from sensiview.errors import UserError
from sensiview.numerics.screening.atlas_parts import Atlas
from sensiview.numerics.screening.cells import Channels, Grid
from sensiview.numerics.screening.partition import Division, PartitionOptions, Picture
from sensiview.numerics.screening.superpixels import Superpixels

_RNG = np.random.default_rng(4)


def _picture(shape: tuple[int, ...] = (3, 16, 24)) -> Picture:
    return Picture("one.png", _RNG.random(shape, dtype=np.float32), (1.0,) * (len(shape) - 1))


@pytest.mark.parametrize(("shape", "cells"), [((16, 24), 8), ((17, 23), 5), ((9, 9), 9), ((4, 4), 1), ((12, 10, 8), 4)])
def test_that_a_grid_covers_everything_once_with_cells_of_equal_size(shape: tuple[int, ...], cells: int) -> None:
    division = Grid().divide(_picture((1, *shape)), PartitionOptions(cells=cells))
    counts = np.bincount(division.labels.ravel(), minlength=len(division))
    assert len(division) == cells ** len(shape)
    assert division.share_inside() == 1
    assert counts.min() > 0
    sides = [np.bincount(np.arange(side) * cells // side) for side in shape]
    assert all(side.max() - side.min() <= 1 for side in sides)


def test_that_cells_are_named_from_the_upper_left() -> None:
    division = Grid().divide(_picture((3, 8, 8)), PartitionOptions(cells=2))
    assert division.names == ("row 1, column 1", "row 1, column 2", "row 2, column 1", "row 2, column 2")
    assert division.labels[0, 0, 7] == 1
    assert division.labels[0, 7, 0] == 2


def test_that_more_cells_than_pixels_are_refused() -> None:
    with pytest.raises(UserError, match="at most 16"):
        Grid().divide(_picture(), PartitionOptions(cells=20))


def test_that_an_axis_of_one_voxel_is_not_cut() -> None:
    assert len(Grid().divide(_picture((1, 8, 8, 1)), PartitionOptions(cells=2))) == 4


def test_that_superpixels_follow_the_colours() -> None:
    values = np.zeros((3, 40, 40), dtype=np.float32)
    values[0, :, 17:] = 1.0
    values[1, 23:] = 1.0
    picture = Picture("corner.png", values, (1.0, 1.0))
    division = Superpixels().divide(picture, PartitionOptions(cells=4))
    labels = division.labels[0]
    assert division.share_inside() == 1
    assert 8 <= len(division) <= 32
    mixed = 0
    for part in range(len(division)):
        inside = labels == part
        mixed += int(len({tuple(v) for v in values[:, inside].T}) > 1)
    assert mixed <= 2


@pytest.mark.parametrize("shape", [(3, 30, 30), (1, 30, 30), (1, 12, 12, 12), (4, 20, 20)])
def test_that_superpixels_of_any_channels_and_axes_are_whole(shape: tuple[int, ...]) -> None:
    division = Superpixels().divide(_picture(shape), PartitionOptions(cells=3))
    assert set(np.unique(division.labels)) == set(range(len(division)))
    assert division.share_inside() == 1


def test_that_a_picture_of_one_colour_has_superpixels_too() -> None:
    picture = Picture("black.png", np.zeros((3, 32, 32), dtype=np.float32), (1.0, 1.0))
    assert len(Superpixels().divide(picture, PartitionOptions(cells=4))) >= 4


def test_that_superpixels_of_values_that_are_not_finite_are_refused() -> None:
    values = np.zeros((3, 32, 32), dtype=np.float32)
    values[0, 3, 3] = np.nan
    with pytest.raises(UserError, match="not finite"):
        Superpixels().divide(Picture("hole.png", values, (1.0, 1.0)), PartitionOptions())


def test_that_channels_are_parts_with_their_colours() -> None:
    assert Channels().divide(_picture(), PartitionOptions()).names == ("red", "green", "blue")
    assert Channels().divide(_picture((2, 5, 5)), PartitionOptions()).names == ("channel 1", "channel 2")


def test_that_regions_of_an_atlas_are_parts_and_the_rest_is_none() -> None:
    atlas = np.zeros((6, 6, 6), dtype=np.int32)
    atlas[:2], atlas[4:] = 7, 3
    picture = Picture("t1", np.ones((1, 6, 6, 6), dtype=np.float32), (1.0,) * 3, atlas=atlas, regions={3: "Amygdala"})
    division = Atlas().divide(picture, PartitionOptions())
    assert division.names == ("Amygdala", "region 7")
    assert (division.labels[0, 3] == -1).all()
    assert (division.labels[0, 0] == 1).all()


def test_that_an_atlas_elsewhere_or_none_is_told() -> None:
    volume = np.ones((1, 4, 4, 4), dtype=np.float32)
    with pytest.raises(UserError, match="does not overlap"):
        Atlas().divide(Picture("t1", volume, (1.0,) * 3, atlas=np.zeros((4, 4, 4), dtype=np.int32)), PartitionOptions())
    with pytest.raises(UserError, match="no atlas"):
        Atlas().divide(Picture("t1", volume, (1.0,) * 3), PartitionOptions())


def _masks(*boxes: tuple[slice, slice]) -> np.ndarray:
    found = np.zeros((len(boxes), 16, 24), dtype=bool)
    for mask, box in zip(found, boxes, strict=True):
        mask[box] = True
    return found


def test_that_masks_that_overlap_are_refused_by_name() -> None:
    masks = _masks((slice(0, 8), slice(0, 8)), (slice(6, 12), slice(0, 8)))
    with pytest.raises(UserError, match=r"overlap in 16 of 384 places, for example liver and spleen"):
        Division.of(masks, ["liver", "spleen"], _picture())


def test_that_masks_that_miss_pixels_leave_them_outside() -> None:
    division = Division.of(_masks((slice(0, 8), slice(0, 24)), (slice(8, 12), slice(0, 24))), ["a", "b"], _picture())
    assert division.share_inside() == pytest.approx(0.75)
    assert (division.labels[0, 12:] == -1).all()


@pytest.mark.parametrize(
    ("parts", "names", "said"),
    [
        (np.zeros((5, 5), dtype=int), ["a"], "has the shape"),
        (np.zeros((16, 24), dtype=float), ["a"], "whole numbers"),
        (np.zeros((16, 24), dtype=int), [], "no factor"),
        (np.full((16, 24), -1), ["a"], "no factor"),
        (np.full((16, 24), 4), ["a", "b"], "up to 4"),
        (np.zeros((16, 24), dtype=int), ["a", "b", "c"], "empty: b, c"),
        (np.zeros((2, 5, 5), dtype=bool), ["a", "b"], "masks of shape"),
    ],
)
def test_that_a_partition_that_does_not_fit_is_told_in_a_sentence(
    parts: np.ndarray, names: list[str], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        Division.of(parts, names, _picture())
