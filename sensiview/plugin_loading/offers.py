"""What a module offers: its analyses, the architectures of its models, partitions and generators for screenings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from sensiview.analysis.contract import Analysis
from sensiview.analysis.parameters import Parameters
from sensiview.datasets.generators import Generator
from sensiview.models.architectures import Architecture
from sensiview.numerics.screening.partition import Partition
from sensiview.plugin_loading.content import PluginProblem

_KEY = re.compile(r"[a-z][a-z0-9_]*")


def analyses_of(module: ModuleType, package: str | None = None) -> list[Analysis[Any]]:
    """Return one of each analysis that a module defines, in the order of definition.

    `package` also takes what the module imports from inside its own plugin. A class whose name begins with an
    underscore is a base of others and left out, as an abstract one is.

    Raises
    ------
    PluginProblem
        A class does not keep the contract.
    """
    home = package or module.__name__
    return [instance(cls) for cls in _classes(module, Analysis, home)]


def instance(cls: type[Analysis[Any]]) -> Analysis[Any]:
    """Check that a class declares what the contract asks for, and return one of it.

    Raises
    ------
    PluginProblem
        With every missing or wrong declaration.
    """
    wrong = []
    if not _KEY.fullmatch(str(getattr(cls, "key", ""))):
        wrong.append("'key' must be lower case letters, digits and underscores, beginning with a letter")
    if not getattr(cls, "title", ""):
        wrong.append("'title' is missing")
    declared = getattr(cls, "Parameters", None)
    if not (isinstance(declared, type) and issubclass(declared, Parameters)):
        wrong.append("'Parameters' must be a class derived from sensiview.analysis.parameters.Parameters")
    if not (cls.__doc__ or "").strip():
        wrong.append("the docstring, which is its help, is missing")
    if wrong:
        raise PluginProblem(f"The analysis '{cls.__name__}' can't be used: {'; '.join(wrong)}.")
    return cls()


def makes_architectures(module: ModuleType) -> bool:
    """Return whether a module has a function that makes its architectures."""
    return callable(getattr(module, "ARCHITECTURES", None))


def architectures_of(module: ModuleType, package: str | None = None) -> list[Architecture]:
    """Return the architectures a module offers; loads what they need, torch for instance.

    Either ``ARCHITECTURES`` (instances or classes, or a function that returns them, so that torch is loaded only
    when it is called), or every class derived from `sensiview.models.architectures.Architecture`.
    """
    offered = getattr(module, "ARCHITECTURES", None)
    if offered is None:
        return [cls() for cls in _classes(module, Architecture, package or module.__name__)]
    listed: Any = offered() if callable(offered) else offered
    found: Iterable[Any] = listed.values() if isinstance(listed, Mapping) else listed
    models = [entry() if isinstance(entry, type) else entry for entry in found]
    for model in models:
        if not isinstance(model, Architecture):
            raise PluginProblem(f"ARCHITECTURES of '{module.__name__}' holds {model!r}, which is no Architecture.")
    return models


@dataclass(frozen=True)
class Parts:
    """Partitions and generators by key."""

    partitions: Mapping[str, Partition] = field(default_factory=dict)
    generators: Mapping[str, Generator] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.partitions or self.generators)


def parts_of(modules: Iterable[ModuleType], package: str | None = None) -> Parts:
    """Return the partitions and generators that modules define.

    Raises
    ------
    PluginProblem
        One has no key or title, or two have the same key.
    """
    partitions: dict[str, Partition] = {}
    generators: dict[str, Generator] = {}
    for module in modules:
        home = package or module.__name__
        for cls in _classes(module, Partition, home):
            _add(partitions, cls, "partition")
        for cls in _classes(module, Generator, home):
            _add(generators, cls, "generator")
    return Parts(partitions, generators)


def _add(found: dict[str, Any], cls: type[Any], what: str) -> None:
    key = str(getattr(cls, "key", ""))
    if not _KEY.fullmatch(key) or not getattr(cls, "title", ""):
        raise PluginProblem(
            f"The {what} '{cls.__name__}' can't be used: it needs a 'key' of lower case letters, digits and "
            "underscores, and a 'title'."
        )
    if key in found:
        raise PluginProblem(f"Two of its {what}s call themselves '{key}'.")
    found[key] = cls()


def _classes(module: ModuleType, base: type[Any], home: str) -> list[type[Any]]:
    return [
        value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, base)
        and value is not base
        and not name.startswith("_")
        and name == value.__name__  # an alias is not a second one
        and (value.__module__ == home or value.__module__.startswith(home + "."))
        and not inspect.isabstract(value)
    ]
