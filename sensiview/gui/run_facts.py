"""Everything that is known of a run, as sections of name and value: the Parameters tab."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sensiview.analysis.contract import Analysis
from sensiview.gui.facts_tree import Section
from sensiview.gui.field_specs import FieldSpec, field_specs
from sensiview.gui.number_text import duration, full, grouped

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord

_STATES = {"queued": "waiting", "running": "running", "succeeded": "finished", "stopped": "stopped by you"}


def sections(record: RunRecord, analysis: Analysis[Any] | None) -> list[Section]:
    """Return the facts of a run, grouped, in words; nothing that is not known is named."""
    found: list[Section] = [("Analysis", _analysis(record, analysis)), ("Parameters", _parameters(record, analysis))]
    found.append(("Input", _pairs(
        ("Data set", _named(record.dataset_name, record.dataset)),
        ("Model", _named(record.model_name, record.model)),
        *((f"SHA-256 of {name}", _hash(value)) for name, value in record.fingerprints.items()),
    )))  # fmt: skip
    found.append(("Computation", _pairs(
        ("State", _STATES.get(record.state, record.state)),
        ("Device", record.device),
        ("Seed", str(record.seed)),
        ("Batch size", f"{grouped(record.batch_size)} rows" if record.batch_size else "auto"),
        ("Evaluations", grouped(record.evaluations) if record.evaluations else ""),
        ("Wall time", duration(record.seconds) if record.seconds else ""),
        ("Queued", local_time(record.created)), ("Started", local_time(record.started)),
        ("Finished", local_time(record.finished)), ("Extends", record.extends or ""),
    )))  # fmt: skip
    found.append(("Warnings", [(str(k), text) for k, text in enumerate(record.warnings, start=1)]))
    found.append(("Versions", [(name, str(version)) for name, version in record.versions.items()]))
    return [(title, lines) for title, lines in found if lines]


def local_time(moment: str) -> str:
    """Return an ISO time as date and time of this machine's clock; empty stays empty."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return moment


def in_words(value: Any) -> str:
    """Return a parameter's value as one reads it."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {in_words(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(in_words(entry) for entry in value) or "none"
    return grouped(value) if isinstance(value, int) else full(value)


def _analysis(record: RunRecord, analysis: Analysis[Any] | None) -> list[tuple[str, str]]:
    title = analysis.title if analysis is not None else record.analysis or record.kind
    pairs = _pairs(("Name", record.name), ("Run", record.id), ("Analysis", title))
    if record.kind == "analysis":
        pairs.append(("Revision", str(record.revision)))
        if analysis is not None and analysis.revision != record.revision:
            note = f"the installed analysis is revision {analysis.revision}: running again gives other numbers"
            pairs.append(("Note", note))
    return pairs


def _parameters(record: RunRecord, analysis: Analysis[Any] | None) -> list[tuple[str, str]]:
    specs: dict[str, FieldSpec] = {}
    if analysis is not None:
        specs = {spec.name: spec for spec in field_specs(analysis.Parameters)}
    pairs = []
    for name, value in record.parameters.items():
        spec = specs.get(name)
        label = f"{spec.label} ({name})" if spec is not None and spec.label != name else name
        unit = f" {spec.unit}" if spec is not None and spec.unit and value is not None else ""
        pairs.append((label, f"{in_words(value)}{unit}"))
    return pairs


def _pairs(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in pairs if value]


def _named(name: str, identifier: str | None) -> str:
    if name and identifier:
        return f"{name} ({identifier})"
    return name or identifier or ""


def _hash(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(entry) for entry in value)
    return str(value)
