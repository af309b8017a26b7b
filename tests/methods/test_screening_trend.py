"""Screenings in the order of a number: means, leaders and sentences against values that are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sensiview.analysis.items import Curve, IndexTable, Note
from sensiview.analysis.map_examples import image_study
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.screened_examples import finished_screening
from sensiview.analysis.study import Finished, Study
from sensiview.analysis.trend_plan import TrendParameters, numbers_in_names
from sensiview.errors import UserError
from sensiview.methods.screening_trend import ScreeningTrend

FACTORS = ("colour", "background", "place")
TREND = ScreeningTrend()
# mu_star of each factor, by the number of the screening.
PLANTED = {0.5: (2.0, 4.0, 0.1), 0.6: (3.0, 3.5, 0.2), 0.8: (5.0, 3.0, 0.1)}


def studied(names: str = "Screening, p {:g}", spread: float = 0.0) -> Study:
    """Three screenings of four images, two outputs: the second has three times the effects of the first."""
    study = image_study()
    assert study.dataset is not None
    images = tuple(study.dataset.extra["names"])
    random = np.random.default_rng(1)
    runs = {}
    for number, effects in PLANTED.items():
        wide = np.array(effects)[None, :, None] * np.array([0.5, 1.5])
        values = wide + spread * random.standard_normal((len(images), 3, 2))
        name = names.format(number)
        run = finished_screening(study, name, images, FACTORS, values, outputs=("a", "b"))
        # Each of its own data set.
        data = study.dataset.model_copy(update={"name": f"digits {number:g}"})
        runs[f"morris-{number:g}"] = replace(run, id=f"morris-{number:g}", dataset=data)
    return replace(study, runs=runs)


def trended(study: Study, **parameters: Any) -> Result:
    assert study.runs is not None
    chosen = TrendParameters(**{"runs": list(study.runs)[::-1], **parameters})
    assert TREND.against(study, chosen) == []
    return TREND.run(study, chosen, Silent())


def test_that_effects_are_means_over_inputs_and_outputs_in_the_order_of_the_numbers() -> None:
    trend = trended(studied(), quantity="p_corr")["trend"]
    assert isinstance(trend, Curve)
    frame = trend.to_frame().pivot(index="p_corr", columns="factor", values="mu_star")
    assert frame.index.tolist() == [0.5, 0.6, 0.8]
    np.testing.assert_allclose(frame[list(FACTORS)].to_numpy(), list(PLANTED.values()), rtol=1e-12)
    sigma = trend.to_frame().pivot(index="p_corr", columns="factor", values="sigma")
    np.testing.assert_allclose(sigma.to_numpy(), 0.5 * frame.to_numpy(), rtol=1e-12)
    assert trend.units["mu_star"] == "probability per range"


def test_that_intervals_are_those_of_the_mean_over_inputs() -> None:
    study = studied(spread=0.2)
    trend = trended(study, resamples=5000)["trend"]
    assert isinstance(trend, Curve)
    row = trend.frame[(trend.frame["factor"] == "colour") & (trend.frame["number"] == 0.5)].iloc[0]
    assert study.runs is not None
    screening = study.runs["morris-0.5"].result()["screening"].to_frame()  # type: ignore[attr-defined]
    own = screening[screening["factor"] == "colour"].groupby("image")["mu_star"].mean().to_numpy()
    assert row["mu_star"] == pytest.approx(own.mean())
    assert row["mu_star_low"] < own.mean() < row["mu_star_high"]
    # The bootstrap's spread is the standard error with n instead of n - 1.
    wide = 2 * 1.96 * own.std() / np.sqrt(len(own))
    assert row["mu_star_high"] - row["mu_star_low"] == pytest.approx(wide, rel=0.25)


def test_that_shares_are_over_the_largest_of_the_same_screening() -> None:
    shares = trended(studied())["shares"]
    assert isinstance(shares, IndexTable)
    frame = shares.to_frame().pivot(index="run", columns="factor", values="mu_star")
    assert frame.max(axis=1).tolist() == [1.0, 1.0, 1.0]
    assert frame.loc["Screening, p 0.8", "background"] == pytest.approx(0.6)


def test_that_the_leading_factor_is_named_with_how_far_it_is_ahead() -> None:
    result = trended(studied(), quantity="p_corr")
    leaders = result["leaders"]
    assert isinstance(leaders, IndexTable)
    frame = leaders.to_frame()
    assert frame["leading"].tolist() == ["background", "background", "colour"]
    assert frame["next"].tolist() == ["colour", "colour", "background"]
    np.testing.assert_allclose(frame["ahead"], [2.0, 0.5, 2.0])
    assert result["trend"].title == "Effects over p_corr"
    note = result["note"]
    assert isinstance(note, Note)
    assert "'Screening, p 0.8' rests most on colour: its mu_star (5) is 1.67 times that of background." in note.text
    assert "mu_star of colour rises all the way with p_corr, from 2 to 5." in note.text
    assert "mu_star of background falls all the way with p_corr, from 4 to 3." in note.text
    assert "mu_star of place" not in note.text
    assert "place matters little" in note.text


def test_that_resting_on_what_was_planted_in_digits_is_called_cheating() -> None:
    study = studied()
    assert study.runs is not None
    planted = {
        key: replace(run, dataset=run.dataset.model_copy(update={"extra": {"biased_digits": {"position": 0.5}}}))
        for key, run in study.runs.items()
        if run.dataset is not None
    }
    notes = [trended(study)["note"], trended(replace(study, runs=planted))["note"]]
    assert ["cheats" in note.text for note in notes if isinstance(note, Note)] == [False, True]


def test_that_a_factor_that_leads_everywhere_stands_in_the_title() -> None:
    result = trended(studied(), runs=["morris-0.5", "morris-0.6"])
    assert result["trend"].title == "Effects over the number of each screening: background leads"
    note = result["note"]
    assert isinstance(note, Note)
    assert "all the way" not in note.text


def test_that_a_lead_within_the_spread_of_the_inputs_is_called_chance() -> None:
    note = trended(studied(spread=4.0))["note"]
    assert isinstance(note, Note)
    assert "that lead may be chance" in note.text


def test_that_numbers_may_be_given_instead_of_read_from_names() -> None:
    study = studied(names="run {:g}x")
    trend = trended(study, runs=["morris-0.5", "morris-0.6", "morris-0.8"], numbers="30,10,20")["trend"]
    assert isinstance(trend, Curve)
    colour = trend.frame[trend.frame["factor"] == "colour"]
    assert colour["number"].tolist() == [10.0, 20.0, 30.0]
    assert colour["mu_star"].tolist() == pytest.approx([3.0, 5.0, 2.0])


@pytest.mark.parametrize(
    ("name", "number"),
    [("p_corr 0.5", 0.5), ("N=100, p = -2", -2.0), ("epoch 1e3", 1000.0), ("2 networks, 0.7 biased", 0.7)],
)
def test_that_the_last_number_of_a_name_counts(name: str, number: float) -> None:
    assert numbers_in_names([Finished(id="r", name=name, result=lambda: Result({}))]) == [number]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"runs": []}, "Choose finished runs of 'Morris screening'"),
        ({"runs": ["morris-0.5"]}, "needs two screenings or more"),
        ({"runs": ["morris-0.5", "morris-9"]}, "There is no finished run 'morris-9'"),
        ({"numbers": [1.0, 2.0]}, "2 numbers for 3 screenings"),
        ({"numbers": [1.0, 1.0, 1.0]}, r"same number \(1\)"),
    ],
)
def test_that_runs_and_numbers_that_do_not_fit_are_a_sentence(parameters: dict[str, Any], words: str) -> None:
    study = studied()
    assert study.runs is not None
    chosen = TrendParameters(**{"runs": list(study.runs), **parameters})
    with pytest.raises(UserError, match=words):
        TREND.run(study, chosen, Silent())


def test_that_names_without_a_number_other_analyses_and_other_factors_are_refused() -> None:
    study = studied(names="run")
    assert study.runs is not None
    chosen = TrendParameters(runs=list(study.runs))
    assert "has no number" in TREND.problems(study, chosen)[0]
    odd = replace(study, runs={**study.runs, "morris-0.5": replace(study.runs["morris-0.5"], analysis="sobol")})
    assert "is a run of 'sobol'" in TREND.problems(odd, chosen)[0]
    others = finished_screening(study, "other", ("a",), ("x", "y", "z"), np.ones((1, 3, 1)))
    mixed = replace(study, runs={**study.runs, "other": others})
    with pytest.raises(UserError, match=r"'other' has other factors \(x, y, z\)"):
        TREND.run(mixed, TrendParameters(runs=["morris-0.5", "other"], numbers=[1, 2]), Silent())


def test_that_effects_that_are_no_numbers_are_a_sentence() -> None:
    study = studied()
    lost = finished_screening(study, "lost 1", ("a",), FACTORS, np.full((1, 3, 1), np.nan))
    assert study.runs is not None
    mixed = replace(study, runs={**study.runs, "lost": replace(lost, id="lost")})
    with pytest.raises(UserError, match="no effects that are finite"):
        TREND.run(mixed, TrendParameters(runs=["morris-0.5", "lost"]), Silent())
