"""A small program folder, packages of it, and what a user does with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sensiview.components import Component, to_json

ROOT = Path(__file__).resolve().parents[2]
LINUX = ROOT / "installer" / "linux"
EPOCH = 1_700_000_000
# More than the room that a test pretends to have, less than a second to pack.
_PAYLOAD = 300_000


def mock_program(folder: Path, version: str) -> Path:
    """Make a folder as the build leaves it; its ``_internal/worker`` is a real program that sleeps."""
    inside = folder / "_internal"
    (inside / "größe" / "leer").mkdir(parents=True)
    (inside / "ein Ordner").mkdir()
    (inside / "größe" / "ärger ß.txt").write_text("a")
    (inside / "ein Ordner" / 'b "c" $d %e.txt').write_text("b")
    (inside / f"only-{version}.txt").write_text(version)
    (inside / "libbig.so").write_bytes(os.urandom(_PAYLOAD))
    licences = inside / "sensiview" / "_bundled" / "resources" / "licences"
    licences.mkdir(parents=True)
    components = [Component("zlib", "1.3", "Zlib", "library"), Component("A b", "", "MIT", "data")]
    (licences / "components.json").write_text(to_json(components))
    (inside / "__pycache__").mkdir()
    (inside / "__pycache__" / "x.pyc").write_bytes(os.urandom(8))
    (inside / "link").symlink_to("größe/ärger ß.txt")
    (inside / "broken").symlink_to("nowhere")
    shutil.copyfile(Path("/bin/sleep").resolve(), inside / "worker")
    (inside / "worker").chmod(0o700)
    program = folder / "sensiview"
    program.write_text(f'#!/bin/sh\necho "mock {version}"\nfor given; do echo "$given"; done\n')
    program.chmod(0o700)
    return folder


def make(kind: str, folder: Path, version: str, out: Path) -> Path:
    """Run ``make_deb.sh`` or ``make_run.sh`` and return the package."""
    done = subprocess.run(
        ["bash", str(LINUX / f"make_{kind}.sh"), str(folder), version, str(out)],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "PACKAGE_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return out


def programs(folder: Path, **scripts: str) -> Path:
    """Make a folder of shell scripts that stand before the system's programs of the same names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
        (folder / name).chmod(0o755)
    return folder


@dataclass
class User:
    """Somebody who is not root, with a home and nothing in it.

    Attributes
    ----------
    pretend : list of Path
        Folders of programs that stand before the system's.
    """

    home: Path
    pretend: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        # The tests may be run by root; what the installer asks for is the number.
        self.pretend.append(programs(self.home.parent / "as-user", id="echo 1000"))

    @property
    def folder(self) -> Path:
        """Where the program goes by itself."""
        return self.home / ".local" / "opt" / "sensiview"

    def environment(self) -> dict[str, str]:
        """The user's variables, and no others."""
        path = [*map(str, reversed(self.pretend)), str(self.home / ".local" / "bin"), os.environ["PATH"]]
        return {"HOME": str(self.home), "PATH": ":".join(path), "LC_ALL": "C.UTF-8"}

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        """Start something in the user's home."""
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=self.home,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str | Path, code: int = 0) -> str:
        """Run something and return all it said; its exit code must be `code`."""
        process = self.start(*command)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == code, out + errors
        return out + errors

    def sensiview(self, *arguments: str) -> list[str]:
        """What the installed program answers, found on the PATH."""
        return self.run(self.home / ".local" / "bin" / "sensiview", *arguments).splitlines()

    def files(self) -> set[str]:
        """Everything in the home but the desktop's own folder of settings, relative."""
        return {str(path.relative_to(self.home)) for path in self.home.rglob("*")} - {".config"}
