"""Commands that hand results on: export and report."""

from __future__ import annotations

import argparse

from sensiview.command_line.output import say, say_json
from sensiview.command_line.tools import Tools
from sensiview.errors import UserError
from sensiview.projects.store import Project
from sensiview.running import read_result, report_runs


def export(options: argparse.Namespace, tools: Tools) -> int:
    """Write a run's record and items into a folder."""
    from sensiview.reporting.export import export_run

    with Project.open(options.project, read_only=True) as project:
        record = project.run(options.run_id)
        result = read_result(project, record.id)
        written = export_run(
            record.model_dump(mode="json"), dict(result), options.to, item=options.item, draw=tools.draw
        )
    if options.json:
        say_json({"run": record.id, "files": [str(path) for path in written]})
    else:
        for path in written:
            say(str(path))
    return 0


def report(options: argparse.Namespace, tools: Tools) -> int:
    """Write an HTML or PDF report."""
    from sensiview.reporting.report import write_report

    suffix = options.to.suffix.lower()
    if suffix not in (".html", ".htm", ".pdf"):
        raise UserError(f"A report is FILE.html or FILE.pdf, not '{options.to.name}'.")
    with Project.open(options.project, read_only=True) as project:
        runs = report_runs(project, options.run_ids)
        title = project.title
        if suffix == ".pdf":
            tools.write_pdf(write_report(title, runs, None, draw=tools.draw, for_print=True), options.to)
        else:
            write_report(title, runs, options.to, draw=tools.draw)
    if options.json:
        say_json({"report": str(options.to), "runs": [run["id"] for run, _ in runs]})
    else:
        say(str(options.to))
    return 0
