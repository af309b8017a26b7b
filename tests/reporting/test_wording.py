"""Numbers and times read as in print."""

from __future__ import annotations

import numpy as np
import pytest

from sensiview.reporting.bibliography import WORKS, Bibliography
from sensiview.reporting.wording import (
    duration,
    fixed,
    listed,
    moment,
    number,
    percent,
    places_for,
    uncertain,
    value_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.40712, "0.4071"),
        (0.4, "0.4000"),
        (-0.0021, "−0.0021"),
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (123.456, "123.5"),
        (65536, "65,536"),
        (512, "512"),
        (1234567.0, "1.235×10⁶"),
        (1.5e-7, "1.500×10⁻⁷"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
        (-np.inf, "−∞"),
        (np.float32(0.5), "0.5000"),
        (np.int64(3), "3"),
        (True, "True"),
        (None, "–"),
        ("text", "text"),
        ("12", "12"),
    ],
)
def test_that_numbers_are_shown_with_four_digits(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (12.4, "12 s"), (59.7, "1 min"), (125.2, "2 min 5 s"), (3600, "1 h"), (7620, "2 h 7 min")],
)
def test_that_durations_are_told_in_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_that_values_of_parameters_are_told_in_one_line() -> None:
    assert value_text({"a": [0, 1.5], "b": None}) == "a: 0, 1.5; b: –"
    assert value_text(True) == "yes"
    assert value_text(1048576) == "1,048,576"
    assert value_text([]) == "–"
    assert value_text(0) == "0"
    assert value_text(False) == "no"


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (0.40712, 0.0123, "0.407 ± 0.012"),
        (0.5, 0.01, "0.500 ± 0.010"),
        (-0.002, 0.0004, "−0.00200 ± 0.00040"),
        (1234.5, 120.0, "1234 ± 120"),
        (0.5, float("nan"), "0.500"),
        (float("nan"), 0.1, "–"),
        (0.5, None, "0.500"),
        (0.5, 0.0, "0.500"),
        (1e-7, 3e-8, "1.00×10⁻⁷ ± 3.0×10⁻⁸"),
    ],
)
def test_that_a_value_is_shown_as_far_as_it_is_known(value: float, half: float, text: str) -> None:
    assert uncertain(value, half) == text


def test_that_a_column_keeps_its_decimals() -> None:
    assert places_for(0.514, 4) == 4
    assert places_for(80.5) == 1
    assert places_for(1e-9) is None
    assert uncertain(0.00001, 0.000002, most=4) == "0.0000 ± 0.0000"
    assert uncertain(-0.0123, 0.0045, most=4) == "−0.0123 ± 0.0045"
    assert uncertain(0.5, 0.0, most=3) == "0.500 ± 0.000"
    assert fixed(-0.00001, 3) == "0.000"
    assert fixed(2.5e-9, None) == "2.50×10⁻⁹"


def test_that_lists_and_shares_read_as_sentences() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert percent(0.95) == "95 %"
    assert percent(0.8249) == "82.5 %"


def test_that_a_time_that_is_none_is_passed_on() -> None:
    assert moment("") == ""
    assert "2026" in moment("2026-11-21T14:02:00+00:00")


def test_that_works_are_numbered_as_they_are_cited() -> None:
    bibliography = Bibliography()
    assert bibliography.numbered("A [jansen1999], B [sobol2001; jansen1999].") == "A [1], B [1, 2]."
    assert bibliography.entries() == [(1, WORKS["jansen1999"]), (2, WORKS["sobol2001"])]
    assert bibliography.numbered("[0, 1] and x[i] stay") == "[0, 1] and x[i] stay"
    with pytest.raises(KeyError):
        bibliography.numbered("[nobody1900]")
