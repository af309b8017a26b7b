"""A project: the folder in which data sets, models, runs and views are kept."""

from __future__ import annotations

import json
from typing import Any

from sensiview.errors import UserError, suggestion
from sensiview.projects.integrity import Says, verify
from sensiview.projects.records import Finding, now
from sensiview.projects.trash import Trash


class Project(Trash):
    """An open project: ``NAME.sensiview/`` with its database, ``runs/ID/``, and files that were copied in.

    Made by `create`, opened by `open`; a context manager. One program at a time may write, others read.
    All methods may be called from any thread of the process: one connection stands behind one lock,
    changes are whole transactions, and everything returned is a value of its own, never a cursor.
    Files are absolute paths outside, and relative to the project inside.

    Every change raises `ProjectError` with a sentence when the project is read-only, the disk is full or the
    database is damaged, and then nothing has changed.

    Examples
    --------
    >>> with Project.create("study") as project:  # doctest: +SKIP
    ...     data = project.add_dataset(card, ["pima.csv"])
    ...     run = project.new_run(analysis="sobol", dataset=data.id, parameters={"n": 1024})
    """

    def views(self) -> list[str]:
        """Return the names of the saved views."""
        return [str(row[0]) for row in self._database.rows("SELECT name FROM views ORDER BY name")]

    def save_view(self, name: str, value: Any) -> None:
        """Keep JSON values under a name: a window layout, the state of a viewer. Replaces what was there."""
        text = json.dumps(value)
        with self._database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO views VALUES (?, ?, ?)", (name, now(), text))

    def load_view(self, name: str) -> Any:
        """Return the values that `save_view` kept.

        Raises
        ------
        UserError
            There is no view of that name.
        """
        found = self._database.rows("SELECT value FROM views WHERE name = ?", (name,))
        if not found:
            raise UserError(f"There is no saved view '{name}'.{suggestion(name, self.views())}")
        return json.loads(str(found[0][0]))

    def delete_view(self, name: str) -> None:
        """Forget a saved view; nothing happens when there is none."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM views WHERE name = ?", (name,))

    def verify(self, say: Says | None = None) -> list[Finding]:
        """Check every file, hash, run and folder; see `sensiview.projects.integrity`.

        `say` is told what is being looked at. An empty list means that all is well.
        """
        return verify(self, say)
