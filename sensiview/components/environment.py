"""The distributions of this environment, from what they say of themselves; broken metadata is no reason to stop."""

from __future__ import annotations

import csv
import platform
import re
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

from sensiview import __version__, locations
from sensiview.components.record import Component, is_inside

NOT_STATED = "not stated"
# A name that looks like a licence's: COPYING, LICENSE-MIT.txt, dragon4_LICENSE.txt, NOTICE.
_TEXT_NAME = re.compile(
    r"(?:^|[-_. ])(?:un)?(?:licen[cs]es?|copying|notices?|copyrights?|eula|third[-_ ]?party[-_ ]?\w*)(?:[-_. ]|$)", re.I
)
_NO_TEXT = {
    ".py", ".pyc", ".pyi", ".pyx", ".so", ".dll", ".dylib", ".h", ".hpp", ".c", ".cc", ".cpp", ".js", ".css", ".json",
    ".yaml", ".yml", ".toml", ".png", ".svg", ".pdf", ".gz", ".npz", ".sh", ".src",
}  # fmt: skip
_IDENTIFIER = re.compile(r"[A-Za-z][\w.+-]*\d[\w.+-]*(?: (?:AND|OR|WITH) [\w.+-]+)*")
# Named by a classifier that names no licence.
_VAGUE = ("OSI Approved", "DFSG approved")
# Distributions that hold no text of their own licence: it lies in our resources. PySide6's have one each.
_QT = ("licence_texts/LGPL-3.0.txt", "licence_texts/GPL-3.0.txt")
_OUR_TEXTS = {
    "pyside6": _QT,
    "shiboken6": _QT,
    "pyjpegls": ("licence_texts/pyjpegls.txt",),
    "pyopengl": ("licence_texts/PyOpenGL.txt",),  # those it holds are of libraries for Windows
}
# What metadata that is not there, no text or no metadata raises, depending on Python's version.
_BROKEN = (OSError, ValueError, TypeError, LookupError, AttributeError)


def installed_distributions(path: Sequence[str] | None = None) -> list[Component]:
    """Return every distribution in the folders of `path` (None: all that can be imported here), ordered by name.

    Of two with the same name the first counts, as it does for imports. One whose metadata can't be read is listed by
    the name of its folder; nothing is raised.
    """
    found: dict[str, Component] = {}
    for distribution in metadata.distributions() if path is None else metadata.distributions(path=list(path)):
        component = _component(distribution)
        if component is not None:
            found.setdefault(normalised(component.name), component)
    return [found[key] for key in sorted(found)]


def interpreter() -> Component:
    """Return Python itself."""
    library = Path(sysconfig.get_path("stdlib"))
    texts = [library / "LICENSE.txt"] if (library / "LICENSE.txt").is_file() else []
    return Component(
        "Python",
        platform.python_version(),
        "PSF-2.0",
        "library",
        "https://www.python.org",
        tuple(f"{library.name}/{path.name}" for path in texts),
    )


def licence_of(distribution: metadata.Distribution) -> str:
    """Return the licence a distribution declares, in a few words; ``not stated`` when it does not."""
    expression = _values(distribution, "License-Expression")
    if expression:
        return expression[0]
    lines = [line.strip() for text in _values(distribution, "License") for line in text.splitlines() if line.strip()]
    free = lines[0] if lines and lines[0] != "UNKNOWN" else ""
    if _IDENTIFIER.fullmatch(free):
        return free  # more precise than a classifier: BSD-3-Clause, not BSD License
    classifiers = [c.split(" :: ")[-1] for c in _values(distribution, "Classifier") if c.startswith("License :: ")]
    declared = ", ".join(dict.fromkeys(c for c in classifiers if c not in _VAGUE))
    return declared or free[:60] or NOT_STATED


def licence_files(distribution: metadata.Distribution) -> list[Path]:
    """Return the licence texts of a distribution that are there, the main one first.

    They are those that its metadata names, all of ``licenses`` in it, and whatever among its files is called like a
    licence, copying notice or list of third parties. For the few that hold none, the text comes from our resources.
    """
    name = normalised(_name_and_version(distribution)[0])
    ours = _OUR_TEXTS.get("pyside6" if name.startswith("pyside6-") else name, ())
    paths = [locations.resources() / text for text in ours] or _candidates(distribution)
    found = dict.fromkeys(path.resolve() for path in paths if path.is_file())
    return list(found) if ours else sorted(found, key=_importance)


