"""Installed packages that offer analyses through entry points, looked at without importing them."""

from __future__ import annotations

import importlib.util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from sensiview.plugin_loading.content import Content, PluginProblem, read_contents
from sensiview.plugin_loading.info import PluginInfo

GROUP = "sensiview.analyses"


def packages_with_analyses() -> dict[str, list[EntryPoint]]:
    """Return the entry points of the group by the name of the package that was installed."""
    by_package: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        by_package.setdefault(entry.dist.name if entry.dist else entry.module, []).append(entry)
    return by_package


def package_info(name: str, entry: EntryPoint) -> PluginInfo:
    """Return what a package's metadata says; its state is decided later."""
    version = entry.dist.version if entry.dist else ""
    metadata = entry.dist.metadata if entry.dist else None
    about = (metadata["Summary"] or "") if metadata and "Summary" in metadata else ""
    licence = next((metadata[k] for k in ("License-Expression", "License") if k in metadata), "") if metadata else ""
    return PluginInfo(
        name, name, version, None, "broken", description=about, licence=licence.partition("\n")[0], kind="package"
    )


def package_content(entries: list[EntryPoint]) -> Content:
    """Hash the packages that entry points lead to, without importing them.

    Python may load byte code beside these files; whoever can write there can change SensiView itself too.

    Raises
    ------
    PluginProblem
        A package is not there, has no files, or is too big.
    """
    roots: list[Path] = []
    for top in sorted({entry.module.partition(".")[0] for entry in entries}):
        spec = importlib.util.find_spec(top)
        if spec is None:
            raise PluginProblem(f"The package '{top}', to which an entry point of SensiView leads, is not installed.")
        origin = [spec.origin] if spec.has_location and spec.origin else []
        roots += [Path(place).resolve() for place in spec.submodule_search_locations or origin]
    if not roots:
        raise PluginProblem(f"The files of '{entries[0].module}' can't be found, so they can't be checked.")
    return read_contents(roots, roots[0])
