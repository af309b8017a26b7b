"""Overlap of top parts: known rankings, chance, other images, and screenings that don't fit each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sensiview.analysis.items import Matrix
from sensiview.analysis.screened_examples import finished_screening, screened_study
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.methods.overlap import Overlap
from tests.methods.image_studies import note, run
from tests.methods.screened_runs import CELLS, NAMES, OfCells, cells_study, frame, screened, with_runs

ANALYSIS = Overlap()


def study_with(*effects: np.ndarray, **more: Any) -> Study:
    study = cells_study(OfCells("sum", np.ones(16)))
    runs = [screened(study, f"net {place + 1}", one, **more) for place, one in enumerate(effects)]
    return with_runs(study, *runs)


def one_hot(*cells: int) -> np.ndarray:
    found = np.full(16, 0.01)
    found[list(cells)] = 1.0 + 0.1 * np.arange(len(cells))
    return found


def overlap_of(study: Study, **parameters: Any) -> Any:
    assert study.runs is not None
    result = run(ANALYSIS, study, **({"runs": list(study.runs), "by": "mu_star"} | parameters))
    return frame(result, "overlap").iloc[0], result


def test_that_the_same_cells_and_those_beside_them_count() -> None:
    # Three cells of sixteen; of the second network's, two lie at or beside the first's corner.
    row, result = overlap_of(study_with(one_hot(0, 3, 12), one_hot(1, 10, 15)), share=0.2)
    # Cell 2 touches cell 1, cell 11 (third row, third column) touches none of the corners 1, 4 and 13.
    assert row["overlap"] == pytest.approx(1 / 3)
    near = {0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13}
    assert row["random"] == pytest.approx(len(near) / 16)
    assert row["inputs"] == 6
    sizes = frame(result, "sensitivity").set_index("where")
    assert sizes.loc["inside", "mu_star"] == pytest.approx(1.0)
    assert sizes.loc["outside", "mu_star"] == pytest.approx((1.1 + 1.2) / 2)
    assert sizes.loc["reference inside", "mu_star"] == pytest.approx(0.01)


def test_that_a_network_overlaps_with_itself_and_the_matrix_has_all_pairs() -> None:
    effects = np.random.default_rng(1).random((6, 16))
    row, result = overlap_of(study_with(effects, effects, effects[:, ::-1]), share=0.25)
    assert row["overlap"] == 1.0
    matrix = result["overlaps"]
    assert isinstance(matrix, Matrix)
    assert matrix.rows == ("net 1", "net 2", "net 3")
    np.testing.assert_allclose(np.diag(matrix.values), 1.0)
    assert matrix.values[0, 1] == 1.0


def test_that_agreement_beyond_chance_is_told_and_its_absence_too() -> None:
    clustered = np.stack([one_hot(0, 1, 4) if k % 2 else one_hot(10, 11, 15) for k in range(6)])
    row, result = overlap_of(study_with(clustered, clustered), share=0.2)
    assert row["overlap_low"] > row["random_high"]
    # With the cells of other images: half of them share the cluster, the others are far.
    assert row["other_inputs"] == pytest.approx(2 / 5)
    assert "more than by chance" in note(result)
    assert "more than a habit of looking at one place" in note(result)
    same = np.tile(one_hot(5, 6, 9), (6, 1))
    row, result = overlap_of(study_with(same, same), share=0.2)
    assert row["other_inputs"] == 1
    assert "whatever is there" in note(result)


def test_that_the_reference_can_be_any_of_the_runs_by_name() -> None:
    study = study_with(one_hot(0, 3, 12), one_hot(1, 10, 15))
    row, _ = overlap_of(study, share=0.2, reference="net 2")
    assert row["run"] == "net 1"
    chosen = ANALYSIS.Parameters.parse({"runs": ["net 1", "net 2"], "reference": "net 9"})
    assert "is none of the screenings chosen" in ANALYSIS.against(study, chosen)[0]


def test_that_cells_are_compared_across_networks_that_see_other_sizes() -> None:
    study = study_with(one_hot(0, 3, 12))
    larger = np.repeat(np.repeat(CELLS, 2, axis=0), 2, axis=1)
    study = with_runs(study, *(study.runs or {}).values(), screened(study, "large", one_hot(1, 10, 15), labels=larger))
    row, _ = overlap_of(study, share=0.2)
    assert row["overlap"] == pytest.approx(1 / 3)


def test_that_each_measure_has_its_own_ranking() -> None:
    study = cells_study(OfCells("sum", np.ones(16)))
    same, other = one_hot(0, 1, 4), one_hot(10, 11, 15)
    runs = screened(study, "one", same, same), screened(study, "two", same, 3 * other)
    result = run(ANALYSIS, with_runs(study, *runs), runs=["one", "two"], share=0.2)
    table = frame(result, "overlap").set_index("measure")["overlap"]
    assert table["mu_star"] == 1
    assert table["sigma"] == 0
    assert table["mu_star + sigma"] == 0


def test_that_columns_have_no_neighbours_and_one_ranking_no_interval() -> None:
    result = run(ANALYSIS, screened_study("table"), runs=["planted", "noise"], share=0.67, by="mu_star")
    row = frame(result, "overlap").iloc[0]
    # The top two are a and b, and b and c.
    assert row["overlap"] == 0.5
    assert np.isnan(row["overlap_low"])
    assert "there are no intervals" in note(result)


def test_that_global_screenings_are_compared_by_their_means() -> None:
    study = study_with(one_hot(0, 3, 12), one_hot(0, 3, 12), scope="global")
    row, result = overlap_of(study, share=0.2)
    assert (row["overlap"], row["inputs"]) == (1, 1)
    assert "all inputs together" in note(result)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": ["a.png", "b.png"]}, "no image in common"),
        ({"factors": [f"part {k}" for k in range(16)]}, "can't be compared"),
        ({"scope": "global"}, "of different scopes"),
    ],
)
def test_that_screenings_of_other_images_parts_or_scopes_are_refused(change: dict[str, Any], words: str) -> None:
    study = study_with(one_hot(0, 3, 12))
    study = with_runs(study, *(study.runs or {}).values(), screened(study, "odd", one_hot(1, 10, 15), **change))
    with pytest.raises(UserError, match=words):
        run(ANALYSIS, study, runs=["net 1", "odd"])


def test_that_superpixels_that_lie_elsewhere_are_refused() -> None:
    study = cells_study(OfCells("sum", np.ones(16)))
    own = np.stack([np.roll(CELLS, k, axis=1) for k in range(6)])
    runs = [
        screened(study, name, one_hot(1, 2, 3), labels=labels, partition="superpixels")
        for name, labels in (("one", own), ("two", own[::-1].copy()))
    ]
    with pytest.raises(UserError, match="lie elsewhere"):
        run(ANALYSIS, with_runs(study, *runs), runs=["one", "two"])
    same = with_runs(study, runs[0], replace(runs[0], id="again", name="again"))
    assert frame(run(ANALYSIS, same, runs=["one", "again"], share=0.2), "overlap")["overlap"].eq(1).all()


def test_that_images_that_not_all_screenings_have_are_left_out_and_said() -> None:
    study = study_with(one_hot(0, 3, 12))
    names = study.images().names
    study = with_runs(study, *(study.runs or {}).values(), screened(study, "few", one_hot(0, 3, 12), names=names[:3]))
    row, result = overlap_of(study, share=0.2)
    assert row["inputs"] == 3
    assert "Only the 3 inputs" in note(result)


def test_that_one_screening_and_too_small_a_share_are_refused() -> None:
    study = study_with(one_hot(0, 3, 12), one_hot(0, 3, 12))
    chosen = ANALYSIS.Parameters.parse({"runs": ["net 1"]})
    assert "one screening only" in ANALYSIS.against(study, chosen)[0]
    with pytest.raises(UserError, match="there is no top"):
        run(ANALYSIS, study, runs=["net 1", "net 2"], share=0.01)
    zeros = with_runs(study, *(screened(study, n, np.zeros(16)) for n in ("one", "two")))
    with pytest.raises(UserError, match="No input has an order"):
        run(ANALYSIS, zeros, runs=["one", "two"])


def test_that_the_own_class_of_each_image_ranks_where_all_classes_were_screened() -> None:
    study = cells_study(OfCells("sum", np.ones(16)))
    names = tuple(study.images().names)
    values = np.zeros((6, 16, 2))
    values[..., 0], values[..., 1] = one_hot(0, 1, 4), one_hot(10, 11, 15)
    runs = [
        finished_screening(study, n, names, NAMES, values, outputs=("bright", "plain"), labels=CELLS)
        for n in ("one", "two")
    ]
    result = run(ANALYSIS, with_runs(study, *runs), runs=["one", "two"], share=0.2, by="mu_star")
    each = frame(result, "overlap_each")
    assert (each["mu_star"] == 1).all()
    # Five images are bright, one is plain: its cells are far from those of the others.
    assert frame(result, "overlap")["other_inputs"].iloc[0] == pytest.approx(20 / 30)
