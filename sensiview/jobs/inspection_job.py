"""The job that opens a model which is being added: safely, and with a table of how its keys fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sensiview.analysis.items import IndexTable, Item, Note
from sensiview.analysis.result import Result
from sensiview.errors import UserError
from sensiview.files import verify, write_atomically
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.task import Task
from sensiview.models.card import ModelCard

if TYPE_CHECKING:
    from sensiview.models.architectures import Architecture
    from sensiview.models.key_report import KeyReport

MODEL_CARD = "model_card.json"


def inspect(
    task: Task, device: str, progress: JobProgress, architectures: Mapping[str, Architecture]
) -> tuple[Result, dict[str, Any]]:
    """Load the model's files and write ``model_card.json`` into the run's folder.

    Returns the table of keys, and nothing more for the run's record.

    Raises
    ------
    ModelError
        The files can't be used; its details hold the table when the keys don't fit.
    """
    from sensiview.models.opening import inspect_model

    if task.model is None:
        raise UserError("Choose a file with weights, or an exported program.")
    progress.stage("Reading the model")
    for file in (task.model.weights, task.model.program):
        if file is not None:
            verify(file)
    progress.advance(0)
    found = inspect_model(task.model, architectures=architectures, device=device)
    for sentence in found.card.notes:
        progress.warn(sentence)
    write_card(found.card, task)
    return Result({"keys": _keys(found.keys)}), {}


def write_card(card: ModelCard, task: Task) -> None:
    """Write a model's card into the run's folder."""
    text = card.model_dump_json(indent=1)
    write_atomically(task.directory / MODEL_CARD, lambda stream: stream.write(text.encode("utf-8")))


def _keys(report: KeyReport | None) -> Item:
    import pandas as pd

    if report is None:
        return Note(title="Keys", text="An exported program brings its own weights; there are no keys to compare.")
    columns = ["key", "state", "file_shape", "model_shape"]
    return IndexTable(
        title="Keys of the weights",
        description="Every tensor of the file and of the network; what does not fit comes first.",
        frame=pd.DataFrame(report.rows(), columns=columns, dtype="str"),
        keys=("key",),
        values=(),
        plot="none",
    )
