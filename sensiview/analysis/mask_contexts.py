"""Finished runs of masks as contexts: each mask with what it was found with, on one grid."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sensiview.analysis.items import Array, FieldMap
from sensiview.analysis.study import Finished
from sensiview.errors import DataError, UserError
from sensiview.numerics.mask_similarity import Context, mean_mask, on_grid, unique_labels

SINGLE, GRID = "mask_optimization", "lambda_grid"
# Where a mask was found and how long it was sought make no other kind of mask.
_NOT_SETTINGS = (
    "lambda_1",
    "lambda_2",
    "subjects",
    "atlas",
    "batch_size",
    "warm_start",
    "tolerance",
    "steps",
)
_LEAST_OVERLAP = 0.5


@dataclass(frozen=True, eq=False)
class MaskContext:
    """A mask and where it comes from.

    Parameters
    ----------
    context : Context
    run : Finished
    mask : ndarray
        (i, j, k), float64: 1 keeps; the mean where every subject has its own.
    own : mapping of str to ndarray
        Masks of single subjects by name, where there are.
    """

    context: Context
    run: Finished
    mask: Array
    own: Mapping[str, Array]


def run_problems(runs: Sequence[str], finished: Mapping[str, Finished]) -> list[str]:
    """Return sentences about runs that can't be compared: none, unknown, or of another kind."""
    if not runs:
        return ["Choose finished runs of 'Optimised mask' or 'Masks over a grid of weights' to compare."]
    found = []
    for run in runs:
        if run not in finished:
            known = ", ".join(finished) or "none"
            found.append(f"There is no finished run '{run}'. Finished runs: {known}.")
        elif finished[run].analysis and finished[run].analysis not in (SINGLE, GRID):
            found.append(
                f"The run '{finished[run].name or run}' has no masks; it is one of '{finished[run].analysis}'. Choose "
                "runs of optimised masks."
            )
    return found


def count_contexts(run: Finished) -> int:
    """Return how many masks a run gives, from its parameters alone."""
    parameters = run.parameters
    counts = [len(v) if isinstance(v := parameters.get(name), list) else 1 for name in ("lambda_1", "lambda_2")]
    return max(1, counts[0] * counts[1])


def read_contexts(runs: Sequence[Finished], warn: Callable[[str], None]) -> tuple[list[MaskContext], Array]:
    """Return the contexts of runs, on the grid of the first mask, and its affine.

    A mask of another grid is brought onto it (linear in between) and `warn` is told.

    Raises
    ------
    UserError
        A run has no mask.
    DataError
        A mask lies elsewhere than the first one.
    """
    raw: list[tuple[Context, Finished, Array, dict[str, Array], Array]] = []
    for run in runs:
        raw += _of_run(run)
    labels = unique_labels([context.label for context, *_ in raw], [run.id for _, run, *_ in raw])
    first, affine = raw[0][2], raw[0][4]
    contexts = []
    for label, (context, run, mask, own, its_affine) in zip(labels, raw, strict=True):
        if mask.shape != first.shape or np.abs(its_affine - affine).max() > 1e-3:
            _demand_overlap(mask.shape, its_affine, first.shape, affine, label, labels[0])
            warn(f"The mask of '{label}' lies on another grid than that of '{labels[0]}'; it is interpolated.")
            mask = on_grid(mask, its_affine, first.shape, affine)
            own = {name: on_grid(one, its_affine, first.shape, affine) for name, one in own.items()}
        contexts.append(MaskContext(Context(**{**context.__dict__, "label": label}), run, mask, own))
    return contexts, affine


def _of_run(run: Finished) -> list[tuple[Context, Finished, Array, dict[str, Array], Array]]:
    result = run.result()
    items = result.items_by_name
    item = items.get("masks") if run.analysis == GRID or "masks" in items else items.get("mask")
    if not isinstance(item, FieldMap) or item.affine is None or item.axes[-3:] != ("z", "y", "x"):
        raise UserError(f"The run '{run.name or run.id}' has no mask of a volume. Choose a run of optimised masks.")
    values = np.asarray(item.values, dtype=np.float64).swapaxes(-1, -3)
    affine = np.asarray(item.affine, dtype=np.float64)
    subjects = item.coordinates.get("subject", ())
    found = []
    for labels, part in _cells(item, values):
        own = {name: part[i] for i, name in enumerate(subjects)} if "subject" in item.axes else {}
        weights = {
            name: float(labels.get(name, run.parameters.get(name, 0.0) or 0.0)) for name in ("lambda_1", "lambda_2")
        }
        found.append((_context(run, weights, bool(labels)), run, mean_mask(part), own, affine))
    return found


def _cells(item: FieldMap, values: Array) -> list[tuple[dict[str, str], Array]]:
    if item.axes[:2] != ("lambda_1", "lambda_2"):
        return [({}, values)]
    first, second = (item.coordinates[axis] for axis in ("lambda_1", "lambda_2"))
    return [
        ({"lambda_1": one, "lambda_2": other}, values[i, j])
        for i, one in enumerate(first)
        for j, other in enumerate(second)
    ]


def _context(run: Finished, weights: Mapping[str, float], of_grid: bool) -> Context:
    training = dict(run.model.training) if run.model else {}
    fold, training_run = training.get("fold"), training.get("run")
    network = run.model.name if run.model else run.id
    name = run.name or run.id
    label = f"{name}, λ1 = {weights['lambda_1']:g}, λ2 = {weights['lambda_2']:g}" if of_grid else name
    settings = {key: value for key, value in run.parameters.items() if key not in _NOT_SETTINGS}
    return Context(
        label=label,
        source=run.id,
        network=json.dumps([network, fold, training_run, training.get("seed")], ensure_ascii=False),
        architecture=run.model.architecture if run.model else "",
        fold=fold,
        training_run=training_run,
        lambda_1=weights["lambda_1"],
        lambda_2=weights["lambda_2"],
        settings=json.dumps(settings, sort_keys=True, default=str),
        seed=run.seed,
    )


def _demand_overlap(
    shape: Sequence[int], affine: Array, first_shape: Sequence[int], first_affine: Array, label: str, first: str
) -> None:
    """Refuse a mask less than half of whose voxels lie within the other grid."""
    places = np.stack(np.meshgrid(*[np.linspace(0, n - 1, 12) for n in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    there = np.linalg.inv(first_affine) @ affine
    moved = places @ there[:3, :3].T + there[:3, 3]
    inside = ((moved >= -0.5) & (moved <= np.array(first_shape) - 0.5)).all(axis=1).mean()
    if inside < _LEAST_OVERLAP:
        raise DataError(
            f"The mask of '{label}' lies elsewhere than that of '{first}': {100 * inside:.0f} % of it is within the "
            "other's grid. Compare masks of volumes in one space."
        )
