"""What a worker is asked to do: plain values that travel as one line of JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sensiview.analysis.sources import DatasetSource, ModelSource, RunSource

__all__ = ["DatasetSource", "ModelSource", "RunSource", "Task"]


class Task(BaseModel):
    """One job.

    ``analysis`` runs `analysis` and writes items into `directory`; ``training`` trains `model.card`'s
    architecture on `dataset` and writes ``model.safetensors``, ``model_card.json`` and curves;
    ``preparation`` makes a data set (`analysis` says how: resampling, simulation, biased_digits) and writes its files
    and card;
    ``inspection`` loads the weights, and writes ``model_card.json`` and the table of keys.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["analysis", "training", "inspection", "preparation"]
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
