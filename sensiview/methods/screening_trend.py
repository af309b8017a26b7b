"""How the effects of factors change with a number: with the bias of the training data, or a network's size."""

from __future__ import annotations

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Note
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.analysis.trend_plan import TrendParameters, chosen_runs
from sensiview.errors import UserError


class ScreeningTrend(Analysis[TrendParameters]):
    """Shows how the effects of factors change over screenings that are ordered by a number: bias, size, epoch.

    It takes finished Morris screenings with the same factors, one per network, also of different data sets: networks
    trained on data of growing bias, say. `trend` has mu_star and sigma of every factor over that number, as means over
    the outputs and inputs, not normalised; `shares` puts each screening on its own largest effect; `leaders` names the
    factor on which each network rests most, and how far it is ahead of the next. Where the factors are what a network
    should not need (colours and place of a digit), the leading one is what it cheats with.

    How it misleads: effects are in the outputs' unit, so networks whose logits have another scale have larger ones
    everywhere; look at `shares` then, or screen probabilities. A network that learned nothing has no effects, and
    small ones in one screening may be large in its shares. Intervals resample the inputs; they do not say how another
    training of the same network would come out. Few points make no law: a fall "all the way" over four is one in
    twelve by chance.

    References
    ----------
    Beyond Pixels: A Sample Based Method for understanding the decisions of Neural Networks (MoSIP, 2021), submitted to
    ICLR 2022, section 4, figures 2b and 3a.
    """

    key = "screening_trend"
    title = "Trend over screenings"
    rank = 64
    accepts = ("images", "volumes", "table")
    needs_model = False
    Parameters = TrendParameters

    def problems(self, study: Study, parameters: TrendParameters) -> list[str]:
        """Return sentences about the runs and their numbers."""
        if not parameters.runs:
            return ["Choose finished runs of 'Morris screening': one for each network."]
        try:
            chosen_runs(study, parameters)
        except UserError as error:
            return [error.sentence]
        return []

    def cost(self, study: Study, parameters: TrendParameters) -> Cost:
        """Return no evaluations: everything is in the screenings. Memory for their tables."""
        return Cost(0, 10_000_000 * max(1, len(parameters.runs)))

    def run(self, study: Study, parameters: TrendParameters, progress: Progress) -> Result:
        """Read the screenings and put them in order."""
        from sensiview.analysis.screening_runs import read_screenings
        from sensiview.analysis.trend_items import planted_sentence, point_of, trend_items, trend_sentences

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        assert study.dataset is not None
        chosen = chosen_runs(study, parameters)
        progress.stage("Reading screenings", len(chosen))
        runs = read_screenings([run for _, run in chosen], study.dataset.kind, lambda: progress.advance(1))
        first = next(iter(runs[0].own.values()), runs[0].average)
        assert first is not None
        points = [point_of(number, run, first.factors) for (number, _), run in zip(chosen, runs, strict=True)]
        items = trend_items(points, first.factors, parameters.quantity, parameters.resamples, study.seed)
        said = [*trend_sentences(items, first.factors, parameters.quantity), planted_sentence(points)]
        return Result({**items, "note": Note(title="What it says", text=" ".join(said).strip())})

    def example(self) -> Example[TrendParameters]:
        """Return the effects of three columns in two networks, one of which rests on noise."""
        return _example("table")

    def examples(self) -> tuple[Example[TrendParameters], ...]:
        """Return a table, images and volumes."""
        return self.example(), _example("images"), _example("volumes")


def _example(kind: str) -> Example[TrendParameters]:
    from sensiview.analysis.screened_examples import screened_study

    return Example(screened_study(kind), TrendParameters(runs=["planted", "noise"], numbers=[1, 2], resamples=50))
