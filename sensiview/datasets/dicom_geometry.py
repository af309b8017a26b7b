"""Where the slices of one stack lie: their order, the distance between them, and the way from voxels to RAS mm.

Nothing is taken from file names or instance numbers. Slices are ordered by the projection of their positions on the
normal of the image plane; the third column of the affine is the vector from one slice to the next as the positions
give it. With a tilted gantry that vector is not the normal: the affine then has a shear and describes the scan
exactly, while resampling onto an orthogonal grid would change every value. nibabel writes such an affine as sform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sensiview.datasets.volume import Affine

Floats = npt.NDArray[np.float64]

# Share of the slice distance by which a slice may lie beside its place on the even grid.
_UNEVEN = 0.1
_SILENT = 0.02
# In-plane wobble, in pixels: told from here on, refused from there on.
_WOBBLE_TOLD, _WOBBLE_REFUSED = 0.1, 0.5
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Geometry:
    """A stack measured.

    Parameters
    ----------
    affine : ndarray
        (4, 4): (column, row, slice, 1) to RAS mm.
    order : tuple
        For each slice of the volume the place of the frame in what was measured; None where a slice is missing.
    duplicates : tuple
        (kept, left out) places of frames at one position.
    gaps : tuple
        (slices before the gap, mm, missing slices) for each gap of more than one distance.
    distance : float
        mm between neighbouring planes, along the normal.
    tilt : float
        Degrees between the normal and the direction in which the slices follow each other.
    uneven, wobble : float
        Largest distance in mm between a position and its place on the even grid, along the normal and in the plane.
    problem : str
        Why this is no volume; empty when it is one.
    """

    affine: Affine
    order: tuple[int | None, ...]
    duplicates: tuple[tuple[int, int], ...] = ()
    gaps: tuple[tuple[int, float, int], ...] = ()
    distance: float = 0.0
    tilt: float = 0.0
    uneven: float = 0.0
    wobble: float = 0.0
    problem: str = ""

    @property
    def told_uneven(self) -> bool:
        """Say whether the slices are unevenly spaced by more than rounding."""
        return self.uneven > _SILENT * self.distance

    def told_wobble(self, spacing: Sequence[float]) -> bool:
        """Say whether slices are shifted in their plane by more than rounding."""
        return self.wobble > _WOBBLE_TOLD * min(spacing)


def axes_of(orientation: Sequence[float]) -> Floats | None:
    """Return the unit vectors along a row and along a column (2, 3), LPS; None when they are no right angle."""
    axes = np.asarray(orientation, dtype=np.float64).reshape(2, 3)
    if not (np.abs(axes) <= 1.01).all():
        return None
    lengths = np.linalg.norm(axes, axis=1)
    if (np.abs(lengths - 1) > 0.01).any():
        return None
    axes = axes / lengths[:, None]
    return axes if abs(float(axes[0] @ axes[1])) < 0.01 else None


def projections(positions: Floats, axes: Floats) -> Floats:
    """Return how far each position (n, 3) lies along the normal, mm."""
    normal = np.cross(axes[0], axes[1])
    along: Floats = positions @ (normal / np.linalg.norm(normal))
    return along


def same_place(spacing: Sequence[float]) -> float:
    """Return the distance in mm below which two positions are one."""
    return max(1e-4, min(0.01, 0.05 * min(spacing)))


def measure(positions: Floats, axes: Floats, spacing: Sequence[float], between: float | None) -> Geometry:
    """Measure a stack.

    Parameters
    ----------
    positions : ndarray
        (n, 3), LPS mm, in any order.
    axes : ndarray
        (2, 3), from `axes_of`.
    spacing : sequence of two float
        mm between rows and between columns.
    between : float, optional
        Distance to use for a single slice.
    """
    along = projections(positions, axes)
    order = np.argsort(along, kind="stable")
    kept, duplicates = _without_duplicates(order, along, same_place(spacing))
    apart = [float(np.linalg.norm(positions[one] - positions[other])) for one, other in duplicates]
    if apart and max(apart) > _WOBBLE_REFUSED * min(spacing):
        problem = (
            f"Several of its slices lie side by side in one plane, up to {max(apart):.1f} mm apart, so that they don't "
            "form one block. They may belong to several acquisitions; export them one by one."
        )
        return Geometry(np.eye(4), tuple(kept), (), distance=between or 1.0, problem=problem)
    sorted_positions, sorted_along = positions[kept], along[kept]
    normal = np.cross(axes[0], axes[1])
    normal = normal / np.linalg.norm(normal)
    if len(kept) == 1:
        step = normal * (between or 1.0)
        affine = _affine(sorted_positions[0], axes, spacing, step)
        return Geometry(affine, (kept[0],), duplicates, distance=between or 1.0)

    gaps = np.diff(sorted_along)
    places = _steps(sorted_along)
    if places is None:
        low, high = float(gaps.min()), float(gaps.max())
        problem = (
            f"Its slices are unevenly spaced, {low:.2f} to {high:.2f} mm apart; a volume needs one distance. Export "
            "the series again with even spacing, or choose the part that is evenly spaced."
        )
        return Geometry(np.eye(4), tuple(kept), duplicates, distance=float(np.median(gaps)), problem=problem)
    origin, step = _line(places, sorted_positions)
    off = sorted_positions - (origin + places[:, None] * step)
    across = np.abs(off @ normal)
    inside = np.linalg.norm(off - np.outer(off @ normal, normal), axis=1)
    distance = float(step @ normal)
    wobble = float(inside.max())
    problem = ""
    if wobble > _WOBBLE_REFUSED * min(spacing):
        problem = (
            f"Its slices are shifted against each other in their plane by up to {wobble:.2f} mm, and not evenly, so "
            "that they don't form one block. They may belong to several acquisitions; export them one by one."
        )
    full: list[int | None] = [None] * (int(places[-1]) + 1)
    for place, frame in zip(places.tolist(), kept, strict=True):
        full[place] = frame
    return Geometry(
        affine=_affine(origin, axes, spacing, step),
        order=tuple(full),
        duplicates=duplicates,
        gaps=tuple((i + 1, float(gaps[i]), int(n) - 1) for i, n in enumerate(np.diff(places)) if n > 1),
        distance=distance,
        tilt=float(np.degrees(np.arccos(np.clip(distance / np.linalg.norm(step), -1, 1)))),
        uneven=float(across.max()),
        wobble=wobble,
        problem=problem,
    )


def _without_duplicates(
    order: npt.NDArray[np.int64], along: Floats, near: float
) -> tuple[list[int], tuple[tuple[int, int], ...]]:
    kept: list[int] = []
    duplicates: list[tuple[int, int]] = []
    run: list[int] = []
    for frame in [*order.tolist(), -1]:
        if frame >= 0 and run and along[frame] - along[run[0]] <= near:
            run.append(frame)
            continue
        if run:  # of frames at one position the one that came first in the series stays
            first = min(run)
            kept.append(first)
            duplicates += [(first, other) for other in sorted(run) if other != first]
        run = [frame]
    return kept, tuple(duplicates)


def _steps(along: Floats) -> npt.NDArray[np.int64] | None:
    """Return the place of each slice (ascending mm along the normal) on an even grid; None when they fit on none.

    The distance is the usual gap, or the smallest one where the usual gap has slices missing in it.
    """
    gaps = np.diff(along)
    for distance in (float(np.median(gaps)), float(gaps.min())):
        steps = np.rint(gaps / distance).astype(np.int64)
        if (steps < 1).any() or int((steps - 1).sum()) > len(along):
            continue
        places = np.concatenate([[0], np.cumsum(steps)])
        origin, step = _line(places, along[:, None])
        if np.abs(along - origin - places * step).max() <= _UNEVEN * float(step[0]):
            return places
    return None


def _line(places: npt.NDArray[np.int64], positions: Floats) -> tuple[Floats, Floats]:
    """Return origin and step of the straight line nearest to the positions (least squares)."""
    centre = places.mean()
    middle = positions.mean(axis=0)
    offsets = places - centre
    step: Floats = (offsets @ (positions - middle)) / float(offsets @ offsets)
    origin: Floats = middle - centre * step
    return origin, step


def _affine(origin: Floats, axes: Floats, spacing: Sequence[float], step: Floats) -> Affine:
    lps = np.eye(4)
    lps[:3, 0] = axes[0] * spacing[1]  # along a row the column index rises: distance between columns
    lps[:3, 1] = axes[1] * spacing[0]
    lps[:3, 2] = step
    lps[:3, 3] = origin
    affine: Affine = _LPS_TO_RAS @ lps
    return affine + 0.0  # no negative zeros
