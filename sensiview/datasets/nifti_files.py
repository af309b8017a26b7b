"""Files of NIfTI volumes: which belong together, what they are called, and sentences when they can't be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sensiview.errors import DataError

# Longest first: a name is cut at the first that fits.
ENDINGS = (".nii.gz", ".hdr.gz", ".img.gz", ".nii", ".hdr", ".img")
_ENDING = re.compile("(" + "|".join(re.escape(ending) for ending in ENDINGS) + ")$", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Pair:
    """The file with the header and the one with the voxels: the same for .nii, None when it is not there."""

    header: Path
    image: Path | None


def is_volume_name(path: Path) -> bool:
    """Whether the name is that of a NIfTI file: .nii, .hdr, .img, each also with .gz."""
    return _ENDING.search(path.name) is not None


def volume_stem(path: Path) -> str:
    """Return the name without .nii.gz or the like."""
    return _ENDING.sub("", path.name)


def shown_name(path: Path) -> str:
    """Return the name for people and for JSON: bytes that are no text become question marks."""
    return path.name.encode("utf-8", "replace").decode("utf-8")


def header_and_image(path: Path) -> Pair:
    """Return the header and the image of a volume, which may be named by either.

    Raises
    ------
    DataError
        The file is missing, a folder, empty or unreadable; an .img has no .hdr beside it.
    """
    _check(path)
    ending = path.name[len(volume_stem(path)) :].lower()
    if ending.startswith(".img"):
        header = _beside(path, "hdr")
        if header is None:
            raise DataError(
                f"{path} has no header: {volume_stem(path)}.hdr does not lie beside it, and without it neither size "
                "nor orientation is known. Put it there."
            )
        _check(header)
        return Pair(header, path)
    if ending.startswith(".hdr"):
        image = _beside(path, "img")
        if image is not None:
            _check(image)
        return Pair(path, image)
    return Pair(path, path)


def _beside(path: Path, other: str) -> Path | None:
    stem = volume_stem(path)
    for ending in (f".{other}", f".{other}.gz", f".{other.upper()}"):
        candidate = path.with_name(stem + ending)
        if candidate.is_file():
            return candidate
    return None


def is_compressed(path: Path) -> bool:
    """Whether the content is gzip's; what the file is called does not matter.

    Raises
    ------
    DataError
        It can't be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(2) == _GZIP
    except OSError as error:
        raise unreadable_volume(path, error) from None


def _check(path: Path) -> None:
    if not _is_text(path):
        raise DataError(
            f"The name {str(path)!a} holds bytes that are no text, so that a project can't remember it. Rename "
            "the file or its folder."
        )
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder. Choose the volume inside it, or add the whole folder as volumes.")
        size = path.stat().st_size
        if not path.is_file():
            raise DataError(f"{path} is not a file that holds data. Choose a NIfTI file (.nii, .nii.gz).")
        with path.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise unreadable_volume(path, error) from None
    except ValueError:  # a NUL in the name
        raise DataError(f"{str(path)!r} is not the name of a file. Check the name.") from None
    if size == 0:
        raise DataError(f"{path} is empty (0 bytes). Copy or download it again.")


def _is_text(path: Path) -> bool:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def unreadable_volume(path: Path, error: OSError) -> DataError:
    """Return the sentence for a file that the system refuses to read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return DataError(f"There is no file {path}. Check its name and folder.")
    if isinstance(error, PermissionError):
        return DataError(
            f"{path} can't be read: no permission. Ask for the right to read it, or copy it to a folder of yours."
        )
    reason = error.strerror or type(error).__name__
    return DataError(f"{path} can't be read ({reason}). Check the drive or network folder it lies on.")
