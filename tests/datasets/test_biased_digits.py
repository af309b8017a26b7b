"""Biased digits: drawn as planted, opened as any other images, and drawn anew in other colours and places."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sensiview.datasets.biased_digits import (
    FACTORS,
    NO_BIAS,
    Bias,
    BiasedDigits,
    Part,
    drawn_levels,
    make_biased_digits,
)
from sensiview.datasets.digit_drawing import BACKGROUND_COLOURS, DIGIT_COLOURS, OPAQUE, POSITIONS, opacity_of_glyph
from sensiview.datasets.digit_glyphs import bundled_glyphs, has_mnist, mnist_folder, mnist_glyphs
from sensiview.datasets.generators import GeneratorFactor, checked_values, generators, nearest_levels
from sensiview.datasets.image_opening import images_from_files
from sensiview.datasets.images import ImageSet
from sensiview.errors import DataError, Stopped, UserError
from sensiview.importing import guess_kind
from sensiview.locations import resources
from tests.datasets.digit_samples import biased_digits, opened
from tests.datasets.image_samples import idx, picture

GENERATOR = BiasedDigits()


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    return opened(tmp_path_factory.mktemp("digits"))


def pixels(images: ImageSet, index: int) -> np.ndarray:
    return np.rint(np.moveaxis(images.image(index), 0, -1) * 255).astype(np.uint8)


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# What is drawn


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance of WCAG 2."""
    c = np.array(colour) / 255
    return float(np.where(c <= 0.03928, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


def test_that_every_digit_colour_is_seen_on_every_background() -> None:
    for name, digit in DIGIT_COLOURS.items():
        for other, background in BACKGROUND_COLOURS.items():
            contrast = (luminance(digit) + 0.05) / (luminance(background) + 0.05)
            assert contrast >= 3, (name, other)
            # Else the stroke could not be read back from the picture.
            assert max(abs(a - b) for a, b in zip(digit, background, strict=True)) > OPAQUE


@pytest.mark.parametrize("palette", [DIGIT_COLOURS, BACKGROUND_COLOURS])
def test_that_colours_of_one_palette_lie_apart(palette: dict[str, tuple[int, int, int]]) -> None:
    assert len(palette) == 10
    for (name, one), (other, two) in combinations(palette.items(), 2):
        assert np.linalg.norm(np.subtract(one, two)) >= 45, (name, other)


def test_that_a_picture_has_its_background_everywhere_but_at_the_digits_place(digits: ImageSet) -> None:
    place = POSITIONS.index("bottom left")
    made = GENERATOR.generate(digits, 3, np.array([[0, 4, place]]))[0]
    assert made.shape == (48, 48, 3)
    outside = np.ones((48, 48), dtype=bool)
    outside[24:40, 8:24] = False
    assert (made[outside] == BACKGROUND_COLOURS["forest"]).all()
    # The strongest stroke is nearly white, and the digit is as large as its place.
    assert made[~outside].max() > 230
    written = (made != BACKGROUND_COLOURS["forest"]).any(axis=-1)
    assert np.ptp(np.flatnonzero(written.any(axis=1))) >= 13


def test_that_only_the_place_changes_when_a_digit_moves(digits: ImageSet) -> None:
    values = np.repeat(GENERATOR.own_values(digits, 0)[None], 9, axis=0)
    values[:, 2] = np.arange(9)
    made = GENERATOR.generate(digits, 0, values)
    for place in range(9):
        row, column = divmod(place, 3)
        # The same picture, moved as far as the place is away from the middle.
        moved = np.roll(made[4], (8 * (row - 1), 8 * (column - 1)), axis=(0, 1))
        assert np.array_equal(made[place], moved)
    assert len({picture.tobytes() for picture in made}) == 9


@pytest.mark.parametrize(("side", "white"), [(8, 16), (28, 255), (16, 1)])
def test_that_glyphs_of_any_size_are_drawn_alike(side: int, white: int) -> None:
    assert (opacity_of_glyph(np.full((side, side), white, dtype=np.uint8), white) == OPAQUE).all()
    half = np.zeros((side, side), dtype=np.uint8)
    half[:, : side // 2] = white
    opacity = opacity_of_glyph(half, white)
    assert opacity.shape == (16, 16)
    assert (opacity[:, :6] == OPAQUE).all()
    assert (opacity[:, 10:] == 0).all()
    assert (np.diff(opacity[0].astype(int)) <= 0).all()


# The bias


@pytest.mark.parametrize("p_corr", [0.0, 0.5, 0.8, 1.0])
def test_that_each_factor_has_the_classs_own_value_as_often_as_planted(p_corr: float) -> None:
    labels = np.repeat(np.arange(10), 2000)
    levels = drawn_levels(labels, Bias.of(p_corr), np.random.default_rng(1))
    for column, factor in enumerate(FACTORS):
        count = len(factor.labels)
        own = levels[:, column] == labels % count
        # Standard deviation at 20,000 draws: at most 0.0035.
        assert own.mean() == pytest.approx(p_corr, abs=0.015)
        others = np.bincount((levels[~own, column] - labels[~own]) % count, minlength=count)
        if p_corr < 1:
            # Never the own value, each of the others equally often.
            assert others[0] == 0
            assert others[1:] / others.sum() == pytest.approx(1 / (count - 1), abs=0.02)


def test_that_factors_are_drawn_independently_of_each_other() -> None:
    labels = np.repeat(np.arange(10), 2000)
    levels = drawn_levels(labels, Bias.of(0.5), np.random.default_rng(2))
    own = levels == np.stack([labels, labels, labels % 9], axis=1)
    assert np.abs(np.corrcoef(own.T) - np.eye(3)).max() < 0.03


def test_that_one_factor_may_be_biased_more_than_the_others() -> None:
    bias = Bias.of(0.3, {"background_colour": 0.9, "position": None})
    assert (bias.digit_colour, bias.background_colour, bias.position) == (0.3, 0.9, 0.3)
    labels = np.repeat(np.arange(10), 1000)
    own = drawn_levels(labels, bias, np.random.default_rng(3)) == np.stack([labels, labels, labels % 9], axis=1)
    assert own.mean(axis=0) == pytest.approx([0.3, 0.9, 0.3], abs=0.02)


def test_that_without_bias_the_class_tells_nothing() -> None:
    labels = np.repeat(np.arange(10), 4000)
    levels = drawn_levels(labels, NO_BIAS, np.random.default_rng(4))
    for column, factor in enumerate(FACTORS):
        for label in range(10):
            shares = np.bincount(levels[labels == label, column], minlength=len(factor.labels)) / 4000
            assert shares == pytest.approx(1 / len(factor.labels), abs=0.025)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Bias.of(1.2), "'digit_colour' is a probability between 0 and 1, not 1.2"),
        (lambda: Bias.of(0.5, {"position": -0.1}), "'position' is a probability"),
        (lambda: Bias.of(float("nan")), "probability"),
        (lambda: Bias.of(0.5, {"texture": 0.9}), "no factor 'texture'. Known: digit_colour, background_colour"),
    ],
)
def test_that_a_bias_that_can_not_be_is_a_sentence(make: Callable[[], Bias], words: str) -> None:
    with pytest.raises(UserError, match=words):
        make()


