"""Finding every analysis: our methods, the bundled plugins, the user's plugins, installed packages."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from sensiview import locations
from sensiview.analysis.catalogue import Catalogue
from sensiview.analysis.contract import Analysis
from sensiview.datasets.generators import generators
from sensiview.errors import SensiViewError
from sensiview.models.architectures import Architecture, architectures
from sensiview.numerics.screening.partitions import partitions
from sensiview.plugin_loading.content import Content, PluginProblem, read_content
from sensiview.plugin_loading.importing import ROOT, guarded_import, load
from sensiview.plugin_loading.info import PluginInfo
from sensiview.plugin_loading.manifest import Manifest, read_manifest
from sensiview.plugin_loading.offers import (
    Parts,
    analyses_of,
    architectures_of,
    instance,
    makes_architectures,
    parts_of,
)
from sensiview.plugin_loading.packages import package_content, package_info, packages_with_analyses
from sensiview.plugin_loading.trust import TrustStore


@dataclass(frozen=True)
class Discovery:
    """Everything that was found at one moment."""

    catalogue: Catalogue
    architectures: dict[str, Architecture]
    plugins: tuple[PluginInfo, ...]
    notices: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences for the messages: what the user has to look at."""
        return (*self.notices, *(p.reason for p in self.plugins if p.state in ("changed", "broken")))


class _Survey:
    """Collects; a plugin that fails adds a `PluginInfo` and nothing else."""

    def __init__(self, trust: TrustStore, *, with_architectures: bool) -> None:
        self.trust = trust
        self.with_architectures = with_architectures
        self.catalogue = Catalogue()
        self.architectures: dict[str, Architecture] = dict(architectures())
        self.plugins: dict[str, PluginInfo] = {}

    def methods(self) -> None:
        import sensiview.methods

        for found in pkgutil.iter_modules(sensiview.methods.__path__):
            name = f"{sensiview.methods.__name__}.{found.name}"
            try:
                for analysis in analyses_of(guarded_import(name, found.name)):
                    self.catalogue.add(analysis)
            except SensiViewError as error:
                # Only an incomplete installation comes here; the other methods still serve.
                info = PluginInfo(found.name, found.name, "", None, "broken", error.sentence, kind="method")
                self.plugins[found.name] = replace(info, details=error.details)

    def folders(self, parent: Path, *, bundled: bool) -> None:
        for folder in _plugin_folders(parent):
            info = PluginInfo(folder.name, folder.name, "", folder, "broken", kind="bundled" if bundled else "folder")
            try:
                content = read_content(folder)
                manifest = read_manifest(content)
                info = _described(info, manifest, content)
                if manifest.name in self.plugins:
                    raise PluginProblem(
                        f"'{folder}' calls itself '{manifest.name}', as '{self.plugins[manifest.name].path}' does. "
                        "Remove one of them."
                    )
                info = replace(info, state="bundled") if bundled else self._judged(info)
                if info.state in ("bundled", "trusted"):
                    module = load(manifest.name, manifest.module, content)
                    package = f"{ROOT}.{manifest.name}"
                    models = self._models([module], package)
                    info = self._offered(info, analyses_of(module, package), models, parts_of([module], package))
            except PluginProblem as error:
                info = replace(info, state="broken", reason=error.sentence, details=error.details)
            except Exception as error:  # noqa: BLE001 - constructors of a plugin run here
                info = replace(info, state="broken", reason=f"'{info.name}' can't be used: {error}.")
            self._keep(info)

    def packages(self) -> None:
        for name, entries in packages_with_analyses().items():
            info = package_info(name, entries[0])
            try:
                info = replace(info, sha256=package_content(entries).sha256)
                info = self._judged(info)
                if info.state == "trusted":
                    modules = {entry.module: guarded_import(entry.module, name) for entry in entries}
                    analyses = []
                    for entry in entries:
                        module = modules[entry.module]
                        analyses += [instance(getattr(module, entry.attr))] if entry.attr else analyses_of(module)
                    found = list(modules.values())
                    info = self._offered(info, analyses, self._models(found), parts_of(found))
            except PluginProblem as error:
                info = replace(info, state="broken", reason=error.sentence, details=error.details)
            except Exception as error:  # noqa: BLE001 - constructors of a plugin run here
                info = replace(info, state="broken", reason=f"'{info.name}' can't be used: {error}.")
            self._keep(info)

    def missing(self) -> None:
        for name, agreement in self.trust.agreements().items():
            if name not in self.plugins:
                reason = f"The plugin '{name}' is no longer there; put it back, or forget it by removing it."
                title = agreement.title or name
                self.plugins[name] = PluginInfo(name, title, agreement.version, None, "removed", reason)

    def _judged(self, info: PluginInfo) -> PluginInfo:
        agreed = self.trust.agreed(info.name)
        if agreed == info.sha256:
            return replace(info, state="trusted")
        if agreed is None:
            reason = (
                f"'{info.title}' is code that you have not agreed to run. Read it, then agree in the plugin list or "
                f"with 'sensiview plugins trust {info.name}'."
            )
            return replace(info, state="untrusted", reason=reason)
        reason = (
            f"'{info.title}' changed since you agreed to it and was not loaded. If you know why, agree again with "
            f"'sensiview plugins trust {info.name}'."
        )
        return replace(info, state="changed", reason=reason)

    def _models(self, modules: list[ModuleType], package: str | None = None) -> list[Architecture] | None:
        """Return the architectures; None where a function gives them and was not to be called: it may need torch."""
        if not self.with_architectures and any(makes_architectures(module) for module in modules):
            return None
        return [model for module in modules for model in architectures_of(module, package)]

    def _offered(
        self, info: PluginInfo, analyses: list[Analysis[Any]], models: list[Architecture] | None, parts: Parts
    ) -> PluginInfo:
        """Add all that a plugin offers, or nothing of it."""
        if not analyses and models is not None and not models and not parts:
            raise PluginProblem(
                f"'{info.title}' defines no analysis, no architecture, no partition and no generator. Ask its author."
            )
        models = models or []
        keys, model_keys = [a.key for a in analyses], [m.key for m in models]
        for what, offered, taken in (
            ("analysis", keys, [a.key for a in self.catalogue]),
            ("architecture", model_keys, list(self.architectures)),
            ("partition", list(parts.partitions), [*partitions(), *self.catalogue.partitions]),
            ("generator", list(parts.generators), [*generators(), *self.catalogue.generators]),
        ):
            for position, key in enumerate(offered):
                if key in taken or key in offered[:position]:
                    raise PluginProblem(
                        f"'{info.title}' was not loaded: its {what} calls itself '{key}', and there is one of that "
                        "name already. Give it another key, or remove one of the two."
                    )
        for analysis in analyses:
            self.catalogue.add(analysis)
        self.architectures.update({m.key: m for m in models})
        self.catalogue.partitions.update(parts.partitions)
        self.catalogue.generators.update(parts.generators)
        return replace(
            info,
            analyses=tuple(keys),
            architectures=tuple(model_keys),
            partitions=tuple(parts.partitions),
            generators=tuple(parts.generators),
        )

    def _keep(self, info: PluginInfo) -> None:
        """Keep under its name; the second of a name gets a number, so that both are seen and can be removed."""
        name, number = info.name, 2
        while name in self.plugins:
            name, number = f"{info.name}-{number}", number + 1
        self.plugins[name] = replace(info, name=name)


