"""Renaming, and deleting to the trash: nothing leaves the disk before the trash is emptied."""

from __future__ import annotations

import json
import shutil

from sensiview.errors import ProjectError, SensiViewError
from sensiview.projects.names import TABLES, WORDS, choose, clean_name, taken_names, unique_name
from sensiview.projects.records import Kind, RunRecord, Trashed, now
from sensiview.projects.runs import Runs
from sensiview.projects.sources import Sources

_FOLDERS: dict[Kind, str] = {"dataset": "data", "model": "models", "run": "runs"}


class Trash(Sources, Runs):
    """What the project tree does: rename, delete, restore, empty."""

    def rename(self, kind: Kind, identifier: str, name: str) -> str:
        """Give something another name and return the name it got; one that is taken gets a number.

        Runs keep the name that their data set or model had when they were made.

        Raises
        ------
        ProjectError
            An empty or too long name; the project can't be written.
        UserError
            Unknown identifier.
        """
        if kind == "run":
            return self.update_run(identifier, name=name).name
        with self._database.writing() as connection:
            found = self._find(kind, identifier)
            free = unique_name(clean_name(name), taken_names(connection, kind, but=found))
            (text,) = connection.execute(f"SELECT card FROM {TABLES[kind]} WHERE id = ?", (found,)).fetchone()
            card = json.dumps({**json.loads(text), "name": free})
            connection.execute(f"UPDATE {TABLES[kind]} SET name = ?, card = ? WHERE id = ?", (free, card, found))
        return free

    def delete(self, kind: Kind, identifier: str) -> None:
        """Move something to the trash; runs on a deleted data set or model stay and can still be read.

        Raises
        ------
        ProjectError
            A run that is going on; the project can't be written.
        UserError
            Unknown identifier.
        """
        with self._database.writing() as connection:
            found = self._find(kind, identifier)
            if kind == "run":
                if self._record(found).state == "running":
                    raise ProjectError(f"The run '{found}' is going on. Stop it before you delete it.")
                connection.execute("DELETE FROM queue WHERE run = ?", (found,))
            connection.execute(f"UPDATE {TABLES[kind]} SET deleted = ? WHERE id = ?", (now(), found))

    def restore(self, kind: Kind, identifier: str) -> str:
        """Take something out of the trash and return its name, numbered when it was taken meanwhile.

        A run that was queued comes back as "stopped": it can be resumed.
        """
        with self._database.writing() as connection:
            query = f"SELECT name FROM {TABLES[kind]} WHERE id = ? AND deleted != ''"
            found = connection.execute(query, (identifier,)).fetchone()
            if found is None:
                raise ProjectError(f"There is no {WORDS[kind]} '{identifier}' in the trash.")
            free = unique_name(str(found[0]), taken_names(connection, kind))
            connection.execute(f"UPDATE {TABLES[kind]} SET deleted = '' WHERE id = ?", (identifier,))
            if kind == "run" and self._record(identifier).state == "queued":
                self.update_run(identifier, state="stopped", message="It was in the trash. Resume it to run it.")
            self.rename(kind, identifier, free)
        return free

    def trash(self) -> list[Trashed]:
        """Return what lies in the trash, last deleted first."""
        found = []
        for kind, table in TABLES.items():
            rows = self._database.rows(f"SELECT id, name, deleted FROM {table} WHERE deleted != ''")
            found += [Trashed(kind, str(i), str(name), str(deleted)) for i, name, deleted in rows]
        return sorted(found, key=lambda trashed: trashed.deleted, reverse=True)

    def empty_trash(self) -> list[str]:
        """Remove what lies in the trash for good, with its folders; files outside the project stay.

        Returns
        -------
        list of str
            Sentences about folders that could not be removed; `verify` names them again.
        """
        going = self.trash()
        with self._database.writing() as connection:
            for trashed in going:
                connection.execute(f"DELETE FROM {TABLES[trashed.kind]} WHERE id = ?", (trashed.id,))
        stuck = []
        for trashed in going:
            folder = self.path / _FOLDERS[trashed.kind] / trashed.id
            try:
                if folder.is_dir():
                    shutil.rmtree(folder)
            except OSError as error:
                stuck.append(f"The folder '{folder}' could not be removed ({error.strerror or error}).")
        return stuck

    def used_by(self, kind: Kind, identifier: str) -> list[RunRecord]:
        """Return the runs outside the trash that were made on a data set or with a model."""
        if kind == "run":
            return [run for run in self.runs() if run.extends == identifier]
        return [run for run in self.runs() if identifier == (run.dataset if kind == "dataset" else run.model)]

    def _find(self, kind: Kind, wanted: str) -> str:
        if kind not in TABLES:
            raise SensiViewError(f"A project holds no '{kind}'.")
        rows = self._database.rows(f"SELECT id, name, deleted FROM {TABLES[kind]}")
        return choose(kind, wanted, [(str(i), str(n), str(d)) for i, n, d in rows])
