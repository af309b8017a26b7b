"""Is everything there? Every file, its hash, every run and what lies around unclaimed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from sensiview.analysis.sources import DatasetSource, ModelSource
from sensiview.errors import SensiViewError
from sensiview.files import FileReference
from sensiview.projects.records import Finding, RunRecord, Severity
from sensiview.projects.references import difference
from sensiview.projects.runs import RECORD
from sensiview.projects.schema import has_backups
from sensiview.projects.trash import Trash

Says: TypeAlias = Callable[[str], None]
_OWNED = {"data": "dataset", "models": "model", "runs": "run"}


def verify(project: Trash, say: Says | None = None) -> list[Finding]:
    """Return what is wrong with a project, errors first; empty when all is well.

    Parameters
    ----------
    project : Project
        Open for reading or writing; nothing is changed.
    say : callable or None
        Told in a few words what is being looked at: hashing large files takes a while.
    """
    tell = say or (lambda words: None)
    findings = [
        *_database(project),
        *_files(project, tell),
        *_runs(project, tell),
        *_leftovers(project),
        *(_found("error", sentence, identifier) for identifier, sentence in project.unreadable().items()),
    ]
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(findings, key=lambda finding: order[finding.severity])


def _found(severity: Severity, sentence: str, subject: str = "") -> Finding:
    return Finding(severity=severity, sentence=sentence, subject=subject)


def _database(project: Trash) -> Iterator[Finding]:
    for (verdict,) in project._database.rows("PRAGMA integrity_check(20)"):
        if verdict != "ok":
            yield _found("error", f"The database is damaged: {verdict}. Restore a backup.")
    if not project.read_only and not has_backups(project.path):
        yield _found("note", "There is no backup of the database yet; one is made when the project is closed.")


def _files(project: Trash, tell: Says) -> Iterator[Finding]:
    for dataset in project.datasets():
        tell(f"data set '{dataset.card.name}'")
        for number, reference in enumerate(dataset.files):
            yield from _file(dataset, f"data set '{dataset.card.name}'", number, reference)
    for model in project.models():
        tell(f"model '{model.card.name}'")
        present = [reference for reference in (model.weights, model.program) if reference is not None]
        for number, reference in enumerate(present):
            yield from _file(model, f"model '{model.card.name}'", number, reference)
        if not present:
            yield _found("warning", f"The model '{model.card.name}' has no file of weights.", model.id)


def _file(source: DatasetSource | ModelSource, what: str, number: int, reference: FileReference) -> Iterator[Finding]:
    wrong = difference(reference, reference.path)
    if wrong:
        which = f" (file {number + 1})" if number else ""
        yield _found(
            "error",
            f"The file '{reference.path}' of {what}{which} is not what it was when it was added: {wrong}. "
            "Put the original back, or say where it lies now.",
            source.id,
        )


def _runs(project: Trash, tell: Says) -> Iterator[Finding]:
    datasets = {source.id for source in project.datasets()} | {t.id for t in project.trash()}
    models = {source.id for source in project.models()} | {t.id for t in project.trash()}
    runs = project.runs()
    known_runs = {run.id for run in runs} | {t.id for t in project.trash()}
    for run in runs:
        tell(f"run '{run.id}'")
        directory = project.path / "runs" / run.id
        if not directory.is_dir():
            severe: Severity = "error" if run.state == "succeeded" else "warning"
            yield _found(severe, f"The folder of run '{run.id}' is missing: {directory}.", run.id)
            continue
        if run.state == "succeeded":
            yield from _result(run, directory)
        elif run.state == "interrupted":
            yield _found("note", f"The run '{run.id}' was interrupted. Resume it, or delete it.", run.id)
        if run.dataset and run.dataset not in datasets:
            yield _found(
                "note", f"The data set '{run.dataset_name}' of run '{run.id}' is no longer in the project.", run.id
            )
        if run.model and run.model not in models:
            yield _found("note", f"The model '{run.model_name}' of run '{run.id}' is no longer in the project.", run.id)
        if run.extends and run.extends not in known_runs:
            yield _found("note", f"The run '{run.extends}', which '{run.id}' extends, is no longer there.", run.id)


def _result(run: RunRecord, directory: Path) -> Iterator[Finding]:
    from sensiview.analysis.item_files import read_items  # pandas

    again = "Run it again, or delete it."
    record = directory / "record.json"
    try:
        json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        yield _found("error", f"The run '{run.id}' has no record.json: how it came about is lost. {again}", run.id)
    except (OSError, ValueError) as error:
        yield _found("error", f"The record.json of run '{run.id}' can't be read ({error}). {again}", run.id)
    if not run.items:
        return
    try:
        present = read_items(directory)
    except (SensiViewError, OSError) as error:
        yield _found("error", f"The results of run '{run.id}' can't be read. {error} {again}", run.id)
        return
    for name in run.items:
        if name not in present:
            yield _found("error", f"The result '{name}' of run '{run.id}' is missing. {again}", run.id)
            continue
        try:
            present[name]
        except (SensiViewError, OSError) as error:
            yield _found("error", f"The result '{name}' of run '{run.id}' can't be read. {error} {again}", run.id)


def _leftovers(project: Trash) -> Iterator[Finding]:
    trashed = {entry.id for entry in project.trash()}
    owners = {
        "data": {source.id for source in project.datasets()},
        "models": {source.id for source in project.models()},
        "runs": {run.id for run in project.runs()},
    }
    unreadable = set(project.unreadable())
    for name, known in owners.items():
        folder = project.path / name
        for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
            if entry.name not in known | trashed | unreadable:
                explained = " It can be taken in again by restoring a backup." if (entry / RECORD).is_file() else ""
                yield _found("warning", f"'{entry}' belongs to no {_OWNED[name]} of the project.{explained}")
    for part in sorted(project.path.rglob(".*.part")):
        yield _found("note", f"'{part}' is a file that was never finished. It can be deleted.")
    if trashed:
        yield _found("note", f"The trash holds {len(trashed)} entr{'y' if len(trashed) == 1 else 'ies'}.")
