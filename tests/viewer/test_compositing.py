"""Pictures of slices: windows, thresholds, opacity, outlines, odd numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sensiview.gui.viewer import window_level
from sensiview.gui.viewer.colour_maps import DIVERGING, SEQUENTIAL, colour_table, label_colour, label_table
from sensiview.gui.viewer.compositing import compose
from sensiview.gui.viewer.look_tables import coloured, coloured_values
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Look

GRID = DisplayGrid((6, 5, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))


def layer(array: Any, role: Any = "underlay", **look: Any) -> Layer:
    values = np.asarray(array)
    return Layer("k", "k", role, values, Look(**{"low": 0.0, "high": 100.0, **look}), value_range=(0.0, 100.0))


def ramp(dtype: str) -> np.ndarray:
    return np.arange(120).reshape(6, 5, 4).astype(dtype)


def axial(*layers: Layer, index: int = 2, mirrored: bool = False, detail: int = 1, grid: DisplayGrid = GRID) -> Any:
    return compose(layers, grid, 2, index, mirrored=mirrored, detail=detail)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", ">i2", "int32", "float32", "float64", "float16"])
def test_that_every_stored_type_gives_the_same_greys(dtype: str) -> None:
    picture = axial(layer(ramp(dtype)))
    wanted = np.clip(ramp("float64")[:, :, 2].T[::-1] / 100 * 255, 0, 255)
    assert picture.shape == (5, 6, 3)
    assert np.abs(picture - wanted[..., None]).max() <= 1.0


def test_that_slope_and_intercept_are_in_the_picture_and_in_the_threshold() -> None:
    plain = layer(ramp("int16").astype(np.float32) * 0.5 - 20, threshold=10.0)
    scaled = replace(layer(ramp("int16"), threshold=10.0), slope=0.5, intercept=-20.0)
    assert np.abs(axial(plain).astype(int) - axial(scaled)).max() <= 1
    negative = replace(layer(ramp("float32"), threshold=10.0), slope=-0.5, intercept=40.0)
    wanted = layer(ramp("float32") * -0.5 + 40, threshold=10.0)
    assert np.abs(axial(negative).astype(int) - axial(wanted)).max() <= 1


def test_that_what_is_not_finite_or_outside_is_transparent() -> None:
    values = ramp("float32")
    values[2, 2, 2] = np.nan
    above = layer(values, "overlay", colour_map="red")
    below = layer(np.full((6, 5, 4), 50, np.uint8))
    picture = axial(below, above)
    assert len(set(picture[2, 2])) == 1  # grey: the underlay alone
    assert axial(below, index=99).max() == 0
    infinite = layer(np.full((6, 5, 4), np.inf, np.float32))
    assert axial(infinite).min() == 255


def test_that_a_mirrored_slice_is_the_slice_the_other_way_round() -> None:
    shown = layer(ramp("uint8"))
    np.testing.assert_array_equal(axial(shown)[:, ::-1], axial(shown, mirrored=True))


def test_that_opacity_blends_linearly() -> None:
    below, above = layer(np.full((6, 5, 4), 100, np.uint8)), layer(np.full((6, 5, 4), 0, np.uint8), opacity=0.25)
    assert abs(int(axial(below, above)[0, 0, 0]) - round(255 * 0.75)) <= 1
    assert axial(below, replace(above, look=replace(above.look, visible=False))).min() == 255


def test_that_signed_maps_have_zero_in_the_middle_and_a_threshold_of_magnitudes() -> None:
    values = np.zeros((6, 5, 4), np.float32)
    values[0], values[1], values[2] = -80, 80, 5
    above = layer(values, "overlay", signed=True, colour_map="blue_red", threshold=10.0)
    picture = axial(above)[0]
    assert picture[0, 2] > picture[0, 0]  # negative: blue
    assert picture[1, 0] > picture[1, 2]  # positive: red
    assert picture[2].max() == 0
    assert picture[3].max() == 0


def test_that_opacity_grows_with_the_magnitude() -> None:
    values = np.zeros((6, 5, 4), np.float32)
    values[0], values[1] = 30, 100
    above = layer(values, "overlay", threshold=20.0, alpha_by_magnitude=True, opacity=0.8)
    alpha = coloured(above, above.array[:, :, 0]).view(np.uint8).reshape(6, 5, 4)[:, 0, 3]
    assert 0 < alpha[0] < alpha[1] == round(255 * 0.8)
    assert alpha[2] == 0


def test_that_inverted_greys_are_the_complement() -> None:
    shown = layer(ramp("uint8"))
    inverted = replace(shown, look=replace(shown.look, inverted=True))
    assert np.abs(axial(shown).astype(int) + axial(inverted) - 255).max() <= 1


def test_that_interpolation_goes_linearly_between_voxel_centres() -> None:
    values = np.repeat(np.arange(6, dtype=np.float32)[:, None, None] * 20, 5, 1).repeat(4, 2)
    picture = axial(layer(values, interpolate=True), detail=4)
    row = picture[0, :, 0].astype(float)
    assert picture.shape == (20, 24, 3)
    inner = np.diff(row[2:-2])
    assert inner.min() > 0
    assert np.ptp(inner) <= 2


def test_that_thick_slices_get_square_pixels() -> None:
    grid = replace(GRID, spacing=(1.0, 3.0, 1.0))
    picture = axial(layer(ramp("float32"), interpolate=True), detail=2, grid=grid)
    assert picture.shape == (5 * 6, 6 * 2, 3)


def test_that_outlines_of_an_atlas_are_borders_of_regions() -> None:
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[1:5, 1:4] = 7
    drawn = axial(layer(labels, "atlas", outline=True, colour_map="labels"), detail=4)
    inside = drawn[2 * 4 : 3 * 4, 2 * 4 : 4 * 4]
    assert inside.max() == 0
    assert tuple(drawn[1 * 4, 3 * 4]) == label_colour(7)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32"])
def test_that_labels_have_their_colours_and_can_be_drawn_alone(dtype: str) -> None:
    labels = np.zeros((6, 5, 4), dtype)
    labels[1], labels[2] = 3, 9
    row = axial(layer(labels, "atlas"))[0]
    assert tuple(row[1]) == label_colour(3)
    assert row[0].max() == 0
    row = axial(layer(labels, "atlas", only=(9,)))[0]
    assert row[1].max() == 0
    assert tuple(row[2]) == label_colour(9)


def test_that_neighbouring_labels_look_different() -> None:
    table = label_table(256).astype(int)
    assert np.abs(np.diff(table[1:], axis=0)).sum(axis=1).min() > 90


@pytest.mark.parametrize("name", [*SEQUENTIAL, *DIVERGING])
def test_that_every_colour_map_has_a_table(name: str) -> None:
    table = colour_table(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert len(np.unique(table, axis=0)) > 100


def test_that_an_empty_window_does_not_divide_by_zero() -> None:
    for low, high in ((5.0, 5.0), (9.0, 2.0)):
        axial(layer(ramp("uint8"), low=low, high=high))
        coloured_values(Look(low=low, high=high), np.array([[1.0, np.nan]], np.float32), 1.0, 0.0)


def test_that_dragging_keeps_signed_layers_centred_and_windows_open() -> None:
    signed = layer(ramp("float32"), signed=True)
    assert set(window_level.dragged(signed, -1e6, 5)) == {"high"}
    assert window_level.dragged(signed, -1e6, 5)["high"] > 0
    changed = window_level.dragged(layer(ramp("float32")), -1e6, 0)
    assert changed["high"] > changed["low"]


def test_that_large_pictures_stay_bounded() -> None:
    grid = DisplayGrid((900, 800, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    shown = layer(np.zeros((900, 800, 1), np.uint8), interpolate=True)
    assert compose([shown], grid, 2, 0, mirrored=True, detail=8).shape == (800, 900, 3)
