"""A set of images in words and rows: sizes, colours, classes, how it was read, what was noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sensiview.analysis.items import IndexTable
from sensiview.gui.number_text import grouped, memory

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.card import DatasetCard
    from sensiview.datasets.images import ImageSet
    from sensiview.gui.facts_tree import Section

_MOST_FILES = 40
_MOST_CLASSES = 6


def image_headline(card: DatasetCard, *, target: bool = True) -> str:
    """Return one line: images, groups, size, colour, and the classes."""
    groups = len(set(card.extra.get("groups", ())))
    parts = [f"{grouped(card.n_rows)} image{'' if card.n_rows == 1 else 's'}"]
    if groups and groups != card.n_rows:
        parts.append(f"{grouped(groups)} groups")
    parts += [size_text(card), "colour" if card.extra.get("channels") == 3 else "grey"]
    if not target:
        return "  ·  ".join(parts)
    if card.target is None:
        parts.append("no classes")
    elif card.class_counts:
        some = [f"{name} {grouped(count)}" for name, count in list(card.class_counts.items())[:_MOST_CLASSES]]
        more = len(card.class_counts) - len(some)
        classes = ", ".join(some) + (f" and {more} more" if more > 0 else "")
        number = len(card.class_counts)
        parts.append(f"{number} class{'' if number == 1 else 'es'}: {classes}")
    else:
        parts.append(f"target {card.target}, a quantity")
    return "  ·  ".join(parts)


def size_text(card: DatasetCard) -> str:
    """Return the size of the images, or how many different sizes there are."""
    sizes = card.extra.get("sizes", ())
    if len(sizes) == 1:
        height, width = sizes[0]["size"]
        return f"{height} × {width} pixels"
    return f"{len(sizes)} different sizes" if sizes else ""


def image_sections(source: DatasetSource) -> list[Section]:
    """Return notes, sizes, values, files."""
    card = source.card
    notes = [(str(number), note) for number, note in enumerate(card.notes, start=1)]
    sizes = [
        (f"{size['size'][0]} × {size['size'][1]} pixels", f"{grouped(size['count'])} images")
        for size in card.extra.get("sizes", ())
    ]
    columns = [("Classes", card.target or ""), ("Split", str(card.extra.get("split") or ""))]
    values = [
        (f"Black and white of {depth}", f"{pair[0]:g} and {pair[1]:g}")
        for depth, pair in card.reading.get("ranges", {}).items()
    ]
    files = [(one.path.name, f"{one.path.parent}  ·  {memory(one.size)}") for one in source.files[:_MOST_FILES]]
    if len(source.files) > _MOST_FILES:
        files.append(("…", f"and {grouped(len(source.files) - _MOST_FILES)} more"))
    found: list[Section] = [
        ("Notes", notes),
        ("Columns", columns),
        ("Sizes", sizes),
        ("Values", values),
        ("Files", files),
    ]
    return [(title, [(n, v) for n, v in pairs if v]) for title, pairs in found if any(v for _, v in pairs)]


def images_frame(images: ImageSet) -> pd.DataFrame:
    """Return one row per image: name, group, size, colour, and the table's columns."""
    import pandas as pd

    rows: dict[str, Any] = {"image": list(images.names)}
    for first in (images.card.target, images.card.extra.get("split")):
        if first in images.table.columns:
            rows[str(first)] = images.table[first].to_numpy()
    if images.groups != images.names:
        rows["group"] = list(images.groups)
    rows["size"] = [f"{entry.size[0]} × {entry.size[1]}" for entry in images.entries]
    rows["colour"] = ["colour" if entry.channels == 3 else "grey" for entry in images.entries]
    frame = pd.DataFrame(rows)
    for column in images.table.columns:
        if column not in frame.columns:
            frame[column] = images.table[column].to_numpy()
    return frame


def sizes_table(card: DatasetCard) -> IndexTable | None:
    """Return how many images have each size; None where all are alike."""
    import pandas as pd

    sizes = card.extra.get("sizes", ())
    if len(sizes) < 2:
        return None
    frame = pd.DataFrame(
        {
            "size": [f"{one['size'][0]} × {one['size'][1]}" for one in sizes],
            "images": [int(one["count"]) for one in sizes],
        }
    )
    return IndexTable(
        title="Sizes (height × width in pixels)",
        description="How many images have each size, most frequent first. A network's preprocessing makes them one.",
        frame=frame,
        keys=("size",),
        values=("images",),
        units={"images": ""},
    )
