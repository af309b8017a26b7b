"""A report of one or several runs: one HTML file that carries its figures, for reading, printing and keeping."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from sensiview import locations
from sensiview.analysis.items import Item, Matrix, Note
from sensiview.datasets.card import DatasetCard
from sensiview.errors import SensiViewError
from sensiview.models.card import ModelCard
from sensiview.reporting.anatomy import Anatomy
from sensiview.reporting.bibliography import Bibliography
from sensiview.reporting.export import Draw
from sensiview.reporting.files import ready_folder, write_file
from sensiview.reporting.findings import findings
from sensiview.reporting.methods_text import methods_text
from sensiview.reporting.methods_told import Told
from sensiview.reporting.report_facts import (
    facts_of_dataset,
    facts_of_model,
    facts_of_run,
    parameters_of_run,
    same_words,
)
from sensiview.reporting.report_tables import ReportTable, for_figure, report_table
from sensiview.reporting.wording import moment

# The record of a run as plain values, and its items.
ReportedRun: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Item]]
_TEMPLATE = "report.html.j2"
_STATES = {
    "failed": "This run failed.",
    "stopped": "This run was stopped before its end.",
    "interrupted": "This run was interrupted.",
    "running": "This run was not finished when the report was written.",
    "queued": "This run had not begun when the report was written.",
}


def write_report(
    title: str,
    runs: Sequence[ReportedRun],
    path: Path | None = None,
    draw: Draw | None = None,
    *,
    for_print: bool = False,
    datasets: Mapping[str, DatasetCard] | None = None,
    models: Mapping[str, ModelCard] | None = None,
    analyses: Mapping[str, str] | None = None,
    anatomies: Mapping[str, Anatomy] | None = None,
) -> str:
    """Return the report as HTML, and write it when a `path` is given.

    One file without links to others: figures are inside (SVG; PNG when `for_print`), nothing is fetched, and
    no script runs in it. Each run has its findings in words, figures, tables, methods paragraph with citations,
    limits, parameters and provenance.

    Parameters
    ----------
    title : str
        The project's title.
    runs : sequence of (record, items)
        Records as plain JSON values.
    path : Path, optional
        The file to write.
    draw : callable, optional
        ``draw(item, path, anatomy)`` writes a plot as .svg or .png. No figures without it.
    for_print : bool
        Keep to what Qt's rich text knows, for a PDF: no style sheet beyond it, pictures as PNG.
    datasets, models : mapping, optional
        Cards by identifier, for the facts about data and networks.
    analyses : mapping, optional
        By key, the analysis's title and summary line as ``title`` or ``title: summary``.
    anatomies : mapping, optional
        By identifier of the run, what its maps over volumes are drawn on.

    Raises
    ------
    UserError
        The file can't be written.
    """
    bibliography, cards, below = Bibliography(), _Cards(datasets, models, analyses), anatomies or {}
    with tempfile.TemporaryDirectory(prefix="sensiview-report-") as scratch:
        figures = _Figures(Path(scratch), draw, ".png" if for_print else ".svg")
        chapters = [
            _chapter(number, run, figures, below.get(str(run[0].get("id"))), bibliography, cards)
            for number, run in enumerate(runs, start=1)
        ]
    html = _render(
        title=title,
        chapters=chapters,
        subjects=_subjects(runs, cards),
        references=bibliography.entries(),
        for_print=for_print,
    )
    if path is not None:
        path = Path(path).expanduser()
        ready_folder(path.parent)
        write_file(path, lambda stream: stream.write(html.encode("utf-8")))
    return html


class _Cards:
    """What is known beside the runs; empty where nothing was given."""

    def __init__(
        self,
        datasets: Mapping[str, DatasetCard] | None,
        models: Mapping[str, ModelCard] | None,
        analyses: Mapping[str, str] | None,
    ) -> None:
        self.datasets, self.models, self._analyses = datasets or {}, models or {}, analyses or {}

    def analysis(self, record: Mapping[str, Any]) -> tuple[str, str]:
        """Return title and summary of a run's analysis."""
        if record.get("kind") == "training":
            return "Training", ""
        key = str(record.get("analysis", ""))
        known = self._analyses.get(key, key.replace("_", " ").capitalize())
        name, _, summary = known.partition(": ")
        return name, summary


