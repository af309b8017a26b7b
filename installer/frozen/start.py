"""What the frozen program runs."""

import ctypes
import ctypes.util
import logging
import os
import sys
from pathlib import Path


def give_back_search_path() -> None:
    """Programs that we start (file manager, PDF viewer) look for their own libraries, not for ours.

    Our own workers get the path anew from PyInstaller's loader, which has to be told that they are no part of this
    process's start.
    """
    os.environ["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = before


def fill_gaps(folder: Path) -> None:
    """Load those libraries of the system that it lacks from `folder`, before anything asks for them by name."""
    lent = {}
    # Written by the build, in the order of loading.
    for name in (folder / "order.txt").read_text(encoding="ascii").split():
        try:
            ctypes.CDLL(name)
        except OSError:
            try:
                ctypes.CDLL(str(folder / name), mode=ctypes.RTLD_GLOBAL)
            except OSError:
                continue  # what needs it says so by name
            lent[name.removeprefix("lib").split(".")[0]] = str(folder / name)
    if lent:
        # vispy asks the system where fontconfig is.
        find_in_system = ctypes.util.find_library
        ctypes.util.find_library = lambda name: find_in_system(name) or lent.get(name)
    if "GL" in lent:
        # Ours only passes calls on to a driver, and there is none: Qt would give up instead of doing without.
        os.environ.setdefault("QT_XCB_GL_INTEGRATION", "none")
    # A system without any desktop has no list of fonts either: ours names its places, and has a font of its own.
    if not Path("/etc/fonts/fonts.conf").is_file():
        os.environ.setdefault("FONTCONFIG_FILE", str(folder / "fonts.conf"))


def main() -> int:
    """Prepare the process and hand over; nothing of the program may be imported before."""
    if sys.platform == "linux":
        give_back_search_path()
        fill_gaps(Path(__file__).parent / "fallback")
    # Triton is left out on purpose; PyTorch would say so to everybody who runs an analysis.
    logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)
    from sensiview.__main__ import main as run

    return run()


sys.exit(main())
