"""The closed set of result items: a new analysis needs no new view.

Every item names its axes and units, keeps only numpy, pandas and plain values, and is found by its kind
when it is drawn, written or read. Item names are keys of a `Result`, not part of the item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
# Unit of a field that is no map but an input as the network sees it: drawn in grey, over nothing.
INPUT_VALUE = "input value"
# Unit of a field that numbers the parts of an input, from 1; 0 belongs to none.
PART = "part"
# The unit of what such values were changed by.
INPUT_CHANGE = f"change of the {INPUT_VALUE}"


@dataclass(frozen=True)
class Remark:
    """A mark on one row of a table: ``includes_zero``, ``S1_above_ST``, ``n_too_small``, ..."""

    row: int
    column: str
    kind: str
    sentence: str


@dataclass(frozen=True)
class Interval:
    """The columns that hold the uncertainty of a value column."""

    half: str = ""  # half width of the normal interval, z * standard deviation
    low: str = ""  # percentile bounds
    high: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """What all items share.

    `title` is the plot's heading, `description` one or two sentences on how to read it.
    """

    kind: ClassVar[str] = ""
    title: str
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class IndexTable(Item):
    """Numbers per factor (and output): rows x columns, one row per combination of the `keys`.

    `plot` says how the numbers are drawn: ``bars`` (one bar per key row and value column), ``matrix``
    (the last two keys span it, the first value fills it), ``scatter`` (first value against second),
    ``screening`` (effects of factors: mu_star against sigma, in classes, linked to the parts of the input),
    ``points`` (one dot per row, grouped by the first key) or ``none``.
    """

    kind: ClassVar[str] = "index_table"
    frame: pd.DataFrame
    keys: tuple[str, ...]
    values: tuple[str, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    plot: Literal["bars", "matrix", "scatter", "screening", "points", "none"] = "bars"

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the table, columns named as in the method's definition."""
        return self.frame.copy()


@dataclass(frozen=True, kw_only=True)
class Curve(Item):
    """Lines over one axis, in long form: one row per (series..., x).

    `bands` maps a y column to the columns of its interval. `x_scale` ``log2`` for sample sizes.
    """

    kind: ClassVar[str] = "curve"
    frame: pd.DataFrame
    x: str
    y: tuple[str, ...]
    series: tuple[str, ...] = ()
    bands: Mapping[str, Interval] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    x_scale: Literal["linear", "log2", "log10"] = "linear"

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of the points in long form."""
        return self.frame.copy()


@dataclass(frozen=True, kw_only=True)
class Matrix(Item):
    """A labelled 2-D array, drawn as a heat map. `values` (rows, columns), float64."""

    kind: ClassVar[str] = "matrix"
    values: Array
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_axis: str = "row"
    column_axis: str = "column"
    value_name: str = "value"
    unit: str = ""
    signed: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Return rows x columns as a frame."""
        import pandas as pd

        return pd.DataFrame(
            self.values,
            index=pd.Index(self.rows, name=self.row_axis),
            columns=pd.Index(self.columns, name=self.column_axis),
        )


@dataclass(frozen=True, kw_only=True)
class FieldMap(Item):
    """An array over the input's grid: heat maps and volumes.

    `axes` names every axis of `values` in order (``("z", "y", "x")``, ``("image", "block", "channel", "y", "x")``);
    `coordinates` gives labels of axes that have them; `affine` (4 x 4, voxel to RAS millimetres) for volumes,
    `spacing` for images.
    """

    kind: ClassVar[str] = "field_map"
    values: Array
    axes: tuple[str, ...]
    unit: str = ""
    signed: bool = False
    over: str = ""
    affine: Array | None = None
    spacing: tuple[float, ...] | None = None
    coordinates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_xarray(self) -> xr.DataArray:
        """Return the values with named axes and the unit in the attributes."""
        import xarray as xr

        return xr.DataArray(
            self.values,
            dims=self.axes,
            coords={axis: list(labels) for axis, labels in self.coordinates.items()},
            attrs={"unit": self.unit, "long_name": self.title},
        )


@dataclass(frozen=True, kw_only=True)
class Mask(FieldMap):
    """A field in [0, 1]: 1 keeps the input, 0 replaces it."""

    kind: ClassVar[str] = "mask"


@dataclass(frozen=True, kw_only=True)
class ImageSeries(Item):
    """Pictures in order, ``(frame, y, x, channel)``, with a label each."""

    kind: ClassVar[str] = "image_series"
    values: Array
    labels: tuple[str, ...]
    axis: str = "frame"
    unit: str = ""

    def to_xarray(self) -> xr.DataArray:
        """Return the frames with named axes."""
        import xarray as xr

        return xr.DataArray(
            self.values,
            dims=(self.axis, "y", "x", "channel"),
            coords={self.axis: list(self.labels)},
            attrs={"unit": self.unit, "long_name": self.title},
        )


@dataclass(frozen=True, kw_only=True)
class Note(Item):
    """Sentences that belong to the result: a verdict, how much was left out, what to do next."""

    kind: ClassVar[str] = "note"
    text: str


ITEM_KINDS: Mapping[str, type[Item]] = {
    cls.kind: cls for cls in (IndexTable, Curve, Matrix, FieldMap, Mask, ImageSeries, Note)
}
