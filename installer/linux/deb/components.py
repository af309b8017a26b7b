"""Prints what a program folder bundles, for Debian's copyright file: python components.py FOLDER

One indented line a component, from the list that the build leaves there; nothing where there is none.
"""

from __future__ import annotations

import sys
from pathlib import Path

# The package beside this file, not one that happens to be installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from sensiview.components import from_json

_LIST = Path("_internal/sensiview/_bundled/resources/licences/components.json")


def lines(program: Path) -> list[str]:
    """Return `` NAME VERSION: LICENCE`` for every component, by name."""
    if not (program / _LIST).is_file():
        return []
    components = from_json((program / _LIST).read_text(encoding="utf-8"))
    texts = (f"{one.name} {one.version}".rstrip() + f": {one.licence}" for one in components)
    # A field of that file ends at a line that is not indented.
    return sorted({" " + " ".join(text.split()) for text in texts}, key=str.casefold)


if __name__ == "__main__":
    # Names of people and places, whatever the locale of the build.
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines(Path(sys.argv[1]))).encode())
