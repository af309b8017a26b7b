"""Fields that are like a map in every way but where: the control that a map has to beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
_SHARE_OF_SIDE = 4


def smoothness(field: NDArray[np.floating]) -> tuple[float, ...]:
    """Return along each axis the width, in voxels, of the Gaussian that would make white noise as smooth as a field.

    White noise after a Gaussian of standard deviation s has Var(difference of neighbours) / Var(values) close to
    1/(2 s^2) (Worsley et al. 1992, smoothness of random fields); solved for s. 0 for a constant field, and at most a
    quarter of the side.
    """
    values = np.asarray(field, dtype=np.float64)
    spread = float(values.var())
    widths = []
    for axis, side in enumerate(values.shape):
        steps = float(np.square(np.diff(values, axis=axis)).mean()) if side > 1 else 0.0
        width = np.sqrt(spread / (2 * steps)) if steps > 0 else 0.0
        widths.append(float(min(width, side / _SHARE_OF_SIDE)))
    return tuple(widths)


def random_like(
    field: NDArray[np.floating], inside: NDArray[np.bool_], rng: np.random.Generator, widths: tuple[float, ...]
) -> Floats:
    """Return a random field with exactly the values of `field` inside a region, at other places.

    Smooth noise is ranked inside the region, and the field's values are dealt out in that order: the same volume at
    every threshold, about the same smoothness, another place. Outside the region the field's own values stay.

    Parameters
    ----------
    field : ndarray
        Any number of axes.
    inside : ndarray of bool
        Same shape.
    rng : numpy Generator
    widths : tuple of float
        As `smoothness` gives them.
    """
    noise = np.asarray(ndimage.gaussian_filter(rng.standard_normal(field.shape), widths, mode="wrap"))
    found = np.asarray(field, dtype=np.float64).copy()
    values = np.sort(found[inside])
    order = np.argsort(noise[inside], kind="stable")
    dealt = np.empty(values.size)
    dealt[order] = values
    found[inside] = dealt
    return found


def top_share(field: NDArray[np.floating], inside: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """Return where a field is among its highest `share` of the region: exactly that many voxels, ties in order."""
    count = max(1, round(share * int(inside.sum())))
    values = np.where(inside, np.asarray(field, dtype=np.float64), -np.inf).ravel()
    chosen = np.zeros(values.size, dtype=bool)
    chosen[np.argsort(-values, kind="stable")[:count]] = True
    return chosen.reshape(field.shape) & inside
