"""Blocks of slices within one series: what one series number holds is not always one volume.

Frames are first parted by what can't share a volume (series number, matrix, pixel size, orientation, colour). Where
positions still repeat, the images at one position are told apart by the first property that makes whole blocks of
them: description, kind of image (magnitude, phase), echo, b value, gradient direction, inversion time, time point, ...
Only when none does, and every position repeats, do instance numbers decide. Where positions do not repeat but form no
even block, a property that makes even blocks of them parts them as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sensiview.datasets.dicom_frames import Frame
from sensiview.datasets.dicom_geometry import axes_of, measure, projections, same_place
from sensiview.datasets.dicom_header import Header

# Directions of two images of one stack differ by less (0.06 degrees, 0.2 pixels over 200).
_SAME_DIRECTION = 1e-3
_LABELS = (
    "description", "stack", "image type", "echo", "b", "direction", "inversion", "time", "repetition", "acquisition",
    "trigger",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """One frame and the header of its file."""

    header: Header
    frame: Frame


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames that may be one volume; `label` tells it from others of the series (``echo 2``), empty if alone."""

    items: tuple[Item, ...]
    label: str = ""
    mixed: bool = False  # parted by matrix, pixel size or orientation: not what one acquisition makes
    by_instance: bool = False


def stacks_of(items: Sequence[Item], same_pixels: Callable[[Item, Item], bool]) -> list[Stack]:
    """Part the frames of one series into stacks, in the order in which they were taken.

    Parameters
    ----------
    items : sequence of Item
        All frames, in any order.
    same_pixels : callable
        Says whether two images are the same, voxel by voxel; asked for a few pairs only.
    """
    kinds = _by_kind(sorted(items, key=_taken))
    parts = [Stack(tuple(part), label, mixed=len(kinds) > 1) for label, part in kinds]
    return [finer for stack in parts for finer in (*_mosaics(stack),) or _by_label(stack, same_pixels)]


def _mosaics(stack: Stack) -> list[Stack]:
    """Return each mosaic as a stack of its own: one picture is one moment; nothing for other images."""
    if not stack.items[0].frame.tiles:
        return []
    files: dict[Header, list[Item]] = defaultdict(list)
    for item in stack.items:
        files[item.header].append(item)
    if len(files) == 1:
        return [stack]
    b_values = {item.frame.labels.get("b") for item in stack.items} - {None}
    found = []
    for number, part in enumerate(files.values(), start=1):
        label, b_value = _with(stack.label, f"time point {number}"), part[0].frame.labels.get("b")
        if len(b_values) > 1 and b_value is not None:
            label = _with(label, _spoken("b", b_value))
        found.append(replace(stack, items=tuple(part), label=label))
    return found


def _taken(item: Item) -> tuple[Any, ...]:
    instance = item.frame.labels.get("instance")
    return instance is None, instance or 0, item.frame.index, str(item.header.path)


def _by_kind(items: Iterable[Item]) -> list[tuple[str, list[Item]]]:
    groups: dict[tuple[Any, ...], list[Item]] = defaultdict(list)
    directions: list[np.ndarray[Any, np.dtype[np.float64]]] = []
    known: dict[tuple[float, ...], int] = {}
    for item in items:
        header, frame = item.header, item.frame
        turn = -1 if frame.orientation is None else known.get(frame.orientation, -1)
        if turn < 0 and frame.orientation is not None:
            given = np.asarray(frame.orientation)
            turn = next((i for i, d in enumerate(directions) if np.abs(d - given).max() < _SAME_DIRECTION), -1)
            if turn < 0:
                turn = len(directions)
                directions.append(given)
            known[frame.orientation] = turn
        spacing = tuple(round(part, 4) for part in frame.spacing) if frame.spacing else None
        size = header.rows, header.columns, frame.tiles
        located = frame.position is not None
        own = header.number, header.modality, header.samples, located, header.sop_class
        groups[(*size, own, spacing, turn)].append(item)
    if len(groups) == 1:
        return [("", next(iter(groups.values())))]
    labels = _kind_labels(list(groups), [_plane(direction) for direction in directions])
    return [(label, part) for label, part in zip(labels, groups.values(), strict=True)]


def _kind_labels(keys: Sequence[tuple[Any, ...]], planes: Sequence[str]) -> list[str]:
    """Return words for the groups: what differs between them, numbered where that is not enough."""
    sizes = {key[:3] for key in keys}
    spacings = {key[4] for key in keys}
    turns = {key[5] for key in keys}
    numbers = {key[3][0] for key in keys}
    labels = []
    for key in keys:
        words = []
        if len(numbers) > 1:
            words.append("no series number" if key[3][0] is None else f"series number {key[3][0]}")
        if len(sizes) > 1:
            words.append(f"{key[1]} x {key[0]} pixels")
        if len(spacings) > 1 and key[4]:
            words.append(f"pixels of {key[4][1]:g} x {key[4][0]:g} mm")
        if len(turns) > 1 and key[5] >= 0:
            words.append(planes[key[5]])
        labels.append(", ".join(words))
    return [
        label if label and labels.count(label) == 1 else ", ".join(filter(None, (label, f"part {i + 1}")))
        for i, label in enumerate(labels)
    ]


def _plane(orientation: np.ndarray[Any, np.dtype[np.float64]]) -> str:
    """Return the anatomical plane an image lies in, ``oblique`` in front when it is turned by more than 10 degrees."""
    normal = np.abs(np.cross(orientation[:3], orientation[3:]))
    name = ("sagittal", "coronal", "axial")[int(normal.argmax())]
    return name if normal.max() > np.cos(np.radians(10)) else f"oblique {name}"


