"""Rolling backups of a project's database, and the way back from one."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sensiview.errors import ProjectError
from sensiview.projects.database import Database
from sensiview.projects.schema import DATABASE

_FOLDER = "backup"
_KEPT = 5
_STAMP = "%Y%m%d-%H%M%S"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backup:
    """One backup of the database; `made` is local time as ``2026-11-21 14:02``."""

    path: Path
    made: str


def backups(folder: Path) -> list[Backup]:
    """Return the backups in a project's folder, newest first."""
    found = sorted((folder / _FOLDER).glob("project-*.sqlite"), key=lambda path: path.name, reverse=True)
    return [Backup(path, _when(path)) for path in found]


def keep_backup(database: Database, folder: Path) -> None:
    """Make a backup when the database changed since the last one; keeps the newest five.

    Never stops the program: a full disk costs the backup, not the project.
    """
    existing = backups(folder)
    try:
        if existing and existing[0].path.stat().st_mtime >= _changed(folder):
            return
        target = folder / _FOLDER / f"project-{datetime.now().astimezone().strftime(_STAMP)}.sqlite"
        target.parent.mkdir(exist_ok=True)
        part = target.with_suffix(".part")
        try:
            database.backup_to(part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        for old in backups(folder)[_KEPT:]:
            old.path.unlink(missing_ok=True)
    except (OSError, ProjectError) as error:
        _log.warning("no backup of %s: %s", folder.name, error)


def put_back(folder: Path, wanted: Path | None = None) -> tuple[Backup, Path | None]:
    """Replace the database by its newest backup that can be read, or by `wanted`.

    The replaced files are kept in ``backup/replaced-DATE``. The caller holds the writer's lock.

    Returns
    -------
    tuple of Backup and Path or None
        The backup now in use, and where the replaced database lies.

    Raises
    ------
    ProjectError
        No backup can be read, or the disk refuses.
    """
    chosen = next(iter(_readable(folder, wanted)), None)
    if chosen is None:
        raise ProjectError(
            f"'{folder.name}' holds no backup that can be read. Put back a copy of {DATABASE} from your own backups."
        )
    try:
        replaced = _set_aside(folder)
        part = folder / f"{DATABASE}.part"
        shutil.copyfile(chosen.path, part)
        part.replace(folder / DATABASE)
    except OSError as error:
        raise ProjectError(
            f"The backup of '{folder.name}' could not be put back ({error.strerror or error}). The damaged database "
            f"and the backup both lie in its {_FOLDER} folder. Check free space and permissions, then try again."
        ) from error
    return chosen, replaced


def _changed(folder: Path) -> float:
    """Return when the database last changed; after a crash its newest changes are still in the WAL."""
    stats = [path.stat() for path in (folder / DATABASE, folder / f"{DATABASE}-wal") if path.exists()]
    return max(stat.st_mtime for stat in stats if stat.st_size)


def _readable(folder: Path, wanted: Path | None) -> Iterator[Backup]:
    candidates = backups(folder) if wanted is None else [Backup(wanted, _when(wanted))]
    for backup in candidates:
        try:
            connection = sqlite3.connect(f"{backup.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error:
            continue
        try:
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                yield backup
        except sqlite3.Error:
            continue
        finally:
            connection.close()


def _set_aside(folder: Path) -> Path | None:
    """Move the present database with its WAL out of the way; nothing is deleted."""
    if not (folder / DATABASE).exists():
        return None
    target = folder / _FOLDER / f"replaced-{datetime.now().astimezone().strftime(_STAMP)}"
    target.mkdir(parents=True, exist_ok=True)
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        if (folder / name).exists():
            (folder / name).replace(target / name)
    return target


def _when(path: Path) -> str:
    try:
        made = datetime.strptime(path.stem.removeprefix("project-"), _STAMP)
    except ValueError:
        return path.name
    return made.strftime("%Y-%m-%d %H:%M")
