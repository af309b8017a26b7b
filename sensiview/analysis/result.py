"""What a run gives back: named items and how they came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sensiview.analysis.items import Item
from sensiview.errors import UserError, suggestion


class UnknownItemError(UserError, KeyError):
    """An item that the result does not have; a KeyError too, so that `get` and ``in`` answer as in any mapping."""

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Result(Mapping[str, Item]):
    """Items by name, in the order in which they are shown.

    Parameters
    ----------
    items : mapping
        Names are those of the method's definition (``first_total``, ``second_order``, ...).
    evaluations : int
        Model evaluations (rows through the network) that this run made itself.
    warnings : tuple of str
        Sentences kept with the run.
    seconds : float
        Wall time.
    facts : mapping
        JSON values about how it was computed: device, ``rows_per_second``, ``trains`` (True when the
        evaluations were training, so that their speed says nothing of the model's).
    """

    items_by_name: Mapping[str, Item]
    evaluations: int = 0
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Item:
        if name not in self.items_by_name:
            raise UnknownItemError(f"The result has no item '{name}'.{suggestion(name, list(self.items_by_name))}")
        return self.items_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.items_by_name)

    def __len__(self) -> int:
        return len(self.items_by_name)
