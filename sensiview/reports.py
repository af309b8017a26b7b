"""Which runs a report is about and what it says of their data, models and analyses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sensiview.analysis.catalogue import Catalogue
from sensiview.errors import UserError
from sensiview.studies import read_result

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord
    from sensiview.projects.store import Project
    from sensiview.reporting.anatomy import Anatomy
    from sensiview.reporting.export import Draw


def anatomy_of(project: Project, run: RunRecord) -> Anatomy:
    """Return what a run's maps over volumes are drawn on: volumes of its data set, or of the runs that it is about."""
    from sensiview.reporting.anatomy import Anatomy

    inputs = run.parameters.get("runs") or ()
    deleted = False
    for wanted in (run.id, *([inputs] if isinstance(inputs, str) else inputs)):
        try:
            found = project.run(str(wanted))
            if found.dataset:
                return Anatomy(project.dataset(found.dataset), found.parameters)
        except UserError:
            deleted = True
    return Anatomy(None, run.parameters, deleted=deleted)


def project_report(
    project: Project,
    catalogue: Catalogue,
    wanted: Sequence[str],
    path: Path | None,
    draw: Draw,
    *,
    for_print: bool = False,
) -> tuple[str, list[str], list[str]]:
    """Return the report's HTML, the runs in it, and sentences on figures; it is written to `path` when there is one.

    `wanted` names runs; all finished ones when it is empty. `for_print` keeps to what a PDF can show.

    Raises
    ------
    UserError
        No finished run, an unknown one, or the file can't be written.
    """
    from sensiview.reporting.report import write_report

    chosen = [project.run(name) for name in wanted] or [run for run in project.runs() if run.state == "succeeded"]
    if not chosen:
        raise UserError("There is no finished run to report on. Run an analysis first.")
    runs = [(run.model_dump(mode="json"), dict(read_result(project, run.id))) for run in chosen]
    anatomies = {run.id: anatomy_of(project, run) for run in chosen}
    html = write_report(
        project.title,
        runs,
        path,
        draw,
        for_print=for_print,
        datasets={source.id: source.card for source in project.datasets()},
        models={source.id: source.card for source in project.models()},
        analyses={analysis.key: f"{analysis.title}: {analysis.summary()}" for analysis in catalogue},
        anatomies=anatomies,
    )
    said = dict.fromkeys(sentence for anatomy in anatomies.values() for sentence in anatomy.sentences)
    return html, [run.id for run in chosen], list(said)
