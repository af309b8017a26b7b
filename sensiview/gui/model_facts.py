"""A model in words, from its card and its files."""

from __future__ import annotations

from typing import Any

from sensiview.analysis.sources import ModelSource
from sensiview.files import FileReference
from sensiview.gui.facts_tree import Section
from sensiview.gui.image_settings_text import image_settings_pairs
from sensiview.gui.number_text import grouped, memory, short
from sensiview.gui.run_facts import in_words
from sensiview.models.card import ModelCard

_EMITS = {
    "probability": "probabilities (it ends in a sigmoid or softmax)",
    "logit": "logits (a classifier without sigmoid or softmax)",
    "value": "values",
}
_NAMED = 12  # more classes or inputs than this are counted, and named up to here


def headline(card: ModelCard) -> str:
    """Return one line: architecture, inputs and outputs, size."""
    parts = [card.architecture.replace("_", " ")]
    outputs = len(card.output_names) or (card.layers[-1].output_shape or (0,))[0] if card.layers else 0
    if card.n_inputs:
        parts.append(
            f"{card.n_inputs} inputs" + (f", {outputs} output{'s' if outputs != 1 else ''}" if outputs else "")
        )
    elif card.input_shape:
        parts.append(shape_text(card.input_shape))
    if card.n_parameters:
        parts.append(f"{grouped(card.n_parameters)} parameters")
    return "  ·  ".join(part for part in parts if part)


def accuracy_text(card: ModelCard) -> str:
    """Return the accuracies by split; empty when none was measured."""
    return "  ·  ".join(f"{split} accuracy {100 * value:.1f} %" for split, value in card.accuracy.items())


def sections(source: ModelSource) -> list[Section]:
    """Return everything that is known of a model besides its layers."""
    card = source.card
    found: list[Section] = [
        ("Output", _pairs(
            ("It gives", _EMITS.get(card.emits, card.emits)),
            ("Outputs", _names(card.output_names)),
            ("Classes", _names(card.class_names)),
            *((f"Accuracy, {split}", f"{100 * value:.1f} %") for split, value in card.accuracy.items()),
        )),
        ("Input", _pairs(
            ("Shape", shape_text(card.input_shape)), ("Inputs", _names(card.input_names)), *_preprocessing(card),
        )),
        ("Training", _training(card)),
        ("Files", [*_file("Weights", source.weights), *_file("Program", source.program)]),
        ("Options", [(name, in_words(value)) for name, value in card.options.items()]),
        ("Measured on this machine", _pairs(
            *((f"Rows per second, {device}", grouped(round(speed))) for device, speed in card.rows_per_second.items()),
            ("Memory per row", memory(card.bytes_per_row) if card.bytes_per_row else ""),
        )),
        ("Notes", [(str(number), note) for number, note in enumerate(card.notes, start=1)]),
    ]  # fmt: skip
    return [(title, pairs) for title, pairs in found if pairs]


def _training(card: ModelCard) -> list[tuple[str, str]]:
    """Return where it was trained here: what it started from, on what, and the accuracy of each class."""
    facts = card.training
    counts = facts.get("counts", {})
    by_class = facts.get("class_accuracy", {})
    shown = [(f"Accuracy, {name}", f"{100 * share:.1f} %") for name, share in list(by_class.items())[:_NAMED]]
    if len(by_class) > _NAMED:
        shown.append(("…", f"and {len(by_class) - _NAMED} more classes"))
    return _pairs(
        ("Started from", str(facts.get("from", ""))),
        ("Data set", str(facts.get("dataset", ""))),
        ("Inputs", ", ".join(f"{part} {grouped(count)}" for part, count in counts.items())),
        ("Epochs", f"{facts['epochs']}, best {facts['best_epoch']}" if "best_epoch" in facts else ""),
        *shown,
    )


def shape_text(shape: tuple[int, ...] | None) -> str:
    """Return a shape as ``3 × 224 × 224``."""
    return " × ".join(str(n) for n in shape) if shape else ""


def _preprocessing(card: ModelCard) -> list[tuple[str, str]]:
    kind = str(card.preprocessing.get("kind", "none"))
    if kind == "none":
        return [("Preprocessing", "none: raw values go in")]
    if kind == "image":
        return image_settings_pairs(card.preprocessing)
    if kind != "standardise":
        return [("Preprocessing", in_words(card.preprocessing))]
    pairs = [("Preprocessing", "each input minus its mean, divided by its standard deviation")]
    mean, std = card.preprocessing.get("mean", ()), card.preprocessing.get("std", ())
    names: list[Any] = list(card.input_names) or [f"input {k}" for k in range(len(mean))]
    for name, m, s in list(zip(names, mean, std, strict=False))[:_NAMED]:
        pairs.append((f"  {name}", f"mean {short(float(m))}, standard deviation {short(float(s))}"))
    if len(mean) > _NAMED:
        pairs.append(("  …", f"and {len(mean) - _NAMED} more"))
    return pairs


def _file(label: str, reference: FileReference | None) -> list[tuple[str, str]]:
    if reference is None:
        return []
    return [(label, str(reference.path)), (f"{label}, size", memory(reference.size)), ("SHA-256", reference.sha256)]


def _names(names: tuple[str, ...]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return ", ".join(names)


def _pairs(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in pairs if value]
