"""The job that puts a cohort onto one grid, as a new data set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sensiview.analysis.items import IndexTable, Item, Note
from sensiview.analysis.result import Result
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.resampling import HARDLY, Interpolation, Template
from sensiview.datasets.volume import Grid
from sensiview.errors import DataError, UserError
from sensiview.jobs.prepared import VOLUMES, write_prepared
from sensiview.jobs.progress import JobProgress
from sensiview.jobs.task import Task

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.volumes import VolumeSet
    from sensiview.models.architectures import Architecture

PARTICIPANTS = "participants.tsv"
# What a cohort keeps when its voxels move to another grid: mm stay mm.
_KEPT = ("folds", "atlas", "unit", "simulated")


class GivenGrid(BaseModel):
    """A grid in numbers: shape, voxel to RAS mm (4 x 4), and what its coordinates mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: tuple[int, int, int]
    affine: tuple[tuple[float, float, float, float], ...] = Field(min_length=4, max_length=4)
    space: str = "unknown"


class ResamplingSettings(BaseModel):
    """Onto which grid, how values between voxels are found, and what the new data set is called.

    `grid` is that of the template where it is no file and no volume of the data set; `template` is then its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    template: str = Field("mni152_3mm", min_length=1)
    spacing: float | None = Field(None, gt=0, le=100)
    grid: GivenGrid | None = None
    interpolation: Interpolation = "linear"
    name: str = ""


def resample(
    task: Task, device: str, progress: JobProgress, architectures: Mapping[str, Architecture]
) -> tuple[Result, dict[str, Any]]:
    """Write every volume of the task's data set on the template's grid into the run's folder, ready to be added.

    A volume that can't be read, or of which nothing lies inside the template, is left out with a warning.

    Raises
    ------
    UserError
        Settings that don't fit; no such template.
    DataError
        No volume is left.
    """
    from sensiview.datasets.volume_opening import open_volumes

    settings = settings_of(task.parameters)
    if task.dataset is None:
        raise UserError("Choose a data set of volumes to resample.")
    progress.stage("Opening the volumes")
    volumes = open_volumes(task.dataset)
    template = template_of(settings, volumes)
    _warn_of_space(volumes, template, progress)
    progress.stage("Resampling", len(volumes))
    places, files, rows = _resample_each(task, volumes, template, settings, progress)
    if not places:
        raise DataError(
            f"No volume of '{volumes.card.name}' can be resampled to {template.name}: "
            f"{progress.warnings[-1] if progress.warnings else ''}".rstrip()
        )
    progress.stage("Describing the new cohort")
    card, stored = _describe(task.directory / VOLUMES, volumes, places, files, template, settings)
    write_prepared(task.directory, card, stored)
    items: dict[str, Item] = {"volumes": _table(rows), "note": _note(volumes, template, settings, len(places))}
    return Result(items, facts={"volumes": len(places)}), {"parameters": settings.model_dump(mode="json")}


def settings_of(parameters: Mapping[str, Any]) -> ResamplingSettings:
    """Return settings from plain values; UserError for those that can't be used."""
    try:
        return ResamplingSettings(**parameters)
    except ValidationError as error:
        said = " ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}." for e in error.errors())
        raise UserError(f"The settings of the resampling can't be used. {said}") from None


def template_of(settings: ResamplingSettings, volumes: VolumeSet) -> Template:
    """Return the grid that settings name; raises as `find_template`."""
    from sensiview.datasets.resampling import find_template, with_spacing

    given = settings.grid
    if given is None:
        return find_template(settings.template, volumes, settings.spacing)
    grid = Grid.from_plain({"shape": given.shape, "affine": given.affine})
    found = Template(settings.template, grid, given.space)
    return found if settings.spacing is None else with_spacing(found, settings.spacing)


def _warn_of_space(volumes: VolumeSet, template: Template, progress: JobProgress) -> None:
    space = volumes.card.extra.get("space", "unknown")
    if template.space == "mni" and space != "mni":
        progress.warn(
            "These volumes do not say that they are in MNI space. Resampling changes their grid, not their position: "
            "anatomy lies where the template has it only if they were registered to it before."
        )


def _resample_each(
    task: Task, volumes: VolumeSet, template: Template, settings: ResamplingSettings, progress: JobProgress
) -> tuple[list[int], list[Path], list[dict[str, Any]]]:
    from sensiview.datasets.resampling import resample_volume, share_inside, write_volume
    from sensiview.datasets.volume_statistics import voxel_statistics

    folder = task.directory / VOLUMES
    folder.mkdir(parents=True, exist_ok=True)
    names = _file_names(volumes.names)
    places: list[int] = []
    files: list[Path] = []
    rows: list[dict[str, Any]] = []
    for place, entry in enumerate(volumes.entries):
        try:
            volume = entry.open()
            inside = share_inside(volume, template.grid)
            if inside == 0:
                raise DataError(
                    f"Nothing of '{entry.name}' lies inside {template.name}: their coordinates are of different "
                    "spaces. Register the volume first, or choose another template."
                )
            if inside < HARDLY:
                progress.warn(
                    f"'{entry.name}' and {template.name} hardly overlap: {100 * inside:.0f} % of its bright voxels lie "
                    "inside. Check that both are in the same space."
                )
            made = resample_volume(volume, template.grid, settings.interpolation)
            path = folder / f"{names[place]}.nii.gz"
            write_volume(made, path, template.space)
        except DataError as error:
            progress.warn(f"{error.sentence} The volume was left out.")
        else:
            found = voxel_statistics(made)
            places.append(place)
            files.append(path)
            rows.append(
                {"volume": entry.name, "subject": entry.subject, "inside_template": inside}
                | {key: getattr(found, key) for key in ("minimum", "maximum", "mean", "nonzero_share")}
            )
        progress.advance(1)
    return places, files, rows


