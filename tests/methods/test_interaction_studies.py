"""mu_star over sigma, and pairs of parts: networks whose interactions are known, tables, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

import sensiview
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.screened_examples import screened_study
from sensiview.errors import Stopped, UserError
from sensiview.methods.interaction_pairs import InteractionPairs
from sensiview.methods.interaction_ratio import InteractionRatio
from tests.methods.image_studies import note, run
from tests.methods.screened_runs import OfCells, cells_study, frame, own_sums, screened, with_runs

PAIRS, RATIO = InteractionPairs(), InteractionRatio()
TWO = np.where(np.isin(np.arange(16), [2, 7]), 0.1, 0.0)


def pairs_of(module: nn.Module, effects: np.ndarray, **parameters: Any) -> Result:
    study = cells_study(module)
    study = with_runs(study, screened(study, "cells", effects))
    chosen = {"runs": ["cells"], "output": "logit", "ranking": "global"} | parameters
    return run(PAIRS, study, **chosen)


def ratio_row(result: Result, quantity: str) -> Any:
    return frame(result, "ratio").set_index("quantity").loc[quantity]


def test_that_an_additive_network_has_no_interaction_by_its_score() -> None:
    result = pairs_of(OfCells("sum", np.linspace(1, 3, 16), bar=1e-3), np.arange(16.0))
    row = ratio_row(result, "score")
    assert (row["interacting"], row["certain"], row["substituting"], row["random"]) == (0, 0, 0, 0)
    assert row["pairs"] == 10
    table = frame(result, "pairs")
    np.testing.assert_allclose(table["score_excess"], 0, atol=1e-3)
    np.testing.assert_allclose(table["score_d1"] + table["score_d2"], table["score_g1"] + table["score_g2"], rtol=1e-6)


def test_that_the_two_cells_of_a_product_interact_and_no_other_pair() -> None:
    module = OfCells("product", TWO, bar=1e-3)
    effects = np.where(TWO > 0, 5.0, 0.0) + np.linspace(0, 0.1, 16)
    result = pairs_of(module, effects, top_k=3)
    table = frame(result, "pairs").set_index(["part_1", "part_2"])
    assert list(table.index) == [("cell 8", "cell 3"), ("cell 8", "cell 16"), ("cell 3", "cell 16")]
    assert list(table["score_interacting"]) == [True, False, False]
    assert list(table["accuracy_interacting"]) == [True, False, False]
    product = np.prod(0.1 * own_sums(cells_study(module))[:5][:, [2, 7]], axis=1).mean()
    assert table["score_excess"].iloc[0] == pytest.approx(product, rel=1e-4)
    assert table["score_d1"].iloc[0] == pytest.approx(product, rel=1e-4)
    assert table["score_d2"].iloc[0] == pytest.approx(0, abs=1e-6)
    for quantity in ("accuracy", "score"):
        assert ratio_row(result, quantity)["interacting"] == pytest.approx(1 / 3)
        assert ratio_row(result, quantity)["certain"] == pytest.approx(1 / 3)
    assert "33 % [33, 33] of 3 pairs of top parts interact" in note(result)


def test_that_cells_of_which_one_is_enough_substitute_each_other() -> None:
    effects = np.where(TWO > 0, 5.0, 0.0) + np.linspace(0, 0.1, 16)
    result = pairs_of(OfCells("largest", TWO, bar=1e-3), effects, top_k=2)
    for quantity in ("accuracy", "score"):
        row = ratio_row(result, quantity)
        assert (row["interacting"], row["substituting"]) == (0, 1)


def test_that_local_pairs_are_of_ranks_and_every_image_has_its_share() -> None:
    module = OfCells("product", TWO, bar=1e-3)
    effects = np.where(TWO > 0, 5.0, 0.0) + np.random.default_rng(1).uniform(0, 0.1, (6, 16))
    result = pairs_of(module, effects, ranking="local", top_k=3)
    assert frame(result, "pairs")["part_1"].tolist() == ["rank 1", "rank 1", "rank 2"]
    np.testing.assert_allclose(frame(result, "ratio_each")["ratio"], 1 / 3)
    assert "ranks" in note(result)


class Formula(nn.Module):
    """x1 x2 + 2 x3, and x4 that does nothing: the class is whether it is above 0."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * (x[:, 0] * x[:, 1] + 2 * x[:, 2])[:, None]


def test_that_pairs_of_columns_agree_with_second_order_sobol_indices() -> None:
    values = np.random.default_rng(3).uniform(-1, 1, (2000, 4))
    table = pd.DataFrame(values, columns=list("abcd"))
    table["y"] = values[:, 0] * values[:, 1] + 2 * values[:, 2]
    module = Formula()
    screening = sensiview.analyse("morris", module, table, target="y", parameters={"n": 30}, progress=False)
    sobol = sensiview.analyse(
        "sobol", module, table, target="y", parameters={"n": 4096, "second_order": True}, progress=False
    )
    found = sensiview.analyse(
        "interaction_pairs", module, table, target="y", runs={"formula": screening}, progress=False,
        parameters={"top_k": 4, "repeats": 20, "most": 2000},
    )  # fmt: skip
    second = {
        frozenset((row["factor_1"], row["factor_2"])): row["S2"]
        for row in frame(sobol, "second_order").to_dict("records")
    }
    for row in frame(found, "pairs").to_dict("records"):
        assert row["superset_importance"] == pytest.approx(second[frozenset((row["part_1"], row["part_2"]))], abs=0.015)
    # Var(x1 x2) = 1/9 of 1/9 + 4/3.
    ab = frame(found, "pairs").set_index(["part_1", "part_2"])["superset_importance"]
    pair = next(value for (one, other), value in ab.items() if {one, other} == {"a", "b"})
    assert pair == pytest.approx((1 / 9) / (1 / 9 + 4 / 3), abs=0.01)


