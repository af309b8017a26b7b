"""Lengths, angles and statistics of what the tools drew."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensiview.gui.number_text import short, with_unit_behind
from sensiview.gui.viewer.compositing import in_plane
from sensiview.gui.viewer.scene import DisplayGrid, Layer, Measurement, Millimetres, Scene


@dataclass(frozen=True)
class RegionStatistics:
    """Values of the voxels whose centres lie in a region of one slice.

    `mean`, `deviation` (of a sample, n - 1), `least` and `most` are in the layer's unit and NaN where there is no
    finite voxel; `area` is in mm2 and `volume`, one slice thick, in mm3.
    """

    count: int
    mean: float
    deviation: float
    least: float
    most: float
    area: float
    volume: float


def length_mm(points: tuple[Millimetres, ...]) -> float:
    """Return the distance of the first two points."""
    return math.dist(points[0], points[1])


def angle_degrees(points: tuple[Millimetres, ...]) -> float:
    """Return the angle at the second of three points, 0 to 180; NaN where two of them coincide."""
    arms = np.array([points[0], points[2]]) - np.array(points[1])
    lengths = np.linalg.norm(arms, axis=1)
    if not lengths.all():
        return float("nan")
    # atan2 keeps its digits near 0 and 180 degrees, where the arc cosine loses them.
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(*arms))), float(arms[0] @ arms[1])))


def region_mask(measurement: Measurement, grid: DisplayGrid) -> tuple[int, npt.NDArray[np.bool_]]:
    """Return the slice, and which of its voxels lie inside: bool over the two other axes, in their order."""
    across, up = in_plane(measurement.axis)
    index = grid.voxel(measurement.points[0])[measurement.axis]
    inside = []
    for axis in (across, up):
        ends = sorted(point[axis] for point in measurement.points[:2])
        centres = grid.origin[axis] + np.arange(grid.shape[axis]) * grid.spacing[axis]
        half = (ends[1] - ends[0]) / 2
        inside.append((centres - (ends[0] + ends[1]) / 2) / half if half > 0 else np.full(len(centres), np.inf))
    first, second = inside[0][:, None], inside[1][None, :]
    if measurement.kind == "ellipse":
        return index, first**2 + second**2 <= 1
    return index, (np.abs(first) <= 1) & (np.abs(second) <= 1)


def region_statistics(measurement: Measurement, layer: Layer, grid: DisplayGrid) -> RegionStatistics:
    """Return what lies in an ellipse or rectangle; voxels that are not finite do not count."""
    across, up = in_plane(measurement.axis)
    index, mask = region_mask(measurement, grid)
    values = np.empty(0)
    if 0 <= index < grid.shape[measurement.axis]:
        part = np.asarray(layer.array.take(index, measurement.axis))[mask].astype(np.float64)
        values = part[np.isfinite(part)] * layer.slope + layer.intercept
    n = int(values.size)
    area = n * grid.spacing[across] * grid.spacing[up]
    nothing = float("nan")
    return RegionStatistics(
        count=n,
        mean=float(values.mean()) if n else nothing,
        deviation=float(values.std(ddof=1)) if n > 1 else nothing,
        least=float(values.min()) if n else nothing,
        most=float(values.max()) if n else nothing,
        area=area,
        volume=area * grid.spacing[measurement.axis],
    )


def label(measurement: Measurement, scene: Scene) -> str:
    """Return what is written beside a measurement: mm, degrees, or mean and deviation of the active layer."""
    if measurement.kind == "length":
        text = f"{length_mm(measurement.points):.1f} mm"
    elif measurement.kind == "angle":
        text = f"{angle_degrees(measurement.points):.1f}°"
    else:
        layer = scene.active
        if layer is None:
            return measurement.text
        found = region_statistics(measurement, layer, scene.grid)
        mean = with_unit_behind(f"{short(found.mean)} ± {short(found.deviation, 3)}", layer.unit)
        text = f"{mean}\n{short(found.area)} mm² · {short(found.volume)} mm³"
    return f"{text}\n{measurement.text}" if measurement.text else text
