"""Masks that a network's decision rests on, found by optimisation."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Array, Item, Note
from sensiview.analysis.mask_following import MaskFollower
from sensiview.analysis.mask_parameters import MaskParameters
from sensiview.analysis.mask_study import (
    MaskStudy,
    mask_cost,
    mask_obstacles,
    mask_problems,
    open_masks,
    schedule_of,
)
from sensiview.analysis.parameters import parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError

if TYPE_CHECKING:
    from sensiview.numerics.mask_run import MaskRun, Masks
    from sensiview.numerics.mask_terms import Weights

_NAMED_REGIONS = 5
# How far the weights are lowered while the mask explains nothing, and how often at most.
_RELAXED = 10**0.5
_RELAXATIONS = 6
# A mask that covers more than this is not made to cover still more.
_MUCH = 0.1


class MaskOptimizationParameters(MaskParameters):
    """The two weights of the mask's terms, and what all analyses of masks have."""

    lambda_1: float = parameter(
        100.0,
        label="Area weight λ1",
        help="Larger values give smaller masks. Of the mean over the voxels that may be masked, unless the terms are "
        "sums.",
        ge=0,
        le=1e9,
    )
    lambda_2: float = parameter(
        10.0, label="Smoothness weight λ2", help="Larger values give smoother, more connected masks.", ge=0, le=1e9
    )
    relax: bool = parameter(
        True,
        label="Lower the weights where needed",
        help="While the masked inputs stay of their class and the mask covers less than a tenth, both weights are "
        "divided by √10 and the search goes on from that mask, up to six times. Off: exactly these weights.",
        advanced=True,
    )


