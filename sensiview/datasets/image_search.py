"""Which files below the chosen folders are images, and what the folders say of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sensiview.datasets.cohort_files import FileFinding
from sensiview.datasets.describing import listed
from sensiview.datasets.image_kinds import (
    ARRAY_SUFFIXES,
    TABLE_SUFFIXES,
    Kind,
    cifar_record,
    is_idx,
    is_idx_labels,
    is_pickle,
    kind_by_name,
    kind_of,
)
from sensiview.errors import DataError

_NEVER = {"__macosx", "lost+found", "@eadir", "__pycache__"}
_IGNORED_FILES = {"thumbs.db", "desktop.ini"}

Found = tuple[Path, Path, Kind]


@dataclass
class FoundImages:
    """What lies in the chosen files and folders.

    Parameters
    ----------
    files : list of (Path, Path, str)
        Each image file, the folder it was found below, and how it is read.
    tables, label_files : list of Path
        Tables, and IDX files of labels.
    named : set of Path
        Files that the user chose by name.
    folders : list of (Path, Path)
        Folders without any image in or below them, and the chosen folder.
    """

    files: list[Found] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    label_files: list[Path] = field(default_factory=list)
    class_names: list[Path] = field(default_factory=list)
    named: set[Path] = field(default_factory=set)
    empty_folders: list[tuple[Path, Path]] = field(default_factory=list)
    findings: list[FileFinding] = field(default_factory=list)


def find_images(paths: Sequence[Path], on_file: Callable[[int], None] = lambda count: None) -> FoundImages:
    """Return the image files among `paths` and below the folders among them, ordered by name.

    Files in folders are told by their endings; files without an ending are looked into. Arrays (NumPy, IDX, CIFAR) in
    a folder are taken where there are no picture files. What is no image is counted and left out.

    Parameters
    ----------
    paths : sequence of Path
    on_file : callable
        Hears how many files were found so far; what it raises ends the search.

    Raises
    ------
    DataError
        A path does not exist, holds Python objects, or there is no image.
    """
    found = FoundImages()
    for given in paths:
        path = Path(given).expanduser()
        try:
            if path.is_dir():
                _folder(path, found, on_file)
            elif not path.exists():
                raise DataError(f"There is no file or folder {path}. Check its name.")
            else:
                _file(path, found)
        except OSError as error:
            raise DataError(f"{path} can't be read ({error.strerror or error}). Check the right to read it.") from None
    found.files = list(dict.fromkeys(found.files))
    if not found.files and not found.named & set(found.tables):
        where = listed((str(path) for path in paths), 3) or "the selection"
        raise DataError(
            f"There is no image in {where}. Choose pictures (PNG, JPEG, TIFF, BMP, GIF, WebP), DICOM, videos, NumPy "
            "arrays, MNIST or CIFAR files, or the folder that holds them."
        )
    return found


def _file(path: Path, found: FoundImages) -> None:
    found.named.add(path)
    kind = kind_of(path)
    if kind is not None:
        found.files.append((path, path.parent, kind))
        if kind == "idx":
            _labels_beside(path, found)
        if kind == "cifar":
            _cifar_names(path.parent, found)
    elif is_idx_labels(path):
        found.label_files.append(path)
    elif path.suffix.lower() in TABLE_SUFFIXES:
        found.tables.append(path)
    elif path.suffix.lower() in (".pt", ".pth", ".ckpt", ".safetensors", ".pt2"):
        raise DataError(f"{path} holds a network or its weights, no images. Add it as a model.")
    elif is_pickle(path) or path.suffix.lower() in (".pkl", ".pickle"):
        raise _pickled(path)
    else:
        raise DataError(f"{path} is no image that can be read. Known are PNG, JPEG, TIFF, BMP, GIF, WebP, DICOM, "
                        "videos, NumPy arrays, MNIST's and CIFAR's files, and tables of paths.")  # fmt: skip


def _pickled(path: Path) -> DataError:
    return DataError(
        f"{path} is a Python pickle (as CIFAR's Python version), which can run any program when it is read. Take "
        "CIFAR's binary version (cifar-10-batches-bin, .bin), or save the arrays with "
        "numpy.savez(path, images=..., labels=...)."
    )


def _labels_beside(path: Path, found: FoundImages) -> None:
    """Find MNIST's labels of these images: the same name with labels and one axis."""
    for old, new in (("images-idx3", "labels-idx1"), ("images.idx3", "labels.idx1"), ("images", "labels")):
        if old in path.name:
            for name in (path.name.replace(old, new), path.name.replace(old, new).removesuffix(".gz")):
                beside = path.with_name(name)
                if beside != path and beside.is_file() and beside not in found.label_files:
                    found.label_files.append(beside)
                    return


def _cifar_names(folder: Path, found: FoundImages) -> None:
    for name in ("batches.meta.txt", "fine_label_names.txt"):
        if (folder / name).is_file() and folder / name not in found.class_names:
            found.class_names.append(folder / name)


def _folder(root: Path, found: FoundImages, on_file: Callable[[int], None]) -> None:
    def refused(error: OSError) -> None:
        sentence = f"The folder {error.filename} can't be read ({error.strerror}); what it holds is left out."
        found.findings.append(FileFinding(Path(str(error.filename)), sentence, "warning"))

    ignored: Counter[str] = Counter()
    arrays: list[Path] = []
    inside: dict[Path, int] = {}
    for folder, below, names in os.walk(root, onerror=refused):
        below[:] = sorted(d for d in below if not d.startswith(".") and d.lower() not in _NEVER)
        here = 0
        for name in sorted(names):
            path = Path(folder, name)
            if name.startswith(".") or name.lower() in _IGNORED_FILES:
                continue
            kind = kind_by_name(path) or (kind_of(path) if not path.suffix else None)
            if kind in ("picture", "dicom", "video"):
                found.files.append((path, root, kind))
                here += 1
                on_file(len(found.files))
            elif _may_be_array(path):
                arrays.append(path)
            elif path.suffix.lower() in TABLE_SUFFIXES:
                found.tables.append(path)
            else:
                ignored[path.suffix.lower() or "no ending"] += 1
        inside[Path(folder)] = here
    if not any(inside.values()):
        _take_arrays(arrays, root, found)
    elif arrays:
        ignored.update(path.suffix.lower() or "no ending" for path in arrays)
    for folder_path in inside:
        if folder_path != root and not any(n for f, n in inside.items() if n and f.is_relative_to(folder_path)):
            found.empty_folders.append((folder_path, root))
    if ignored and any(inside.values()):
        kinds = listed((f"{count:,} {ending}" for ending, count in sorted(ignored.items())), 6)
        total = sum(ignored.values())
        what = "1 file is no image and was" if total == 1 else f"{total:,} files are no images and were"
        found.findings.append(FileFinding(root, f"{what} left out: {kinds}."))


def _may_be_array(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in ARRAY_SUFFIXES or suffix == ".bin" or "idx" in path.name or not suffix


def _take_arrays(arrays: Sequence[Path], root: Path, found: FoundImages) -> None:
    pickled = []
    for path in arrays:
        if path.suffix.lower() in ARRAY_SUFFIXES:
            found.files.append((path, root, "array"))
        elif is_idx(path):
            found.files.append((path, root, "idx"))
        elif is_idx_labels(path):
            found.label_files.append(path)
        elif path.suffix.lower() == ".bin" and cifar_record(path):
            found.files.append((path, root, "cifar"))
            _cifar_names(path.parent, found)
        elif is_pickle(path):
            pickled.append(path)
    if pickled and not found.files:
        raise _pickled(pickled[0])
