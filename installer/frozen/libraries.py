"""Shared libraries of the frozen folder: which fall back on ours, which nobody asks for, which carry symbols."""

from __future__ import annotations

import filecmp
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from frozen.contents import FALLBACK
from linux import elf_needs

# Smaller gains are not worth touching a file that its makers shipped as it is.
_WORTH_STRIPPING = 300_000

# The C library and its parts, which must be the system's own; the driver's part of CUDA; what only Wayland's desktops
# have and only their plugins of Qt ask for.
_OF_EVERY_SYSTEM = (
    "libc.so", "libm.so", "libdl.so", "libpthread.so", "librt.so", "libutil.so", "libresolv.so", "ld-linux",
    "libcrypt.so", "libnsl.so", "libcuda.so", "libnvidia-", "libwayland-",
)  # fmt: skip

# PyInstaller knows which of Qt's plugins and files belong to the modules that went in; the rest is for developers.
_CHOSEN_BY_PYINSTALLER = ("PySide6", "shiboken6")
_CODE = {".py", ".pyc", ".so", ".pyd", ".dll", ".dylib"}

Entry = tuple[str, str, str]


def info_folder(name: str) -> str:
    """The folder with what a distribution says of itself: ``NAME-VERSION.dist-info``."""
    files = metadata.distribution(name).files or ()
    return next(file.parts[0] for file in files if file.parts[0].endswith(".dist-info"))


def unused_distributions(names: Iterable[str], taken: set[str]) -> set[str]:
    """Folders (``NAME-VERSION.dist-info``) of distributions of which no module went in.

    Parameters
    ----------
    names : iterable of str
        Distributions of the environment.
    taken : set of str
        Top-level modules of the frozen program.
    """
    modules: dict[str, set[str]] = defaultdict(set)
    for module, owners in metadata.packages_distributions().items():
        for owner in owners:
            modules[owner].add(module)
    unused = set()
    for name in names:
        # Distributions without modules are data or names only (CUDA's libraries among them): they stay.
        if modules[name] and not modules[name] & taken:
            unused.add(info_folder(name))
    return unused


def data_of(names: Iterable[str]) -> list[Entry]:
    """Every file of some distributions that is no code: shaders, tables of numbers, templates, manifests.

    All of them, because a library that misses one may go on with wrong numbers instead of an error.
    """
    found: list[Entry] = []
    for name in names:
        if name.startswith(_CHOSEN_BY_PYINSTALLER):
            continue
        for file in metadata.distribution(name).files or ():
            inside = ".." not in file.parts and not file.parts[0].endswith((".dist-info", ".data"))
            if inside and file.suffix not in _CODE and ".so." not in file.name:
                found.append((file.as_posix(), str(file.locate()), "DATA"))
    return found


def with_fallback(binaries: list[Entry]) -> list[Entry]:
    """Move the system's libraries of `FALLBACK` into their folder, and add those that PyInstaller passes over."""
    moved = [entry for entry in binaries if entry[0] not in FALLBACK]
    listed = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    places = dict(re.findall(r"^\s*(\S+) \(libc6,x86-64[^)]*\) => (\S+)$", listed, re.MULTILINE))
    return moved + [(f"fallback/{name}", places[name], "BINARY") for name in FALLBACK if name in places]


def elf_files(folder: Path) -> list[Path]:
    """Every library and program below a folder, links left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                if stream.read(4) == b"\x7fELF":
                    found.append(path)
    return found


def needed(folder: Path) -> dict[Path, frozenset[str]]:
    """The libraries that each library and program below `folder` asks for."""
    read = ((path, elf_needs.needs(path)) for path in elf_files(folder))
    return {path: found.libraries if found else frozenset() for path, found in read}


def check_complete(folder: Path) -> None:
    """Make sure that nothing was left out that something else asks for.

    Raises
    ------
    RuntimeError
        A library is asked for that is neither here nor part of every Linux.
    """
    here = {path.name for path in folder.rglob("*.so*")}
    lacking = [
        f"{name} for {path.relative_to(folder)}"
        for path, names in needed(folder).items()
        for name in sorted(names - here)
        if not name.startswith(_OF_EVERY_SYSTEM)
    ]
    if lacking:
        raise RuntimeError("Left out although it is needed: " + "; ".join(lacking))


def drop_orphans(inside: Path) -> list[str]:
    """Delete libraries of the system that came for the sake of a file that was left out; returns their names."""
    needed_by = needed(inside.parent)
    dropped: list[str] = []
    while True:
        asked_for = frozenset().union(*needed_by.values())
        orphans = [
            path
            for path in needed_by
            if path.parent == inside
            and path.name.startswith("lib")
            and path.name not in asked_for
            # The executable loads Python by its path.
            and not path.name.startswith("libpython")
        ]
        if not orphans:
            return sorted(dropped)
        for path in orphans:
            path.unlink()
            del needed_by[path]
            dropped.append(path.name)


def drop_dead_links(folder: Path) -> None:
    """Delete links to what was left out."""
    for path in folder.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def link_doubles(folder: Path) -> int:
    """Replace each library that lies there twice by a link to the other; returns the bytes saved.

    The loader knows files by their place on the disk, so that it also loads them once.
    """
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in elf_files(folder):
        by_size[path.stat().st_size].append(path)
    saved = 0
    for size, alike in by_size.items():
        firsts: list[Path] = []
        for path in alike:
            same = next((first for first in firsts if filecmp.cmp(first, path, shallow=False)), None)
            if same is None:
                firsts.append(path)
                continue
            path.unlink()
            path.symlink_to(os.path.relpath(same, path.parent))
            saved += size
    return saved


def strip(folder: Path) -> int:
    """Take the tables of linkers and debuggers out of libraries that have large ones; returns the bytes saved.

    What a running program looks up (dynamic symbols) stays. Wheels whose libraries were rewritten to carry their own
    names come out with segments that no loader maps: those stay as they are.
    """
    saved = 0
    for path in elf_files(folder):
        size = path.stat().st_size
        if size < _WORTH_STRIPPING or _table_size(path) < _WORTH_STRIPPING:
            continue
        smaller = path.with_name(path.name + ".stripped")
        subprocess.run(["strip", "--strip-unneeded", "-o", str(smaller), str(path)], check=True)
        if not _is_aligned(smaller):
            smaller.unlink()
            continue
        smaller.chmod(path.stat().st_mode)
        saved += size - smaller.stat().st_size
        smaller.replace(path)
    return saved


def _table_size(path: Path) -> int:
    sections = subprocess.run(["readelf", "-SW", str(path)], check=True, capture_output=True, text=True).stdout
    sizes = re.findall(r"\] \.(?:symtab|strtab|debug\S*)\s+\S+\s+\S+ \S+ ([0-9a-f]+)", sections)
    return sum(int(size, 16) for size in sizes)


def _is_aligned(path: Path) -> bool:
    """Whether every segment lies where the loader can map it."""
    listed = subprocess.run(["readelf", "-lW", str(path)], check=True, capture_output=True, text=True).stdout
    segments = re.findall(r"^\s+LOAD\s+(0x\S+) (0x\S+) .*(0x[0-9a-f]+)$", listed, re.MULTILINE)
    return bool(segments) and all(
        int(offset, 16) % int(step, 16) == int(address, 16) % int(step, 16) for offset, address, step in segments
    )
