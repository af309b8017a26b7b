"""Images of arrays with what lies beside them: labels, class names and splits of NumPy, IDX and CIFAR files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from sensiview.datasets.cohort_files import FileFinding
from sensiview.datasets.image_arrays import (
    cifar_images,
    cifar_labels,
    describe_array,
    idx_array,
    images_in,
    member,
    members,
)
from sensiview.datasets.image_kinds import Kind
from sensiview.datasets.image_rows import ImageRow, evenly
from sensiview.datasets.image_search import FoundImages
from sensiview.errors import DataError

Array = npt.NDArray[Any]
_IMAGE_WORDS = ("images", "image", "x", "data", "imgs", "pixels", "arr_0", "")
_LABEL_WORDS = ("labels", "label", "y", "targets", "target", "classes", "class")
_NAME_WORDS = ("names", "class_names", "label_names", "classnames", "classes")
_SPLIT_OF = {"train": "train", "test": "test", "t10k": "test", "val": "validation", "valid": "validation"}
_SPLIT_WORD = re.compile(r"(?<![a-z0-9])(train|test|t10k|valid|val)(?![a-z0-9])")


@dataclass(frozen=True)
class Labelled:
    """Images of arrays, class names in the order of their numbers (empty where unknown), and the files of labels."""

    rows: list[ImageRow]
    class_names: tuple[str, ...]
    label_files: tuple[Path, ...]


def rows_of_arrays(found: FoundImages, frames: int | None, findings: list[FileFinding]) -> Labelled:
    """Return the images of all array files, with class and split where these are known.

    A file that can't be read is left out, with a finding of severity ``error``.
    """
    rows: list[ImageRow] = []
    names: tuple[str, ...] = ()
    label_files: list[Path] = []
    for path, root, kind in found.files:
        try:
            if kind == "array":
                added, named = _numpy(path, root, frames, findings)
                names = names or named
            elif kind == "idx":
                added, used = _idx(path, root, found.label_files, frames, findings)
                label_files += used
            elif kind == "cifar":
                added = _rows(path, root, cifar_images(path), kind, "", frames)
                _label(added, cifar_labels(path), _split_of(path.name), path.name, findings)
                names = names or _names_in(found.class_names)
                label_files += found.class_names
            else:
                continue
        except DataError as error:
            findings.append(FileFinding(path, error.sentence, "error"))
            continue
        rows += added
    known = list(names)
    for row in rows:
        label = row.columns.get("class")
        if isinstance(label, int):
            row.columns["class"] = known[label] if 0 <= label < len(known) else str(label)
    return Labelled(rows, names, tuple(dict.fromkeys(label_files)))


def _names_in(files: Sequence[Path]) -> tuple[str, ...]:
    if not files:
        return ()
    text = files[0].read_text(encoding="utf-8", errors="replace")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _rows(path: Path, root: Path, images: Array, kind: Kind, name: str, frames: int | None) -> list[ImageRow]:
    file = describe_array(images, kind, name)
    chosen = range(file.count) if frames is None else evenly(file.count, frames)
    return [ImageRow(path, root, file, index) for index in chosen]


def _numpy(
    path: Path, root: Path, frames: int | None, findings: list[FileFinding]
) -> tuple[list[ImageRow], tuple[str, ...]]:
    shapes = members(path)
    pictures = _image_members(shapes)
    if not pictures:
        have = ", ".join(f"{name or 'the array'} {' x '.join(map(str, shape))}" for name, shape in shapes.items())
        raise DataError(
            f"{path} has no array of images (it has: {have or 'nothing'}). Images are (n, y, x), (n, y, x, channels) "
            "or (n, channels, y, x), best called 'images', with their classes as 'labels'."
        )
    rows: list[ImageRow] = []
    for name in pictures:
        images = images_in(member(path, name), f"{path}{f' ({name})' if name else ''}")
        added = _rows(path, root, images, "array", name, frames)
        label = _labels_for(name, shapes, shapes[name][0])
        split = _split_of(name) or _split_of(path.name)
        _label(added, None if label is None else member(path, label), split, path.name, findings)
        rows += added
    return rows, _class_names(path, shapes)


def _image_members(shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """Return the arrays that are images: by their names, else all of three or four axes."""
    large = [name for name, shape in shapes.items() if len(shape) in (3, 4) or (len(shapes) == 1 and len(shape) == 2)]
    named = [name for name in large if _without_split(name) in _IMAGE_WORDS]
    return named or large


def _without_split(name: str) -> str:
    return re.sub(r"(^|_)(train|test|val|valid)(_|$)", "", name.lower()) if name else ""


def _labels_for(images: str, shapes: dict[str, tuple[int, ...]], count: int) -> str | None:
    """Return the array of the labels; one of another length where there is no other, so that it is told of."""
    split = _split_of(images)
    named = [
        name
        for name, shape in shapes.items()
        if len(shape) in (1, 2) and _without_split(name) in _LABEL_WORDS and _split_of(name) == split and name != images
    ]
    return next((name for name in named if shapes[name][0] == count), named[0] if named else None)


def _class_names(path: Path, shapes: dict[str, tuple[int, ...]]) -> tuple[str, ...]:
    for word in _NAME_WORDS:
        if word in shapes and len(shapes[word]) == 1:
            values = member(path, word)
            if values.dtype.kind in "US":
                return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values.tolist())
    return ()


def _idx(
    path: Path, root: Path, label_files: Sequence[Path], frames: int | None, findings: list[FileFinding]
) -> tuple[list[ImageRow], list[Path]]:
    images = images_in(idx_array(path), str(path))
    added = _rows(path, root, images, "idx", "", frames)
    wanted = re.sub(r"images[-.]idx\d", "", path.name.removesuffix(".gz"))
    used = [f for f in label_files if re.sub(r"labels[-.]idx\d", "", f.name.removesuffix(".gz")) == wanted]
    if not used and len(label_files) == 1:
        used = list(label_files)
    labels = idx_array(used[0]) if used else None
    if labels is None:
        findings.append(
            FileFinding(path, f"No labels were found beside {path.name} (a file called ...labels-idx1...).", "warning")
        )
    _label(added, labels, _split_of(path.name), path.name, findings)
    return added, used[:1]


def _split_of(name: str) -> str | None:
    found = _SPLIT_WORD.search(name.lower().replace("_", " "))
    return _SPLIT_OF[found.group(1)] if found else None


def _label(
    rows: Sequence[ImageRow], labels: Array | None, split: str | None, name: str, findings: list[FileFinding]
) -> None:
    if split is not None:
        for row in rows:
            row.columns["split"] = split
    if labels is None:
        return
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)  # one-hot
    labels = labels.reshape(-1)
    count = rows[0].file.count if rows else 0
    if len(labels) != count:
        findings.append(
            FileFinding(
                None,
                f"The labels of {name} are not used: there are {len(labels):,} for {count:,} images.",
                "warning",
            )
        )
        return
    plain = labels.tolist()
    for row in rows:
        value = plain[row.frame]
        whole = isinstance(value, float) and value.is_integer()
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        row.columns["class"] = int(text) if whole or isinstance(text, int) else str(text)
