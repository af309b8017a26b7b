"""One plugin, in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

State = Literal["bundled", "trusted", "untrusted", "changed", "broken", "removed"]


@dataclass(frozen=True)
class PluginInfo:
    """One plugin, as lists and the trust dialog show it.

    Attributes
    ----------
    state : str
        ``bundled`` comes with SensiView; ``trusted`` is loaded; ``untrusted`` waits for the user; ``changed`` is
        not what the user agreed to; ``broken`` can't be used; ``removed`` was agreed to and is no longer there.
    reason : str
        A sentence for every state but ``bundled`` and ``trusted``.
    details : str
        The traceback of a broken plugin.
    analyses, architectures, partitions, generators : tuple of str
        Keys of what was loaded.
    """

    name: str
    title: str
    version: str
    path: Path | None
    state: State
    reason: str = ""
    analyses: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()
    description: str = ""
    licence: str = ""
    sha256: str = ""
    kind: Literal["method", "bundled", "folder", "package"] = "folder"
    details: str = field(default="", repr=False)
