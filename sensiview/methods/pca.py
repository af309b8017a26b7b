"""Principal components of a table's factors: a look at the data alone, to set beside what a network makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import IndexTable, Note, Remark
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.describing import listed
from sensiview.datasets.rows import rows_problem
from sensiview.errors import DataError, UserError, suggestion

if TYPE_CHECKING:
    from sensiview.datasets.table import Table

Floats = npt.NDArray[np.float64]
_CHUNK_VALUES = 4_000_000  # numbers standardised at once, 32 MB
_FEWEST_ROWS = 3


class PcaParameters(Parameters):
    """Which rows, and how many components."""

    rows: str | list[int] = parameter(
        "all", label="Rows", help="Rows of the table, counted from 0: all, or ranges such as 0-699."
    )
    target: str | int = parameter(
        "auto",
        label="Class",
        help="Only rows of this class (name or number); all takes every row, auto the last of two classes.",
        suggestions="classes",
    )
    components: int = parameter(
        4, label="Components", help="How many principal components; no more than there are factors.", ge=1, le=1000
    )

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Check values; `k` may be written for `components`."""
        given = dict(values)
        if "k" in given and "components" not in given:
            given["components"] = given.pop("k")
        return super().parse(given)


@dataclass(frozen=True)
class _Components:
    """Unit loadings (k, D), largest entry positive, and the share of the variance each explains (k,)."""

    names: tuple[str, ...]
    loadings: Floats
    explained: Floats
    varies: npt.NDArray[np.bool_]

    @property
    def importance(self) -> Floats:
        """Sum of the absolute loadings over the components, as a share of the sum over all factors, (D,)."""
        weight = np.abs(self.loadings).sum(axis=0)
        return np.asarray(weight / weight.sum())


