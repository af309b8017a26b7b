"""Where things lie: the user's folder, and the resources and plugins that come with SensiView."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def home() -> Path:
    """Folder of settings, plugins, cache and log; ``SENSIVIEW_HOME`` overrides the system's place."""
    override = os.environ.get("SENSIVIEW_HOME")
    if override:
        return Path(override).expanduser().resolve()
    from platformdirs import user_data_path  # start-up: only when it is not overridden

    return user_data_path("SensiView", appauthor=False)


def settings_file() -> Path:
    """The settings, JSON."""
    return home() / "settings.json"


def user_plugins() -> Path:
    """Folder that holds the user's own plugins, one folder each."""
    return home() / "plugins"


def log_file() -> Path:
    """The log of this user's windows and workers."""
    return home() / "log" / "sensiview.log"


def _bundled(name: str) -> Path:
    """A folder that lies inside the package in a wheel and beside it in a checkout."""
    inside = _PACKAGE / "_bundled" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def resources() -> Path:
    """Icons, help and samples that come with SensiView."""
    return _bundled("resources")


def bundled_plugins() -> Path:
    """The plugins that come with SensiView."""
    return _bundled("plugins")
