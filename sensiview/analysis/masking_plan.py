"""Which parts a masking study changes and what that costs, known from the cards and the runs' parameters."""

from __future__ import annotations

from sensiview.analysis.image_choice import as_selection
from sensiview.analysis.map_parameters import selected_count
from sensiview.analysis.parameters import parameter
from sensiview.analysis.screening_choice import MaskingChoice, MeasuresChoice, known_runs
from sensiview.analysis.screening_runs import ScreeningRun
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError
from sensiview.numerics.screening.ranking import top_count

# Named factors are few: up to so many all of them are changed, and the curves end where everything is.
MOST_NAMED = 20
# Regions of an atlas that is not opened.
_REGIONS = 100


class MaskingParameters(MeasuresChoice, MaskingChoice):
    """Which screenings are put to the test, and how."""

    share: float = parameter(
        0.2,
        label="Share of the parts",
        help="The most and the least important so many are masked. Columns and factors of a generator are all changed, "
        "and the drop is told at this share of them (at least one).",
        gt=0,
        le=1,
    )
    orders: int = parameter(
        10, label="Random orders", help="Per input, beside the ranking's; 0 leaves them out.", ge=0, le=10_000
    )


def run_kind(run: Finished, study: Study) -> str:
    """Return how the parts of a screening are changed, from its parameters: ``columns``, ``generator``, ``parts``."""
    if study.dataset is not None and study.dataset.kind == "table":
        return "columns"
    return "generator" if run.parameters.get("partition") == "generator" else "parts"


def part_count(run: Finished, study: Study) -> int:
    """Return about how many parts an input of a screening has, from its parameters and the card."""
    assert study.dataset is not None
    kind, cells = run_kind(run, study), _whole(run.parameters.get("cells"), 8)
    if kind == "columns":
        return max(1, len(study.dataset.features))
    if kind == "generator":
        return _factors_of(run, study)
    partition = run.parameters.get("partition", "auto")
    if partition == "channels":
        return int(study.dataset.extra.get("channels", 3))
    if study.dataset.kind == "volumes":
        return cells**3 if partition in ("grid", "superpixels") else _REGIONS
    return cells**2


def _factors_of(run: Finished, study: Study) -> int:
    """Return the factors of a screening's generator; three, those of digits, where it is no longer there."""
    from sensiview.analysis.screening_parameters import ScreeningParameters
    from sensiview.analysis.screening_plan import generator_of

    assert study.dataset is not None
    try:
        wanted = ScreeningParameters(generator=str(run.parameters.get("generator", "auto")))
        return len(generator_of(study, wanted).factors(study.dataset))
    except UserError:
        return 3


def inputs_of(run: Finished, study: Study, most: int) -> int:
    """Return how many inputs of a screening are looked at, as far as its parameters tell."""
    assert study.dataset is not None
    if study.dataset.kind == "table":
        local = run.parameters.get("scope") == "local" and isinstance(run.parameters.get("rows"), list)
        return min(most, len(run.parameters["rows"]) if local else study.dataset.n_rows)
    wanted = run.parameters.get("images" if study.dataset.kind == "images" else "subjects", "all")
    try:
        count = selected_count(study.dataset, as_selection(wanted if isinstance(wanted, str | int | list) else "all"))
    except UserError:
        count = study.dataset.n_rows
    return min(most, count)


def steps_of(kind: str, share: float, parts: int) -> tuple[int, int]:
    """Return how many parts are changed one after the other, and after how many of them the drop is told."""
    told = top_count(share, parts)
    if kind == "parts":
        return told, told
    told = max(1, told)
    return (parts if parts <= MOST_NAMED else told), told


def share_problem(share: float, parts: int, kind: str, title: str) -> str:
    """Return a sentence about a share of the parts that is no part; empty when it is one."""
    if kind != "parts" or top_count(share, parts):
        return ""
    return (
        f"{100 * share:.3g} % of the {parts} parts of '{title}' is less than half a part, so nothing would be masked. "
        f"Choose a share of at least {0.5 / parts:.2g}."
    )


def planned_evaluations(study: Study, parameters: MaskingParameters) -> int:
    """Return the rows through the networks, at most: only inputs that a network gets right are changed."""
    total = 0
    for run in known_runs(study, parameters):
        kind, parts = run_kind(run, study), part_count(run, study)
        steps, _ = steps_of(kind, parameters.share, parts)
        orders = 2 * len(parameters.by)
        if kind == "parts":
            # By windows the untouched input begins every order.
            windows = study.dataset is not None and study.dataset.kind == "images"
            first = int(windows and run.parameters.get("partition") != "channels")
            per_input = (orders + parameters.orders) * (steps + first)
        else:
            per_input = (orders + min(1, parameters.orders)) * parameters.repeats * steps
        total += inputs_of(run, study, parameters.most) * (1 + per_input)
    return total


def check_share(run: ScreeningRun, share: float) -> None:
    """Refuse a share that is no part of any input; UserError."""
    if sentence := share_problem(share, max(run.part_counts()), run.kind, run.title):
        raise UserError(sentence)


def _whole(value: object, usual: int) -> int:
    return value if isinstance(value, int) and value > 0 else usual
