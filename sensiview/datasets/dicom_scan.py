"""The search through folders behind `list_series`: every header once, then series, stacks and findings."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from sensiview.datasets.dicom_building import series_of
from sensiview.datasets.dicom_findings import Finding, counted, listed
from sensiview.datasets.dicom_header import Header, quietly, read_header
from sensiview.datasets.dicom_series import Listing, Series
from sensiview.datasets.nifti_files import is_volume_name
from sensiview.errors import DataError

_EVERY_S = 0.05
_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")


def walk(paths: Sequence[Path], told: Callable[[float], None]) -> tuple[list[Path], list[Finding]]:
    """Return all files in the folders, sorted, each once, and findings about folders that can't be entered.

    Raises
    ------
    DataError
        A path does not exist or can't be read.
    """
    found: dict[Path, None] = {}
    closed: list[str] = []
    for path in paths:
        if path.is_file():
            found[path] = None
            continue
        if not path.is_dir():
            raise DataError(f"There is no folder or file {path}. Check its name, or whether the drive is connected.")
        for folder, inside, names in os.walk(path, onerror=lambda error: closed.append(str(error.filename))):
            told(0.0)
            inside.sort()
            base = Path(folder)
            found.update(dict.fromkeys(base / name for name in sorted(names)))
    findings = []
    if closed:
        if len(closed) == len(paths) and not found:
            raise DataError(f"{closed[0]} can't be read: no permission. Ask for the right to read it, then try again.")
        findings.append(
            Finding(
                "unreadable",
                f"{counted(len(closed), 'folder')} can't be entered (no permission): {listed(closed)}.",
                "warning",
            )
        )
    return list(found), findings


def scan_files(files: Sequence[Path], before: Sequence[Finding], told: Callable[[float], None]) -> Listing:
    """Read every header and return what the files are."""
    headers: list[Header] = []
    refused: dict[str, list[str]] = defaultdict(list)
    last = time.monotonic()
    told(0.0)
    with quietly():
        for i, path in enumerate(files):
            if time.monotonic() - last > _EVERY_S:
                told(0.95 * i / len(files))
                last = time.monotonic()
            try:
                header = read_header(path)
            except OSError as error:
                refused["unreadable"].append(f"{path.name} ({error.strerror or type(error).__name__})")
            except ValueError as error:
                refused[_reason(path, str(error))].append(path.name)
            else:
                if header is None:
                    refused["index_file"].append(path.name)
                else:
                    headers.append(header)
        groups: dict[tuple[str, ...], list[Header]] = defaultdict(list)
        for header in headers:
            groups[header.group].append(header)
        series: list[Series] = []
        for done, group in enumerate(groups.values()):
            told(0.95 + 0.05 * done / len(groups))
            series += series_of(group)
    series.sort(key=_order)
    told(1.0)
    findings = [*before, *_other_files(refused, len(headers), len(files)), *_several_names(series)]
    return Listing(tuple(series), tuple(findings), len(files))


def _order(series: Series) -> tuple[object, ...]:
    number = series.number
    return series.patient_id, series.patient, series.date, series.study_uid, number is None, number or 0, series.uid


def _several_names(series: Sequence[Series]) -> list[Finding]:
    names: dict[str, set[str]] = defaultdict(set)
    for one in series:
        names[one.subject].add(one.patient)
    several = sum(len(found) > 1 for found in names.values())
    if not several:
        return []
    sentence = (
        f"{counted(several, 'patient number')} {'stands' if several == 1 else 'stand'} with more than one name. Series "
        "of one number count as one subject; check that the files were not given the same number when names were "
        "removed."
    )
    return [Finding("several_names", sentence, "warning")]


def _reason(path: Path, message: str) -> str:
    if message != "not DICOM":
        return "damaged"
    try:
        with path.open("rb") as stream:
            head = stream.read(6)
    except OSError:
        return "not_dicom"
    if is_volume_name(path):
        return "volume"
    return "archive" if head.startswith(_ARCHIVES) else "not_dicom"


def _other_files(refused: dict[str, list[str]], n_headers: int, n_files: int) -> list[Finding]:
    found = []
    if names := refused.get("unreadable"):
        found.append(Finding("unreadable", f"{counted(len(names), 'file')} can't be read: {listed(names)}.", "warning"))
    if names := refused.get("damaged"):
        sentence = f"{counted(len(names), 'file')} can't be understood: damaged DICOM, or a copy that broke off: "
        found.append(Finding("unreadable", f"{sentence}{listed(names)}.", "warning"))
    if names := refused.get("volume"):
        some = "is a NIfTI volume: add it" if len(names) == 1 else "are NIfTI volumes: add them"
        found.append(Finding("not_dicom", f"{listed(names)} {some} as volumes.", "note"))
    if names := refused.get("archive"):
        some = "is an archive: unpack it" if len(names) == 1 else "are archives: unpack them"
        found.append(Finding("archive", f"{listed(names)} {some} and add the folder.", "warning"))
    if names := refused.get("not_dicom"):
        sentence = f"{counted(len(names), 'other file')} {'is' if len(names) == 1 else 'are'} no DICOM"
        found.append(Finding("not_dicom", f"{sentence}: {listed(names, 3)}.", "note"))
    if refused.get("index_file"):
        found.append(Finding("index_file", "The DICOMDIR is not needed: the files themselves were read.", "note"))
    if n_headers == 0:
        what = "No file is there." if n_files == 0 else "None of the files is a DICOM image."
        found.insert(0, Finding("empty", f"{what} Choose the folder that holds the series.", "error"))
    return found
