"""The data sets and models of a project, and the files they refer to."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from sensiview.analysis.sources import DatasetSource, ModelSource
from sensiview.datasets.card import DatasetCard
from sensiview.errors import DataError, UserError
from sensiview.files import FileReference
from sensiview.models.card import ModelCard
from sensiview.projects.folder import ProjectFolder
from sensiview.projects.locking import WriterLock
from sensiview.projects.moved_files import Relocated, found_along, moved_folder
from sensiview.projects.names import TABLES, WORDS, choose, clean_name, taken_names, unique_name
from sensiview.projects.opening import Opened
from sensiview.projects.records import now
from sensiview.projects.references import copy_in, difference, examine, from_stored, move_in, to_stored
from sensiview.projects.rows import dataset_card, model_card, to_text

SourceKind: TypeAlias = Literal["dataset", "model"]
Taken: TypeAlias = Literal["where they lie", "copied", "moved"]
_FILES: dict[SourceKind, str] = {"dataset": "data", "model": "models"}


class Sources(ProjectFolder):
    """Data sets and models: added, described, found, moved. Rows keep JSON, callers get typed values."""

    def __init__(self, path: Path, opened: Opened, lock: WriterLock | None, notice: str = "") -> None:
        self._found: dict[str, dict[str, FileReference]] = {}
        super().__init__(path, opened, lock, notice)

    def datasets(self) -> list[DatasetSource]:
        """Return the data sets outside the trash, in the order in which they were added."""
        return [source for row in self._rows("dataset") if (source := self._or_skip(self._dataset, row))]

    def dataset(self, wanted: str) -> DatasetSource:
        """Return a data set by identifier or name; files with absolute paths.

        Raises
        ------
        UserError
            There is none, or it lies in the trash.
        """
        return self._dataset(self._row("dataset", wanted))

    def add_dataset(
        self, card: DatasetCard, files: Sequence[Path | str], *, copy: bool = False, move: bool = False
    ) -> DatasetSource:
        """Add a data set; its files are fingerprinted, and copied into the project if `copy`.

        `move` is for files that lie in the project already, thousands of them perhaps, and have no other place to
        stay. A name that is taken gets a number.

        Raises
        ------
        DataError
            No file, or one that can't be read.
        ProjectError
            The project can't be written.
        """
        if not files:
            raise DataError(f"The data set '{card.name}' has no file. Choose at least one.")
        taken: Taken = "moved" if move else "copied" if copy else "where they lie"
        return self.dataset(self._add("dataset", card, {str(i): Path(f) for i, f in enumerate(files)}, taken))

    def update_dataset_card(self, identifier: str, card: DatasetCard) -> DatasetSource:
        """Replace what is known of a data set (a target chosen, statistics measured)."""
        self._update_card("dataset", identifier, card)
        return self.dataset(identifier)

    def models(self) -> list[ModelSource]:
        """Return the models outside the trash, in the order in which they were added."""
        return [source for row in self._rows("model") if (source := self._or_skip(self._model, row))]

    def model(self, wanted: str) -> ModelSource:
        """Return a model by identifier or name; files with absolute paths.

        Raises
        ------
        UserError
            There is none, or it lies in the trash.
        """
        return self._model(self._row("model", wanted))

    def add_model(
        self,
        card: ModelCard,
        *,
        weights: Path | str | None = None,
        program: Path | str | None = None,
        copy: bool = True,
    ) -> ModelSource:
        """Add a model: the weights of a named architecture, or an exported program; copied in unless told not to.

        Raises
        ------
        DataError
            A file can't be read.
        ProjectError
            The project can't be written.
        """
        given = {"weights": weights, "program": program}
        files = {role: Path(path) for role, path in given.items() if path is not None}
        return self.model(self._add("model", card, files, "copied" if copy else "where they lie"))

    def update_model_card(self, identifier: str, card: ModelCard) -> ModelSource:
        """Replace what is known of a model (accuracy, measured speed)."""
        self._update_card("model", identifier, card)
        return self.model(identifier)

    def relocate(self, identifier: str, index: int, new_path: Path | str) -> Relocated:
        """Say where a moved file of a data set or model lies now; it must be the same file.

        Other files that are gone and lie there too, below the same folder as before, are found with it. `index` counts
        the files of a data set from 0; a model's are its weights, then its program.

        Raises
        ------
        DataError
            The file is another one: size or SHA-256 differ.
        UserError
            Unknown identifier or index.
        """
        kind: SourceKind = "model" if identifier.startswith("model-") else "dataset"
        row = self._row(kind, identifier)
        files: dict[str, Any] = json.loads(row[2])
        if not 0 <= index < len(files):
            raise UserError(f"The {WORDS[kind]} '{identifier}' has {len(files)} files; there is no number {index}.")
        role = list(files)[index]
        old, found = from_stored(files[role], self.path), examine(Path(new_path))
        if (found.size, found.sha256) != (old.size, old.sha256):
            raise DataError(
                f"'{found.path.name}' is not the file that was added as '{old.path.name}': "
                f"{difference(old, found.path)}. Choose the original file, or add this one as a new {WORDS[kind]}."
            )
        files[role] = to_stored(found, self.path)
        others = {other: from_stored(stored, self.path) for other, stored in files.items() if other != role}
        along, gone = found_along(others, moved_folder(old.path, found.path))
        files |= {other: to_stored(examine(path), self.path) for other, path in along.items()}
        with self._database.writing() as connection:
            connection.execute(f"UPDATE {TABLES[kind]} SET files = ? WHERE id = ?", (json.dumps(files), row[0]))
        return Relocated(1 + len(along), gone)

    def _add(self, kind: SourceKind, card: DatasetCard | ModelCard, files: Mapping[str, Path], taken: Taken) -> str:
        name = clean_name(card.name)
        # Reserved first: hashing and copying may take long, and must not hold up the window's reads.
        with self._database.writing() as connection:
            number = self._next_number(connection, kind)
        identifier = f"{kind}-{number:04d}"
        own = self.path / _FILES[kind] / identifier
        moved: list[tuple[Path, Path]] = []
        try:
            references = {role: examine(path) for role, path in files.items()}
            if taken == "copied":
                references = {role: copy_in(ref.path, own) for role, ref in references.items()}
            elif taken == "moved":
                for role, reference in references.items():
                    references[role] = move_in(reference, own)
                    moved.append((references[role].path, reference.path))
            stored = {role: to_stored(reference, self.path) for role, reference in references.items()}
            with self._database.writing() as connection:
                self._insert(connection, kind, identifier, number, name, card, stored)
        except BaseException:
            for path, before in moved:
                path.replace(before)
            if taken != "where they lie":
                shutil.rmtree(own, ignore_errors=True)
            raise
        return identifier

    def _insert(
        self,
        connection: sqlite3.Connection,
        kind: SourceKind,
        identifier: str,
        number: int,
        name: str,
        card: DatasetCard | ModelCard,
        stored: Mapping[str, Any],
    ) -> None:
        free = unique_name(name, taken_names(connection, kind))
        connection.execute(
            f"INSERT INTO {TABLES[kind]} (id, number, name, added, card, files) VALUES (?, ?, ?, ?, ?, ?)",
            (identifier, number, free, now(), to_text(card.model_copy(update={"name": free})), json.dumps(stored)),
        )

    def _update_card(self, kind: SourceKind, wanted: str, card: DatasetCard | ModelCard) -> None:
        with self._database.writing() as connection:
            identifier = self._row(kind, wanted)[0]
            name = unique_name(clean_name(card.name), taken_names(connection, kind, but=identifier))
            connection.execute(
                f"UPDATE {TABLES[kind]} SET card = ?, name = ? WHERE id = ?",
                (to_text(card.model_copy(update={"name": name})), name, identifier),
            )

    def _rows(self, kind: SourceKind) -> list[tuple[str, str, str]]:
        query = f"SELECT id, card, files FROM {TABLES[kind]} WHERE deleted = '' ORDER BY number"
        return [(str(i), str(c), str(f)) for i, c, f in self._database.rows(query)]

    def _row(self, kind: SourceKind, wanted: str) -> tuple[str, str, str]:
        names = self._database.rows(f"SELECT id, name, deleted FROM {TABLES[kind]} ORDER BY number")
        identifier = choose(kind, wanted, [(str(i), str(n), str(d)) for i, n, d in names])
        query = f"SELECT id, card, files FROM {TABLES[kind]} WHERE id = ?"
        return next((str(i), str(c), str(f)) for i, c, f in self._database.rows(query, (identifier,)))

    def _dataset(self, row: tuple[str, str, str]) -> DatasetSource:
        identifier, card, files = row
        known = dataset_card(card, identifier)
        return DatasetSource(id=identifier, card=known, files=tuple(self._references(files).values()))

    def _model(self, row: tuple[str, str, str]) -> ModelSource:
        identifier, card, files = row
        references = self._references(files)
        return ModelSource(
            id=identifier,
            card=model_card(card, identifier),
            weights=references.get("weights"),
            program=references.get("program"),
        )

    def _references(self, text: str) -> dict[str, FileReference]:
        # Kept while the project is open: finding a file asks the drive, which may be a slow one.
        if text not in self._found:
            real = self.path.resolve()
            self._found[text] = {
                role: from_stored(stored, self.path, real) for role, stored in json.loads(text).items()
            }
        return self._found[text]
