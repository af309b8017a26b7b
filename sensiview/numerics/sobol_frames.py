"""Sobol' indices as tables in long form, columns named as in the method's definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sensiview.numerics.sobol_indices import Indices

if TYPE_CHECKING:
    import pandas as pd


def first_total_frame(indices: Indices, outputs: Sequence[str], factors: Sequence[str]) -> pd.DataFrame:
    """Return output, factor, S1, S1_conf, ST, ST_conf and the bounds; factors change fastest."""
    import pandas as pd

    first, total = indices.first, indices.total
    columns = {
        "S1": first.value,
        "S1_conf": first.conf,
        "ST": total.value,
        "ST_conf": total.conf,
        "S1_low": first.low,
        "S1_high": first.high,
        "ST_low": total.low,
        "ST_high": total.high,
    }
    keys = {"output": _each(outputs, len(factors)), "factor": _all(factors, len(outputs))}
    return pd.DataFrame(keys | {name: values.ravel() for name, values in columns.items()})


def second_order_frame(indices: Indices, outputs: Sequence[str], factors: Sequence[str]) -> pd.DataFrame:
    """Return output, factor_1, factor_2, S2, S2_conf for every pair with factor_1 before factor_2."""
    import pandas as pd

    if indices.second is None or indices.second_conf is None:
        raise ValueError("these indices were estimated without second order")
    i, j = np.triu_indices(len(factors), 1)
    return pd.DataFrame(
        {
            "output": _each(outputs, len(i)),
            "factor_1": _all([factors[int(k)] for k in i], len(outputs)),
            "factor_2": _all([factors[int(k)] for k in j], len(outputs)),
            "S2": indices.second[:, i, j].ravel(),
            "S2_conf": indices.second_conf[:, i, j].ravel(),
        }
    )


def convergence_frame(stages: Sequence[Indices], outputs: Sequence[str], factors: Sequence[str]) -> pd.DataFrame:
    """Return output, N, factor, S1, S1_conf, ST, ST_conf for every stage; factors change fastest, then N."""
    import pandas as pd

    values = {
        "S1": [stage.first.value for stage in stages],
        "S1_conf": [stage.first.conf for stage in stages],
        "ST": [stage.total.value for stage in stages],
        "ST_conf": [stage.total.conf for stage in stages],
    }
    keys = {
        "output": _each(outputs, len(stages) * len(factors)),
        "N": np.tile(np.repeat([stage.n for stage in stages], len(factors)), len(outputs)),
        "factor": _all(factors, len(stages) * len(outputs)),
    }
    return pd.DataFrame(keys | {name: np.stack(per_stage, axis=1).ravel() for name, per_stage in values.items()})


def layer_frame(indices: Indices, layers: Mapping[str, slice], factors: Sequence[str]) -> pd.DataFrame:
    """Return layer, factor, S1, ST of whole layers, see `Indices.of_layer`."""
    import pandas as pd

    pieces = []
    for layer, units in layers.items():
        first, total = indices.of_layer(units)
        keys = {"layer": _all([layer], len(factors)), "factor": _all(factors, 1)}
        pieces.append(pd.DataFrame(keys | {"S1": first, "ST": total}))
    return pd.concat(pieces, ignore_index=True)


def _each(names: Sequence[str], times: int) -> NDArray[np.object_]:
    return np.repeat(np.asarray(names, dtype=object), times)


def _all(names: Sequence[str], times: int) -> NDArray[np.object_]:
    return np.tile(np.asarray(names, dtype=object), times)
