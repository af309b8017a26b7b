"""The commands that add data: tables, images, volumes, DICOM series, and volumes brought onto another grid."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.command_line.arguments import key_values
from sensiview.command_line.output import complain, say, say_json
from sensiview.command_line.run_commands import answer, run_queued
from sensiview.command_line.tools import Tools
from sensiview.console_progress import share_bar
from sensiview.errors import UserError
from sensiview.importing import Imported, add_images, add_series, add_volumes, guess_kind, readable_series
from sensiview.preparing import grid_like, new_preparation
from sensiview.projects.store import Project
from sensiview.studies import choose_dataset

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource


def add_dataset(options: argparse.Namespace, tools: Tools) -> int:
    """Add one data set per table, one for all images, one for all volumes, one per DICOM series."""
    kind = options.kind or guess_kind(options.paths)
    with Project.open(options.project) as project:
        if kind == "table":
            entries = _tables(project, options)
        elif kind == "images":
            entries = [_images(project, options)]
        elif kind == "volumes":
            entries = [_volumes(project, options)]
        else:
            entries = _dicom(project, options)
    if options.json:
        say_json({"datasets": entries})
        return 0
    for entry in entries:
        target = f", target {entry['target']}" if entry["target"] else ", no target"
        say(f"Added '{entry['name']}': {_size(entry)}{target}")
        for note in entry["notes"]:
            complain(note)
    return 0


def resample(options: argparse.Namespace, tools: Tools) -> int:
    """Bring a data set's volumes onto one grid; the new data set keeps names, subjects, labels and folds."""
    from sensiview.datasets.volume_opening import open_volumes
    from sensiview.jobs.resampling_job import settings_of, template_of

    with Project.open(options.project) as project:
        source = choose_dataset(project, options.dataset)
        parameters: dict[str, Any] = {"template": _template(options.to)} if options.to is not None else {}
        if options.like is not None:
            parameters = grid_like(project.dataset(options.like))
        parameters |= {"interpolation": options.interpolation, "spacing": options.spacing, "name": options.name}
        # What can't be found is said before a run is made of it.
        if source.card.kind == "volumes":
            template_of(settings_of(parameters), open_volumes(source))
        name = f"Resample {source.card.name}"
        queued = new_preparation(project, "resampling", dataset=source.id, parameters=parameters, name=name)
        before = {known.id for known in project.datasets()}
        outcome = run_queued(project, queued, tools, quiet=options.json)
        if outcome.state != "succeeded":
            return answer(project, queued.id, outcome, as_json=options.json)
        (added,) = (known for known in project.datasets() if known.id not in before)
        entry = _entry(added, ())
        warnings = list(outcome.warnings)
    if options.json:
        say_json({"run": queued.id, "dataset": entry, "warnings": warnings})
    else:
        say(f"{queued.id}  '{entry['name']}': {_size(entry)}")
        for note in entry["notes"]:
            complain(note)
    return 0


def _template(text: str) -> str:
    """Return a path from the root: the job may run elsewhere; a name as it is."""
    path = Path(text).expanduser()
    return str(path.absolute()) if path.is_file() else text


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


def _images(project: Project, options: argparse.Namespace) -> dict[str, Any]:
    with share_bar("Looking at the images") as tell:
        added = add_images(
            project,
            options.paths,
            name=options.name or "",
            target=options.target,
            labels=options.labels,
            frames=options.frames,
            copy=options.copy,
            on_progress=tell,
        )
    return _told(added)


def _dicom(project: Project, options: argparse.Namespace) -> list[dict[str, Any]]:
    found, besides = readable_series(options.paths)
    if options.series:
        found = [s for s in found if options.series in (s.uid, s.description)]
        if not found:
            raise UserError(f"There is no series '{options.series}' in these folders. Leave --series out to add all.")
    added = add_series(project, found, name=options.name or "", copy=options.copy)
    return [_entry(added.source, (*added.findings, *besides))]


def _told(added: Imported) -> dict[str, Any]:
    return _entry(added.source, added.findings)


def _size(entry: dict[str, Any]) -> str:
    if entry["kind"] == "table":
        return f"{entry['rows']} rows, {len(entry['factors'])} factors"
    if entry["kind"] == "images":
        classes = f", {len(entry['classes'])} classes" if entry["classes"] else ""
        return f"{entry['rows']} image{'' if entry['rows'] == 1 else 's'}, {entry['grid']}{classes}"
    return f"{entry['rows']} volume{'' if entry['rows'] == 1 else 's'}, {entry['grid']}"


def _pixels(sizes: list[dict[str, Any]], channels: int) -> str:
    height, width = sizes[0]["size"]
    colour = "colour" if channels == 3 else "grey"
    return f"{height} x {width} pixels, {colour}" if len(sizes) == 1 else f"{len(sizes)} different sizes, {colour}"


def _entry(source: DatasetSource, findings: tuple[str, ...]) -> dict[str, Any]:
    card = source.card
    shape = card.extra.get("shape")
    grid = f"{' x '.join(map(str, shape))} voxels" if shape else f"{len(card.extra.get('grids', ()))} different grids"
    if card.kind == "images":
        grid = _pixels(card.extra["sizes"], int(card.extra["channels"]))
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
