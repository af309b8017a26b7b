"""Licence texts: which files of a distribution they are, how a build packs them, how a packaged program reads them."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from sensiview import components, locations
from sensiview.components import Component


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that Python imports from."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of resources of a packaged program, empty."""
    folder = tmp_path / "resources"
    folder.mkdir()
    monkeypatch.setattr(locations, "resources", lambda: folder)
    return folder


def install(site: Path, files: dict[str, str | bytes], header: str = "", *, record: bool = True) -> Component:
    """Install a distribution called 'example' with these files below its folder; returns it as a component."""
    info = site / "example-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: example\nVersion: 1.0\nLicense: MIT\n{header}")
    for name, content in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    if record:
        (info / "RECORD").write_text("".join(f'"{name}",,\n' if "," in name else f"{name},,\n" for name in files))
    [made] = [c for c in components.installed_distributions([str(site)]) if c.name == "example"]
    return made


def texts(site: Path) -> list[str]:
    found = components.licence_files(metadata.distribution("example"))
    return [path.relative_to(site).as_posix() for path in found]


INFO = "example-1.0.dist-info"


class TestFinding:
    def test_that_all_texts_of_a_distribution_are_found_the_main_one_first(self, site: Path) -> None:
        install(
            site,
            {
                f"{INFO}/licenses/LICENSE": "main",
                f"{INFO}/licenses/third_party/zlib/LICENSE.txt": "zlib",
                f"{INFO}/licenses/AUTHORS": "people",
                "example/_vendor/COPYING": "vendored",
                "example/fonts/LICENSE_DEJAVU": "font",
                "example/fonts/BOTTLENECK_LICENCE": "more",
                "example/maps/CC-BY license - applies to maps, all of them.txt": "maps",
                "example/__init__.py": "",
                "example/license.py": "code",
                "example/licensed.txt": "no licence",
                "example/notices.json": "{}",
            },
            "License-File: LICENSE\nLicense-File: AUTHORS\n",
        )
        found = texts(site)
        assert found[0] == f"{INFO}/licenses/LICENSE"
        assert set(found[1:]) == {
            f"{INFO}/licenses/third_party/zlib/LICENSE.txt",
            f"{INFO}/licenses/AUTHORS",
            "example/_vendor/COPYING",
            "example/fonts/LICENSE_DEJAVU",
            "example/fonts/BOTTLENECK_LICENCE",
            "example/maps/CC-BY license - applies to maps, all of them.txt",
        }

    def test_that_texts_beside_old_metadata_are_found_without_a_list_of_files(self, site: Path) -> None:
        install(
            site,
            {f"{INFO}/NOTICE": "n", f"{INFO}/LICENSE-3RD-PARTY.txt": "3", f"{INFO}/LICENSE.txt": "l"},
            record=False,
        )
        assert texts(site)[0] == f"{INFO}/LICENSE.txt"
        assert len(texts(site)) == 3

    def test_that_files_that_are_listed_but_gone_are_left_out(self, site: Path) -> None:
        install(site, {f"{INFO}/LICENSE": "main", "example/COPYING": "gone"})
        (site / "example" / "COPYING").unlink()
        assert texts(site) == [f"{INFO}/LICENSE"]

    def test_that_a_header_does_not_lead_out_of_the_distribution(self, site: Path) -> None:
        (site.parent / "LICENSE").write_text("of something else")
        component = install(
            site, {"example/LICENSE": "own"}, "License-File: ../../LICENSE\nLicense-File: /etc/hostname\n"
        )
        assert component.texts == ("example/LICENSE",)


