"""What the user prefers, in one small JSON file; read before anything heavy is imported.

A value comes from the caller (`read_settings` with names), else from the environment (``SENSIVIEW_THEME``,
``SENSIVIEW_DEVICE``, ...), else from the file, else it is the default. A settings file must never stop the start:
a value that does not fit is dropped with a notice, a file that can't be read as JSON is put aside with a time
stamp, and what a newer version wrote is kept.

`VERSION` must rise when a setting is renamed or removed, or changes its type or meaning; a new one does not need it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sensiview import locations

ThemeChoice = Literal["system", "light", "dark"]
VERSION = 1


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
    shortcuts : mapping
        Keys that the user chose, by command; only what differs from the declared ones.
    others : mapping
        What the file holds beside: settings of a newer version.
    overridden : mapping
        Values that came from the caller or the environment; they are for this start only and not written.
    """

    theme: ThemeChoice = "system"
    device: str = "auto"
    batch_size: int | None = None
    font_size: int = 0
    shortcuts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)
    overridden: Mapping[str, Any] = field(default_factory=dict)


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "theme": lambda value: value in ("system", "light", "dark"),
    "device": lambda value: isinstance(value, str) and bool(value.strip()),
    "batch_size": lambda value: value is None or (type(value) is int and value >= 1),
    "font_size": lambda value: type(value) is int and (value == 0 or 6 <= value <= 32),
    "shortcuts": lambda value: _are_shortcuts(value),
}
# What a variable of the environment can't hold.
_IN_FILES_ONLY = ("shortcuts",)


def read_settings(path: Path | None = None, **given: Any) -> tuple[Settings, list[str]]:
    """Return the settings, and a sentence for everything that could not be used.

    `given` values win over the environment, which wins over the file.
    """
    path = path or locations.settings_file()
    raw, notices = _read(path)
    values = _usable({name: raw[name] for name in _CHECKS if name in raw}, f"in '{path}'", notices)
    here = _usable(_from_environment(), "of the environment", notices)
    here |= _usable({name: value for name, value in given.items() if name in _CHECKS}, "given at the start", notices)
    others = {name: value for name, value in raw.items() if name not in _CHECKS}
    return Settings(**{**values, **here}, others=others, overridden=here), notices


def write_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings; what another window or a newer version has added to the file meanwhile is kept.

    Raises
    ------
    OSError
        The folder can't be written.
    """
    from sensiview.files import write_atomically  # pydantic: not before the window is visible

    path = path or locations.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    present, _ = _read(path)
    content = {"version": VERSION, **settings.others, **present}
    for name in _CHECKS:
        value = getattr(settings, name)
        if name in settings.overridden and value == settings.overridden[name]:
            continue
        newer = _is_newer(present) and name in present and not _CHECKS[name](present[name])
        if not (newer and value == getattr(Settings(), name)):
            content[name] = value
    text = json.dumps(content, indent=2, ensure_ascii=False)
    write_atomically(path, lambda stream: stream.write(text.encode("utf-8") + b"\n"))


def as_mapping(settings: Settings) -> dict[str, Any]:
    """Return the settings as plain values, for a report."""
    return asdict(settings)


def _read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return what the file holds; a damaged one is put aside, so that it is never overwritten."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [f"The settings in '{path}' can't be read ({error.strerror or error}); defaults are used."]
    except (ValueError, RecursionError):
        return {}, [_put_aside(path)]
    if not isinstance(raw, dict):
        return {}, [_put_aside(path)]
    return raw, []


def _usable(values: Mapping[str, Any], where: str, notices: list[str]) -> dict[str, Any]:
    """Return the values that fit, and add a sentence for each that does not."""
    kept = {}
    for name, value in values.items():
        if _CHECKS[name](value):
            kept[name] = value
        else:
            notices.append(f"The setting '{name}' {where} has the unusable value {value!r}; it is left out.")
    return kept


def _from_environment() -> dict[str, Any]:
    """Return the settings that the environment holds, as the types they should have."""
    found: dict[str, Any] = {}
    for name in (name for name in _CHECKS if name not in _IN_FILES_ONLY):
        text = os.environ.get(f"SENSIVIEW_{name.upper()}", "").strip()
        if not text:
            continue
        if name in ("batch_size", "font_size"):
            try:
                found[name] = None if name == "batch_size" and text.lower() == "auto" else int(text)
            except ValueError:
                found[name] = text  # named as unusable
        else:
            found[name] = text
    return found


def _are_shortcuts(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    lists = (isinstance(keys, list | tuple) and all(isinstance(key, str) for key in keys) for keys in value.values())
    return all(isinstance(command, str) for command in value) and all(lists)


def _is_newer(raw: Mapping[str, Any]) -> bool:
    version = raw.get("version")
    return isinstance(version, int) and version > VERSION


def _put_aside(path: Path) -> str:
    aside = path.with_name(f"{path.stem}-damaged-{datetime.now():%Y%m%d-%H%M%S}{path.suffix}")
    number = 2
    while aside.exists():
        aside = aside.with_name(f"{path.stem}-damaged-{datetime.now():%Y%m%d-%H%M%S}-{number}{path.suffix}")
        number += 1
    try:
        path.replace(aside)
    except OSError:
        return f"The settings in '{path}' are damaged; defaults are used."
    return f"The settings were damaged; defaults are used, the old file is '{aside}'."