# The data set


def test_that_the_table_opens_by_itself_with_classes_splits_and_levels(tmp_path: Path) -> None:
    table = biased_digits(tmp_path / "digits", drawings=2)
    assert guess_kind([table]) == "images"
    for paths in ([table], [table.parent]):
        images = images_from_files(paths)
        assert len(images) == 32 * 2 + 8
        assert images.card.target == "label"
        assert list(images.card.class_counts) == list("0123456789")
        assert images.card.extra["split"] == "split"
        assert images.card.extra["sizes"] == [{"size": [48, 48], "count": 72}]
        assert len(images.select("split=test")) == 8
        assert GENERATOR.obstacles(images.card) == []
        # Drawings of one glyph are never torn apart by a split.
        assert images.groups[0] == images.groups[1] == "glyph 00001"
        assert len(set(images.groups)) == 40


def test_that_the_label_is_the_digit_that_the_glyph_shows(tmp_path: Path) -> None:
    glyphs = bundled_glyphs()
    for row in rows(biased_digits(tmp_path)):
        assert int(row["label"]) == glyphs.labels[int(row["glyph"].removeprefix("glyph "))]


def test_that_the_same_seed_gives_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    def made(name: str, seed: int) -> dict[str, str]:
        part = Part("train", np.arange(10), 1, Bias.of(0.5))
        make_biased_digits(tmp_path / name, bundled_glyphs(), (part,), seed=seed)
        files = (path for path in (tmp_path / name).rglob("*") if path.is_file())
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert made("a", 1) == made("b", 1)
    assert made("a", 1) != made("c", 2)


def test_that_making_them_stops_when_it_is_told_to(tmp_path: Path) -> None:
    def stop(number: int) -> None:
        if number == 3:
            raise Stopped

    with pytest.raises(Stopped):
        make_biased_digits(tmp_path, bundled_glyphs(), (Part("a", np.arange(9), 1, NO_BIAS),), on_image=stop)
    assert not (tmp_path / "digits.csv").exists()