class TestReading:
    def test_that_several_texts_stand_under_their_names_and_equal_ones_once(self, site: Path) -> None:
        component = install(
            site,
            {f"{INFO}/licenses/LICENSE": "main", "example/a/LICENSE": "shared", "example/b/LICENSE": "shared"},
        )
        text = components.licence_text(component)
        assert text.count("shared") == 1
        assert text.index("LICENSE\n=======\n\nmain\n") == 0
        assert "a/LICENSE, b/LICENSE\n====================\n\nshared" in text

    def test_that_a_single_text_stands_as_it_is(self, site: Path) -> None:
        assert components.licence_text(install(site, {f"{INFO}/LICENSE": "\ufeffAll of it\r\n\r\nhere.\r\n"})) == (
            "All of it\n\nhere."
        )

    def test_that_other_encodings_and_binary_files_do_not_stop_it(self, site: Path) -> None:
        component = install(
            site, {f"{INFO}/LICENSE": "Müller © 2001".encode("cp1252"), "example/COPYING": b"\x00\x01\xff binary"}
        )
        assert components.licence_text(component) == "Müller © 2001"

    def test_that_no_text_at_all_is_said_in_a_sentence(self, site: Path) -> None:
        component = install(site, {}, "Home-page: https://example.org\n")
        assert components.licence_text(component) == (
            "No licence text comes with example; its licence is: MIT. See https://example.org."
        )

    def test_that_a_component_that_is_not_installed_has_a_sentence_too(self) -> None:
        gone = Component("never-installed", "1", "MIT", texts=("never/LICENSE", "../../etc/hostname"))
        assert components.licence_text(gone).startswith("No licence text comes with never-installed")


class TestPackaging:
    def pack(self, made: list[Component], resources: Path) -> None:
        folder = resources / "licences"
        packed = [components.copy_texts(component, folder) for component in made]
        folder.mkdir(exist_ok=True)
        (folder / "components.json").write_text(components.to_json(packed), encoding="utf-8")

    def test_that_a_packaged_program_reads_what_the_build_has_packed(self, site: Path, resources: Path) -> None:
        component = install(
            site, {f"{INFO}/licenses/LICENSE": "main", "example/a/LICENSE": "more", "example/b/LICENSE": "more"}
        )
        library = Component("libxcb-cursor", "0.1.1", "MIT", "library", texts=())
        self.pack([component, library, Component("sensiview", "0.3.0", "BSD-3-Clause")], resources)
        # The environment that it was built in is not there.
        for path in sorted(site.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        found = [c for c in components.bundled() if c.kind != "data"]
        assert [c.name for c in found] == ["sensiview", "example", "libxcb-cursor"]
        assert found[1].texts == ("example/LICENSE", "example/a/LICENSE")
        assert components.licence_text(found[1]) == "LICENSE\n=======\n\nmain\n\n\na/LICENSE\n=========\n\nmore"

    def test_that_our_data_are_listed_in_a_packaged_program_once(self, resources: Path) -> None:
        data = components.data_components()
        self.pack([Component("sensiview", "0.3.0", "BSD-3-Clause"), data[0]], resources)
        names = [c.name for c in components.bundled()]
        assert sorted(names) == sorted(["sensiview", *(c.name for c in data)])

    def test_that_texts_among_the_resources_are_not_copied_again(self, tmp_path: Path) -> None:
        table = components.data_components()[0]
        assert components.copy_texts(table, tmp_path / "licences") == table
        assert not (tmp_path / "licences").exists()

    @pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'[{"name": 3}]'])
    def test_that_a_damaged_list_is_replaced_by_what_is_installed(self, resources: Path, content: bytes) -> None:
        (resources / "licences").mkdir()
        (resources / "licences" / "components.json").write_bytes(content)
        assert {"torch", "numpy", "Python"} <= {c.name for c in components.bundled()}

    def test_that_a_checkout_lists_what_is_installed_with_sensiview_first(self) -> None:
        found = components.bundled()
        assert found[0].name == "sensiview"
        assert {"torch", "numpy", "Python", "Pima Indians diabetes table"} <= {c.name for c in found}
        names = [c.name.casefold() for c in found[1:]]
        assert names == sorted(names)
