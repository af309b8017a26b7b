"""Picture files: what their header says, and their pixels, upright, as grey or red, green, blue."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from sensiview.datasets.dicom_header import quietly
from sensiview.datasets.image_kinds import MOST_PIXELS, Depth, ImageFile
from sensiview.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

Array = npt.NDArray[Any]
P = ParamSpec("P")
T = TypeVar("T")
_ORIENTATION = 274
_BITS_PER_SAMPLE = 258
# EXIF orientations that swap height and width.
_SIDEWAYS = (5, 6, 7, 8)
# Other files than PNG and JPEG are decoded at import to see whether they are whole, up to this size.
_TRIED_PIXELS = 4_000_000
_EXIF_TAIL = 1 << 16
_GREY_WITH_ALPHA = ("1", "L", "LA", "La")
_GREY = ("1", "L", "I", "I;16", "I;16B", "I;16L", "I;16N", "F")


@functools.cache
def _pillow() -> Any:
    """Return Pillow without its own limit of pixels, which is a warning first and a traceback later; ours is lower."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    return Image


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    with _pillow().open(path) as picture:
        yield picture


def _sentences(function: Callable[P, T]) -> Callable[P, T]:
    """Whatever Pillow or tifffile raises becomes a sentence about the file, the first argument."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        path = args[0]
        try:
            with quietly():  # codecs warn about metadata that nobody asked for
                return function(*args, **kwargs)
        except DataError:
            raise
        except FileNotFoundError:
            raise DataError(f"{path} can't be found: moved or deleted. Put it back.") from None
        except PermissionError:
            raise DataError(f"{path} can't be read: no permission.") from None
        except MemoryError:
            raise DataError(f"{path} does not fit into memory. Save it smaller.") from None
        except Exception as error:  # noqa: BLE001 - decoders raise almost anything on damaged files
            raise DataError(
                f"{path} is damaged or no image: it can't be decoded. Save or copy it again.",
                details=f"{type(error).__name__}: {error}",
            ) from None

    return wrapped


@_sentences
def picture_header(path: Path, *, check: bool = True) -> ImageFile:
    """Return what a picture file holds.

    Parameters
    ----------
    path : Path
    check : bool
        Also find out whether the file is whole: check sums of a PNG, the end mark of a JPEG, the pixels of others.

    Raises
    ------
    DataError
        It is empty, damaged, no picture, or larger than 100 million pixels.
    """
    size = path.stat().st_size
    if size == 0:
        raise DataError(f"{path} is empty (0 bytes). Copy it again.")
    with _opened(path) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise DataError(
                f"{path} has {width:,} x {height:,} pixels; up to {MOST_PIXELS // 1_000_000} million can be opened. "
                "Save it smaller, or cut the regions of interest out of it."
            )
        turned = _orientation(picture)
        channels, depth = _described(picture)
        remarks = [word for word, yes in _remarks(picture, turned) if yes]
        frames = int(getattr(picture, "n_frames", 1))
        count = frames if picture.format == "TIFF" and _pages_alike(picture, frames) else 1
        if frames > count:
            remarks.append("first_page" if picture.format == "TIFF" else "first_frame")
        # A TIFF is told with its sides as they are after turning.
        sideways = turned in _SIDEWAYS and picture.format != "TIFF"
        if check:
            _check_whole(picture, path, size)
    return ImageFile(
        "picture", (width, height) if sideways else (height, width), channels, count, depth, tuple(remarks)
    )


def _remarks(picture: Image.Image, turned: int) -> tuple[tuple[str, bool], ...]:
    return (
        ("alpha", _has_alpha(picture)),
        ("cmyk", picture.mode in ("CMYK", "LAB", "HSV")),
        ("turned", turned > 1),
    )


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info


def _orientation(picture: Image.Image) -> int:
    """Return the turn that the camera wrote into the file. A PNG that says it behind its pixels is not heard."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return 1
    found = picture.getexif().get(_ORIENTATION, 1)
    return found if isinstance(found, int) and found in range(1, 9) else 1


