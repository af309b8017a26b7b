"""Agreeing to plugins: what is hashed, what takes the agreement back, and a trust file that is damaged."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sensiview import locations
from sensiview.errors import UserError
from sensiview.plugin_loading import (
    TrustStore,
    discover,
    list_plugins,
    remove_plugin,
    survey,
    trust_plugin,
)
from sensiview.plugin_loading.content import MAX_FILES, PluginProblem, read_content
from sensiview.plugin_loading.importing import ROOT
from tests.plugins.written_plugins import found, write_plugin


def test_that_a_plugin_is_loaded_after_the_user_agreed(user: Path) -> None:
    write_plugin(user)
    info = trust_plugin("counting")
    assert (info.state, info.analyses, info.reason) == ("trusted", ("counting",), "")
    analysis = discover()["counting"]
    assert type(analysis).__module__ == f"{ROOT}.counting.counting"
    assert analysis.Parameters.parse({"n": 3}).n == 3


@pytest.mark.parametrize("change", ["code", "new file", "renamed file", "swapped contents"])
def test_that_any_change_of_content_or_names_takes_the_agreement_back(user: Path, change: str) -> None:
    folder = write_plugin(user)
    trust_plugin("counting")
    if change == "code":
        (folder / "wording.py").write_text("WORD = 'two '\n", "utf-8")
    elif change == "new file":
        (folder / "data.csv").write_text("", "utf-8")
    elif change == "renamed file":
        (folder / "wording.py").rename(folder / "words.py")
    else:
        first, second = (folder / "wording.py").read_bytes(), (folder / "plugin.toml").read_bytes()
        (folder / "data").write_bytes(first)
        trust_plugin("counting")
        (folder / "data").write_bytes(second)
    info = found()
    assert info.state == "changed"
    assert "changed since you agreed" in info.reason
    assert "counting" not in discover()
    assert info.reason in survey().problems
    trust_plugin("counting") if change != "renamed file" else None
    assert ("counting" in discover()) == (change != "renamed file")


def test_that_a_change_takes_effect_in_the_same_process_once_it_is_agreed_to(user: Path) -> None:
    folder = write_plugin(user)
    trust_plugin("counting")
    first = type(discover()["counting"])
    assert type(discover()["counting"]) is first
    (folder / "wording.py").write_text("WORD = 'two '\n", "utf-8")
    trust_plugin("counting")
    assert sys.modules[f"{ROOT}.counting.wording"].WORD == "two "
    assert type(discover()["counting"]) is not first


def test_that_byte_code_beside_the_sources_is_neither_hashed_nor_loaded(user: Path) -> None:
    folder = write_plugin(user)
    before = read_content(folder).sha256
    cache = folder / "__pycache__"
    cache.mkdir()
    (cache / f"wording.{sys.implementation.cache_tag}.pyc").write_bytes(b"planted")
    assert read_content(folder).sha256 == before
    trust_plugin("counting")
    assert [p.name for p in cache.iterdir()] == [f"wording.{sys.implementation.cache_tag}.pyc"]


def test_that_the_code_which_runs_is_the_code_that_was_hashed(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_plugin(user)
    trust_plugin("counting")
    for name in [m for m in sys.modules if m.startswith(f"{ROOT}.counting")]:
        del sys.modules[name]
    from sensiview.plugin_loading import discovery

    def swapped_after_the_check(*arguments: Any) -> Any:
        if arguments[0] == "counting":
            (folder / "wording.py").write_text("WORD = 'swapped '\n", "utf-8")
        return original(*arguments)

    original = discovery.load
    monkeypatch.setattr(discovery, "load", swapped_after_the_check)
    survey()
    assert sys.modules[f"{ROOT}.counting.wording"].WORD == "one "


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_that_links_and_pipes_inside_a_plugin_are_refused(user: Path, tmp_path: Path) -> None:
    folder = write_plugin(user)
    (tmp_path / "elsewhere.py").write_text("", "utf-8")
    (folder / "helper.py").symlink_to(tmp_path / "elsewhere.py")
    info = found()
    assert info.state == "broken"
    assert "link" in info.reason
    (folder / "helper.py").unlink()
    os.mkfifo(folder / "helper.py")
    assert found().state == "broken"
    with pytest.raises(UserError, match="link or a device"):
        trust_plugin("counting")


def test_that_removing_puts_the_folder_aside_and_forgets_the_agreement(user: Path) -> None:
    folder = write_plugin(user)
    trust_plugin("counting")
    assert "removed-plugins" in remove_plugin("counting")
    assert not folder.exists()
    assert [p.name[:9] for p in (locations.home() / "removed-plugins").iterdir()] == ["counting-"]
    assert "counting" not in {info.name for info in list_plugins()}
    write_plugin(user)
    assert found().state == "untrusted"


def test_that_agreeing_to_what_is_no_longer_shown_is_refused(user: Path) -> None:
    folder = write_plugin(user)
    shown = found().sha256
    (folder / "wording.py").write_text("WORD = 'two '\n", "utf-8")
    with pytest.raises(UserError, match="changed while you looked"):
        trust_plugin("counting", sha256=shown)
    assert found().state == "untrusted"


def test_that_bundled_plugins_need_no_agreement_and_cannot_be_removed() -> None:
    info = found("permutation_importance")
    assert (info.state, info.analyses) == ("bundled", ("permutation_importance",))
    assert "permutation_importance" in discover()
    with pytest.raises(UserError, match="comes with SensiView"):
        remove_plugin("permutation_importance")
    with pytest.raises(UserError, match="needs no agreement"):
        trust_plugin("permutation_importance")


@pytest.mark.parametrize("content", [b"{", b"[1, 2]", b'{"plugins": {"counting": 3}}', b"\xff\xff", b"[" * 100_000])
def test_that_a_damaged_trust_file_trusts_nothing_and_says_so(user: Path, content: bytes) -> None:
    write_plugin(user)
    trust_plugin("counting")
    TrustStore().path.write_bytes(content)
    seen = survey()
    assert {i.name: i.state for i in seen.plugins}["counting"] == "untrusted"
    assert "trust.json" in seen.problems[0]
    assert trust_plugin("counting").state == "trusted"


def test_that_a_trust_file_of_a_newer_version_is_left_as_it_is(user: Path) -> None:
    write_plugin(user)
    store = TrustStore()
    content = b'{"format": 2, "plugins": {}, "more": 1}'
    store.path.parent.mkdir(parents=True, exist_ok=True)
    store.path.write_bytes(content)
    with pytest.raises(UserError, match="newer SensiView"):
        trust_plugin("counting")
    assert store.path.read_bytes() == content


def test_that_a_home_that_cannot_be_written_is_a_sentence(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_plugin(user)

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("sensiview.plugin_loading.trust.write_atomically", refuse)
    with pytest.raises(UserError, match="can't be kept"):
        trust_plugin("counting")
    assert "counting" not in discover()


def test_that_a_folder_of_thousands_of_files_is_refused_at_once(user: Path) -> None:
    folder = write_plugin(user)
    for number in range(MAX_FILES):
        (folder / f"f{number}").touch()
    with pytest.raises(PluginProblem, match="too big"):
        read_content(folder)


def test_that_names_and_contents_cannot_be_exchanged_without_another_hash(tmp_path: Path) -> None:
    hashes = set()
    for number, files in enumerate(
        [{"a": b"bc", "d": b""}, {"ab": b"c", "d": b""}, {"a": b"b", "cd": b""}, {"a": b"bcd"}]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        hashes.add(read_content(folder).sha256)
    assert len(hashes) == 4
