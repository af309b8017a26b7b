"""The user's folder of plugins, and no plugin left in the process after a test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensiview import locations
from sensiview.plugin_loading.importing import ROOT


@pytest.fixture
def user() -> Path:
    return locations.user_plugins()


@pytest.fixture(autouse=True)
def _forgotten_afterwards() -> Iterator[None]:
    yield
    for name in [m for m in sys.modules if m.startswith(f"{ROOT}.counting")]:
        del sys.modules[name]
    sys.meta_path[:] = [f for f in sys.meta_path if getattr(f, "package", "") != f"{ROOT}.counting"]
