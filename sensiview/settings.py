"""What the user prefers, in one small JSON file; read before anything heavy is imported.

A settings file must never stop the start: a value that does not fit falls back to its default with a notice, a
damaged file is put aside with a time stamp, values of a newer version that we do not know are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sensiview import locations

ThemeChoice = Literal["system", "light", "dark"]


@dataclass(frozen=True)
class Settings:
    """The user's preferences.

    Attributes
    ----------
    theme : str
        ``system``, ``light`` or ``dark``.
    device : str
        Where jobs compute unless a form says otherwise: ``auto``, ``cpu``, ``cuda:0``, ``mps``.
    batch_size : int or None
        Rows per batch; None probes what fits into memory.
    font_size : int
        Points; 0 takes the desktop's.
    """

    theme: ThemeChoice = "system"
    device: str = "auto"
    batch_size: int | None = None
    font_size: int = 0
    # What a newer version wrote and we do not know.
    others: Mapping[str, Any] = field(default_factory=dict)


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "theme": lambda value: value in ("system", "light", "dark"),
    "device": lambda value: isinstance(value, str) and bool(value),
    "batch_size": lambda value: value is None or (type(value) is int and value >= 1),
    "font_size": lambda value: type(value) is int and (value == 0 or 6 <= value <= 32),
}


def read_settings(path: Path | None = None) -> tuple[Settings, list[str]]:
    """Return the settings, and a sentence for everything that could not be used."""
    path = path or locations.settings_file()
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), []
    except OSError as error:
        return Settings(), [f"The settings in '{path}' can't be read ({error.strerror or error}); defaults are used."]
    except (ValueError, RecursionError):
        return Settings(), [_put_aside(path)]
    if not isinstance(raw, dict):
        return Settings(), [_put_aside(path)]
    known = {name: raw[name] for name in _CHECKS if name in raw}
    wrong = [name for name, value in known.items() if not _CHECKS[name](value)]
    notices = [f"The setting '{name}' has the unusable value {known[name]!r}; its default is used." for name in wrong]
    values = {name: value for name, value in known.items() if name not in wrong}
    others = {name: value for name, value in raw.items() if name not in _CHECKS}
    return Settings(**values, others=others), notices


def write_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings.

    Raises
    ------
    OSError
        The folder can't be written.
    """
    from sensiview.files import write_atomically  # pydantic: not before the window is visible

    path = path or locations.settings_file()
    values = {f.name: getattr(settings, f.name) for f in fields(settings) if f.name != "others"}
    content = json.dumps({**settings.others, **values}, indent=2, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, lambda stream: stream.write(content.encode("utf-8") + b"\n"))


def as_mapping(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, for a report."""
    return asdict(settings)


def _put_aside(path: Path) -> str:
    aside = path.with_name(f"{path.stem}-damaged-{datetime.now():%Y%m%d-%H%M%S}{path.suffix}")
    try:
        path.replace(aside)
    except OSError:
        return f"The settings in '{path}' are damaged; defaults are used."
    return f"The settings were damaged; defaults are used, the old file is '{aside}'."
