"""One column while a file is read: text in, chunk by chunk; the smallest exact array out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.numbers import NumberStyle, to_numbers
from sensiview.datasets.options import CellError, ColumnKind, ReadingOptions, shortened

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from sensiview.datasets.numbers import Floats

# Words of truth values, lower case: false first.
TRUTH_WORDS = (
    ("false", "true"), ("no", "yes"), ("n", "y"), ("nein", "ja"), ("falsch", "wahr"), ("non", "oui"),
    ("faux", "vrai"), ("no", "si"), ("no", "sí"),
)  # fmt: skip
_LARGEST_EXACT = 2.0**53
_EXAMPLES = 5


def truth_words(words: Iterable[str]) -> tuple[str, str] | None:
    """Return the pair (false, true) to which all these words belong, None when there is none."""
    found = {word.strip().lower() for word in words}
    return next((pair for pair in TRUTH_WORDS if found and found <= set(pair)), None)


def kind_of(cells: Iterable[str], style: NumberStyle) -> ColumnKind:
    """Return what cells that are not missing are: numbers when at least half of them are, else truth values or text.

    Whole numbers with a leading zero (postal codes, identifiers: 01234) are text.
    """
    present = list(cells)
    if not present:
        return "auto"
    numbers = [cell for cell in present if style.is_number(cell)]
    if len(numbers) * 2 >= len(present):
        digits = [cell for cell in numbers if cell.isdigit()]
        coded = len(digits) == len(present) and any(cell.startswith("0") and len(cell) >= 4 for cell in digits)
        return "text" if coded else "number"
    return "boolean" if truth_words(set(present)) else "text"


@dataclass
class Findings:
    """What was met in a column that its card should say."""

    infinite: int = 0
    unreadable: int = 0
    examples: list[str] = field(default_factory=list)
    beyond_exact: bool = False

    def finite(self, values: Floats) -> Floats:
        """Return the numbers with infinite ones as missing; count them, and notice digits that float64 can't hold."""
        low, high = np.fmin.reduce(values, initial=np.inf), np.fmax.reduce(values, initial=-np.inf)
        if (high == np.inf or low == -np.inf) and values.size:
            infinite = np.isinf(values)
            self.infinite += int(infinite.sum())
            return self.finite(np.where(infinite, np.nan, values)) if infinite.any() else values
        if max(high, -low) > _LARGEST_EXACT and not self.beyond_exact:
            self.beyond_exact = bool(np.all(values[~np.isnan(values)] % 1 == 0))
        return values


