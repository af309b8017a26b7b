"""Whether the files of a project's data set are still where they were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sensiview.datasets.card import DatasetCard
from sensiview.errors import DataError
from sensiview.files import FileReference


def changed_files(card: DatasetCard, files: Sequence[FileReference]) -> list[Path]:
    """Return the files that have another size than at import.

    Raises
    ------
    DataError
        Files are gone.
    """
    gone, changed = [], []
    for reference in files:
        try:
            if reference.path.stat().st_size != reference.size:
                changed.append(reference.path)
        except OSError:
            gone.append(reference.path)
    if gone:
        more = f" and {len(gone) - 1:,} more" if len(gone) > 1 else ""
        raise DataError(
            f"{gone[0]}{more} of '{card.name}' can't be found or read: moved, deleted, or on a drive that is not "
            f"there. Put it back, or add the {card.kind} to the project again from where they lie now."
        )
    return changed
