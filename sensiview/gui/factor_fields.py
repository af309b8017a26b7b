"""Bounds, distributions, groups and fixed values: one line per factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sensiview.datasets.card import ColumnCard
from sensiview.gui.factor_table import Column, FactorField, Unreadable
from sensiview.gui.field_texts import FieldProblem, read_number
from sensiview.gui.number_text import full, short

_WORDS = {"uniform": "uniform", "normal": "normal", "truncated normal": "truncated_normal",
          "as in the data": "empirical"}  # fmt: skip


class BoundsField(FactorField):
    """The range of each factor."""

    columns = (Column("Low"), Column("High"))
    nothing = "From the data"

    def value(self) -> Any:
        """Return ``{factor: [low, high]}``."""
        return self.readable() or self.spec.default

    def read(self, value: Any) -> dict[str, Any]:
        """Take pairs by factor, or one pair per factor in order."""
        if isinstance(value, dict):
            return {name: list(pair) for name, pair in value.items() if pair is not None}
        return {name: list(pair) for name, pair in zip(self.factors, value, strict=False) if pair is not None}

    def texts(self, factor: str, given: Any) -> list[str]:
        """Return both ends."""
        if isinstance(given, Unreadable):
            return given.texts
        return [full(float(end)).removesuffix(".0") for end in given] if given else ["", ""]

    def hints(self, card: ColumnCard | None) -> list[str]:
        """Return the range of the data."""
        return [short(card.minimum), short(card.maximum)] if card is not None else ["", ""]

    def entry(self, factor: str, texts: Sequence[str]) -> Any:
        """Return both ends; one that is left empty is the data's."""
        if not any(texts):
            return None
        card = self._cards.get(factor)
        known = [card.minimum, card.maximum] if card is not None else [None, None]
        ends = [read_number(text) if text else end for text, end in zip(texts, known, strict=True)]
        if None in ends:
            raise FieldProblem("Write both ends of the range.")
        return ends


class DistributionsField(FactorField):
    """How each factor is drawn."""

    columns = (Column("Drawn", tuple(_WORDS)), Column("Mean"), Column("Std"))
    nothing = "All uniform"

    def read(self, value: Any) -> dict[str, Any]:
        """Take distributions by factor, or one word for all factors."""
        return dict.fromkeys(self.factors, value) if isinstance(value, str) else dict(value)

    def value(self) -> Any:
        """Return ``{factor: kind}``, or a mapping where mean and standard deviation are given."""
        return self.readable() or self.spec.default

    def texts(self, factor: str, given: Any) -> list[str]:
        """Return kind, mean and standard deviation."""
        if isinstance(given, Unreadable):
            return given.texts
        if not given:
            return ["", "", ""]
        settings = {"kind": given} if isinstance(given, str) else dict(given)
        kind = next((word for word, name in _WORDS.items() if name == settings.get("kind", "uniform")), "")
        numbers = [settings.get("mean"), settings.get("std")]
        return [kind, *("" if n is None else full(float(n)).removesuffix(".0") for n in numbers)]

    def hints(self, card: ColumnCard | None) -> list[str]:
        """Return the moments of the data."""
        return ["uniform", short(card.mean), short(card.std)] if card is not None else ["uniform", "", ""]

    def entry(self, factor: str, texts: Sequence[str]) -> Any:
        """Return the kind, with mean and standard deviation when they are given."""
        if not any(texts):
            return None
        kind = _WORDS.get(texts[0].casefold() or "uniform")
        if kind is None:
            raise FieldProblem(f"There is no distribution '{texts[0]}'. Choose {', '.join(_WORDS)}.")
        numbers = {key: read_number(text) for key, text in zip(("mean", "std"), texts[1:], strict=True) if text}
        before = self._given.get(factor)
        kept = {key: before[key] for key in ("low", "high") if isinstance(before, dict) and key in before}
        return {"kind": kind, **numbers, **kept} if numbers or kept else kind


class GroupsField(FactorField):
    """Which factors move together."""

    columns = (Column("Group"),)
    nothing = "No groups"

    def value(self) -> Any:
        """Return ``{factor: group}``."""
        return self.readable() or self.spec.default

    def read(self, value: Any) -> dict[str, Any]:
        """Take groups by factor, or factors by group."""
        found: dict[str, Any] = {}
        for key, entry in dict(value).items():
            found |= {key: entry} if isinstance(entry, str) else {str(member): key for member in entry}
        return found

    def texts(self, factor: str, given: Any) -> list[str]:
        """Return the group's name."""
        return [str(given or "")]

    def entry(self, factor: str, texts: Sequence[str]) -> Any:
        """Return the group's name."""
        return texts[0] or None


class FixedField(FactorField):
    """Factors that are held at a value."""

    columns = (Column("Held at"),)
    nothing = "None held"

    def value(self) -> Any:
        """Return ``{factor: value}``."""
        return self.readable() or self.spec.default

    def texts(self, factor: str, given: Any) -> list[str]:
        """Return the value."""
        if isinstance(given, Unreadable):
            return given.texts
        return ["" if given is None else full(float(given)).removesuffix(".0")]

    def entry(self, factor: str, texts: Sequence[str]) -> Any:
        """Return the value."""
        return read_number(texts[0]) if texts[0] else None
