"""``plugin.toml``: who a plugin is and what it needs, read before any of its code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import sensiview
from sensiview.plugin_loading.content import Content, PluginProblem


class Manifest(BaseModel):
    """The keys of ``plugin.toml``, all of them text and none of them optional; unknown keys are ignored.

    Attributes
    ----------
    name : str
        snake_case; what ``sensiview plugins trust NAME`` takes.
    module : str
        Python module in the folder, ``my_analysis`` for ``my_analysis.py``.
    sensiview : str
        The oldest version of SensiView that it was tried with.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    title: str = Field(min_length=1, max_length=120)
    version: str = Field(min_length=1, max_length=40)
    module: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$")
    sensiview: str = Field(pattern=r"^\d+(\.\d+)*")
    licence: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1, max_length=2000)


_RULES = {
    "name": "must be lower case letters, digits and underscores, beginning with a letter",
    "module": "must be the name of a Python module in the folder, without '.py'",
    "sensiview": "must be a version such as '0.1'",
}


def read_manifest(content: Content) -> Manifest:
    """Return what ``plugin.toml`` says.

    Raises
    ------
    PluginProblem
        No such file, not TOML, a key missing or wrong, or a newer SensiView is needed.
    """
    values = _parsed(content)
    try:
        manifest = Manifest.model_validate(values)
    except ValidationError as error:
        raise PluginProblem(
            f"'{content.folder / 'plugin.toml'}': " + "; ".join(_sentence(e) for e in error.errors()) + "."
        ) from None
    if numbers(manifest.sensiview) > numbers(sensiview.__version__):
        raise PluginProblem(
            f"'{manifest.title}' needs SensiView {manifest.sensiview} or newer, and this is "
            f"{sensiview.__version__}. Update SensiView, or take an older version of the plugin."
        )
    return manifest


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version for comparison, without trailing zeros: ``"1.10.0rc1"`` is (1, 10)."""
    leading = re.match(r"\d+(\.\d+)*", version.strip())
    parts = [int(part) for part in leading.group().split(".")] if leading else []
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _parsed(content: Content) -> Mapping[str, Any]:
    if "plugin.toml" not in content.sources:
        deeper = [path.parent.name for path in content.folder.glob("*/plugin.toml")]
        hint = (
            f"It lies one folder deeper, in '{deeper[0]}': move that folder up."
            if deeper
            else "A plugin needs one; 'plugins/permutation_importance' of SensiView is a template."
        )
        raise PluginProblem(f"'{content.folder}' has no plugin.toml. {hint}")
    try:
        # utf-8-sig: Windows' editor puts a mark in front.
        return tomllib.loads(content.sources["plugin.toml"].decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PluginProblem(f"'{content.folder / 'plugin.toml'}' is not TOML in UTF-8: {error}.") from None


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"the key '{key}' is missing"
    if error["type"] == "string_pattern_mismatch" and key in _RULES:
        return f"'{key}' {_RULES[key]} (it is {error['input']!r})"
    return f"'{key}': {str(error['msg'])[:1].lower()}{str(error['msg'])[1:]}"
