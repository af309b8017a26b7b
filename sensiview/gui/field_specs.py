"""What a form has to know of each parameter, read from the JSON schema of its pydantic declaration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from sensiview.datasets.card import DatasetCard
from sensiview.models.card import ModelCard

Kind = Literal[
    "integer", "power_of_two", "number", "boolean", "choice", "text", "several",
    "bounds", "distributions", "groups", "fixed", "json",
]  # fmt: skip
# Parameters that every analysis of tables means the same by; their editors have one line per factor.
_BY_NAME: Mapping[str, Kind] = {
    "bounds": "bounds", "distributions": "distributions", "groups": "groups", "fixed": "fixed",
}  # fmt: skip


@dataclass(frozen=True)
class FieldSpec:
    """One parameter.

    `optional` when None is a value of its own; `takes` are the JSON types that a free text may become;
    `minimum` and `maximum` are included in the range unless `open_minimum` or `open_maximum`. `kinds` of data that it
    has a meaning for, all when empty.
    """

    name: str
    kind: Kind
    label: str
    help: str = ""
    unit: str = ""
    default: Any = None
    optional: bool = False
    advanced: bool = False
    suggestions: str = ""
    choices: tuple[Any, ...] = ()
    takes: frozenset[str] = frozenset()
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    open_maximum: bool = False
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """What free fields offer: the cards that are chosen, and the finished runs by identifier, name and analysis."""

    dataset: DatasetCard | None = None
    model: ModelCard | None = None
    runs: tuple[tuple[str, str, str], ...] = field(default=())

    def offers(self, suggestions: str) -> list[tuple[str, str]]:
        """Return (value, explanation) for one kind of suggestion; empty when there is nothing to offer."""
        what, _, wanted = suggestions.partition(":")
        if what == "runs":
            return [(run, name) for run, name, analysis in self.runs if not wanted or analysis in wanted.split(",")]
        if suggestions in ("partitions", "generators"):
            return self._parts(suggestions)
        if suggestions in ("factors", "columns") and self.dataset is not None:
            return [(name, "") for name in self.dataset.features]
        if suggestions == "classes":
            return [("all", "every class"), *((name, "") for name in self._classes())]
        if self.model is None:
            return []
        if suggestions == "outputs":
            from sensiview.models.outputs import output_choices

            return [(name, self._about(name)) for name in output_choices(self.model)]
        if suggestions == "layers":
            return [(layer.name, self._about(layer.name)) for layer in self.model.layers if layer.output_shape]
        return []

    def _parts(self, what: str) -> list[tuple[str, str]]:
        """Return what cuts this kind of data, or the generators that can make these images."""
        if self.dataset is None:
            return []
        from sensiview.datasets.generators import generators
        from sensiview.numerics.screening.partitions import partitions

        kind = self.dataset.kind
        if what == "generators":
            fitting = [one for one in generators().values() if not one.obstacles(self.dataset)]
            return [(one.key, one.title) for one in fitting]
        if kind == "table":
            return [("columns", "each column is a factor")]
        known = [(one.key, one.title) for one in partitions().values() if kind in one.kinds]
        return [*known, ("generator", "what the images were made from")] if kind == "images" else known

    def _classes(self) -> tuple[str, ...]:
        if self.model is not None and self.model.class_names:
            return self.model.class_names
        if self.model is not None and self.model.output_names:
            return self.model.output_names
        return tuple(self.dataset.class_counts) if self.dataset is not None else ()

    def _about(self, name: str) -> str:
        try:
            layer = self.model.layer(name) if self.model is not None else None
        except KeyError:
            return ""
        if layer is None or layer.output_shape is None:
            return ""
        return f"{layer.kind}, {' × '.join(str(n) for n in layer.output_shape) or '1'} units"


def field_specs(model: type[BaseModel]) -> list[FieldSpec]:
    """Return the parameters of a model in the order of their declaration."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    return [_spec(name, part, definitions) for name, part in schema.get("properties", {}).items()]


def _spec(name: str, schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> FieldSpec:
    ways = _alternatives(schema, definitions)
    optional = any(way.get("type") == "null" for way in ways)
    ways = [way for way in ways if way.get("type") != "null"]
    kind, choices = _kind(name, schema, ways)
    limits: dict[str, Any] = {}
    for way in [schema, *ways]:
        if "minimum" in way or "exclusiveMinimum" in way:
            limits["minimum"] = way.get("minimum", way.get("exclusiveMinimum"))
            limits["open_minimum"] = "minimum" not in way
        if "maximum" in way or "exclusiveMaximum" in way:
            limits["maximum"] = way.get("maximum", way.get("exclusiveMaximum"))
            limits["open_maximum"] = "maximum" not in way
    return FieldSpec(
        name, kind, label=str(schema.get("title") or name.replace("_", " ").capitalize()),
        help=str(schema.get("description", "")), unit=str(schema.get("unit", "")), default=schema.get("default"),
        optional=optional, advanced=bool(schema.get("advanced", False)),
        suggestions=str(schema.get("suggestions", "")), choices=choices,
        takes=frozenset(str(way.get("type", "string")) for way in ways), kinds=tuple(schema.get("kinds", ())), **limits,
    )  # fmt: skip


def _alternatives(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the schemas a value may follow, references resolved."""
    if "$ref" in schema:
        return _alternatives(definitions.get(str(schema["$ref"]).rsplit("/", 1)[-1], {}), definitions)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return [way for part in schema[key] for way in _alternatives(part, definitions)]
    return [schema]


def _kind(name: str, schema: Mapping[str, Any], ways: list[Mapping[str, Any]]) -> tuple[Kind, tuple[Any, ...]]:
    types = {way.get("type") for way in ways}
    choices = tuple(value for way in ways for value in ([way["const"]] if "const" in way else way.get("enum", ())))
    if choices and all("const" in way or "enum" in way for way in ways):
        return "choice", choices
    if "object" in types:
        return _BY_NAME.get(name, "json"), ()
    if types == {"boolean"}:
        return "boolean", ()
    if types == {"integer"}:
        return ("power_of_two" if _is_sample_size(name, schema) else "integer"), ()
    if types <= {"integer", "number"}:
        return "number", ()
    if types == {"string"}:
        return "text", ()
    if types == {"array"} and not _is_plain_list(ways):
        return "json", ()
    if "array" in types and (schema.get("suggestions") or "string" not in types):
        return "several", ()
    return ("text" if "string" in types else "json"), ()


def _is_sample_size(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether an integer doubles and halves: said by the declaration, or the N of Sobol' points."""
    if schema.get("widget"):
        return bool(schema["widget"] == "power_of_two")
    default = schema.get("default")
    return name == "n" and isinstance(default, int) and default >= 64 and default & (default - 1) == 0


def _is_plain_list(ways: list[Mapping[str, Any]]) -> bool:
    """Whether a list holds only texts and numbers."""
    for way in ways:
        items = way.get("items", {})
        parts = items.get("anyOf", [items])
        if not all(part.get("type") in ("string", "integer", "number") for part in parts):
            return False
    return True
