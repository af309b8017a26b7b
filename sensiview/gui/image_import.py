"""What the import dialog of images asks for: looking at files, and adding them; both off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.card import DatasetCard
    from sensiview.datasets.image_understanding import FoundSet
    from sensiview.projects.store import Project


@dataclass(frozen=True, eq=False)
class Found:
    """A set that could be added, one row per image, and what was noticed."""

    set: FoundSet
    frame: pd.DataFrame
    findings: tuple[str, ...]


def look_at_images(
    paths: Sequence[Path], labels: Path | None, frames: int | None, on_progress: Callable[[float], None]
) -> Found:
    """Find out what lies in files and folders.

    Raises
    ------
    DataError
        No image can be read.
    """
    from sensiview.datasets.image_understanding import understand_images

    found = understand_images(paths, name="images", labels=labels, frames=frames, on_progress=on_progress)
    return Found(found, _frame(found), tuple(found.findings))


def _frame(found: FoundSet) -> pd.DataFrame:
    import pandas as pd

    from sensiview.datasets.image_columns import unpack

    card = found.card
    known = {key: unpack(card.reading["images"][key], card.n_rows) for key in ("height", "width", "channels")}
    first = [name for name in (card.target, card.extra.get("split")) if name in found.table.columns]
    frame = pd.DataFrame(
        {
            "image": card.extra["names"],
            **{str(name): found.table[name].to_numpy() for name in first},
            "size": [f"{h} × {w}" for h, w in zip(known["height"], known["width"], strict=True)],
            "colour": ["colour" if c == 3 else "grey" for c in known["channels"]],
        }
    )
    if card.extra["groups"] != card.extra["names"]:
        frame["group"] = card.extra["groups"]
    for column in found.table.columns:
        if column not in frame.columns:
            frame[column] = found.table[column].to_numpy()
    return frame


def card_with_target(found: Found, target: str | None) -> DatasetCard:
    """Return the card with another column of classes.

    Raises
    ------
    DataError
        The column can't hold classes.
    """
    from sensiview.datasets.image_targets import with_target

    return with_target(found.set.card, found.set.table, target)


def add_found(project: Project, found: Found, *, name: str, target: str | None, copy: bool) -> DatasetSource:
    """Add a set to the project, under a name and with a target."""
    card = card_with_target(found, target)
    if name:
        card = card.model_copy(update={"name": name})
    return project.add_dataset(card, found.set.files, copy=copy)