def test_that_nothing_to_draw_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no digit to draw"):
        make_biased_digits(tmp_path, bundled_glyphs(), (Part("train", np.arange(3), 0, NO_BIAS),))


# The generator


def test_that_the_generator_comes_with_sensiview() -> None:
    assert list(generators()) == ["biased_digits"]
    assert isinstance(generators()["biased_digits"], BiasedDigits)
    assert BiasedDigits.summary().endswith("at other places.")


def test_that_an_images_own_values_give_that_very_image(digits: ImageSet) -> None:
    for index in range(len(digits)):
        own = GENERATOR.own_values(digits, index)
        made = GENERATOR.generate(digits, index, own[None])
        assert made.dtype == np.uint8
        assert np.array_equal(made[0], pixels(digits, index))


def test_that_values_are_those_that_the_table_names(digits: ImageSet) -> None:
    for index in (0, 7, 39):
        row = digits.table.iloc[index]
        own = GENERATOR.own_values(digits, index)
        named = [factor.label(value) for factor, value in zip(FACTORS, own, strict=True)]
        assert named == [row["digit_colour"], row["background_colour"], row["position"]]


def test_that_values_between_levels_are_rounded_to_the_nearest(digits: ImageSet) -> None:
    levels = np.array([[2, 5, 7], [3, 6, 8]])
    near = np.array([[2.49, 4.5, 6.6], [2.5, 6.49, 7.5]])
    assert np.array_equal(GENERATOR.generate(digits, 1, near), GENERATOR.generate(digits, 1, levels))


def test_that_many_values_are_drawn_as_one_by_one(digits: ImageSet) -> None:
    values = np.random.default_rng(1).uniform(0, [9, 9, 8], (25, 3))
    together = GENERATOR.generate(digits, 4, values)
    assert np.array_equal(together, np.stack([GENERATOR.generate(digits, 4, row[None])[0] for row in values]))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([[0, 0]], "3 factors \\(digit_colour, background_colour, position\\); the values have the shape \\(1, 2\\)"),
        ([[0, 0, 9]], "'position' lies between 0 and 8; 9 does not"),
        ([[-1, 0, 0]], "'digit_colour' lies between 0 and 9; -1 does not"),
        ([[0, float("nan"), 0]], "'background_colour' is no finite number"),
        ([[[0, 0, 0]]], "shape"),
    ],
)
def test_that_values_that_can_not_be_are_a_sentence(digits: ImageSet, values: list[list[float]], words: str) -> None:
    with pytest.raises(UserError, match=words):
        GENERATOR.generate(digits, 0, np.array(values))


def test_that_a_picture_that_is_not_as_its_row_says_is_a_sentence(tmp_path: Path) -> None:
    table = biased_digits(tmp_path, count=5)
    path = tmp_path / rows(table)[1]["path"]
    with Image.open(path) as image:
        changed = np.array(image)
    changed[:, ::5] = 128
    Image.fromarray(changed).save(path)
    images = images_from_files([table])
    with pytest.raises(DataError, match=r"'00001.png' is not as its row of the table says"):
        GENERATOR.generate(images, 1, np.zeros((1, 3)))
    GENERATOR.generate(images, 0, np.zeros((1, 3)))


def test_that_a_picture_of_another_size_is_a_sentence(tmp_path: Path) -> None:
    table = biased_digits(tmp_path, count=5)
    picture(tmp_path / rows(table)[2]["path"], height=30, width=48)
    with pytest.raises(DataError, match="not in colour, or not of 48 x 48"):
        GENERATOR.generate(images_from_files([table]), 2, np.zeros((1, 3)))


@pytest.mark.parametrize(("cell", "words"), [("", "is empty"), ("mauve", "is 'mauve'. It names one of: white, ")])
def test_that_a_level_nobody_knows_is_a_sentence(tmp_path: Path, cell: str, words: str) -> None:
    table = biased_digits(tmp_path, count=5)
    lines = table.read_text().splitlines()
    first = lines[1].split(",")
    first[3] = cell
    table.write_text("\n".join([lines[0], ",".join(first), *lines[2:]]))
    with pytest.raises(DataError, match=words):
        GENERATOR.own_values(images_from_files([table]), 0)


def test_that_other_data_are_told_why_not(tmp_path: Path, digits: ImageSet) -> None:
    for number in range(3):
        picture(tmp_path / "pictures" / f"{number}.png", number)
    told = GENERATOR.obstacles(images_from_files([tmp_path / "pictures"]).card)
    assert len(told) == 1
    assert "has not the columns digit_colour, background_colour, position" in told[0]
    with pytest.raises(DataError, match="'pictures' has no column 'digit_colour'"):
        GENERATOR.own_values(images_from_files([tmp_path / "pictures"]), 0)
    assert "is a volumes" in GENERATOR.obstacles(digits.card.model_copy(update={"kind": "volumes"}))[0]
    grey = digits.card.model_copy(update={"extra": {**digits.card.extra, "channels": 1}})
    assert "in colour and of 48 x 48 pixels" in GENERATOR.obstacles(grey)[0]