def normalised(name: str) -> str:
    """Return a distribution's name as every spelling of it has it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _component(distribution: metadata.Distribution) -> Component | None:
    name, version = _name_and_version(distribution)
    if not name:
        return None
    if normalised(name) == "sensiview":
        version = __version__  # that of the code, not of the day when a checkout was installed
    site = _site(distribution)
    return Component(
        name,
        version,
        licence_of(distribution),
        "python",
        _homepage(distribution),
        tuple(_relative(licence_files(distribution), [*([site] if site else []), locations.resources()])),
    )


def _values(distribution: metadata.Distribution, header: str) -> list[str]:
    """Return a header's values, without the empty ones; none when the metadata can't be read."""
    try:
        values = distribution.metadata.get_all(header) or []
    except _BROKEN:
        return []
    return [text for value in values if (text := str(value).strip())]


def _name_and_version(distribution: metadata.Distribution) -> tuple[str, str]:
    """Return what the metadata says, else what the metadata's folder is called."""
    folder = _folder(distribution)
    name, _, version = (folder.stem if folder else "").partition("-")
    said = [*_values(distribution, "Name")[:1], name][0], [*_values(distribution, "Version")[:1], version][0]
    return said[0], said[1].split("-py3")[0]  # an egg's folder names Python's version too


def _homepage(distribution: metadata.Distribution) -> str:
    pairs = (value.partition(",") for value in _values(distribution, "Project-URL"))
    links = {label.strip().lower(): address.strip() for label, _, address in pairs}
    said = [v for v in _values(distribution, "Home-page") if v != "UNKNOWN"]
    named = [links[k] for k in ("homepage", "home", "source", "source code", "repository", "github") if k in links]
    return next((url for url in [*said, *named] if url.startswith(("http://", "https://"))), "")


def _folder(distribution: metadata.Distribution) -> Path | None:
    """Return the folder of the metadata; there is no public name for it."""
    path = getattr(distribution, "_path", None)
    return Path(path) if path is not None else None


def _site(distribution: metadata.Distribution) -> Path | None:
    folder = _folder(distribution)
    return folder.resolve().parent if folder else None


def _candidates(distribution: metadata.Distribution) -> Iterator[Path]:
    folder = _folder(distribution)
    if folder is not None:
        for name in _values(distribution, "License-File"):
            if is_inside(name):
                yield from (folder / "licenses" / name, folder / name)
        for licences in ("licenses", "license_files"):
            yield from sorted((folder / licences).rglob("*"))
        if folder.is_dir():
            yield from (path for path in sorted(folder.iterdir()) if _looks_like_text(path.name))
    try:
        yield from _listed(distribution)
    except (*_BROKEN, csv.Error):
        return


def _listed(distribution: metadata.Distribution) -> Iterator[Path]:
    """Yield licence texts among the files that were installed."""
    record = distribution.read_text("RECORD")
    if record is not None:
        lines = (line for line in record.splitlines() if _TEXT_NAME.search(line.split(",")[0].rpartition("/")[2]))
        names: Iterable[str] = (row[0] for row in csv.reader(lines) if row)
    else:
        names = [str(file) for file in distribution.files or []]
    for name in names:
        # Our own resources are data, listed as such.
        if _looks_like_text(name.rpartition("/")[2]) and "_bundled/" not in name:
            yield Path(str(distribution.locate_file(name)))


def _looks_like_text(name: str) -> bool:
    return bool(_TEXT_NAME.search(name)) and Path(name).suffix.lower() not in _NO_TEXT


def _importance(path: Path) -> tuple[bool, bool, int, str]:
    """Order texts: those beside the metadata, the licence before notices, near ones before those of third parties."""
    beside = any(part.endswith((".dist-info", ".egg-info")) for part in path.parts)
    name = path.name.lower()
    main = name.startswith(("licen", "copying")) and "party" not in name
    return not beside, not main, len(path.parts), path.as_posix().lower()


def _relative(paths: Sequence[Path], roots: Sequence[Path]) -> Iterator[str]:
    """Yield paths as they are relative to the first root that holds them; those outside are left out."""
    for path in paths:
        root = next((root.resolve() for root in roots if path.resolve().is_relative_to(root.resolve())), None)
        if root is not None:
            yield path.resolve().relative_to(root).as_posix()
