"""How this program was installed, and which commit of the sources it is made from."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sensiview import __version__

_PACKAGE = Path(__file__).resolve().parent
_KINDS = {"deb": "package (.deb)", "run": "for this user (.run)"}


def installed_as() -> str:
    """Return how and where: ``package (.deb) in /opt/sensiview``, ``checkout in ...``, ``Python package in ...``.

    The installers leave a one-line file ``INSTALLED`` beside a packaged program; unpacked by hand, it has none.
    """
    if getattr(sys, "frozen", False):
        folder = Path(sys.executable).resolve().parent
        return f"{_KINDS.get(_mark(folder), 'program unpacked by hand')} in {folder}"
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        return f"checkout in {_PACKAGE.parent}"
    return f"Python package in {_PACKAGE.parent}"


def commit() -> str:
    """Return the commit that the version names; a release names its tag, which stands for one."""
    found = re.search(r"\+g([0-9a-f]{7,40})", __version__)
    return found[1] if found else f"tag v{__version__}"


def _mark(folder: Path) -> str:
    try:
        return (folder / "INSTALLED").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
