"""Between the JSON text of a row and its typed value."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TypeVar

from pydantic import BaseModel

from sensiview.datasets.card import DatasetCard
from sensiview.models.card import ModelCard
from sensiview.projects.problems import UnreadableEntry
from sensiview.projects.records import RunRecord

M = TypeVar("M", bound=BaseModel)


def to_text(value: BaseModel) -> str:
    """Return a value as JSON, ASCII, for a column."""
    return json.dumps(value.model_dump(mode="json"))


# The window asks for them at every change of the selection; a table of 10,000 columns, or a thousand runs, take a
# while to read. What is returned is shared, and not to be changed in place.
@lru_cache(maxsize=256)
def dataset_card(text: str, identifier: str) -> DatasetCard:
    """Return the card in a row's text; UnreadableEntry when it is none."""
    return _parsed(DatasetCard, text, identifier)


@lru_cache(maxsize=256)
def model_card(text: str, identifier: str) -> ModelCard:
    """Return the card in a row's text; UnreadableEntry when it is none."""
    return _parsed(ModelCard, text, identifier)


@lru_cache(maxsize=4096)
def run_record(text: str, identifier: str) -> RunRecord:
    """Return the record in a row's text; UnreadableEntry when it is none."""
    return _parsed(RunRecord, text, identifier)


def _parsed(kind: type[M], text: str, identifier: str) -> M:
    try:
        return kind.model_validate(json.loads(text))
    except ValueError as error:  # JSON and pydantic both raise kinds of it
        raise UnreadableEntry(identifier, details=str(error)) from None
