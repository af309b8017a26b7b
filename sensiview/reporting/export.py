"""Handing a run on: its record, and each item in the formats that other programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from sensiview.analysis.items import Curve, FieldMap, IndexTable, Item, Note
from sensiview.errors import UserError, suggestion
from sensiview.reporting.anatomy import Anatomy
from sensiview.reporting.arrays import item_arrays, write_nifti, write_npz
from sensiview.reporting.files import ready_folder, refusals, safe_names, write_file
from sensiview.reporting.tables import item_frame, write_csv

# Draws an item into a .png or .svg file, over the anatomy where there is one; no file for an item that has no plot.
Draw: TypeAlias = Callable[[Item, Path, Anatomy | None], Any]
RECORD = "record.json"


def export_run(
    record: Mapping[str, Any],
    items: Mapping[str, Item],
    directory: Path | str,
    *,
    item: str | Iterable[str] | None = None,
    draw: Draw | None = None,
    anatomy: Anatomy | None = None,
) -> list[Path]:
    """Write a run into a folder and return the files.

    ``record.json`` (all that is needed to run it again, and what the files hold), and per item NAME:
    ``NAME.csv`` (tables, curves, matrices), ``NAME.npz`` (arrays), ``NAME.nii.gz`` (maps with an affine),
    ``NAME.txt`` (notes), ``NAME.png`` and ``NAME.svg`` (its plot). Files of an earlier export of the same run are
    replaced.

    Parameters
    ----------
    record : mapping
        The run's record, JSON values, with its ``id``.
    items : mapping
        Its items by name.
    directory : Path
        The folder; made when it is not there.
    item : str or iterable of str, optional
        Only these items; all when left out.
    draw : callable, optional
        ``draw(item, path, anatomy)`` writes the plot as .png or .svg. No plots without it.
    anatomy : Anatomy, optional
        What maps over volumes are drawn on; its `sentences` tell afterwards where that was not possible. Volumes are
        written with its space.

    Raises
    ------
    UserError
        An item that the run does not have; a folder that can't be written or holds the export of another run.
    """
    wanted = _wanted(items, item)
    if anatomy is not None:
        anatomy.items = items
    folder = ready_folder(Path(directory))
    _refuse_another_run(record, folder)
    # Names over all items, so that a file is called the same whether one is exported or all.
    stems = safe_names(list(items))
    written: list[Path] = []
    contents: dict[str, dict[str, Any]] = {}
    for name in wanted:
        drawn = draw and partial(_draw, draw=draw, anatomy=anatomy)
        files = _export_item(items[name], folder / stems[name], drawn, anatomy.space if anatomy else "unknown")
        written += files
        contents[name] = {**_description(items[name]), "files": [path.name for path in files]}
    text = json.dumps({**record, "exported": contents}, indent=2, ensure_ascii=False, default=str)
    return [write_file(folder / RECORD, lambda stream: stream.write(text.encode("utf-8") + b"\n")), *written]


def _wanted(items: Mapping[str, Item], item: str | Iterable[str] | None) -> list[str]:
    if item is None:
        return list(items)
    names = [item] if isinstance(item, str) else list(item)
    for name in names:
        if name not in items:
            raise UserError(f"The run has no item '{name}'.{suggestion(name, list(items))}")
    return names


def _refuse_another_run(record: Mapping[str, Any], folder: Path) -> None:
    """Items of two runs have the same names: one export must not overwrite another's."""
    path = folder / RECORD
    if not path.is_file():
        return
    try:
        present = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        present = None
    if isinstance(present, dict) and (present.get("id"), present.get("created")) == (
        record.get("id"),
        record.get("created"),
    ):
        return
    what = f"the export of run '{present['id']}'" if isinstance(present, dict) and "id" in present else f"a {RECORD}"
    raise UserError(
        f"The folder '{folder}' holds {what} already. "
        f"Choose another folder, for example '{folder / str(record.get('id', 'run'))}'."
    )


def _export_item(item: Item, stem: Path, draw: Callable[[Item, Path], Path | None] | None, space: str) -> list[Path]:
    """Write one item; `stem` is the path without ending."""
    written: list[Path] = []
    frame = item_frame(item)
    if frame is not None:
        written.append(write_csv(frame, _with(stem, ".csv")))
    arrays = item_arrays(item)
    if arrays is not None:
        written.append(write_npz(arrays, _with(stem, ".npz")))
    if isinstance(item, FieldMap) and item.affine is not None:
        volume = write_nifti(item, _with(stem, ".nii.gz"), space)
        written += [volume] if volume is not None else []
    if isinstance(item, Note):
        text = f"{item.title}\n\n{item.text}\n".encode()
        written.append(write_file(_with(stem, ".txt"), lambda stream: stream.write(text)))
    elif draw is not None:
        written += [path for ending in (".png", ".svg") if (path := draw(item, _with(stem, ending)))]
    return written


def _draw(item: Item, path: Path, *, draw: Draw, anatomy: Anatomy | None) -> Path | None:
    """Draw beside and move, as every other file."""
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    with refusals(path):
        try:
            draw(item, part, anatomy)
            if not part.is_file():
                return None
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


def _with(stem: Path, ending: str) -> Path:
    """Return the path with an ending; `with_suffix` would cut a dot in the item's name."""
    return stem.with_name(stem.name + ending)


def _description(item: Item) -> dict[str, Any]:
    """Return what a reader of the files must know beside the numbers."""
    told: dict[str, Any] = {"kind": item.kind, "title": item.title, "description": item.description}
    if isinstance(item, IndexTable | Curve):
        told["units"] = dict(item.units)
    else:
        told["unit"] = getattr(item, "unit", "")
    if isinstance(item, IndexTable):
        told["remarks"] = [remark.sentence for remark in item.remarks]
    return {name: value for name, value in told.items() if value}
