"""Principal components of a table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sensiview.analysis.contract_checks import CHECKS
from sensiview.analysis.items import IndexTable, Note
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.reading import read_table
from sensiview.datasets.table import Table, table_from_frame
from sensiview.errors import DataError, UserError
from sensiview.locations import resources
from sensiview.methods.pca import PcaParameters, PrincipalComponents


def study_of(table: Table) -> Study:
    """Return a study of a table without a model."""
    return Study(dataset=table.card, table_loader=lambda: table)


def run(table: Table, **values: object) -> Result:
    """Run with these parameters."""
    return PrincipalComponents().run(study_of(table), PcaParameters.parse(values), Silent())


def frame(result: Result, name: str) -> pd.DataFrame:
    """Return a table of the result."""
    item = result[name]
    assert isinstance(item, IndexTable)
    return item.to_frame()


def random_table(rows: int, factors: int, *, scale: float = 1.0) -> Table:
    """Return correlated random columns and a target of three classes."""
    random = np.random.default_rng(3)
    values = random.normal(size=(rows, factors)) @ random.normal(size=(factors, factors)) * scale + 5 * scale
    data = pd.DataFrame(values, columns=[f"factor, {i}" for i in range(factors)])
    data["class"] = np.arange(rows) % 3
    return table_from_frame(data, name="random", target="class")


@pytest.fixture(scope="module")
def diabetes() -> Table:
    """The sample table."""
    return read_table(resources() / "samples" / "diabetes" / "diabetes.csv", target="Outcome")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_that_the_contract_is_kept(check: object) -> None:
    check(PrincipalComponents())  # type: ignore[operator]


def test_that_the_authors_numbers_come_out_for_rows_with_diabetes(diabetes: Table, shared_data: Path) -> None:
    text = (shared_data / "tabular" / "reference_pima.json").read_text(encoding="utf-8")
    reference = json.loads(text)["pca_positive_class"]
    result = run(diabetes)
    explained = frame(result, "explained_variance")
    np.testing.assert_allclose(explained["explained"], reference["explained_variance_ratio"], atol=6e-6)
    np.testing.assert_allclose(explained["cumulative"], np.cumsum(explained["explained"]))
    importance = frame(result, "importance").set_index("factor")["importance"]
    expected = reference["normalised_importance"]
    np.testing.assert_allclose(importance[list(expected)], list(expected.values()), atol=6e-6)
    assert importance.sort_values(ascending=False).index.tolist() == reference["order"]
    assert result.facts == {"rows": "268", "rows_left_out": "0", "rows_of": "class '1'"}
    note = result["note"]
    assert isinstance(note, Note)
    assert note.text.startswith("The first 4 components hold 69 % of the variance of 268 rows (class '1').")


def direct(values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return loadings (k, D) and explained shares from the correlation matrix."""
    variances, vectors = np.linalg.eigh(np.corrcoef(values, rowvar=False))
    order = np.argsort(-variances)[:k]
    loadings = vectors[:, order].T
    largest = loadings[np.arange(k), np.abs(loadings).argmax(axis=1)]
    return loadings * np.sign(largest)[:, None], variances[order] / values.shape[1]


@pytest.mark.parametrize(
    ("rows", "factors", "scale"), [(200, 6, 1.0), (200, 6, 1e200), (12, 30, 1.0), (12, 30, 1e-200)]
)
def test_that_components_are_those_of_the_correlation_matrix(rows: int, factors: int, scale: float) -> None:
    table = random_table(rows, factors, scale=scale)
    result = run(table, components=3)
    loadings, explained = direct(table.features() / scale, 3)
    np.testing.assert_allclose(frame(result, "explained_variance")["explained"], explained, rtol=1e-9)
    found = frame(result, "components")
    np.testing.assert_allclose(found["loading"].to_numpy().reshape(3, factors), loadings, atol=1e-8)
    assert found["component"].tolist()[::factors] == [1, 2, 3]
    assert found["factor"].tolist()[:factors] == list(table.card.features)


def test_that_reading_in_chunks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = random_table(200, 6)
    whole = frame(run(table), "components")
    monkeypatch.setattr("sensiview.methods.pca._CHUNK_VALUES", 60)
    np.testing.assert_allclose(frame(run(table), "components")["loading"], whole["loading"], atol=1e-12)


