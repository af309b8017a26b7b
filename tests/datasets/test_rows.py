"""Selections of rows."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from sensiview.datasets.rows import parse_rows, rows_problem, rows_text
from sensiview.errors import UserError


@pytest.mark.parametrize(
    ("selection", "rows"),
    [
        ("all", range(10)),
        ("", range(10)),
        (None, range(10)),
        ("0-3", [0, 1, 2, 3]),
        ("0-3,6,8-9", [0, 1, 2, 3, 6, 8, 9]),
        ("8-", [8, 9]),
        (" 2 - 4 ; 7 ", [2, 3, 4, 7]),
        ("2–4", [2, 3, 4]),
        (5, [5]),
        (np.int64(5), [5]),
        ([3, 1, 3], [3, 1]),
        (["0-2", 5], [0, 1, 2, 5]),
        (range(2, 4), [2, 3]),
        (np.array([True] * 3 + [False] * 7), [0, 1, 2]),
        ([4.0], [4]),
    ],
)
def test_that_a_selection_names_rows_from_0_with_both_ends_each_once(selection: object, rows: object) -> None:
    found = parse_rows(selection, 10)  # type: ignore[arg-type]
    assert found.dtype == np.int64
    assert found.tolist() == list(rows)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ("3-99", "There is no row 99: the table has 10 rows, numbered 0-9."),
        ("5-2", "Write 2-5."),
        ("first", "'first' is not a selection of rows."),
        (",", "names no rows"),
        ([], "empty"),
        (np.zeros(10, dtype=bool), "empty"),
        (-1, "There is no row -1"),
        ([1.5], "whole numbers"),
        ([float("nan")], "whole numbers"),
        ([[1], [2, 3]], "whole numbers"),
        (True, "whole numbers"),
        ("99999999999999999999", "There is no row 99999999999999999999"),
    ],
)
def test_that_a_wrong_selection_is_refused_in_a_sentence(selection: object, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_rows(selection, 10)  # type: ignore[arg-type]
    assert words in caught.value.sentence
    assert rows_problem(selection, 10) == caught.value.sentence  # type: ignore[arg-type]
    assert rows_problem("all", 10) == ""


def test_that_rows_are_written_so_that_they_read_back() -> None:
    rows = np.array([0, 1, 2, 7, 9, 8])
    assert rows_text(rows) == "0-2,7,9,8"
    assert parse_rows(rows_text(rows), 10).tolist() == rows.tolist()
    assert rows_text([]) == ""


def test_that_cards_files_and_rows_need_neither_pandas_nor_torch() -> None:
    code = (
        "import sys, sensiview.datasets.card, sensiview.files, sensiview.datasets.rows, sensiview.datasets.reading,"
        "sensiview.datasets.statistics, sensiview.datasets.opening, sensiview.methods.pca;"
        "print([m for m in ('pandas', 'torch', 'pyarrow', 'openpyxl', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