def survey(
    trust: TrustStore | None = None,
    *,
    bundled: Path | None = None,
    user: Path | None = None,
    packages: bool = True,
    with_architectures: bool = False,
) -> Discovery:
    """Look for every analysis and architecture and load what may be loaded. Never fails because of a plugin.

    Parameters
    ----------
    trust : TrustStore
        None reads the user's own.
    bundled, user : Path
        Folders of plugins; None takes those of `sensiview.locations`.
    packages : bool
        Also look at the entry points of installed packages.
    with_architectures : bool
        Also call the functions with which plugins make architectures; they may load torch.
    """
    found = _Survey(trust or TrustStore(), with_architectures=with_architectures)
    found.methods()
    found.folders(bundled or locations.bundled_plugins(), bundled=True)
    found.folders(user or locations.user_plugins(), bundled=False)
    if packages:
        found.packages()
    found.missing()
    notices = (found.trust.notice,) if found.trust.notice else ()
    return Discovery(found.catalogue, found.architectures, tuple(found.plugins.values()), notices)


def _plugin_folders(parent: Path) -> Iterator[Path]:
    try:
        entries = sorted(parent.iterdir())
    except OSError:  # no such folder, or none of ours to read: there are no plugins
        return
    for entry in entries:
        if entry.is_dir() and not entry.name.startswith((".", "_")):
            yield entry


def _described(info: PluginInfo, manifest: Manifest, content: Content) -> PluginInfo:
    return replace(
        info,
        name=manifest.name,
        title=manifest.title,
        version=manifest.version,
        licence=manifest.licence,
        description=manifest.description,
        sha256=content.sha256,
    )
