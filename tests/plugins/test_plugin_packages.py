"""Plugins that come as installed packages, by entry points."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from sensiview.plugin_loading import (
    discover,
    remove_plugin,
    trust_plugin,
)
from sensiview.plugin_loading import packages as plugin_packages
from tests.plugins.written_plugins import ANALYSIS, found


class _Package:
    """An installed package with an entry point."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        (self.folder / "__init__.py").write_text("", "utf-8")
        (self.folder / "wording.py").write_text("WORD = 'one '\n", "utf-8")
        (self.folder / "tools.py").write_text(ANALYSIS.replace("KEY", "packaged"), "utf-8")
        self.entry = EntryPoint(name="x", value=f"{name}.tools:Counting", group=plugin_packages.GROUP)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Package]:
    made = _Package(tmp_path / "site", "counting_package_for_tests")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(plugin_packages, "entry_points", lambda group: [made.entry])
    yield made
    for name in [m for m in sys.modules if m.startswith("counting_package_for_tests")]:
        del sys.modules[name]


def test_that_an_installed_package_is_loaded_only_after_agreement(package: _Package) -> None:
    name = "counting_package_for_tests.tools"
    assert found(name).state == "untrusted"
    assert name not in sys.modules
    assert trust_plugin(name).analyses == ("packaged",)
    assert "packaged" in discover()
    (package.folder / "wording.py").write_text("WORD = 'two '\n", "utf-8")
    assert found(name).state == "changed"
    assert "packaged" not in discover()
    assert "Uninstall the package" in remove_plugin(name)
    assert found(name).state == "untrusted"


def test_that_an_entry_point_to_nowhere_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint(name="x", value="not_installed_anywhere:Thing", group=plugin_packages.GROUP)
    monkeypatch.setattr(plugin_packages, "entry_points", lambda group: [entry])
    info = found("not_installed_anywhere")
    assert info.state == "broken"
    assert "is not installed" in info.reason
