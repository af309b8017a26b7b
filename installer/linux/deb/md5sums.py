"""Prints md5sums of a package's files for dpkg --verify: python md5sums.py TREE"""

from __future__ import annotations

import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def _md5(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def md5sums(tree: Path) -> bytes:
    """Return one line a file, by name; links and the package's control files are left out, as dpkg does."""
    found = sorted(
        (path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()),
        key=lambda path: os.fsencode(path.relative_to(tree)),
    )
    wanted = [path for path in found if path.relative_to(tree).parts[0] != "DEBIAN"]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        sums = threads.map(_md5, wanted)
        return b"".join(
            f"{digest}  ".encode() + os.fsencode(path.relative_to(tree)) + b"\n"
            for digest, path in zip(sums, wanted, strict=True)
        )


if __name__ == "__main__":
    sys.stdout.buffer.write(md5sums(Path(sys.argv[1])))
