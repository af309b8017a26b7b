"""The small tables of a report: what a run, a data set and a model are, as pairs of word and value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sensiview.datasets.card import DatasetCard
from sensiview.models.card import ModelCard
from sensiview.reporting.wording import count, duration, listed, moment, percent, value_text

Facts = list[tuple[str, str]]
_LONGEST_LIST = 30
_MOST_HASHES = 4


def facts_of_run(record: Mapping[str, Any], analysis: str) -> Facts:
    """Return what was run on what, when and where."""
    seconds = float(record.get("seconds") or 0)
    evaluations = int(record.get("evaluations") or 0)
    trained = record.get("kind") == "training"
    key = str(record.get("analysis"))
    named = analysis if same_words(analysis, key) else f"{analysis} (key {key})"
    pairs = [
        ("Analysis", analysis if trained else f"{named}, revision {record.get('revision', 1)}"),
        ("Data set", str(record.get("dataset_name") or "")),
        ("Model", str(record.get("model_name") or "")),
        ("Finished", moment(str(record.get("finished") or ""))),
        ("Took", duration(seconds) if seconds else ""),
        ("Evaluations of the model", count(evaluations) if evaluations and not trained else ""),
        ("Device", str(record.get("device") or "")),
        ("Seed", str(record.get("seed") or "")),
        ("Extends", str(record.get("extends") or "")),
        ("Run", str(record.get("id") or "")),
    ]
    return [(word, value) for word, value in pairs if value]


def same_words(first: str, second: str) -> bool:
    """Return whether two names differ in spelling only: ``First-layer sensitivity``, ``first_layer_sensitivity``."""
    bare = [re.sub(r"[\W_]+", "", text).casefold() for text in (first, second)]
    return bare[0] == bare[1]


def parameters_of_run(record: Mapping[str, Any]) -> Facts:
    """Return every parameter, the versions of the programs and the hashes of the files: enough to repeat the run."""
    parameters = record.get("parameters") or {}
    pairs = [(name, value_text(value)) for name, value in parameters.items()]
    batch = record.get("batch_size")
    if batch or "batch_size" not in parameters:
        pairs.append(("batch size", count(batch) if batch else "as measured"))
    versions = record.get("versions") or {}
    if versions:
        pairs.append(("versions", listed([f"{name} {version}" for name, version in versions.items()])))
    for name, value in (record.get("fingerprints") or {}).items():
        hashes = list(value) if isinstance(value, list | tuple) else [value]
        shown = value_text(hashes[:_MOST_HASHES] if len(hashes) > 1 else hashes[0])
        more = len(hashes) - _MOST_HASHES
        pairs.append(
            (f"SHA-256 of the {name}", f"{shown} and {more:,} more, in the run's record" if more > 0 else shown)
        )
    return pairs


def facts_of_dataset(card: DatasetCard) -> Facts:
    """Return size, columns or grid, target and class balance of a data set."""
    if card.kind == "volumes":
        return _facts_of_volumes(card)
    columns = list(card.features)
    missing = sum(column.missing for column in card.columns)
    pairs = [
        ("Images" if card.kind == "images" else "Rows", count(card.n_rows) if card.n_rows else ""),
        ("Factors", f"{len(columns)}: {_names(columns)}" if columns else ""),
        ("Target", card.target or ""),
        ("Classes", _classes(card)),
        ("Missing values", count(missing) if card.columns else ""),
    ]
    return [(word, value) for word, value in pairs if value]


def _classes(card: DatasetCard) -> str:
    total = sum(card.class_counts.values())
    shown = [f"{name}: {count(rows)} ({percent(rows / total)})" for name, rows in card.class_counts.items()]
    more = len(shown) - _LONGEST_LIST
    return "; ".join(shown[:_LONGEST_LIST]) + (f"; and {more:,} more" if more > 0 else "")


def _names(names: Sequence[str]) -> str:
    """Return names in a sentence; of many the first, and how many more there are."""
    more = len(names) - _LONGEST_LIST
    return f"{', '.join(names[:_LONGEST_LIST])} and {more:,} more" if more > 0 else listed(list(names))


def _facts_of_volumes(card: DatasetCard) -> Facts:
    extra = card.extra
    subjects = len(set(extra.get("subjects", ())))
    shape, spacing = extra.get("shape"), extra.get("spacing")
    grid = f"{' x '.join(map(str, shape))} voxels" if shape else f"{len(extra.get('grids', ()))} different grids"
    if shape and spacing:
        grid += f" of {' x '.join(f'{size:.3g}' for size in spacing)} mm"
    pairs = [
        ("Volumes", count(card.n_rows)),
        ("Subjects", count(subjects) if subjects not in (0, card.n_rows) else ""),
        ("Grid", grid),
        ("Voxel axes towards", str(extra.get("orientation") or "")),
        ("Space", {"mni": "MNI152"}.get(str(extra.get("space")), str(extra.get("space") or ""))),
        ("Target", card.target or ""),
        ("Classes", _classes(card)),
    ]
    return [(word, value) for word, value in pairs if value and value != "unknown"]


def facts_of_model(card: ModelCard) -> Facts:
    """Return architecture, size, preprocessing, outputs and accuracy of a model."""
    options = value_text(card.options) if card.options else ""
    accuracy = [f"{split}: {percent(value)}" for split, value in card.accuracy.items()]
    preprocessing = str(card.preprocessing.get("kind", "none"))
    pairs = [
        ("Architecture", f"{card.architecture} ({options})" if options else card.architecture),
        ("Parameters", count(card.n_parameters) if card.n_parameters else ""),
        ("Layers", str(len(card.layers)) if card.layers else ""),
        ("Gives", {"probability": "a probability", "logit": "a logit", "value": "a value"}[card.emits]),
        ("Outputs", _names(card.output_names) if card.output_names != card.class_names else ""),
        ("Classes", _names(card.class_names)),
        ("Preprocessing", "none: raw values" if preprocessing == "none" else preprocessing),
        ("Accuracy", "; ".join(accuracy)),
    ]
    return [(word, value) for word, value in pairs if value]
