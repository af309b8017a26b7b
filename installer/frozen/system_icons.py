"""The icon as Windows and macOS want it: ``python installer/frozen/system_icons.py FOLDER``.

Writes ``sensiview.ico`` and ``sensiview.icns``, drawn from the same SVGs as Linux's icons.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from linux import icons

_WINDOWS = (16, 20, 24, 32, 40, 48, 64, 128, 256)
_MAC = (16, 32, 64, 128, 256, 512, 1024)


def pictures(sizes: tuple[int, ...]) -> list[Image.Image]:
    """The icon in each size, the largest first: Pillow writes the others beside that one."""
    return [Image.open(BytesIO(icons.render(size))).convert("RGBA") for size in sorted(sizes, reverse=True)]


def write(folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, sizes in (("sensiview.ico", _WINDOWS), ("sensiview.icns", _MAC)):
        first, *others = pictures(sizes)
        if name.endswith(".ico"):
            first.save(folder / name, sizes=[(size, size) for size in sizes], append_images=others)
        else:
            first.save(folder / name, append_images=others)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("Usage: python system_icons.py FOLDER")
    write(Path(sys.argv[1]))
