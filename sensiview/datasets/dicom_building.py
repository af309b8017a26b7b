"""From the headers of one series to its stacks, measured and described."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from sensiview.datasets.dicom_checks import (
    geometry_findings,
    kind_findings,
    people_findings,
    pixel_findings,
    value_findings,
)
from sensiview.datasets.dicom_findings import Finding, counted, listed
from sensiview.datasets.dicom_geometry import Geometry, axes_of, measure
from sensiview.datasets.dicom_header import Header
from sensiview.datasets.dicom_series import Place, Series, pseudonym
from sensiview.datasets.dicom_stacks import Item, Stack, renamed, stacks_of

_RANK = {"error": 0, "warning": 1, "note": 2}
_PIXELS = {"whole": 0, "unknown": 1, "truncated": 2, "none": 3}  # which copy of an image to take
_SCOUT_SLICES = 5


def series_of(headers: Sequence[Header]) -> list[Series]:
    """Return the stacks of one series: all files share patient, study and series number."""
    unique, copies = _without_copies(headers)
    images = [header for header in unique if header.pixels != "none"]
    common = [*people_findings(unique), *copies]
    if not images:
        return [_described(unique[0], _files(unique), "", [*pixel_findings(unique), *common])]
    if len(images) < len(unique):
        common += [finding for finding in pixel_findings(unique) if finding.kind == "no_pixels"]
    items = [Item(header, frame) for header in images for frame in header.frames]
    stacks = renamed(stacks_of(items, same_pixels))
    if len(stacks) > 1:
        common.append(_mixed(stacks))
    elif (announced := images[0].announced) and announced > len(items) and len(images) > 1:
        sentence = (
            f"The headers announce {announced:,} images, {len(items):,} are here: slices may be missing at the ends."
        )
        common.append(Finding("incomplete", sentence, "note"))
    return [_measured(stack, common) for stack in stacks]


def _without_copies(headers: Sequence[Header]) -> tuple[list[Header], list[Finding]]:
    """Leave out files that hold the same image (SOP Instance UID) as another one."""
    unique: dict[str, Header] = {}
    for header in headers:
        name = header.instance or str(header.path)
        if name not in unique or _PIXELS[header.pixels] < _PIXELS[unique[name].pixels]:
            unique[name] = header
    extra = len(headers) - len(unique)
    if not extra:
        return list(headers), []
    return list(unique.values()), [
        Finding("duplicate_slices", f"{counted(extra, 'file')} {'is a copy' if extra == 1 else 'are copies'} of "
                "another file of the series (same instance UID); one of each is used.", "note")
    ]  # fmt: skip


def _mixed(stacks: Sequence[Stack]) -> Finding:
    parts = [f"{stack.label} ({counted(len(stack.items), 'slice')})" for stack in stacks]
    several = f"{counted(len(stacks), 'block')} of slices: {listed(parts, 4)}. Each is listed by itself."
    if not any(stack.mixed for stack in stacks):
        how = " They are told apart by instance number only." if any(stack.by_instance for stack in stacks) else ""
        return Finding("repeated_stacks", f"The series holds {several}{how}", "note")
    if max(len(stack.items) for stack in stacks) <= _SCOUT_SLICES:
        sentence = f"The series is a localiser or a set of single pictures, not a volume; it holds {several}"
        return Finding("localiser", sentence, "warning")
    return Finding("mixed_series", f"Different acquisitions are mixed in one series. It holds {several}", "warning")


def _measured(stack: Stack, common: Sequence[Finding]) -> Series:
    headers = list(dict.fromkeys(item.header for item in stack.items))
    first, frame = stack.items[0].header, stack.items[0].frame
    findings = [*pixel_findings(headers), *kind_findings(stack), *value_findings(stack), *common]
    axes = axes_of(frame.orientation) if frame.orientation else None
    if frame.orientation is not None and axes is None:
        sentence = "Its image orientation is not made of two directions at a right angle: left and right are unknown."
        findings.append(Finding("no_geometry", f"{sentence} Export the series again.", "error"))
    blocked = any(finding.kind in ("not_a_volume", "no_geometry") for finding in findings)
    if blocked or axes is None or frame.spacing is None:
        return _described(first, _files(headers), stack.label, findings, thickness=frame.thickness)
    positions = np.array([item.frame.position for item in stack.items], dtype=np.float64)
    between = abs(frame.thickness or frame.gap or 0.0) or None
    geometry = measure(positions, axes, frame.spacing, between)
    findings += geometry_findings(stack, geometry, same_pixels)
    return _placed(stack, geometry, findings)


def _placed(stack: Stack, geometry: Geometry, findings: Sequence[Finding]) -> Series:
    used = [None if place is None else stack.items[place] for place in geometry.order]
    ordered = [item for item in used if item is not None]
    ordered += [stack.items[other] for _, other in geometry.duplicates]
    files = _files(item.header for item in ordered)
    number = {path: i for i, path in enumerate(files)}
    places: tuple[Place | None, ...] = tuple(
        None if item is None else (number[item.header.path], item.frame.index) for item in used
    )
    frame = stack.items[0].frame
    lengths = np.linalg.norm(geometry.affine[:3, :3], axis=0).round(9)
    return _described(
        stack.items[0].header,
        files,
        stack.label,
        findings,
        thickness=frame.thickness,
        places=places,
        spacing=None if geometry.problem else (float(lengths[0]), float(lengths[1]), float(lengths[2])),
        affine=None if geometry.problem else geometry.affine,
        rows=stack.items[0].header.rows // max(frame.tiles, 1),
        columns=stack.items[0].header.columns // max(frame.tiles, 1),
        tiles=frame.tiles,
    )


def _described(
    header: Header, files: tuple[Path, ...], stack: str, findings: Iterable[Finding], **more: object
) -> Series:
    places = more.get("places")
    slices = sum(place is not None for place in places) if isinstance(places, tuple) else len(files)
    values: dict[str, object] = {
        "patient": header.patient,
        "patient_id": header.patient_id,
        "subject": pseudonym(header.patient_id, header.patient, header.birth, header.study_uid),
        "study": header.study,
        "study_uid": header.study_uid,
        "date": header.date,
        "uid": header.uid,
        "number": header.number,
        "stack": stack,
        "description": header.description,
        "modality": header.modality,
        "rows": header.rows,
        "columns": header.columns,
        "n_slices": slices,
        "files": files,
        "syntax": header.syntax,
        "findings": tuple(sorted(findings, key=lambda finding: _RANK[finding.severity])),
    }
    return Series(**{**values, **more})  # type: ignore[arg-type]  # one dict of two, with the fields' own types


def _files(headers: Iterable[Header]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(header.path for header in headers))


def same_pixels(one: Item, other: Item) -> bool:
    """Say whether two images hold the same numbers; False where either can't be read."""
    from sensiview.datasets.dicom_pixels import stored_slice

    try:
        first = stored_slice(one.header.path, one.frame.index, one.frame.tiles)
        second = stored_slice(other.header.path, other.frame.index, other.frame.tiles)
    except Exception:  # noqa: BLE001 - what can't be read is a finding of its own
        return False
    return bool(np.array_equal(first, second))
