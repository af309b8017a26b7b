"""A cohort: files, folders and a participants' table in, a data set of volumes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.datasets.cohort_card import Cohort, about_lost, make_cohort_card
from sensiview.datasets.cohort_checks import Examined, about_files, about_grids, examine, group_grids, read_headers
from sensiview.datasets.cohort_files import FileFinding, FoundFiles, find_volumes
from sensiview.datasets.cohort_series import cohort_of_series
from sensiview.datasets.cohort_targets import table_of_volumes, with_target
from sensiview.datasets.describing import listed
from sensiview.datasets.file_entities import entities, short_names
from sensiview.datasets.nifti_files import shown_name, volume_stem
from sensiview.datasets.nifti_header import NiftiHeader
from sensiview.datasets.participants import (
    Matching,
    Participants,
    find_participants,
    is_subject_column,
    match_rows,
    names_none,
    read_participants,
)
from sensiview.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cohort", "FileFinding", "cohort_of_series", "understand_cohort", "with_target"]

_HEADERS_SHARE = 0.1  # of the time


def understand_cohort(
    paths: Sequence[Path],
    *,
    name: str,
    participants: Path | Participants | None = None,
    target: str | None = None,
    frame: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Cohort:
    """Look at volumes and say what they are.

    Headers are read first, then every file once, several at a time: compressed files are checked to their end and
    unpacked into the cache; of very large volumes only some slices are looked at.

    Parameters
    ----------
    paths : sequence of Path
        NIfTI files, and folders that are searched through (BIDS, CAPS or any other).
    name : str
        Of the data set.
    participants : Path or Participants, optional
        The table with labels, groups and folds; looked for beside the files when not given.
    target : str, optional
        The column that holds the class.
    frame : int, optional
        Which volume of 4-D files, from 0.
    on_progress : callable, optional
        Told the share that is done, 0 to 1; what it raises ends the work.

    Returns
    -------
    Cohort
        Files that can't be read are reported and left out.

    Raises
    ------
    DataError
        Nothing is left; the table can't be read or names none of the files; the target column is no good.
    """
    told = on_progress or (lambda share: None)
    found = find_volumes(paths)
    said = list(found.findings)
    headers = read_headers(found.volumes, frame, said, lambda share: told(_HEADERS_SHARE * share))
    headers, label_images = _without_labels(headers, found, said)
    examined = examine(headers, frame, said, lambda share: told(_HEADERS_SHARE + (1 - _HEADERS_SHARE) * share))
    if not examined:
        raise _none_left(said)
    files = [one.path for one in examined]
    names = short_names(files)
    passed_over: list[str] = []
    matched = _participants(participants, files, paths, said, passed_over)
    if target is not None and passed_over:
        raise DataError(f"There is no table with a column '{target}'. {' '.join(passed_over)}")
    grids = group_grids([one.grid for one in examined])
    notes = [*about_grids(grids, names), *about_files(examined, names)]
    table, rows = table_of_volumes(matched, len(files))
    subjects = _subjects(files, names, matched, table, notes)
    stored = [path for one in examined for path in one.header.files]
    reading: dict[str, Any] = {"participants": None, "subject_column": None}
    if matched is not None:
        people, matching = matched
        reading = {
            "participants": len(stored),
            "subject_column": matching.column,
            "table": people.options.to_json(),
        }
        stored.append(people.path)
        notes += [*people.notes, *matching.findings]
    notes += [f.sentence for f in said if f.file is None or f in found.findings]
    card = make_cohort_card(
        name,
        entries=_entries(examined, names, subjects, grids.places, rows, frame),
        grids=grids,
        table=table,
        statistics=[one.statistics for one in examined],
        reading=reading,
        notes=[*notes, *about_lost(said)],
        extra={"space": _space(examined)},
    )
    if target is not None:
        card = with_target(card, table, target)
    reports = (*said, *(FileFinding(None, note) for note in card.notes))
    return Cohort(card, tuple(stored), reports, tuple(label_images), table)


def _without_labels(
    headers: list[tuple[Path, NiftiHeader]], found: FoundFiles, said: list[FileFinding]
) -> tuple[list[tuple[Path, NiftiHeader]], list[Path]]:
    """Set files aside whose header declares labels, unless they were chosen by name or nothing else is there."""
    declared = [(path, header) for path, header in headers if header.is_labels and path not in found.named]
    if not declared or len(declared) == len(headers):
        return headers, found.labels
    aside = {path for path, _ in declared}
    said.append(
        FileFinding(
            None,
            f"Left out, since their headers declare labels: {listed((shown_name(p) for p in sorted(aside)), 5)}. "
            "Choose the files themselves to add them.",
        )
    )
    return [pair for pair in headers if pair[0] not in aside], [*found.labels, *sorted(aside)]


def _none_left(said: Sequence[FileFinding]) -> DataError:
    lost = [finding.sentence for finding in said if finding.severity == "error"]
    if len(lost) == 1:
        return DataError(lost[0])
    return DataError(f"None of {len(lost):,} files can be used. The first: {lost[0]}", details="\n".join(lost))


def _participants(
    given: Path | Participants | None,
    files: Sequence[Path],
    paths: Sequence[Path],
    said: list[FileFinding],
    passed_over: list[str],
) -> tuple[Participants, Matching] | None:
    if given is None:
        found = find_participants(files, [Path(p).expanduser() for p in paths], passed_over)
        said += [FileFinding(None, sentence, "warning") for sentence in passed_over]
        if found is not None:
            said.append(
                FileFinding(None, f"Labels and other columns come from {found[0].path.name}, found beside the volumes.")
            )
        return found
    table = given if isinstance(given, Participants) else read_participants(Path(given))
    matching = match_rows(table.frame, files)
    if matching is None:
        raise DataError(names_none(table, files))
    return table, matching


def _subjects(
    files: Sequence[Path],
    names: Sequence[str],
    matched: tuple[Participants, Matching] | None,
    table: pd.DataFrame,
    notes: list[str],
) -> list[str]:
    """Whom each volume is of: as the file says (BIDS), else as the table says, else each volume stands alone."""
    known = [entities(path).get("sub", "") for path in files]
    column = ""
    if matched is not None:
        named = [matched[1].column, *map(str, table.columns)]
        column = next((c for c in named if is_subject_column(c)), "")
        if not column and not any(_is_file(value) for value in table[named[0]]):
            column = named[0]
    cells = [_text(value) for value in table[column]] if column else [""] * len(files)
    stems = [volume_stem(path) for path in files]
    # subject-01/T1.nii.gz, subject-02/T1.nii.gz: the folder is the subject.
    by_folder = len(set(stems)) < len(stems) and len({path.parent for path in files}) == len(files)
    found = [
        f"sub-{sub}" if sub else cell or (path.parent.name if by_folder else name)
        for sub, cell, path, name in zip(known, cells, files, names, strict=True)
    ]
    if len(files) > 1 and found == list(names) and not any(known) and not column:
        notes.append(
            "Every volume counts as a subject of its own, since neither names nor a table tell who is who. If some are "
            "of one person, add a table with the columns file and participant_id."
        )
    return found


def _is_file(value: Any) -> bool:
    return "." in str(value) and _text(value).lower().endswith((".nii", ".gz", ".img", ".hdr"))


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value).strip()


def _entries(
    examined: Sequence[Examined],
    names: Sequence[str],
    subjects: Sequence[str],
    places: Sequence[int],
    rows: Sequence[int | None],
    frame: int | None,
) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    at = 0
    for one, name, subject, place, row in zip(examined, names, subjects, places, rows, strict=True):
        count = len(one.header.files)
        entries.append(
            {
                "name": name,
                "subject": subject,
                "files": list(range(at, at + count)),
                "format": "nifti",
                "frame": frame if one.header.n_frames > 1 else None,
                "grid": place,
                "row": row,
                "notes": list(one.notes),
            }
        )
        at += count
    return entries


def _space(examined: Sequence[Examined]) -> str:
    """What the coordinates mean, where all volumes say the same."""
    spaces = {one.header.space for one in examined}
    return spaces.pop() if len(spaces) == 1 else "unknown"
