"""Do the most important parts interact? Each pair of them is changed in both orders."""

from __future__ import annotations

from typing import Any

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.pairs_plan import PairParameters, planned_evaluations
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.screened_examples import screened_study
from sensiview.analysis.screening_choice import choice_problems, known_runs
from sensiview.analysis.study import Study
from sensiview.errors import UserError


class InteractionPairs(Analysis[PairParameters]):
    """Tests pairs of the most important parts for interaction: each masked first, and after the other.

    It takes finished Morris screenings, one per network, and pairs their top 5 parts, each with each. Masking x costs
    d1 of accuracy and then masking y costs d2; in the other order y costs g1 and then x costs g2. The pair interacts
    when d1 + g1 > d2 + g2: each costs more while the other is still there. `ratio` has the share of interacting pairs
    of every network, by accuracy and by the score of the true class, beside that of random parts, with 95 % intervals
    over inputs; `certain` counts the pairs that interact beyond their interval. `pairs` has every pair with its four
    changes and their excess, half of the difference. The source calls a high ratio the sign of interaction, as against
    mere non-linearity, and found it highest for ResNet-50.

    The criterion sees one kind of interaction alone, parts that are needed together. Parts that stand in for each
    other (either is enough) have d1 + g1 < d2 + g2; they are counted as `substituting`. Columns of a table and factors
    of a generator are drawn anew instead of masked, with the same draws in both orders; `superset_importance` is then
    the variance of all interactions that hold the pair, as a share of the variance of the score over the inputs,
    which a second-order Sobol' index of the same distribution equals where there is no interaction of three.

    How it misleads: accuracy is a threshold, and a sum that crosses it only when both parts are gone looks like an
    interaction; the score tells. Probabilities saturate, so that pairs interact by them which are additive by their
    logits. A global ranking names the same parts for all inputs; with a local one a pair is one of ranks (the first and
    the second), which are other parts in every input. Only inputs that the network gets right are looked at.

    References
    ----------
    Beyond Pixels: A Sample Based Method for understanding the decisions of Neural Networks (MoSIP, 2021), submitted to
    ICLR 2022, section 5, figure 6b.
    Liu, Owen (2006). Estimating mean dimensionality of analysis of variance decompositions. JASA 101, 712-721.
    """

    key = "interaction_pairs"
    title = "Interaction of pairs"
    rank = 63
    accepts = ("images", "volumes", "table")
    needs_model = False
    Parameters = PairParameters

    def problems(self, study: Study, parameters: PairParameters) -> list[str]:
        """Return sentences about the runs and their networks."""
        return choice_problems(study, parameters)

    def cost(self, study: Study, parameters: PairParameters) -> Cost:
        """Return the rows that go through the networks; memory for batches and what is known of every input."""
        if study.dataset is None:
            return Cost(0, 1)
        rows = planned_evaluations(study, parameters)
        batch = parameters.rows_at_once(study) or 32
        models = [run.model for run in known_runs(study, parameters) if run.model is not None]
        heaviest = max((model.bytes_per_row for model in models), default=0)
        return Cost(rows, 1 + batch * heaviest + 32 * rows, note="At most: masks are put on inputs that are right.")

    def run(self, study: Study, parameters: PairParameters, progress: Progress) -> Result:
        """Read the rankings, open the networks, change the pairs."""
        from sensiview.analysis.pairs_run import PairsRun

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return PairsRun(study, parameters, progress).result()

    def example(self) -> Example[PairParameters]:
        """Return small images with a screening that finds the planted square."""
        return _example("images")

    def examples(self) -> tuple[Example[PairParameters], ...]:
        """Return images, volumes, and a table of three columns."""
        return self.example(), _example("volumes"), _example("table", repeats=8)


def _example(kind: str, **chosen: Any) -> Example[PairParameters]:
    parameters = PairParameters(runs=["planted"], top_k=3, random_sets=2, resamples=50, **chosen)
    return Example(screened_study(kind), parameters)
