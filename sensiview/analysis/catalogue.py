"""The analyses this program knows, by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sensiview.analysis.contract import Analysis
from sensiview.errors import SensiViewError, UserError, suggestion

if TYPE_CHECKING:
    from sensiview.datasets.generators import Generator
    from sensiview.numerics.screening.partition import Partition


class Catalogue:
    """Analyses by key, by rank and then in the order in which they were found. Built once, then handed around.

    Attributes
    ----------
    partitions, generators : dict
        By key, those of plugins: what screenings cut inputs with, and what makes inputs from their meaning.
    """

    def __init__(self, analyses: Iterable[Analysis[Any]] = ()) -> None:
        self.partitions: dict[str, Partition] = {}
        self.generators: dict[str, Generator] = {}
        self._by_key: dict[str, Analysis[Any]] = {}
        for analysis in analyses:
            self.add(analysis)

    def add(self, analysis: Analysis[Any]) -> None:
        """Add one analysis; a key that is taken is refused."""
        if analysis.key in self._by_key:
            raise SensiViewError(f"Two analyses call themselves '{analysis.key}'. Remove one of the plugins.")
        self._by_key[analysis.key] = analysis

    def __getitem__(self, key: str) -> Analysis[Any]:
        if key not in self._by_key:
            raise UserError(f"There is no analysis '{key}'.{suggestion(key, list(self._by_key))}")
        return self._by_key[key]

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[Analysis[Any]]:
        return iter(sorted(self._by_key.values(), key=lambda analysis: analysis.rank))

    def __len__(self) -> int:
        return len(self._by_key)
