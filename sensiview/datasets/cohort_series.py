"""A cohort of DICOM series, each a volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.datasets.cohort_card import Cohort, about_lost, make_cohort_card
from sensiview.datasets.cohort_checks import SAMPLED, about_grids, group_grids
from sensiview.datasets.cohort_files import FileFinding
from sensiview.datasets.cohort_targets import empty_table
from sensiview.datasets.describing import listed
from sensiview.datasets.file_entities import plain_name
from sensiview.datasets.volume_statistics import VoxelStatistics, findings, voxel_statistics
from sensiview.errors import DataError

if TYPE_CHECKING:
    from sensiview.datasets.dicom_series import Series
    from sensiview.datasets.volume import Grid


def cohort_of_series(
    series: Sequence[Series], *, name: str, on_progress: Callable[[float], None] | None = None
) -> Cohort:
    """Read DICOM series through once and describe them as one data set.

    Volumes are named after the series; of the patient only the pseudonym remains. A series that can't be read is
    reported and left out.

    Parameters
    ----------
    series : sequence of Series
        From `list_series`.
    name : str
        Of the data set.
    on_progress : callable, optional
        Told the share that is done; what it raises ends the work.

    Raises
    ------
    DataError
        None can be used.
    """
    from sensiview.datasets.dicom_volume import open_series

    told = on_progress or (lambda share: None)
    said: list[FileFinding] = []
    used: list[tuple[Series, Grid, VoxelStatistics, tuple[str, ...], str]] = []
    for done, one in enumerate(series, start=1):
        try:
            volume = open_series(one)
        except DataError as error:
            said.append(FileFinding(one.files[0] if one.files else None, error.sentence, "error"))
        else:
            statistics = voxel_statistics(volume, SAMPLED)
            used.append((one, volume.grid, statistics, findings(statistics), volume.unit))
        told(done / len(series))
    if not used:
        reasons = [finding.sentence for finding in said]
        raise DataError(reasons[0] if reasons else "No DICOM series is chosen.", details="\n".join(reasons))
    names = _names([one for one, *_ in used])
    grids = group_grids([grid for _, grid, *_ in used])
    entries: list[dict[str, Any]] = []
    stored: list[Path] = []
    notes = about_grids(grids, names)
    told_of: dict[str, list[str]] = {}
    for (one, _, _, found, _), label, place in zip(used, names, grids.places, strict=True):
        plain = one.to_plain()
        entries.append(
            {
                "name": label,
                "subject": one.subject or label,
                "files": list(range(len(stored), len(stored) + len(one.files))),
                "format": "dicom",
                "frame": None,
                "grid": place,
                "row": None,
                "notes": list(found),
                # Where the files lie is the project's to know.
                "series": {**plain, "files": [path.name for path in one.files]},
            }
        )
        stored += one.files
        for sentence in (*(finding.sentence for finding in one.findings), *found):
            told_of.setdefault(sentence, []).append(label)
    notes += [_note(sentence, whom, len(used)) for sentence, whom in told_of.items()]
    table = empty_table(len(used))
    units = {unit for *_, unit in used}
    card = make_cohort_card(
        name,
        entries=entries,
        grids=grids,
        table=table,
        statistics=[statistics for _, _, statistics, _, _ in used],
        reading={"participants": None, "subject_column": None},
        notes=[*notes, *about_lost(said)],
        extra={"space": "scanner", "unit": units.pop() if len(units) == 1 else ""},
    )
    reports = (*said, *(FileFinding(None, note) for note in card.notes))
    return Cohort(card, tuple(stored), reports, (), table)


def _note(sentence: str, whom: Sequence[str], count: int) -> str:
    """The sentence with the volumes that it is about, where there are others."""
    return sentence if count == 1 else f"{listed(dict.fromkeys(whom), 3)}: {sentence}"


def _names(series: Sequence[Series]) -> list[str]:
    """The series' titles; with the patient's pseudonym where several patients have the same, numbered at last."""
    titles = [plain_name(one.title) for one in series]
    if len(set(titles)) < len(titles):
        titles = [plain_name(f"{one.subject}_{title}") for one, title in zip(series, titles, strict=True)]
    if len(set(titles)) < len(titles):
        titles = [f"{title}_{number}" for number, title in enumerate(titles, start=1)]
    return titles
