"""What a study of pairs of parts asks for and costs. Loads no torch."""

from __future__ import annotations

from sensiview.analysis.masking_plan import inputs_of, part_count, run_kind
from sensiview.analysis.parameters import parameter
from sensiview.analysis.screening_choice import MaskingChoice, known_runs
from sensiview.analysis.study import Study
from sensiview.numerics.screening.ranking import By


class PairParameters(MaskingChoice):
    """Which parts are paired."""

    by: By = parameter("mu_star + sigma", label="Ranked by", help="The measure whose top parts are paired.")
    top_k: int = parameter(
        5, label="Top parts", help="So many of the most important parts are paired, each with each.", ge=2, le=50
    )
    random_sets: int = parameter(
        3, label="Random sets", help="As many parts chosen by chance, paired for comparison, so often.", ge=0, le=100
    )


def changed_sets(chosen: int) -> int:
    """Return how many sets of parts are changed: each alone and each pair."""
    return chosen + chosen * (chosen - 1) // 2


def random_sets(parameters: PairParameters, chosen: int, parts: int) -> int:
    """Return how many random sets are paired: none where all parts are in the top ones already."""
    return parameters.random_sets if chosen < parts else 0


def planned_evaluations(study: Study, parameters: PairParameters) -> int:
    """Return the rows through the networks, at most: masks are put on inputs that a network gets right alone."""
    total = 0
    for run in known_runs(study, parameters):
        parts = part_count(run, study)
        chosen = min(parameters.top_k, parts)
        draws = 1 if run_kind(run, study) == "parts" else parameters.repeats
        rows = (1 + random_sets(parameters, chosen, parts)) * changed_sets(chosen) * draws
        total += inputs_of(run, study, parameters.most) * (1 + rows)
    return total
