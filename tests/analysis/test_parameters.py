"""Values of parameters as they are typed on a command line."""

from __future__ import annotations

from typing import Any

import pytest

from sensiview.analysis.parameters import Parameters, parameter


class Typed(Parameters):
    target: str | int | list[str | int] = parameter("predicted", label="Class", help="A class.")
    average: bool = parameter(False, label="Average", help="Whether.")
    either: bool | str = parameter(False, label="Either", help="Yes, no or a word.")
    number: float = parameter(1.0, label="Number", help="A number.")


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("average", "true", True),
        ("average", "Yes", True),
        ("average", "off", False),
        ("either", "no", False),
        ("either", "perhaps", "perhaps"),
        # A class may have one of these names, and "true" is the word for each input's own.
        ("target", "true", "true"),
        ("target", "no", "no"),
        ("target", "1", 1),
        ("target", "cat,dog", ["cat", "dog"]),
        ("target", '["cat", 3]', ["cat", 3]),
        ("number", "2.5", 2.5),
    ],
)
def test_that_words_are_yes_or_no_only_where_a_parameter_can_be_that(name: str, text: str, value: Any) -> None:
    found = getattr(Typed.parse_strings({name: text}), name)
    assert (found, type(found)) == (value, type(value))
