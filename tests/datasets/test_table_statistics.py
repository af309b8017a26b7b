"""Statistics of a table, next to numpy, scipy and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sensiview.datasets.statistics import class_balance, column_statistics, correlation, histogram
from sensiview.datasets.table import Table, table_from_frame
from sensiview.errors import DataError


@pytest.fixture
def table() -> Table:
    """300 rows with ties, a constant column, missing values, words and classes."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.normal(size=(300, 3)), columns=["a", "b", "c"])
    frame["b"] += 2 * frame["a"]
    frame["rounded"] = (frame["a"] * 2).round()
    frame["constant"] = 7.0
    frame["class"] = np.where(random.random(300) < 0.3, "ill", "well")
    frame.loc[::11, "c"] = np.nan
    frame.loc[5, "class"] = None
    return table_from_frame(frame, name="t", target="class")


def test_that_column_statistics_are_those_of_numpy(table: Table) -> None:
    by_name = {found.name: found for found in column_statistics(table)}
    c = table.frame["c"].dropna().to_numpy()
    found = by_name["c"]
    assert (found.present, found.missing) == (c.size, 28)
    assert (found.lower_quartile, found.median, found.upper_quartile) == tuple(np.quantile(c, (0.25, 0.5, 0.75)))
    assert found.std == pytest.approx(c.std(ddof=1))
    rounded = by_name["rounded"]
    values, counts = np.unique(table.frame["rounded"], return_counts=True)
    assert rounded.most_frequent[0] == (str(int(values[np.argmax(counts)])), counts.max())
    assert rounded.zeros == int((table.frame["rounded"] == 0).sum())
    assert by_name["class"].most_frequent[0][0] == "well"
    assert by_name["class"].mean is None
    with pytest.raises(DataError, match=r"no column 'clas'. Did you mean 'class'\?"):
        column_statistics(table, ["clas"])


def test_that_histograms_share_their_bins_and_count_every_row_once(table: Table) -> None:
    found = histogram(table, "c")
    assert list(found.counts) == ["ill", "well"]
    assert found.missing == 28
    known = table.class_codes() >= 0
    assert sum(int(counts.sum()) for counts in found.counts.values()) == int(
        (known & table.frame["c"].notna().to_numpy()).sum()
    )
    ill = table.frame["c"][(table.frame["class"] == "ill").to_numpy()].dropna()
    np.testing.assert_array_equal(found.counts["ill"], np.histogram(ill, found.edges)[0])
    together = histogram(table, "c", bins=7, by_class=False)
    assert together.edges.size == 8
    assert int(together.counts["all"].sum()) == 272


def test_that_whole_numbers_and_constants_get_bins_of_their_own(table: Table) -> None:
    edges = histogram(table, "rounded").edges
    np.testing.assert_array_equal(np.diff(edges), 1.0)
    assert edges[0] % 1 == 0.5
    assert histogram(table, "constant").edges.tolist() == [6.5, 7.5]
    truth = table_from_frame({"t": [True, False, True], "x": [1, 2, 3]}, name="t")
    assert histogram(truth, "t").counts["all"].tolist() == [1, 2]
    with pytest.raises(DataError, match="is text; a histogram needs numbers"):
        histogram(table, "class")


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_that_correlations_are_those_of_pandas_and_scipy_and_constants_are_nan(table: Table, method: str) -> None:
    found = correlation(table, method=method)  # type: ignore[arg-type]
    assert found.names == table.card.features
    reference = table.frame[list(found.names)].corr(method=method).to_numpy()  # type: ignore[arg-type]
    np.testing.assert_allclose(found.values, reference, atol=1e-12)
    constant = found.names.index("constant")
    assert np.isnan(found.values[constant]).all()
    complete = correlation(table, method=method, columns=["a", "b", "rounded"])  # type: ignore[arg-type]
    one = stats.pearsonr if method == "pearson" else stats.spearmanr
    expected = one(table.frame["a"], table.frame["rounded"]).statistic
    assert complete.values[0, 2] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_array_equal(np.diag(complete.values), 1.0)


def test_that_correlations_of_extreme_numbers_neither_overflow_nor_vanish() -> None:
    x = np.array([1.0, 2.0, 4.0])
    table = table_from_frame({"large": x * 1e300, "small": -x * 1e-300, "offset": 1e9 + x * 1e-3}, name="t")
    values = correlation(table).values
    assert values[0, 1] == pytest.approx(-1.0)
    assert values[0, 2] == pytest.approx(1.0, abs=1e-6)


def test_that_text_and_too_many_columns_are_not_correlated(table: Table) -> None:
    with pytest.raises(DataError, match="'class' is text"):
        correlation(table, columns=["a", "class"])
    wide = table_from_frame(np.random.default_rng(0).normal(size=(3, 2001)), name="wide")
    with pytest.raises(DataError, match="2,001 columns are too many"):
        correlation(wide)


def test_that_the_class_balance_adds_up_to_one(table: Table) -> None:
    shares = class_balance(table)
    assert [share.name for share in shares] == ["ill", "well"]
    assert sum(share.share for share in shares) == pytest.approx(1.0)
    assert sum(share.count for share in shares) == 299
    assert class_balance(table.with_target(None)) == ()
