"""Images that occur twice in a set: the same pixels, or nearly the same picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from sensiview.datasets.images import ImageSet, Pixels
from sensiview.datasets.selecting import class_name
from sensiview.errors import DataError

Floats = npt.NDArray[np.float32]
# Two pictures are nearly the same when their grey pictures of 16 x 16 pixels correlate at least as strongly.
ALIKE = 0.995
_SIDE = 16
_BLOCK = 512
# Below this spread (of [0, 1]) a picture is one colour, and its correlation with others means nothing.
_FLAT = 0.01
_MOST_PAIRS = 2_000_000
_TOLD_EVERY = 50
_READING = 0.7


@dataclass(frozen=True)
class Duplicates:
    """Images that are the same, or alike.

    Parameters
    ----------
    kind : str
        ``equal``: every pixel; ``alike``: nearly the same picture (rescaled, brighter, compressed, the next frame).
    places : tuple of int
        In the set, ascending.
    classes, splits, groups : tuple of str
        That they are of, each once; empty strings left out.
    """

    kind: Literal["equal", "alike"]
    places: tuple[int, ...]
    classes: tuple[str, ...]
    splits: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def is_leak(self) -> bool:
        """Whether they lie on several sides of a split: the test then asks about what was trained on."""
        return len(self.splits) > 1

    @property
    def contradicts(self) -> bool:
        """Whether they have different classes: one of the labels is wrong, or the picture does not decide."""
        return len(self.classes) > 1


def find_duplicates(images: ImageSet, on_progress: Callable[[float], None] = lambda share: None) -> list[Duplicates]:
    """Return sets of equal images and of alike ones: those across a split first, then those across classes.

    Every image is read once. Equal images stand for one in the search for alike ones, so that no pair is told twice.
    Pictures of one colour are compared for equality only. Images that can't be read are passed over.

    Parameters
    ----------
    images : ImageSet
    on_progress : callable
        Called with the share that is done; what it raises ends the search.
    """
    digests: dict[bytes, list[int]] = {}
    small = np.zeros((len(images), _SIDE * _SIDE), dtype=np.float32)
    for index in range(len(images)):
        if index % _TOLD_EVERY == 0:
            on_progress(_READING * index / len(images))
        try:
            pixels = images.image(index)
        except DataError:
            continue
        digests.setdefault(_digest(pixels), []).append(index)
        small[index] = _signature(pixels, images.valid_range)
    equal = [places for places in digests.values() if len(places) > 1]
    first = np.array([places[0] for places in digests.values()], dtype=np.int64)
    alike = _alike(small, first, lambda share: on_progress(_READING + (1 - _READING) * share))
    found = [_told(images, "equal", places) for places in equal]
    found += [_told(images, "alike", places) for places in alike]
    on_progress(1.0)
    return sorted(found, key=lambda one: (not one.is_leak, not one.contradicts, one.kind == "alike", one.places))


def _digest(pixels: Pixels) -> bytes:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.digest()


def _signature(pixels: Pixels, valid: tuple[float, float]) -> Floats:
    """Return the grey picture of 16 x 16 pixels without its mean, of length 1; zeros where it has one colour."""
    from PIL import Image

    grey = pixels.mean(axis=0, dtype=np.float32) if len(pixels) > 1 else pixels[0]
    # Mode F of Pillow averages exactly, also where an image is smaller than the picture.
    reduced = np.asarray(Image.fromarray(grey).resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float32).ravel()
    centred = reduced - reduced.mean()
    if centred.std() < _FLAT * (valid[1] - valid[0]):
        return np.zeros(_SIDE * _SIDE, dtype=np.float32)
    return np.asarray(centred / np.linalg.norm(centred), dtype=np.float32)


def _alike(small: Floats, first: npt.NDArray[np.int64], tell: Callable[[float], None]) -> list[list[int]]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    vectors = small[first]
    rows: list[npt.NDArray[np.int64]] = []
    columns: list[npt.NDArray[np.int64]] = []
    pairs = 0
    for start in range(0, len(first), _BLOCK):
        tell(start / max(1, len(first)))
        near = vectors[start : start + _BLOCK] @ vectors[start:].T >= ALIKE
        row, column = np.nonzero(np.triu(near, k=1))
        rows.append(row + start)
        columns.append(column + start)
        pairs += len(row)
        if pairs > _MOST_PAIRS:
            break
    if not pairs:
        return []
    left, right = np.concatenate(rows), np.concatenate(columns)
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(len(first), len(first)))
    _, label = connected_components(graph, directed=False)
    involved = np.unique(np.concatenate([left, right]))
    found: dict[int, list[int]] = {}
    for place in involved:
        found.setdefault(int(label[place]), []).append(int(first[place]))
    return [sorted(places) for places in found.values()]


def _told(images: ImageSet, kind: Literal["equal", "alike"], places: Sequence[int]) -> Duplicates:
    def of(column: str | None) -> tuple[str, ...]:
        if column is None or column not in images.table.columns:
            return ()
        cells = images.table[column]
        return tuple(sorted({class_name(cells.iloc[i]) for i in places} - {""}))

    target = images.card.target if images.card.class_counts else None
    groups = tuple(sorted({images.groups[i] for i in places}))
    return Duplicates(kind, tuple(places), of(target), of(images.card.extra.get("split")), groups)
