"""Commands on a project: new, add-dataset, add-model, runs, show, check."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from sensiview.analysis.item_files import to_plain
from sensiview.command_line.arguments import key_values, read_preprocessing
from sensiview.command_line.output import complain, item_text, say, say_json, table
from sensiview.command_line.run_commands import run_task
from sensiview.command_line.tools import Tools
from sensiview.errors import JobFailed, UserError
from sensiview.models.card import ModelCard
from sensiview.projects.store import Project
from sensiview.running import inspected_card, inspection_task
from sensiview.studies import read_result


def new(options: argparse.Namespace, tools: Tools) -> int:
    """Make an empty project."""
    with Project.create(options.project, title=options.title) as project:
        if options.json:
            say_json({"project": str(project.path), "title": project.title})
        else:
            say(f"Made {project.path}")
    return 0


def _class_names(path: Path) -> tuple[str, ...]:
    """Return the names of a file: one a line, a JSON list, or a JSON object by number or with a list in it."""
    text = path.read_text(encoding="utf-8-sig")
    if not text.lstrip().startswith(("[", "{")):
        return tuple(line.strip() for line in text.splitlines() if line.strip())
    try:
        names = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is not JSON: {error}.") from None
    if isinstance(names, dict):
        names = _listed(names)
    if not isinstance(names, list) or not all(isinstance(name, str | int | float) for name in names):
        raise UserError(f"{path} must hold the class names: one a line, a JSON list, or an object from number to name.")
    return tuple(str(name) for name in names)


def _listed(names: dict[str, Any]) -> Any:
    """Return the list in an object: the only one there is, or the values by number (ImageNet's: the last of a pair)."""
    if all(key.isdecimal() for key in names):
        values = [names[key] for key in sorted(names, key=int)]
        return [value[-1] if isinstance(value, list) and value else value for value in values]
    lists = [value for value in names.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else None


def add_model(options: argparse.Namespace, tools: Tools) -> int:
    """Load weights safely, describe the model, add it."""
    if options.architecture and options.weights is None:
        raise UserError("Give the weights with --weights FILE (.pth or .safetensors), or train a model instead.")
    file = options.weights or options.program
    card = ModelCard(
        name=options.name or file.stem,
        architecture=options.architecture or "",
        options=key_values(options.option),
        class_names=_class_names(options.classes) if options.classes else (),
        preprocessing=read_preprocessing(options.preprocessing) if options.preprocessing else {},
    )
    with Project.open(options.project) as project, tempfile.TemporaryDirectory() as scratch:
        task = inspection_task(Path(scratch), card, options.weights, options.program)
        outcome = run_task(task, tools, quiet=options.json)
        if outcome.state != "succeeded":
            raise UserError(outcome.message) if outcome.user_error else JobFailed(outcome.message)
        source = project.add_model(inspected_card(Path(scratch)), weights=options.weights, program=options.program)
    described = source.card
    if options.json:
        say_json({"id": source.id, "name": described.name, "parameters": described.n_parameters,
                  "layers": [layer.name for layer in described.layers], "notes": list(described.notes),
                  "preprocessing": described.preprocessing})  # fmt: skip
        return 0
    say(f"Added '{described.name}': {described.architecture or 'program'}, {described.n_parameters:,} parameters")
    return 0  # what there is to say of it was said while it was inspected


def runs(options: argparse.Namespace, tools: Tools) -> int:
    """List the runs, oldest first."""
    with Project.open(options.project, read_only=True) as project:
        records = [record.model_dump(mode="json") for record in project.runs()]
    if options.json:
        say_json({"runs": records})
        return 0
    say(table(records, ["id", "name", "analysis", "state", "evaluations", "seconds", "created"]))
    return 0


def show(options: argparse.Namespace, tools: Tools) -> int:
    """Print a run: what it was, how it ended, its items."""
    with Project.open(options.project, read_only=True) as project:
        record = project.run(options.run_id)
        items = dict(read_result(project, record.id)) if record.state == "succeeded" else {}
    if options.json:
        plain = {name: to_plain(item) for name, item in items.items()}
        say_json({**record.model_dump(mode="json"), "results": plain})
        return 0
    say(f"{record.id}  {record.name}  ({record.analysis}, {record.state})")
    if record.message:
        say(record.message)
    facts: dict[str, object] = {
        "data set": record.dataset_name or "-",
        "model": record.model_name or "-",
        "device": record.device,
        "seed": record.seed,
        "evaluations": f"{record.evaluations:,}",
        "seconds": f"{record.seconds:.2f}",
        **{name: value for name, value in record.parameters.items() if value is not None},
    }
    say("\n".join(f"  {name:<14} {value}" for name, value in facts.items()))
    for warning in record.warnings:
        say(f"  ! {warning}")
    for name, item in items.items():
        say()
        say(item_text(name, item))
    return 0


def check(options: argparse.Namespace, tools: Tools) -> int:
    """Check the project; exit code 1 when something is missing or changed."""
    if options.restore:
        restored = Project.restore_backup(options.project)
        complain(str(restored))
    with Project.open(options.project, read_only=True) as project:
        findings = [finding.model_dump(mode="json") for finding in project.verify()]
    serious = [finding for finding in findings if finding["severity"] == "error"]
    if options.json:
        say_json({"ok": not serious, "findings": findings})
    elif not findings:
        say("Every file, hash and run is as the project remembers it.")
    else:
        for finding in findings:
            say(f"{finding['severity']}: {finding['sentence']}")
    return 1 if serious else 0
