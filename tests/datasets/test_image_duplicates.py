"""Images that occur twice: equal, alike, across classes and splits; and thumbnails."""

from __future__ import annotations

import numpy as np
import pytest

from sensiview.datasets.image_duplicates import find_duplicates
from sensiview.datasets.image_memory import images_from_arrays
from sensiview.datasets.image_thumbnails import as_bytes, kept_thumbnail, thumbnail
from sensiview.datasets.images import ImageSet
from sensiview.errors import DataError


def pictures(count: int, side: int = 32) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (count, 8, 8, 3)).astype(np.uint8)
    return [np.kron(one, np.ones((side // 8, side // 8, 1), np.uint8)) for one in coarse]


def images_of(many: list[np.ndarray], labels: list[str], splits: list[str] | None = None) -> ImageSet:
    images = images_from_arrays(many, labels=labels)
    if splits is None:
        return images
    table = images.table.assign(split=splits)
    card = images.card.model_copy(update={"extra": {**images.card.extra, "split": "split"}})
    return ImageSet(card, images.entries, table)


def test_that_different_pictures_are_no_duplicates() -> None:
    assert find_duplicates(images_of(pictures(20), ["a", "b"] * 10)) == []


def test_that_equal_pictures_across_a_split_come_first() -> None:
    many = pictures(6)
    many[3], many[5] = many[0].copy(), many[1].copy()
    found = find_duplicates(images_of(many, ["a"] * 5 + ["b"], ["train"] * 3 + ["test"] * 2 + ["train"]))
    assert [(one.kind, one.places) for one in found] == [("equal", (0, 3)), ("equal", (1, 5))]
    assert found[0].is_leak
    assert not found[0].contradicts
    assert found[1].contradicts
    assert found[1].classes == ("a", "b")


def test_that_brighter_and_shrunken_copies_are_alike() -> None:
    many = pictures(5)
    many.append((many[0] * 0.8 + 20).astype(np.uint8))
    many.append(many[1][::2, ::2])
    found = find_duplicates(images_of(many, ["a"] * 6 + ["b"]))
    assert {(one.kind, one.places) for one in found} == {("alike", (0, 5)), ("alike", (1, 6))}


def test_that_pictures_of_one_colour_are_compared_for_equality_only() -> None:
    flat = [np.full((16, 16), value, np.uint8) for value in (0, 0, 100, 200)]
    found = find_duplicates(images_of(flat, ["a", "a", "b", "b"]))
    assert [(one.kind, one.places) for one in found] == [("equal", (0, 1))]


def test_that_images_that_cant_be_read_are_passed_over_and_progress_may_end_it() -> None:
    images = images_of(pictures(3), ["a", "b", "a"])
    broken = images.entries[1]

    def fail() -> np.ndarray:
        raise DataError("It is gone.")

    object.__setattr__(broken, "open", fail)
    assert find_duplicates(images) == []

    def leave(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_duplicates(images, leave)


def test_that_thumbnails_fit_and_keep_their_shape() -> None:
    pixels = np.random.default_rng(0).random((3, 300, 100)).astype(np.float32)
    assert thumbnail(pixels, 60).shape == (60, 20, 3)
    assert thumbnail(pixels[:1, :20, :30], 60).shape == (20, 30)
    np.testing.assert_array_equal(as_bytes(np.array([[[-1.0, 0.0, 1.0]]], np.float32), (-1.0, 1.0)), [[0, 128, 255]])


def test_that_thumbnails_of_large_images_are_kept() -> None:
    large = np.zeros((1200, 1000), np.uint8)
    images = images_from_arrays([large])
    first = kept_thumbnail(images, 0, "some hash", 64)
    large[:] = 255  # the file is not read again
    np.testing.assert_array_equal(kept_thumbnail(images, 0, "some hash", 64), first)
    assert kept_thumbnail(images, 0, "another hash", 64).max() == 255
