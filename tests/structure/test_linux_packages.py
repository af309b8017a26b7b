"""The Debian package of a finished program folder: made twice the same, installable, honest about what it needs."""

from __future__ import annotations

import gzip
import itertools
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from packaging.version import Version

from sensiview.projects.schema import APPLICATION_ID
from tests.structure.linux_packages import EPOCH, LINUX, make, mock_program, programs

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="these packages are made on Linux"),
    pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="there is no dpkg-deb here"),
]
# In the order of Python's rules.
VERSIONS = [
    "0.1.0.dev3", "0.1.0a1", "0.1.0b2", "0.1.0rc1.dev4+g12ab34c", "0.1.0rc1", "0.1.0rc2", "0.1.0", "0.1.0+g12ab34c",
    "0.1.0.post1.dev2", "0.1.0.post1", "0.1.1.dev275+ge86a2b69c", "0.1.1.dev1000+g0000000", "0.1.1rc1",
    "0.1.1", "0.2.0", "0.10.0",
]  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mock_program(tmp_path_factory.mktemp("deb") / "ein Programm", "0.2.0")


@pytest.fixture(scope="module")
def package(program: Path) -> Path:
    return make("deb", program, "0.2.0rc1", program.parent / "out.deb")


@pytest.fixture(scope="module")
def contents(package: Path) -> dict[str, tarfile.TarInfo]:
    archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(package)], capture_output=True, check=True).stdout
    path = package.parent / "contents.tar"
    path.write_bytes(archive)
    with tarfile.open(path) as tar:
        return {member.name.removeprefix("./"): member for member in tar}


@pytest.fixture(scope="module")
def unpacked(package: Path) -> Path:
    folder = package.parent / "unpacked"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(folder)], check=True)
    return folder


def _control(unpacked: Path) -> dict[str, str]:
    lines = (unpacked / "DEBIAN" / "control").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if not line.startswith(" "))


def test_that_the_same_folder_gives_the_same_bytes(program: Path, package: Path) -> None:
    again = make("deb", program, "0.2.0rc1", program.parent / "again.deb")
    assert again.read_bytes() == package.read_bytes()
    assert sorted(path.name for path in program.iterdir()) == ["_internal", "sensiview"]
    assert not list(program.parent.glob(".deb-*"))


def test_that_everything_belongs_to_root_and_everybody_may_read_it(contents: dict[str, tarfile.TarInfo]) -> None:
    for name, member in contents.items():
        assert (member.uid, member.gid) == (0, 0), name
        assert member.mtime == EPOCH, name
        if not member.issym():
            assert member.mode in ((0o755,) if member.isdir() else (0o755, 0o644)), name
    assert contents["opt/sensiview/sensiview"].mode == 0o755
    assert contents["opt/sensiview/_internal/link"].linkname == "größe/ärger ß.txt"
    assert contents["usr/bin/sensiview"].linkname == "/opt/sensiview/sensiview"
    assert 'opt/sensiview/_internal/ein Ordner/b "c" $d %e.txt' in contents


def test_that_caches_of_a_trial_stay_out(program: Path, contents: dict[str, tarfile.TarInfo]) -> None:
    assert (program / "_internal" / "__pycache__").is_dir()
    assert not [name for name in contents if "__pycache__" in name]


def test_that_the_program_knows_how_it_was_installed(unpacked: Path) -> None:
    assert (unpacked / "opt" / "sensiview" / "INSTALLED").read_text() == "deb\n"


