"""What is said of a map over a volume, wherever it is shown: whether it is one, and names of its other axes."""

from __future__ import annotations

from collections.abc import Sequence

from sensiview.analysis.items import FieldMap, Item

SPATIAL = ("z", "y", "x")
_TITLES = {"lambda_1": "λ₁", "lambda_2": "λ₂", "subject": "Subject", "context": "Context", "target": "Class"}


def is_volume_map(item: Item) -> bool:
    """Say whether an item is a map in millimetres, which the viewer of volumes shows."""
    return isinstance(item, FieldMap) and item.affine is not None and item.axes[-3:] == SPATIAL


def axis_title(axis: str) -> str:
    """Return what people call an axis."""
    return _TITLES.get(axis, axis.replace("_", " ").capitalize())


def axis_labels(item: FieldMap, axis: str) -> tuple[str, ...]:
    """Return the name of each place on an axis; its number from 0 where it has none."""
    size = item.values.shape[item.axes.index(axis)]
    labels = tuple(item.coordinates.get(axis, ()))
    return labels if len(labels) == size else tuple(str(number) for number in range(size))


def place_title(item: FieldMap, place: Sequence[int]) -> str:
    """Return one place on the axes before z, y, x in words: ``λ₁ 100, λ₂ 10``; empty without such axes."""
    axes = zip(item.axes[:-3], place, strict=True)
    return ", ".join(f"{axis_title(axis)} {axis_labels(item, axis)[index]}" for axis, index in axes)
