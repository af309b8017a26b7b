"""The architectures for lists and forms, found off the GUI thread; none of ours loads torch before it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background


@dataclass(frozen=True)
class ArchitectureEntry:
    """What a form needs to know of an architecture."""

    key: str
    title: str
    help: str
    input_kind: str
    schema: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    preprocessing: dict[str, Any] = field(default_factory=dict)


def list_architectures(
    done: Callable[[list[ArchitectureEntry]], None], failed: Callable[[SensiViewError], None], owner: QObject
) -> None:
    """Hand the architectures to `done`, those for tables first."""
    run_in_background(_collect, done, failed, owner=owner)


def recipe_schema() -> dict[str, Any]:
    """Return the JSON schema of a training recipe."""
    from sensiview.models.recipe import TrainingRecipe

    return TrainingRecipe.model_json_schema()


def _collect() -> list[ArchitectureEntry]:
    from sensiview.plugin_loading import discover_architectures

    entries = [
        ArchitectureEntry(
            key=found.key,
            title=found.title,
            help=found.help,
            input_kind=found.input_kind,
            schema=found.schema(),
            recipe=found.recipe().model_dump(mode="json"),
            preprocessing=found.preprocessing(found.parse({})),
        )
        for found in discover_architectures().values()
    ]
    return sorted(entries, key=lambda entry: entry.input_kind != "table")
