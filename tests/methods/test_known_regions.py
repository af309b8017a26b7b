"""Maps against known regions: figures against direct computation, kinds of items, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sensiview.analysis.contract_checks import CHECKS
from sensiview.analysis.items import FieldMap, IndexTable, Item, Mask, Note
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.datasets.atlas import atlas_on, find_atlas
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Grid
from sensiview.errors import DataError, UserError
from sensiview.methods.known_regions import KnownRegions, KnownRegionsParameters
from sensiview.numerics.region_truth import area_under_roc, dilated

GRID = Grid((24, 28, 24), np.array([[-7.0, 0, 0, 78], [0, 7, 0, -110], [0, 0, 7, -72], [0, 0, 0, 1]]))
PLANTED = ("Hippocampus L", "Hippocampus R", "Amygdala L", "Amygdala R")


def planted() -> np.ndarray:
    """Return where hippocampus and amygdala lie on the grid, (i, j, k)."""
    atlas = find_atlas("desikan_killiany")
    labels = atlas_on(atlas, GRID)
    return np.isin(labels, [label for label, name in atlas.names.items() if name in PLANTED])


def volume_item(values: np.ndarray, *leading: str, cls: type[FieldMap] = FieldMap, **more: Any) -> FieldMap:
    """Return (..., i, j, k) as an item."""
    settings = {"title": "Map", "description": "Shown.", "affine": GRID.affine, **more}
    return cls(values=np.swapaxes(values, -1, -3), axes=(*leading, "z", "y", "x"), **settings)


def finished(name: str, **items: Item) -> Finished:
    """Return a run with these items."""
    return Finished(id=name, name=f"Run {name}", analysis="toy", result=lambda: Result(items))


def run(*runs: Finished, atlas: str = "desikan_killiany", **values: object) -> Result:
    """Compare these runs."""
    card = DatasetCard(name="cohort", kind="volumes", n_rows=1, extra={"shape": list(GRID.shape)})
    study = Study(dataset=card, runs={one.id: one for one in runs})
    given = {"runs": [one.id for one in runs], "regions": ["hippocampus", "Amygdala"], "atlas": atlas, **values}
    return KnownRegions().run(study, KnownRegionsParameters.parse(given), Silent())


def frame(result: Result, name: str) -> pd.DataFrame:
    """Return a table of the result."""
    item = result[name]
    assert isinstance(item, IndexTable)
    return item.to_frame()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_that_the_contract_is_kept(check: object) -> None:
    check(KnownRegions())  # type: ignore[operator]


def test_that_a_mask_of_the_planted_regions_is_found_truthful_and_an_even_map_is_not() -> None:
    inside = planted()
    mask = volume_item(np.where(inside, 0.1, 1.0), cls=Mask)
    even = volume_item(np.full(GRID.shape, -2.0))
    result = run(finished("mask", mask=mask), finished("even", map=even))
    shares = frame(result, "shares").set_index("map")
    assert shares.loc["Run mask", "share_inside"] == pytest.approx(1)
    assert shares.loc["Run mask", ["found", "auc", "peak_inside", "best_rank"]].tolist() == [1, 1, 1, 1]
    assert shares.loc["Run mask", "peak_distance"] == 0
    assert shares.loc["Run even", "share_inside"] == pytest.approx(inside.mean(), rel=1e-12)
    assert shares.loc["Run even", "share_dilated"] == pytest.approx(dilated(inside, 1).mean(), rel=1e-12)
    assert shares.loc["Run even", "auc"] == 0.5
    ranking = frame(result, "ranking")
    best = ranking[(ranking["map"] == "Run mask") & (ranking["rank"] <= 4)]
    assert set(best["region"]) == set(PLANTED)
    assert set(best["known"]) == {"yes"}
    assert len(ranking) == 2 * 83
    note = result["note"]
    assert isinstance(note, Note)
    assert "1 of 2 maps reach the wanted share of 50 %" in note.text
    assert "'Run mask': 100 % of it lies in them" in note.text
    item = result["shares"]
    assert isinstance(item, IndexTable)
    assert [mark.row for mark in item.remarks] == [1]


def test_that_the_figures_equal_a_direct_computation() -> None:
    random = np.random.default_rng(2)
    values, inside = random.normal(size=GRID.shape), planted()
    labels = atlas_on(find_atlas("desikan_killiany"), GRID)
    shares = frame(run(finished("one", map=volume_item(values)), dilate=2), "shares").iloc[0]
    strength = np.abs(values)
    assert shares["share_inside"] == pytest.approx(strength[inside].sum() / strength.sum(), rel=1e-12)
    wider = dilated(inside, 2)
    assert shares["share_dilated"] == pytest.approx(strength[wider].sum() / strength.sum(), rel=1e-12)
    assert shares["chance"] == pytest.approx(wider.sum() / (wider | (labels > 0)).sum(), rel=1e-12)
    from sklearn.metrics import roc_auc_score

    brain = labels > 0
    assert shares["auc"] == pytest.approx(roc_auc_score(inside[brain], strength[brain]), rel=1e-12)
    peak = np.array(np.unravel_index(np.argmax(strength), GRID.shape))
    assert shares["peak_distance"] == pytest.approx(7 * np.linalg.norm(np.argwhere(inside) - peak, axis=1).min())
    means = {label: strength[labels == label].mean() for label in np.unique(labels) if label}
    order = sorted(means, key=means.__getitem__, reverse=True)
    ranks = [1 + order.index(label) for label in np.unique(labels[inside])]
    assert (shares["best_rank"], shares["mean_rank"]) == (min(ranks), np.mean(ranks))
    assert shares["found"] == np.mean(np.array(ranks) <= 4)


def test_that_each_cell_of_a_grid_of_parameters_is_a_map_of_its_own() -> None:
    masks = np.stack([[np.where(planted(), low, 1.0) for low in row] for row in ((0.0, 0.5), (0.9, 1.0))])
    item = volume_item(
        masks, "lambda_1", "lambda_2", cls=Mask, coordinates={"lambda_1": ("0.1", "0.01"), "lambda_2": ("1", "2")}
    )
    result = run(finished("grid", masks=item, masked_input=volume_item(masks[0, 0])))
    shares = frame(result, "shares")
    assert shares["map"].tolist()[:2] == [
        "Run grid, lambda_1 = 0.1, lambda_2 = 1",
        "Run grid, lambda_1 = 0.1, lambda_2 = 2",
    ]
    assert len(shares) == 4
    assert shares.iloc[3][["share_inside", "auc", "peak_inside", "found"]].isna().all()
    assert any("'Run grid, lambda_1 = 0.01, lambda_2 = 2' is zero everywhere" in said for said in result.warnings)


def test_that_maps_of_several_subjects_are_averaged_or_taken_one_by_one() -> None:
    random = np.random.default_rng(3)
    values = random.normal(size=(3, *GRID.shape))
    item = volume_item(values, "subject", coordinates={"subject": ("a", "b", "c")}, signed=True)
    mean = frame(run(finished("cam", map=item)), "shares")
    direct = np.abs(values).mean(axis=0)
    assert mean["share_inside"].tolist() == pytest.approx([direct[planted()].sum() / direct.sum()], rel=1e-12)
    each = frame(run(finished("cam", map=item), subjects="each"), "shares")
    assert each["map"].tolist() == ["Run cam, a", "Run cam, b", "Run cam, c"]


def test_that_a_mean_map_of_the_result_is_preferred_and_its_spread_is_no_map() -> None:
    one = volume_item(np.ones((2, *GRID.shape)), "subject", coordinates={"subject": ("a", "b")})
    run_of = finished(
        "cam", mean_map=volume_item(np.ones(GRID.shape)), spread=volume_item(np.ones(GRID.shape)), map=one
    )
    assert frame(run(run_of), "shares")["map"].tolist() == ["Run cam"]
    assert len(frame(run(run_of, subjects="each"), "shares")) == 2


def test_that_runs_of_the_same_name_are_told_apart() -> None:
    first, second = (finished(name, map=volume_item(np.ones(GRID.shape))) for name in "ab")
    result = run(replace(first, name="CAM"), replace(second, name="CAM"))
    assert frame(result, "shares")["map"].tolist() == ["CAM (a)", "CAM (b)"]


def test_that_voxels_that_are_not_numbers_do_not_spoil_the_figures() -> None:
    values = np.where(planted(), 1.0, 0.0)
    values[0, 0, 0] = np.nan
    values[0, 0, 1] = np.inf
    shares = frame(run(finished("one", map=volume_item(values))), "shares").iloc[0]
    assert shares["share_inside"] == 1
    assert shares["auc"] == 1


def test_that_what_cannot_be_compared_is_refused_with_a_reason() -> None:
    good = finished("one", map=volume_item(np.ones(GRID.shape)))
    with pytest.raises(UserError, match=r"no region 'Hipocampus'. Did you mean 'Hippocampus [LR]'"):
        run(good, regions=["Hipocampus"])
    with pytest.raises(UserError, match="Name at least one known region"):
        run(good, regions=[])
    with pytest.raises(UserError, match="There is no finished run 'x'"):
        run(good, runs=["x"])
    with pytest.raises(UserError, match="'Run table' has no map of volumes"):
        run(finished("table", note=Note(title="Words", text="Only words.")))
    with pytest.raises(UserError, match="neither a file nor one that comes with SensiView"):
        run(good, atlas="aal9")
    far = volume_item(np.ones(GRID.shape), affine=GRID.affine + np.array([[0, 0, 0, 900]] + [[0] * 4] * 3))
    with pytest.raises(DataError, match=r"centres lie 89\d mm apart"):
        run(finished("far", map=far))
    with pytest.raises(DataError, match="No atlas fits these maps"):
        run(finished("far", map=far), atlas="")
    with pytest.raises(UserError, match="dilate"):
        run(good, dilate=-1)


def test_that_a_wrong_region_is_told_before_the_run_where_the_atlas_is_the_bundled_one() -> None:
    card = DatasetCard(name="cohort", kind="volumes")
    one = finished("one")
    given = KnownRegionsParameters(runs="one", regions="hipocampus")
    study = Study(dataset=card, runs={"one": one})
    assert any("no region 'hipocampus'" in said for said in KnownRegions().problems(study, given))
    own = replace(study, dataset=card.model_copy(update={"extra": {"atlas": {"file": "/own.nii"}}}))
    assert KnownRegions().problems(own, given) == []


def test_that_the_cost_follows_the_size_of_the_volumes() -> None:
    small, large = (
        KnownRegions().cost(Study(dataset=DatasetCard(name="x", extra={"shape": [side] * 3})), KnownRegionsParameters())
        for side in (10, 100)
    )
    assert large.peak_bytes == 1000 * small.peak_bytes
    assert KnownRegions().cost(Study(), KnownRegionsParameters()).evaluations == 0


def test_that_the_obstacles_name_what_is_missing() -> None:
    card = DatasetCard(name="cohort", kind="volumes")
    assert any("no finished run" in said for said in KnownRegions().obstacles(Study(dataset=card)))
    table = KnownRegions().obstacles(Study(dataset=DatasetCard(name="table")))
    assert any("works on volumes" in said for said in table)


def test_that_maps_of_runs_on_real_volumes_are_told_by_the_atlas_of_the_data(shared_data: Path) -> None:
    import nibabel

    atlas = shared_data / "atlas" / "atlas-AAL2_dseg.nii.gz"
    image = nibabel.load(sorted((shared_data / "mri" / "ixi_gm_mni_3mm").glob("*.nii.gz"))[0])
    values = np.asarray(image.dataobj, dtype=np.float32)
    item = replace(volume_item(values), affine=image.affine)
    one = finished("real", map=item)
    card = DatasetCard(name="cohort", kind="volumes", extra={"atlas": {"file": str(atlas)}})
    given = KnownRegionsParameters(runs="real", regions="Precuneus, Insula_L")
    result = KnownRegions().run(Study(dataset=card, runs={"real": one}), given, Silent())
    ranking = frame(result, "ranking")
    assert set(ranking.loc[ranking["known"] == "yes", "region"]) == {"Precuneus_L", "Precuneus_R", "Insula_L"}
    labels = np.asarray(nibabel.load(atlas).dataobj)[::2, ::2, ::2]
    row = ranking.set_index("region").loc["Insula_L"]
    assert row["density"] == pytest.approx(values[labels == row["label"]].mean(dtype=np.float64), rel=1e-12)


def test_that_regions_grow_through_faces_as_scipy_grows_them() -> None:
    from scipy.ndimage import binary_dilation

    inside = np.random.default_rng(1).random((7, 6, 5)) > 0.95
    for voxels in (1, 2, 3):
        np.testing.assert_array_equal(dilated(inside, voxels), binary_dilation(inside, iterations=voxels))
    np.testing.assert_array_equal(dilated(inside, 0), inside)


def test_that_the_roc_area_counts_ties_half() -> None:
    assert area_under_roc(np.array([1.0, 1.0, 2.0, 0.0]), np.array([True, False, True, False])) == 0.875
    assert np.isnan(area_under_roc(np.ones(3), np.ones(3, dtype=bool)))
