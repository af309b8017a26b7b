"""What a study of mu_star over sigma asks for. Loads no torch."""

from __future__ import annotations

from sensiview.analysis.parameters import parameter
from sensiview.analysis.screening_choice import RankingChoice


class RatioParameters(RankingChoice):
    """Which screenings, and which of their parts count."""

    threshold: float = parameter(
        0.6,
        label="Relevant above",
        help="A part counts when its mu_star or its sigma is more than this share of the largest.",
        ge=0,
        lt=1,
    )
