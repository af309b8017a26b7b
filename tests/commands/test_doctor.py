"""`sensiview doctor`: every line, on a sound machine and on broken ones; exit code 0 and no traceback in any case."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensiview import installation, locations
from sensiview.command_line import doctor, doctor_checks
from sensiview.command_line.doctor_checks import Fact
from sensiview.demos import DEMOS
from sensiview.models.graphics_card import Cards, Torch
from tests.commands.conftest import Answer, Command

# Scripts read these.
FIRST_KEYS = {
    "SensiView", "Python", "system", "cores", "memory", "torch", "torchvision", "PySide6", "pyqtgraph", "numpy",
    "scipy", "pandas", "SALib", "nibabel", "napari", "devices", "cpu", "display", "OpenGL", "home", "settings",
    "plugins", "log", "resources",
}  # fmt: skip


@pytest.fixture
def ask(sensiview: Command) -> Callable[[str], Any]:
    """Ask for one line; returns its value and whether it is a problem."""

    def run(line: str) -> tuple[Any, bool]:
        answer = sensiview("doctor", "--json", "--only", line)
        assert answer.code == 0
        assert "Traceback" not in answer.out + answer.err
        return answer.json[line], line in answer.json["problems"]

    return run


def refuse_import(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make packages impossible to import, as a broken installation does."""
    real = builtins.__import__

    def imported(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.split(".")[0] in names:
            raise ImportError(f"lib{name}.so: cannot open shared object file")
        return real(name, *arguments, **keywords)

    for loaded in [module for module in sys.modules if module.split(".")[0] in names]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(builtins, "__import__", imported)


class TestWhole:
    def test_that_it_tells_everything_within_seconds(self, sensiview: Command, own_home: Path) -> None:
        began = time.monotonic()
        answer = sensiview("doctor", "--json")
        assert time.monotonic() - began < 40  # 6 s alone; here beside other tests
        facts = answer.json
        assert answer.code == 0
        assert set(facts) >= FIRST_KEYS
        assert facts["devices"].endswith("cpu")
        assert facts["home"] == str(own_home)
        assert facts["cores"] >= 1
        assert facts["installed"] == f"checkout in {Path(__file__).resolve().parents[2]}"
        assert facts["worker"].startswith("answers after ")
        assert facts["DICOM codecs"].startswith("gdcm, pylibjpeg-openjpeg, pyjpegls; ")
        assert "FFmpeg" in facts["video"]
        assert facts["viewer"].startswith("napari ")
        assert "shaders" in facts["viewer"]
        assert facts["samples"] == "diabetes, images, digits, brain"
        assert facts["home writable"] == "yes"
        assert set(facts["problems"]) <= {"GPU", "disk", "OpenGL"}  # as this machine is

    def test_that_people_read_aligned_lines_and_what_to_look_at(
        self, sensiview: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sound = {name: Fact("fine") for name in doctor.DRAWN}
        monkeypatch.setattr(doctor, "_drawn_elsewhere", lambda: sound)
        monkeypatch.setattr(doctor_checks, "worker", lambda: Fact("answers after 1.0 s"))
        monkeypatch.setattr(doctor_checks, "gpu", lambda: Fact("The driver is too old.", False))
        monkeypatch.setattr(doctor_checks, "disk", lambda: Fact("enough"))
        lines = sensiview("doctor").out.splitlines()
        assert lines[-1] == "Look at: GPU."
        assert {line.index(line.split("  ")[-1].strip()) for line in lines if line.startswith(("log ", "help "))} == {
            17
        }
        monkeypatch.setattr(doctor_checks, "gpu", lambda: Fact("No NVIDIA card was found."))
        assert sensiview("doctor").out.splitlines()[-1] == "Everything that comes with SensiView was found."

    def test_that_every_check_may_fail_and_the_doctor_still_answers(
        self, sensiview: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> Fact:
            raise RuntimeError("broken\nin two lines")

        names = ("devices", "gpu", "worker", "dicom_codecs", "video", "samples", "help_pages", "resources_found",
                 "plugins_found", "home_writable", "disk", "memory")  # fmt: skip
        for name in names:
            monkeypatch.setattr(doctor_checks, name, broken)
        monkeypatch.setattr(doctor, "_drawn_elsewhere", broken)
        monkeypatch.setattr(locations, "resources", broken)
        answer = sensiview("doctor", "--json")
        assert answer.code == 0
        assert answer.json["video"] == "can't be used: RuntimeError: broken in two lines"
        assert {"devices", "GPU", "worker", "memory", "resources", "display", "OpenGL"} <= set(answer.json["problems"])
        assert "Traceback" not in answer.out + answer.err

    def test_that_torch_is_not_loaded_where_it_made_the_worker_crash(
        self, sensiview: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sensiview.jobs.worker_process.command", lambda: ["/bin/sh", "-c", "kill -ILL $$"])
        monkeypatch.setattr(doctor, "_drawn_elsewhere", dict)
        monkeypatch.setattr(doctor_checks, "devices", lambda: pytest.fail("PyTorch was loaded"))
        facts = sensiview("doctor", "--json").json
        assert "crashed in native code (SIGILL)" in facts["worker"]
        assert "not tried" in facts["devices"]
        assert "not tried" in facts["GPU"]

    def test_that_a_line_that_there_is_not_is_refused_with_a_near_one(self, sensiview: Command) -> None:
        answer = sensiview("doctor", "--only", "OpenGl")
        assert answer.code == 1
        assert "The doctor has no line 'OpenGl'." in answer.err
        assert "'OpenGL'" in answer.err

    def test_that_one_line_alone_can_be_asked_for(self, sensiview: Command) -> None:
        assert sensiview("doctor", "--only", "help").out.startswith("help  ")


class TestGpu:
    @pytest.mark.parametrize(
        "cards, torch, said, problem",
        [
            (Cards(), Torch("13.2"), "No NVIDIA card was found: the CPU is used.", False),
            (Cards(("Quadro",), bound="nouveau"), Torch("13.2"), "but not NVIDIA's driver", True),
            (Cards(("Quadro",), driver="535.1"), Torch("13.2"), "too old for the CUDA 13.2 inside", True),
            (Cards(("Quadro",), driver="580.1"), Torch("13.2", ("Quadro",)), "jobs compute on it", False),
        ],
    )
    def test_that_each_situation_is_one_sentence(
        self, ask: Any, monkeypatch: pytest.MonkeyPatch, cards: Cards, torch: Torch, said: str, problem: bool
    ) -> None:
        monkeypatch.setattr("sensiview.models.graphics_card.find_cards", lambda: cards)
        monkeypatch.setattr("sensiview.models.graphics_card.ask_torch", lambda: torch)
        value, is_problem = ask("GPU")
        assert said in value
        assert is_problem is problem

    def test_that_a_pytorch_that_can_not_be_loaded_is_told(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def gone() -> Torch:
            raise OSError("libtorch_cuda.so: file too short")

        monkeypatch.setattr("sensiview.models.graphics_card.ask_torch", gone)
        value, problem = ask("GPU")
        assert "PyTorch can't be loaded (libtorch_cuda.so: file too short)" in value
        assert problem


class TestWorker:
    def start(self, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
        monkeypatch.setattr("sensiview.jobs.worker_process.command", lambda: ["/bin/sh", "-c", script])

    def test_that_one_that_ends_at_once_is_told_with_its_last_words(
        self, ask: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.start(monkeypatch, "echo first >&2; echo 'ImportError: no module named torch' >&2; exit 3")
        value, problem = ask("worker")
        assert "could not start (exit code 3)" in value
        assert "(ImportError: no module named torch) Jobs can't run." in value
        assert problem

    def test_that_one_that_stays_silent_is_told(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.start(monkeypatch, "sleep 60")
        monkeypatch.setattr(doctor_checks, "PATIENCE_S", 0.3)
        value, problem = ask("worker")
        assert "does not answer within" in value
        assert problem

    def test_that_one_that_can_not_be_started_is_told(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sensiview.jobs.worker_process.command", lambda: ["/nonexistent/sensiview"])
        value, problem = ask("worker")
        assert value == "can't be started (No such file or directory): jobs can't run."
        assert problem

    def test_that_one_that_answers_is_told_with_its_time(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.start(monkeypatch, """echo '{"ready": {"process": 1}}'; sleep 60""")
        value, problem = ask("worker")
        assert value.startswith("answers after 0.")
        assert not problem


class TestReading:
    def test_that_a_codec_that_can_not_be_imported_is_named(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        def load(name: str) -> None:
            if name == "jpeg_ls":
                raise ImportError("No module named 'jpeg_ls'")

        monkeypatch.setattr(doctor_checks, "import_module", load)
        value, problem = ask("DICOM codecs")
        assert value.startswith("gdcm, pylibjpeg-openjpeg; pyjpegls can't be used (No module named 'jpeg_ls'); ")
        assert problem

    def test_that_a_codec_that_pydicom_does_not_see_is_named(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sensiview.datasets.dicom_codecs.decoders", lambda _: ("gdcm", "pyjpegls"))
        assert "pylibjpeg-openjpeg can't be used (pydicom does not see it)" in ask("DICOM codecs")[0]

    def test_that_videos_without_opencv_are_told(self, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        refuse_import(monkeypatch, "cv2")
        value, problem = ask("video")
        assert "can't be used" in value
        assert problem


class TestFiles:
    def test_that_every_sample_project_has_a_list_of_its_files_and_all_are_there(self, ask: Any) -> None:
        assert set(doctor_checks.SAMPLES) == set(DEMOS)
        assert ask("samples") == (", ".join(DEMOS), False)

    def test_that_missing_samples_and_resources_are_named(
        self, ask: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(locations, "resources", lambda: tmp_path)
        value, problem = ask("samples")
        assert value.startswith("none; missing: diabetes (no diabetes.csv), images (no garments.npz,")
        assert problem
        assert ask("resources found") == ("0 icons, 0 atlases, no template for reports", True)

    def test_that_plugins_are_counted_and_those_that_wait_are_named(self, ask: Any, own_home: Path) -> None:
        folder = own_home / "plugins" / "mine"
        folder.mkdir(parents=True)
        (folder / "plugin.toml").write_text('name = "mine"\ntitle = "Mine"\nversion = "1.0"\nmodule = "mine"\n')
        (folder / "mine.py").write_text("")
        value, _ = ask("plugins found")
        assert "of them 1 in the plugins folder" in value
        assert "not loaded: mine (" in value

    def test_that_a_home_that_can_not_be_written_is_a_sentence(
        self, ask: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("SENSIVIEW_HOME", str(tmp_path / "file" / "home"))
        value, problem = ask("home writable")
        assert "can't be written" in value
        assert problem
        assert "GB free" in ask("disk")[0]

    def test_that_a_disk_that_is_almost_full_is_told(
        self, ask: Any, monkeypatch: pytest.MonkeyPatch, own_home: Path
    ) -> None:
        monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100 << 20}))
        value, problem = ask("disk")
        assert value.startswith(f"only 0.1 GB free in {own_home}; only 0.1 GB free in ")
        assert problem


class TestDrawing:
    def test_that_a_process_that_qt_ends_is_told_on_every_line_it_had(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            "sensiview.jobs.worker_process.program",
            lambda: ["/bin/sh", "-c", "echo 'qt.qpa.xcb: could not connect to display :9' >&2; kill -ABRT $$"],
        )
        found = doctor._drawn_elsewhere()
        assert set(found) == set(doctor.DRAWN)
        assert not any(fact.good for fact in found.values())
        assert "could not connect to display :9" in found["OpenGL"].value

    def test_that_the_lines_that_do_not_end_the_process_are_still_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = (
            'case "$*" in *OpenGL*) echo "driver failed" >&2; kill -SEGV $$;; '
            '*display*) echo \'{"display": "yes", "problems": []}\';; '
            '*) echo \'{"viewer": "napari", "problems": []}\';; esac'
        )
        monkeypatch.setattr("sensiview.jobs.worker_process.program", lambda: ["/bin/sh", "-c", script, "sh"])
        found = doctor._drawn_elsewhere()
        assert (found["display"], found["viewer"]) == (Fact("yes"), Fact("napari"))
        assert found["OpenGL"] == Fact("can't be used: the process that tried it ended (driver failed)", False)

    def test_that_a_platform_that_qt_does_not_have_is_a_sentence(
        self, monkeypatch: pytest.MonkeyPatch, own_home: Path
    ) -> None:
        monkeypatch.setenv("QT_QPA_PLATFORM", "nonsense")
        found = doctor._drawn_elsewhere(["OpenGL"])["OpenGL"]
        assert "QT_QPA_PLATFORM asks for 'nonsense'" in found.value
        assert not found.good

    def test_that_what_a_library_prints_before_does_not_matter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = '{"display": "yes", "OpenGL": "4.5", "viewer": "gone", "problems": ["viewer"]}'
        monkeypatch.setattr(
            "sensiview.jobs.worker_process.program", lambda: ["/bin/sh", "-c", f"echo hello; echo '{answer}'"]
        )
        assert doctor._drawn_elsewhere() == {
            "display": Fact("yes"),
            "OpenGL": Fact("4.5"),
            "viewer": Fact("gone", False),
        }

    def test_that_a_process_that_hangs_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sensiview.jobs.worker_process.program", lambda: ["/bin/sh", "-c", "exec sleep 60"])
        monkeypatch.setattr(doctor_checks, "PATIENCE_S", 0.3)
        assert "does not answer" in doctor._drawn_elsewhere()["viewer"].value


class TestInstallation:
    @pytest.mark.parametrize(
        "mark, said",
        [("deb\n", "package (.deb) in "), ("run", "for this user (.run) in "), (None, "program unpacked by hand in ")],
    )
    def test_that_a_packaged_program_says_how_it_was_installed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str | None, said: str
    ) -> None:
        if mark is not None:
            (tmp_path / "INSTALLED").write_text(mark)
        monkeypatch.setattr(sys, "frozen", True, raising=False)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "sensiview"))
        assert installation.installed_as() == f"{said}{tmp_path}"

    def test_that_a_python_package_says_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(installation, "_PACKAGE", tmp_path / "site-packages" / "sensiview")
        assert installation.installed_as() == f"Python package in {tmp_path / 'site-packages'}"

    @pytest.mark.parametrize(
        "version, commit",
        [
            ("0.1.1.dev275+ge86a2b69c.d20261128", "e86a2b69c"),
            ("0.1.1.dev275+ge86a2b69c", "e86a2b69c"),
            ("1.4.0", "tag v1.4.0"),
        ],
    )
    def test_that_the_commit_is_in_the_version(
        self, monkeypatch: pytest.MonkeyPatch, version: str, commit: str
    ) -> None:
        monkeypatch.setattr(installation, "__version__", version)
        assert installation.commit() == commit


def test_that_names_that_the_terminal_can_not_write_are_escaped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer_of: Callable[..., Answer]
) -> None:
    monkeypatch.setenv("SENSIVIEW_HOME", str(tmp_path / "höme"))
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert answer_of("doctor", "--only", "home").out.endswith("h\\xf6me\n")
    assert answer_of("doctor", "--only", "home", "--json").json["home"].endswith("höme")


def test_that_a_display_that_does_not_answer_is_something_to_look_at(
    monkeypatch: pytest.MonkeyPatch, answer_of: Callable[..., Answer]
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert answer_of("doctor", "--only", "display", "--json").json["problems"] == []
    monkeypatch.setenv("DISPLAY", ":4711")
    facts = answer_of("doctor", "--only", "display", "--json").json
    assert facts["problems"] == ["display"]
    assert "':4711' does not answer" in facts["display"]


def test_that_the_command_line_answers_in_a_process_of_its_own(answer_of: Callable[..., Answer]) -> None:
    answer = answer_of("doctor", "--only", "SensiView", "disk", "--json")
    assert answer.code == 0
    assert set(answer.json) == {"SensiView", "disk", "problems"}
    assert answer.err == ""


@pytest.fixture
def answer_of(own_home: Path) -> Callable[..., Answer]:
    """Run a command as a user does."""
    import subprocess

    def run(*arguments: str) -> Answer:
        command = [sys.executable, "-P", "-m", "sensiview", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)

    return run
