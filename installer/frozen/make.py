"""From the sources to the program's folder, on every system: ``python installer/frozen/make.py WORK``.

Runs in an environment that holds the pinned packages and PyInstaller. Leaves ``WORK/program/sensiview`` (on macOS
also ``WORK/program/SensiView.app``) with the licences of everything in it and ``CONTENTS.txt``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> int:
    """Make the folder; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("work", type=Path, help="folder for everything in between")
    work: Path = parser.parse_args().work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    say(f"Version {version()}")
    install_wheel(work)
    program = freeze(work)
    sys.path.insert(0, str(HERE.parent))
    from frozen import finish

    finish.finish(program, work)
    if sys.platform == "darwin":
        complete_app(program, program.with_name("SensiView.app"))
    return 0


def complete_app(program: Path, app: Path) -> None:
    """Bring into macOS' app what `finish` wrote after PyInstaller had made it; it has to be signed after this."""
    licences = Path("sensiview", "_bundled", "resources", "licences")
    inside = app / "Contents" / "Resources"
    shutil.copytree(program / "_internal" / licences, inside / licences, dirs_exist_ok=True)
    shutil.copyfile(program / "CONTENTS.txt", inside / "CONTENTS.txt")


def version() -> str:
    """The version of the sources: that of the git tag, through hatch-vcs."""
    asked = subprocess.run([sys.executable, "-m", "hatchling", "version"], cwd=ROOT, check=True, capture_output=True)
    return asked.stdout.decode().strip().splitlines()[-1]


def install_wheel(work: Path) -> None:
    """Install SensiView as users of the wheel have it: no path leads back into the checkout."""
    wheels = work / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels), folder=ROOT)
    [wheel] = wheels.glob("*.whl")
    run(sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input", "--no-deps",
        "--no-index", "--force-reinstall", str(wheel))  # fmt: skip


def freeze(work: Path) -> Path:
    """Run PyInstaller; returns the program's folder."""
    say("Freezing (about ten minutes on two cores)")
    out = work / "program"
    shutil.rmtree(out, ignore_errors=True)
    # -P and another folder: the wheel is frozen, not the checkout.
    run(sys.executable, "-P", "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN",
        "--distpath", str(out), "--workpath", str(work / "pyinstaller"), str(HERE.parent / "sensiview.spec"),
        folder=work,
        # Sets are written in the order of their hashes; a fixed seed makes two builds alike.
        settings={"PYTHONHASHSEED": "1", "SENSIVIEW_COLLECTED": str(work / "collected.json")})  # fmt: skip
    return out / "sensiview"


def run(*command: str, folder: Path | None = None, settings: dict[str, str] | None = None) -> None:
    """Run a command; its failure is ours."""
    done = subprocess.run(command, cwd=folder, env={**os.environ, **(settings or {})}, check=False)
    if done.returncode:
        sys.exit(f"Failed ({done.returncode}): {' '.join(command)}")


def say(line: str) -> None:
    """One line of the build's log, at once."""
    print(f"-- {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
