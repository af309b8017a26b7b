"""The names of an atlas: which file beside the volume holds them, and what of it does not fit."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from sensiview.datasets.atlas_names import NAME_ENDINGS, best_reading, names_image, read_names
from sensiview.errors import DataError

ENDING = re.compile(r"\.(nii\.gz|nii|img\.gz|img|hdr|mgz|mgh|mnc|gz)$", re.IGNORECASE)
_GENERAL_LIST = 4  # so many times more names than labels: the colour table of FreeSurfer, not the list of this atlas

_TAKEN_FROM = "Names from"
_OF_OTHERS = "further names of this general list are of other atlases."


def names_lacking(findings: Sequence[str]) -> list[str]:
    """Return those findings that a table of regions suffers from: unread lists, labels without a name."""
    return [said for said in findings if not said.startswith(_TAKEN_FROM) and not said.endswith(_OF_OTHERS)]


def names_for(file: Path, names_path: Path | None, present: list[int]) -> tuple[dict[int, str], list[str]]:
    """Return names by value from the file given, or the first beside the volume that fits, and what to say of it.

    Parameters
    ----------
    file : Path
        The label volume.
    names_path : Path or None
        The list given; it must fit.
    present : list of int
        The volume's labels, ascending, without 0.

    Raises
    ------
    DataError
        The list given can't be read, or names none of the labels.
    """
    findings = []
    for candidate in [names_path] if names_path else _beside(file):
        try:
            reading = best_reading(read_names(candidate), present)
        except DataError as error:
            if names_path:
                raise
            findings.append(error.sentence)
            continue
        if not reading.names.keys() & set(present):
            known = sorted(reading.names)
            sentence = (
                f"The names in '{candidate.name}' are of labels {known[0]} to {known[-1]}, the labels of '{file.name}' "
                f"are {present[0]} to {present[-1]}: none has a name."
            )
            if names_path:
                raise DataError(f"{sentence} Choose the list that belongs to this atlas.")
            findings.append(sentence)
            continue
        said = [*findings, f"{_TAKEN_FROM} '{candidate.name}' ({reading.how})."]
        if repeated := [i for i in reading.repeated if i in set(present)]:
            said.append(f"'{candidate.name}' names {_some(repeated)} twice; the first name is taken.")
        unused = sorted(i for i in reading.names if i not in set(present) and i != 0)
        if len(unused) > _GENERAL_LIST * len(present):
            said.append(f"{len(unused):,} {_OF_OTHERS}")
        elif unused:
            shown = _some([f"{reading.names[i]} ({i})" for i in unused])
            said.append(f"{len(unused)} name{'s have' if len(unused) > 1 else ' has'} no voxels: {shown}.")
        return dict(reading.names), said
    return {}, findings


def _beside(file: Path) -> list[Path]:
    stem, folder = ENDING.sub("", file.name), file.parent
    wanted = [f"{base}{ending}" for ending in NAME_ENDINGS for base in (stem, f"{stem}.nii", file.name)]
    try:
        there = {entry.name.lower(): entry for entry in folder.iterdir() if entry.suffix.lower() in NAME_ENDINGS}
        above = sorted(folder.parent.glob("*.xml"))
    except OSError:
        return []
    found = [there[name.lower()] for name in wanted if name.lower() in there and there[name.lower()] != file]
    # BIDS: a list of names serves every volume that says the same and more (space, resolution).
    parts = set(stem.split("_"))
    found += sorted(
        (
            entry
            for entry in there.values()
            if entry.suffix.lower() in (".tsv", ".csv")
            and entry not in found
            and stem.endswith("_dseg")
            and entry.stem.endswith("_dseg")
            and set(entry.stem.split("_")) <= parts
        ),
        key=lambda entry: (-len(entry.stem), entry.name),
    )
    xml = [*sorted(e for e in there.values() if e.suffix.lower() == ".xml"), *above]
    found += [entry for entry in xml if entry not in found and stem in names_image(entry)]
    # Segmentations of FreeSurfer have the numbers of its colour table, which lies where FreeSurfer is installed.
    table = Path(os.environ.get("FREESURFER_HOME") or ".", "FreeSurferColorLUT.txt")
    return [*found, table] if file.suffix.lower() in (".mgz", ".mgh") and table.is_file() else found


def complete_names(found: tuple[dict[int, str], list[str]], present: list[int]) -> tuple[dict[int, str], list[str]]:
    """Return a name for every label, each once, and the findings; `found` is what `names_for` gave."""
    known, said = found
    names = {label: known.get(label) or f"region {label}" for label in present}
    unnamed = [label for label in present if label not in known]
    if len(unnamed) == len(present):
        said = [*said, "No names were found beside the volume; its regions are called by their numbers."]
    elif unnamed:
        many = len(unnamed) > 1
        said = [*said, f"{len(unnamed)} label{'s have' if many else ' has'} no name: {_some(unnamed)}."]
    counts: dict[str, int] = {}
    for name in names.values():
        counts[name] = counts.get(name, 0) + 1
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        names = {label: f"{name} ({label})" if counts[name] > 1 else name for label, name in names.items()}
        said = [*said, f"Several labels have the same name, so their numbers are written behind it: {_some(twice)}."]
    return names, said


def _some(things: Sequence[object], most: int = 8) -> str:
    shown = ", ".join(str(thing) for thing in things[:most])
    return shown if len(things) <= most else f"{shown} and {len(things) - most} more"
