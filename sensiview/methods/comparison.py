"""Maps of the same inputs side by side: how alike they are, how broad, and which names what the network uses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.comparison_items import RANDOM
from sensiview.analysis.comparison_plan import (
    ComparisonParameters,
    check_target,
    compared_runs,
    comparison_evaluations,
)
from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.image_choice import as_selection
from sensiview.analysis.items import FieldMap
from sensiview.analysis.map_examples import image_study, volume_study
from sensiview.analysis.map_parameters import input_count, map_obstacles, own_shape, selected_count
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError
from sensiview.numerics.replacement import parse_fill

if TYPE_CHECKING:
    from collections.abc import Mapping


class Comparison(Analysis[ComparisonParameters]):
    """Compares two or more maps of the same images or volumes: likeness, sensitive area, deletion and insertion.

    It takes finished runs (Grad-CAM, saliency, integrated gradients, occlusion, sensitivity, maximised activations,
    masks) and looks at the inputs that all of them have a map of. `similarity` has Spearman's rank correlation and the
    overlap of the highest parts for each pair, `rank_correlations` the same as a matrix. `area` is the share of the
    input where a map reaches half of its maximum: how broad it is. `deletion` and `insertion` watch the score while
    parts are replaced (put in) in each map's order, beside random orders; `auc` has the areas under these curves.
    `maps` shows all of them on one scale, `differences` each pair. Everything is told per input and as a mean with its
    spread and 95 % interval.

    That two maps agree does not make them right: both may show edges. A smooth map and a noisy one correlate little
    even where they point at the same thing; the overlap of their highest parts, or maps of one smoothness, say more.
    Deletion depends on what is put in, and it favours the method that replaces parts itself (occlusion). Maps of zeros
    have no ranks and are left out. The intervals are over inputs, which is why one input has none.

    References
    ----------
    Petsiuk, Das, Saenko (2018). RISE: Randomized Input Sampling for Explanation. BMVC. arXiv:1806.07421.
    Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim (2018). Sanity Checks for Saliency Maps. NeurIPS. arXiv:1810.03292.
    """

    key = "comparison"
    title = "Comparison of maps"
    rank = 180
    accepts = ("images", "volumes")
    Parameters = ComparisonParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes or images, no network for them, or no finished run."""
        found = super().obstacles(study) or map_obstacles(study)
        if not found and not study.runs:
            found = [
                "There is no finished run with maps yet. Run two methods first, Grad-CAM and occlusion for instance."
            ]
        return found

    def problems(self, study: Study, parameters: ComparisonParameters) -> list[str]:
        """Return sentences about the runs, the class, the inputs and the fill."""
        found: list[str] = []
        if study.dataset is None or study.model is None:
            return found
        for check in (compared_runs, check_target, input_count, _check_fill):
            try:
                check(study, parameters)
            except UserError as error:
                found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: ComparisonParameters) -> Cost:
        """Return the evaluations of the curves; memory for the maps and a batch."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            evaluations = comparison_evaluations(study, parameters)
        except UserError:
            return Cost(0, 0)
        own = math.prod(own_shape(study))
        maps = 40 * max(2, len(parameters.runs)) * parameters.most * own
        batch = parameters.rows_at_once(study) or 8
        peak = maps + batch * max(1, study.model.bytes_per_row)
        return Cost(evaluations, peak, note="Runs with maps of several blocks or classes take more.")

    def run(self, study: Study, parameters: ComparisonParameters, progress: Progress) -> Result:
        """Read the maps, compare them pair by pair, then watch the score."""
        from sensiview.analysis.comparison_run import ComparisonRun

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return ComparisonRun(study, parameters, progress).result()

    def example(self) -> Example[ComparisonParameters]:
        """Return a map of the square that the network looks for, one of noise, and one of the image's border."""
        from sensiview.numerics.example_images import PLANTED

        return _example(image_study(), PLANTED, "bright", images="class=bright")

    def examples(self) -> tuple[Example[ComparisonParameters], ...]:
        """Return the images, and two small volumes with a map of the bright box and one of noise."""
        from sensiview.numerics.example_volumes import PLANTED

        return self.example(), _example(
            volume_study(), PLANTED, "AD", subjects="diagnosis=AD", atlas="none", values="absolute"
        )


def _check_fill(study: Study, parameters: ComparisonParameters) -> None:
    if parse_fill(parameters.fill)[0] != "controls" or study.dataset is None:
        return
    if not parameters.controls and parameters.controls != 0:
        raise UserError("Name the controls whose mean is put in, for example diagnosis=CN.")
    selected_count(study.dataset, as_selection(parameters.controls))


def _example(study: Study, planted: tuple[slice, ...], target: str, **choice: Any) -> Example[ComparisonParameters]:
    """Return a study with two finished runs: one marks what was planted, the other is noise."""
    from dataclasses import replace

    assert study.dataset is not None
    names = tuple(study.dataset.extra["names"])
    images = study.dataset.kind == "images"
    key, axes, side = ("image", ("y", "x"), 16) if images else ("subject", ("z", "y", "x"), 12)
    shape = (side,) * len(axes)
    right = np.zeros((len(names), *shape))
    right[(slice(None), *planted)] = 1.0
    right += 1e-3 * np.random.default_rng(1).random(right.shape)
    noise = np.random.default_rng(2).normal(size=right.shape)
    runs = {
        name: _finished(name, values if images else values.swapaxes(1, 3), key, names, axes, study, target)
        for name, values in (("planted", right), ("noise", noise))
    }
    chosen = ComparisonParameters(runs=list(runs), steps=4, cell=4, orders=3, **choice)
    return Example(replace(study, runs=runs), chosen)


def _finished(
    name: str,
    values: NDArray[np.float64],
    key: str,
    names: tuple[str, ...],
    axes: tuple[str, ...],
    study: Study,
    target: str,
) -> Finished:
    place: Mapping[str, Any] = {} if len(axes) == 2 else {"affine": np.eye(4)}
    item = FieldMap(
        title=name,
        description=f"The map of the run {name!r}.",
        values=values,
        axes=(key, *axes),
        signed=name != RANDOM,
        coordinates={key: names},
        **place,
    )
    return Finished(
        id=name,
        result=lambda: Result({"map": item}),
        name=name,
        analysis="saliency",
        parameters={"target": target},
        dataset=study.dataset,
        model=study.model,
    )
