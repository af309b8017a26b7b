"""Images from a notebook: arrays, tensors, PIL images and paths as a set."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.describing import column_card
from sensiview.datasets.image_arrays import channels_first, depth_of
from sensiview.datasets.image_kinds import ImageFile, kind_of
from sensiview.datasets.image_reading import extent, file_header, numbers_of, range_of_numbers, to_pixels
from sensiview.datasets.image_targets import with_target
from sensiview.datasets.images import ImageEntry, ImageSet, Pixels
from sensiview.datasets.selecting import class_name
from sensiview.errors import DataError, UserError

Array = npt.NDArray[Any]


def is_image(one: Any) -> bool:
    """Whether it is a PIL image, the path of an image file, or an array or tensor of two or three axes."""
    if _is_pil(one):
        return True
    if isinstance(one, str | Path):
        try:
            return kind_of(Path(one).expanduser()) in ("picture", "dicom", "video")
        except OSError:
            return False
    return (isinstance(one, np.ndarray) or hasattr(one, "detach")) and one.ndim in (2, 3)


def _is_pil(one: Any) -> bool:
    return hasattr(one, "convert") and hasattr(one, "getbands") and hasattr(one, "size")


def images_from_arrays(
    data: Any,
    *,
    labels: Sequence[Any] | None = None,
    class_names: Sequence[str] = (),
    names: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    name: str = "images",
) -> ImageSet:
    """Make a set of images.

    Parameters
    ----------
    data : list, array or tensor
        PIL images, paths of image files, arrays (y, x), (y, x, channels) or (channels, y, x), tensors; or one array or
        tensor of many: (n, y, x), (n, y, x, channels) or (n, channels, y, x) with 1, 3 or 4 channels. Tensors and
        arrays of fractions keep their values (``card.extra["range"]`` is [0, 1] where they fit into it, else what
        occurs: a tensor that is standardised already stays so); bytes are divided by 255, 16 bits by 65,535 (of
        detectors of 12 and 14 bits by their largest number), files as in a project.
    labels : sequence, optional
        The class of each image: names, or numbers that count `class_names` (or are names themselves).
    names, groups : sequence of str, optional
        What each is called and belongs to.
    name : str
        Of the set.

    Raises
    ------
    UserError, DataError
        Not images, labels or names of another number, or a file that can't be read.
    """
    opened = [_opened(one) for one in _separate(data)]
    if not opened:
        raise UserError("There is no image in the data.")
    fractions = [values for file, values in opened if file.depth == "float32" and values is not None]
    span = _span(fractions)
    ranges = _ranges(opened)
    n = len(opened)
    known = list(names) if names is not None else _names(data, n)
    if len(known) != n or len(set(known)) != n:
        raise UserError(f"Every image needs a name of its own: there are {n:,} images and {len(set(known)):,} names.")
    entries = tuple(
        ImageEntry(
            str(known[i]),
            str(groups[i]) if groups is not None else str(known[i]),
            file.size,
            file.channels,
            _opener(file, values, _paths(data)[i] if values is None else None, span, ranges),
        )
        for i, (file, values) in enumerate(opened)
    )
    return _set(entries, labels, class_names, name, span)


def _set(
    entries: tuple[ImageEntry, ...],
    labels: Sequence[Any] | None,
    class_names: Sequence[str],
    name: str,
    span: tuple[float, float],
) -> ImageSet:
    import pandas as pd

    columns: dict[str, list[Any]] = {}
    if labels is not None:
        given = labels.tolist() if hasattr(labels, "tolist") else list(labels)
        if len(given) != len(entries):
            raise UserError(f"There are {len(given):,} labels for {len(entries):,} images. Give one for each.")
        columns["class"] = [_label(value, class_names) for value in given]
    table = pd.DataFrame(columns, index=range(len(entries)))
    sizes: dict[tuple[int, int], int] = {}
    for entry in entries:
        sizes[entry.size] = sizes.get(entry.size, 0) + 1
    channels = [entry.channels for entry in entries]
    card = DatasetCard(
        name=name,
        kind="images",
        n_rows=len(entries),
        columns=tuple(column_card(str(label), values) for label, values in table.items()),
        reading={"class_order": [str(one) for one in class_names]} if class_names else {},
        extra={
            "names": [entry.name for entry in entries],
            "groups": [entry.group for entry in entries],
            "channels": max(set(channels), key=channels.count),
            "sizes": [
                {"size": list(size), "count": count} for size, count in sorted(sizes.items(), key=lambda pair: -pair[1])
            ],
            "range": list(span),
        },
    )
    if "class" in columns:
        card = with_target(card, table, "class")
    return ImageSet(card, entries, table)


def _label(value: Any, class_names: Sequence[str]) -> str | None:
    text = class_name(value)
    if text.isdecimal() and int(text) < len(class_names) and text not in class_names:
        return str(class_names[int(text)])
    return text or None


def _separate(data: Any) -> list[Any]:
    if hasattr(data, "detach"):
        # Torch puts channels first; what follows knows it from the axis where both orders are possible.
        return list(data) if data.ndim == 4 or (data.ndim == 3 and data.shape[0] not in (1, 3)) else [data]
    if isinstance(data, np.ndarray):
        if data.ndim == 2 or (data.ndim == 3 and data.shape[2] in (3, 4)):
            return [data]
        if data.ndim in (3, 4):
            return list(data)
        raise UserError(
            f"An array of {data.ndim} axes is no set of images. Give (n, channels, y, x), (n, y, x, channels) or "
            "(n, y, x)."
        )
    return [data] if _is_pil(data) or isinstance(data, str | Path) else list(data)


def _opened(one: Any) -> tuple[ImageFile, Array | None]:
    if isinstance(one, str | Path):
        path = Path(one).expanduser()
        try:
            kind = kind_of(path)
        except OSError as error:
            raise DataError(f"{path} can't be read ({error.strerror or error}). Check its name.") from None
        if kind not in ("picture", "dicom", "video"):
            raise DataError(f"{path} is no image file that can be read.")
        return file_header(path, kind), None
    if _is_pil(one):
        one = _from_pil(one)
    tensor = hasattr(one, "detach")
    if tensor:
        one = one.detach().cpu().numpy()
    if not isinstance(one, np.ndarray) or one.ndim not in (2, 3) or one.dtype.kind not in "uifb" or not one.size:
        raise UserError(
            f"{type(one).__name__} is no image. Give PIL images, paths, or arrays (y, x), (y, x, channels) or "
            "(channels, y, x)."
        )
    values = np.moveaxis(one, 0, -1) if one.ndim == 3 and channels_first(one.shape, tensor=tensor) else one
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    if values.ndim == 3 and values.shape[2] not in (3, 4):
        shape = " x ".join(map(str, one.shape))
        raise UserError(f"An image of shape {shape} has no axis of 1, 3 or 4 channels. Give (y, x, channels).")
    size = int(values.shape[0]), int(values.shape[1])
    return ImageFile("array", size, 1 if values.ndim == 2 else 3, depth=depth_of(values.dtype)), values


def _from_pil(picture: Any) -> Array:
    """Return a PIL image's numbers, upright, grey or colour."""
    from PIL import ImageOps

    from sensiview.datasets.image_pictures import plain_picture

    upright = ImageOps.exif_transpose(picture)
    if upright.mode in ("F", "I") or upright.mode.startswith("I;16"):
        return np.asarray(upright)
    return np.asarray(plain_picture(upright))


