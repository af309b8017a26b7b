"""What a methods paragraph is written from, and what it consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sensiview.analysis.items import Curve, IndexTable, Item
from sensiview.datasets.card import DatasetCard
from sensiview.models.card import ModelCard
from sensiview.reporting.wording import count


@dataclass(frozen=True)
class MethodsText:
    """One paragraph on what was done, and sentences on what the result can't say."""

    paragraph: str
    limits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What a paragraph is written from: the run's record, its items, and the cards where they are known."""

    record: Mapping[str, Any]
    items: Mapping[str, Item]
    dataset: DatasetCard | None = None
    model: ModelCard | None = None
    # First line of the analysis's help, for analyses that have no paragraph of their own.
    summary: str = ""

    def parameter(self, name: str, default: Any = None) -> Any:
        """Return a parameter's value."""
        value = self.record.get("parameters", {}).get(name)
        return default if value is None else value

    @property
    def network(self) -> str:
        """The model in words."""
        name = f"“{self.record.get('model_name') or 'the model'}”"
        if self.model is None or not self.model.architecture:
            return name
        size = f" with {count(self.model.n_parameters)} parameters" if self.model.n_parameters else ""
        return f"{name} (architecture {self.model.architecture}{size})"

    @property
    def table(self) -> str:
        """The data in words."""
        name = f"“{self.record.get('dataset_name') or 'the data'}”"
        if self.dataset is None or not self.dataset.n_rows:
            return name
        what = {"table": "rows"}.get(self.dataset.kind, self.dataset.kind)
        return f"{name} ({count(self.dataset.n_rows)} {what})"

    def column(self, item: str, column: str) -> list[Any]:
        """Return the distinct values of a column of a table or curve, in order; empty without it."""
        found = self.items.get(item)
        if not isinstance(found, IndexTable | Curve) or column not in found.frame:
            return []
        return list(dict.fromkeys(found.frame[column].tolist()))
