"""A set of images for the window: opened off the GUI thread, thumbnails and pictures made when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensiview.errors import SensiViewError

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.image_thumbnails import Picture
    from sensiview.datasets.images import ImageSet

THUMBNAIL = 128


@dataclass(frozen=True, eq=False)
class LoadedImages:
    """Images, what tells each one's content from others, and what is wrong with their files."""

    images: ImageSet
    keys: tuple[str, ...]
    problem: SensiViewError | None = None

    def thumbnail(self, index: int) -> Picture | None:
        """Return a small picture; None where the image can't be read. For a background thread."""
        from sensiview.datasets.image_thumbnails import kept_thumbnail

        try:
            return kept_thumbnail(self.images, index, self.keys[index], THUMBNAIL)
        except SensiViewError:
            return None

    def column(self, name: str | None) -> list[str]:
        """Return a column of the table as texts; empty where there is none."""
        from sensiview.datasets.selecting import class_name

        if name is None or name not in self.images.table.columns:
            return [""] * len(self.images)
        return [class_name(value) for value in self.images.table[name].tolist()]


def load_images(source: DatasetSource) -> LoadedImages:
    """Open a project's images. When files are gone, what is left is shown, with the reason.

    Raises
    ------
    DataError
        Nothing of it can be opened.
    """
    from sensiview.datasets.image_columns import unpack
    from sensiview.datasets.image_opening import open_images

    problem: SensiViewError | None = None
    try:
        images = open_images(source)
    except SensiViewError as error:
        problem = error
        images = open_images(source, all_there=False)
    known = {key: unpack(source.card.reading["images"][key], len(images)) for key in ("file", "frame", "member")}
    keys = (
        f"{source.files[file].sha256}:{member}:{frame}"
        for file, frame, member in zip(known["file"], known["frame"], known["member"], strict=True)
    )
    return LoadedImages(images, tuple(keys), problem)
