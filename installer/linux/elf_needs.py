"""What the programs and libraries of a folder ask of the system: python elf_needs.py [--libraries] FOLDER

Prints the lowest version of glibc that all of them start with, such as ``2.28``; with --libraries the names of the
libraries that are neither in the folder nor part of glibc, one a line. Reads the few kilobytes of each file that the
dynamic loader itself goes by, so that gigabytes take seconds.
"""

from __future__ import annotations

import argparse
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_X86_64 = 62
_LOAD, _DYNAMIC = 1, 2  # kinds of program headers
_NEEDED, _STRTAB, _VERNEED, _VERNEEDNUM = 1, 5, 0x6FFFFFFE, 0x6FFFFFFF  # tags of the dynamic section
# Relative relocations came with glibc 2.36 under a name instead of a number.
_NAMED = {"GLIBC_ABI_DT_RELR": (2, 36)}
_GLIBC = ("libc", "libm", "libdl", "libpthread", "librt", "libutil", "libresolv", "libanl", "libnsl", "ld-linux-x86-64",
          "libmvec", "libBrokenLocale", "libcrypt", "libthread_db")  # fmt: skip


@dataclass(frozen=True)
class Needs:
    """What one file asks for: names of versions such as ``GLIBC_2.28``, names of libraries such as ``libGL.so.1``."""

    versions: frozenset[str]
    libraries: frozenset[str]


def needs(path: Path) -> Needs | None:
    """Return what an ELF file for x86-64 needs; None when it is something else or linked to nothing."""
    with path.open("rb") as stream:
        head = stream.read(64)
        # 64 bits, little-endian.
        if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<H", head, 18)[0] != _X86_64:
            return None
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _read(data)
            except struct.error:
                return None  # cut short: the loader would not take it either


def _read(data: mmap.mmap) -> Needs | None:
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    loads = [(address, length, offset) for kind, _, offset, address, _, length in headers if kind == _LOAD]
    dynamic = next((offset for kind, _, offset, *_ in headers if kind == _DYNAMIC), None)
    if dynamic is None:
        return None

    def place(address: int) -> int:
        """Offset in the file of what lies at `address` in memory."""
        for start, length, offset in loads:
            if start <= address < start + length:
                return int(address - start + offset)
        raise struct.error

    entries = list(_dynamic_entries(data, dynamic))
    tags = dict(entries)
    strings = place(tags.get(_STRTAB, -1))

    def text(at: int) -> str:
        return data[strings + at : data.find(b"\0", strings + at)].decode("ascii", "replace")

    versions = set()
    if _VERNEED in tags:
        file_at = place(tags[_VERNEED])
        for _ in range(tags.get(_VERNEEDNUM, 0)):
            _, names, _, first, following = struct.unpack_from("<HHIII", data, file_at)
            name_at = file_at + first
            for _ in range(names):
                _, _, _, name, onward = struct.unpack_from("<IHHII", data, name_at)
                versions.add(text(name))
                name_at += onward
            file_at += following
    return Needs(frozenset(versions), frozenset(text(value) for tag, value in entries if tag == _NEEDED))


def _dynamic_entries(data: mmap.mmap, offset: int) -> Iterator[tuple[int, int]]:
    while True:
        tag, value = struct.unpack_from("<QQ", data, offset)
        if tag == 0:
            return
        yield tag, value
        offset += 16


def all_needs(folder: Path) -> list[Needs]:
    """Return what each ELF file below `folder` needs.

    What lies in ``_internal/fallback`` does not count: the program takes it only where the system has none of its own.
    """
    spare = folder / "_internal" / "fallback"
    files = (
        path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and path.parent != spare
    )
    return [found for path in files if (found := needs(path))]


def glibc(found: list[Needs]) -> str:
    """Return the lowest sufficient version of glibc; 2.17, the oldest that anything here is built for, at least."""
    highest = (2, 17)
    for name in {name for one in found for name in one.versions}:
        digits = name.removeprefix("GLIBC_").split(".")
        if name in _NAMED:
            highest = max(highest, _NAMED[name])
        elif name.startswith("GLIBC_") and all(part.isdigit() for part in digits):
            highest = max(highest, (int(digits[0]), int(digits[1])))
    return f"{highest[0]}.{highest[1]}"


def missing(folder: Path, found: list[Needs]) -> list[str]:
    """Return the libraries that the system must have besides glibc."""
    inside = {path.name for path in folder.rglob("*.so*")}
    wanted = {name for one in found for name in one.libraries}
    return sorted(name for name in wanted - inside if name.split(".so")[0] not in _GLIBC)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--libraries", action="store_true", help="print the libraries instead")
    arguments.add_argument("folder", type=Path)
    given = arguments.parse_args()
    everything = all_needs(given.folder)
    print("\n".join(missing(given.folder, everything)) if given.libraries else glibc(everything))
