"""Which files below the chosen folders are volumes of a cohort."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sensiview.datasets.describing import listed
from sensiview.datasets.file_entities import looks_like_labels
from sensiview.datasets.nifti_files import is_volume_name, shown_name, unreadable_volume, volume_stem
from sensiview.errors import DataError

Severity = Literal["note", "warning", "error"]

# Folders of a BIDS data set that hold something else than its images.
_ASIDE = {"derivatives", "sourcedata", "code", "stimuli"}
_NEVER = {"__macosx", "lost+found", "@eadir"}
_LOOKED_AT = 200


@dataclass(frozen=True)
class FileFinding:
    """What was found about one file, or about the whole cohort when `file` is None.

    ``note`` changes nothing, ``warning`` should be looked at, ``error``: the file was left out.
    """

    file: Path | None
    sentence: str
    severity: Severity = "note"


@dataclass
class FoundFiles:
    """Volumes to read, label images left out, and what was odd; `named` are those that the user chose by name."""

    volumes: list[Path] = field(default_factory=list)
    labels: list[Path] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)
    findings: list[FileFinding] = field(default_factory=list)


def find_volumes(paths: Sequence[Path]) -> FoundFiles:
    """Return the NIfTI files among `paths` and, with all folders inside, below them; ordered by name.

    Files that are chosen by name are always taken. In folders, segmentations and masks are set aside, unless there is
    nothing else, and so are the derivatives of a BIDS data set. Of .hdr/.img pairs the header stands for both.

    Raises
    ------
    DataError
        A path does not exist or is no NIfTI file; there is none.
    """
    found = FoundFiles()
    seen: set[Path] = set()
    for given in paths:
        path = Path(given).expanduser()
        try:
            _from_path(path, found, seen)
        except OSError as error:
            raise unreadable_volume(path, error) from None
    if not found.volumes and found.labels:
        found.volumes, found.labels = found.labels, []
        found.findings.append(
            FileFinding(
                None, "By their names these are segmentations or masks, not images; they were taken all the same."
            )
        )
    elif found.labels:
        found.findings.append(
            FileFinding(
                None,
                f"{_files(len(found.labels))} left out as segmentation or mask: "
                f"{listed((shown_name(p) for p in found.labels), 5)}. Choose the files themselves to add them.",
            )
        )
    if not found.volumes:
        raise _nothing(paths)
    return found


def _from_path(path: Path, found: FoundFiles, seen: set[Path]) -> None:
    if path.is_dir():
        _from_folder(path, found, seen)
    elif not path.exists() and not path.is_symlink():
        raise DataError(f"There is no file or folder {path}. Check its name.")
    else:
        # Also of another name: the header decides, and its sentence says what the file is.
        _take(_header_of(path), found.volumes, seen)
        found.named.add(_header_of(path))


def _from_folder(root: Path, found: FoundFiles, seen: set[Path]) -> None:
    def refused(error: OSError) -> None:
        sentence = f"The folder {error.filename} can't be read ({error.strerror}); what it holds is not in the cohort."
        found.findings.append(FileFinding(Path(str(error.filename)), sentence, "warning"))

    for skipped in (_ASIDE, set[str]()):
        before = len(found.volumes) + len(found.labels)
        aside = 0
        for folder, inside, names in os.walk(root, onerror=refused):
            keep = [d for d in inside if not d.startswith(".") and d.lower() not in skipped | _NEVER]
            aside += sum(d.lower() in skipped for d in inside)
            inside[:] = sorted(keep)
            for name in sorted(names):
                path = Path(folder, name)
                if name.startswith(".") or not is_volume_name(path):
                    continue
                header = _header_of(path)
                if header == path or not header.exists():
                    _take(path, found.labels if looks_like_labels(path, root) else found.volumes, seen)
        if len(found.volumes) + len(found.labels) > before:
            if aside:
                found.findings.append(
                    FileFinding(
                        root, f"Derivatives and sources in {root} are left out. Choose their folder to add them."
                    )
                )
            return


def _header_of(path: Path) -> Path:
    """Of an .img the .hdr beside it, so that a pair is found once."""
    if path.name[len(volume_stem(path)) :].lower().startswith(".img"):
        for ending in (".hdr", ".hdr.gz", ".HDR"):
            header = path.with_name(volume_stem(path) + ending)
            if header.exists():
                return header
    return path


def _take(path: Path, into: list[Path], seen: set[Path]) -> None:
    whole = path.absolute() if path.is_symlink() else path.resolve()
    if whole not in seen:
        seen.add(whole)
        into.append(path)


def _nothing(paths: Sequence[Path]) -> DataError:
    where = listed((str(path) for path in paths), 3) or "the selection"
    looked = 0
    for path in paths:
        for folder, _, names in os.walk(path):
            for name in sorted(names)[:_LOOKED_AT]:
                looked += 1
                if _is_dicom(Path(folder, name)):
                    return DataError(
                        f"There is no NIfTI file in {where}, but DICOM files are. Add the folder as DICOM."
                    )
            if looked > _LOOKED_AT:
                break
    return DataError(
        f"There is no NIfTI file (.nii, .nii.gz, .img/.hdr) in {where}. Choose the folder that holds them."
    )


def _is_dicom(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _files(count: int) -> str:
    return "1 file was" if count == 1 else f"{count:,} files were"
