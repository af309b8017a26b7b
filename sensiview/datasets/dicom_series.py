"""DICOM folders as a list of series: whose they are, what they hold, and what is odd about each.

Only headers are read. A series is one stack of slices that can be one volume; where one series number holds several
(echoes, time points, orientations), each is a `Series` of its own. Order, spacing and place in the patient come from
the positions in the headers, never from file names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sensiview.datasets.dicom_findings import Finding
from sensiview.datasets.volume import Affine, Grid
from sensiview.errors import DataError

Place = tuple[int, int]
_NO_NAMES = frozenset(
    ("", "anon", "anonymous", "anonymized", "anonymised", "anonym", "unknown", "no name", "noname", "none", "patient")
)


@dataclass(frozen=True, eq=False)
class Series:
    """One stack of slices, before its pixels are read.

    Parameters
    ----------
    patient, patient_id : str
        As the headers say; empty after `to_plain` and `from_plain` unless the user chose to keep them.
    subject : str
        A name for splits and tables that tells patients apart without naming them (``patient-1f3a9c``).
    study, study_uid, date : str
        Description, UID, ``2012-03-10``.
    uid, description, modality : str
        Of the series.
    number : int, optional
        Series number.
    stack : str
        What tells this stack from others of the same series (``echo time 80 ms``); empty for the only one.
    rows, columns, n_slices : int
        Size of a slice (of a tile in a mosaic); `n_slices` counts what is there, without duplicates and gaps.
    spacing : tuple of three float, optional
        mm along i (column index), j (row index) and k (slice).
    thickness : float, optional
        Slice thickness in mm as stated; not the distance between slices.
    files : tuple of Path
        Each file once, in slice order; duplicates at the end.
    places : tuple
        For slice k: (number of the file in `files`, frame within it), or None where a slice is missing.
    affine : ndarray, optional
        (4, 4), (i, j, k) to RAS mm; None when there is no geometry.
    tiles : int
        Slices along one side of a mosaic; 0 for other pictures.
    syntax : str
        Transfer syntax UID.
    findings : tuple of Finding
        What is odd, worst first.
    """

    patient: str = ""
    patient_id: str = ""
    subject: str = ""
    study: str = ""
    study_uid: str = ""
    date: str = ""
    uid: str = ""
    number: int | None = None
    stack: str = ""
    description: str = ""
    modality: str = ""
    rows: int = 0
    columns: int = 0
    n_slices: int = 0
    spacing: tuple[float, float, float] | None = None
    thickness: float | None = None
    files: tuple[Path, ...] = ()
    places: tuple[Place | None, ...] = ()
    affine: Affine | None = None
    tiles: int = 0
    syntax: str = ""
    findings: tuple[Finding, ...] = field(default=())

    @property
    def readable(self) -> bool:
        """Say whether it can be opened as a volume."""
        return self.affine is not None and not any(finding.severity == "error" for finding in self.findings)

    @property
    def title(self) -> str:
        """Description, number and stack, for people; nothing of the patient unless the description has it."""
        if self.description:
            name = self.description if self.number is None else f"{self.description} (series {self.number})"
        else:
            name = " ".join(filter(None, (self.modality, "series", "" if self.number is None else str(self.number))))
        return f"{name}, {self.stack}" if self.stack else name

    @property
    def grid(self) -> Grid | None:
        """Where its voxels lie, without reading them; None when it is no volume."""
        if self.affine is None or not self.places:
            return None
        return Grid((self.columns, self.rows, len(self.places)), self.affine)

    def to_plain(self, *, identified: bool = False) -> dict[str, Any]:
        """Return JSON values, for the card of a data set.

        Parameters
        ----------
        identified : bool
            Keep the patient's name and number; otherwise only `subject` remains of them.
        """
        plain: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "subject", "study", "study_uid", "date", "uid", "number", "stack", "description", "modality", "rows",
                "columns", "n_slices", "thickness", "tiles", "syntax",
            )
        }  # fmt: skip
        if identified:
            plain |= {"patient": self.patient, "patient_id": self.patient_id}
        return plain | {
            "spacing": None if self.spacing is None else list(self.spacing),
            "affine": None if self.affine is None else self.affine.tolist(),
            "files": [str(path) for path in self.files],
            "places": [None if place is None else list(place) for place in self.places],
            "findings": [finding.to_plain() for finding in self.findings],
        }

    @classmethod
    def from_plain(cls, values: Mapping[str, Any], files: Sequence[Path] | None = None) -> Series:
        """Take back what `to_plain` gave.

        Parameters
        ----------
        values : mapping
            What `to_plain` gave.
        files : sequence of Path, optional
            Where the files lie now, in the same order.

        Raises
        ------
        DataError
            Another number of files, or values that `to_plain` never writes.
        """
        try:
            known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
            paths = tuple(Path(path) for path in (values["files"] if files is None else files))
            if len(paths) != len(values["files"]):
                raise DataError(
                    f"The series has {len(values['files'])} files, but {len(paths)} are given. Add the series again."
                )
            places = tuple(None if place is None else (int(place[0]), int(place[1])) for place in values["places"])
            if any(place is not None and not 0 <= place[0] < len(paths) for place in places):
                raise ValueError("a slice without a file")
            affine, spacing = values["affine"], values["spacing"]
            known |= {
                "files": paths,
                "places": places,
                "affine": None if affine is None else np.asarray(affine, dtype=np.float64).reshape(4, 4),
                "spacing": None if spacing is None else (float(spacing[0]), float(spacing[1]), float(spacing[2])),
                "findings": tuple(Finding.from_plain(finding) for finding in values["findings"]),
            }
            return cls(**known)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DataError(
                "What the project remembers of a DICOM series is damaged. Add the series again.",
                details=f"{type(error).__name__}: {error}",
            ) from None


def series_to_files(series: Series) -> list[Path]:
    """Return the files that a project has to remember for a series: each once, in slice order."""
    return list(series.files)


def pseudonym(patient_id: str, patient: str, birth: str, study_uid: str) -> str:
    """Return a name that is the same for all series of one patient and does not say who it is.

    The patient's number decides: names are spelt in many ways and change. The name counts where there is no number;
    where that is empty too, or a word that stands for no name, each study is taken as a patient of its own.
    """
    name = "" if patient.strip().lower() in _NO_NAMES else patient
    known = "\0".join((patient_id or name, birth)) if patient_id or name else study_uid
    return f"patient-{hashlib.sha256(known.encode()).hexdigest()[:8]}" if known else "patient-unknown"


@dataclass(frozen=True)
class Listing:
    """What lies in some folders: series in order, and findings about files that belong to none."""

    series: tuple[Series, ...]
    findings: tuple[Finding, ...] = ()
    n_files: int = 0


def list_series(
    paths: Path | str | Iterable[Path | str], on_progress: Callable[[float], None] | None = None
) -> list[Series]:
    """Return the series in folders and files, ordered by patient, date, series number and stack.

    Parameters
    ----------
    paths : path or several
        Folders are searched with all folders inside them; files need no suffix.
    on_progress : callable, optional
        Told the share of files read, 0 to 1, up to 20 times a second; what it raises (a stop) ends the search.

    Raises
    ------
    DataError
        A path does not exist or can't be read, or no DICOM file is there; the sentence says what was found instead.
    """
    listing = scan(paths, on_progress)
    if not listing.series:
        raise DataError(" ".join(finding.sentence for finding in listing.findings))
    return list(listing.series)


def scan(paths: Path | str | Iterable[Path | str], on_progress: Callable[[float], None] | None = None) -> Listing:
    """Return the series as `list_series` does, and findings about all other files; nothing found is no error.

    Raises
    ------
    DataError
        A path does not exist or can't be read.
    """
    from sensiview.datasets.dicom_scan import scan_files, walk

    chosen = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    told = on_progress or (lambda share: None)
    files, findings = walk(chosen, told)
    return scan_files(files, findings, told)


def without_names(series: Series) -> Series:
    """Return the series without the patient's name and number; `subject` still tells patients apart."""
    return replace(series, patient="", patient_id="")