class _Figures:
    """Draws items and returns them as data URIs; an item that can't be drawn is said to be so, not left out."""

    def __init__(self, folder: Path, draw: Draw | None, ending: str) -> None:
        self._folder, self._draw, self._ending = folder, draw, ending
        self._count = 0

    def of(self, item: Item, anatomy: Anatomy | None) -> tuple[str, str]:
        """Return (data URI or empty, sentence why there is none, or what it leaves out)."""
        if self._draw is None:
            return "", ""
        item, left_out = for_figure(item)
        self._count += 1
        path = self._folder / f"figure{self._count}{self._ending}"
        try:
            self._draw(item, path, anatomy)
        except SensiViewError as error:
            return "", f"The figure could not be drawn: {error}"
        if not path.is_file():
            return "", ""
        kind = "image/png" if self._ending == ".png" else "image/svg+xml"
        return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}", left_out


def _chapter(
    number: int,
    run: ReportedRun,
    figures: _Figures,
    anatomy: Anatomy | None,
    bibliography: Bibliography,
    cards: _Cards,
) -> dict[str, Any]:
    record, items = run
    analysis, summary = cards.analysis(record)
    told = Told(
        record,
        items,
        cards.datasets.get(str(record.get("dataset"))),
        cards.models.get(str(record.get("model"))),
        summary,
    )
    methods = methods_text(told)
    # Notes stand at the top, under "In short".
    if anatomy is not None:
        anatomy.items = items
    results = [_result(item, figures, anatomy) for item in items.values() if not isinstance(item, Note)]
    bare = anatomy.sentences if anatomy is not None else []
    state = _STATES.get(str(record.get("state", "succeeded")), "")
    return {
        "number": number,
        "name": record.get("name") or record.get("id", ""),
        "analysis": "" if same_words(analysis, str(record.get("name", ""))) else analysis,
        "trouble": f"{state} {record.get('message', '')}".strip() if state else "",
        "facts": facts_of_run(record, analysis),
        "findings": findings(items),
        "warnings": [*(record.get("warnings") or []), *bare],
        "results": results,
        "methods": bibliography.numbered(methods.paragraph),
        "limits": [bibliography.numbered(limit) for limit in methods.limits],
        "parameters": parameters_of_run(record),
    }


def _result(item: Item, figures: _Figures, anatomy: Anatomy | None) -> dict[str, Any]:
    figure, trouble = figures.of(item, anatomy)
    # The heat map of a matrix bears its numbers already.
    table: ReportTable | None = None if figure and isinstance(item, Matrix) else report_table(item)
    return {
        "title": item.title,
        "description": item.description,
        "figure": figure,
        "trouble": trouble,
        "table": table,
    }


def _subjects(runs: Sequence[ReportedRun], cards: _Cards) -> list[dict[str, Any]]:
    """Return the data sets and models that the runs are about, each once."""
    subjects = []
    for role, known, facts in (
        ("dataset", cards.datasets, facts_of_dataset),
        ("model", cards.models, facts_of_model),
    ):
        wanted = dict.fromkeys(str(record[role]) for record, _ in runs if record.get(role))
        for identifier in wanted:
            if identifier in known:
                card: Any = known[identifier]
                word = "Data set" if role == "dataset" else "Model"
                subjects.append({"heading": f"{word} “{card.name}”", "facts": facts(card), "notes": card.notes})
    return subjects


def _render(**context: Any) -> str:
    import jinja2

    from sensiview import __version__
    from sensiview.reporting.wording import now_text

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(locations.resources() / "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE).render(version=__version__, written=moment(now_text()), **context)
