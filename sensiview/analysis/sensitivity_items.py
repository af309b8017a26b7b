"""Sensitivity maps of blocks as result items: single maps, cells, scales, and how sensitivity goes with depth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.image_choice import colour_names
from sensiview.analysis.items import Array, FieldMap, ImageSeries, IndexTable, Item

if TYPE_CHECKING:
    import pandas as pd


def exponent_of(largest: float) -> int | None:
    """Return the power of ten that a map's values are of: 10^exponent <= largest < 10^(exponent + 1); None for 0."""
    if not math.isfinite(largest) or largest <= 0:
        return None
    # The logarithm of a power of ten may lie a rounding below it.
    return math.floor(math.log10(largest) + 1e-12)


def pixelised(maps: Array, cell: int) -> Array:
    """Return means over cells of `cell` x `cell` pixels of the last two axes; cells at the end may be smaller."""
    height, width = maps.shape[-2:]
    rows, columns = (np.arange(0, size, cell) for size in (height, width))
    sums = np.add.reduceat(np.add.reduceat(maps.astype(np.float64), rows, axis=-2), columns, axis=-1)
    counts = np.outer(np.diff([*rows, height]), np.diff([*columns, width]))
    found: Array = (sums / counts).astype(np.float32)
    return found


@dataclass
class SensitivityMaps:
    """Takes the maps image by image, and makes items of them.

    Parameters
    ----------
    blocks : tuple of str
    shape : (int, int, int)
        Channels, height, width of what the network sees.
    cell : int
    unit : str
        Of the maps.
    keep : bool
        Whether single maps are kept.
    average : bool
        Whether the mean map is given.
    """

    blocks: tuple[str, ...]
    shape: tuple[int, int, int]
    cell: int
    unit: str
    keep: bool
    average: bool
    maps: list[Array] = field(default_factory=list)
    inputs: list[Array] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    strengths: list[Array] = field(default_factory=list)
    means: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.total = np.zeros((len(self.blocks), *self.shape))
        self.squares = np.zeros_like(self.total)
        self.pictures = np.zeros(self.shape)

    def add(self, name: str, maps: Array, seen: Array, strength: Array) -> None:
        """Take one image's maps (blocks, channels, y, x), what the network sees, and the blocks' norms."""
        self.names.append(name)
        self.strengths.append(strength)
        self.means.append(maps.mean(axis=(1, 2, 3), dtype=np.float64))
        self.total += maps
        self.squares += np.square(maps, dtype=np.float64)
        self.pictures += seen
        if self.keep:
            self.maps.append(maps)
            self.inputs.append(seen)

    @property
    def mean(self) -> Array:
        """The mean map, (blocks, channels, y, x), float64."""
        found: Array = self.total / max(1, len(self.names))
        return found

    def items(self, limits: tuple[float, float]) -> dict[str, Item]:
        """Return every item; `limits` is the range of the pixels."""
        items: dict[str, Item] = {}
        several = len(self.names) > 1
        if self.keep:
            values = np.stack(self.maps) if several else self.maps[0]
            over = "" if several else self.names[0]
            items["map"] = self._field(values, "Sensitivity of each block to each pixel", over, several=several)
            items["pixelised"] = self._cells(values, over, several=several)
        if self.average or not self.keep:
            over = f"mean of {len(self.names)} images"
            items["mean_map"] = self._field(self.mean.astype(np.float32), "Mean sensitivity", over)
            spread = np.sqrt(np.maximum(self.squares / len(self.names) - self.mean**2, 0))
            spread *= math.sqrt(len(self.names) / max(1, len(self.names) - 1))
            items["spread"] = self._field(
                spread.astype(np.float32),
                "Spread over the images",
                over,
                description="Standard deviation over the images: where it is as large as the mean, they disagree.",
            )
            if not self.keep:
                items["pixelised"] = self._cells(self.mean, over)
        items["depth_profile"] = self._profile()
        items["scale"] = self._scale()
        if self.keep:
            items["input"] = _pictures(np.stack(self.inputs), "What the network sees", self.names, limits)
        if self.average or not self.keep:
            mean = self.pictures[None] / len(self.names)
            items["mean_input"] = _pictures(mean, "Mean of what the network sees", ["mean"], limits)
        return items

    def cells_so_far(self) -> FieldMap:
        """Return the cells of the newest map, for a look while the run goes on; NaN where nothing is done yet."""
        return self._cells(self.maps[-1], self.names[-1])

    def _field(self, values: Array, title: str, over: str, *, several: bool = False, description: str = "") -> FieldMap:
        axes, labels = self._axes(several)
        return FieldMap(
            title=title,
            description=description
            or "Norm of the change of each block's output when one pixel changes in one colour: bright pixels matter.",
            values=values,
            axes=axes,
            unit=self.unit,
            over=over,
            coordinates=labels,
        )

    def _cells(self, values: Array, over: str, *, several: bool = False) -> FieldMap:
        axes, labels = self._axes(several)
        return FieldMap(
            title=f"Sensitivity in cells of {self.cell} x {self.cell} pixels",
            description="Means over cells of pixels, which are easier to compare than single pixels.",
            values=pixelised(values, self.cell),
            axes=axes,
            unit=self.unit,
            over=over,
            spacing=(float(self.cell), float(self.cell)),
            coordinates=labels,
        )

    def _axes(self, several: bool) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        labels = {"block": self.blocks, "channel": colour_names(self.shape[0])}
        if several:
            labels["image"] = tuple(self.names)
        return (*(("image",) if several else ()), "block", "channel", "y", "x"), labels

    def _scale(self) -> IndexTable:
        """Return block, channel, max, exponent of the mean map."""
        import pandas as pd

        cells = pixelised(self.mean, self.cell)
        rows = []
        for block, maps in zip(self.blocks, cells, strict=True):
            for channel, one in zip(colour_names(self.shape[0]), maps, strict=True):
                rows.append((block, channel, float(one.max()), exponent_of(float(one.max()))))
        frame = pd.DataFrame(rows, columns=["block", "channel", "max", "exponent"])
        frame["exponent"] = frame["exponent"].astype("Int64")
        return IndexTable(
            title="Scale of each map",
            description="Largest cell of the mean map, and its power of ten: what stands beside a map in a figure.",
            frame=frame,
            keys=("block", "channel"),
            values=("max",),
            units={"max": self.unit, "exponent": ""},
            plot="matrix",
        )

    def _profile(self) -> IndexTable:
        """Return block, mean, max, spread over the images, and the sensitivity relative to the block's own size."""
        frame = self.profile_frame()
        return IndexTable(
            title="Sensitivity by depth",
            description="Mean and largest sensitivity of each block, from the input on. `relative` is the mean as a "
            "share of the norm of what the block gives.",
            frame=frame,
            keys=("block",),
            values=("mean", "max", "relative"),
            units={"mean": self.unit, "max": self.unit, "std": self.unit, "norm": "", "relative": ""},
            plot="points",
        )

    def profile_frame(self) -> pd.DataFrame:
        """Return the depth profile as a table, blocks in order."""
        import pandas as pd

        means, strengths = np.stack(self.means), np.stack(self.strengths)
        norm = strengths.mean(axis=0)
        return pd.DataFrame(
            {
                "block": list(self.blocks),
                "mean": means.mean(axis=0),
                "max": self.mean.max(axis=(1, 2, 3)),
                "std": means.std(axis=0, ddof=1) if len(means) > 1 else np.zeros(len(self.blocks)),
                "norm": norm,
                "relative": np.divide(means.mean(axis=0), norm, out=np.full(len(norm), np.nan), where=norm > 0),
            }
        )


def _pictures(rows: Array, title: str, names: Sequence[str], limits: tuple[float, float]) -> ImageSeries:
    """Return seen images (n, channel, y, x) as pictures; uint8 where their range is [0, 1]."""
    moved = np.moveaxis(rows, 1, -1)
    if limits == (0.0, 1.0):
        values: Array = (np.clip(moved, 0, 1) * 255).round().astype(np.uint8)
    else:
        values = moved.astype(np.float32)
    return ImageSeries(
        title=title, description="Channels, size and cut as the network gets them.", values=values,
        labels=tuple(names), axis="image",
    )  # fmt: skip
