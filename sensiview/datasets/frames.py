"""Data from Python (frames, arrays, tensors) as a frame of numbers, truth values and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.datasets.columns import Findings, as_truth, narrowed, truth_words
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def cleaned_frame(data: Any, name: str) -> tuple[pd.DataFrame, dict[str, Findings]]:
    """Return the data as a table keeps it, and what was met in its columns.

    Parameters
    ----------
    data : DataFrame, Series, mapping of columns, array (rows, columns), torch tensor
        Columns without names are called x1, x2, ...
    name : str
        What the data is called in sentences.

    Raises
    ------
    DataError
        No rows, no columns, names that occur twice, complex numbers, not two axes.
    """
    import pandas as pd

    given = _as_frame(data)
    names = [str(label) for label in given.columns]
    if not len(given) or not names:
        raise DataError(f"The table '{name}' has no {'columns' if len(given) else 'rows'}. Give at least one.")
    twice = [label for label, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"The column name '{twice[0]}' occurs twice. Rename one of the columns.")
    findings = {label: Findings() for label in names}
    columns = {label: _column(label, given.iloc[:, i], findings[label]) for i, label in enumerate(names)}
    return pd.DataFrame(columns, copy=False), findings


def _as_frame(data: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, pd.Series):
        return data.to_frame()
    if isinstance(data, Mapping):
        try:
            return pd.DataFrame(dict(data))
        except ValueError:
            raise DataError("The mapping is no table: each column needs a list of values, all equally long.") from None
    if hasattr(data, "detach"):  # a torch tensor, without importing torch
        data = data.detach().cpu().numpy()
    try:
        values = np.asarray(data)
    except ValueError:
        values = np.empty(0, dtype=object)
    if values.ndim != 2:
        raise DataError(
            f"The data has {values.ndim} axes, a table has two: rows and columns. Give a DataFrame or a 2-D array."
        )
    return pd.DataFrame(values, columns=[f"x{i + 1}" for i in range(values.shape[1])])


def _column(name: str, values: pd.Series[Any], findings: Findings) -> Any:
    """Return numbers as the smallest exact type, truth values and words as categoricals."""
    import pandas as pd

    kind = values.dtype
    if isinstance(kind, pd.CategoricalDtype):
        values = values.astype(kind.categories.dtype)
        kind = values.dtype
    if pd.api.types.is_complex_dtype(kind):
        raise DataError(f"Column '{name}' holds complex numbers. Give real and imaginary part as two columns.")
    present = values.dropna()
    if pd.api.types.is_bool_dtype(kind) or (
        pd.api.types.is_object_dtype(kind)
        and len(present) > 0
        and bool(present.map(lambda value: isinstance(value, bool | np.bool_)).all())
    ):
        return as_truth(pd.Categorical(values.map(str, na_action="ignore"), categories=["False", "True"]))
    dates = pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind)
    if not dates:
        try:
            numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
            return narrowed(findings.finite(numbers))
        except (ValueError, TypeError):
            pass  # text
    words = pd.Categorical(values.map(str, na_action="ignore"))
    return as_truth(words) if truth_words(str(word) for word in words.categories) else words
