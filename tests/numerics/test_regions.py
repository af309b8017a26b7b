"""Tables of regions against direct numpy, over masks, maps, odd labels and missing voxels."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sensiview.datasets.atlas_sides import find_regions, mirror, side_of
from sensiview.errors import DataError, UserError
from sensiview.numerics.regions import (
    OUTSIDE,
    REGION_COLUMNS,
    cosine,
    density_vector,
    region_labels,
    region_table,
    why_no_cosine,
)

AFFINE = np.array([[0.0, 2.0, 0.0, -10.0], [-1.5, 0.0, 0.0, 7.0], [0.0, 0.3, 3.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
NAMES = {3: "Amygdala_L", 2001: "Hippocampus_L", 2002: "Hippocampus_R"}


def scene(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return values in [0, 1] and labels 0, 3, 2001 and 2002 on a grid without symmetry."""
    random = np.random.default_rng(seed)
    labels = random.choice(np.array([0, 0, 3, 2001, 2002], dtype=np.int32), size=(7, 9, 5))
    return random.random(labels.shape), labels


@pytest.mark.parametrize("kind", ["mask", "map"])
def test_that_a_table_equals_direct_numpy(kind: str) -> None:
    values, labels = scene()
    if kind == "map":
        values = values - 0.4
    strength = 1 - values if kind == "mask" else np.abs(values)
    least = 0.5 if kind == "mask" else strength.max() / 2
    table = region_table(values, labels, NAMES, AFFINE, kind=kind)  # type: ignore[arg-type]
    assert tuple(table.columns) == REGION_COLUMNS
    assert len(table) == 4
    for row in table.itertuples():
        inside = labels == row.label
        assert row.region == NAMES.get(row.label, OUTSIDE)
        assert row.density == pytest.approx(strength[inside].mean(), rel=1e-12)
        assert row.share_of_region == pytest.approx(np.mean(strength[inside] >= least), rel=1e-12)
        assert row.share_of_map == pytest.approx(strength[inside].sum() / strength.sum(), rel=1e-12)
        assert row.volume_mm3 == pytest.approx(inside.sum() * 9.0, rel=1e-12)
        place = np.unravel_index(np.argmax(np.where(inside, strength, -1)), values.shape)
        assert row.peak == pytest.approx(strength[place] if kind == "mask" else values[place], rel=1e-12)
        mm = AFFINE @ [*place, 1]
        assert [row.peak_x, row.peak_y, row.peak_z] == pytest.approx(mm[:3].tolist(), abs=1e-12)
    assert table["share_of_map"].sum() == pytest.approx(1, rel=1e-12)
    assert list(table["rank"]) == [1, 2, 3, 0]
    assert list(table["density"][:3]) == sorted(table["density"][:3], reverse=True)


def test_that_densities_come_in_the_order_of_the_labels() -> None:
    values, labels = scene(2)
    assert region_labels(labels).tolist() == [3, 2001, 2002]
    found = density_vector(values, labels, kind="mask")
    np.testing.assert_allclose(found, [np.mean(1 - values[labels == i]) for i in (3, 2001, 2002)], rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.int64, np.uint16])
def test_that_any_whole_number_type_holds_labels(dtype: type) -> None:
    labels = np.zeros((4, 4, 4), dtype=dtype)
    labels[0], labels[1] = 7, 200
    values = np.ones(labels.shape)
    values[0] = 0.25
    assert region_labels(labels).tolist() == [7, 200]
    assert density_vector(values, labels, kind="mask").tolist() == [0.75, 0.0]