class MaskOptimization(Analysis[MaskOptimizationParameters]):
    """Finds the smallest smooth mask that takes the network's decision away: the regions that it rests on.

    A mask m between 0 and 1 blends the input X with a fill F: m X + (1 - m) F. With F = 1 lost grey matter becomes
    healthy. The mask is sought that makes the score of the true class fall while it covers little (λ1 times the mean
    of |1 - m|^β1) in connected parts (λ2 times the mean of |grad m|^β2). Where the mask is near 0 the network found
    what it needed for that class. One mask for a group of patients shows what they have in common for the network; one
    mask for each shows the individual. The table of regions says how much of each region is masked (`density`) and
    where the mask lies (`share_of_map`); `probability` says whether it did what it should: a mask that leaves the
    probability high explains little.

    The score is the log-odds, as a probability near 1 has no gradient; below the probability `enough` (0.01) it counts
    as gone, so that the mask does not grow without end over voxels of the least effect. With `enough` 0 it is the
    plain log-odds. The terms are means over the voxels that may be masked, so that λ keeps its meaning from one grid to
    another; with `normalisation` sum they are the printed formula, and λ must be smaller by the number of those voxels.
    λ1 = 100 and λ2 = 10 came out of trials on ten simulated cohorts of grey-matter maps, each with a loss in another
    region; with three times as much a planted region led the table as well. What a voxel gains differs from network to
    network: while the masked inputs stay of their class, both weights are lowered step by step (`relax`), and the run
    says to what. When a mask covers a fifth of the brain, raise λ1 by a factor of ten.

    It misleads in four ways. The fill is part of the question: other fills give other masks, and a filled input may be
    unlike any that the network was trained on. Of two regions that tell the same, one may be enough: where hippocampi
    shrink on both sides, the smallest mask can lie on one. A group's mask may combine regions of which each subject
    needs only one. What is left out was not needed once the rest was masked; it may still carry the same information.
    And a network trained anew may rest on other regions (see `mask_robustness`): the mask explains this network, not
    the disease.

    The mask lives on a coarser grid (every third voxel, but at most 9 mm) with linear interpolation; details below
    that size are not to be read. A spacing of 1 is the full resolution.

    References
    ----------
    Fong, Vedaldi (2017). Interpretable explanations of black boxes by meaningful perturbation. ICCV, 3449-3457.
    Thibeau-Sutre, Colliot, Dormont, Burgos (2020). Visualization approach to assess the robustness of neural networks
    for medical image classification. SPIE Medical Imaging 11313 (3-D, groups, fill 1).
    Kingma, Ba (2015). Adam: a method for stochastic optimization. ICLR.
    """

    key = "mask_optimization"
    title = "Optimised mask"
    revision = 2
    rank = 40
    accepts = ("volumes",)
    Parameters = MaskOptimizationParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return what the contract asks, and that a network of volumes of this size is needed."""
        return super().obstacles(study) + mask_obstacles(study)

    def problems(self, study: Study, parameters: MaskOptimizationParameters) -> list[str]:
        """Return sentences on subjects, classes, fill and region."""
        return mask_problems(study, parameters)

    def cost(self, study: Study, parameters: MaskOptimizationParameters) -> Cost:
        """Return subjects times steps, at most, and the peak of the backward pass."""
        return mask_cost(study, parameters, cells=1)

    def run(self, study: Study, parameters: MaskOptimizationParameters, progress: Progress) -> Result:
        """Open, optimise, describe. Goes on after the last step that was kept."""
        from sensiview.numerics.mask_run import MaskRun
        from sensiview.numerics.mask_terms import Weights

        began = time.monotonic()
        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        opened = open_masks(study, parameters, progress, progress.advance)
        cells = [
            Weights(
                parameters.lambda_1 * factor,
                parameters.lambda_2 * factor,
                parameters.beta_1,
                parameters.beta_2,
                parameters.normalisation,
            )
            for factor in (_RELAXED**-step for step in range(_RELAXATIONS + 1 if parameters.relax else 1))
        ]
        run = MaskRun(opened.problem, opened.grids, cells, schedule_of(parameters), warm_start=True, until=_explains)
        follower = MaskFollower(opened, run, progress)
        follower.restore()
        what = "Optimising the mask" if opened.problem.shared else "Optimising the masks"

        def begin(cell: int) -> None:
            count = len(opened.problem) * (parameters.steps + 1)
            progress.stage(f"{what}, λ1 = {cells[cell].lambda_1:.3g}" if cell else what, count)

        try:
            with opened.problem.inputs.differentiating():
                run.run(begin=begin, after_step=follower.step)
        except Stopped:
            with contextlib.suppress(Stopped):
                follower.keep()
            raise
        progress.stage("Describing the mask")
        with opened.problem.inputs.network.measuring():
            items = _items(opened, run, run.last, cells[run.cell - 1], progress)
        if run.cell > 1:
            progress.warn(
                f"With λ1 = {cells[0].lambda_1:g} the mask did not take the class away. Both weights were lowered: "
                f"λ1 = {cells[run.cell - 1].lambda_1:.3g}, λ2 = {cells[run.cell - 1].lambda_2:.3g}."
            )
        return Result(
            items,
            evaluations=opened.problem.evaluations,
            seconds=time.monotonic() - began,
            facts={
                "subjects": opened.names,
                "masked_voxels": int(opened.problem.region([0]).sum()),
                "steps_made": [int(n) for n in np.isfinite(run.last.trace[:, :, 0]).sum(axis=1) - 1],
                "best_step": [int(n) for n in run.last.best_step],
                "lambda_1": cells[run.cell - 1].lambda_1,
                "lambda_2": cells[run.cell - 1].lambda_2,
                "atlas": opened.atlas.name if opened.atlas else "",
            },
        )

    def example(self) -> Example[MaskOptimizationParameters]:
        """Return three patients with a known loss and a network that sees it."""
        from sensiview.numerics.mask_example import example_network, example_volumes

        volumes, network = example_volumes(), example_network()
        study = Study(
            dataset=volumes.card,
            model=network.card,
            device="cpu",
            volumes_loader=lambda: volumes,
            network_loader=example_network,
        )
        return Example(
            study, MaskOptimizationParameters(steps=30, tolerance=0.0, grid_spacing=2.0, lambda_1=30.0, lambda_2=3.0)
        )


def _explains(found: Masks, before: Array) -> bool:
    """Say whether masks took the class away, or cover so much that smaller weights would explain nothing better."""
    was, now = float(np.nanmean(before)), float(np.nanmean(found.after))
    return now <= 0.5 or was <= 0.5 or float(found.cover.mean()) > _MUCH  # half: the other class is as likely


def _items(opened: MaskStudy, run: MaskRun, found: Masks, weights: Weights, progress: Progress) -> dict[str, Item]:
    """Return the items of finished masks."""
    from sensiview.analysis import mask_items as made

    values = np.stack([made.whole_mask(opened, found.cover, i) for i in range(run.n_masks)])
    single = run.n_masks == 1
    several: dict[str, Any] = (
        {} if single else {"axes": ("subject", "z", "y", "x"), "coordinates": {"subject": tuple(opened.names)}}
    )
    if len(opened.names) == 1:
        several["over"] = opened.names[0]
    shown: Array = values[0] if single else values
    masked = made.masked_inputs(opened, values, tick=lambda: progress.advance(0))
    if single and not opened.problem.shared:
        masked = masked[0]
    frames, series = made.traces(opened, found.trace)
    items: dict[str, Item] = {
        "mask": made.mask_item(opened, shown, title="Mask" if single else "Masks", **several),
        "masked_input": made.masked_item(opened, masked, **several),
        "probability": made.probability_item(made.probability_frame(opened, run.before, found.after), ("subject",)),
        "trace": made.trace_item(frames, series),
    }
    densest: list[str] = []
    elsewhere = ""
    if opened.atlas is not None:
        labels = [{} if single else {"subject": name} for name in (opened.names if not single else [""])]
        tables = [made.regions_frame(opened, v, **label) for v, label in zip(values, labels, strict=True)]
        items["regions"] = made.regions_item(opened, tables, () if single else ("subject",))
        densest, elsewhere = made.densest(tables, _NAMED_REGIONS), made.elsewhere(tables)
    facts = {"lambda_1": weights.lambda_1, "regions": densest, "elsewhere": elsewhere}
    items["note"] = Note(
        title="What it says",
        text=" ".join(made.describe_masks(opened, found, run.before, values, facts)),
    )
    return items