class PrincipalComponents(Analysis[PcaParameters]):
    """Finds the directions in which the factors vary together, and which factors they are made of.

    The rows of one class are standardised (each factor to mean 0 and standard deviation 1 over these rows) and
    decomposed. `components` holds the loadings: unit vectors over the factors, their sign chosen so that the largest
    entry is positive. `explained_variance` is each component's share of the total variance, and the running sum.
    `importance` of a factor is the sum of the absolute loadings over the components, divided by the sum over all
    factors, as the paper compares it with the indices of a network.

    It says how factors vary, not what they do: no network and no outcome enters, and a factor that decides every
    diagnosis but varies on its own looks unimportant. With few components left out (8 factors, 4 components) the
    importance is nearly even by construction. Components whose shares are close can turn into each other with other
    rows; look at them together. Linear relations only; an outlier can make a component of its own.

    References: K. Pearson, On lines and planes of closest fit to systems of points in space, Philosophical Magazine
    2 (1901); I. T. Jolliffe, Principal Component Analysis, Springer, 2nd edition 2002.
    """

    key = "pca"
    title = "Principal components"
    rank = 40
    needs_model = False
    Parameters = PcaParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no table, or fewer than two factors."""
        found = super().obstacles(study)
        if not found and study.dataset is not None and len(study.dataset.features) < 2:
            found.append(f"The table '{study.dataset.name}' has fewer than two factors; components need at least two.")
        return found

    def problems(self, study: Study, parameters: PcaParameters) -> list[str]:
        """Return sentences about rows and classes that are not there."""
        if study.dataset is None:
            return []
        found = [rows_problem(parameters.rows, study.dataset.n_rows)] if study.dataset.n_rows else []
        try:
            _class_code(study.dataset, parameters.target)
        except UserError as error:
            found.append(error.sentence)
        return [sentence for sentence in found if sentence]

    def cost(self, study: Study, parameters: PcaParameters) -> Cost:
        """No evaluations; memory for a chunk of rows and for the smaller of the two products."""
        factors = len(study.dataset.features) if study.dataset else 1
        n_rows = study.dataset.n_rows if study.dataset else 1
        smaller = min(factors, n_rows)
        chunk = min(_CHUNK_VALUES, n_rows * factors) if factors <= n_rows else n_rows * factors
        return Cost(evaluations=0, peak_bytes=8 * (3 * chunk + 3 * smaller**2) + (1 << 16))

    def run(self, study: Study, parameters: PcaParameters, progress: Progress) -> Result:
        """Decompose the standardised rows; DataError when too few are complete or no factor varies over them."""
        table = study.table()
        said: list[str] = []

        def warn(sentence: str) -> None:
            said.append(sentence)
            progress.warn(sentence)

        code, label = _class_code(table.card, parameters.target)
        chosen = table.row_selection(parameters.rows)
        if code is not None:
            chosen = chosen[table.class_codes()[chosen] == code]
        rows = table.complete_rows(chosen)
        left_out = chosen.size - rows.size
        if left_out:
            warn(f"{left_out:,} of {chosen.size:,} rows have a missing value and are left out.")
        if rows.size < _FEWEST_ROWS:
            raise DataError(
                f"Only {rows.size} complete row{'' if rows.size == 1 else 's'} of {label}: components need at least "
                f"{_FEWEST_ROWS}. Choose more rows or another class{', or fill in missing values' if left_out else ''}."
            )
        found = _decompose(table, rows, parameters.components, progress)
        constant = [name for name, varies in zip(table.card.features, found.varies, strict=True) if not varies]
        if constant:
            warn(f"The same value in all these rows, so loadings and importance of 0: {listed(constant)}.")
        if found.explained.size < parameters.components:
            warn(f"{parameters.components} components were asked for; there are only {found.explained.size}.")
        note = Note(title="What the components say", text=" ".join([_summary(found, rows.size, label), *said]))
        facts = {"rows": str(rows.size), "rows_left_out": str(left_out), "rows_of": label}
        return Result({**_tables(found), "note": note}, warnings=tuple(said), facts=facts)

    def example(self) -> Example[PcaParameters]:
        """Return 120 rows of five factors, two of them nearly the same."""
        import pandas as pd

        from sensiview.datasets.table import table_from_frame

        random = np.random.default_rng(1)
        values = random.normal(size=(120, 5))
        values[:, 1] = values[:, 0] + 0.1 * values[:, 1]
        frame = pd.DataFrame(values, columns=["height", "arm span", "weight", "age", "pulse"])
        frame["group"] = np.where(random.random(120) < 0.4, "ill", "well")
        table = table_from_frame(frame, name="example", target="group")
        study = Study(dataset=table.card, table_loader=lambda: table)
        return Example(study, PcaParameters(target="well", components=3))


def _class_code(card: DatasetCard, target: str | int) -> tuple[int | None, str]:
    """Return the place of the class in the card, None for all rows, and the words for them.

    A text is looked for among the names first, then taken as a number; a number is the place.
    """
    names = list(card.class_counts)
    if isinstance(target, str):
        text = target.strip()
        if text in names:
            target = names.index(text)
        elif text.lower() == "all":
            return None, "all rows"
        elif text.lower() in ("auto", ""):
            if len(names) != 2:
                return None, "all rows"
            target = 1
        elif text.isdecimal():
            target = int(text)
        elif names:
            raise UserError(f"There is no class '{text}'.{suggestion(text, names)}")
    if not names:
        raise UserError(f"The table '{card.name}' has no classes to choose from. Choose all, or a target column first.")
    if not isinstance(target, int) or not 0 <= target < len(names):
        raise UserError(f"There is no class {target}: the classes are {', '.join(names[:20])}, numbered from 0.")
    return target, f"class '{names[target]}'"


def _decompose(table: Table, rows: npt.NDArray[np.int64], k: int, progress: Progress) -> _Components:
    n, names = rows.size, table.card.features
    step = max(1, _CHUNK_VALUES // len(names)) if len(names) <= n else n
    chunks = [rows[first : first + step] for first in range(0, n, step)]
    progress.stage("Principal components", 2 * n)
    # Divided by the largest value of the table: squares of very large or very small numbers stay in range.
    cards = [table.card.column(name) for name in names]
    scale = np.array([max(abs(card.minimum or 0.0), abs(card.maximum or 0.0)) or 1.0 for card in cards])
    low, high, total = np.full(len(names), np.inf), np.full(len(names), -np.inf), np.zeros(len(names))
    for chunk in chunks:
        values = table.features(chunk) / scale
        low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
        total += values.sum(axis=0)
        progress.advance(chunk.size)
    varies = low < high
    if not varies.any():
        raise DataError("No factor varies over these rows: each has one value only. Choose other rows.")
    k = min(k, int(varies.sum()), n - 1)

    def centred(chunk: npt.NDArray[np.int64]) -> Floats:
        return np.where(varies, table.features(chunk) / scale - total / n, 0.0)

    if len(names) <= n:
        product = np.zeros((len(names), len(names)))
        for chunk in chunks:
            part = centred(chunk)
            product += part.T @ part
            progress.advance(chunk.size)
        spread = np.where(varies, np.sqrt(np.diag(product)), 1.0)
        variances, vectors = np.linalg.eigh(product / np.outer(spread, spread))
        variances, vectors = variances[::-1][:k], vectors.T[::-1][:k]
    else:
        # More factors than rows: the same components from the smaller product of the rows.
        part = centred(rows)
        part /= np.where(varies, np.sqrt(np.square(part).sum(axis=0)), 1.0)
        variances, of_rows = np.linalg.eigh(part @ part.T)
        variances, vectors = variances[::-1][:k], of_rows.T[::-1][:k] @ part
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        progress.advance(n)
    real = variances > variances[0] * 1e-12  # factors that repeat each other leave components of rounding errors
    variances, vectors = variances[real], vectors[real]
    largest = vectors[np.arange(len(vectors)), np.argmax(np.abs(vectors), axis=1)]
    loadings = np.where(varies, vectors * np.sign(largest)[:, None], 0.0)
    return _Components(names, loadings, variances / float(varies.sum()), varies)


def _tables(found: _Components) -> dict[str, IndexTable]:
    import pandas as pd

    k = found.explained.size
    numbers = np.arange(1, k + 1)
    cumulative = np.cumsum(found.explained)
    rows, factors = np.repeat(numbers, len(found.names)), list(found.names) * k
    loadings = IndexTable(
        title="Loadings",
        description="What each component is made of: unit vectors over the standardised factors. The sign of a whole "
        "row is arbitrary; its largest entry is made positive.",
        frame=pd.DataFrame({"component": rows, "factor": factors, "loading": found.loadings.ravel()}),
        keys=("component", "factor"),
        values=("loading",),
        units={"loading": ""},
        plot="matrix",
    )
    explained = IndexTable(
        title="Explained variance",
        description="Share of the total variance of the standardised factors along each component, and the running "
        "sum. Even shares mean that the factors hardly vary together.",
        frame=pd.DataFrame({"component": numbers, "explained": found.explained, "cumulative": cumulative}),
        keys=("component",),
        values=("explained", "cumulative"),
        units={"explained": "share of the variance", "cumulative": "share of the variance"},
    )
    importance = IndexTable(
        title="Importance in the components",
        description="Sum of a factor's absolute loadings over the components, as a share of the sum over all factors. "
        "It says how much a factor varies together with others, not what it does to an outcome.",
        frame=pd.DataFrame({"factor": list(found.names), "importance": found.importance}),
        keys=("factor",),
        values=("importance",),
        units={"importance": "share of the sum"},
        remarks=tuple(
            Remark(int(i), "importance", "constant", f"{found.names[i]} has the same value in all these rows.")
            for i in np.flatnonzero(~found.varies)
        ),
    )
    return {"components": loadings, "explained_variance": explained, "importance": importance}


def _summary(found: _Components, n_rows: int, label: str) -> str:
    k = found.explained.size
    leading = [found.names[i] for i in np.argsort(-found.importance, kind="stable")[:3]]
    which = "The first component holds" if k == 1 else f"The first {k} components hold"
    text = (
        f"{which} {100 * float(found.explained.sum()):.0f} % of the variance of {n_rows:,} rows ({label}). "
        f"Most important in them: {', '.join(leading)}."
    )
    among = found.importance[found.varies]
    if among.max() < 2 * among.min():
        text += " The importances differ by less than a factor of two: the components hardly single out any factor."
    return text
