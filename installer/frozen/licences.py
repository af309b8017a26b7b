"""Writes the licences of everything that is in the frozen folder: what Help > About shows."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from importlib import metadata
from pathlib import Path

from sensiview import components
from sensiview.components import Component
from sensiview.components.environment import normalised


def write(target: Path, inside: Path, collected: dict[str, Path]) -> list[Component]:
    """Write ``components.json`` and the texts into `target`; returns what is bundled, by name.

    Parameters
    ----------
    target : Path
        Folder for the licences.
    inside : Path
        The frozen folder's libraries: only what is there is listed.
    collected : dict
        Where each file of the frozen folder came from.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    present = {normalised(path.name.split("-")[0]) for path in inside.glob("*.dist-info")}
    found = [component for component in components.installed_distributions() if normalised(component.name) in present]
    found = [components.copy_texts(component, target) for component in (*found, components.interpreter())]
    found += [bootloader(target), *system_libraries(target, inside, collected)]
    found += components.data_components()
    found.sort(key=lambda component: component.name.lower())
    (target / "components.json").write_text(components.to_json(found), encoding="utf-8")
    return found


def system_libraries(target: Path, inside: Path, collected: dict[str, Path]) -> list[Component]:
    """Debian's libraries, with what Debian says about their licences."""
    if shutil.which("dpkg-query") is None:
        return []
    sources = {
        source
        for name, source in collected.items()
        if "site-packages" not in source.parts and ((inside / name).exists() or (inside / name).is_symlink())
    }
    by_package: dict[str, list[str]] = defaultdict(list)
    for source in sorted(sources):
        owner = owner_of(source)
        # Python stands there by itself.
        if owner and not owner.startswith(("libpython3", "python3")):
            by_package[owner].append(source.name)
    found = []
    for package, files in sorted(by_package.items()):
        shown = subprocess.run(["dpkg-query", "-W", "-f=${Version}\t${Homepage}", package], check=True,
                               capture_output=True, text=True).stdout  # fmt: skip
        version, homepage = shown.split("\t")
        name = package.split(":")[0]
        source_text = Path("/usr/share/doc", name, "copyright")
        stated = source_text.read_text(encoding="utf-8", errors="replace") if source_text.is_file() else ""
        texts = [source_text] if stated else []
        # Debian keeps the long licences once for all packages; another system has no such folder.
        names = sorted(set(re.findall(r"/usr/share/common-licenses/([\w.-]*\w)", stated)))
        texts += [path for path in (Path("/usr/share/common-licenses", name) for name in names) if path.is_file()]
        note = f"A library of the Debian system that the program was built on: {', '.join(sorted(set(files)))}."
        licence = named_in(stated) or "see the text"
        found.append(Component(name, version, licence, "library", homepage, copied(texts, target, name), note))
    return found


def owner_of(file: Path) -> str | None:
    """The Debian package of a file; the records name it with or without /usr, depending on the system's age."""
    candidates = {file, file.resolve()}
    candidates |= {Path("/usr", *path.parts[1:]) for path in candidates} | {
        Path("/", *path.parts[2:]) for path in candidates if path.parts[1:2] == ("usr",)
    }
    for candidate in sorted(candidates):
        asked = subprocess.run(["dpkg-query", "-S", str(candidate)], check=False, capture_output=True, text=True)
        if asked.returncode == 0:
            return asked.stdout.splitlines()[0].rsplit(": ", 1)[0].split(",")[0]
    return None


def named_in(stated: str) -> str:
    """The licences that a Debian copyright file names, short; empty when it names none in its fields."""
    names = (name.strip() for name in re.findall(r"^License:[ \t]*(\S[^\n]*)$", stated, re.MULTILINE))
    different = list(dict.fromkeys(name for name in names if len(name) <= 40))
    return ", ".join(different[:4]) + (" and others" if len(different) > 4 else "")


def copied(texts: list[Path], target: Path, name: str) -> tuple[str, ...]:
    """Copy licence texts into the folder of one component; returns their paths relative to `target`."""
    for text in texts:
        (target / name).mkdir(exist_ok=True)
        shutil.copyfile(text, target / name / text.name)
    return tuple(f"{name}/{text.name}" for text in texts)


def bootloader(target: Path) -> Component:
    """The few kilobytes of PyInstaller that are in the executable itself."""
    distribution = metadata.distribution("pyinstaller")
    texts = [Path(str(file.locate())) for file in distribution.files or () if "COPYING" in file.name]
    name = "PyInstaller bootloader"
    return Component(
        name,
        distribution.version,
        "GPL-2.0-or-later WITH Bootloader-exception",
        "library",
        "https://pyinstaller.org",
        copied(texts, target, name.replace(" ", "_")),
        "The executable starts with it; its exception allows programs under any licence.",
    )