def _by_label(stack: Stack, same_pixels: Callable[[Item, Item], bool]) -> list[Stack]:
    """Part a stack in which positions repeat, or which is no even block."""
    placed = _positions(stack.items)
    if placed is None:
        return [stack]
    repeats = _repeats(placed)
    repeated = any(len(group) > 1 for group in repeats)
    if not repeated and _is_block(stack.items):
        return [stack]
    for name in _LABELS:
        values: dict[Hashable, list[int]] = defaultdict(list)
        for place, item in enumerate(stack.items):
            values[item.frame.labels.get(name)].append(place)
        parts = {value: [stack.items[place] for place in places] for value, places in values.items()}
        if len(parts) < 2 or not (_makes_blocks(values, repeats) if repeated else _makes_even(parts.values())):
            continue
        return [
            finer
            for value, part in _in_order(parts)
            for finer in _by_label(
                replace(
                    stack,
                    items=tuple(part),
                    label=_with(stack.label, _spoken(name, value)),
                    mixed=stack.mixed or not repeated or name == "description",
                ),
                same_pixels,
            )
        ]
    return _by_instance(stack, repeats, same_pixels) if repeated else [stack]


def _makes_blocks(values: Mapping[Hashable, Sequence[int]], repeats: Sequence[Sequence[int]]) -> bool:
    """Say whether at least two parts are blocks (half of all positions or more), with little beside them.

    A scan that was broken off leaves a last block of few slices; a slice that was sent twice makes no block.
    """
    group_of = {place: number for number, group in enumerate(repeats) for place in group}
    sizes = [len({group_of[place] for place in places}) for places in values.values()]
    whole = [size for size in sizes if 2 * size >= len(repeats)]
    return len(whole) >= 2 and 2 * (sum(sizes) - sum(whole)) < len(repeats)


def _makes_even(parts: Iterable[Sequence[Item]]) -> bool:
    return all(len(part) > 2 and _is_block(part) for part in parts)


def _is_block(items: Sequence[Item]) -> bool:
    """Say whether the slices lie evenly, with few missing: two interleaved series may look like one full of gaps."""
    first = items[0].frame
    axes = axes_of(first.orientation) if first.orientation else None
    if axes is None or first.spacing is None:
        return True
    positions = np.array([item.frame.position for item in items], dtype=np.float64)
    geometry = measure(positions, axes, first.spacing, 1.0)
    return not geometry.problem and 4 * sum(missing for *_, missing in geometry.gaps) <= len(items)


def _by_instance(
    stack: Stack, repeats: Sequence[Sequence[int]], same_pixels: Callable[[Item, Item], bool]
) -> list[Stack]:
    if len({len(group) for group in repeats}) > 1 or _copies(stack, repeats, same_pixels):
        return [stack]  # single slices were sent twice, or all of them: duplicates, not a second volume
    return [
        replace(
            stack,
            items=tuple(stack.items[group[turn]] for group in repeats),
            label=_with(stack.label, f"repetition {turn + 1}"),
            by_instance=True,
        )
        for turn in range(len(repeats[0]))
    ]


def _copies(stack: Stack, repeats: Sequence[Sequence[int]], same_pixels: Callable[[Item, Item], bool]) -> bool:
    middle = sorted({0, len(repeats) // 2, len(repeats) - 1})
    return all(same_pixels(stack.items[repeats[i][0]], stack.items[repeats[i][1]]) for i in middle)


def _positions(items: Sequence[Item]) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Return how far each frame lies along the normal, in units of the distance that counts as none."""
    first = items[0].frame
    axes = axes_of(first.orientation) if first.orientation else None
    if axes is None or first.spacing is None or any(item.frame.position is None for item in items):
        return None
    places = np.array([item.frame.position for item in items], dtype=np.float64)
    along: np.ndarray[Any, np.dtype[np.float64]] = projections(places, axes) / same_place(first.spacing)
    return along


def _repeats(along: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[int]]:
    """Return the places of the frames at each position, in the order in which they were taken."""
    groups: list[list[int]] = []
    start = -np.inf
    for place in np.argsort(along, kind="stable").tolist():
        if along[place] - start <= 1:
            groups[-1].append(place)
        else:
            groups.append([place])
            start = along[place]
    return [sorted(group) for group in groups]


def _in_order(values: dict[Hashable, list[Item]]) -> list[tuple[Any, list[Item]]]:
    known: list[tuple[Any, list[Item]]] = list(values.items())
    try:
        return sorted(known, key=lambda pair: (pair[0] is not None, pair[0] if pair[0] is not None else 0))
    except TypeError:
        return known


def _with(label: str, more: str) -> str:
    return f"{label}, {more}" if label else more


def _spoken(name: str, value: Any) -> str:
    if value is None:
        return f"no {name}"
    match name:
        case "image type":
            return "/".join(str(part) for part in value if part) or "other image type"
        case "echo":
            return f"echo time {value:g} ms"
        case "b":
            return f"b = {value:g} s/mm²"
        case "direction":
            return "direction " + " ".join(f"{part:.2f}" for part in value)
        case "inversion":
            return f"inversion time {value:g} ms"
        case "repetition":
            return f"repetition time {value:g} ms"
        case "time":
            return f"time point {value}"
        case "trigger":
            return f"trigger {value:g} ms"
        case "description":
            return str(value)
        case _:
            return f"{name} {value}"


def renamed(stacks: Sequence[Stack]) -> list[Stack]:
    """Number stacks whose labels are the same."""
    labels = [stack.label for stack in stacks]
    return [
        replace(stack, label=_with(stack.label, f"part {labels[: i + 1].count(stack.label)}"))
        if labels.count(stack.label) > 1
        else stack
        for i, stack in enumerate(stacks)
    ]
