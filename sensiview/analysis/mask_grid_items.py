"""Result items of masks over a grid of weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import Array, ImageSeries, Item, Matrix, Note
from sensiview.analysis.mask_study import MaskStudy
from sensiview.analysis.progress import Progress

if TYPE_CHECKING:
    from sensiview.numerics.mask_run import MaskRun


@dataclass(frozen=True)
class GridOfWeights:
    """Values of both weights, and the cells (row of lambda_1, column of lambda_2) in the order they are computed.

    The order is a snake: every cell but the first has the one before it as a neighbour.
    """

    lambda_1: Sequence[float]
    lambda_2: Sequence[float]

    @property
    def cells(self) -> list[tuple[int, int]]:
        """Cells in order."""
        across = range(len(self.lambda_2))
        return [(i, j) for i in range(len(self.lambda_1)) for j in (across if i % 2 == 0 else reversed(across))]

    def label(self, cell: tuple[int, int]) -> str:
        """Return a cell's weights for people."""
        return f"λ1 = {self.lambda_1[cell[0]]:g}, λ2 = {self.lambda_2[cell[1]]:g}"


def mean_of_cell(opened: MaskStudy, run: MaskRun, cell: int) -> Array:
    """Return a cell's mask (i, j, k), the mean over subjects where each has its own."""
    from sensiview.analysis.mask_items import whole_mask

    cover = run.done[cell].cover
    return np.asarray(np.mean([whole_mask(opened, cover, i) for i in range(run.n_masks)], axis=0, dtype=np.float32))


def overview_item(
    opened: MaskStudy, pictures: Array, order: list[tuple[int, int]], weights: GridOfWeights
) -> ImageSeries:
    """Return pictures (cells, y, x, 3) of the cells in `order` as an item."""
    return ImageSeries(
        title="Masks by weights",
        description="Axial, coronal and sagittal slices through the place that is masked most over all cells; what is "
        "masked is red. The patient's right is on the left.",
        values=pictures,
        labels=tuple(weights.label(cell) for cell in order),
        axis="cell",
    )


def grid_items(opened: MaskStudy, run: MaskRun, weights: GridOfWeights, progress: Progress) -> dict[str, Item]:
    """Return the items of a finished grid: overview, masks, probabilities, traces, regions, similarity, words."""
    from sensiview.analysis import mask_items as made
    from sensiview.analysis.mask_pictures import overview
    from sensiview.numerics.mask_similarity import cosine_matrix, mean_mask
    from sensiview.numerics.regions import density_vector

    order = weights.cells
    first, second = ([f"{v:.12g}" for v in values] for values in (weights.lambda_1, weights.lambda_2))
    sorted_cells = sorted(range(len(order)), key=lambda n: order[n])
    single = run.n_masks == 1
    values = np.empty((len(first), len(second), run.n_masks, *opened.grid.shape), dtype=np.float32)
    probabilities, frames, regions = [], [], []
    series: tuple[str, ...] = ()
    for n in sorted_cells:
        i, j = order[n]
        progress.advance(0)
        labels: dict[str, Any] = {"lambda_1": first[i], "lambda_2": second[j]}
        for mask in range(run.n_masks):
            values[i, j, mask] = made.whole_mask(opened, run.done[n].cover, mask)
        probabilities.append(made.probability_frame(opened, run.before, run.done[n].after, **labels))
        more, series = made.traces(opened, run.done[n].trace, **labels)
        frames += more
        if opened.atlas is not None:
            regions.append(made.regions_frame(opened, mean_mask(values[i, j]), **labels))
    axes = ("lambda_1", "lambda_2", *(() if single else ("subject",)), "z", "y", "x")
    coordinates = {"lambda_1": tuple(first), "lambda_2": tuple(second)}
    coordinates |= {} if single else {"subject": tuple(opened.names)}
    means = [mean_mask(values[order[n]]) for n in sorted_cells]
    cells = [order[n] for n in sorted_cells]
    items: dict[str, Item] = {
        "overview": overview_item(opened, overview(opened, means), cells, weights),
        "masks": made.mask_item(
            opened, values[:, :, 0] if single else values, title="Masks", axes=axes, coordinates=coordinates
        ),
        "probability": made.probability_item(_joined(probabilities), ("lambda_1", "lambda_2", "subject")),
        "trace": made.trace_item(frames, series, "Traces"),
    }
    densities = [(1 - m).ravel() for m in means]
    over = "voxels"
    if opened.atlas is not None and opened.labels is not None:
        items["regions"] = made.regions_item(opened, regions, ("lambda_1", "lambda_2"))
        densities = [density_vector(m, opened.labels, kind="mask") for m in means]
        over = f"regions of {opened.atlas.name}"
    names = tuple(weights.label(cell) for cell in cells)
    similarity = cosine_matrix(densities)
    items["roi_similarity"] = Matrix(
        title="Similarity of the masks",
        description=f"Cosine of the mask densities over the {over}: 1 is the same pattern, 0 none in common.",
        values=similarity,
        rows=names,
        columns=names,
        row_axis="weights",
        column_axis="weights",
        value_name="cosine",
    )
    items["note"] = Note(title="What it says", text=" ".join(_words(opened, run, weights, similarity, values)))
    return items


def _joined(frames: Any) -> Any:
    import pandas as pd

    return pd.concat(frames, ignore_index=True)


def _words(opened: MaskStudy, run: MaskRun, weights: GridOfWeights, similarity: Array, values: Array) -> list[str]:
    """Return which cells do what they should, how alike they are, and which to take."""
    order = weights.cells
    region = float(np.mean([opened.problem.region([i]).sum().item() for i in range(run.n_masks)]))
    shares = {cell: float((1 - values[cell]).sum(axis=(-3, -2, -1)).mean() / region) for cell in order}
    after = {cell: float(np.mean(run.done[n].after)) for n, cell in enumerate(order)}
    before = float(np.mean(run.before))
    gone = [cell for cell in order if after[cell] < 0.5 * min(1.0, before)]
    words = [
        f"Without a mask the mean probability is {before:.3f}. Of {len(order)} masks {len(gone)} bring it below half "
        "of that."
    ]
    if gone:
        best = min(gone, key=lambda cell: shares[cell])
        words.append(
            f"The smallest of these, {weights.label(best)}, replaces {100 * shares[best]:.2g} % of what may be "
            f"masked and leaves {after[best]:.3f}."
        )
    else:
        words.append(f"All are too small: try λ1 below {min(weights.lambda_1):g}.")
    pairs = similarity[np.triu_indices(len(order), 1)]
    pairs = pairs[np.isfinite(pairs)]
    if len(pairs):
        words.append(f"Two masks have a similarity of {pairs.mean():.2f} in the mean, {pairs.min():.2f} at least.")
    empty = [cell for cell in order if shares[cell] < 1e-4]
    if empty:
        words.append(
            f"{len(empty)} masks are as good as empty; they are left out of comparisons where nothing is masked."
        )
    return words
