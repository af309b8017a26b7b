"""SensiView shows what a neural network is sensitive to.

``sensiview.analyse(key, model, data)`` runs one analysis without a project;
``sensiview.load(project)`` gives the data sets, models, runs and results of a project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensiview.api import analyse, load

try:
    # Written from the git tag when the package is installed or built.
    from sensiview._version import __version__
except ModuleNotFoundError:
    __version__ = "0.1.0"  # the sources alone, never installed
__all__ = ["__version__", "analyse", "load"]


def __getattr__(name: str) -> Any:
    # Lazy, so that the window opens without pandas and the notebook functions cost nothing until used.
    if name in ("analyse", "load"):
        from sensiview import api

        return getattr(api, name)
    raise AttributeError(f"module 'sensiview' has no attribute {name!r}")
