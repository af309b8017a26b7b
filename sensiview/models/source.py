"""A model that can be opened: its card and its files."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sensiview.files import FileReference
from sensiview.models.card import ModelCard


class ModelSource(BaseModel):
    """A named architecture with weights, or an exported program (``.pt2``). Paths are absolute here."""

    model_config = ConfigDict(frozen=True)

    id: str
    card: ModelCard
    weights: FileReference | None = None
    program: FileReference | None = None
