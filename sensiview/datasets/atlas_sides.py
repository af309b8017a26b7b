"""Left and right in region names, whatever the atlas: ``Precentral_L``, ``Left-Amygdala``, ``ctx-lh-cuneus``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sensiview.errors import UserError, suggestion

_SIDES = {"l": "L", "left": "L", "lh": "L", "r": "R", "right": "R", "rh": "R"}
_PIECES = re.compile(r"[\W_]+")
# RightHippocampus, hippocampusLeft: without a separator, a capital tells where the word ends.
_GLUED = re.compile(r"^(Left|Right)(?=[A-Z])|(?<=[a-z])(Left|Right)$")


def side_of(name: str) -> tuple[str, str]:
    """Return the name without its side, in lower case with single spaces, and ``L``, ``R`` or empty.

    A word ``left``, ``right``, ``lh`` or ``rh`` counts anywhere, the letters ``l`` and ``r`` only as the first or
    the last word. A name that says both sides, or one of them twice, has none.
    """
    spaced = _GLUED.sub(lambda found: f" {found.group()} ", name)
    words = [word for word in _PIECES.split(spaced.lower()) if word]
    last = len(words) - 1
    places = [
        i for i, word in enumerate(words) if word in _SIDES and (len(word) > 1 or i in (0, last)) and len(words) > 1
    ]
    if len(places) != 1:
        return " ".join(words), ""
    side = _SIDES[words[places[0]]]
    return " ".join(word for i, word in enumerate(words) if i != places[0]), side


def mirror(names: Mapping[int, str]) -> dict[int, int]:
    """Return for each label of one side the label of the same structure on the other side.

    Labels without a partner (midline structures, names without a side, several of the same name) are left out.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for label, name in names.items():
        found.setdefault(side_of(name), []).append(label)
    pairs = {}
    for (base, side), labels in found.items():
        others = found.get((base, "R" if side == "L" else "L"), []) if side else []
        if len(labels) == 1 and len(others) == 1:
            pairs[labels[0]] = others[0]
    return pairs


def find_regions(names: Mapping[int, str], wanted: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the labels that each of these names means, in the atlas's order.

    A name counts whatever its case and separators (``hippocampus l`` is ``Hippocampus_L``); without a side it means
    both sides. A label's number as text means that label.

    Raises
    ------
    UserError
        The atlas has no region of that name; the sentence gives the nearest.
    """
    split = {label: side_of(name) for label, name in names.items()}
    found = {}
    for name in wanted:
        text = name.strip()
        base, side = side_of(text)
        labels = [label for label, known in names.items() if known == text]
        labels = labels or [label for label, known in split.items() if known == (base, side) and base]
        if not labels and not side:
            labels = [label for label, (known, _) in split.items() if known == base and base]
        if not labels and text.lstrip("-").isdecimal() and int(text) in names:
            labels = [int(text)]
        if not labels:
            known_bases = {label_base: names[label] for label, (label_base, _) in split.items()}
            near = suggestion(base, list(known_bases))
            for label_base, full in known_bases.items():
                near = near.replace(f"'{label_base}'", f"'{full}'")
            raise UserError(f"The atlas has no region '{text}'.{near}")
        found[text] = tuple(labels)
    return found
