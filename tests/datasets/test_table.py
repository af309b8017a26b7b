"""Tables in memory: factors, classes, missing values, and data from Python."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.table import Table, table_from_frame
from sensiview.errors import DataError, UserError


@pytest.fixture
def table() -> Table:
    """Five rows with a missing value in a factor and one in the target."""
    frame = pd.DataFrame(
        {
            "a": [1, 2, 3, 4, 5],
            "b": [0.5, np.nan, 1.5, 2.5, -1.0],
            "smoker": ["yes", "no", "yes", None, "no"],
            "name": ["x", "y", "z", "x", "y"],
            "result": ["sick", "well", "well", None, "sick"],
        }
    )
    return table_from_frame(frame, name="five", target="result")


def test_that_factors_are_numbers_in_the_cards_order_with_missing_as_nan(table: Table) -> None:
    assert table.card.features == ("a", "b", "smoker")
    values = table.features([4, 0, 3])
    assert values.dtype == np.float64
    assert values.flags.c_contiguous
    np.testing.assert_array_equal(values, [[5, -1, 0], [1, 0.5, 1], [4, 2.5, np.nan]])


def test_that_labels_are_places_in_the_sorted_class_names(table: Table) -> None:
    assert table.card.class_counts == {"sick": 2, "well": 2}
    assert table.labels([0, 1, 2, 4]).tolist() == [0, 1, 1, 0]
    assert table.labels([0]).dtype == np.int64
    assert table.class_codes().tolist() == [0, 1, 1, -1, 0]
    with pytest.raises(DataError, match=r"target 'result' is missing in 1 row \(the first is row 3\)"):
        table.labels()


def test_that_complete_rows_have_every_factor_and_the_target_when_asked(table: Table) -> None:
    assert table.complete_rows().tolist() == [0, 2, 4]
    assert table.complete_rows([3, 4, 1, 0]).tolist() == [4, 0]
    assert table.with_target("name").complete_rows(with_target=True).tolist() == [0, 2, 4]
    assert table.row_selection("1-2,4").tolist() == [1, 2, 4]
    with pytest.raises(UserError, match="There is no row 7"):
        table.row_selection("7")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 1, 0], {"0": 2, "1": 2}),
        ([0.0, 1.0, 1.0, np.nan], {"0": 1, "1": 2}),
        ([10, 2, 10, -1], {"-1": 1, "2": 1, "10": 2}),
        ([True, False, True, True], {"False": 1, "True": 3}),
        (["b", "a", "b", None], {"a": 1, "b": 2}),
        ([0.5, 1.5, 0.5, 0.5], {"0.5": 3, "1.5": 1}),
        ([0.5, 1.5, 2.25, 0.5], {}),
        (list(range(21)), {}),
    ],
)
def test_that_classes_are_counted_by_sorted_name_and_quantities_are_not(
    values: list[object], classes: dict[str, int]
) -> None:
    frame = pd.DataFrame({"x": np.arange(len(values)), "y": values})
    found = table_from_frame(frame, name="t", target="y")
    assert found.card.class_counts == classes
    assert list(found.card.class_counts) == list(classes)
    present = np.flatnonzero(pd.notna(frame["y"]))
    if classes:
        names = [list(classes)[code] for code in found.labels(present)]
        assert names == [str(v).removesuffix(".0") for v in frame["y"].iloc[present]]
    else:
        np.testing.assert_array_equal(found.target_values(present), frame["y"])
        with pytest.raises(DataError, match="is a quantity, not a class"):
            found.labels()


def test_that_a_target_may_be_taken_as_classes_or_as_a_number_on_request() -> None:
    frame = pd.DataFrame({"x": np.arange(30), "y": np.arange(30)})
    assert len(table_from_frame(frame, name="t", target="y", target_as="classes").card.class_counts) == 30
    few = pd.DataFrame({"x": np.arange(4), "y": [0, 1, 2, 0]})
    as_number = table_from_frame(few, name="t", target="y", target_as="number")
    assert as_number.card.class_counts == {}
    assert as_number.target_values().tolist() == [0, 1, 2, 0]


def test_that_labels_follow_the_card_also_when_its_order_was_lost_on_the_way() -> None:
    frame = pd.DataFrame({"x": range(3), "y": [2, 10, 10]})
    table = table_from_frame(frame, name="t", target="y")
    other = Table(table.card.model_copy(update={"class_counts": {"10": 2, "2": 1}}), table.frame)
    assert other.labels().tolist() == [1, 0, 0]


def test_that_another_target_changes_factors_and_classes_and_none_takes_it_away(table: Table) -> None:
    other = table.with_target("smoker")
    assert other.card.features == ("a", "b")
    assert other.card.class_counts == {"no": 2, "yes": 2}
    assert other.card.columns == table.card.columns
    none = table.with_target(None)
    assert none.card.target is None
    assert none.card.class_counts == {}
    with pytest.raises(DataError, match="has no target column"):
        none.labels()
    with pytest.raises(DataError, match=r"no column 'smokr' to take as target. Did you mean 'smoker'"):
        table.with_target("smokr")


def test_that_a_card_is_json_and_finds_its_columns_after_being_changed(table: Table) -> None:
    again = DatasetCard.model_validate_json(table.card.model_dump_json())
    assert again == table.card
    assert again.column("b").missing == 1
    assert again == table.card
    fewer = again.model_copy(update={"columns": again.columns[:1]})
    assert fewer.column("a").kind == "integer"
    with pytest.raises(KeyError):
        fewer.column("b")


def test_that_arrays_tensors_and_mappings_become_tables() -> None:
    values = np.array([[1.5, 2.0, 0.0], [2.5, 3.0, 1.0], [4.5, 9.0, 1.0]], dtype=np.float32)
    for data in (values, torch.from_numpy(values).requires_grad_(), values.tolist()):
        table = table_from_frame(data, name="t", target=-1)
        assert table.card.features == ("x1", "x2")
        assert table.card.target == "x3"
        np.testing.assert_array_equal(table.features(), values[:, :2])
    assert table_from_frame({"p": [1, 2], "q": [3, 4]}, name="t").card.features == ("p", "q")
    assert table_from_frame(pd.DataFrame({7: [1, 2], "7 ": [3, 4]}), name="t").card.features == ("7", "7 ")


def test_that_every_type_of_a_data_frame_is_kept_as_number_truth_or_word() -> None:
    frame = pd.DataFrame(
        {
            "int8": np.array([1, 2, 3], dtype=np.int8),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "float32": np.array([0.5, np.inf, 2], dtype=np.float32),
            "truth": [True, None, False],
            "texts of numbers": ["1", "2.5", None],
            "codes": pd.Categorical([3, 2, 3]),
            "words": pd.Categorical(["u", None, "v"]),
            "day": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "mixed": ["a", 1, None],
            "nothing": [None, None, None],
            "large": [2**60, 1, 2],
        }
    )
    table = table_from_frame(frame, name="t")
    kinds = {card.name: card.kind for card in table.card.columns}
    assert kinds == {
        "int8": "integer", "nullable": "integer", "float32": "number", "truth": "boolean",
        "texts of numbers": "number", "codes": "integer", "words": "text", "day": "text", "mixed": "text",
        "nothing": "number", "large": "integer",
    }  # fmt: skip
    assert table.card.features == ("int8", "nullable", "float32", "truth", "texts of numbers", "codes", "large")
    np.testing.assert_array_equal(table.features([1]), [[2, np.nan, np.nan, np.nan, 2.5, 2, 1]])
    notes = " ".join(table.card.notes)
    assert "Column 'float32': one cell is infinite, read as missing." in notes
    assert "Column 'large' holds whole numbers above 2^53" in notes
    assert frame["float32"].iloc[1] == np.inf  # what was given is not changed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.ones(3), "has 1 axes, a table has two"),
        (np.ones((2, 2, 2)), "has 3 axes"),
        (np.ones((0, 3)), "has no rows"),
        (pd.DataFrame(index=[1, 2]), "has no columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a' occurs twice"),
        (pd.DataFrame([[1, 2]], columns=[1, "1"]), "'1' occurs twice"),
        (np.ones((2, 2), dtype=complex), "complex numbers"),
        ([[1, 2], [3]], "a table has two"),
    ],
)
def test_that_data_that_is_no_table_is_refused(data: object, words: str) -> None:
    with pytest.raises(DataError) as caught:
        table_from_frame(data, name="t")
    assert words in caught.value.sentence


def test_that_a_target_beyond_the_columns_is_refused() -> None:
    with pytest.raises(DataError, match="There is no column 5: the table has 2 columns"):
        table_from_frame(np.ones((3, 2)), name="t", target=5)


def test_that_a_columns_card_has_the_statistics_of_numpy() -> None:
    values = np.random.default_rng(1).normal(3, 2, size=500).round(2)
    values[::7] = np.nan
    card = table_from_frame({"x": values, "y": np.arange(500)}, name="t").card.column("x")
    present = values[~np.isnan(values)]
    assert (card.missing, card.distinct) == (72, np.unique(present).size)
    assert (card.minimum, card.maximum) == (present.min(), present.max())
    assert card.mean == pytest.approx(present.mean(), rel=1e-13)
    assert card.std == pytest.approx(present.std(ddof=1), rel=1e-13)


def test_that_extreme_numbers_give_a_card_without_warnings() -> None:
    card = table_from_frame({"x": [1e308, -1e308, 1e308], "y": [1e-320, 0.0, 5e-324]}, name="t").card
    assert card.column("x").maximum == 1e308
    assert card.column("x").std is None
    assert card.column("y").minimum == 0.0
