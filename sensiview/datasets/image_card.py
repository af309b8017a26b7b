"""From rows of images to the card that a project keeps, and back to the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.describing import column_card, listed
from sensiview.datasets.image_columns import pack, unpack
from sensiview.datasets.image_rows import ImageRow
from sensiview.datasets.image_tables import GROUP_WORDS, SPLIT_WORDS, ImageTable, column_called, likely_target
from sensiview.datasets.image_targets import count_classes, with_target

if TYPE_CHECKING:
    import pandas as pd

_MOST_SIZES = 50
_MOST_PARTS = 10
_DONE = {
    "alpha": "{what} transparent pixels: laid on black.",
    "cmyk": "{what} another colour space (CMYK, LAB or HSV): converted to red, green, blue without a colour profile.",
    "turned": "{what} a turn that the camera wrote into the file: shown and used upright.",
    "first_frame": "{what} several frames (GIF, WebP, PNG): the first is used.",
    "first_page": "{what} pages of different sizes or kinds (a pyramid, a preview): the first is used.",
    "inverted": "{what} MONOCHROME1 as photometric interpretation: inverted, so that high is bright.",
}


def make_image_card(
    name: str,
    rows: Sequence[ImageRow],
    files: Sequence[Path],
    *,
    table: pd.DataFrame,
    from_file: ImageTable | None,
    ranges: Mapping[str, Sequence[float]],
    class_order: Sequence[str],
    notes: Sequence[str],
) -> DatasetCard:
    """Return the card of images, without a target.

    Parameters
    ----------
    rows : sequence of ImageRow
        Named, grouped, with their own columns.
    files : sequence of Path
        In the order in which the project stores them.
    table : DataFrame
        One row per image: their own columns, then those of the file.
    from_file : ImageTable, optional
        The table that came along.
    ranges : mapping
        Black and white of each kind of number; see `sensiview.datasets.image_reading.to_pixels`.
    class_order : sequence of str
        Class names in the order of the data's own numbers; empty where there is none.
    """
    places = {path: place for place, path in enumerate(files)}
    reading: dict[str, Any] = {
        "images": {
            "file": pack([places[row.path] for row in rows]),
            "kind": pack([row.file.kind for row in rows]),
            "member": pack([row.file.member for row in rows]),
            "frame": pack([row.frame for row in rows]),
            "height": pack([row.file.size[0] for row in rows]),
            "width": pack([row.file.size[1] for row in rows]),
            "channels": pack([row.file.channels for row in rows]),
            "depth": pack([row.file.depth for row in rows]),
        },
        "ranges": {depth: list(pair) for depth, pair in ranges.items()},
        "columns": {key: pack([row.columns.get(key) for row in rows]) for key in own_columns(rows)},
    }
    if class_order:
        reading["class_order"] = list(class_order)
    if from_file is not None:
        reading["table"] = {
            "file": places[from_file.table.path],
            "options": from_file.table.options.to_json(),
            "rows": pack([row.table_row for row in rows]),
        }
    sizes = Counter(row.file.size for row in rows)
    channels = Counter(row.file.channels for row in rows)
    card = DatasetCard(
        name=name,
        kind="images",
        n_rows=len(rows),
        columns=tuple(column_card(str(label), values) for label, values in table.items()),
        reading=reading,
        notes=tuple(dict.fromkeys([*notes, *_about(rows, sizes, channels)])),
        extra={
            "names": [row.name for row in rows],
            "groups": [row.group for row in rows],
            "channels": channels.most_common(1)[0][0],
            "sizes": [{"size": list(size), "count": count} for size, count in sizes.most_common(_MOST_SIZES)],
            "range": [0.0, 1.0],
            "candidates": _candidates(table),
        },
    )
    split = column_called(table, SPLIT_WORDS, repeats=False)
    if not split:
        return card
    parts = count_classes(table[split].tolist())
    extra = {**card.extra, "split": split}
    if len(parts) > _MOST_PARTS:
        return card.model_copy(update={"extra": extra})
    told = ", ".join(f"{name} {count:,}" for name, count in parts.items())
    return card.model_copy(update={"extra": extra, "notes": (*card.notes, f"Split by '{split}': {told}.")})


def own_columns(rows: Sequence[ImageRow]) -> list[str]:
    """Return the names of the columns that the images have by themselves, in the order in which they came."""
    return list(dict.fromkeys(key for row in rows for key in row.columns))


def packed_table(card: DatasetCard) -> dict[str, list[Any]]:
    """Return the columns that stand in the card itself."""
    return {str(key): unpack(packed, card.n_rows) for key, packed in card.reading.get("columns", {}).items()}


def _about(rows: Sequence[ImageRow], sizes: Counter[tuple[int, int]], channels: Counter[int]) -> list[str]:
    said = []
    if len(sizes) > 1:
        heights, widths = sorted(h for h, _ in sizes), sorted(w for _, w in sizes)
        said.append(
            f"{len(sizes):,} different sizes, from {heights[0]} to {heights[-1]} pixels high and {widths[0]} to "
            f"{widths[-1]} wide: a network's preprocessing brings them to one."
        )
    if len(channels) > 1:
        said.append(
            f"{channels[3]:,} images are in colour and {channels[1]:,} are grey: a network's preprocessing converts "
            "them."
        )
    tiny = [row.name for row in rows if min(row.file.size) < 8]
    if tiny and len(tiny) < len(rows):
        said.append(f"Smaller than 8 pixels on a side: {listed(tiny, 5)}.")
    marks: dict[str, dict[Path, int]] = {}
    for row in rows:
        for mark in row.file.remarks:
            marks.setdefault(mark, {})[row.path] = row.file.count
    for mark, found in marks.items():
        if mark in _DONE:
            count = len(found) if mark != "alpha" else max(len(found), sum(found.values()))
            said.append(_DONE[mark].format(what="1 image has" if count == 1 else f"{count:,} images have"))
    return said


def _candidates(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return which columns may be the target, groups, and splits; the likeliest first."""
    target, groups = likely_target(table), column_called(table, GROUP_WORDS)
    split = column_called(table, SPLIT_WORDS, repeats=False)
    few = [str(name) for name in table.columns if 2 <= table[name].nunique() <= max(2, len(table) // 3)]
    others = [name for name in few if name not in (target, split, groups)]
    return {
        "target": [*([target] if target else []), *others],
        "groups": [*([groups] if groups else []), *others],
        "folds": [split] if split else [],
    }


def with_likely_target(card: DatasetCard, table: pd.DataFrame) -> DatasetCard:
    """Return the card with the column of the classes as target, where a column is called so and can be it."""
    from sensiview.errors import DataError

    likely = likely_target(table)
    if likely is None:
        return card
    try:
        return with_target(card, table, likely)
    except DataError:
        return card
