"""Maximised inputs as result items: pictures, changes, the way there, and how strongly each class answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.activation_starts import Starts
from sensiview.analysis.image_choice import colour_names
from sensiview.analysis.items import (
    INPUT_CHANGE,
    INPUT_VALUE,
    Array,
    Curve,
    FieldMap,
    ImageSeries,
    IndexTable,
    Item,
    Matrix,
)

if TYPE_CHECKING:
    from sensiview.datasets.images import ImageSet

_MOST_PREVIEW = 90_000
# A grid of more classes than this is not read by anybody.
MOST_CROSS = 60


@dataclass(frozen=True)
class Pictures:
    """What a run found, row by row.

    Parameters
    ----------
    starts : Starts
    images : ImageSet
    low, high : float
        Range of the values; what is shown black and white.
    """

    starts: Starts
    images: ImageSet
    low: float
    high: float

    def axes(self) -> tuple[list[str], dict[str, tuple[str, ...]]]:
        """Return the axes before those of a picture, with their labels."""
        names: list[str] = []
        labels: dict[str, tuple[str, ...]] = {"target": self.starts.targets}
        if self.starts.several:
            names, labels["image"] = ["image"], self.starts.names
        return [*names, "target"], labels

    def folded(self, rows: Array) -> Array:
        """Return rows (n, ...) as ([image], target, ...)."""
        blocks = (len(self.starts.names),) if self.starts.several else ()
        return rows.reshape(*blocks, len(self.starts.targets), *rows.shape[1:])

    def shown(self, rows: Array) -> Array:
        """Return (n, channel, y, x) as pictures (n, y, x, channel), uint8, black and white at the range's ends."""
        scaled = (rows - self.low) / (self.high - self.low) * 255
        moved: Array = np.moveaxis(np.clip(np.nan_to_num(scaled), 0, 255).round().astype(np.uint8), 1, -1)
        return moved

    def series(self, rows: Array, title: str, description: str, labels: Sequence[str]) -> ImageSeries:
        """Return pictures of rows, one frame each."""
        return ImageSeries(
            title=title, description=description, values=self.shown(rows), labels=tuple(labels), axis="target"
        )

    def labels(self) -> tuple[str, ...]:
        """Return a name for each row."""
        return tuple(self.starts.label(row) for row in range(len(self.starts.aims)))


def picture_items(of: Pictures, start: Array, found: Array, snapshots: Array, steps: Sequence[int]) -> dict[str, Item]:
    """Return ``image``, ``pictures``, ``snapshots``, ``difference``, ``change`` and ``input``.

    Parameters
    ----------
    of : Pictures
    start, found : ndarray
        (n, channel, y, x).
    snapshots : ndarray
        (n, step, channel, y, x).
    steps : sequence of int
        Of the snapshots.
    """
    axes, labels = of.axes()
    colours = colour_names(start.shape[1])
    change = found - start
    whole = {**labels, "channel": colours}
    items: dict[str, Item] = {
        "pictures": of.series(
            found,
            "Maximised inputs as pictures",
            "What each target answers to most, as far as the search came.",
            of.labels(),
        ),
        "snapshots": FieldMap(
            title="The way there",
            description="The input at some of the steps; step 0 is the start.",
            values=of.folded(snapshots),
            axes=(*axes, "step", "channel", "y", "x"),
            coordinates={**whole, "step": tuple(str(step) for step in steps)},
            unit=INPUT_VALUE,
        ),
        "change": FieldMap(
            title="Size of the change",
            description="Mean over the colours of how much each pixel was changed. Bright: the target asks for more.",
            values=of.folded(np.abs(change).mean(axis=1)),
            axes=(*axes, "y", "x"),
            coordinates=labels,
            unit=INPUT_CHANGE,
        ),
        "difference": FieldMap(
            title="Difference to the start",
            description="Positive: the pixel became brighter in this colour.",
            values=of.folded(change),
            axes=(*axes, "channel", "y", "x"),
            coordinates=whole,
            unit=INPUT_CHANGE,
            signed=True,
        ),
        "image": FieldMap(
            title="Maximised inputs",
            description="The found inputs with their exact values, on the pixels that the network sees.",
            values=of.folded(found),
            axes=(*axes, "channel", "y", "x"),
            coordinates=whole,
            unit=INPUT_VALUE,
        ),
    }
    items["input"] = _input(of, start)
    return items


def _input(of: Pictures, start: Array) -> ImageSeries:
    """Return the starts: one per image where every target has the same ones, else one per target."""
    count = len(of.starts.targets)
    if of.starts.several:
        rows, labels = start[::count], of.starts.names
    elif len(set(of.starts.indices)) == 1:
        rows, labels = start[:1], (of.starts.start_of(0, of.images),)
    else:
        rows, labels = start, of.starts.targets
    series = of.series(rows, "Starts", "What the search began with, as the network sees it.", labels)
    return ImageSeries(
        title=series.title,
        description=series.description,
        values=series.values,
        labels=series.labels,
        axis="image" if of.starts.several else "target" if len(labels) > 1 else "image",
    )


