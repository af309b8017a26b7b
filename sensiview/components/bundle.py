"""What this program is made of, packaged or not, with the licence texts; and how the build packs those texts."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
import sys
import sysconfig
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from sensiview import locations
from sensiview.components.environment import installed_distributions, interpreter, normalised
from sensiview.components.record import Component, from_json, is_inside
from sensiview.components.sample_data import data_components

FOLDER = "licences"
_LIST = "components.json"
_log = logging.getLogger(__name__)


def bundled() -> list[Component]:
    """Return everything that comes with this program: SensiView first, then by name.

    In a packaged program that is its list; where there is none (a checkout), or a damaged one, it is what the
    environment holds, tools of developers included.
    """
    components = _packaged()
    if components is None:
        components = [*installed_distributions(), interpreter()]
    names = {normalised(component.name) for component in components}
    components += [data for data in data_components() if normalised(data.name) not in names]
    return sorted(components, key=lambda c: (normalised(c.name) != "sensiview", c.name.casefold()))


def text_files(component: Component) -> list[Path]:
    """Return the licence texts of a component that are there: in the program's resources, else in the environment."""
    found = (_find(component, text) for text in component.texts)
    return [path for path in found if path is not None]


def licence_text(component: Component) -> str:
    """Return the note on a component and all its licence texts, each once, under its name where there are several.

    When there is no text, a sentence says so.
    """
    texts: dict[str, list[str]] = {}  # text -> names of the files that hold it
    for path, name in zip(text_files(component), _short_names(component), strict=False):
        text = _read(path)
        if text:
            texts.setdefault(text, []).append(name)
    if not texts:
        where = f" See {component.homepage}." if component.homepage else ""
        sentence = f"No licence text comes with {component.name}; its licence is: {component.licence}.{where}"
        return "\n\n".join(filter(None, [component.note, sentence]))
    parts = [text if len(texts) == 1 else f"{_heading(names)}\n\n{text}" for text, names in texts.items()]
    return "\n\n\n".join(filter(None, [component.note, *parts]))


def copy_texts(component: Component, folder: Path) -> Component:
    """Copy a component's licence texts into ``FOLDER/NAME/`` and return it with texts relative to `folder`.

    For the build: `folder` becomes the folder ``licences`` of the resources. Texts that lie in the resources already
    stay there.

    Raises
    ------
    OSError
        The folder can't be written.
    """
    resources = locations.resources().resolve()
    own = re.sub(r"[^\w.+-]+", "_", component.name)
    kept: list[str] = []
    seen: set[str] = set()
    for path, short in zip(text_files(component), _short_names(component), strict=False):
        if path.resolve().is_relative_to(resources) and FOLDER not in path.parts:
            kept.append(path.resolve().relative_to(resources).as_posix())
            continue
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest in seen:
            continue
        seen.add(digest)
        name = f"{own}/{short}"
        while (folder / name).exists():
            name += "_"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        kept.append(name)
    return replace(component, texts=tuple(kept))


def _packaged() -> list[Component] | None:
    path = locations.resources() / FOLDER / _LIST
    try:
        return from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("The list of components '%s' can't be read: %s", path, error)
        return None


def _find(component: Component, text: str) -> Path | None:
    if not is_inside(text):
        return None
    roots = [locations.resources() / FOLDER, locations.resources()]
    if component.kind == "python":
        # Packaged without its metadata, only the copied text is left.
        with contextlib.suppress(metadata.PackageNotFoundError, OSError, ValueError):
            roots.append(Path(str(metadata.distribution(component.name).locate_file(""))))
    elif component.kind == "library" and not getattr(sys, "frozen", False):
        roots.append(Path(sysconfig.get_path("stdlib")).parent)
    return next((root / text for root in roots if (root / text).is_file()), None)


def _short_names(component: Component) -> list[str]:
    """Return what the texts that are there are called: without the folders of metadata that hold them."""
    there = [text for text in component.texts if _find(component, text) is not None]
    own = re.sub(r"[^\w.+-]+", "_", component.name)
    outer = rf"^(?:licence_texts/|samples/\w+/|atlases/|{re.escape(own)}/|[^/]+\.(?:dist|egg)-info/)?(?:licenses/)?"
    return [re.sub(outer, "", text) for text in there]


def _heading(names: list[str]) -> str:
    title = ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more with this text"
    return f"{title}\n{'=' * min(len(title), 78)}"


def _read(path: Path) -> str:
    """Return a text, whatever its encoding; nothing of a file that is none or can't be read."""
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    if b"\0" in content:
        return ""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    # The first line may be centred: only empty lines before it go.
    return re.sub(r"\A(?:[ \t]*\n)+", "", text.replace("\r\n", "\n").replace("\r", "\n")).rstrip()
