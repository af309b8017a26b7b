"""Running a plugin's code: from the bytes that were hashed, under a name of its own."""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import traceback
from collections.abc import Sequence
from types import CodeType, ModuleType

from sensiview.plugin_loading.content import Content, PluginProblem

# Plugins are packages below this one, so that two of them may both have a module `helper`.
ROOT = "sensiview_plugins"


class _Sources(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds and loads the modules of one plugin, from memory alone."""

    def __init__(self, package: str, content: Content) -> None:
        self.package = package
        self.content = content

    def _file(self, fullname: str) -> str | None:
        """Return the path inside the folder of a module's source, "" for the folder itself."""
        if fullname == self.package:
            return "__init__.py" if "__init__.py" in self.content.sources else ""
        if not fullname.startswith(self.package + "."):
            return None
        stem = fullname[len(self.package) + 1 :].replace(".", "/")
        return next((file for file in (f"{stem}.py", f"{stem}/__init__.py") if file in self.content.sources), None)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a module of this plugin comes from, None for all others."""
        file = self._file(fullname)
        if file is None:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, is_package=self.is_package(fullname))
        spec.origin = str(self.content.folder / file)
        spec.has_location = True
        return spec

    def is_package(self, fullname: str) -> bool:
        """Return whether submodules may follow."""
        file = self._file(fullname)
        return file == "" or (file or "").endswith("__init__.py")

    def get_source(self, fullname: str) -> str:
        """Return the source text, also for tracebacks."""
        file = self._file(fullname)
        return importlib.util.decode_source(self.content.sources[file]) if file else ""

    def get_code(self, fullname: str) -> CodeType:
        """Compile the source; byte code on disk is neither read nor written."""
        file = self._file(fullname) or ""
        return self.source_to_code(self.content.sources.get(file, b""), str(self.content.folder / file))


def load(name: str, module: str, content: Content) -> ModuleType:
    """Return a module of a plugin, imported once per content.

    Parameters
    ----------
    name : str
        The plugin's name; its modules become ``sensiview_plugins.NAME.*``.
    module : str
        Dotted name inside the plugin's folder.

    Raises
    ------
    PluginProblem
        There is no such module, or it raised; the traceback is in `details`.
    """
    package = f"{ROOT}.{name}"
    loaded = next((f for f in sys.meta_path if isinstance(f, _Sources) and f.package == package), None)
    if loaded is not None and loaded.content.sha256 == content.sha256 and f"{package}.{module}" in sys.modules:
        return sys.modules[f"{package}.{module}"]
    _forget(package)
    if ROOT not in sys.modules:
        root = ModuleType(ROOT, "The plugins that SensiView loaded.")
        root.__path__ = []
        sys.modules[ROOT] = root
    finder = _Sources(package, content)
    if finder._file(f"{package}.{module}") is None:
        raise PluginProblem(f"'{content.folder}' has no module '{module}', which its plugin.toml names.")
    sys.meta_path.append(finder)
    try:
        return guarded_import(f"{package}.{module}", name)
    except PluginProblem:
        _forget(package)
        raise


def guarded_import(module: str, plugin: str) -> ModuleType:
    """Import a module whose code is not ours: whatever it raises becomes a sentence.

    What it prints goes to stderr: stdout may carry JSON for another program.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything and must not stop the start
        reason = f"{type(error).__name__}: {error}".strip(": ")
        raise PluginProblem(
            f"'{plugin}' can't be loaded ({reason}). Ask its author, or remove it with 'sensiview plugins remove "
            f"{plugin}'.",
            details=traceback.format_exc(),
        ) from None


def _forget(package: str) -> None:
    """Drop the modules and the finder of an earlier content."""
    sys.meta_path[:] = [f for f in sys.meta_path if not (isinstance(f, _Sources) and f.package == package)]
    for module in [m for m in sys.modules if m == package or m.startswith(package + ".")]:
        del sys.modules[module]