def trace_item(of: Pictures, trace: Array) -> Curve:
    """Return the trace as far as it goes: target, step, objective, activation, total variation, probability."""
    import pandas as pd

    rows, steps = np.nonzero(np.isfinite(trace[:, :, 1]))
    count = len(of.starts.targets)
    frame = pd.DataFrame({"target": [of.starts.targets[row % count] for row in rows], "step": steps})
    series: tuple[str, ...] = ("target",)
    if of.starts.several:
        frame.insert(0, "image", [of.starts.names[row // count] for row in rows])
        series = ("image", "target")
    values = trace[rows, steps]
    columns = ["objective", "activation", "total_variation"]
    for place, name in enumerate(columns):
        frame[name] = values[:, place]
    if len(values) and np.isfinite(values[:, 3]).all():
        frame["probability"] = values[:, 3]
        columns.append("probability")
    return Curve(
        title="The way up",
        description="Objective, activation and total variation before each step; the last line is the result.",
        frame=frame,
        x="step",
        y=("activation", "objective", *columns[2:]),
        series=series,
        units={"step": "", **{name: INPUT_VALUE if name == "total_variation" else "" for name in columns}},
    )


def summary_item(of: Pictures, trace: Array) -> IndexTable:
    """Return target, start, activation and probability before and after."""
    import pandas as pd

    first, last = trace[:, 0], trace[:, -1]
    count = len(of.starts.targets)
    frame = pd.DataFrame(
        {
            "image": [of.starts.start_of(row, of.images) for row in range(len(trace))],
            "target": [of.starts.targets[row % count] for row in range(len(trace))],
            "activation_before": first[:, 1],
            "activation_after": last[:, 1],
            "total_variation_before": first[:, 2],
            "total_variation_after": last[:, 2],
        }
    )
    values = ["activation_after", "activation_before"]
    units = {name: "" for name in frame.columns if name not in ("image", "target")}
    if np.isfinite(trace[:, [0, -1], 3]).all():
        frame["probability_before"], frame["probability_after"] = first[:, 3], last[:, 3]
        values += ["probability_after", "probability_before"]
        units |= {"probability_before": "", "probability_after": ""}
    return IndexTable(
        title="Before and after",
        description="The activation of each target for its start and for the input that was found.",
        frame=frame,
        keys=("image", "target"),
        values=tuple(values),
        units=units,
        plot="bars",
    )


def cross_items(of: Pictures, trace: Array) -> dict[str, Item]:
    """Return what each start gives for each target, before and after: ``cross_activation`` and ``start_activation``."""
    folded = of.folded(trace)

    def matrix(values: Array, title: str, description: str) -> Matrix:
        return Matrix(
            title=title,
            description=description,
            values=values.astype(np.float64),
            rows=of.starts.names,
            columns=of.starts.targets,
            row_axis="start",
            column_axis="target",
            value_name="activation",
            signed=bool(values.min() < 0),
        )

    return {
        "cross_activation": matrix(
            folded[:, :, -1, 1],
            "Activation that was reached",
            "From the start of each row, for the target of each column.",
        ),
        "start_activation": matrix(
            folded[:, :, 0, 1], "Activation of the starts", "Before anything was changed: the untouched starts."
        ),
    }


def answers_item(of: Pictures, probabilities: Array, classes: Sequence[str]) -> Matrix | None:
    """Return what the network says of each picture found: rows pictures, columns classes; None where it is too much."""
    if len(classes) > MOST_CROSS or len(probabilities) > MOST_CROSS * MOST_CROSS:
        return None
    return Matrix(
        title="What the network says of each picture",
        description="Probability of every class for the inputs that were found: what else they look like.",
        values=probabilities.astype(np.float64),
        rows=of.labels(),
        columns=tuple(classes),
        row_axis="maximised for",
        column_axis="class",
        value_name="probability",
    )


def live_pictures(of: Pictures, rows: Array, step: int) -> ImageSeries:
    """Return the inputs as they are now, few and coarse enough to travel while the run goes on."""
    every = max(1, int(np.ceil(np.sqrt(rows[0].size / _MOST_PREVIEW))))
    coarse = rows[:, :, ::every, ::every]
    most = max(1, _MOST_PREVIEW // max(1, coarse[0].size))
    labels = of.labels()[:most]
    return of.series(coarse[:most], "Maximised inputs as pictures", f"As they are after {step} steps.", labels)
