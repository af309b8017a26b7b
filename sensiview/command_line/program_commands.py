"""Commands on the program itself: demo, analyses, describe, plugins."""

from __future__ import annotations

import argparse
from typing import Any

from sensiview.command_line.output import complain, say, say_json, table
from sensiview.command_line.run_commands import answer, run_queued
from sensiview.command_line.tools import Tools
from sensiview.demos import demo_folder, find_demo
from sensiview.errors import UserError
from sensiview.plugin_loading import list_plugins, remove_plugin, trust_plugin
from sensiview.projects.store import Project


def demo(options: argparse.Namespace, tools: Tools) -> int:
    """Make a sample project, run its analyses, open it."""
    chosen = find_demo(options.demo)
    window = not options.no_window
    if window and (problem := tools.display_problem()):
        complain(f"{problem} Running without a window.")
        window = False
    folder = demo_folder(options.to, chosen.key)
    finished: list[dict[str, Any]] = []
    with Project.create(folder, title=chosen.title) as project:
        for queued in chosen.steps(project, tools.catalogue(), options.quick):
            complain(f"{queued.name} ...")
            outcome = run_queued(project, queued, tools, quiet=options.json)
            if outcome.state != "succeeded":
                return answer(project, queued.id, outcome, as_json=options.json)
            finished.append({"run": queued.id, "name": queued.name, "items": project.run(queued.id).items})
            if not options.json:
                answer(project, queued.id, outcome, as_json=False, tables=not window)
                say()
    if options.json:
        say_json({"project": str(folder), "runs": finished})
    else:
        say(f"The project is {folder}")
    return tools.open_window(folder, []) if window else 0


def analyses(options: argparse.Namespace, tools: Tools) -> int:
    """List the analyses."""
    rows: list[dict[str, Any]] = [
        {
            "key": analysis.key,
            "title": analysis.title,
            "accepts": list(analysis.accepts),
            "needs_model": analysis.needs_model,
            "summary": analysis.summary(),
        }
        for analysis in tools.catalogue()
    ]
    if options.json:
        say_json({"analyses": rows})
        return 0
    shown = [{**row, "accepts": ", ".join(row["accepts"])} for row in rows]
    say(table(shown, ["key", "title", "accepts", "summary"]))
    return 0


def describe(options: argparse.Namespace, tools: Tools) -> int:
    """Explain an analysis; with --json its parameters' JSON schema."""
    analysis = tools.catalogue()[options.key]
    schema = analysis.Parameters.model_json_schema()
    if options.json:
        say_json(schema)
        return 0
    say(f"{analysis.key}: {analysis.title} (revision {analysis.revision})")
    say()
    say(analysis.help_text())
    say()
    say("Parameters")
    for name, field in analysis.Parameters.model_fields.items():
        unit = (field.json_schema_extra or {}).get("unit", "") if field.default is not None else ""
        say(f"  {name} = {field.default!r}{' ' + unit if unit else ''}")
        say(f"      {field.description}")
    return 0


def plugins(options: argparse.Namespace, tools: Tools) -> int:
    """List plugins, or trust or remove one."""
    if options.action == "trust":
        _needs_name(options)
        info = trust_plugin(options.name)
        complain(f"Trusted '{info.name}' with exactly this content; a change will ask again.")
    elif options.action == "remove":
        _needs_name(options)
        remove_plugin(options.name)
        complain(f"Removed '{options.name}'.")
    rows = [
        {
            "name": info.name,
            "title": info.title,
            "version": info.version,
            "state": info.state,
            "reason": info.reason,
            "path": str(info.path),
        }
        for info in list_plugins()
    ]
    if options.json:
        say_json({"plugins": rows})
    else:
        say(table(rows, ["name", "version", "state", "title", "reason"]))
    return 0


def _needs_name(options: argparse.Namespace) -> None:
    if not options.name:
        raise UserError(f"Say which plugin to {options.action}: sensiview plugins {options.action} NAME.")
