"""Opening a project's volumes again, and making a cohort of volumes in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.cohort_targets import empty_table, rows_of
from sensiview.datasets.nifti import read_nifti
from sensiview.datasets.options import ReadingOptions
from sensiview.datasets.participants import read_participants
from sensiview.datasets.presence import changed_files
from sensiview.datasets.volume import Grid, Volume
from sensiview.datasets.volume_images import volumes_from_images
from sensiview.datasets.volumes import VolumeEntry, VolumeSet
from sensiview.errors import DataError
from sensiview.files import FileReference, verify

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["open_volumes", "volumes_from_images"]


class VolumesSource(Protocol):
    """What a project keeps of a cohort: its card, and the files."""

    @property
    def card(self) -> DatasetCard:
        """The description made at import."""

    @property
    def files(self) -> Sequence[FileReference]:
        """Files of the volumes and the participants' table, in the order that the card's `reading` counts."""


def open_volumes(source: VolumesSource, *, all_there: bool = True) -> VolumeSet:
    """Open a project's cohort; no voxel is read before it is used.

    That every file is there with its size is checked now, again for those of a volume when it is opened, and its grid.
    Hashes of hundreds of volumes would take minutes: `sensiview.files.verify` compares them on request.

    Parameters
    ----------
    source : VolumesSource
    all_there : bool
        Refuse when any file is missing; off: a volume whose file is gone raises when it is opened, the others do not.

    Raises
    ------
    DataError
        Files were moved, deleted or changed since import, or the data set is none of volumes.
    """
    card, files = source.card, source.files
    if card.kind != "volumes":
        raise DataError(f"'{card.name}' is a data set of {card.kind}, not of volumes. Choose volumes.")
    if all_there:
        _check_there(card, files)
    try:
        grids = [Grid.from_plain(values) for values in card.extra["grids"]]
        entries = tuple(_entry(card, files, known, grids[known["grid"]]) for known in card.reading["volumes"])
        rows = [known.get("row") for known in card.reading["volumes"]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(
            f"What the project remembers of '{card.name}' is damaged. Add the volumes again.",
            details=f"{type(error).__name__}: {error}",
        ) from None
    return VolumeSet(card, entries, _table(card, files, rows))


def _check_there(card: DatasetCard, files: Sequence[FileReference]) -> None:
    if changed := changed_files(card, files):
        raise _changed(changed[0])


def _changed(path: Path) -> DataError:
    return DataError(
        f"{path} has changed since it was added to the project. Results computed from it would not fit the earlier "
        "ones. Put the old file back, or add the volumes again as another data set."
    )


def _entry(card: DatasetCard, files: Sequence[FileReference], known: dict[str, Any], grid: Grid) -> VolumeEntry:
    chosen = [files[index] for index in known["files"]]
    opener = _open_dicom if known.get("format") == "dicom" else _open_nifti
    return VolumeEntry(
        name=str(known["name"]),
        subject=str(known["subject"]),
        grid=grid,
        open=partial(_open, card, partial(opener, chosen, known, grid, str(card.extra.get("unit", ""))), chosen),
    )


def _open(card: DatasetCard, opener: Callable[[], Volume], files: Sequence[FileReference]) -> Volume:
    _check_there(card, files)
    return opener()


def _open_nifti(files: Sequence[FileReference], known: dict[str, Any], grid: Grid, unit: str) -> Volume:
    return _as_known(read_nifti(files[0].path, known.get("frame")), files, known, grid, unit)


def _open_dicom(files: Sequence[FileReference], known: dict[str, Any], grid: Grid, unit: str) -> Volume:
    from sensiview.datasets.dicom_series import Series
    from sensiview.datasets.dicom_volume import open_series

    series = Series.from_plain(known["series"], [file.path for file in files])
    return _as_known(open_series(series), files, known, grid, unit)


def _as_known(volume: Volume, files: Sequence[FileReference], known: dict[str, Any], grid: Grid, unit: str) -> Volume:
    """The volume under its name in the cohort, with what was found at import."""
    if not volume.grid.same_as(grid):
        raise _changed(files[0].path)
    notes = tuple(dict.fromkeys([*volume.notes, *known.get("notes", ())]))
    return replace(volume, name=str(known["name"]), unit=volume.unit or unit, notes=notes)


def _table(card: DatasetCard, files: Sequence[FileReference], rows: Sequence[int | None]) -> pd.DataFrame:
    place = card.reading.get("participants")
    if place is None:
        return empty_table(len(rows))
    reference = files[place]
    verify(reference)
    options = ReadingOptions.from_card(card.reading["table"])
    frame = read_participants(reference.path, options).frame
    if [str(name) for name in frame.columns] != [column.name for column in card.columns]:
        raise _changed(reference.path)
    return rows_of(frame, rows)
