"""A cohort in words and rows: grids, orientation, how it was read, what was noticed."""

from __future__ import annotations

from sensiview.analysis.sources import DatasetSource
from sensiview.datasets.card import DatasetCard
from sensiview.gui.facts_tree import Section
from sensiview.gui.number_text import grouped, memory, short

_MOST_FILES = 40


def volume_headline(card: DatasetCard, *, target: bool = True) -> str:
    """Return one line: volumes, subjects, grid, and the target unless it is still to be chosen."""
    subjects = len(set(card.extra.get("subjects", ())))
    parts = [f"{grouped(card.n_rows)} volume{'' if card.n_rows == 1 else 's'}"]
    if subjects and subjects != card.n_rows:
        parts.append(f"{grouped(subjects)} subjects")
    parts.append(grid_text(card))
    if target and card.target is None:
        parts.append("no target")
    elif target:
        parts.append(f"target {card.target}: " + ", ".join(f"{n} ({c})" for n, c in card.class_counts.items()))
    if "simulated" in card.extra:
        parts.append("simulated, no patients")
    return "  ·  ".join(parts)


def grid_text(card: DatasetCard) -> str:
    """Return the size of the grid, or how many there are."""
    shape, spacing = card.extra.get("shape"), card.extra.get("spacing")
    if not shape:
        return f"{len(card.extra.get('grids', ()))} different grids"
    text = " × ".join(str(n) for n in shape) + " voxels"
    if spacing:
        sizes = [short(float(s)) for s in spacing]
        text += f" of {sizes[0] if len(set(sizes)) == 1 else ' × '.join(sizes)} mm"
    return text


def volume_sections(source: DatasetSource) -> list[Section]:
    """Return notes, grids, files."""
    card = source.card
    notes = [(str(number), note) for number, note in enumerate(card.notes, start=1)]
    grids = [
        (f"Grid {number}", f"{' × '.join(map(str, g.get('shape', ())))} voxels, {g.get('count', '?')} volumes")
        for number, g in enumerate(card.extra.get("grids", ()), start=1)
    ]
    geometry = [("Orientation of the voxel axes", str(card.extra.get("orientation", ""))), *grids]
    files = [(path.path.name, f"{path.path.parent}  ·  {memory(path.size)}") for path in source.files[:_MOST_FILES]]
    if len(source.files) > _MOST_FILES:
        files.append(("…", f"and {len(source.files) - _MOST_FILES} more"))
    statistics = [(name, _text(value)) for name, value in (card.extra.get("statistics") or {}).items()]
    found: list[Section] = [("Notes", notes), ("Geometry", geometry), ("Values", statistics), ("Files", files)]
    folds = card.extra.get("folds")
    if isinstance(folds, dict):
        found.insert(2, ("Folds", [("Kept folds", f"{folds.get('k')} folds by subject, seed {folds.get('seed')}")]))
    return [(title, [(n, v) for n, v in pairs if v]) for title, pairs in found if pairs]


def _text(value: object) -> str:
    return short(float(value)) if isinstance(value, int | float) else str(value)