class GrowingNumbers:
    """Numbers appended chunk by chunk to one array: never a second copy of a long column.

    Integers of the smallest type that holds them, as long as all are whole and none is missing; float64 from then on.

    Parameters
    ----------
    expected : int
        How many will probably come. Memory beyond those that did come is never touched.
    """

    def __init__(self, expected: int = 0) -> None:
        self._values: npt.NDArray[Any] = np.empty(0, dtype=np.int8)
        self._n = 0
        self._expected = expected

    def append(self, values: Floats) -> None:
        """Take more numbers; NaN is missing."""
        fresh = values if self._values.dtype == np.float64 else narrowed(values)
        wanted = np.promote_types(self._values.dtype, fresh.dtype)
        needed = self._n + fresh.size
        if wanted != self._values.dtype or needed > self._values.size:
            room = max(self._expected, self._values.size, needed if self._n == 0 else needed + needed // 8)
            grown = np.empty(room, dtype=wanted)
            grown[: self._n] = self._values[: self._n]
            self._values = grown
        self._values[self._n : needed] = fresh
        self._n = needed

    def finish(self) -> npt.NDArray[Any]:
        """Return the array, cut to its length."""
        self._values.resize(self._n, refcheck=False)
        return self._values


@dataclass
class ColumnReader:
    """Collects one column.

    Numbers go into a `GrowingNumbers`; texts are kept as codes of a dictionary while they repeat.
    """

    name: str
    kind: ColumnKind
    options: ReadingOptions
    missing_words: pa.Array
    expected_rows: int = 0
    findings: Findings = field(default_factory=Findings)
    _numbers: GrowingNumbers = field(init=False)
    _words: list[Any] = field(default_factory=list)
    _waiting: int = 0  # missing cells seen before the kind is known
    _repeats: bool | None = None

    def __post_init__(self) -> None:
        self._numbers = GrowingNumbers(self.expected_rows)

    @property
    def style(self) -> NumberStyle:
        """How numbers are written in this file."""
        return NumberStyle(self.options.decimal, self.options.thousands)

    def add(self, cells: pa.Array, place: Callable[[int], str]) -> None:
        """Take the next chunk.

        Parameters
        ----------
        cells : pyarrow array (n,)
            Text, or what a typed file holds; missing cells are null.
        place : callable
            Says where row i of this chunk is in the file.

        Raises
        ------
        CellError
            Text in a number column, unless `options.unreadable` says that such cells are missing.
        """
        cells = _plain(cells)
        if self.kind == "auto":
            if cells.null_count == len(cells):
                self._waiting += len(cells)
                return
            self._decide(cells)
        if self.kind != "number":
            self._add_words(cells)
        elif str(cells.type) == "string":
            self._add_numbers(cells, place)
        else:
            self._numbers.append(self.findings.finite(_as_floats(cells)))

    def _decide(self, cells: pa.Array) -> None:
        present = _as_text(cells).drop_null().to_pylist()
        self.kind = kind_of(present, self.style)
        waiting, self._waiting = self._waiting, 0
        if waiting and self.kind == "number":
            self._numbers.append(np.full(waiting, np.nan))
        elif waiting:
            import pyarrow as pa

            self._repeats = True
            self._words.append(pa.nulls(waiting, pa.string()).dictionary_encode())

    def _add_numbers(self, cells: pa.Array, place: Callable[[int], str]) -> None:
        values, unreadable = to_numbers(cells, self.style, self.missing_words)
        if unreadable.size:
            texts = cells.take(unreadable).to_pylist()
            self._refuse_or_count([int(row) for row in unreadable], texts, place)
        self._numbers.append(self.findings.finite(values))

    def _refuse_or_count(self, rows: list[int], texts: list[str], place: Callable[[int], str]) -> None:
        if self.options.unreadable == "refuse":
            shown = [f"{place(row)}: {shortened(text)}" for row, text in zip(rows[:20], texts[:20], strict=True)]
            details = f"Column '{self.name}', cells that can't be read:\n" + "\n".join(shown)
            if len(rows) > len(shown):
                details += f"\nand {len(rows) - len(shown)} more near them"
            raise CellError(self.name, place(rows[0]), texts[0], dict.fromkeys(texts), details=details)
        self.findings.unreadable += len(rows)
        fresh = [text for text in dict.fromkeys(texts) if text not in self.findings.examples]
        self.findings.examples += fresh[: _EXAMPLES - len(self.findings.examples)]

    def _add_words(self, cells: pa.Array) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        words = pc.utf8_trim_whitespace(_as_text(cells))
        words = pc.if_else(pc.is_in(words, value_set=self.missing_words), pa.scalar(None, pa.string()), words)
        if self._repeats is not False:
            codes = words.dictionary_encode()
            # Codes pay as long as texts repeat; a column of names or notes is smaller as plain text.
            self._repeats = len(codes.dictionary) <= 1000 or len(codes.dictionary) * 2 <= len(words)
            words = codes if self._repeats else words
        self._words.append(words)

    def finish(self) -> Any:
        """Return the whole column and forget the chunks.

        Returns
        -------
        ndarray or pandas array
            Integers, float64 (missing = NaN), `pandas.Categorical`, or pandas text.
        """
        if self.kind == "auto":  # nothing in it at all
            return np.full(self._waiting, np.nan)
        if self.kind == "number":
            return self._numbers.finish()
        chunks, self._words = self._words, []
        array, self.kind = words_array(chunks, self.kind)
        return array


def narrowed(values: Floats) -> npt.NDArray[Any]:
    """Return the same numbers as the smallest integers if all are whole and none is missing, else as float64."""
    if values.size == 0 or not is_whole(values):
        return values
    low, high = values.min(), values.max()
    for kind in (np.int8, np.int16, np.int32, np.int64):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max and max(-low, high) <= _LARGEST_EXACT:
            return values.astype(kind)
    return values


def is_whole(values: npt.NDArray[Any]) -> bool:
    """Whether all numbers are whole; NaN is not."""
    return bool(np.all(values[:64] % 1 == 0)) and bool(np.all(values % 1 == 0))


def words_array(chunks: list[Any], kind: ColumnKind) -> tuple[Any, ColumnKind]:
    """Join chunks of words and say what they are: truth values with a third word among them are text after all.

    Returns a categorical while words repeat, plain pandas text otherwise.
    """
    import pandas as pd
    import pyarrow as pa

    if not all(pa.types.is_dictionary(chunk.type) for chunk in chunks):
        plain = [chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk for chunk in chunks]
        return pa.chunked_array(plain, pa.string()).to_pandas().array, "text"
    joined = pa.chunked_array(chunks).unify_dictionaries()
    words = pd.Index(joined.chunk(0).dictionary.to_pylist())
    codes = np.concatenate([chunk.indices.fill_null(-1).to_numpy() for chunk in joined.chunks])
    found = pd.Categorical.from_codes(codes, categories=words)
    if kind == "boolean" and truth_words(str(word) for word in words):
        return as_truth(found), "boolean"
    return found.reorder_categories(sorted(words)), "text"


def as_truth(words: pd.Categorical[Any]) -> pd.Categorical[Any]:
    """Return words as a categorical of two, false before true; spellings that differ in case become one."""
    import pandas as pd

    pair = truth_words(str(word) for word in words.categories)
    assert pair is not None  # asked before
    spelled = {wanted: [w for w in words.categories if str(w).lower() == wanted] for wanted in pair}
    names = [found[0] if len(found) == 1 else wanted for wanted, found in spelled.items()]
    place = np.array([pair.index(str(word).lower()) for word in words.categories] + [-1])
    truth: pd.Categorical[Any] = pd.Categorical.from_codes(place[words.codes], categories=pd.Index(names), ordered=True)
    return truth


def _plain(cells: pa.Array) -> pa.Array:
    """Return cells of the few types that are told apart: numbers, truth values, and strings for all the rest."""
    import pyarrow as pa

    kind = cells.type
    if pa.types.is_string(kind):
        return cells
    if pa.types.is_dictionary(kind):
        cells = cells.dictionary_decode()
        kind = cells.type
    if pa.types.is_null(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return cells
    return cells.cast(pa.float64()) if pa.types.is_decimal(kind) else cells.cast(pa.string())


def _as_floats(cells: pa.Array) -> Floats:
    import pyarrow as pa

    values: Floats = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def _as_text(cells: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.if_else(cells, "True", "False") if pa.types.is_boolean(cells.type) else cells.cast(pa.string())
