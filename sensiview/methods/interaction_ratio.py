"""Do parts matter by themselves, or together? mu_star over sigma of the parts that matter, network by network."""

from __future__ import annotations

from typing import Any

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.masking_plan import inputs_of, part_count
from sensiview.analysis.progress import Progress
from sensiview.analysis.ratio_plan import RatioParameters
from sensiview.analysis.result import Result
from sensiview.analysis.screened_examples import screened_study
from sensiview.analysis.screening_choice import choice_problems, known_runs
from sensiview.analysis.study import Study
from sensiview.errors import UserError


class InteractionRatio(Analysis[RatioParameters]):
    """Compares networks by mu_star / sigma of the parts that matter: effects of their own against interaction.

    It takes finished Morris screenings, one per network. A part is relevant when its mu_star or its sigma is more than
    0.6 of the largest. `eta` is the mean of mu_star / sigma over the relevant parts, with its 95 % interval and the
    number of these parts: high where parts have an effect of about the same size whatever the others are (nearly
    linear), low where it depends on the others or on the value itself. `random` is the same over as many parts chosen
    by chance. A global screening has one eta, of the average over inputs, whose interval resamples inputs; a local one
    has one for each input (`eta_each`), and their mean. The source found that eta falls from AlexNet to ResNet-50, and
    reads it as a stronger use of interactions.

    How it misleads: sigma is raised by any curve in the response, a saturated output included, so that a low eta is not
    yet an interaction (`interaction_pairs` asks for that). Probabilities saturate, logits do not: compare screenings of
    the same output only. With few trajectories sigma is uncertain, and so is its inverse. Relevant parts with sigma 0
    have no ratio; `linear` counts them. A mean of ratios is drawn up by single parts with a small sigma.

    References
    ----------
    Beyond Pixels: A Sample Based Method for understanding the decisions of Neural Networks (MoSIP, 2021), submitted to
    ICLR 2022, section 5, figure 6a.
    Garcia Sanchez, Lacarrière, Musy, Bourges (2014). Application of sensitivity analysis in building energy
    simulations: combining first- and second-order elementary effects methods. Energy and Buildings 68, 741-750.
    """

    key = "interaction_ratio"
    title = "Ratio of own effect and interaction"
    rank = 62
    accepts = ("images", "volumes", "table")
    needs_model = False
    Parameters = RatioParameters

    def problems(self, study: Study, parameters: RatioParameters) -> list[str]:
        """Return sentences about the runs."""
        return choice_problems(study, parameters)

    def cost(self, study: Study, parameters: RatioParameters) -> Cost:
        """Return no evaluations: everything is in the screenings. Memory for their tables and the resamples."""
        if study.dataset is None:
            return Cost(0, 1)
        peak = 1
        for run in known_runs(study, parameters):
            inputs, parts = inputs_of(run, study, study.dataset.n_rows), part_count(run, study)
            peak += 200 * inputs * parts + 16 * parameters.resamples * parts
        return Cost(0, peak)

    def run(self, study: Study, parameters: RatioParameters, progress: Progress) -> Result:
        """Read the screenings and compute."""
        from sensiview.analysis.ratio_run import RatioRun

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return RatioRun(study, parameters, progress).result()

    def example(self) -> Example[RatioParameters]:
        """Return two screenings of small images."""
        return _example("images")

    def examples(self) -> tuple[Example[RatioParameters], ...]:
        """Return images, volumes, and a table of three columns."""
        return self.example(), _example("volumes"), _example("table")


def _example(kind: str, **chosen: Any) -> Example[RatioParameters]:
    return Example(screened_study(kind), RatioParameters(runs=["planted", "noise"], resamples=50, **chosen))
