"""Which runs a report is about and what it says of their data, models and analyses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.items import Item
from sensiview.errors import UserError
from sensiview.studies import read_result

if TYPE_CHECKING:
    from sensiview.projects.store import Project


def project_report(
    project: Project,
    catalogue: Catalogue,
    wanted: Sequence[str],
    path: Path | None,
    draw: Callable[[Item, Path], object],
    *,
    for_print: bool = False,
) -> tuple[str, list[str]]:
    """Return the report's HTML and the runs in it; it is written to `path` when there is one.

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
    html = write_report(
        project.title,
        runs,
        path,
        draw,
        for_print=for_print,
        datasets={source.id: source.card for source in project.datasets()},
        models={source.id: source.card for source in project.models()},
        analyses={analysis.key: f"{analysis.title}: {analysis.summary()}" for analysis in catalogue},
    )
    return html, [run.id for run in chosen]