def test_that_fewer_parts_than_asked_for_are_all_paired_and_one_is_refused() -> None:
    result = run(PAIRS, screened_study("table"), runs=["planted"], top_k=9, repeats=4)
    assert len(frame(result, "pairs")) == 3
    assert "has 3 parts: all of them are paired" in note(result)
    study = cells_study(OfCells("sum", np.ones(16), bar=1e-3))
    one = screened(study, "cells", np.ones(1), factors=["all"], labels=np.zeros((16, 16), dtype=int), cells=1)
    with pytest.raises(UserError, match="one part only"):
        run(PAIRS, with_runs(study, one), runs=["cells"])


def test_that_stopped_pairs_go_on_with_the_same_numbers() -> None:
    parameters = PAIRS.Parameters.parse({"runs": ["planted"], "top_k": 3})
    whole = PAIRS.run(screened_study("images"), parameters, Silent())

    class StopAfter(Silent):
        rows = whole.evaluations // 2

        def advance(self, done: int) -> None:
            self.rows -= done
            if self.rows < 0:
                raise Stopped

    halfway = StopAfter()
    with pytest.raises(Stopped):
        PAIRS.run(screened_study("images"), parameters, halfway)
    later = PAIRS.run(screened_study("images"), parameters, Silent(halfway.restored()))
    pd.testing.assert_frame_equal(frame(later, "pairs"), frame(whole, "pairs"))
    assert later.evaluations < whole.evaluations


# mu_star / sigma --------------------------------------------------------------------------------------------------


def ratio_of(*measures: tuple[np.ndarray, np.ndarray], **more: Any) -> Result:
    study = cells_study(OfCells("sum", np.ones(16)))
    runs = [screened(study, f"net {k + 1}", *one, **more) for k, one in enumerate(measures)]
    return run(RATIO, with_runs(study, *runs), runs=[one.id for one in runs])


def test_that_eta_is_the_mean_ratio_of_relevant_parts_per_image() -> None:
    mu_star = np.tile(np.where(np.arange(16) < 2, [2.0, 1.8] + [0] * 14, 0.1), (6, 1))
    sigma = np.tile(np.where(np.arange(16) < 2, [1.0, 0.9] + [0] * 14, 0.2), (6, 1))
    result = ratio_of((mu_star, sigma), (mu_star, 4 * sigma))
    table = frame(result, "eta").set_index("run")
    assert table.loc["net 1", "eta"] == pytest.approx(2.0)
    assert table.loc["net 2", "eta"] == pytest.approx(0.5)
    assert (table["relevant"] == 2).all()
    # Over all parts: two of ratio 2 and fourteen of 1/2.
    assert table.loc["net 1", "random"] == pytest.approx((2 * 2 + 14 * 0.5) / 16)
    assert table.loc["net 1", "eta_low"] == pytest.approx(2.0)
    assert len(frame(result, "eta_each")) == 12
    assert "'net 2' rests on non-linearity and interaction the most" in note(result)


def test_that_a_global_screening_has_the_eta_of_its_mean_with_an_interval_over_images() -> None:
    random = np.random.default_rng(2)
    mu_star = np.where(np.arange(16) == 3, random.uniform(1, 3, (6, 1)), 0.1)
    sigma = np.where(np.arange(16) == 3, 1.0, 0.1) * np.ones((6, 1))
    result = ratio_of((mu_star, sigma), scope="global")
    row = frame(result, "eta").iloc[0]
    assert row["eta"] == pytest.approx(mu_star[:, 3].mean())
    assert row["eta_low"] < row["eta"] < row["eta_high"]
    assert "eta_each" not in result


def test_that_screenings_without_a_ratio_are_refused_or_left_out() -> None:
    with pytest.raises(UserError, match="no ratio"):
        ratio_of((np.zeros(16), np.zeros(16)))
    with pytest.raises(UserError, match="no ratio"):
        ratio_of((np.ones(16), np.zeros(16)))
    mu_star, sigma = np.ones((6, 16)), np.ones((6, 16))
    sigma[2] = 0
    result = ratio_of((mu_star, sigma))
    assert "'image-2.png'" in note(result)
    assert frame(result, "eta")["eta"].iloc[0] == 1


@pytest.mark.parametrize("analysis", [PAIRS, RATIO], ids=["pairs", "ratio"])
def test_that_no_run_and_unknown_runs_are_refused(analysis: Any) -> None:
    study = screened_study("images")
    for given, words in (([], "Choose finished runs"), (["lost"], "no finished run 'lost'")):
        said = analysis.against(study, analysis.Parameters.parse({"runs": given}))
        assert len(said) == 1
        assert words in said[0]
