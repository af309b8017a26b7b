"""Handwritten digits to draw with: those that come with SensiView, or MNIST's files where the user has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sensiview.datasets.digit_drawing import opacity_of_glyph
from sensiview.datasets.image_arrays import idx_array
from sensiview.datasets.image_arrays import member as array_member
from sensiview.errors import DataError
from sensiview.locations import home, resources

Places = NDArray[np.int64]
# The values of a pixel of the digits that come with SensiView lie between 0 and 16.
_WHITE_OF_BUNDLED = 16.0
# Of each class, from the end of the file: mostly other writers than those that the network learns from.
_TEST_SHARE = 0.2
_MNIST = {"train": "train", "test": "t10k"}


@dataclass(frozen=True, eq=False)
class Glyphs:
    """Grey digits in the order of their file.

    Parameters
    ----------
    images : ndarray
        uint8, shape (n, side, side), 0 where nothing was written.
    labels : ndarray
        int64, shape (n,), 0 to 9.
    test : ndarray
        bool, shape (n,): kept apart for testing.
    white : float
        The highest value that a pixel can have.
    origin : str
        A sentence on where they come from.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    test: NDArray[np.bool_]
    white: float
    origin: str

    def opacity(self, place: int) -> NDArray[np.uint8]:
        """Return how opaque one glyph's stroke is, as large as it is drawn; see `opacity_of_glyph`."""
        return opacity_of_glyph(self.images[place], self.white)

    def places(self, train: int | None = None, test: int | None = None) -> tuple[Places, Places]:
        """Return which glyphs train and which test: the first so many of each part, None for all of them."""
        return np.flatnonzero(~self.test)[:train], np.flatnonzero(self.test)[:test]


def bundled_glyphs() -> Glyphs:
    """Return the 1,797 digits of 8 x 8 pixels that come with SensiView; the last fifth of each class tests."""
    path = resources() / "samples" / "digits" / "digits.npz"
    images = np.asarray(array_member(path, "images"), dtype=np.uint8)
    labels = np.asarray(array_member(path, "labels"), dtype=np.int64)
    test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        places = np.flatnonzero(labels == label)
        test[places[len(places) - round(_TEST_SHARE * len(places)) :]] = True
    return Glyphs(
        images, labels, test, _WHITE_OF_BUNDLED,
        "Handwritten digits of 8 x 8 pixels by 13 writers (Alpaydin and Kaynak 1998, UCI).",
    )  # fmt: skip


def mnist_folder() -> Path:
    """Return where MNIST's four files are looked for: ``mnist`` in SensiView's folder of the user."""
    return home() / "mnist"


def has_mnist(folder: Path) -> bool:
    """Say whether MNIST's four files lie in a folder, packed or not."""
    return all(
        _beside(folder, f"{name}-{what}") is not None
        for name in _MNIST.values()
        for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )


def mnist_glyphs(folder: Path) -> Glyphs:
    """Return MNIST's digits of 28 x 28 pixels, its 10,000 test images kept apart.

    Raises
    ------
    DataError
        One of the four files is missing or damaged, or holds something else.
    """
    images, labels, test = [], [], []
    for part, name in _MNIST.items():
        pictures = idx_array(_file(folder, f"{name}-images-idx3-ubyte"))
        classes = idx_array(_file(folder, f"{name}-labels-idx1-ubyte"))
        if pictures.ndim != 3 or pictures.shape[1] != pictures.shape[2] or classes.shape != pictures.shape[:1]:
            raise DataError(f"The files {name}-... in {folder} are not MNIST's: images and labels do not fit.")
        if classes.size and int(classes.max()) > 9:
            raise DataError(f"The labels {name}-... in {folder} are not those of ten digits.")
        images.append(np.asarray(pictures, dtype=np.uint8))
        labels.append(classes.astype(np.int64))
        test.append(np.full(len(classes), part == "test"))
    return Glyphs(
        np.concatenate(images), np.concatenate(labels), np.concatenate(test), 255.0,
        "Handwritten digits of 28 x 28 pixels from MNIST (LeCun, Cortes and Burges).",
    )  # fmt: skip


def _file(folder: Path, stem: str) -> Path:
    found = _beside(folder, stem)
    if found is None:
        raise DataError(f"{folder} has no file {stem} (or {stem}.gz). Put MNIST's four files there.")
    return found


def _beside(folder: Path, stem: str) -> Path | None:
    # Some archives write a point where others write a hyphen.
    names = (stem, f"{stem}.gz", stem.replace("-idx", ".idx"), f"{stem.replace('-idx', '.idx')}.gz")
    return next((folder / name for name in names if (folder / name).is_file()), None)
