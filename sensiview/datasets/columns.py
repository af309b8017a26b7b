"""One column while a file is read: text in, chunk by chunk; the smallest exact array out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

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


@dataclass
class ColumnReader:
    """Collects one column.

    Numbers are kept as the smallest integers that hold them where all of a chunk are whole and present, as float64
    otherwise; texts as codes of a dictionary while they repeat.
    """

    name: str
    kind: ColumnKind
    options: ReadingOptions
    missing_words: pa.Array
    findings: Findings = field(default_factory=Findings)
    _chunks: list[Any] = field(default_factory=list)
    _waiting: int = 0  # missing cells seen before the kind is known
    _repeats: bool | None = None

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
        import pyarrow as pa

        if self.kind == "auto":
            if cells.null_count == len(cells):
                self._waiting += len(cells)
                return
            self._decide(cells)
        if self.kind == "number":
            typed = pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)
            self._add_numbers(cells, place) if typed else self._keep_numbers(_as_floats(cells))
        else:
            self._add_words(cells, place)

    def _decide(self, cells: pa.Array) -> None:
        present = cells.drop_null().cast("string").to_pylist()
        self.kind = kind_of(present, self.style)
        waiting, self._waiting = self._waiting, 0
        if waiting and self.kind == "number":
            self._chunks.append(np.full(waiting, np.nan))
        elif waiting:
            import pyarrow as pa

            self._repeats = True
            self._chunks.append(pa.nulls(waiting, pa.string()).dictionary_encode())

    def _add_numbers(self, cells: pa.Array, place: Callable[[int], str]) -> None:
        values, unreadable = to_numbers(cells, self.style, self.missing_words)
        if unreadable.size:
            texts = cells.take(unreadable).to_pylist()
            self._refuse_or_count([int(row) for row in unreadable], texts, place)
        self._keep_numbers(values)

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

    def _keep_numbers(self, values: Floats) -> None:
        infinite = np.isinf(values)
        if infinite.any():
            self.findings.infinite += int(infinite.sum())
            values = np.where(infinite, np.nan, values)
        self._chunks.append(narrowed(values))
        if not self.findings.beyond_exact and np.any(np.abs(values) > _LARGEST_EXACT):
            self.findings.beyond_exact = bool(np.all(values[np.isfinite(values)] % 1 == 0))

    def _add_words(self, cells: pa.Array, place: Callable[[int], str]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        words = cells if pa.types.is_string(cells.type) else _as_text(cells)
        words = pc.utf8_trim_whitespace(words)
        words = pc.if_else(pc.is_in(words, value_set=self.missing_words), pa.scalar(None, pa.string()), words)
        if self._repeats is not False:
            codes = words.dictionary_encode()
            # Codes pay as long as texts repeat; a column of names or notes is smaller as plain text.
            self._repeats = len(codes.dictionary) <= 1000 or len(codes.dictionary) * 2 <= len(words)
            words = codes if self._repeats else words
        self._chunks.append(words)

    def finish(self) -> Any:
        """Return the whole column and forget the chunks.

        Returns
        -------
        ndarray or pandas array
            Integers, float64 (missing = NaN), `pandas.Categorical`, or pandas text.
        """
        chunks, self._chunks = self._chunks, []
        if self.kind == "auto":  # nothing in it at all
            return np.full(self._waiting, np.nan)
        if self.kind == "number":
            return narrowed_together(chunks)
        array, self.kind = words_array(chunks, self.kind)
        return array


def narrowed(values: Floats) -> np.ndarray[Any, np.dtype[Any]]:
    """Return the same numbers as the smallest integers if all are whole and none is missing, else as float64."""
    if values.size == 0 or not np.all(values[:256] % 1 == 0) or not np.all(values % 1 == 0):
        return values
    low, high = values.min(), values.max()
    for kind in (np.int8, np.int16, np.int32, np.int64):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max and max(-low, high) <= _LARGEST_EXACT:
            return values.astype(kind)
    return values


def narrowed_together(chunks: list[Any]) -> np.ndarray[Any, np.dtype[Any]]:
    """Join chunks of numbers: float64 as soon as one of them needs it, else the widest integers met."""
    if any(chunk.dtype == np.float64 for chunk in chunks):
        return np.concatenate([chunk.astype(np.float64, copy=False) for chunk in chunks])
    return np.concatenate(chunks)


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


def as_truth(words: pd.Categorical) -> pd.Categorical:
    """Return words as a categorical of two, false before true; spellings that differ in case become one."""
    import pandas as pd

    pair = truth_words(str(word) for word in words.categories)
    assert pair is not None  # asked before
    spelled = {wanted: [w for w in words.categories if str(w).lower() == wanted] for wanted in pair}
    names = [found[0] if len(found) == 1 else wanted for wanted, found in spelled.items()]
    place = np.array([pair.index(str(word).lower()) for word in words.categories] + [-1])
    return pd.Categorical.from_codes(place[words.codes], categories=names, ordered=True)


def _as_floats(cells: pa.Array) -> Floats:
    import pyarrow as pa

    values: Floats = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def _as_text(cells: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(cells.type):
        return pc.if_else(cells, "True", "False")
    return cells.cast(pa.string())