def test_that_rows_and_classes_are_chosen_by_name_number_or_all(diabetes: Table) -> None:
    by_default = frame(run(diabetes), "components")
    for target in ("1", 1, "auto"):
        pd.testing.assert_frame_equal(frame(run(diabetes, target=target), "components"), by_default)
    assert run(diabetes, target="0").facts["rows"] == "500"
    assert run(diabetes, target="all").facts["rows"] == "768"
    assert run(diabetes, rows="0-99", target="all").facts["rows"] == "100"
    assert run(diabetes.with_target(None)).facts["rows_of"] == "all rows"
    assert run(random_table(90, 4)).facts["rows_of"] == "all rows"
    assert run(random_table(90, 4), target=2).facts == {"rows": "30", "rows_left_out": "0", "rows_of": "class '2'"}


def test_that_classes_named_by_numbers_are_found_by_name_first() -> None:
    table = table_from_frame(
        {"a": range(9), "b": [1, 5, 2, 7, 3, 1, 0, 2, 4], "y": [1, 2, 2] * 3}, name="t", target="y"
    )
    assert run(table, target="1").facts["rows_of"] == "class '1'"
    assert run(table, target=1).facts["rows_of"] == "class '2'"


def test_that_unknown_classes_and_rows_are_problems_before_the_run(diabetes: Table) -> None:
    analysis = PrincipalComponents()

    def problems(table: Table, **values: object) -> list[str]:
        return analysis.problems(study_of(table), PcaParameters.parse(values))

    assert problems(diabetes) == []
    assert problems(diabetes, target="sick") == ["There is no class 'sick'. Known: 0, 1."]
    assert problems(diabetes, target=2) == ["There is no class 2: the classes are 0, 1, numbered from 0."]
    assert problems(diabetes, rows="0-900") == ["There is no row 900: the table has 768 rows, numbered 0-767."]
    assert "has no classes to choose from" in problems(diabetes.with_target(None), target="1")[0]
    with pytest.raises(UserError, match="components: Input should be greater than or equal to 1"):
        PcaParameters.parse({"k": 0})


def test_that_rows_with_missing_values_are_left_out_and_counted() -> None:
    values = np.random.default_rng(1).normal(size=(20, 3))
    values[4, 1] = values[7, 2] = np.nan
    result = run(table_from_frame(values, name="t"))
    assert result.facts["rows"] == "18"
    assert "2 of 20 rows have a missing value and are left out." in result.warnings
    complete = np.delete(values, [4, 7], axis=0)
    np.testing.assert_allclose(frame(result, "explained_variance")["explained"], direct(complete, 3)[1])


def test_that_a_constant_factor_gets_no_importance_and_a_remark() -> None:
    values = np.random.default_rng(1).normal(size=(20, 4))
    values[:, 2] = 0.1
    result = run(table_from_frame(values, name="t"), components=3)
    importance = result["importance"]
    assert isinstance(importance, IndexTable)
    assert importance.frame["importance"][2] == 0.0
    assert [(remark.row, remark.kind) for remark in importance.remarks] == [(2, "constant")]
    assert "The same value in all these rows, so loadings and importance of 0: x3." in result.warnings
    np.testing.assert_allclose(
        frame(result, "explained_variance")["explained"], direct(np.delete(values, 2, axis=1), 3)[1]
    )


def test_that_more_components_than_there_are_is_said_and_not_invented() -> None:
    values = np.random.default_rng(1).normal(size=(20, 3))
    result = run(table_from_frame(values, name="t"), components=7)
    assert len(frame(result, "explained_variance")) == 3
    assert "7 components were asked for; there are only 3." in result.warnings
    twins = np.column_stack([values[:, 0], 2 * values[:, 0], values[:, 1]])
    assert len(frame(run(table_from_frame(twins, name="t")), "explained_variance")) == 2
    few = np.random.default_rng(1).normal(size=(3, 10))
    assert len(frame(run(table_from_frame(few, name="t")), "explained_variance")) == 2


def test_that_too_few_rows_or_no_variation_are_refused(diabetes: Table) -> None:
    with pytest.raises(DataError, match=r"Only 2 complete rows of all rows: components need at least 3"):
        run(diabetes, rows="0-1", target="all")
    gaps = np.array([[1, np.nan], [2, 3], [np.nan, 4], [5, 6.5]])
    with pytest.raises(DataError, match="or fill in missing values"):
        run(table_from_frame(gaps, name="t"))
    with pytest.raises(DataError, match="No factor varies over these rows"):
        run(table_from_frame(np.ones((5, 2)), name="t"))


def test_that_it_asks_for_a_table_with_two_factors(diabetes: Table) -> None:
    analysis = PrincipalComponents()
    assert analysis.obstacles(Study()) == ["Choose a data set."]
    one = table_from_frame({"a": [1, 2, 3]}, name="one")
    assert "fewer than two factors" in analysis.obstacles(study_of(one))[0]
    assert analysis.obstacles(study_of(diabetes)) == []
