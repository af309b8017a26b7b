"""The command that adds data: tables, volumes, DICOM series."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from sensiview.command_line.arguments import key_values
from sensiview.command_line.output import complain, say, say_json
from sensiview.command_line.tools import Tools
from sensiview.errors import UserError
from sensiview.importing import Imported, add_series, add_volumes, guess_kind, readable_series
from sensiview.projects.store import Project

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource


def add_dataset(options: argparse.Namespace, tools: Tools) -> int:
    """Add one data set per table, one for all volumes, one per DICOM series."""
    kind = options.kind or guess_kind(options.paths)
    with Project.open(options.project) as project:
        if kind == "table":
            entries = _tables(project, options)
        elif kind == "volumes":
            entries = [_volumes(project, options)]
        else:
            entries = _dicom(project, options)
    if options.json:
        say_json({"datasets": entries})
        return 0
    for entry in entries:
        target = f", target {entry['target']}" if entry["target"] else ", no target"
        if entry["kind"] == "table":
            size = f"{entry['rows']} rows, {len(entry['factors'])} factors"
        else:
            size = f"{entry['rows']} volume{'' if entry['rows'] == 1 else 's'}, {entry['grid']}"
        say(f"Added '{entry['name']}': {size}{target}")
        for note in entry["notes"]:
            complain(note)
    return 0


def _tables(project: Project, options: argparse.Namespace) -> list[dict[str, Any]]:
    from sensiview.datasets.reading import read_table, understand

    if options.name and len(options.paths) > 1:
        raise UserError("--name names one file; leave it out to add several.")
    chosen = key_values(options.read)
    added = []
    for path in options.paths:
        reading = understand(path, **chosen)
        reading = reading.with_missing(*options.missing).with_text(*options.text).without(*options.leave_out)
        read = read_table(path, reading, name=options.name or path.stem, target=options.target)
        added.append(_entry(project.add_dataset(read.card, [path], copy=options.copy), ()))
    return added


def _volumes(project: Project, options: argparse.Namespace) -> dict[str, Any]:
    added = add_volumes(
        project,
        options.paths,
        name=options.name or "",
        target=options.target,
        participants=options.participants,
        frame=options.frame,
        copy=options.copy,
    )
    return _told(added)


def _dicom(project: Project, options: argparse.Namespace) -> list[dict[str, Any]]:
    found = readable_series(options.paths)
    if options.series:
        found = [s for s in found if options.series in (s.uid, s.description)]
        if not found:
            raise UserError(f"There is no series '{options.series}' in these folders. Leave --series out to add all.")
    added = add_series(project, found, name=options.name or "", copy=options.copy)
    return [_told(added)]


def _told(added: Imported) -> dict[str, Any]:
    return _entry(added.source, added.findings)


def _entry(source: DatasetSource, findings: tuple[str, ...]) -> dict[str, Any]:
    card = source.card
    shape = card.extra.get("shape")
    grid = f"{' x '.join(map(str, shape))} voxels" if shape else f"{len(card.extra.get('grids', ()))} different grids"
    return {
        "id": source.id,
        "name": card.name,
        "kind": card.kind,
        "rows": card.n_rows,
        "factors": list(card.features),
        "target": card.target,
        "classes": dict(card.class_counts),
        "grid": grid if card.kind != "table" else "",
        "notes": list(dict.fromkeys([*card.notes, *findings])),
    }
