"""Does a screening name what the network uses? The parts that it ranks highest, and lowest, are taken away."""

from __future__ import annotations

from typing import Any

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.masking_plan import (
    MaskingParameters,
    part_count,
    planned_evaluations,
    run_kind,
    share_problem,
)
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.screened_examples import screened_study
from sensiview.analysis.screening_choice import choice_problems, known_runs
from sensiview.analysis.study import Study
from sensiview.errors import UserError


class MaskingValidation(Analysis[MaskingParameters]):
    """Masks the parts that a Morris screening ranks highest and lowest, and watches accuracy and score.

    It takes finished screenings, of any number of networks. Of each, the inputs that its network gets right are looked
    at. Their parts are masked one after the other (pixels become 0): the top 20 % of the ranking, the most important
    first; the bottom 20 %, the least important first; and as many in random orders. `curves` has accuracy, the change
    of the true class's score and that change as a share of the score at first, over the share of parts that are masked;
    `drops` what is lost at the end, beside random parts; `verdict` says whether the ranking beats chance. Rankings are
    by mu_star, by sigma, and by their plain sum, as in the source: both are in the output's unit. A local screening
    ranks the parts of every input by themselves; a global one has one ranking, and the same parts of all inputs are
    masked. The source found that masking the top 20 % costs half of the accuracy or more, the bottom 20 % hardly any.

    Columns of a table, and factors of a generator, are not masked but drawn anew, one after the other until all are:
    a column takes the value of another row, a factor any of its levels, all equally likely, many times per input. Here
    the two ends of a curve are alike, and what counts is how early it falls; `steps` has what each factor costs with
    the most important drawn first, and with the least important first.

    How it misleads: black (0) is not nothing for every network, and an image with black squares is unlike anything it
    was trained on, so that any mask hurts; this is what the random orders are for. Where parts differ in size, masking
    large ones hurts more. Parts that are empty already can't be masked and come last in a local ranking; equal ones are
    put in random order. That the top beats chance shows that the ranking finds what matters, not that it finds all of
    it: parts that stand in for each other have small effects one by one. Intervals are 95 % and resample inputs (and
    draws, and random orders); with a single input there is none.

    References
    ----------
    Beyond Pixels: A Sample Based Method for understanding the decisions of Neural Networks (MoSIP, 2021), submitted to
    ICLR 2022, sections 4 and 5, figures 3b, 4, 9, 10.
    Samek, Binder, Montavon, Lapuschkin, Müller (2017). Evaluating the visualization of what a deep neural network has
    learned. IEEE TNNLS 28, 2660-2673.
    """

    key = "masking_validation"
    title = "Masking validation"
    rank = 60
    accepts = ("images", "volumes", "table")
    needs_model = False
    Parameters = MaskingParameters

    def problems(self, study: Study, parameters: MaskingParameters) -> list[str]:
        """Return sentences about runs, networks and a share that is no part."""
        found = choice_problems(study, parameters)
        if not found and study.dataset is not None:
            for run in known_runs(study, parameters):
                kind, parts = run_kind(run, study), part_count(run, study)
                if "cells" in run.parameters and (
                    sentence := share_problem(parameters.share, parts, kind, run.name or run.id)
                ):
                    found.append(sentence)
        return found

    def cost(self, study: Study, parameters: MaskingParameters) -> Cost:
        """Return the rows that go through the networks; memory for batches and what is known of every input."""
        if study.dataset is None:
            return Cost(0, 1)
        rows = planned_evaluations(study, parameters)
        batch = parameters.rows_at_once(study) or 32
        models = [run.model for run in known_runs(study, parameters) if run.model is not None]
        heaviest = max((model.bytes_per_row for model in models), default=0)
        return Cost(rows, 1 + batch * heaviest + 16 * rows, note="At most: only inputs that are right are looked at.")

    def run(self, study: Study, parameters: MaskingParameters, progress: Progress) -> Result:
        """Read the rankings, open the networks, change the parts."""
        from sensiview.analysis.masking_run import MaskingRun

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return MaskingRun(study, parameters, progress).result()

    def example(self) -> Example[MaskingParameters]:
        """Return small images with a screening that finds the planted square."""
        return _example("images", share=0.25)

    def examples(self) -> tuple[Example[MaskingParameters], ...]:
        """Return images, volumes, and a table of three columns."""
        return self.example(), _example("volumes", share=0.15), _example("table", repeats=8)


def _example(kind: str, **chosen: Any) -> Example[MaskingParameters]:
    parameters = MaskingParameters(runs=["planted"], orders=3, resamples=50, **chosen)
    return Example(screened_study(kind), parameters)