def test_that_huge_and_negative_labels_are_regions_too() -> None:
    labels = np.zeros((3, 3, 3), dtype=np.int32)
    labels[0], labels[1] = -5, 614_454_277
    values = np.zeros(labels.shape)
    values[0], values[1] = 1.0, -3.0
    table = region_table(values, labels, {-5: "left", 614_454_277: "right"}, np.eye(4), kind="map")
    assert table["region"].tolist() == ["right", "left", OUTSIDE]
    assert table["density"].tolist() == [3.0, 1.0, 0.0]
    assert table["peak"].tolist() == [-3.0, 1.0, 0.0]
    assert region_labels(np.where(labels == 0, labels, labels // 100)).tolist() == [-1, 6_144_542]


def test_that_voxels_that_are_not_numbers_count_only_in_the_volume() -> None:
    values, labels = scene(3)
    values[labels == 3] = np.nan
    hole = tuple(np.argwhere(labels == 2001)[0])
    values[hole] = np.inf
    table = region_table(values, labels, NAMES, AFFINE, kind="map").set_index("label")
    known = (labels == 2001) & np.isfinite(values)
    assert table.loc[2001, "density"] == pytest.approx(values[known].mean(), rel=1e-12)
    assert table.loc[2001, "volume_mm3"] == pytest.approx(np.sum(labels == 2001) * 9)
    assert np.isfinite(table.loc[2001, "peak"])
    assert np.isnan(table.loc[3, ["density", "peak", "peak_x", "share_of_region"]].astype(float)).all()
    assert table.loc[3, "rank"] == 3


def test_that_a_mask_that_keeps_everything_has_no_peak_and_no_share() -> None:
    _, labels = scene()
    table = region_table(np.ones(labels.shape, dtype=np.float32), labels, NAMES, AFFINE, kind="mask")
    assert (table["density"] == 0).all()
    assert (table["share_of_region"] == 0).all()
    assert table[["share_of_map", "peak_x", "peak_y", "peak_z"]].isna().all(axis=None)
    assert table["rank"].tolist() == [1, 1, 1, 0]


def test_that_a_label_without_a_name_is_called_by_its_number() -> None:
    labels = np.ones((2, 2, 2), dtype=np.int32) * 17
    table = region_table(np.zeros((2, 2, 2)), labels, {}, np.eye(4), kind="mask")
    assert table["region"].tolist() == ["region 17", OUTSIDE]
    assert table["volume_mm3"].tolist() == [8, 0]
    assert np.isnan(table["density"][1])


def test_that_other_shapes_and_empty_atlases_are_refused() -> None:
    values, labels = scene()
    with pytest.raises(DataError, match="7 x 9 x 4 voxels, the atlas 7 x 9 x 5"):
        region_table(values[..., :4], labels, NAMES, AFFINE, kind="map")
    with pytest.raises(DataError, match="no region"):
        region_table(values, labels * 0, NAMES, AFFINE, kind="map")


def test_that_a_volume_of_256_cubed_with_400_regions_takes_seconds() -> None:
    blocks = np.arange(8 * 8 * 8, dtype=np.int16).reshape(8, 8, 8)
    labels = np.kron(np.where(blocks > 400, 0, blocks), np.ones((32, 32, 32), dtype=np.int16))
    values = np.linspace(0, 1, labels.size, dtype=np.float32).reshape(labels.shape)
    began = time.perf_counter()
    table = region_table(values, labels, {}, np.eye(4), kind="mask")
    assert time.perf_counter() - began < 20  # 2 s on an idle core
    assert len(table) == 401
    chosen = table.set_index("label").loc[7]
    assert chosen["density"] == pytest.approx(np.mean(1 - values[labels == 7].astype(np.float64)), rel=1e-10)


def test_that_cosine_equals_direct_numpy_and_is_one_for_the_same_direction() -> None:
    random = np.random.default_rng(4)
    one, other = random.random(120), random.random(120)
    direct = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert abs(cosine(one, other) - direct) < 1e-12
    assert cosine(one, 1e-200 * one) == pytest.approx(1, abs=1e-12)
    assert cosine(one, -one) == pytest.approx(-1, abs=1e-12)
    assert why_no_cosine(one, other) is None
    with pytest.raises(ValueError, match="120 and 3"):
        cosine(one, other[:3])


def test_that_a_vector_of_zeros_has_no_cosine_and_says_why() -> None:
    one, nothing = np.ones(3), np.zeros(3)
    assert np.isnan(cosine(one, nothing))
    assert "second mask" in (why_no_cosine(one, nothing) or "")
    assert "first mask" in (why_no_cosine(nothing, one) or "")
    assert "Both masks" in (why_no_cosine(nothing, nothing) or "")
    assert "no region" in (why_no_cosine(np.array([1, np.nan]), np.array([np.nan, 1])) or "")


@pytest.mark.parametrize(
    ("name", "base", "side"),
    [
        ("Precentral_L", "precentral", "L"),
        ("G_Frontal_Sup-1-R", "g frontal sup 1", "R"),
        ("Hippocampus L", "hippocampus", "L"),
        ("Left-Amygdala", "amygdala", "L"),
        ("ctx-rh-cuneus", "ctx cuneus", "R"),
        ("7Networks_LH_Vis_1", "7networks vis 1", "L"),
        ("Left Cerebral Cortex ", "cerebral cortex", "L"),
        ("RightHippocampus", "hippocampus", "R"),
        ("Hippocampus (R)", "hippocampus", "R"),
        ("L_V1_ROI", "v1 roi", "L"),
        ("Vermis_4_5", "vermis 4 5", ""),
        ("Area L 2 to R", "area l 2 to", "R"),
        ("Left to right fibres", "left to right fibres", ""),
        ("L", "l", ""),
        ("Wernicke's area, left", "wernicke s area", "L"),
    ],
)
def test_that_sides_are_found_in_names_of_many_atlases(name: str, base: str, side: str) -> None:
    assert side_of(name) == (base, side)


def test_that_left_and_right_are_paired_and_the_midline_is_not() -> None:
    names = {1: "Amygdala_L", 2: "Amygdala_R", 3: "Brainstem", 4: "Insula_L", 5: "Left Cuneus", 6: "Cuneus right"}
    assert mirror(names) == {1: 2, 2: 1, 5: 6, 6: 5}
    assert mirror({1: "A_L", 2: "a-l", 3: "A_R"}) == {}


def test_that_regions_are_found_by_name_whatever_case_and_side() -> None:
    names = {1: "Hippocampus_L", 2: "Hippocampus_R", 3: "ParaHippocampal_L", 40: "Vermis_10"}
    assert find_regions(names, ["hippocampus"]) == {"hippocampus": (1, 2)}
    assert find_regions(names, ["hippocampus l", "VERMIS 10", "3"]) == {
        "hippocampus l": (1,),
        "VERMIS 10": (40,),
        "3": (3,),
    }
    with pytest.raises(UserError, match=r"no region 'Hipocampus'. Did you mean 'Hippocampus_[LR]'"):
        find_regions(names, ["Hipocampus"])
    with pytest.raises(UserError, match="no region 'Parahippocampal R'"):
        find_regions(names, ["Parahippocampal R"])
    with pytest.raises(UserError, match="no region ''"):
        find_regions(names, [" "])
