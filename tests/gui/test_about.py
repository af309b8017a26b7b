"""Help > About: version, machine, what everything is under, and the texts; from a checkout and from a package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton

from sensiview import __version__, components, locations
from sensiview.components import Component
from sensiview.gui.themes import apply_theme

pytestmark = pytest.mark.needs_display


def about(window: Any, wait_until: Any) -> Any:
    window.action_set["about"].trigger()
    dialog = window.dialog("about")
    wait_until(lambda: dialog.components, 20, "the list of components")
    return dialog


def rows(tree: Any) -> dict[str, tuple[str, ...]]:
    items = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return {item.text(0): tuple(item.text(at) for at in range(1, tree.columnCount())) for item in items}


def shown(dialog: Any) -> list[str]:
    return [row.text(0) for row in dialog.list._rows if not row.isHidden()]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: Any) -> Path:
    """Make the list of components that of a packaged program."""
    folder = tmp_path / "packaged" / "resources"
    texts = folder / "licences" / "torch"
    texts.mkdir(parents=True)
    (texts / "LICENSE").write_text("From PyTorch: do as you like.")
    listed = [
        Component("sensiview", "1.2.3", "BSD-3-Clause"),
        Component("torch", "9.9.9", "BSD-3-Clause", homepage="https://pytorch.org", texts=("torch/LICENSE",)),
        Component("nvidia-cublas", "13.4", "LicenseRef-NVIDIA-Proprietary"),
        Component("libxcb-cursor", "0.1.1", "MIT", "library"),
    ]
    (folder / "licences" / "components.json").write_text(components.to_json(listed))
    # Icons are still those of the checkout: only the list is another one.
    monkeypatch.setattr("sensiview.components.bundle.locations", _Elsewhere(folder))
    return folder


class _Elsewhere:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def resources(self) -> Path:
        return self._folder


class TestCheckout:
    def test_that_version_place_and_main_packages_are_shown(self, window: Any, wait_until: Any) -> None:
        dialog = about(window, wait_until)
        words = "\n".join(label.text() for label in dialog.findChildren(type(dialog.notes)))
        assert f"SensiView {__version__}" in words
        assert f"Installed: checkout in {Path(__file__).resolve().parents[2]}" in words
        assert str(locations.home()) in words
        packages = rows(dialog.packages)
        assert packages["torch"][1] == "networks"
        assert packages["SALib"][2] == "MIT"
        assert "not installed" not in {version for version, *_ in packages.values()}

    def test_that_the_terms_of_qt_and_of_nvidia_are_said(self, window: Any, wait_until: Any) -> None:
        notes = about(window, wait_until).notes.text()
        assert "GNU Lesser General Public License, version 3" in notes
        assert "replaceable in " in notes
        folder = Path(notes.split("replaceable in ")[1].split(":")[0])
        assert list(folder.glob("QtCore*"))
        assert "NVIDIA's own licence" in notes

    def test_that_the_text_of_the_chosen_component_is_beside_the_list(self, window: Any, wait_until: Any) -> None:
        dialog = about(window, wait_until)
        dialog.tabs.setCurrentWidget(dialog.list)
        assert "Redistribution and use in source and binary forms" in dialog.list.text.toPlainText()  # our own
        dialog.list.choose("PySide6_Essentials")
        assert dialog.list.title.text().startswith("PySide6_Essentials 6.")
        assert "LGPL-3.0-only" in dialog.list.facts.text()
        assert "GNU LESSER GENERAL PUBLIC LICENSE" in dialog.list.text.toPlainText()
        assert dialog.list.text.isReadOnly()

    def test_that_the_gpl_of_the_diabetes_table_is_found_by_searching(self, window: Any, wait_until: Any) -> None:
        dialog = about(window, wait_until)
        dialog.list.search.setText("gpl-2 diabetes")
        assert shown(dialog) == ["Pima Indians diabetes table"]
        assert dialog.list.count.text().startswith("1 of ")
        assert "separate work" in dialog.list.text.toPlainText()

    def test_that_a_search_without_a_match_says_so_and_clearing_brings_all_back(
        self, window: Any, wait_until: Any
    ) -> None:
        dialog = about(window, wait_until)
        everything = len(shown(dialog))
        dialog.list.search.setText("no such thing")
        assert shown(dialog) == []
        assert dialog.list.count.text() == f"0 of {everything} components"
        dialog.list.search.setText("")
        assert len(shown(dialog)) == everything > 50

    def test_that_copy_takes_every_version_along(self, window: Any, wait_until: Any) -> None:
        dialog = about(window, wait_until)
        dialog.findChild(QPushButton, "copy_versions_button").click()
        lines = QGuiApplication.clipboard().text().splitlines()
        assert lines[0] == f"SensiView {__version__}"
        assert any(line.startswith("torch  2.") for line in lines)
        assert any(line.startswith("Desikan-Killiany atlas  ") for line in lines)

    def test_that_closing_while_it_reads_leaves_nothing_behind(self, window: Any, settle: Any) -> None:
        window.action_set["about"].trigger()
        window.dialog("about").close()
        settle(1.0)


class TestPackage:
    def test_that_what_the_package_lists_is_shown(self, window: Any, package: Path, wait_until: Any) -> None:
        dialog = about(window, wait_until)
        names = shown(dialog)
        assert names[:4] == ["SensiView", "nvidia-cublas", "torch", "libxcb-cursor"]
        assert len(names) == 4 + len(components.data_components())
        assert rows(dialog.packages)["torch"][0] == "9.9.9"
        assert rows(dialog.packages)["pandas"][0] == "not installed"

    def test_that_its_texts_are_those_of_the_package(self, window: Any, package: Path, wait_until: Any) -> None:
        dialog = about(window, wait_until)
        dialog.list.choose("torch")
        assert dialog.list.text.toPlainText() == "From PyTorch: do as you like."
        assert "https://pytorch.org" in dialog.list.facts.text()
        dialog.list.choose("libxcb-cursor")
        assert dialog.list.text.toPlainText().startswith("No licence text comes with libxcb-cursor")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_that_lines_of_80_characters_fit_beside_the_list_on_a_small_screen(
    window: Any, wait_until: Any, qapp: Any, theme: Any
) -> None:
    apply_theme(qapp, theme)
    try:
        dialog = about(window, wait_until)
        dialog.tabs.setCurrentWidget(dialog.list)
        qapp.processEvents()
        text = dialog.list.text
        assert dialog.width() <= 1280
        assert dialog.height() <= 760
        assert text.viewport().width() >= 80 * text.fontMetrics().horizontalAdvance("m")
    finally:
        apply_theme(qapp, "light")
