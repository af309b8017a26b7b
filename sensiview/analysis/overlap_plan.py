"""Which screenings a study of overlap compares, known before they are read. Loads no torch."""

from __future__ import annotations

from collections.abc import Sequence

from sensiview.analysis.parameters import parameter
from sensiview.analysis.screening_choice import MeasuresChoice
from sensiview.analysis.study import Finished
from sensiview.errors import UserError, suggestion


class OverlapParameters(MeasuresChoice):
    """Which screenings are held against which."""

    share: float = parameter(
        0.2, label="Share of the parts", help="The most important so many are the top parts.", gt=0, lt=1
    )
    reference: str = parameter(
        "",
        label="Reference",
        help="The screening that the others are held against, one of those chosen; empty takes the first.",
        suggestions="runs:morris",
    )


def chosen_reference(runs: Sequence[Finished], wanted: str) -> int:
    """Return the place of the reference among the runs, by identifier or name.

    Raises
    ------
    UserError
        It is none of them.
    """
    if not wanted.strip():
        return 0
    known = [*(run.id for run in runs), *(run.name for run in runs)]
    if wanted.strip() not in known:
        raise UserError(
            f"The reference '{wanted}' is none of the screenings chosen.{suggestion(wanted, known)} Name one of them."
        )
    return known.index(wanted.strip()) % len(runs)
