"""Opening a project's images again, and making a set of images in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.cohort_targets import rows_of
from sensiview.datasets.image_card import packed_table
from sensiview.datasets.image_columns import unpack
from sensiview.datasets.image_memory import images_from_arrays
from sensiview.datasets.image_reading import Pixels, Ranges, numbers_of, to_pixels
from sensiview.datasets.images import ImageEntry, ImageSet
from sensiview.datasets.options import ReadingOptions
from sensiview.datasets.participants import read_participants
from sensiview.datasets.presence import changed_files
from sensiview.errors import DataError
from sensiview.files import FileReference, fingerprint, verify

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["images_from_arrays", "images_from_files", "open_images"]


@dataclass(frozen=True)
class _Files:
    card: DatasetCard
    files: tuple[FileReference, ...]


def images_from_files(
    paths: Sequence[Path | str],
    *,
    target: str | None = None,
    labels: Path | str | None = None,
    frames: int | None = None,
    name: str = "",
) -> ImageSet:
    """Open folders and files of images without a project; see `understand_images` for what they may hold.

    Raises
    ------
    DataError
        There is no image, or none can be read.
    """
    from sensiview.datasets.image_understanding import understand_images

    places = [Path(path).expanduser() for path in paths]
    table = Path(labels).expanduser() if labels is not None else None
    found = understand_images(
        places, name=name or places[0].name or "images", target=target, labels=table, frames=frames
    )
    # The table alone is compared by its content when it is read again; of images their size is enough.
    by_content = found.card.reading.get("table", {}).get("file")
    files = tuple(
        fingerprint(path) if place == by_content else FileReference(path=path, size=path.stat().st_size, sha256="")
        for place, path in enumerate(found.files)
    )
    return open_images(_Files(found.card, files))


class ImagesSource(Protocol):
    """What a project keeps of a set of images: its card, and the files."""

    @property
    def card(self) -> DatasetCard:
        """The description made at import."""

    @property
    def files(self) -> Sequence[FileReference]:
        """Image files, then files of labels, in the order that the card's `reading` counts."""


def open_images(source: ImagesSource, *, all_there: bool = True) -> ImageSet:
    """Open a project's images; no pixel is read before it is used.

    That every file is there with its size is checked now, and again for an image's file when it is opened.
    `sensiview.files.verify` compares hashes on request.

    Parameters
    ----------
    source : ImagesSource
    all_there : bool
        Refuse when any file is missing; off: an image whose file is gone raises when it is opened, the others do not.

    Raises
    ------
    DataError
        Files were moved, deleted or changed since import, or the data set is none of images.
    """
    card, files = source.card, source.files
    if card.kind != "images":
        raise DataError(f"'{card.name}' is a data set of {card.kind}, not of images. Choose images.")
    if all_there:
        _check_there(card, files)
    try:
        entries = _entries(card, files)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(
            f"What the project remembers of '{card.name}' is damaged. Add the images again.",
            details=f"{type(error).__name__}: {error}",
        ) from None
    return ImageSet(card, entries, _table(card, files))


def _check_there(card: DatasetCard, files: Sequence[FileReference]) -> None:
    if changed := changed_files(card, files):
        more = f" and {len(changed) - 1:,} more have" if len(changed) > 1 else " has"
        raise DataError(
            f"{changed[0]}{more} changed since the images were added to the project. Results computed from it would "
            "not fit the earlier ones. Put the old file back, or add the images again as another data set."
        )


def _entries(card: DatasetCard, files: Sequence[FileReference]) -> tuple[ImageEntry, ...]:
    known = {name: unpack(packed, card.n_rows) for name, packed in card.reading["images"].items()}
    ranges = {str(depth): (float(pair[0]), float(pair[1])) for depth, pair in card.reading["ranges"].items()}
    names, groups = card.extra["names"], card.extra["groups"]
    return tuple(
        ImageEntry(
            name=str(names[i]),
            group=str(groups[i]),
            size=(int(known["height"][i]), int(known["width"][i])),
            channels=int(known["channels"][i]),
            open=partial(
                _open,
                card,
                files[known["file"][i]],
                known["kind"][i],
                known["depth"][i],
                known["frame"][i],
                known["member"][i],
                (known["channels"][i], known["height"][i], known["width"][i]),
                ranges,
            ),
        )
        for i in range(card.n_rows)
    )


def _open(
    card: DatasetCard,
    file: FileReference,
    kind: str,
    depth: Any,
    frame: int,
    member: str,
    shape: tuple[int, int, int],
    ranges: Ranges,
) -> Pixels:
    _check_there(card, [file])
    pixels = to_pixels(numbers_of(file.path, kind, depth, frame, member), depth, ranges)
    if pixels.shape != shape:
        raise DataError(
            f"{file.path} has changed since it was added to the project: {pixels.shape[2]} x {pixels.shape[1]} pixels "
            f"instead of {shape[2]} x {shape[1]}. Put the old file back, or add the images again."
        )
    return pixels


def _table(card: DatasetCard, files: Sequence[FileReference]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(packed_table(card), index=range(card.n_rows))
    known = card.reading.get("table")
    if known is not None:
        reference = files[known["file"]]
        verify(reference)
        read = read_participants(reference.path, ReadingOptions.from_card(known["options"])).frame
        frame = pd.concat([frame, rows_of(read, unpack(known["rows"], card.n_rows))], axis=1)
    if [str(name) for name in frame.columns] != [column.name for column in card.columns]:
        raise DataError(
            f"The table of '{card.name}' has changed since the images were added: its columns are others. Put the old "
            "file back, or add the images again."
        )
    return frame
