"""What a worker is asked to do: plain values that travel as one line of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.files import FileReference
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
    """A finished run that a study takes as input."""

    model_config = ConfigDict(frozen=True)

    id: str
    directory: Path


class Task(BaseModel):
    """One job.

    ``analysis`` runs `analysis` and writes items into `directory`; ``training`` trains `model.card`'s
    architecture on `dataset` and writes ``model.safetensors``, ``model_card.json`` and curves;
    ``inspection`` loads the weights, and writes ``model_card.json`` and the table of keys.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["analysis", "training", "inspection"]
    run: str
    directory: Path
    analysis: str = ""
    parameters: dict[str, Any] = {}
    dataset: DatasetSource | None = None
    model: ModelSource | None = None
    runs: tuple[RunSource, ...] = ()
    device: str = "auto"
    seed: int = 1
    batch_size: int | None = None
    # A checkpoint to go on from; of this run when it was interrupted, of another when it is extended.
    checkpoint: Path | None = None
