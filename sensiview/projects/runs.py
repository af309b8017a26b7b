"""The runs of a project and their queue."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sensiview.errors import ProjectError, SensiViewError
from sensiview.files import write_atomically
from sensiview.projects.folder import ProjectFolder
from sensiview.projects.locking import writer_is_gone
from sensiview.projects.names import TABLES, choose, clean_name, taken_names, unique_name
from sensiview.projects.records import Kind, RunKind, RunRecord, now, program_versions
from sensiview.projects.rows import run_record, to_text

RECORD = "run.json"
_INTERRUPTED = "SensiView ended while this run was going on. Resume it: it continues from its last checkpoint."


class Runs(ProjectFolder):
    """Runs: made, followed, found. The folder of a run holds what its job writes.

    Each run's folder also keeps the record as ``run.json``, written when the run is made and when its
    state or name changes, so that a folder explains itself and a restored project takes it in again.
    """

    def runs(self) -> list[RunRecord]:
        """Return the runs outside the trash, oldest first."""
        rows = self._database.rows("SELECT id, record FROM runs WHERE deleted = '' ORDER BY created, rowid")
        read = (self._or_skip(lambda row: run_record(str(row[1]), str(row[0])), row) for row in rows)
        return [self._as_seen(record) for record in read if record is not None]

    def _as_seen(self, record: RunRecord) -> RunRecord:
        """A reader can't mark the runs of a program that was killed; it shows them as what they are."""
        if record.state == "running" and self.read_only and writer_is_gone(self.path):
            return record.model_copy(update={"state": "interrupted", "message": _INTERRUPTED})
        return record

    def run(self, wanted: str) -> RunRecord:
        """Return a run by identifier or name.

        Raises
        ------
        UserError
            There is none, or it lies in the trash.
        """
        found = self._database.rows("SELECT record FROM runs WHERE id = ? AND deleted = ''", (wanted,))
        if found:
            return self._as_seen(run_record(str(found[0][0]), wanted))
        rows = self._database.rows("SELECT id, name, deleted FROM runs ORDER BY created, rowid")
        identifier = choose("run", wanted, [(str(i), str(n), str(d)) for i, n, d in rows])
        return self._record(identifier)

    def run_directory(self, identifier: str) -> Path:
        """Return the folder of a run, made if it is not there and the project may be written."""
        directory = self.path / "runs" / self.run(identifier).id
        if not self.read_only:
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise _no_folder(directory, error) from error
        return directory

    def new_run(
        self,
        *,
        kind: RunKind = "analysis",
        analysis: str = "",
        revision: int = 1,
        parameters: Mapping[str, Any] | None = None,
        dataset: str | None = None,
        model: str | None = None,
        device: str = "auto",
        seed: int = 1,
        batch_size: int | None = None,
        name: str = "",
        extends: str | None = None,
    ) -> RunRecord:
        """Make a run, its folder and its place at the end of the queue.

        `dataset` and `model` are identifiers; a `name` that is taken gets a number, none takes the identifier's.

        Raises
        ------
        UserError
            The data set or model is not there.
        ProjectError
            The project can't be written.
        """
        prefix = re.sub(r"[^a-z0-9_-]+", "_", (analysis or kind).lower())
        directory: Path | None = None
        try:
            with self._database.writing() as connection:
                identifier, number = self._free_identifier(connection, prefix)
                data, data_name = _chosen(connection, "dataset", dataset)
                network, model_name = _chosen(connection, "model", model)
                record = RunRecord(
                    id=identifier,
                    name=unique_name(clean_name(name or identifier), taken_names(connection, "run")),
                    kind=kind,
                    analysis=analysis,
                    revision=revision,
                    parameters=dict(parameters or {}),
                    dataset=data,
                    dataset_name=data_name,
                    model=network,
                    model_name=model_name,
                    device=device,
                    seed=seed,
                    batch_size=batch_size,
                    created=now(),
                    versions=program_versions(),
                    extends=extends,
                )
                _insert(connection, record, number)
                _enqueue(connection, identifier)
                directory = self.path / "runs" / identifier
                directory.mkdir(parents=True)
                self._describe(record)
        except BaseException as error:
            # Whether the folder or the database refused: neither keeps half a run.
            if directory is not None:
                shutil.rmtree(directory, ignore_errors=True)
                if isinstance(error, OSError):
                    raise _no_folder(directory, error) from error
            raise
        return record

    def update_run(self, wanted: str, **fields: Any) -> RunRecord:
        """Change fields of a run's record and return it; the queue follows its state.

        Raises
        ------
        SensiViewError
            A field that a record does not have, or a value that it can't take.
        ProjectError
            The project can't be written.
        """
        unknown = set(fields) - set(RunRecord.model_fields)
        if unknown:
            raise SensiViewError(f"A run has no field {', '.join(sorted(unknown))}.")
        with self._database.writing() as connection:
            old = self.run(wanted)
            if "name" in fields:
                others = taken_names(connection, "run", but=old.id)
                fields["name"] = unique_name(clean_name(str(fields["name"])), others)
            try:
                record = RunRecord.model_validate({**old.model_dump(), **fields, "id": old.id})
            except ValidationError as error:
                raise SensiViewError(f"The record of run '{old.id}' can't take that.", details=str(error)) from None
            connection.execute(
                "UPDATE runs SET name = ?, state = ?, record = ? WHERE id = ?",
                (record.name, record.state, to_text(record), record.id),
            )
            if record.state != "queued":
                connection.execute("DELETE FROM queue WHERE run = ?", (record.id,))
            elif old.state != "queued":
                _enqueue(connection, record.id)
        if (record.state, record.name) != (old.state, old.name):
            with contextlib.suppress(OSError):  # the database is what counts
                self._describe(record)
        return record

    def queue(self) -> list[str]:
        """Return the identifiers of the queued runs, next first."""
        query = "SELECT run FROM queue JOIN runs ON runs.id = queue.run WHERE deleted = '' ORDER BY position"
        return [str(row[0]) for row in self._database.rows(query)]

    def reorder_queue(self, order: Sequence[str]) -> None:
        """Put queued runs into this order; those not named keep theirs, behind."""
        with self._database.writing() as connection:
            present = self.queue()
            first = [identifier for identifier in dict.fromkeys(order) if identifier in present]
            rest = [identifier for identifier in present if identifier not in first]
            connection.execute("DELETE FROM queue")
            connection.executemany(
                "INSERT INTO queue VALUES (?, ?)", [(run, place) for place, run in enumerate(first + rest, start=1)]
            )

    def _opened(self) -> None:
        """Runs that were going on when the last program ended are interrupted: no other process can have them."""
        super()._opened()
        if not self._database.rows("SELECT 1 FROM runs WHERE state = 'running' LIMIT 1"):
            return
        with self._database.writing():
            for (identifier,) in self._database.rows("SELECT id FROM runs WHERE state = 'running' AND deleted = ''"):
                self.update_run(str(identifier), state="interrupted", message=_INTERRUPTED, finished=now())

    def _adopt_runs(self) -> int:
        """Take in runs whose folders hold a record that the database does not know: made since its backup."""
        adopted = 0
        known = {str(row[0]) for row in self._database.rows("SELECT id FROM runs")}
        for path in sorted((self.path / "runs").glob(f"*/{RECORD}")):
            identifier = path.parent.name
            if identifier in known:
                continue
            try:
                record = run_record(path.read_text(encoding="utf-8"), identifier)
            except (OSError, ValueError, ProjectError):
                continue
            state = "interrupted" if record.state in ("running", "queued") else record.state
            with self._database.writing() as connection:
                name = unique_name(record.name, taken_names(connection, "run"))
                number = int(identifier.rpartition("-")[2]) if identifier[-1:].isdigit() else 0
                record = record.model_copy(update={"id": identifier, "name": name, "state": state})
                _insert(connection, record, number)
            adopted += 1
        return adopted

    def _free_identifier(self, connection: sqlite3.Connection, prefix: str) -> tuple[str, int]:
        while True:
            number = self._next_number(connection, prefix)
            identifier = f"{prefix}-{number:04d}"
            # A folder may be there that this database does not know, after a backup was put back.
            if not (self.path / "runs" / identifier).exists():
                return identifier, number

    def _record(self, identifier: str) -> RunRecord:
        rows = self._database.rows("SELECT record FROM runs WHERE id = ?", (identifier,))
        return run_record(str(rows[0][0]), identifier)

    def _describe(self, record: RunRecord) -> None:
        """Write ``run.json`` into the run's folder; raises OSError."""
        text = json.dumps(record.model_dump(mode="json"), indent=1).encode()
        write_atomically(self.path / "runs" / record.id / RECORD, lambda stream: stream.write(text))


def _insert(connection: sqlite3.Connection, record: RunRecord, number: int) -> None:
    connection.execute(
        "INSERT INTO runs (id, number, name, created, state, record) VALUES (?, ?, ?, ?, ?, ?)",
        (record.id, number, record.name, record.created, record.state, to_text(record)),
    )


def _chosen(connection: sqlite3.Connection, kind: Kind, wanted: str | None) -> tuple[str | None, str]:
    """Return identifier and name of what a run is made on."""
    if wanted is None:
        return None, ""
    rows = connection.execute(f"SELECT id, name, deleted FROM {TABLES[kind]}").fetchall()
    identifier = choose(kind, wanted, rows)
    return identifier, next(str(name) for known, name, _ in rows if known == identifier)


def _enqueue(connection: sqlite3.Connection, identifier: str) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO queue VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM queue))", (identifier,)
    )


def _no_folder(directory: Path, error: OSError) -> ProjectError:
    return ProjectError(
        f"The folder of the run, '{directory}', can't be written ({error.strerror or error}). "
        "Check free space and permissions, then try again."
    )
