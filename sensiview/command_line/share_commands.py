"""Commands that hand results on: export and report."""

from __future__ import annotations

import argparse

from sensiview.command_line.output import complain, say, say_json
from sensiview.command_line.tools import Tools
from sensiview.errors import UserError
from sensiview.projects.store import Project
from sensiview.reports import anatomy_of, project_report
from sensiview.studies import read_result


def export(options: argparse.Namespace, tools: Tools) -> int:
    """Write a run's record and items into a folder."""
    from sensiview.reporting.export import export_run

    with Project.open(options.project, read_only=True) as project:
        record = project.run(options.run_id)
        anatomy = anatomy_of(project, record)
        written = export_run(
            record.model_dump(mode="json"),
            dict(read_result(project, record.id)),
            options.to,
            item=options.item,
            draw=tools.draw,
            anatomy=anatomy,
        )
    for sentence in anatomy.sentences:
        complain(sentence)
    if options.json:
        say_json({"run": record.id, "files": [str(path) for path in written], "notes": anatomy.sentences})
    else:
        for path in written:
            say(str(path))
    return 0


def report(options: argparse.Namespace, tools: Tools) -> int:
    """Write an HTML or PDF report."""
    suffix = options.to.suffix.lower()
    if suffix not in (".html", ".htm", ".pdf"):
        raise UserError(f"A report is FILE.html or FILE.pdf, not '{options.to.name}'.")
    printed = suffix == ".pdf"
    with Project.open(options.project, read_only=True) as project:
        html, runs, notes = project_report(
            project,
            tools.catalogue(),
            options.run_ids,
            None if printed else options.to,
            tools.draw,
            for_print=printed,
        )
    if printed:
        tools.write_pdf(html, options.to)
    for sentence in notes:
        complain(sentence)
    if options.json:
        say_json({"report": str(options.to), "runs": runs, "notes": notes})
    else:
        say(str(options.to))
    return 0
