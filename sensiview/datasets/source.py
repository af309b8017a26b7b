"""A data set that can be opened: its card and its files."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sensiview.datasets.card import DatasetCard
from sensiview.files import FileReference


class DatasetSource(BaseModel):
    """A data set that a worker can open. Paths are absolute here, relative where possible in the project."""

    model_config = ConfigDict(frozen=True)

    id: str
    card: DatasetCard
    files: tuple[FileReference, ...]
