"""Numbers as people write them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sensiview.datasets.numbers import NumberStyle, guess_style, to_numbers

MISSING = pa.array(["", "NA"])


@pytest.mark.parametrize(
    ("style", "cells", "numbers"),
    [
        (NumberStyle(), ["1.5", " 2 ", "+3", "−4.5", "1e5", ".5", "1."], [1.5, 2, 3, -4.5, 1e5, 0.5, 1]),
        (NumberStyle(","), ["1,5", "-2", "2,5E-3", "−4,5"], [1.5, -2, 0.0025, -4.5]),
        (NumberStyle(",", "."), ["1.234,5", "1.234", "-1.234.567,25", "7"], [1234.5, 1234, -1234567.25, 7]),
        (NumberStyle(".", ","), ["1,234.5", "1,234", "3.5"], [1234.5, 1234, 3.5]),
        (NumberStyle(",", " "), ["1 234,5", "1\u202f234", "1\u00a0234\u00a0567"], [1234.5, 1234, 1234567]),
        (NumberStyle(".", "'"), ["1'234.5", "1’234"], [1234.5, 1234]),
    ],
)
def test_that_numbers_are_read_in_their_style(style: NumberStyle, cells: list[str], numbers: list[float]) -> None:
    values, unreadable = to_numbers(pa.array(cells), style, MISSING)
    assert values.tolist() == numbers
    assert unreadable.size == 0
    assert all(style.is_number(cell) for cell in cells)


@pytest.mark.parametrize(
    ("style", "cell"),
    [
        (NumberStyle(), "1,5"),
        (NumberStyle(), "abc"),
        (NumberStyle(), "1_0"),
        (NumberStyle(), "<0.1"),
        (NumberStyle(), "0x10"),
        (NumberStyle(","), "1.5"),
        (NumberStyle(".", ","), "12,34"),
        (NumberStyle(",", " "), "12 34"),
    ],
)
def test_that_what_is_no_number_in_the_style_is_reported_and_not_guessed(style: NumberStyle, cell: str) -> None:
    values, unreadable = to_numbers(pa.array(["1", cell, None, " NA "]), style, MISSING)
    assert unreadable.tolist() == [1]
    assert np.isnan(values[1:]).all()
    assert not style.is_number(cell)


def test_that_numbers_are_rounded_correctly() -> None:
    cells = ["0.1", "2.2250738585072011e-308", "179769313486231570000e289", "0.30000000000000004", "1e23"]
    values, _ = to_numbers(pa.array(cells), NumberStyle(), MISSING)
    assert values.tolist() == [float(cell) for cell in cells]


@pytest.mark.parametrize(
    ("cells", "comma_separates", "style"),
    [
        (["1.5", "2"], True, NumberStyle()),
        (["1,5", "2"], False, NumberStyle(",")),
        (["1,234", "5.5"], False, NumberStyle(".", ",")),
        (["1,234", "5,678"], True, NumberStyle(".", ",")),
        (["1.234", "5,5"], False, NumberStyle(",", ".")),
        (["1.234", "0.5"], False, NumberStyle()),
        (["1.234.567"], False, NumberStyle(",", ".")),
        (["0,123", "0,5"], False, NumberStyle(",")),
        (["1'234.5"], False, NumberStyle(".", "'")),
        (["1 234,5"], False, NumberStyle(",", " ")),
        (["01.02.2024", "3,5"], False, NumberStyle(",")),
        (["Berlin, Mitte", "a.b"], False, NumberStyle()),
    ],
)
def test_that_the_style_is_found_from_the_cells(cells: list[str], comma_separates: bool, style: NumberStyle) -> None:
    assert guess_style(cells, comma_separates=comma_separates).style == style


def test_that_a_cell_that_may_mean_both_is_named() -> None:
    guess = guess_style(["1,234", "5,678"], comma_separates=False)
    assert guess.style == NumberStyle(",")
    assert guess.unsure == "1,234"
