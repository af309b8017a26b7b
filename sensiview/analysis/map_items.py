"""Maps as result items: single maps, their mean and spread, regions and scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import Array, FieldMap, IndexTable, Item
from sensiview.analysis.map_parameters import MOST_MAP_BYTES
from sensiview.analysis.map_regions import region_item
from sensiview.datasets.card import DatasetCard
from sensiview.errors import UserError
from sensiview.models.card import ModelCard

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.numerics.map_makers import FoundMaps

RegionsOf = Callable[[NDArray[Any]], "pd.DataFrame | None"]


@dataclass(frozen=True)
class MapWords:
    """What a method calls its maps; `channels` names those that have a map of their own each."""

    title: str
    description: str
    unit: str
    signed: bool
    channels: tuple[str, ...] = ()


class Layout(Protocol):
    """How maps of one kind of data become items."""

    @property
    def key(self) -> str:
        """Axis and column of the inputs' names: ``subject`` or ``image``."""

    @property
    def what(self) -> str:
        """What one input is called: ``volume`` or ``image``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one map, as makers give it."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the spatial axes of an item, in order."""

    def values(self, maps: Array) -> Array:
        """Return maps (..., *shape) in the order of `axes`."""

    def place(self) -> Mapping[str, Any]:
        """Return where maps lie, as `FieldMap` takes it."""

    def see(self, rows: NDArray[np.float32]) -> None:
        """Look at the inputs of the next maps, (n, channels, *shape)."""

    def below(self, names: Sequence[str], order: Sequence[int], *, keep: bool, average: bool) -> dict[str, Item]:
        """Return items that show what was looked at, in an order of what was seen."""


