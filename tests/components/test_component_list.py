"""What is installed, from the metadata of distributions, sound and broken; the list as JSON; our own data."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

from sensiview import __version__, components, locations
from sensiview.components import Component


def add_distribution(site: Path, name: str, header: str = "", *, version: str = "1.0", folder: str = "") -> Path:
    """Put the metadata of a distribution into a folder, as pip does; returns that of the metadata."""
    info = site / f"{folder or name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{header}")
    return info


def licence(site: Path, name: str) -> str:
    [found] = [d for d in metadata.distributions(path=[str(site)]) if d.metadata["Name"] == name]
    return components.licence_of(found)


def listed(site: Path) -> dict[str, Component]:
    return {component.name: component for component in components.installed_distributions([str(site)])}


@pytest.mark.parametrize(
    "header, expected",
    [
        ("License-Expression: MIT AND Zlib\nLicense: something else\n", "MIT AND Zlib"),
        ("License: whatever\nClassifier: License :: OSI Approved :: MIT License\n", "MIT License"),
        ("License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License\n", "BSD-3-Clause"),
        ("License: UNKNOWN\nClassifier: License :: OSI Approved :: ISC License (ISCL)\n", "ISC License (ISCL)"),
        ("Classifier: License :: OSI Approved\nLicense: Apache 2.0\n", "Apache 2.0"),
        ("License: The first line\n        of a whole licence text\n", "The first line"),
        ("License: UNKNOWN\n", "not stated"),
        ("", "not stated"),
        ("Classifier: License :: DFSG approved\nClassifier: License :: OSI Approved :: MIT License\n", "MIT License"),
    ],
)
def test_that_a_licence_is_the_most_precise_that_the_metadata_states(
    tmp_path: Path, header: str, expected: str
) -> None:
    add_distribution(tmp_path, "example", header)
    assert licence(tmp_path, "example") == expected


def test_that_distributions_are_listed_with_version_licence_and_homepage(tmp_path: Path) -> None:
    links = "Project-URL: Documentation, https://docs.example.org\nProject-URL: Homepage, https://example.org\n"
    add_distribution(tmp_path, "Zeta", f"License-Expression: MIT\n{links}", version="2.5")
    add_distribution(tmp_path, "alpha", "Home-page: UNKNOWN\nProject-URL: Source, https://example.org/alpha\n")
    assert list(listed(tmp_path)) == ["alpha", "Zeta"]
    assert listed(tmp_path)["Zeta"] == Component("Zeta", "2.5", "MIT", "python", "https://example.org")
    assert listed(tmp_path)["alpha"].homepage == "https://example.org/alpha"


def test_that_of_two_spellings_of_a_name_the_first_on_the_path_counts(tmp_path: Path) -> None:
    add_distribution(tmp_path / "one", "Some_Package", version="2.0")
    add_distribution(tmp_path / "two", "some-package", version="1.0")
    found = components.installed_distributions([str(tmp_path / "one"), str(tmp_path / "two")])
    assert [(c.name, c.version) for c in found] == [("Some_Package", "2.0")]


def test_that_a_distribution_without_a_name_is_called_as_its_folder(tmp_path: Path) -> None:
    info = tmp_path / "nameless-3.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nLicense: MIT\n")
    assert listed(tmp_path)["nameless"].version == "3.1"


def test_that_metadata_that_is_gone_is_no_reason_to_leave_a_distribution_out(tmp_path: Path) -> None:
    (tmp_path / "hollow-0.9.dist-info").mkdir()
    assert listed(tmp_path)["hollow"] == Component("hollow", "0.9", "not stated")


def test_that_metadata_that_is_no_text_is_no_reason_to_stop(tmp_path: Path) -> None:
    info = tmp_path / "garbled-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_bytes(b"Name: garbled\xff\xfe\x00\nVersion: \x80\n")
    (info / "RECORD").write_bytes(b"\xff\xfe\xfd")
    add_distribution(tmp_path, "sound")
    assert listed(tmp_path)["garbled"].version == "1.2"
    assert set(listed(tmp_path)) == {"garbled", "sound"}


def test_that_this_environment_has_a_licence_and_a_text_for_what_it_runs_on() -> None:
    found = {c.name.lower(): c for c in components.installed_distributions()}
    for name in ("torch", "numpy", "pyside6", "pyside6_essentials", "shiboken6", "napari", "pyjpegls", "pyopengl"):
        assert found[name].licence != "not stated", name
        assert len(components.licence_text(found[name])) > 500, name
    assert found["sensiview"].version == __version__


def test_that_qt_comes_with_the_lesser_general_public_licence_and_the_one_that_it_refers_to() -> None:
    [qt] = [c for c in components.installed_distributions() if c.name == "PySide6_Essentials"]
    text = components.licence_text(qt)
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in text
    assert "Version 3, 29 June 2007" in text
    assert "TERMS AND CONDITIONS" in text  # of the GPL, which the LGPL adds permissions to


def test_that_python_itself_is_a_component() -> None:
    python = components.interpreter()
    assert (python.name, python.licence, python.kind) == ("Python", "PSF-2.0", "library")
    assert "PYTHON SOFTWARE FOUNDATION LICENSE" in components.licence_text(python)


class TestJson:
    SAMPLE = (
        Component("torch", "2.15.0", "BSD-3-Clause", texts=("torch/LICENSE",)),
        Component("libxcb-cursor", "0.1.1", "MIT", "library", "https://example.org", note="Größe"),
    )

    def test_that_what_was_written_is_read_back(self) -> None:
        assert components.from_json(components.to_json(self.SAMPLE)) == list(self.SAMPLE)

    def test_that_fields_that_may_be_empty_may_be_missing(self) -> None:
        text = '[{"name": "x", "version": "", "licence": "MIT", "kind": "data"}]'
        assert components.from_json(text) == [Component("x", "", "MIT", "data")]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "{}",
            "[1]",
            '[{"name": "", "version": "1", "licence": "MIT", "kind": "data"}]',
            '[{"name": "x", "version": 1, "licence": "MIT", "kind": "data"}]',
            '[{"name": "x", "version": "1", "licence": "MIT", "kind": "virus"}]',
            '[{"name": "x", "version": "1", "licence": "MIT", "kind": "data", "texts": "LICENSE"}]',
            '[{"name": "x", "version": "1", "licence": "MIT", "kind": "data", "texts": ["../../secret"]}]',
            '[{"name": "x", "version": "1", "licence": "MIT", "kind": "data", "texts": ["/etc/passwd"]}]',
            '[{"name": "x", "version": "1", "licence": "MIT", "kind": "data", "texts": ["C:\\\\secret"]}]',
        ],
    )
    def test_that_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError):
            components.from_json(text)


class TestOurData:
    def test_that_every_licence_among_the_resources_belongs_to_a_component(self) -> None:
        folder = locations.resources()
        there = {
            path.relative_to(folder).as_posix()
            for part in ("samples", "atlases")
            for path in (folder / part).rglob("*")
            if re.match(r"LICEN[CS]E|SOURCES", path.name)
        }
        assert there == {t for c in components.data_components() for t in c.texts if not t.startswith("licence_texts/")}

    def test_that_every_text_that_a_component_names_is_there(self) -> None:
        missing = [
            t for c in components.data_components() for t in c.texts if not (locations.resources() / t).is_file()
        ]
        assert missing == []

    def test_that_the_diabetes_table_is_said_to_be_a_separate_work_under_the_gpl(self) -> None:
        [table] = [c for c in components.data_components() if "diabetes" in c.name]
        text = components.licence_text(table)
        assert table.licence == "GPL-2.0-only"
        assert "separate work" in text
        assert "mere aggregation" in text
        assert "source form is the file itself" in text
        assert "GNU GENERAL PUBLIC LICENSE" in text
        assert (locations.resources() / "samples" / "diabetes" / "diabetes.csv").is_file()
