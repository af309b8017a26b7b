"""Volumes and images into a project: what lies in the chosen files and folders, and the data sets it makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sensiview.datasets.image_kinds import ARRAY_SUFFIXES, is_idx_labels, is_pickle, kind_by_name, kind_of
from sensiview.datasets.image_tables import names_images
from sensiview.errors import DataError

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.dicom_series import Series
    from sensiview.projects.store import Project

Kind = Literal["table", "images", "volumes", "dicom"]
_TABLES_OF_PATHS = (".csv", ".tsv", ".txt")
# What MNIST's and CIFAR's files are called.
_ARRAY_NAMES = ("train-images", "t10k-images", "data_batch", "test_batch")
_VOLUME_ENDINGS = (".nii", ".nii.gz", ".img", ".hdr")
# Of a folder's files, before it is taken for volumes.
_MOST_LOOKED_AT = 200


@dataclass(frozen=True)
class Imported:
    """A data set that was added, and sentences on what was left out or looks odd."""

    source: DatasetSource
    findings: tuple[str, ...]


def add_volumes(
    project: Project,
    paths: Sequence[Path],
    *,
    name: str = "",
    target: str | None = None,
    participants: Path | None = None,
    frame: int | None = None,
    copy: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Imported:
    """Add NIfTI files and folders as one cohort.

    Parameters
    ----------
    paths : sequence of Path
        Files, and folders that are searched through.
    target : str, optional
        The participants' column that holds the diagnosis.
    participants : Path, optional
        The table; ``participants.tsv`` beside the files is found by itself.
    frame : int, optional
        Which volume of 4-D files, from 0.

    Raises
    ------
    DataError
        No volume can be read; the sentence says why the first could not.
    """
    from sensiview.datasets.cohort import understand_cohort

    cohort = understand_cohort(
        list(paths),
        name=name or _name(paths),
        participants=participants,
        target=target,
        frame=frame,
        on_progress=on_progress,
    )
    source = project.add_dataset(cohort.card, cohort.files, copy=copy)
    return Imported(source, tuple(cohort.findings))


def add_images(
    project: Project,
    paths: Sequence[Path],
    *,
    name: str = "",
    target: str | None = None,
    labels: Path | None = None,
    frames: int | None = None,
    copy: bool = False,
    on_progress: Callable[[float], None] | None = None,
) -> Imported:
    """Add files and folders of images as one data set.

    Parameters
    ----------
    paths : sequence of Path
        Folders, pictures, DICOM, videos, NumPy arrays, MNIST's and CIFAR's files, or a table of paths and labels.
    target : str, optional
        The column of the classes; one that is called class, label or the like is found by itself.
    labels : Path, optional
        A table with one row per image; one that lies in the folder is found by itself.
    frames : int, optional
        The most frames of one file, evenly spaced; without it all, of videos ten.

    Raises
    ------
    DataError
        No image can be read; the sentence says why the first could not.
    """
    from sensiview.datasets.image_understanding import understand_images

    found = understand_images(
        [Path(path).expanduser() for path in paths],
        name=name or _image_name(paths),
        target=target,
        labels=labels,
        frames=frames,
        on_progress=on_progress,
    )
    source = project.add_dataset(found.card, found.files, copy=copy)
    return Imported(source, tuple(found.findings))


def _image_name(paths: Sequence[Path]) -> str:
    if not paths:
        raise DataError("No file or folder is chosen.")
    first = paths[0].expanduser()
    name = first.name if first.is_dir() else first.name.split(".")[0] if len(paths) == 1 else first.parent.name
    return name or first.resolve().name or "images"


def guess_kind(paths: Sequence[Path]) -> Kind:
    """Return what the first path holds: by its name, or for a folder by the files in it.

    Raises
    ------
    DataError
        There is no path, it does not exist, or it is a folder without images, volumes and DICOM files.
    """
    if not paths:
        raise DataError("No file or folder is chosen.")
    first = paths[0].expanduser()
    if not first.exists():
        raise DataError(f"There is no file or folder '{first}'.")
    if not first.is_dir():
        return _kind_of_file(first)
    images = False
    for number, path in enumerate(sorted(first.rglob("*"))):
        if path.name.lower().endswith(_VOLUME_ENDINGS):
            return "volumes"
        if path.is_file() and _is_dicom(path):
            return _kind_of_dicom(path)
        if path.is_file():
            images = images or kind_by_name(path) in ("picture", "video")
            images = images or path.suffix.lower() in ARRAY_SUFFIXES or path.name.startswith(_ARRAY_NAMES)
        if number > _MOST_LOOKED_AT:
            break
    else:
        if not images:
            raise DataError(
                f"There are no images, volumes (NIfTI) or DICOM files in {first}. Choose the folder that holds them."
            )
    return "images" if images else "volumes"


def _kind_of_file(path: Path) -> Kind:
    if path.name.lower().endswith(_VOLUME_ENDINGS):
        return "volumes"
    if _is_dicom(path):
        return _kind_of_dicom(path)
    try:
        if kind_of(path) is not None or is_idx_labels(path) or is_pickle(path):
            return "images"
    except OSError:
        return "table"
    return "images" if path.suffix.lower() in _TABLES_OF_PATHS and names_images(path) else "table"


def _kind_of_dicom(path: Path) -> Kind:
    """Return ``images`` for ultrasound, X-rays and other modalities whose frames are no slices."""
    from sensiview.datasets.image_dicom import PICTURE_MODALITIES, modality_and_frames

    modality, _ = modality_and_frames(path)
    return "images" if modality in PICTURE_MODALITIES else "dicom"


def _is_dicom(path: Path) -> bool:
    """Say whether a file has DICOM's mark behind its preamble."""
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def readable_series(
    paths: Sequence[Path], on_progress: Callable[[float], None] | None = None
) -> tuple[list[Series], tuple[str, ...]]:
    """Return the DICOM series that are volumes, and sentences on what else lies in the folders.

    Raises
    ------
    DataError
        There is none; the sentence says why the first is not one.
    """
    from sensiview.datasets.dicom_series import scan

    listing = scan(paths, on_progress)
    if not listing.series:
        raise DataError(" ".join(finding.sentence for finding in listing.findings))
    readable = [series for series in listing.series if series.readable]
    others = [series for series in listing.series if not series.readable]
    reasons = [next((f.sentence for f in one.findings if f.severity == "error"), "It can't be read.") for one in others]
    if not readable:
        count = len(listing.series)
        none = "The series is no volume." if count == 1 else f"None of the {count:,} series is a volume."
        raise DataError(f"{none} {reasons[0]}")
    left_out = [
        f"The series '{one.title}' of {len(one.files):,} file{'' if len(one.files) == 1 else 's'} is left out: {reason}"
        for one, reason in zip(others, reasons, strict=True)
    ]
    return readable, (*(finding.sentence for finding in listing.findings), *left_out)


def add_series(project: Project, series: Sequence[Series], *, name: str = "", copy: bool = False) -> Imported:
    """Add DICOM series as one data set, each a volume; patients are told apart without being named.

    Raises
    ------
    DataError
        No series, or one that is no volume.
    """
    from sensiview.datasets.cohort import cohort_of_series

    cohort = cohort_of_series(list(series), name=name or _series_name(series))
    source = project.add_dataset(cohort.card, cohort.files, copy=copy)
    return Imported(source, tuple(cohort.findings))


def _series_name(series: Sequence[Series]) -> str:
    return (series[0].description or series[0].study or "DICOM") if series else "DICOM"


def _name(paths: Sequence[Path]) -> str:
    """Return the folder's or the file's name without its endings."""
    if not paths:
        raise DataError("No file or folder is chosen.")
    first = paths[0].expanduser()
    stem = first.name
    for ending in sorted(_VOLUME_ENDINGS, key=len, reverse=True):
        if stem.lower().endswith(ending):
            stem = stem[: -len(ending)]
    return stem or "volumes"
