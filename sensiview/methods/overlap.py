"""Do networks look at the same parts of their inputs? The top parts of each, held against those of a reference."""

from __future__ import annotations

from typing import Any

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.masking_plan import inputs_of, part_count
from sensiview.analysis.overlap_plan import OverlapParameters, chosen_reference
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.screened_examples import screened_study
from sensiview.analysis.screening_choice import choice_problems, known_runs
from sensiview.analysis.screening_runs import named_runs
from sensiview.analysis.study import Study
from sensiview.errors import UserError


class Overlap(Analysis[OverlapParameters]):
    """Compares which parts matter most to several networks: overlap with a reference, beside chance.

    It takes finished Morris screenings of the same inputs and parts, one per network. `overlap` is the share of a
    network's top 20 % of parts that are also among the reference's top 20 %, or touch one of those (corners included),
    input by input, as a mean with its 95 % interval; by mu_star, by sigma and by their sum. `random` is what as many
    parts chosen by chance would reach, which is a lot: 13 of 64 cells and their neighbours cover most of a grid. Above
    its interval, the networks agree. `other_inputs` is the overlap with the reference's top parts for *other* inputs:
    where it is as high, both look at the same place (the middle) whatever is there. `sensitivity` has the mean mu_star
    and sigma of a network's top parts inside and outside the overlap, and of the reference at the parts inside;
    `overlaps` the overlap of all pairs of networks. The source found that 80 % and more of the top parts of VGG-16,
    Inception-v3 and ResNet-50 overlap with AlexNet's, with higher mu_star and sigma inside.

    How it misleads: the overlap alone says little without the two controls. mu_star and sigma are in the unit of each
    network's output: logits of two networks have different scales, probabilities have one. Equal parts are ordered by
    chance. Columns of a table, channels and factors of a generator have no neighbours. Intervals resample inputs; one
    input, or one ranking for all of them, has none.

    References
    ----------
    Beyond Pixels: A Sample Based Method for understanding the decisions of Neural Networks (MoSIP, 2021), submitted to
    ICLR 2022, section 5, figure 5.
    """

    key = "overlap"
    title = "Overlap of important parts"
    rank = 61
    accepts = ("images", "volumes", "table")
    needs_model = False
    Parameters = OverlapParameters

    def problems(self, study: Study, parameters: OverlapParameters) -> list[str]:
        """Return sentences about the runs, of which there must be two, and the reference among them."""
        if found := choice_problems(study, parameters):
            return found
        try:
            runs = named_runs(study, parameters.runs)
            chosen_reference(runs, parameters.reference)
        except UserError as error:
            return [error.sentence]
        if len(runs) < 2:
            return [f"There is one screening only, '{runs[0].name or runs[0].id}'. Choose another network's beside it."]
        return []

    def cost(self, study: Study, parameters: OverlapParameters) -> Cost:
        """Return no evaluations: everything is in the screenings. Memory for their tables and what is near what."""
        if study.dataset is None:
            return Cost(0, 1)
        runs = known_runs(study, parameters)
        sizes = [200 * inputs_of(run, study, study.dataset.n_rows) * part_count(run, study) for run in runs]
        return Cost(0, 1 + sum(sizes) + max((part_count(run, study) ** 2 for run in runs), default=0))

    def run(self, study: Study, parameters: OverlapParameters, progress: Progress) -> Result:
        """Read the screenings and compare them."""
        from sensiview.analysis.overlap_run import OverlapRun

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return OverlapRun(study, parameters, progress).result()

    def example(self) -> Example[OverlapParameters]:
        """Return two screenings of small images: one finds the planted square, one is noise."""
        return _example("images")

    def examples(self) -> tuple[Example[OverlapParameters], ...]:
        """Return images, volumes, and a table of three columns."""
        return self.example(), _example("volumes"), _example("table", share=0.4)


def _example(kind: str, **chosen: Any) -> Example[OverlapParameters]:
    parameters = OverlapParameters(runs=["planted", "noise"], resamples=50, **chosen)
    return Example(screened_study(kind), parameters)
