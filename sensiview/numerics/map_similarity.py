"""How alike two maps of the same input are. NaN where a map has nothing to compare: it is constant, or not finite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

Array = NDArray[np.float64]
_SAME = 1e-12
# Constants of Wang et al. 2004, eq. 6: shares of the range of values, squared.
_K1, _K2 = 0.01, 0.03


def rank_correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return Spearman's rank correlation over all elements, ties at their mean rank; NaN when a map is constant."""
    a, b = _flat(one), _flat(other)
    if not (_varies(a) and _varies(b)):
        return float("nan")
    return _pearson(stats.rankdata(a), stats.rankdata(b))


def cosine(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Return the cosine of the angle between two maps as vectors; NaN when one is zero everywhere."""
    a, b = _flat(one), _flat(other)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("nan")
    # Scaled first: squares of tiny gradients would vanish.
    sizes = np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0)
    if min(sizes) == 0:
        return float("nan")
    a, b = a / sizes[0], b / sizes[1]
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def structural_similarity(one: NDArray[np.floating], other: NDArray[np.floating], window: int = 7) -> float:
    """Return the mean structural similarity of two maps, each scaled to [0, 1] first, with any number of axes.

    Local means, variances and covariance over cubes of `window` voxels (less where the map is smaller), as Wang, Bovik,
    Sheikh and Simoncelli, IEEE Transactions on Image Processing 13 (2004), eq. 13; unbiased, as scikit-image does it
    with its defaults. NaN when a map is constant.
    """
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if not (_varies(a.ravel()) and _varies(b.ravel())):
        return float("nan")
    a, b = (a - a.min()) / np.ptp(a), (b - b.min()) / np.ptp(b)
    sides = tuple(min(window, n if n % 2 else max(1, n - 1)) for n in a.shape)
    count = int(np.prod(sides))
    unbiased = count / (count - 1) if count > 1 else 1.0

    def local(values: Array) -> Array:
        return np.asarray(ndimage.uniform_filter(values, size=sides), dtype=np.float64)

    mean_a, mean_b = local(a), local(b)
    var_a, var_b = unbiased * (local(a * a) - mean_a**2), unbiased * (local(b * b) - mean_b**2)
    both = unbiased * (local(a * b) - mean_a * mean_b)
    above = (2 * mean_a * mean_b + _K1**2) * (2 * both + _K2**2)
    below = (mean_a**2 + mean_b**2 + _K1**2) * (var_a + var_b + _K2**2)
    # Where the window sticks out, the values are made up.
    inside = tuple(slice(side // 2, n - side // 2) for side, n in zip(sides, a.shape, strict=True))
    return float((above / below)[inside].mean())


def top_overlap(one: NDArray[np.floating], other: NDArray[np.floating], share: float = 0.1) -> float:
    """Return which part of the highest `share` of one map is also among the highest of the other, 0 to 1."""
    both, count = _tops(one, other, share)
    return both / count


def jaccard(one: NDArray[np.floating], other: NDArray[np.floating], share: float = 0.1) -> float:
    """Return the size of the intersection of the highest `share` of two maps over that of their union, 0 to 1."""
    both, count = _tops(one, other, share)
    return both / (2 * count - both)


def area_at_half_maximum(values: NDArray[np.floating]) -> float:
    """Return the share of places where a map reaches at least half of its largest value.

    NaN for a map that is nowhere above 0, or not finite.
    """
    flat = _flat(values)
    if not flat.size or not np.isfinite(flat).all() or flat.max() <= 0:
        return float("nan")
    return float((flat >= flat.max() / 2).mean())


def _tops(one: NDArray[np.floating], other: NDArray[np.floating], share: float) -> tuple[float, int]:
    """Return how many of the highest places of two maps are the same, and how many there are; NaN for a constant one.

    Places of the same value are taken in their order.
    """
    a, b = _flat(one), _flat(other)
    count = max(1, round(share * a.size))
    if not (_varies(a) and _varies(b)):
        return float("nan"), count
    first, second = (np.argsort(-values, kind="stable")[:count] for values in (a, b))
    return float(np.intersect1d(first, second, assume_unique=True).size), count


def _flat(values: NDArray[np.floating]) -> Array:
    return np.asarray(values, dtype=np.float64).ravel()


def _varies(values: Array) -> bool:
    """Say whether a map has anything in it that could be compared."""
    if values.size < 2 or not np.isfinite(values).all():
        return False
    return bool(np.ptp(values) > _SAME * np.abs(values).max())


def _pearson(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))
