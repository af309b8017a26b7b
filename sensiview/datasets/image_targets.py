"""The column of a set of images that holds the classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.describing import listed
from sensiview.datasets.selecting import class_name
from sensiview.errors import DataError, suggestion

if TYPE_CHECKING:
    import pandas as pd

MOST_CLASSES = 1000
# More different numbers than this are a quantity.
_MOST_NUMBERS = 100
# From this share of labels that occur once on, in more than a few images, no class has examples.
_OWN, _FEW = 0.9, 10
_ABOUT_TARGET = ("Without a label in '", "All images are of one class", "Nearly every image has a label of its own")


def with_target(card: DatasetCard, table: pd.DataFrame, column: str | None) -> DatasetCard:
    """Return the card with another target column (None: none) and its class counts.

    Classes stand in the order of their numbers where the data have one (MNIST, CIFAR), else by name, numbers before
    words. A single class is allowed: its images can be looked at and explained. The card's notes say so, and how many
    images have no label.

    Parameters
    ----------
    card : DatasetCard
        Of images.
    table : DataFrame
        One row per image, as `ImageSet.table`.

    Raises
    ------
    DataError
        There is no such column, it is empty, has more different values than a network has classes, or names the files.
    """
    notes = tuple(note for note in card.notes if not note.startswith(_ABOUT_TARGET))
    if column is None:
        return card.model_copy(update={"target": None, "class_counts": {}, "notes": notes})
    names = [str(name) for name in table.columns]
    if not names:
        raise DataError(
            f"'{card.name}' has no classes. Put the images of each class into a folder of its own, or add a table with "
            "their paths and labels."
        )
    if column not in names:
        raise DataError(f"The images have no column '{column}'.{suggestion(column, names)}")
    values = table[column].tolist()
    order = card.reading.get("class_order", ()) if column == "class" else ()
    counts = count_classes(values, order)
    if not counts:
        raise DataError(f"The column '{column}' is empty for all images. Choose another column.")
    kind = card.column(column).kind
    if kind in ("number", "integer") and len(counts) > _MOST_NUMBERS:
        return card.model_copy(update={"target": column, "class_counts": {}, "notes": notes})
    files = {str(name) for name in card.extra.get("names", ())}
    if len(counts) > MOST_CLASSES or (len(counts) > 1 and files.issuperset(counts)):
        raise DataError(
            f"The column '{column}' has {len(counts):,} different values for {len(values):,} images: names or notes "
            "rather than classes. Choose another column."
        )
    if len(values) > _FEW and len(counts) > _OWN * len(values):
        notes = (
            *notes,
            f"Nearly every image has a label of its own in '{column}': a network that knows these classes can be "
            "explained on them, but none can be trained; if they are names rather than classes, choose another column.",
        )
    if len(counts) == 1:
        only = next(iter(counts))
        notes = (
            *notes,
            f"All images are of one class ({only}): they can be explained, but a network can't be trained on them.",
        )
    lacking = [place for place, value in enumerate(values) if not class_name(value)]
    if lacking:
        known = card.extra.get("names", ())
        some = listed((str(known[place]) for place in lacking if place < len(known)), 3)
        count = "1 image" if len(lacking) == 1 else f"{len(lacking):,} images"
        notes = (*notes, f"Without a label in '{column}': {count} ({some}); not used for training and accuracy.")
    return card.model_copy(update={"target": column, "class_counts": counts, "notes": notes})


def count_classes(values: Sequence[Any], order: Sequence[str] = ()) -> dict[str, int]:
    """Return how often each class occurs, missing ones left out: in this order, then by name, numbers first."""
    counts = Counter(class_name(value) for value in values)
    counts.pop("", None)
    first = [name for name in order if name in counts]
    return {name: counts[name] for name in [*first, *sorted(set(counts) - set(first), key=_natural)]}


def _natural(name: str) -> tuple[bool, float, str]:
    return (False, float(name), name) if name.isdecimal() else (True, 0.0, name)
