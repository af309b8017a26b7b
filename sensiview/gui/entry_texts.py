"""The words under an entry's name: what it is at a glance, and in the tool tip what there is to know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensiview.datasets.card import DatasetCard
    from sensiview.models.card import ModelCard
    from sensiview.projects.records import RunRecord

STATE_WORDS = {
    "queued": "waits",
    "running": "running",
    "succeeded": "ready",
    "failed": "failed",
    "stopped": "stopped",
    "interrupted": "interrupted",
}


def counted(count: int, word: str) -> str:
    """Return ``1 row`` or ``768 rows``, thousands grouped."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def when(iso: str) -> str:
    """Return a time of a record in the user's own zone: the time today, the date otherwise."""
    try:
        moment = datetime.fromisoformat(iso).astimezone()
    except ValueError:
        return ""
    today = datetime.now(UTC).astimezone().date()
    return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%d %b %Y}".lstrip("0")


def dataset_subtitle(card: DatasetCard) -> str:
    """Return rows and features, or volumes or images and classes; or that the target is missing."""
    if card.kind in ("volumes", "images"):
        number = len(card.class_counts)
        classes = f", {number:,} class{'' if number == 1 else 'es'}" if card.target else ", no target"
        return f"{counted(card.n_rows, card.kind.removesuffix('s'))}{classes}"
    size = f"{counted(card.n_rows, 'row')}, {counted(len(card.features), 'factor')}"
    return size if card.target else f"{size}, no target"


def dataset_tip(card: DatasetCard) -> str:
    """Return name, size, target and classes."""
    lines = [card.name, dataset_subtitle(card)]
    if card.target:
        lines.append(f"Target: {card.target}")
    if card.class_counts:
        some = [f"{name} ({count})" for name, count in list(card.class_counts.items())[:12]]
        lines.append("Classes: " + ", ".join(some) + (" ..." if len(card.class_counts) > 12 else ""))
    return "\n".join([*lines, *card.notes])


def model_subtitle(card: ModelCard) -> str:
    """Return architecture, number of parameters and test accuracy where it is known."""
    parts = [card.architecture or "exported program"]
    if card.n_parameters:
        parts.append(counted(card.n_parameters, "parameter"))
    if "test" in card.accuracy:
        parts.append(f"{card.accuracy['test']:.1%} test")
    return ", ".join(parts)


def model_tip(card: ModelCard) -> str:
    """Return name, architecture, inputs, outputs and accuracies."""
    lines = [card.name, model_subtitle(card)]
    if card.input_names:
        lines.append("Inputs: " + ", ".join(card.input_names[:12]) + (" ..." if len(card.input_names) > 12 else ""))
    if card.class_names:
        lines.append("Classes: " + ", ".join(card.class_names[:12]) + (" ..." if len(card.class_names) > 12 else ""))
    lines += [f"Accuracy on {split}: {value:.1%}" for split, value in card.accuracy.items()]
    return "\n".join([*lines, *card.notes])


def run_subtitle(run: RunRecord) -> str:
    """Return identifier, state and time."""
    parts = [run.id]
    if run.state != "succeeded":
        parts.append(STATE_WORDS.get(run.state, run.state))
    parts.append(when(run.finished or run.started or run.created))
    return ", ".join(part for part in parts if part)


def run_tip(run: RunRecord) -> str:
    """Return what was run on what, how it ended and why."""
    lines = [f"{run.name} ({run.id}): {STATE_WORDS.get(run.state, run.state)}"]
    subject = [part for part in (run.dataset_name, run.model_name) if part]
    if subject:
        lines.append(" with ".join(subject))
    if run.evaluations:
        lines.append(f"{counted(run.evaluations, 'evaluation')} in {run.seconds:.1f} s")
    if run.message:
        lines.append(run.message)
    return "\n".join([*lines, *run.warnings[:4]])