def _file_names(names: Sequence[str]) -> list[str]:
    """Names that every file system takes, different also where case does not count."""
    found: list[str] = []
    for name in names:
        plain = re.sub(r"[^\w.+-]+", "_", name).strip("._")[:120] or "volume"
        unique, number = plain, 1
        while unique.lower() in {one.lower() for one in found}:
            number += 1
            unique = f"{plain}_{number}"
        found.append(unique)
    return found


def _describe(
    folder: Path,
    volumes: VolumeSet,
    places: Sequence[int],
    files: Sequence[Path],
    template: Template,
    settings: ResamplingSettings,
) -> tuple[DatasetCard, tuple[Path, ...]]:
    """The card of the new cohort: same names, subjects, labels and folds as before, on one grid."""
    from sensiview.datasets.cohort import understand_cohort
    from sensiview.datasets.cohort_targets import with_target
    from sensiview.datasets.options import ReadingOptions
    from sensiview.datasets.participants import read_participants

    old = volumes.card
    people = folder / PARTICIPANTS
    known = _participants(volumes, places, files)
    known.to_csv(people, sep="\t", index=False, na_rep="n/a", lineterminator="\n")
    kinds = {c.name: c.kind for c in old.columns if c.kind in ("text", "boolean")}
    added = [str(name) for name in known.columns if name not in {c.name for c in old.columns}]
    options = ReadingOptions.parse(
        {"format": "csv", "delimiter": "\t", "kinds": {**kinds, **dict.fromkeys(added, "text")}}
    )
    name = settings.name or f"{old.name} on {template.name}"
    cohort = understand_cohort(list(files), name=name, participants=read_participants(people, options))
    entries = [
        {**entry, "name": volumes.names[place], "subject": volumes.subjects[place]}
        for entry, place in zip(cohort.card.reading["volumes"], places, strict=True)
    ]
    extra = {
        **cohort.card.extra,
        **{key: old.extra[key] for key in _KEPT if key in old.extra},
        "names": [entry["name"] for entry in entries],
        "subjects": [entry["subject"] for entry in entries],
        "resampled": {"template": template.name, "interpolation": settings.interpolation, "from": old.name},
    }
    extra["grids"] = [{**grid, "example": entries[0]["name"]} for grid in extra["grids"]]
    said = (f"Resampled from '{old.name}' to {template.name} ({settings.interpolation} interpolation).",)
    card = cohort.card.model_copy(
        update={
            "reading": {**cohort.card.reading, "volumes": entries},
            "extra": extra,
            "notes": (*said, *(note for note in cohort.card.notes if "counts as a subject" not in note)),
        }
    )
    if old.target is not None and old.class_counts:
        card = _with_old_target(card, cohort.table, old.target, with_target)
    return card, cohort.files


def _with_old_target(card: DatasetCard, table: pd.DataFrame, target: str, choose: Any) -> DatasetCard:
    try:
        chosen: DatasetCard = choose(card, table, target)
    except DataError as error:  # those of the other class were left out
        return card.model_copy(update={"notes": (*card.notes, error.sentence)})
    return chosen


def _participants(volumes: VolumeSet, places: Sequence[int], files: Sequence[Path]) -> pd.DataFrame:
    """File and subject of each volume, and what was known of it."""
    table = volumes.table.iloc[list(places)].reset_index(drop=True)
    columns = [str(name) for name in table.columns]
    subject = next(name for name in ("participant_id", "subject", "sensiview_subject") if name not in columns)
    file = next(name for name in ("file", "resampled_file", "sensiview_file") if name not in columns)
    table.insert(0, subject, [volumes.subjects[place] for place in places])
    table.insert(0, file, [path.name for path in files])
    return table


def _table(rows: Sequence[Mapping[str, Any]]) -> IndexTable:
    import pandas as pd

    return IndexTable(
        title="Resampled volumes",
        description="What lies inside the template is the share of a volume's voxels above its mean; below 50 % its "
        "position should be checked. The numbers are those after resampling.",
        frame=pd.DataFrame(list(rows)),
        keys=("volume", "subject"),
        values=("inside_template", "minimum", "maximum", "mean", "nonzero_share"),
        units={"inside_template": "share", "nonzero_share": "share"},
        plot="none",
    )


def _note(volumes: VolumeSet, template: Template, settings: ResamplingSettings, count: int) -> Note:
    size = " x ".join(map(str, template.grid.shape))
    spacing = " x ".join(f"{s:.3g}" for s in template.grid.spacing)
    return Note(
        title="Resampling",
        text=(
            f"{count:,} of {len(volumes):,} volumes of '{volumes.card.name}' were resampled to {template.name} ({size} "
            f"voxels of {spacing} mm) with {settings.interpolation} interpolation. Positions in mm are unchanged; "
            "nothing was registered."
        ),
    )
