"""Plugins: found, hashed, agreed to, loaded from what was hashed, and never in the way of the start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from sensiview import locations
from sensiview.errors import UserError
from sensiview.plugin_loading import (
    Discovery,
    PluginInfo,
    TrustStore,
    discover,
    discover_architectures,
    list_plugins,
    remove_plugin,
    survey,
    trust_plugin,
)
from sensiview.plugin_loading import packages as plugin_packages
from sensiview.plugin_loading.content import MAX_FILES, PluginProblem, read_content
from sensiview.plugin_loading.importing import ROOT
from sensiview.plugin_loading.manifest import numbers

MANIFEST = {
    "name": "counting",
    "title": "Counting",
    "version": "1.0",
    "module": "counting",
    "sensiview": "0.1",
    "licence": "MIT",
    "description": "Counts.",
}
ANALYSIS = '''
from __future__ import annotations
from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Note
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from .wording import WORD

class CountingParameters(Parameters):
    n: int = parameter(1, label="n", help="How often")

class Counting(Analysis[CountingParameters]):
    """Count."""

    key = "KEY"
    title = "Counting"
    Parameters = CountingParameters

    def cost(self, study, parameters):
        return Cost(1, 1)

    def run(self, study, parameters, progress):
        return Result({"words": Note(title="Words", text=WORD * parameters.n)})

    def example(self):
        return Example(Study(), CountingParameters())
'''


def write_plugin(
    parent: Path, folder: str = "counting", *, code: str = ANALYSIS, key: str = "counting", **keys: Any
) -> Path:
    """Write a small plugin; a manifest key given as None is left out."""
    place = parent / folder
    place.mkdir(parents=True)
    manifest = {k: v for k, v in {**MANIFEST, **keys}.items() if v is not None}
    (place / "plugin.toml").write_text("\n".join(f"{k} = {json.dumps(v)}" for k, v in manifest.items()), "utf-8")
    (place / "counting.py").write_text(code.replace("KEY", key), "utf-8")
    (place / "wording.py").write_text("WORD = 'one '\n", "utf-8")
    return place


@pytest.fixture
def user() -> Path:
    return locations.user_plugins()


@pytest.fixture(autouse=True)
def _forgotten_afterwards() -> Iterator[None]:
    yield
    for name in [m for m in sys.modules if m.startswith(f"{ROOT}.counting")]:
        del sys.modules[name]
    sys.meta_path[:] = [f for f in sys.meta_path if getattr(f, "package", "") != f"{ROOT}.counting"]


def found(name: str = "counting", **options: Any) -> PluginInfo:
    by_name = {info.name: info for info in survey(**options).plugins}
    return by_name[name]


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


def test_that_removing_puts_the_folder_aside_and_forgets_the_agreement(user: Path) -> None:
    folder = write_plugin(user)
    trust_plugin("counting")
    assert "removed-plugins" in remove_plugin("counting")
    assert not folder.exists()
    assert [p.name[:9] for p in (locations.home() / "removed-plugins").iterdir()] == ["counting-"]
    assert "counting" not in {info.name for info in list_plugins()}
    write_plugin(user)
    assert found().state == "untrusted"


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


def test_that_an_unknown_plugin_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'permutation_importance'"):
        trust_plugin("permutation_importanse")


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


@pytest.mark.parametrize("older, newer", [("0.1", "0.1.1"), ("0.9", "0.10"), ("1", "1.0.1"), ("0.1.0", "0.2.0rc1")])
def test_that_versions_compare_by_their_numbers(older: str, newer: str) -> None:
    assert numbers(older) < numbers(newer)
    assert numbers("1.0") == numbers("1")


ARCHITECTURE = """
from sensiview.models.architectures import Architecture

class Straight(Architecture):
    key, title, help = "KEY", "Straight line", "One linear layer."

    def build(self, options, input_shape, n_outputs):
        from torch import nn
        return nn.Linear(input_shape[0], n_outputs)
"""


def test_that_a_plugin_may_bring_only_an_architecture(user: Path) -> None:
    write_plugin(user, code=ARCHITECTURE, key="straight")
    trust_plugin("counting")
    assert "straight" in discover_architectures()
    assert list(discover_architectures())[:2] == ["diabetes_net", "mlp"]
    assert found().architectures == ("straight",)


def test_that_architectures_from_a_function_are_made_only_when_they_are_asked_for(user: Path, tmp_path: Path) -> None:
    said = tmp_path / "called"
    function = f"\ndef ARCHITECTURES():\n    open({str(said)!r}, 'w').close()\n    return [Straight]\n"
    write_plugin(user, code=ARCHITECTURE + function, key="straight")
    trust_plugin("counting")
    discover()
    assert not said.exists()
    assert discover_architectures()["straight"].title == "Straight line"
    assert said.exists()


def test_that_an_architecture_cannot_take_the_place_of_one_of_ours(user: Path) -> None:
    write_plugin(user, code=ARCHITECTURE, key="mlp")
    with pytest.raises(UserError, match="its architecture calls itself 'mlp'"):
        trust_plugin("counting")
    assert type(discover_architectures()["mlp"]).__name__ == "MultilayerPerceptron"


def test_that_something_else_in_the_list_of_architectures_is_a_sentence(user: Path) -> None:
    write_plugin(user, code="ARCHITECTURES = [3]")
    with pytest.raises(UserError, match="holds 3, which is no Architecture"):
        trust_plugin("counting")


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
    # 0.1 s for five analyses where numpy and pydantic take about 0.2 s; slower in proportion on a busy machine.
    assert min(discovery for _, discovery in times) < max(0.1, 0.9 * min(imports for imports, _ in times))
