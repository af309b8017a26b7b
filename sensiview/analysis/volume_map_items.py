"""Maps of volumes as result items: single maps, their mean and spread, regions and scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.items import Array, FieldMap, IndexTable, Item
from sensiview.analysis.map_regions import region_item
from sensiview.analysis.volume_map_parameters import MOST_MAP_BYTES
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Grid
from sensiview.errors import UserError
from sensiview.models.card import ModelCard

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.numerics.volume_maps import FoundMaps


@dataclass(frozen=True)
class MapWords:
    """What a method calls its maps."""

    title: str
    description: str
    unit: str
    signed: bool


@dataclass
class MapCollection:
    """Takes the maps as they come, and makes items of them.

    Parameters
    ----------
    dataset, model : cards
    names : tuple of str
        Of all volumes of the cohort.
    grid : Grid
        Of all maps.
    targets : tuple of str
        Name of each map of a volume.
    average : bool
    count : int
        Volumes to come.
    """

    dataset: DatasetCard
    model: ModelCard
    names: tuple[str, ...]
    grid: Grid
    targets: tuple[str, ...]
    average: bool
    count: int
    kept: list[NDArray[np.float32]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        from sensiview.numerics.moments import Moments

        self.moments = Moments()
        voxels = int(np.prod(self.grid.shape))
        self.keep = 4 * self.count * len(self.targets) * voxels <= MOST_MAP_BYTES

    def add(self, found: FoundMaps) -> None:
        """Take the maps of some volumes."""
        column = "probability" if self.classifier else "value"
        for place, index in enumerate(found.indices):
            name, values = self.names[index], found.values[place]
            self.subjects.append(name)
            for target, probability in zip(found.targets[place], found.probability[place], strict=True):
                self.rows.append({"subject": name, "target": target.label, column: float(probability)})
            finite = bool(np.isfinite(values).all())
            if not finite:
                self.left_out.append(name)
            elif not values.any():
                self.empty.append(name)
            if self.keep:
                self.kept.append(values)
            if self.average and finite:
                self.moments.add(values[None].astype(np.float64))

    @property
    def classifier(self) -> bool:
        """Whether the network tells classes apart."""
        return self.model.emits != "value" or bool(self.model.class_names)

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
                f"The map is 0 everywhere for {some(self.empty)}: nothing in the volume moves this score this way."
            )
        if not self.keep:
            found.append("There are too many single maps to keep; only their average is.")
        return found

    def items(self, words: MapWords, regions: Callable[[NDArray[Any]], pd.DataFrame | None]) -> dict[str, Item]:
        """Return ``map``, ``mean_map`` and ``spread`` on demand, ``regions`` and ``scores``.

        Raises
        ------
        UserError
            There is an average to make and nothing finite to make it of.
        """
        import pandas as pd

        items: dict[str, Item] = {}
        if self.average:
            if not self.moments.count:
                raise UserError("No map is finite, so there is no average. Check the network and the volumes' values.")
            n = self.moments.count
            over = f"{self.dataset.name}, {n} subject{'' if n == 1 else 's'}"
            mean = self.moments.mean.astype(np.float32)
            items["mean_map"] = self._field(mean[None], words, f"Mean {words.title}", (over,), words.description)
            spread = self.moments.std if n > 1 else np.zeros_like(self.moments.mean)
            items["spread"] = self._field(
                spread.astype(np.float32)[None],
                MapWords(words.title, "", words.unit, signed=False),
                f"Spread of {words.title}",
                (over,),
                "Standard deviation over the subjects: where it is as large as the mean, the subjects disagree.",
            )
        if self.keep:
            items["map"] = self._field(np.stack(self.kept), words, words.title, tuple(self.subjects), words.description)
        if (table := self._regions(regions)) is not None:
            items["regions"] = table
        column = "probability" if self.classifier else "value"
        items["scores"] = IndexTable(
            title="Scores of the untouched volumes",
            description="What the network says of each volume, for the classes that the maps explain.",
            frame=pd.DataFrame(self.rows, columns=["subject", "target", column]),
            keys=("subject", "target"),
            values=(column,),
            units={column: ""},
            plot="points",
        )
        return items

    def _field(
        self, values: Array, words: MapWords, title: str, subjects: tuple[str, ...], description: str
    ) -> FieldMap:
        """Return maps (n, targets, i, j, k) as an item without axes of one."""
        from sensiview.numerics.volume_inputs import to_zyx

        axes: list[str] = []
        coordinates: dict[str, tuple[str, ...]] = {}
        if len(subjects) > 1:
            axes, coordinates["subject"] = ["subject"], subjects
        if len(self.targets) > 1:
            axes, coordinates["target"] = [*axes, "target"], self.targets
        shape = [len(coordinates[axis]) for axis in axes]
        return FieldMap(
            title=title,
            description=description,
            values=to_zyx(values.reshape(*shape, *self.grid.shape)),
            axes=(*axes, "z", "y", "x"),
            unit=words.unit,
            signed=words.signed,
            over=subjects[0] if len(subjects) == 1 else self.dataset.name,
            affine=self.grid.affine,
            coordinates=coordinates,
        )

    def _regions(self, regions: Callable[[NDArray[Any]], pd.DataFrame | None]) -> IndexTable | None:
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
                    frame.insert(0, "subject", self.subjects[place])
                parts.append(frame)
        return region_item(pd.concat(parts, ignore_index=True)) if parts else None


def some(names: Sequence[str], most: int = 4) -> str:
    """Return names as text, the first few."""
    quoted = ", ".join(f"'{name}'" for name in names[:most])
    return quoted + (f" and {len(names) - most} more" if len(names) > most else "")
