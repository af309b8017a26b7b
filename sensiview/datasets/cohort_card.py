"""What was understood of a cohort, and the card that the project keeps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.cohort_checks import Grids, common, pooled
from sensiview.datasets.cohort_files import FileFinding
from sensiview.datasets.cohort_targets import candidates
from sensiview.datasets.describing import column_card, listed
from sensiview.datasets.nifti_files import shown_name
from sensiview.datasets.volume_statistics import VoxelStatistics

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Cohort:
    """What was understood, before it is added to a project.

    Parameters
    ----------
    card : DatasetCard
        ``kind`` volumes.
    files : tuple of Path
        In the order in which the project stores them: those of each volume, then the participants' table.
    reports : tuple of FileFinding
        Everything that was found, file by file; those of severity ``error`` were left out.
    label_images : tuple of Path
        Segmentations and masks that lay beside the images and were left out.
    table : DataFrame
        One row per volume, columns as in the card.
    """

    card: DatasetCard
    files: tuple[Path, ...]
    reports: tuple[FileFinding, ...]
    label_images: tuple[Path, ...]
    table: pd.DataFrame

    @property
    def findings(self) -> list[str]:
        """All sentences, each once, the files that were left out first."""
        order = {"error": 0, "warning": 1, "note": 2}
        ranked = sorted(self.reports, key=lambda report: order[report.severity])
        return list(dict.fromkeys([*(r.sentence for r in ranked if r.severity == "error"), *self.card.notes]))


def make_cohort_card(
    name: str,
    *,
    entries: Sequence[Mapping[str, Any]],
    grids: Grids,
    table: pd.DataFrame,
    statistics: Sequence[VoxelStatistics],
    reading: Mapping[str, Any],
    notes: Sequence[str],
    extra: Mapping[str, Any],
) -> DatasetCard:
    """Return the card of volumes.

    Parameters
    ----------
    entries : sequence of mapping
        One per volume: name, subject, files, format, frame, grid, row.
    grids : Grids
        Of the volumes, in the same order.
    table : DataFrame
        One row per volume.
    statistics : sequence of VoxelStatistics
        Of each volume.
    reading, extra : mapping
        What else is to be remembered of how it is read, and of the cohort.
    notes : sequence of str
        Sentences; repeated ones are kept once.
    """
    names = [str(entry["name"]) for entry in entries]
    subjects = [str(entry["subject"]) for entry in entries]
    return DatasetCard(
        name=name,
        kind="volumes",
        n_rows=len(entries),
        columns=tuple(column_card(str(label), values) for label, values in table.items()),
        reading={"volumes": [dict(entry) for entry in entries], **reading},
        notes=tuple(dict.fromkeys(notes)),
        extra={
            **common(grids),
            "grids": grids.to_plain(names),
            "names": names,
            "subjects": subjects,
            "statistics": pooled(statistics),
            "space": "unknown",
            "unit": "",
            "candidates": candidates(table, subjects),
            **extra,
        },
    )


def about_lost(said: Sequence[FileFinding]) -> list[str]:
    """Return a sentence that names the files which could not be used."""
    lost = [shown_name(finding.file) for finding in said if finding.severity == "error" and finding.file is not None]
    if not lost:
        return []
    what = "1 file could not be used and is" if len(lost) == 1 else f"{len(lost):,} files could not be used and are"
    return [f"{what} not in the cohort: {listed(lost, 5)}."]