def _span(fractions: Sequence[Array]) -> tuple[float, float]:
    """Return the valid range of arrays of fractions: [0, 1], or what occurs where they leave it."""
    extents = [extent(values) for values in fractions]
    low, high = min((e[0] for e in extents), default=0.0), max((e[1] for e in extents), default=1.0)
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


def _ranges(opened: Sequence[tuple[ImageFile, Array | None]]) -> dict[str, tuple[float, float]]:
    ranges = {}
    for depth in ("uint16", "int32"):
        extents = [extent(values) for file, values in opened if file.depth == depth and values is not None]
        if extents:
            ranges[depth], _ = range_of_numbers(depth, min(e[0] for e in extents), max(e[1] for e in extents))
    return ranges


def _opener(
    file: ImageFile, values: Array | None, path: Path | None, span: tuple[float, float], ranges: dict[str, Any]
) -> Any:
    if values is None:
        assert path is not None
        return partial(_from_file, path, file, ranges)
    if file.depth == "float32":
        return partial(_as_given, values)
    return partial(_brought, values, file.depth, ranges, span)


def _from_file(path: Path, file: ImageFile, ranges: dict[str, Any]) -> Pixels:
    numbers = numbers_of(path, file.kind, file.depth, 0)
    if file.depth not in ("uint8", "unit"):
        ranges = {file.depth: range_of_numbers(file.depth, *extent(numbers))[0]}
    return to_pixels(numbers, file.depth, ranges)


def _as_given(values: Array) -> Pixels:
    rows = values.astype(np.float32)
    if rows.ndim == 3 and rows.shape[2] == 4:
        rows = rows[..., :3] * rows[..., 3:]
    return np.ascontiguousarray(rows[None] if rows.ndim == 2 else np.moveaxis(rows, 2, 0))


def _brought(values: Array, depth: str, ranges: dict[str, Any], span: tuple[float, float]) -> Pixels:
    pixels = to_pixels(values, depth, ranges)
    return pixels if span == (0.0, 1.0) else np.float32(span[0]) + pixels * np.float32(span[1] - span[0])


def _paths(data: Any) -> list[Path]:
    many = [data] if isinstance(data, str | Path) else list(data)
    return [Path(one).expanduser() if isinstance(one, str | Path) else Path() for one in many]


def _names(data: Any, count: int) -> list[str]:
    names = [path.name for path in _paths(data)] if isinstance(data, str | Path | list | tuple) else []
    if names and all(names) and len(set(names)) == count:
        return names
    width = len(str(count - 1))
    return [f"image {number:0{width}d}" for number in range(count)]