@dataclass
class MapCollection:
    """Takes the maps as they come, and makes items of them.

    Parameters
    ----------
    dataset, model : cards
    names : tuple of str
        Of all inputs of the data set.
    layout : Layout
    targets : tuple of str
        Name of each map of an input.
    average : bool
    count : int
        Inputs to come.
    channels : tuple of str
        Names of the channels where each has a map.
    """

    dataset: DatasetCard
    model: ModelCard
    names: tuple[str, ...]
    layout: Layout
    targets: tuple[str, ...]
    average: bool
    count: int
    channels: tuple[str, ...] = ()
    kept: list[NDArray[np.float32]] = field(default_factory=list)
    rows: list[list[dict[str, Any]]] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        from sensiview.numerics.moments import Moments

        self.moments = Moments()
        self._places: list[int] = []
        self._order: list[int] = []
        own = int(np.prod(self.layout.shape)) * max(1, len(self.channels))
        self.keep = 4 * self.count * len(self.targets) * own <= MOST_MAP_BYTES

    def add(self, found: FoundMaps) -> None:
        """Take the maps of some inputs."""
        if found.rows is not None:
            self.layout.see(found.rows)
        for place, index in enumerate(found.indices):
            name, values = self.names[index], found.values[place]
            self._places.append(index)
            self.subjects.append(name)
            self.rows.append(self._scores(name, found, place))
            finite = bool(np.isfinite(values).all())
            if not finite:
                self.left_out.append(name)
            elif not values.any():
                self.empty.append(name)
            if self.keep:
                self.kept.append(values)
            if self.average and finite:
                self.moments.add(values[None].astype(np.float64))

    def _scores(self, name: str, found: FoundMaps, place: int) -> list[dict[str, Any]]:
        more = {"predicted": found.predicted[place]} if self.layout.what == "image" and self.classifier else {}
        return [
            {self.layout.key: name, "target": target.label, self.column: float(probability), **more}
            for target, probability in zip(found.targets[place], found.probability[place], strict=True)
        ]

    def in_order(self, indices: Sequence[int]) -> None:
        """Bring what came in any order (an interrupted run) into that of `indices`."""
        self._order = [self._places.index(index) for index in indices]
        self.subjects = [self.subjects[at] for at in self._order]
        self.rows = [self.rows[at] for at in self._order]
        if self.keep:
            self.kept = [self.kept[at] for at in self._order]

    @property
    def classifier(self) -> bool:
        """Whether the network tells classes apart."""
        return self.model.emits != "value" or bool(self.model.class_names)

    @property
    def column(self) -> str:
        """What the scores of the untouched inputs are called."""
        return "probability" if self.classifier else "value"

    def sentences(self) -> list[str]:
        """Return what is odd about the maps."""
        found = []
        if self.left_out:
            found.append(
                f"The map is not finite for {some(self.left_out)}: the network's output or gradient overflows there. "
                "It is left out of the average."
            )
        if self.empty:
            found.append(
                f"The map is 0 everywhere for {some(self.empty)}: nothing in the {self.layout.what} moves this score "
                "this way."
            )
        if not self.keep:
            found.append("There are too many single maps to keep; only their average is.")
        return found

    def items(self, words: MapWords, regions: RegionsOf | None) -> dict[str, Item]:
        """Return ``map``, ``mean_map`` and ``spread`` on demand, what lies below them, ``regions`` and ``scores``.

        Raises
        ------
        UserError
            There is an average to make and nothing finite to make it of.
        """
        import pandas as pd

        items: dict[str, Item] = {}
        if self.average:
            items |= self._averages(words)
        if self.keep:
            items["map"] = self._field(np.stack(self.kept), words, words.title, tuple(self.subjects), words.description)
        order = self._order or range(len(self.subjects))
        items |= self.layout.below(self.subjects, order, keep=self.keep, average=self.average)
        if regions is not None and (table := self._regions(regions)) is not None:
            items["regions"] = table
        frame = pd.DataFrame([row for of_input in self.rows for row in of_input])
        items["scores"] = IndexTable(
            title=f"Scores of the untouched {self.layout.what}s",
            description=f"What the network says of each {self.layout.what}, for the classes that the maps explain.",
            frame=frame,
            keys=(self.layout.key, "target"),
            values=(self.column,),
            units={self.column: ""},
            plot="points",
        )
        return items

    def _averages(self, words: MapWords) -> dict[str, Item]:
        if not self.moments.count:
            raise UserError(
                f"No map is finite, so there is no average. Check the network and the {self.layout.what}s' values."
            )
        n = self.moments.count
        over = f"{self.dataset.name}, {n} {self.layout.key}{'' if n == 1 else 's'}"
        mean = self.moments.mean.astype(np.float32)
        spread = self.moments.std if n > 1 else np.zeros_like(self.moments.mean)
        without_sign = MapWords(words.title, "", words.unit, signed=False, channels=words.channels)
        return {
            "mean_map": self._field(mean[None], words, f"Mean {words.title}", (over,), words.description),
            "spread": self._field(
                spread.astype(np.float32)[None],
                without_sign,
                f"Spread of {words.title}",
                (over,),
                f"Standard deviation over the {self.layout.key}s: where it is as large as the mean, the "
                f"{self.layout.key}s disagree.",
            ),
        }

    def _field(
        self, values: Array, words: MapWords, title: str, subjects: tuple[str, ...], description: str
    ) -> FieldMap:
        """Return maps (n, targets, [channels], *shape) as an item without axes of one."""
        axes: list[str] = []
        coordinates: dict[str, tuple[str, ...]] = {}
        if len(subjects) > 1:
            axes, coordinates[self.layout.key] = [self.layout.key], subjects
        if len(self.targets) > 1:
            axes, coordinates["target"] = [*axes, "target"], self.targets
        if self.channels:
            axes, coordinates["channel"] = [*axes, "channel"], self.channels
        shape = [len(coordinates[axis]) for axis in axes]
        return FieldMap(
            title=title,
            description=description,
            values=self.layout.values(values.reshape(*shape, *self.layout.shape)),
            axes=(*axes, *self.layout.axes),
            unit=words.unit,
            signed=words.signed,
            over=subjects[0] if len(subjects) == 1 else self.dataset.name,
            coordinates=coordinates,
            **self.layout.place(),
        )

    def _regions(self, regions: RegionsOf) -> IndexTable | None:
        """Return regions of the mean map, or of every map where there is no mean."""
        import pandas as pd

        parts = []
        maps: list[Array] = [self.moments.mean] if self.average else list(self.kept)
        several = len(maps) > 1
        for place, values in enumerate(maps):
            for target, one in zip(self.targets, values, strict=True):
                frame = regions(one)
                if frame is None:
                    return None
                if len(self.targets) > 1:
                    frame.insert(0, "target", target)
                if several:
                    frame.insert(0, self.layout.key, self.subjects[place])
                parts.append(frame)
        return region_item(pd.concat(parts, ignore_index=True)) if parts else None


def some(names: Sequence[str], most: int = 4) -> str:
    """Return names as text, the first few."""
    quoted = ", ".join(f"'{name}'" for name in names[:most])
    return quoted + (f" and {len(names) - most} more" if len(names) > most else "")
