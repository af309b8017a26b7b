"""Atlases: any label volume with names, those that come with SensiView, and the one that a choice means."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy.typing as npt

from sensiview.datasets.atlas_beside import names_lacking
from sensiview.datasets.atlas_files import Atlas, open_atlas
from sensiview.datasets.atlas_fitting import Fit, atlas_fit, atlas_on, place_atlas
from sensiview.datasets.atlas_names import read_names
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Grid
from sensiview.errors import UserError, suggestion
from sensiview.locations import resources

__all__ = [
    "DEFAULT_ATLAS",
    "NO_ATLAS",
    "Atlas",
    "Fit",
    "atlas_fit",
    "atlas_for",
    "atlas_on",
    "bundled_atlases",
    "bundled_names",
    "find_atlas",
    "open_atlas",
    "place_atlas",
]

DEFAULT_ATLAS = "desikan_killiany"
NO_ATLAS = "none"
_BUNDLED = "bundled:"
_VOLUME = ".nii.gz"


def bundled_atlases() -> dict[str, Path]:
    """Return the atlases that come with SensiView: name and label volume, in alphabetical order."""
    files = sorted((resources() / "atlases").glob(f"*{_VOLUME}"))
    return {file.name.removesuffix(_VOLUME): file for file in files}


def bundled_names(text: str) -> dict[int, str]:
    """Return names by label of the bundled atlas that `text` means, empty for another; the volume isn't opened."""
    file = bundled_atlases().get(_tidy(text))
    return dict(read_names(file.with_name(file.name.removesuffix(_VOLUME) + ".tsv"))[0].names) if file else {}


def find_atlas(text: str, names_path: Path | str | None = None) -> Atlas:
    """Return an atlas by its name (``desikan_killiany``, also ``bundled:desikan_killiany``) or its file.

    Raises
    ------
    UserError
        Neither a bundled atlas nor a file.
    DataError
        The file is no usable atlas.
    """
    wanted = text.strip()
    known = bundled_atlases()
    name = _tidy(wanted)
    if name in known:
        return _bundled(known[name])
    if not wanted:
        raise UserError(f"Say which atlas: {', '.join(known) or 'a file'}, or the path of a label volume.")
    file = Path(wanted).expanduser()
    if wanted.startswith(_BUNDLED) or not file.is_file():
        near = suggestion(name, list(known))
        raise UserError(f"There is no atlas '{wanted}': neither a file nor one that comes with SensiView.{near}")
    return open_atlas(file, names_path)


def _tidy(text: str) -> str:
    return text.strip().removeprefix(_BUNDLED).strip().lower().replace("-", "_").replace(" ", "_")


@cache
def _bundled(file: Path) -> Atlas:
    """Return a bundled atlas, read once: forms ask for it at every change. Its labels can't be written to."""
    atlas = open_atlas(file)
    atlas.labels.setflags(write=False)
    return atlas


def atlas_for(
    text: str, card: DatasetCard | None, grid: Grid, data: npt.NDArray[Any] | None = None
) -> tuple[Atlas, npt.NDArray[Any], tuple[str, ...]] | None:
    """Return the atlas that a parameter means for a data set, its labels on the grid, and warnings.

    A name or path is taken as it is. Empty means the atlas chosen for the data set (``card.extra["atlas"]``: ``file``
    and perhaps ``names``), else `DEFAULT_ATLAS` where that fits the grid, else None: data of another space have no
    region names, and that is no error. ``none`` means none, as parameter or as the data set's choice. The warnings say
    what of a file's names could not be read, and how it fits.

    Parameters
    ----------
    text : str
    card : DatasetCard or None
    grid : Grid
        Of the result, shape (i, j, k).
    data : ndarray, optional
        (i, j, k), one volume or a mean, to tell MNI space.

    Raises
    ------
    UserError
        There is no such atlas.
    DataError
        The atlas that was chosen can't be read or does not fit; the sentence says why.
    """
    space = str(card.extra.get("space", "")) if card else ""
    chosen = dict((card.extra.get("atlas") or {}) if card else {})
    if (text.strip().lower() or chosen.get("file")) == NO_ATLAS:
        return None
    if text.strip() or chosen.get("file"):
        atlas = find_atlas(text) if text.strip() else find_atlas(str(chosen["file"]), chosen.get("names"))
        said = names_lacking(atlas.findings)
        labels = atlas_on(atlas, grid, data, space=space, warn=said.append)
        return atlas, labels, tuple(said)
    atlas = find_atlas(DEFAULT_ATLAS)
    labels, fit = place_atlas(atlas, grid, data, space=space)
    return (atlas, labels, fit.warnings) if fit.ok else None
