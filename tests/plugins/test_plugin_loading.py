"""Plugins: found, read and loaded, and never in the way of the start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sensiview.errors import UserError
from sensiview.plugin_loading import (
    Discovery,
    discover,
    list_plugins,
    remove_plugin,
    survey,
    trust_plugin,
)
from sensiview.plugin_loading.importing import ROOT
from sensiview.plugin_loading.manifest import numbers
from tests.plugins.written_plugins import ANALYSIS, found, write_plugin


def test_that_a_new_plugin_is_listed_but_its_code_is_not_run(user: Path, tmp_path: Path) -> None:
    write_plugin(
        user,
        code=f"open({str(tmp_path / 'ran')!r}, 'w')\n" + ANALYSIS.replace("from __future__ import annotations", ""),
    )
    info = found()
    assert (info.state, info.analyses) == ("untrusted", ())
    assert "sensiview plugins trust counting" in info.reason
    assert "counting" not in discover()
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_that_a_developer_may_link_the_whole_folder_and_removing_takes_only_the_link(
    user: Path, tmp_path: Path
) -> None:
    checkout = write_plugin(tmp_path / "checkout")
    user.mkdir(parents=True)
    (user / "counting").symlink_to(checkout, target_is_directory=True)
    assert trust_plugin("counting").analyses == ("counting",)
    assert "as it was" in remove_plugin("counting")
    assert (checkout / "counting.py").exists()
    assert not (user / "counting").exists()


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({"title": None}, "the key 'title' is missing"),
        ({"name": "Not A Name"}, "'name' must be lower case"),
        ({"module": "../evil"}, "'module' must be the name of a Python module"),
        ({"module": "elsewhere"}, "has no module 'elsewhere'"),
        ({"sensiview": "99.1"}, "needs SensiView 99.1 or newer"),
        ({"version": 3}, "'version'"),
    ],
)
def test_that_a_wrong_manifest_is_a_sentence(user: Path, keys: dict[str, Any], sentence: str) -> None:
    write_plugin(user, **keys)
    if keys == {"module": "elsewhere"}:
        with pytest.raises(UserError, match=sentence):
            trust_plugin("counting")
        return
    info = found()
    assert info.state == "broken"
    assert sentence in info.reason
    assert info.reason.endswith(".")


def test_that_a_manifest_that_is_not_toml_or_not_there_is_a_sentence(user: Path) -> None:
    folder = write_plugin(user)
    (folder / "plugin.toml").write_bytes(b"\xff\xfe nonsense")
    assert "is not TOML in UTF-8" in found().reason
    (folder / "plugin.toml").unlink()
    assert "has no plugin.toml" in found().reason
    nested = write_plugin(user / "zipped", "inner")
    assert "one folder deeper, in 'inner'" in found("zipped").reason
    assert nested.exists()


def test_that_a_manifest_written_by_a_windows_editor_is_read(user: Path) -> None:
    folder = write_plugin(user)
    text = (folder / "plugin.toml").read_text("utf-8")
    (folder / "plugin.toml").write_text(text, "utf-8-sig")
    assert found().state == "untrusted"


@pytest.mark.parametrize(
    "code, sentence",
    [
        ("def broken(:\n", "SyntaxError"),
        ("raise RuntimeError('no luck')\n", "no luck"),
        ("import sys; sys.exit(3)\n", "SystemExit"),
        ("import not_installed_anywhere\n", "not_installed_anywhere"),
        ("x = 1\n", "defines no analysis"),
        (ANALYSIS.replace('    """Count."""', ""), "docstring"),
        (ANALYSIS.replace('title = "Counting"', ""), "'title' is missing"),
    ],
)
def test_that_broken_code_is_a_sentence_and_the_others_still_load(user: Path, code: str, sentence: str) -> None:
    write_plugin(user, "broken", code=code, name="broken")
    write_plugin(user, "counting")
    trust_plugin("counting")
    with pytest.raises(UserError, match=sentence):
        trust_plugin("broken")
    info = found("broken")
    assert info.state == "broken"
    assert sentence in info.reason
    assert "counting" in discover()
    if "RuntimeError" in code:
        assert not [m for m in sys.modules if m.startswith(f"{ROOT}.broken")]


def test_that_a_plugin_with_a_key_that_is_taken_is_refused_as_a_whole(user: Path) -> None:
    write_plugin(user, "counting")
    two = ANALYSIS + "\nclass Second(Counting):\n    '''Second.'''\n    key = 'second'\n"
    write_plugin(user, "later", name="later", code=two)
    trust_plugin("counting")
    with pytest.raises(UserError, match="its analysis calls itself 'counting'"):
        trust_plugin("later")
    assert "second" not in discover()


def test_that_a_second_folder_of_the_same_name_is_shown_and_can_be_removed(user: Path) -> None:
    write_plugin(user, "counting")
    write_plugin(user, "counting_copy")
    trust_plugin("counting")
    info = found("counting-2")
    assert info.state == "broken"
    assert "Remove one of them" in info.reason
    remove_plugin("counting-2")
    assert not (user / "counting_copy").exists()
    assert found().state == "trusted"


def test_that_what_a_plugin_prints_does_not_reach_stdout(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_plugin(
        user, code="print('hello from a plugin')\n" + ANALYSIS.replace("from __future__ import annotations", "")
    )
    trust_plugin("counting")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "hello from a plugin" in captured.err


def test_that_a_folder_deleted_by_hand_is_reported_and_can_be_forgotten(user: Path) -> None:
    import shutil

    folder = write_plugin(user)
    trust_plugin("counting")
    shutil.rmtree(folder)
    assert found().state == "removed"
    with pytest.raises(UserError, match="no longer there"):
        trust_plugin("counting")
    assert "gone already" in remove_plugin("counting")
    assert "counting" not in {info.name for info in list_plugins()}


def test_that_an_unknown_plugin_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'permutation_importance'"):
        trust_plugin("permutation_importanse")


@pytest.mark.parametrize("older, newer", [("0.1", "0.1.1"), ("0.9", "0.10"), ("1", "1.0.1"), ("0.1.0", "0.2.0rc1")])
def test_that_versions_compare_by_their_numbers(older: str, newer: str) -> None:
    assert numbers(older) < numbers(newer)
    assert numbers("1.0") == numbers("1")


def test_that_every_method_of_ours_is_found_and_none_is_broken() -> None:
    seen: Discovery = survey()
    assert [info for info in seen.plugins if info.kind == "method"] == []
    assert {"first_layer_sensitivity", "feature_subset", "permutation_importance"} <= {a.key for a in seen.catalogue}


def test_that_the_catalogue_is_built_without_torch_or_pandas_and_fast(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "began = time.process_time()\n"
        "import sensiview.analysis.contract\n"
        "between = time.process_time()\n"
        "from sensiview.plugin_loading import discover\n"
        "discover()\n"
        "print(between - began, time.process_time() - between)\n"
        "heavy = {'torch', 'pandas', 'scipy', 'SALib', 'pyarrow', 'PySide6', 'nibabel'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    # As in an installed program: byte code is kept from one start to the next.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path / "byte_code")
    times = []
    for _ in range(4):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        times.append([float(word) for word in done.stdout.split()])
    # 0.17 s for thirty analyses where numpy and pydantic take about 0.2 s; slower in proportion on a busy machine.
    assert min(discovery for _, discovery in times) < max(0.1, 1.1 * min(imports for imports, _ in times))