# Factors in general


def test_that_levels_are_rounded_and_other_values_are_left(digits: ImageSet) -> None:
    factors = (GeneratorFactor.of_levels("colour", ("red", "green")), GeneratorFactor("angle", -10.0, 10.0))
    assert checked_values(np.array([[0.5, -9.5]]), factors).tolist() == [[1.0, -9.5]]
    assert factors[0].label(0.4) == "red"
    assert factors[1].label(2.5) == "2.5"
    assert nearest_levels(np.array([0.5, 1.5, 2.5])).tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="2 levels lie between 0 and 1"):
        GeneratorFactor("colour", 0.0, 5.0, ("red", "green"))


# Glyphs


def test_that_the_bundled_digits_are_what_their_source_says() -> None:
    from sklearn.datasets import load_digits

    ours, theirs = bundled_glyphs(), load_digits()
    assert np.array_equal(ours.images, theirs.images)
    assert np.array_equal(ours.labels, theirs.target)
    folder = resources() / "samples" / "digits"
    told = (folder / "SOURCES.md").read_text(encoding="utf-8")
    assert hashlib.sha256((folder / "digits.npz").read_bytes()).hexdigest() in told
    assert (folder / "LICENSE-digits.txt").is_file()


def test_that_the_last_fifth_of_each_class_is_kept_for_testing() -> None:
    glyphs = bundled_glyphs()
    for label in range(10):
        of_class = glyphs.test[glyphs.labels == label]
        assert of_class.mean() == pytest.approx(0.2, abs=0.01)
        assert (np.diff(of_class.astype(int)) >= 0).all()
    train, test = glyphs.places(20, 5)
    assert train.tolist() == np.flatnonzero(~glyphs.test)[:20].tolist()
    assert test.tolist() == np.flatnonzero(glyphs.test)[:5].tolist()
    assert sum(map(len, glyphs.places())) == 1797


def mnist_files(folder: Path, *, ending: str = ".gz", test: int = 3) -> Path:
    random = np.random.default_rng(1)
    for name, count in (("train", 6), ("t10k", test)):
        idx(folder / f"{name}-images-idx3-ubyte{ending}", random.integers(0, 256, (count, 28, 28)))
        idx(folder / f"{name}-labels-idx1-ubyte{ending}", np.arange(count) % 10)
    return folder


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_that_mnists_files_are_taken_packed_or_not(tmp_path: Path, ending: str) -> None:
    glyphs = mnist_glyphs(mnist_files(tmp_path, ending=ending))
    assert glyphs.images.shape == (9, 28, 28)
    assert glyphs.test.tolist() == [False] * 6 + [True] * 3
    assert glyphs.labels.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2]
    part = Part("train", np.arange(9), 1, NO_BIAS)
    images = images_from_files([make_biased_digits(tmp_path / "made", glyphs, (part,))])
    assert images.entries[0].size == (48, 48)
    own = GENERATOR.own_values(images, 8)
    assert np.array_equal(GENERATOR.generate(images, 8, own[None])[0], pixels(images, 8))


def test_that_mnist_is_looked_for_in_the_users_folder(own_home: Path) -> None:
    assert mnist_folder() == own_home / "mnist"
    assert not has_mnist(mnist_folder())
    mnist_files(mnist_folder())
    assert has_mnist(mnist_folder())


def test_that_missing_or_foreign_files_of_mnist_are_a_sentence(tmp_path: Path) -> None:
    mnist_files(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="has no file t10k-labels-idx1-ubyte"):
        mnist_glyphs(tmp_path)
    idx(tmp_path / "t10k-labels-idx1-ubyte.gz", np.arange(2))
    with pytest.raises(DataError, match="images and labels do not fit"):
        mnist_glyphs(tmp_path)
    idx(tmp_path / "t10k-labels-idx1-ubyte.gz", np.array([1, 2, 20]))
    with pytest.raises(DataError, match="not those of ten digits"):
        mnist_glyphs(tmp_path)


def test_that_real_mnist_is_read(shared_data: Path) -> None:
    glyphs = mnist_glyphs(shared_data / "mnist")
    assert glyphs.images.shape == (70_000, 28, 28)
    assert int(glyphs.test.sum()) == 10_000
    assert glyphs.labels[:5].tolist() == [5, 0, 4, 1, 9]