def test_that_the_control_file_tells_version_size_and_glibc(
    unpacked: Path, contents: dict[str, tarfile.TarInfo], program: Path
) -> None:
    control = _control(unpacked)
    assert control["Version"] == "0.2.0~rc1"
    blocks = sum(-(-member.size // 1024) if member.isfile() else 1 for member in contents.values())
    assert int(control["Installed-Size"]) == pytest.approx(blocks, abs=1)
    assert control["Pre-Depends"].startswith("libc6 (>= 2.")
    if not shutil.which("readelf"):
        return
    told = subprocess.run(["readelf", "-V", str(program / "_internal" / "worker")], capture_output=True, text=True)
    highest = max(tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([\d.]+)", told.stdout))
    assert control["Pre-Depends"] == f"libc6 (>= {highest[0]}.{highest[1]})"


def test_that_dpkg_can_verify_every_file(unpacked: Path) -> None:
    done = subprocess.run(["md5sum", "--quiet", "-c", "DEBIAN/md5sums"], cwd=unpacked, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    listed = {line[34:] for line in (unpacked / "DEBIAN" / "md5sums").read_text().splitlines()}
    there = {
        str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if path.is_file() and not path.is_symlink()
    }
    assert listed == {name for name in there if not name.startswith("DEBIAN/")}


def test_that_debian_sorts_versions_as_python_does() -> None:
    assert sorted(VERSIONS, key=Version) == VERSIONS
    script = f'. "{LINUX}/debian_version.sh"; for given; do debian_version "$given"; done'
    debian = subprocess.run(["bash", "-c", script, "-", *VERSIONS], capture_output=True, text=True, check=True)
    for earlier, later in itertools.pairwise(debian.stdout.split()):
        assert subprocess.run(["dpkg", "--compare-versions", earlier, "lt", later]).returncode == 0, (earlier, later)


def test_that_what_is_no_version_is_refused() -> None:
    done = subprocess.run(["bash", str(LINUX / "debian_version.sh"), "v1-2"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("'v1-2' is not a version as Python writes them")


def test_that_a_folder_without_the_program_is_refused(tmp_path: Path) -> None:
    command = ["bash", str(LINUX / "make_deb.sh"), str(tmp_path), "1.0", str(tmp_path / "x.deb")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "does not hold the program" in done.stderr
    assert not list(tmp_path.iterdir())


def test_that_the_package_refuses_a_full_disk(unpacked: Path, tmp_path: Path) -> None:
    full = programs(tmp_path / "full", df='echo; echo "my disk 9999999 9999899 100 100% /opt"')
    script = unpacked / "DEBIAN" / "preinst"
    done = subprocess.run(
        ["sh", str(script), "upgrade", "0.1.0"], env={"PATH": f"{full}:/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert re.match(r"SensiView needs \d+ MB in /opt, where 1 MB are free\. Make room", done.stderr)


@pytest.mark.parametrize("name", ["preinst", "prerm", "postrm"])
def test_that_the_packages_scripts_are_clean(unpacked: Path, name: str) -> None:
    script = unpacked / "DEBIAN" / name
    assert "@" not in script.read_text()
    subprocess.run(["sh", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", str(script)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_that_a_running_program_is_named_with_user_and_process(program: Path) -> None:
    look = ["sh", "-c", f'. "{LINUX}/shared.sh"; running_in "{program}"']
    assert subprocess.run(look, capture_output=True, text=True).stdout == ""
    with subprocess.Popen([str(program / "_internal" / "worker"), "60"]) as worker:
        told = subprocess.run(look, capture_output=True, text=True)
        worker.kill()
    assert told.returncode == 0
    user = Path("/proc/self").owner()
    assert told.stdout == f"user {user}, process {worker.pid}"


def test_that_every_size_of_icon_is_there(contents: dict[str, tarfile.TarInfo]) -> None:
    icons = "usr/share/icons/hicolor"
    for kind in ("apps/sensiview", "mimetypes/application-x-sensiview-project"):
        assert f"{icons}/scalable/{kind}.svg" in contents
        for size in (16, 22, 24, 32, 48, 64, 96, 128, 256, 512):
            assert contents[f"{icons}/{size}x{size}/{kind}.png"].size > 200


def test_that_desktop_tools_accept_menu_entry_and_description(unpacked: Path) -> None:
    share = unpacked / "usr" / "share"
    entry = share / "applications" / "sensiview.desktop"
    assert "Exec=sensiview %f\n" in entry.read_text()
    commands = (
        ["desktop-file-validate", str(entry)],
        ["appstreamcli", "validate", "--no-net", str(share / "metainfo" / "sensiview.metainfo.xml")],
    )
    for command in commands:
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True)
            assert (done.returncode, "error" in done.stdout) == (0, False), done.stdout
    release = ElementTree.parse(share / "metainfo" / "sensiview.metainfo.xml").find("releases/release")
    assert release is not None
    assert release.attrib == {"version": "0.2.0rc1", "date": "2023-11-14"}


def test_that_the_file_type_matches_a_real_database(unpacked: Path, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "project.sqlite") as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    head = (tmp_path / "project.sqlite").read_bytes()[:100]
    space = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
    types = ElementTree.parse(unpacked / "usr" / "share" / "mime" / "packages" / "sensiview.xml")
    [database] = types.findall(".//m:mime-type[@type='application/x-sensiview-database']", space)
    matches = database.findall(".//m:match", space)
    assert len(matches) == 2
    for match in matches:
        assert head[int(match.attrib["offset"]) :].startswith(match.attrib["value"].encode())


def test_that_the_copyright_file_lists_what_is_bundled(unpacked: Path) -> None:
    text = (unpacked / "usr" / "share" / "doc" / "sensiview" / "copyright").read_text()
    assert "They are:\n A b: MIT\n zlib 1.3: Zlib\n\nFiles: *\n" in text
    assert "\n Redistribution and use in source and binary forms" in text
    assert "@" not in text


def test_that_the_manual_names_every_command(unpacked: Path) -> None:
    page = gzip.decompress((unpacked / "usr" / "share" / "man" / "man1" / "sensiview.1.gz").read_bytes()).decode()
    from sensiview.command_line.parser import build_parser

    for command in build_parser()[1]:
        assert f".SS {command.replace('-', chr(92) + '-')}\n" in page
