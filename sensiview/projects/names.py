"""Names that users give, and how something is found by what they type."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Collection, Iterable

from sensiview.errors import ProjectError, UserError, suggestion
from sensiview.projects.records import Kind, RunRecord

TABLES: dict[Kind, str] = {"dataset": "datasets", "model": "models", "run": "runs"}
WORDS: dict[Kind, str] = {"dataset": "data set", "model": "model", "run": "run"}
_LONGEST = 200


def clean_name(name: str) -> str:
    """Return a name on one line, composed Unicode, without control characters.

    Raises
    ------
    ProjectError
        Nothing is left of it, or it is longer than 200 characters.
    """
    composed = unicodedata.normalize("NFC", " ".join(name.split()))
    cleaned = "".join(letter for letter in composed if unicodedata.category(letter)[0] != "C").strip()
    if not cleaned:
        raise ProjectError("A name needs at least one visible character.")
    if len(cleaned) > _LONGEST:
        raise ProjectError(f"The name is too long ({len(cleaned)} characters). Use at most {_LONGEST}.")
    return cleaned


def unique_name(wanted: str, taken: Collection[str]) -> str:
    """Return the name, or the name with " 2", " 3", ... behind it, that is not taken; case does not count."""
    folded = {name.casefold() for name in taken}
    if wanted.casefold() not in folded:
        return wanted
    number = 2
    while f"{wanted} {number}".casefold() in folded:
        number += 1
    return f"{wanted} {number}"


def taken_names(connection: sqlite3.Connection, kind: Kind, *, but: str = "") -> set[str]:
    """Return names and identifiers that something of this kind outside the trash has, without those of `but`."""
    rows = connection.execute(f"SELECT id, name FROM {TABLES[kind]} WHERE deleted = '' AND id != ?", (but,))
    return {text for row in rows for text in row}


def choose(kind: Kind, wanted: str, rows: list[tuple[str, str, str]]) -> str:
    """Return the identifier for what the user typed: an identifier, or a name (case counts only when it must).

    `rows` holds (id, name, deleted) of everything of this kind.

    Raises
    ------
    UserError
        There is none, with the nearest name; or it lies in the trash.
    """
    alive = [(identifier, name) for identifier, name, deleted in rows if not deleted]
    for matches in (
        [identifier for identifier, _ in alive if identifier == wanted],
        [identifier for identifier, name in alive if name == wanted],
        [identifier for identifier, name in alive if name.casefold() == wanted.strip().casefold()],
    ):
        if matches:
            return matches[0]
    word = WORDS[kind]
    if any(wanted in (identifier, name) for identifier, name, deleted in rows if deleted):
        raise UserError(f"The {word} '{wanted}' lies in the trash. Restore it first.")
    known = [name for _, name in alive]
    near = suggestion(wanted, known + [identifier for identifier, _ in alive]) if alive else ""
    if near.startswith(" Known"):
        near = suggestion(wanted, known)
    raise UserError(f"There is no {word} '{wanted}' in the project.{near or ' It has none yet.' * (not alive)}")


def name_asked_for(run: RunRecord, others: Iterable[RunRecord]) -> str:
    """Return the name of a training's model: not "net 2" where "net" is only a training that came to nothing."""
    first, _, number = run.name.rpartition(" ")
    if not number.isdecimal():
        return run.name
    vain = any(other.name == first and other.kind == "training" and not other.model for other in others)
    return first if vain else run.name
