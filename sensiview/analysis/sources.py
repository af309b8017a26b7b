"""What a project hands to a job: data sets, models and finished runs with their files, as plain values."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sensiview.datasets.card import DatasetCard
from sensiview.files import FileReference
from sensiview.models.card import ModelCard


class DatasetSource(BaseModel):
    """A data set that a worker can open."""

    model_config = ConfigDict(frozen=True)

    id: str
    card: DatasetCard
    files: tuple[FileReference, ...]


class ModelSource(BaseModel):
    """A model that a worker can open: a named architecture with weights, or an exported program."""

    model_config = ConfigDict(frozen=True)

    id: str
    card: ModelCard
    weights: FileReference | None = None
    program: FileReference | None = None


class RunSource(BaseModel):
    """A finished run that a study takes as input, with the data set and the model it was made with."""

    model_config = ConfigDict(frozen=True)

    id: str
    directory: Path
    name: str = ""
    analysis: str = ""
    dataset: DatasetSource | None = None
    model: ModelSource | None = None
