"""What `sensiview doctor` looks at, one function for a line or a few; what is missing is told, never raised on purpose.

Everything heavy is imported inside, so that a broken library costs its own line and no other.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from sensiview import locations
from sensiview.command_line.tools import Tools
from sensiview.demos import DEMOS

# How long a new process may take: the first start after an installation reads gigabytes from a slow disk.
PATIENCE_S = 90.0
# The supervisor's words for it.
CRASHED = "crashed in native code"
# Less is soon full: one volume study writes that much.
_LITTLE_DISK = 1 << 30

# The data of a sample project, among our resources and in packages.
SAMPLES: dict[str, tuple[str, ...]] = {
    "diabetes": ("samples/diabetes/diabetes.csv",),
    "images": (
        "samples/images/garments.npz",
        "samples/images/squeezenet1_1.safetensors",
        "samples/images/squeezenet1_1.json",
        "samples/images/photographs/cat.jpg",
    ),
    "digits": ("samples/digits/digits.npz",),
    "brain": (
        "atlases/desikan_killiany.nii.gz",
        "nilearn:datasets/data/mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz",
    ),
}
_CODECS = (  # package, module, pydicom's name for it, a transfer syntax that it reads
    ("gdcm", "gdcm", "gdcm", "1.2.840.10008.1.2.4.70"),
    ("pylibjpeg-openjpeg", "openjpeg", "pylibjpeg", "1.2.840.10008.1.2.4.90"),
    ("pyjpegls", "jpeg_ls", "pyjpegls", "1.2.840.10008.1.2.4.80"),
)
_SYNTAXES = {
    "JPEG": "1.2.840.10008.1.2.4.50",
    "JPEG lossless": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "RLE": "1.2.840.10008.1.2.5",
}


class Fact(NamedTuple):
    """One line: what was found, and whether it is as it should be."""

    value: Any
    good: bool = True


def devices() -> dict[str, Fact]:
    """Return the devices that jobs can choose, and what each of them is."""
    from sensiview.models.devices import available, describe_devices

    return {"devices": Fact(", ".join(available())), **{k: Fact(v) for k, v in describe_devices().items()}}


def gpu() -> Fact:
    """Return which GPU computes, or why the CPU does."""
    from sensiview.models.graphics_card import ask_torch, explain, find_cards

    cards = find_cards()
    try:
        return Fact(*explain(cards, ask_torch()))
    except (ImportError, OSError) as error:
        found = f"cards found: {', '.join(cards.nvidia)}" if cards.nvidia else "no NVIDIA card was found"
        return Fact(f"PyTorch can't be loaded ({error}), so nothing can be computed; {found}.", False)


def worker() -> Fact:
    """Return whether a worker process starts and says that it is ready, and after how long."""
    from sensiview.jobs.supervisor import reason
    from sensiview.jobs.worker_process import WorkerProcess

    began = time.monotonic()
    try:
        process = WorkerProcess(None, {})
    except OSError as error:
        return Fact(f"can't be started ({error.strerror or error}): jobs can't run.", False)
    try:
        while not process.ready and process.returncode is None and time.monotonic() - began < PATIENCE_S:
            time.sleep(0.02)
        if process.ready:
            return Fact(f"answers after {time.monotonic() - began:.1f} s")
        if process.returncode is None:
            return Fact(f"does not answer within {PATIENCE_S:.0f} s: jobs can't run.", False)
        why = reason(process.returncode, ready=False)
        # Its last words are an exception, unless native code ended it.
        last = [] if CRASHED in why else [f"({line})" for line in process.last_words().strip().splitlines()[-1:]]
        return Fact(" ".join([why, *last, "Jobs can't run."]), False)
    finally:
        process.close()


def dicom_codecs() -> Fact:
    """Return which decoders of compressed DICOM can be used, and what can be read with all of them."""
    from sensiview.datasets.dicom_codecs import decoders

    found, broken = [], []
    for package, module, plugin, syntax in _CODECS:
        try:
            import_module(module)
            why = "" if plugin in decoders(syntax) else "pydicom does not see it"
        except Exception as error:  # noqa: BLE001 - native code that does not fit raises anything
            why = str(error) or type(error).__name__
        if why:
            broken.append(f"{package} can't be used ({why})")
        else:
            found.append(package)
    reads = [name for name, syntax in _SYNTAXES.items() if decoders(syntax)]
    parts = [", ".join(found) or "none", *broken, f"{', '.join(reads) or 'only uncompressed pixels'} can be read"]
    return Fact("; ".join(parts), not broken and len(reads) == len(_SYNTAXES))


def video() -> Fact:
    """Return what reads videos."""
    import cv2

    if cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG):
        return Fact(f"OpenCV {cv2.__version__} with FFmpeg")
    return Fact(f"OpenCV {cv2.__version__} without FFmpeg: videos can't be opened.", False)


def samples() -> Fact:
    """Return the sample projects whose data are there."""
    missing = {key: [name for name in SAMPLES.get(key, ()) if not _is_there(name)] for key in DEMOS}
    found = [key for key, gone in missing.items() if not gone]
    broken = [f"{key} (no {', '.join(Path(name).name for name in gone)})" for key, gone in missing.items() if gone]
    missing_text = [f"missing: {', '.join(broken)}"] if broken else []
    return Fact("; ".join([", ".join(found) or "none", *missing_text]), not broken)


def help_pages(tools: Tools) -> Fact:
    """Return how many analyses have their help page: they come from the code's own texts."""
    catalogue = list(tools.catalogue())
    without = [analysis.key for analysis in catalogue if not analysis.help_text().strip()]
    missing = f"; without one: {', '.join(without)}" if without else ""
    return Fact(
        f"{len(catalogue) - len(without)} analyses with their help pages{missing}", not without and bool(catalogue)
    )


