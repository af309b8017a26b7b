"""Runs again what a record describes: another project, another machine, the same numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sensiview.analysis.catalogue import Catalogue
from sensiview.errors import UserError
from sensiview.projects.records import RunRecord
from sensiview.running import new_analysis

if TYPE_CHECKING:
    from sensiview.projects.store import Project


def new_from_record(project: Project, catalogue: Catalogue, record: Mapping[str, Any]) -> RunRecord:
    """Queue again what a ``record.json`` describes, on the same data and model in this project.

    Data and model are found by SHA-256, so their names may differ.

    Raises
    ------
    UserError
        The project does not hold the same data or model, or the analysis has changed its numbers since.
    """
    prints = record.get("fingerprints") or {}
    dataset = _same(prints.get("dataset"), [(d.id, [f.sha256 for f in d.files]) for d in project.datasets()])
    model = _same(
        prints.get("model"),
        [(m.id, [f.sha256 for f in (m.weights, m.program) if f is not None]) for m in project.models()],
    )
    if prints.get("dataset") and dataset is None:
        raise UserError("This project holds no data set with the content that the record names. Add that file first.")
    if prints.get("model") and model is None:
        raise UserError("This project holds no model with the weights that the record names. Add those weights first.")
    if record.get("kind") == "training":
        raise UserError("The record is of a training. Train again with 'sensiview train'; its parameters are in it.")
    if record.get("kind") == "preparation":
        raise UserError("The record is of a job that made a data set, not of an analysis. Make the data set again.")
    return new_analysis(
        project,
        catalogue,
        str(record["analysis"]),
        dataset=dataset,
        model=model,
        parameters=record["parameters"],
        device=str(record.get("device") or "auto").split(" ")[0],
        seed=int(record.get("seed") or 1),
        batch_size=record.get("batch_size"),
        name=str(record.get("name") or ""),
    )


def _same(wanted: object, offered: Sequence[tuple[str, Sequence[str]]]) -> str | None:
    hashes = set(wanted if isinstance(wanted, list) else [wanted]) - {None}
    for identifier, own in offered:
        if hashes and hashes <= set(own):
            return identifier
    return None
