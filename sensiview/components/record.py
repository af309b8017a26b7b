"""One component, and the list of them as JSON: the build writes it, Help > About reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

Kind = Literal["python", "library", "data"]


@dataclass(frozen=True)
class Component:
    """Something that comes with SensiView and that others made, or SensiView itself.

    Attributes
    ----------
    name, version, licence : str
        As people call them; the licence as an SPDX expression where the component says one.
    kind : str
        ``python`` (a distribution), ``library`` (native code, Python itself), ``data``.
    homepage : str
        Where it comes from; empty when it does not say.
    texts : tuple of str
        Licence texts, the main one first, with slashes and without ``..``: relative to the folder ``licences`` or the
        resources of a packaged program, in a checkout to the folder the distribution is installed in.
    note : str
        What has to be said about the licence.
    """

    name: str
    version: str
    licence: str
    kind: Kind = "python"
    homepage: str = ""
    texts: tuple[str, ...] = ()
    note: str = ""


def to_json(components: Iterable[Component]) -> str:
    """Return components as JSON, a list of objects with the fields of `Component`."""
    return json.dumps([asdict(component) for component in components], indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> list[Component]:
    """Return the components of a JSON text; ``homepage``, ``texts`` and ``note`` may be missing.

    Raises
    ------
    ValueError
        It is no such list; the message names the entry.
    """
    entries = json.loads(text)
    if not isinstance(entries, list):
        raise ValueError("the components are no list")
    return [_component(entry) for entry in entries]


def _component(entry: Any) -> Component:
    if not isinstance(entry, dict):
        raise ValueError(f"{entry!r} is no component")
    values = {name: entry.get(name, "") for name in ("name", "version", "licence", "kind", "homepage", "note")}
    texts = entry.get("texts", [])
    if not all(isinstance(value, str) for value in values.values()) or not values["name"]:
        raise ValueError(f"{entry!r} has no name, or a field that is no text")
    if values["kind"] not in get_args(Kind):
        raise ValueError(f"{values['name']}: {values['kind']!r} is no kind of component")
    if not isinstance(texts, list) or not all(isinstance(text, str) and is_inside(text) for text in texts):
        raise ValueError(f"{values['name']}: {texts!r} are no relative paths")
    return Component(**values, texts=tuple(texts))


def is_inside(path: str) -> bool:
    """Return whether a relative path stays in the folder it is relative to."""
    parts = PurePosixPath(path.replace("\\", "/"))
    return bool(path) and not parts.is_absolute() and ".." not in parts.parts and ":" not in parts.parts[0]
