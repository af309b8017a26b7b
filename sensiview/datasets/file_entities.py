"""What the names of volumes say: BIDS and CAPS entities, label images, and short names for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sensiview.datasets.nifti_files import volume_stem

_ENTITY = re.compile(r"(?:^|[_/])([A-Za-z]+)-([^_/]+)")
_PIECES = re.compile(r"[^0-9a-z]+")
_MOST_PIECES = 12
# Words in names of segmentations and masks, and folders that hold them.
_LABEL_WORDS = frozenset(
    (
        "dseg", "mask", "masks", "label", "labels", "labelmap", "labelstr", "labelsts", "seg", "segs", "segmentation",
        "segmentations", "aseg", "aparc", "roi", "rois", "brainmask", "lesion", "parc", "parcellation", "dlmuse",
        "wmparc", "dkt", "groundtruth", "gt",
    )
)  # fmt: skip
# Tissue maps of Clinica and fMRIPrep: named after a segmentation, and images all the same.
_NO_LABELS = re.compile(r"segm-|probseg|probability|_label-(gm|wm|csf)", re.IGNORECASE)


def entities(path: Path) -> dict[str, str]:
    """Return the key-value pairs of a BIDS or CAPS name (``sub``, ``ses``, ``run``, ``space``, ...) and ``suffix``.

    Subject and session are also taken from folders (``sub-01/ses-M00/anat/T1.nii.gz``); the name goes first.
    """
    stem = volume_stem(path)
    found: dict[str, str] = {}
    for folder in path.parts[-5:-1]:
        for key, value in _ENTITY.findall(folder):
            if key.lower() in ("sub", "ses"):
                found[key.lower()] = value
    named = {key.lower(): value for key, value in _ENTITY.findall(stem)}
    found |= named
    last = stem.rsplit("_", 1)[-1]
    if named and "-" not in last:
        found["suffix"] = last
    return found


def kind_of_image(path: Path) -> str:
    """Return what a BIDS or CAPS name says besides subject, session and run: ``T1w``, ``segm-graymatter_probability``.

    Empty for other names.
    """
    parts = volume_stem(path).split("_")
    if not parts[0].startswith("sub-"):
        return ""
    return "_".join(part for part in parts if not part.startswith(("sub-", "ses-", "run-")))


def looks_like_labels(path: Path, root: Path | None = None) -> bool:
    """Whether name, or a folder below `root`, is that of a segmentation or mask rather than of an image."""
    if _NO_LABELS.search(path.name):
        return False
    inside = path.relative_to(root).parts[:-1] if root is not None and path.is_relative_to(root) else ()
    words = set(_PIECES.split(volume_stem(path).lower()))
    return bool(_LABEL_WORDS & (words | {folder.lower() for folder in inside}))


def keys(path: Path) -> Iterator[str]:
    """Yield what a table may call this file or its subject, lower case, the most certain first.

    The name with and without ending, subject with session, subject, every part of the name between separators (longest
    first), and the folders above it.
    """
    stem = volume_stem(path).lower()
    yield path.name.lower()
    yield stem
    yield f"{path.parent.name.lower()}/{path.name.lower()}"
    known = entities(path)
    if "sub" in known:
        subject = known["sub"].lower()
        if "ses" in known:
            yield f"sub-{subject}_ses-{known['ses'].lower()}"
        yield f"sub-{subject}"
        yield subject
        yield subject.lstrip("0")
        return
    places = [match.span() for match in re.finditer(r"[0-9a-z]+", stem)][:_MOST_PIECES]
    parts = [stem[a[0] : b[1]] for i, a in enumerate(places) for b in places[i:]]
    for part in sorted(parts, key=len, reverse=True):
        yield part
        if part.isdecimal():
            yield part.lstrip("0")
    for folder in reversed(path.parts[-4:-1]):
        yield folder.lower()


def short_names(paths: Sequence[Path]) -> list[str]:
    """Return a name per file, unique, as short as it can be.

    ``sub-01_ses-M00`` where that tells all files apart, else names without endings, else with the folder before.
    """
    known = [entities(path) for path in paths]
    if all("sub" in one for one in known):
        short = [f"sub-{one['sub']}" + (f"_ses-{one['ses']}" if "ses" in one else "") for one in known]
        if len(set(short)) == len(short):
            return [plain_name(name) for name in short]
    stems = [plain_name(volume_stem(path)) for path in paths]
    for depth in range(4):
        longer = [
            plain_name("_".join((*path.parts[-1 - depth : -1], stem))) if depth else stem
            for path, stem in zip(paths, stems, strict=True)
        ]
        if len({name.lower() for name in longer}) == len(longer):
            return longer
    return [f"{stem}_{number}" for number, stem in enumerate(stems)]


def plain_name(name: str) -> str:
    """Return a name without commas and blanks: commas separate names where volumes are chosen."""
    return re.sub(r"[,\s]+", "_", name.strip()) or "volume"