def _pages_alike(picture: Image.Image, frames: int) -> bool:
    """Whether all pages of a TIFF have one size; the smaller copies of a pyramid are no images of their own."""
    first = picture.size, picture.mode
    alike = True
    for page in range(1, frames):
        picture.seek(page)
        alike = alike and (picture.size, picture.mode) == first
    picture.seek(0)
    return alike


def _described(picture: Image.Image) -> tuple[int, Depth]:
    if picture.mode == "F":
        return 1, "float32"
    if picture.mode.startswith("I;16"):
        return 1, "uint16"
    if picture.mode == "I":
        return 1, "int32"
    # 16 bits per colour: Pillow would cut them to 8.
    bits = _bits(picture)
    if picture.mode in _GREY_WITH_ALPHA:
        return 1, "uint8"
    return 3, "uint16" if bits == 16 else "uint8"


def _bits(picture: Image.Image) -> int:
    if picture.format != "TIFF":
        return 8
    found = picture.tag_v2.get(_BITS_PER_SAMPLE, (8,))  # type: ignore[attr-defined]
    return int(max(found)) if isinstance(found, tuple) else int(found)


def _check_whole(picture: Image.Image, path: Path, size: int) -> None:
    if picture.format == "PNG":
        picture.verify()
        return
    if picture.format == "JPEG":
        with path.open("rb") as stream:
            stream.seek(max(0, size - _EXIF_TAIL))
            if b"\xff\xd9" not in stream.read():
                raise DataError(f"{path} is cut off: the end mark of a JPEG is not there. Copy it again.")
        return
    if picture.size[0] * picture.size[1] <= _TRIED_PIXELS:
        picture.load()


@_sentences
def picture_pixels(path: Path, frame: int, depth: Depth) -> Array:
    """Return the numbers of a picture, upright, (y, x) or (y, x, 3), in the type that `depth` says.

    Parameters
    ----------
    path : Path
    frame : int
        Page of a TIFF, from 0; other files have one.
    depth : str
        As `picture_header` found it.

    Raises
    ------
    DataError
        The file is gone or damaged.
    """
    with _opened(path) as picture:
        if frame:
            picture.seek(frame)
        turned = _orientation(picture)
        if picture.mode not in _GREY and depth == "uint16":
            return _deep_colours(path, frame, turned)
        numbers = np.asarray(plain_picture(picture) if depth == "uint8" else picture)
        return _turn(numbers, 1 if picture.format == "TIFF" else turned)  # Pillow turns TIFF itself


def plain_picture(picture: Image.Image) -> Image.Image:
    """Return a PIL image as grey or red, green, blue; what is transparent lies on black."""
    from PIL import Image

    if not _has_alpha(picture):
        return picture if picture.mode in ("L", "RGB") else picture.convert("L" if picture.mode == "1" else "RGB")
    wanted = "LA" if picture.mode in _GREY_WITH_ALPHA else "RGBA"
    covered = picture.convert(wanted)
    plain = Image.new("L" if wanted == "LA" else "RGB", covered.size)
    plain.paste(covered.convert(plain.mode), mask=covered.getchannel("A"))
    return plain


def _deep_colours(path: Path, frame: int, turned: int) -> Array:
    """Read a TIFF of 16 bits per colour, of which Pillow gives 8."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[frame]
        values = np.asarray(page.asarray())
    if values.ndim == 3 and values.shape[0] in (3, 4) and values.shape[2] not in (3, 4):
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 3 and values.shape[2] == 4:
        values = np.round(values[..., :3] * (values[..., 3:] / np.float32(65535))).astype(np.uint16)
    return _turn(values, turned)


def _turn(values: Array, orientation: int) -> Array:
    """Return an array upright, by EXIF's eight orientations."""
    if orientation in _SIDEWAYS:
        values = np.swapaxes(values, 0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values[:, ::-1] if orientation in (2, 3, 6, 7) else values
