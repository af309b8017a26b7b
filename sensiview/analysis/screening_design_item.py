"""The points of a small screening and the answers there, so that anybody can compute the measures again."""

from __future__ import annotations

import numpy as np

from sensiview.analysis.items import IndexTable, Item
from sensiview.analysis.screening_items import ScreeningTables
from sensiview.numerics.screening.designs import DesignName, make_design

# A table that people can still open: columns, and rows.
_MOST_COLUMNS, _MOST_ROWS = 24, 100_000


def design_item(tables: ScreeningTables, design: DesignName, levels: int, seed: int) -> dict[str, Item]:
    """Return ``design`` for one input with few factors and outputs, nothing otherwise.

    One row per evaluation, in order. Factors stand as positions in their ranges, 0 to 1: with them as X and an output
    as Y, SALib's ``analyze.morris`` (trajectories) and ``analyze.radial_ee`` (stars) give the same measures.
    """
    import pandas as pd

    if len(tables.found) != 1 or tables.found[0].outcome is None:
        return {}
    one = tables.found[0]
    assert one.outcome is not None
    answers, active = one.outcome.answers, one.what.factors.active
    blocks, points = answers.shape[:2]
    factors = [name for name, varies in zip(one.what.factors.names, active, strict=True) if varies]
    if len(factors) + len(one.what.outputs) > _MOST_COLUMNS or blocks * points > _MOST_ROWS:
        return {}
    units = make_design(design, len(factors), levels, seed).take(0, blocks).points().reshape(-1, len(factors))
    frame = pd.DataFrame(
        {"trajectory": np.repeat(np.arange(blocks) + 1, points), "point": np.tile(np.arange(points), blocks)}
    )
    taken = {"trajectory", "point"}
    for name, column in zip(factors, units.T, strict=True):
        frame[name if name not in taken else f"{name} (factor)"] = column
    outputs = []
    for name, column in zip(one.what.outputs, answers.reshape(-1, answers.shape[2]).T, strict=True):
        outputs.append(name if name not in frame else f"{name} (output)")
        frame[outputs[-1]] = column.astype(np.float64)
    return {
        "design": IndexTable(
            title="Design and answers",
            description="Every evaluation: factors as positions in their ranges, 0 to 1, and what the network gave.",
            frame=frame,
            keys=("trajectory", "point"),
            values=tuple(str(column) for column in frame if column not in taken),
            units={str(column): tables.unit if column in outputs else "" for column in frame},
            plot="none",
        )
    }
