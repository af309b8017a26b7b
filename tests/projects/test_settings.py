"""Preferences survive everything that can happen to a small file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sensiview import locations
from sensiview.settings import VERSION, Settings, as_mapping, read_settings, write_settings


def put(text: str | bytes) -> Path:
    path = locations.settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_that_defaults_hold_without_a_file() -> None:
    assert read_settings() == (Settings(), [])
    assert not locations.home().exists()


def test_that_settings_come_back_as_they_were_written() -> None:
    chosen = Settings(theme="dark", device="cuda:1", batch_size=4096, font_size=14)
    write_settings(chosen)
    again, notices = read_settings()
    assert notices == []
    assert replace(again, others={}) == chosen
    assert json.loads(locations.settings_file().read_text())["version"] == VERSION
    assert [path.name for path in locations.home().iterdir()] == ["settings.json"]


def test_that_the_caller_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    put('{"theme": "dark", "device": "cpu", "font_size": 12}')
    monkeypatch.setenv("SENSIVIEW_DEVICE", "cuda:0")
    monkeypatch.setenv("SENSIVIEW_FONT_SIZE", "18")
    monkeypatch.setenv("SENSIVIEW_BATCH_SIZE", "auto")
    settings, notices = read_settings(font_size=20)
    assert notices == []
    assert (settings.theme, settings.device, settings.font_size, settings.batch_size) == ("dark", "cuda:0", 20, None)


def test_that_what_holds_for_one_start_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    path = put('{"device": "cpu", "font_size": 12}')
    monkeypatch.setenv("SENSIVIEW_DEVICE", "cuda:0")
    monkeypatch.setenv("SENSIVIEW_FONT_SIZE", "18")
    settings, _ = read_settings()
    write_settings(replace(settings, theme="light", font_size=10))
    stored = json.loads(path.read_text())
    assert (stored["device"], stored["font_size"], stored["theme"]) == ("cpu", 10, "light")


def test_that_values_that_do_not_fit_are_dropped_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    put('{"theme": "pink", "device": 3, "batch_size": -1, "font_size": true, "unheard_of": [1]}')
    monkeypatch.setenv("SENSIVIEW_FONT_SIZE", "huge")
    settings, notices = read_settings(theme="dark")
    assert replace(settings, others={}, overridden={}) == Settings(theme="dark")
    assert len(notices) == 5
    assert "'theme' in " in notices[0]
    assert "unusable value 'pink'" in notices[0]
    assert "'font_size' of the environment has the unusable value 'huge'" in notices[-1]
    put('{"theme": "pink", "font_size": 11}')
    assert read_settings()[0].font_size == 11


@pytest.mark.parametrize("content", [b"", b"{half", b"[1, 2]", b"\xff\xfe\x00", b"[" * 100_000, b"3"])
def test_that_a_damaged_file_is_put_aside_and_never_overwritten(content: bytes) -> None:
    path = put(content)
    settings, (notice,) = read_settings()
    assert settings == Settings()
    assert "The settings were damaged" in notice
    (aside,) = path.parent.glob("settings-damaged-*.json")
    assert aside.read_bytes() == content
    assert str(aside) in notice
    put(content)
    write_settings(Settings(theme="dark"))  # damaged between start and save
    assert len(list(path.parent.glob("settings-damaged-*.json"))) == 2
    assert read_settings()[0].theme == "dark"


def test_that_settings_of_a_newer_version_are_kept() -> None:
    path = put(json.dumps({"version": VERSION + 1, "theme": {"day": "light"}, "layout": "wide", "font_size": 9}))
    settings, notices = read_settings()
    assert len(notices) == 1
    assert settings.others["layout"] == "wide"
    write_settings(replace(settings, font_size=10))
    stored = json.loads(path.read_text())
    assert stored["version"] == VERSION + 1
    assert stored["layout"] == "wide"
    assert stored["theme"] == {"day": "light"}
    assert stored["font_size"] == 10


def test_that_a_byte_order_mark_does_no_harm() -> None:
    put(b'\xef\xbb\xbf{"theme": "dark"}')
    assert read_settings()[0].theme == "dark"


def test_that_a_folder_in_the_files_place_does_not_stop_the_start() -> None:
    locations.settings_file().mkdir(parents=True)
    settings, (notice,) = read_settings()
    assert settings == Settings()
    assert "can't be read" in notice
    with pytest.raises(OSError):
        write_settings(settings)


def test_that_a_read_only_home_does_not_stop_the_start(
    nobodys_folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    home = nobodys_folder / "home"
    home.mkdir(mode=0o755)
    (home / "settings.json").write_text("{half")
    if os.geteuid() != 0:
        home.chmod(0o555)
    monkeypatch.setenv("SENSIVIEW_HOME", str(home))
    request.getfixturevalue("unprivileged")
    settings, (notice,) = read_settings()
    assert settings == Settings()
    assert "are damaged; defaults are used" in notice
    with pytest.raises(PermissionError):
        write_settings(settings)
    shutil.rmtree(home, ignore_errors=True)


def test_that_reading_settings_imports_nothing_heavy() -> None:
    script = (
        "import sys; from sensiview.settings import read_settings; read_settings();"
        "print(sorted({'pydantic', 'numpy', 'pandas', 'torch', 'PySide6'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_that_settings_can_be_told_in_a_report() -> None:
    assert as_mapping(Settings(theme="dark"))["theme"] == "dark"
