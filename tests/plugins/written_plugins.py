"""A small plugin written for tests, and how the program sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sensiview.plugin_loading import (
    PluginInfo,
    survey,
)

MANIFEST = {
    "name": "counting",
    "title": "Counting",
    "version": "1.0",
    "module": "counting",
    "sensiview": "0.1",
    "licence": "MIT",
    "description": "Counts.",
}
ANALYSIS = '''
from __future__ import annotations
from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Note
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from .wording import WORD

class CountingParameters(Parameters):
    n: int = parameter(1, label="n", help="How often")

class Counting(Analysis[CountingParameters]):
    """Count."""

    key = "KEY"
    title = "Counting"
    Parameters = CountingParameters

    def cost(self, study, parameters):
        return Cost(1, 1)

    def run(self, study, parameters, progress):
        return Result({"words": Note(title="Words", text=WORD * parameters.n)})

    def example(self):
        return Example(Study(), CountingParameters())
'''


def write_plugin(
    parent: Path, folder: str = "counting", *, code: str = ANALYSIS, key: str = "counting", **keys: Any
) -> Path:
    """Write a small plugin; a manifest key given as None is left out."""
    place = parent / folder
    place.mkdir(parents=True)
    manifest = {k: v for k, v in {**MANIFEST, **keys}.items() if v is not None}
    (place / "plugin.toml").write_text("\n".join(f"{k} = {json.dumps(v)}" for k, v in manifest.items()), "utf-8")
    (place / "counting.py").write_text(code.replace("KEY", key), "utf-8")
    (place / "wording.py").write_text("WORD = 'one '\n", "utf-8")
    return place


def found(name: str = "counting", **options: Any) -> PluginInfo:
    by_name = {info.name: info for info in survey(**options).plugins}
    return by_name[name]
