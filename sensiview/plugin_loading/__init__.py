"""Analyses and architectures from methods, plugins and installed packages; plugins only with the user's agreement.

A plugin is code. It is loaded only after the user agreed to that exact content (a SHA-256 over all files of its
folder, names included), and from the very bytes that were hashed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sensiview import locations
from sensiview.analysis.catalogue import Catalogue
from sensiview.errors import UserError, suggestion
from sensiview.plugin_loading.discovery import Discovery, survey
from sensiview.plugin_loading.info import PluginInfo
from sensiview.plugin_loading.trust import TrustStore

if TYPE_CHECKING:
    from sensiview.datasets.generators import Generator
    from sensiview.models.architectures import Architecture
    from sensiview.numerics.screening.partition import Partition

__all__ = [
    "Discovery",
    "PluginInfo",
    "TrustStore",
    "discover",
    "discover_architectures",
    "discover_parts",
    "list_plugins",
    "remove_plugin",
    "survey",
    "trust_plugin",
]


def discover(trust_store: TrustStore | None = None) -> Catalogue:
    """Return every analysis that may be used now."""
    return survey(trust_store).catalogue


def discover_architectures(trust_store: TrustStore | None = None) -> dict[str, Architecture]:
    """Return our own architectures and those of the plugins, by key. A plugin's function for them may load torch."""
    return survey(trust_store, with_architectures=True).architectures


def discover_parts(
    trust_store: TrustStore | None = None,
) -> tuple[Mapping[str, Partition], Mapping[str, Generator]]:
    """Return the partitions and generators of the plugins, each by key."""
    catalogue = survey(trust_store).catalogue
    return catalogue.partitions, catalogue.generators


def list_plugins(trust_store: TrustStore | None = None) -> tuple[PluginInfo, ...]:
    """Return what there is, loaded or not, without our own methods unless one is broken."""
    return survey(trust_store).plugins


def trust_plugin(name: str, *, sha256: str | None = None, store: TrustStore | None = None) -> PluginInfo:
    """Agree to a plugin's present content, load it and return what it offers.

    Parameters
    ----------
    sha256 : str
        What the user was shown; when the folder changed since, nothing is agreed to.

    Raises
    ------
    UserError
        No such plugin, it is broken (also when that shows only now that its code runs), it changed since it was
        shown, or the agreement can't be written.
    """
    store = store or TrustStore()
    info = _find(name, store)
    if info.state == "bundled":
        raise UserError(f"'{info.title}' comes with SensiView and needs no agreement.")
    if info.state in ("broken", "removed"):
        raise UserError(info.reason)
    if sha256 is not None and sha256 != info.sha256:
        raise UserError(f"'{info.title}' changed while you looked at it. Look at it again before you agree.")
    store.agree(info.name, info.sha256, title=info.title, version=info.version)
    loaded = _find(name, store)
    if loaded.state != "trusted":
        raise UserError(f"You agreed to '{info.title}', but it can't be used. {loaded.reason}", details=loaded.details)
    return loaded


def remove_plugin(name: str, *, store: TrustStore | None = None) -> str:
    """Take back the agreement to a plugin and put its folder aside; return a sentence on what was done.

    Raises
    ------
    UserError
        No such plugin, it comes with SensiView, or its folder can't be moved.
    """
    store = store or TrustStore()
    info = _find(name, store)
    if info.kind in ("bundled", "method"):
        raise UserError(f"'{info.title}' comes with SensiView and can't be removed.")
    if info.kind == "package":
        store.withdraw(info.name)
        return f"'{info.name}' is no longer loaded. Uninstall the package '{info.name}' to be rid of its files."
    if info.path is None:
        store.withdraw(info.name)
        return f"'{info.name}' is forgotten; its folder was gone already."
    try:
        where = _put_aside(info.path)
    except OSError as error:
        raise UserError(
            f"'{info.path}' can't be moved away ({error.strerror or error}). Close programs that use it, or delete it "
            "yourself."
        ) from error
    store.withdraw(info.name)
    return f"'{info.title}' is no longer loaded. {where}"


def _put_aside(folder: Path) -> str:
    if folder.is_symlink():
        # Only the link is ours to remove: it leads to somebody's checkout.
        target = folder.resolve()
        folder.unlink()
        return f"The folder it led to, '{target}', is as it was."
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    aside = locations.home() / "removed-plugins" / f"{folder.name}-{stamp}"
    aside.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, aside)
    return f"Its folder now lies in '{aside}'."


def _find(name: str, store: TrustStore) -> PluginInfo:
    known = {info.name: info for info in list_plugins(store)}
    if name not in known:
        raise UserError(f"There is no plugin '{name}'.{suggestion(name, list(known))}")
    return known[name]
