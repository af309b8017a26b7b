"""Choosing some of many images or volumes by what is written."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd
import pytest

from sensiview.analysis.image_choice import image_count
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.selecting import select_places
from sensiview.errors import UserError

NAMES = ["cat/a, b.png", "cat/c.png", "dog, big/a.png", "dog, big/x,y , z.png"]
CLASSES = ["cat", "cat", "dog, big", "dog, big"]


def places(wanted: Any) -> list[int]:
    table = pd.DataFrame({"class": CLASSES})
    return select_places(wanted, names=NAMES, groups=NAMES, table=table, owner="pets", what="image").tolist()


def card() -> DatasetCard:
    return DatasetCard(
        name="pets",
        kind="images",
        n_rows=4,
        target="class",
        class_counts={"cat": 2, "dog, big": 2},
        extra={"names": NAMES, "groups": NAMES},
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("cat/a, b.png", [0]),
        ("class=dog, big", [2, 3]),
        ("0, class=dog, big", [0, 2, 3]),
        ("cat/c.png,cat/a, b.png", [0, 1]),
        ("dog, big/x,y , z.png, 1", [1, 3]),
        # As a command line cuts a text that holds commas.
        (["class=dog", "big"], [2, 3]),
        (["cat/a", "b.png", "dog", "big/x", "y", "z.png"], [0, 3]),
        (["class=dog, big", 0], [0, 2, 3]),
        ("0-1,3", [0, 1, 3]),
        ([3, 1], [1, 3]),
    ],
)
def test_that_names_and_classes_with_commas_can_be_chosen(wanted: Any, expected: list[int]) -> None:
    assert places(wanted) == expected
    assert image_count(card(), wanted) == len(expected)


@pytest.mark.parametrize("wanted", ["class=dog", "big", "cat/a", ["dog", "big"]])
def test_that_parts_of_such_names_are_not_taken_for_them(wanted: Any) -> None:
    for choose in (places, lambda choice: image_count(card(), choice)):
        with pytest.raises(UserError):
            choose(wanted)


def test_that_thousands_of_names_are_found_at_once() -> None:
    names = [f"folder/image {k}.png" for k in range(20_000)]
    table = pd.DataFrame({"class": ["a"] * len(names)})
    began = time.perf_counter()
    found = select_places(names[::2], names=names, groups=names, table=table, owner="many", what="image")
    assert time.perf_counter() - began < 2
    assert found.tolist() == list(range(0, 20_000, 2))
