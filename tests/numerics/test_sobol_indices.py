"""Indices against exact values and against SALib on the same answers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from reference_functions import ISHIGAMI, SOBOL_G, Reference
from SALib.analyze import sobol as salib_analyze

from sensiview.errors import Stopped
from sensiview.numerics import sobol_sums
from sensiview.numerics.evaluations import Evaluations
from sensiview.numerics.sobol_indices import Estimate, Indices, estimate

TOLERANCE = 1e-10


def _salib(y: Any, n_factors: int, second_order: bool, **options: Any) -> Any:
    problem = {"num_vars": n_factors, "names": [str(i) for i in range(n_factors)], "bounds": [[0, 1]] * n_factors}
    return salib_analyze.analyze(problem, y, calc_second_order=second_order, **options)


def _assert_equal(found: Indices, expected: Any, output: int = 0) -> None:
    np.testing.assert_allclose(found.first.value[output], expected["S1"], atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(found.first.conf[output], expected["S1_conf"], atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(found.total.value[output], expected["ST"], atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(found.total.conf[output], expected["ST_conf"], atol=TOLERANCE, rtol=0)
    if found.second is not None and found.second_conf is not None:
        np.testing.assert_allclose(found.second[output], expected["S2"], atol=TOLERANCE, rtol=0)
        np.testing.assert_allclose(found.second_conf[output], expected["S2_conf"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("function", [ISHIGAMI, SOBOL_G], ids=lambda f: f.name)
@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize("n", [16, 128, 1024])
def test_that_indices_and_intervals_are_salib_s(function: Reference, second_order: bool, n: int) -> None:
    kept = function.evaluated(n, seed=3, second_order=second_order)
    y = np.concatenate([piece[0] for _, piece in kept.pieces(n, n)]).ravel()
    found = estimate(kept, n, second_order=second_order, seed=5, resamples=60, confidence=0.9)
    _assert_equal(found, _salib(y, function.n_factors, second_order, seed=5, num_resamples=60, conf_level=0.9))


def test_that_a_large_mean_a_tiny_scale_and_a_huge_scale_cost_no_digits() -> None:
    kept = ISHIGAMI.evaluated(256, seed=3, second_order=True)
    plain = estimate(kept, 256, second_order=True)
    for scale, shift, tolerance in ((1e200, 0.0, 1e-12), (1e-200, 0.0, 1e-12), (1.0, 1e6, 1e-8), (-3.0, 5.0, 1e-12)):
        moved = Evaluations(8, 256, [block * scale + shift for block in kept.blocks])
        found = estimate(moved, 256, second_order=True)
        np.testing.assert_allclose(found.first.value, plain.first.value, atol=tolerance)
        np.testing.assert_allclose(found.total.conf, plain.total.conf, atol=tolerance)
        assert found.std[0] == pytest.approx(plain.std[0] * abs(scale))


@pytest.mark.parametrize("function", [ISHIGAMI, SOBOL_G], ids=lambda f: f.name)
def test_that_the_exact_indices_lie_within_the_intervals(function: Reference) -> None:
    found = estimate(function.evaluated(4096, seed=1, second_order=True), 4096, second_order=True)
    np.testing.assert_array_less(np.abs(found.first.value[0] - function.first), found.first.conf[0])
    np.testing.assert_array_less(np.abs(found.total.value[0] - function.total), found.total.conf[0])
    assert found.second is not None
    if function is ISHIGAMI:
        assert found.second[0, 0, 2] == pytest.approx(function.total[2], abs=0.01)


def test_that_a_shorter_prefix_gives_what_a_shorter_study_gives() -> None:
    long, short = (SOBOL_G.evaluated(n, seed=2) for n in (1024, 256))
    one, other = (estimate(kept, 256, second_order=False) for kept in (long, short))
    np.testing.assert_array_equal(one.first.value, other.first.value)
    np.testing.assert_array_equal(one.total.conf, other.total.conf)


def test_that_many_outputs_are_each_what_they_are_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sobol_sums, "_COLUMNS", 100)  # several passes
    monkeypatch.setattr(sobol_sums, "_PAIRS", 5)
    rng = np.random.default_rng(0)
    answers = rng.normal(size=(128 * 14, 5)).astype(np.float32)
    together = estimate(Evaluations.from_rows(answers, 14), 128, second_order=True, seed=4)
    for output in range(5):
        _assert_equal(together, _salib(answers[:, output].astype(np.float64), 6, True, seed=4), output)


def test_that_a_group_of_rows_with_one_value_that_is_not_finite_is_left_out_as_a_whole() -> None:
    kept = SOBOL_G.evaluated(256, seed=2, second_order=True)
    rows = np.concatenate([piece[0] for _, piece in kept.pieces(256, 256)])
    spoilt = rows.copy()
    spoilt[7, 3], spoilt[100, 0], spoilt[255, 17] = np.nan, np.inf, -np.inf
    both = np.stack((spoilt.ravel(), rows.ravel()), axis=1)
    found = estimate(Evaluations.from_rows(both, 18), 256, second_order=True, seed=9)
    clean = np.delete(rows, [7, 100, 255], axis=0)
    _assert_equal(found, _salib(clean.ravel(), 8, True, seed=9), output=0)
    _assert_equal(found, _salib(rows.ravel(), 8, True, seed=9), output=1)
    np.testing.assert_array_equal(found.excluded, [3, 0])
    assert np.isfinite(found.first.low).all()


def test_that_an_output_without_variance_has_no_indices_and_gives_no_warning() -> None:
    rng = np.random.default_rng(0)
    answers = rng.normal(size=(64 * 5, 4)).astype(np.float32)
    answers[:, 1] = 0.3
    answers[:, 2] = np.nextafter(np.float32(0.7), np.float32(1))
    answers[::3, 2] = np.float32(0.7)  # rounding only
    answers[:, 3] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate(Evaluations.from_rows(answers, 5), 64, second_order=False)
    np.testing.assert_array_equal(found.constant, [False, True, True, True])
    for estimates in (found.first, found.total):
        for values in (estimates.value, estimates.conf, estimates.low, estimates.high):
            assert np.isnan(values[1:]).all()
            assert np.isfinite(values[0]).all()
    assert found.excluded.tolist() == [0, 0, 0, 64]
    assert found.width() < 10


def test_that_a_study_of_constant_outputs_alone_has_no_width() -> None:
    found = estimate(Evaluations.from_rows(np.ones((64 * 5, 2)), 5), 64, second_order=False)
    assert np.isnan(found.width())
    assert found.constant.all()


def test_that_a_unit_that_is_hardly_ever_active_leaves_undefined_resamples_out() -> None:
    answers = np.zeros((64, 5))
    answers[3, 0] = answers[3, 1] = 1.0  # A and one AB of one base point: most resamples see it, some do not
    found = estimate(Evaluations.from_rows(answers.ravel(), 5), 64, second_order=False, resamples=50)
    assert np.isfinite(found.first.conf).all()
    assert np.isfinite(found.first.value).all()


def test_that_a_prefix_in_which_a_and_b_do_not_vary_is_undefined_not_zero() -> None:
    answers = np.zeros((16, 5))
    answers[2, 1] = 1.0  # only AB_1 varies
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate(Evaluations.from_rows(answers.ravel(), 5), 16, second_order=False)
    assert np.isnan(found.first.value).all()


@pytest.mark.parametrize("n", [2, 4, 8])
def test_that_very_few_base_points_give_numbers_and_no_warning(n: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate(ISHIGAMI.evaluated(n, seed=1, second_order=True), n, second_order=True)
    assert np.isfinite(found.total.value).all()


def test_that_one_factor_alone_explains_everything() -> None:
    from sensiview.numerics.designs import SaltelliDesign, SobolPoints

    design = SaltelliDesign((0,), second_order=True)
    points = SobolPoints(2, 1).take(0, 4096)
    rows = design.rows(points[:, :1], points[:, 1:]).reshape(-1, 1)
    found = estimate(Evaluations.from_rows(rows, 4), 4096, second_order=True)
    assert found.first.value[0, 0] == pytest.approx(1.0, abs=0.01)
    assert found.total.value[0, 0] == pytest.approx(1.0, abs=0.01)
    assert found.second is not None
    assert np.isnan(found.second).all()


def test_that_percentile_bounds_are_those_of_salib_s_resamples() -> None:
    kept = ISHIGAMI.evaluated(256, seed=3)
    y = kept.blocks[0][0].ravel() if len(kept.blocks) == 1 else np.concatenate([b[0] for b in kept.blocks]).ravel()
    found = estimate(kept, 256, second_order=False, seed=5, interval="percentile")
    expected = np.percentile(_salib(y, 3, False, seed=5, keep_resamples=True)["S1_conf_all"], [2.5, 97.5], axis=0)
    np.testing.assert_allclose([found.first.low[0], found.first.high[0]], expected, atol=TOLERANCE)


def test_that_a_stop_raised_by_the_tick_comes_through() -> None:
    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        estimate(ISHIGAMI.evaluated(64, seed=1), 64, second_order=False, tick=stop)


def test_that_a_layer_s_index_is_the_units_weighted_by_variance() -> None:
    def given(*rows: list[float]) -> Estimate:
        return Estimate(*(np.array(rows) for _ in range(4)))

    found = Indices(
        8,
        given([1.0, 0.0], [0.0, 1.0], [np.nan, np.nan]),
        given([1.0, 0.2], [0.0, 1.0], [np.nan, np.nan]),
        None,
        None,
        np.zeros(3, dtype=np.int64),
        np.array([False, False, True]),
        np.zeros(3),
        np.sqrt([3.0, 1.0, 0.0]),
    )
    first, total = found.of_layer(slice(0, 3))
    np.testing.assert_allclose(first, [0.75, 0.25])
    np.testing.assert_allclose(total, [0.75, 0.4])
