"""Small sets of biased digits, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sensiview.datasets.biased_digits import Bias, Part, make_biased_digits
from sensiview.datasets.digit_glyphs import bundled_glyphs
from sensiview.datasets.image_opening import images_from_files
from sensiview.datasets.images import ImageSet


def biased_digits(folder: Path, *, count: int = 40, p_corr: float = 0.7, drawings: int = 1, **alone: Any) -> Path:
    """Write a set of the first glyphs, every fifth of them for testing; return its table."""
    bias, places = Bias.of(p_corr, alone), np.arange(count)
    parts = (Part("train", places[places % 5 > 0], drawings, bias), Part("test", places[places % 5 == 0], 1, bias))
    return make_biased_digits(folder, bundled_glyphs(), parts)


def opened(folder: Path, **settings: Any) -> ImageSet:
    """Return such a set, opened from its table."""
    return images_from_files([biased_digits(folder, **settings)])
