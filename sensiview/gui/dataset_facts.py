"""A data set in words: file, how it was read, what was noticed."""

from __future__ import annotations

from sensiview.analysis.sources import DatasetSource
from sensiview.datasets.card import DatasetCard
from sensiview.gui.facts_tree import Section
from sensiview.gui.number_text import grouped, memory
from sensiview.gui.run_facts import in_words

_READING = {
    "format": "Format", "encoding": "Text encoding", "delimiter": "Delimiter", "decimal": "Decimal sign",
    "thousands": "Thousands sign", "sheet": "Sheet", "header": "Header line", "skip_lines": "Lines left out on top",
    "missing_values": "Missing values are written", "has_index": "First column is a row number",
}  # fmt: skip
_SIGNS = {"\t": "tabulator", " ": "blank", ",": "comma (,)", ";": "semicolon (;)", "|": "bar (|)", ".": "point (.)"}


def headline(card: DatasetCard) -> str:
    """Return one line: rows, factors, target."""
    parts = [f"{grouped(card.n_rows)} rows", f"{grouped(len(card.features))} factors"]
    if card.target is None:
        parts.append("no target")
    elif card.class_counts:
        parts.append(f"target {card.target} with {len(card.class_counts)} classes")
    else:
        parts.append(f"target {card.target}, a quantity")
    missing = sum(column.missing for column in card.columns)
    if missing:
        parts.append(f"{grouped(missing)} missing values")
    return "  ·  ".join(parts)


def sections(source: DatasetSource) -> list[Section]:
    """Return files, reading options and notes."""
    card = source.card
    files = []
    for reference in source.files:
        files += [("Path", str(reference.path)), ("Size", memory(reference.size)), ("SHA-256", reference.sha256)]
    reading = [(_READING.get(name, name.replace("_", " ").capitalize()), _sign(value))
               for name, value in card.reading.items() if value not in ("", None, [], {}, 0)]  # fmt: skip
    notes = [(str(number), note) for number, note in enumerate(card.notes, start=1)]
    found: list[Section] = [("Notes", notes), ("File", files), ("How it is read", reading)]
    return [(title, pairs) for title, pairs in found if pairs]


def _sign(value: object) -> str:
    return _SIGNS.get(value, value) if isinstance(value, str) else in_words(value)
