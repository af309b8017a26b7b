"""What a job that makes a data set leaves in its run's folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sensiview.datasets.card import DatasetCard
from sensiview.errors import DataError
from sensiview.files import write_atomically

VOLUMES = "volumes"
_FILE = "dataset.json"


def write_prepared(directory: Path, card: DatasetCard, files: Sequence[Path]) -> None:
    """Say which files below `directory` make up the new data set, in the order that the card's ``reading`` counts."""
    relative = [path.relative_to(directory).as_posix() for path in files]
    text = json.dumps({"card": card.model_dump(mode="json"), "files": relative})
    write_atomically(directory / _FILE, lambda stream: stream.write(text.encode("utf-8")))


def read_prepared(directory: Path) -> tuple[DatasetCard, list[Path]]:
    """Return the card and the files of the data set that a job made.

    Raises
    ------
    DataError
        They are not there.
    """
    path = directory / _FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return DatasetCard.model_validate(values["card"]), [directory / name for name in values["files"]]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} can't be read. Run the job again.", details=str(error)) from None