def resources_found() -> Fact:
    """Return what of our own files is there."""
    folder = locations.resources()
    icons = len(list(folder.glob("icons/*.svg")))
    atlases = len(list(folder.glob("atlases/*.nii.gz")))
    report = (folder / "report" / "report.html.j2").is_file()
    parts = [f"{icons} icons", f"{atlases} atlas{'' if atlases == 1 else 'es'}"]
    parts.append("the report's template" if report else "no template for reports")
    return Fact(", ".join(parts), bool(icons and atlases and report))


def plugins_found() -> Fact:
    """Return how many plugins there are and which of them are not loaded."""
    from sensiview.plugin_loading import list_plugins

    found = list_plugins()
    if not found:
        return Fact("none")
    loaded = [info for info in found if info.state in ("bundled", "trusted")]
    others = [f"{info.name} ({info.state})" for info in found if info not in loaded]
    own = sum(info.kind == "folder" for info in found)
    text = f"{len(found)}, of them {own} in the plugins folder; loaded: {len(loaded)}"
    broken = any(info.state == "broken" for info in found)
    return Fact(f"{text}; not loaded: {', '.join(others)}" if others else text, not broken)


def home_writable() -> Fact:
    """Return whether settings, plugins and log can be kept."""
    problem = locations.home_problem()
    return Fact(problem or "yes", not problem)


def disk() -> Fact:
    """Return the free space where we write."""
    parts, good = [], True
    for path in dict.fromkeys([locations.home(), Path(tempfile.gettempdir())]):
        free = shutil.disk_usage(_existing(path)).free
        little = free < _LITTLE_DISK
        good = good and not little
        parts.append(f"{'only ' if little else ''}{free / 2**30:.1f} GB free in {path}")
    return Fact("; ".join(parts), good)


def memory() -> Fact:
    """Return the memory of this machine."""
    import psutil

    found = psutil.virtual_memory()
    return Fact(f"{found.total / 2**30:.1f} GB, {found.available / 2**30:.1f} GB free")


def _existing(path: Path) -> Path:
    return next((folder for folder in [path, *path.parents] if folder.exists()), Path("/"))


def _is_there(name: str) -> bool:
    package, _, inside = name.rpartition(":")
    if not package:
        return (locations.resources() / name).is_file()
    spec = importlib.util.find_spec(package)
    roots: Sequence[str] = list(spec.submodule_search_locations or ()) if spec is not None else ()
    return any((Path(root) / inside).is_file() for root in roots)
