"""Occlusion of 3-D networks: parts of the volume are replaced, and the score's fall is drawn where they were."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import IndexTable, Item
from sensiview.analysis.parameters import parameter
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.analysis.volume_map_items import MapWords
from sensiview.analysis.volume_map_parameters import (
    Subjects,
    VolumeMapParameters,
    card_shape,
    card_spacing,
    map_bytes,
    subject_count,
    volume_obstacles,
    volume_problems,
)
from sensiview.errors import Stopped, UserError
from sensiview.numerics.replacement import parse_fill
from sensiview.numerics.window_sizes import window_counts, window_sizes

if TYPE_CHECKING:
    from sensiview.analysis.volume_map_run import MapRun
    from sensiview.numerics.occlusion_maps import OcclusionMaker
    from sensiview.numerics.volume_maps import FoundMaps

# Regions of an atlas that the card does not tell the number of.
_REGIONS = 100


class OcclusionParameters(VolumeMapParameters):
    """What is replaced, and by what."""

    mode: Literal["windows", "regions"] = parameter(
        "windows", label="Parts", help="Replace boxes on a grid, or the regions of the atlas one at a time."
    )
    window: float | list[float] = parameter(
        8, label="Window", help="Side of the box, one number or one per axis i, j, k of the volume."
    )
    stride: float | list[float] = parameter(
        0, label="Stride", help="Distance between boxes, one number or one per axis; 0 is half a window."
    )
    unit: Literal["voxels", "mm"] = parameter("voxels", label="Unit", help="Of window and stride.")
    fill: float | str = parameter(
        "zero",
        label="Fill",
        help="What is put in: zero, one, a number in the data's unit, mean (of the volume), blur, or controls (mean).",
    )
    controls: Subjects = parameter(
        "", label="Controls", help="For the fill 'controls': whose mean is put in, such as diagnosis=CN."
    )
    blur: float = parameter(
        10.0, label="Blur", help="For the fill 'blur': standard deviation.", unit="mm", gt=0, le=200, advanced=True
    )

    @field_validator("window", "stride")
    @classmethod
    def _sizes(cls, value: float | list[float]) -> float | list[float]:
        sizes = value if isinstance(value, list) else [value]
        if len(sizes) not in (1, 3) or not all(0 <= size < 1e6 for size in sizes):
            raise ValueError("Write one number, or three, that are not negative")
        return value

    @field_validator("window")
    @classmethod
    def _some(cls, value: float | list[float]) -> float | list[float]:
        if not np.all(np.asarray(value) > 0):
            raise ValueError("The window must be larger than 0")
        return value

    def control_selection(self) -> str | list[int | str]:
        """Return the controls as `VolumeSet.select` takes them."""
        if isinstance(self.controls, int):
            return [self.controls]
        return self.controls if isinstance(self.controls, str) else list(self.controls)


class Occlusion(Analysis[OcclusionParameters]):
    """Shows how far the class score falls when a part of the volume is replaced, part by part.

    A box moves over the volume (or every region of an atlas is taken in turn), what lies under it is replaced by the
    fill, and the fall of the score is drawn where the box was; where boxes overlap, their mean. Positive: the class
    loses when this part is gone. Negative: this part speaks against it. It needs no gradient, so that it works with any
    network, and its numbers can be read as they are: 0.3 is thirty points of probability. The result lies in the
    volume's own grid. An interrupted run goes on where it was.

    It misleads in three ways. What is put in is seen too: a black box in grey matter is a lesion of its own, which is
    why other fills are offered; compare two of them. One part at a time hides what two parts can do for each other:
    when left and right hippocampus tell the same, removing one changes nothing; optimised masks remove them together.
    And what is found has the size of the box. Large boxes cover more and so lower the score more: compare windows of
    one size only, and regions by their volume too.

    References
    ----------
    Zeiler, Fergus (2014). Visualizing and Understanding Convolutional Networks. ECCV. doi:10.1007/978-3-319-10590-1_53.
    Rieke, Eitel, Weygandt, Haynes, Ritter (2018). Visualizing Convolutional Networks for MRI-based Diagnosis of
    Alzheimer's Disease (area occlusion). MLCN. doi:10.1007/978-3-030-02628-8_3.
    """

    key = "occlusion"
    title = "Occlusion"
    rank = 130
    accepts = ("volumes",)
    Parameters = OcclusionParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes, or no 3-D network."""
        return super().obstacles(study) or volume_obstacles(study)

    def problems(self, study: Study, parameters: OcclusionParameters) -> list[str]:
        """Return sentences about windows, fill, subjects and class."""
        found = volume_problems(study, parameters)
        try:
            if parameters.mode == "windows":
                _counts(study, parameters)
            elif parameters.atlas.strip().lower() == "none":
                found.append("Regions are wanted and the atlas is 'none'. Name an atlas.")
            if parse_fill(parameters.fill)[0] == "controls":
                if not parameters.controls and parameters.controls != 0:
                    found.append("Name the controls whose mean is put in, for example diagnosis=CN.")
                elif study.dataset is not None:
                    subject_count(study.dataset, parameters.control_selection())
        except UserError as error:
            found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: OcclusionParameters) -> Cost:
        """Return one evaluation per volume and part, and one for the volume as it is."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            count = subject_count(study.dataset, parameters.chosen())
            parts = int(np.prod(_counts(study, parameters))) if parameters.mode == "windows" else _REGIONS
        except UserError:
            return Cost(0, 0)
        batch = min(parts, parameters.rows_at_once(study) or 64)
        voxels = int(np.prod(card_shape(study.dataset) or (1,)))
        peak = batch * (max(study.model.bytes_per_row, 1) + 8 * voxels) + map_bytes(study, parameters)
        note = "" if parameters.mode == "windows" else f"With about {_REGIONS} regions; the atlas says how many."
        return Cost(count * (parts + 1), peak, note=note)

    def run(self, study: Study, parameters: OcclusionParameters, progress: Progress) -> Result:
        """Replace part after part, in batches."""
        from sensiview.analysis.volume_map_run import open_map_run, run_maps

        opened = open_map_run(study, parameters, progress)
        maker = _maker(opened, parameters, progress)
        if (restored := progress.restored()) is not None:
            maker.memory.restore(restored.arrays)
        fall = "probability" if parameters.output in ("auto", "probability") else parameters.output.replace("_", "-")
        part = "box" if parameters.mode == "windows" else "region"
        words = MapWords(
            title="Occlusion" if parameters.mode == "windows" else "Occlusion by region",
            description=f"By how much the score falls when the {part} around a voxel is replaced. Negative: it rises.",
            unit=fall,
            signed=True,
        )

        def finish(items: dict[str, Item], found: list[FoundMaps]) -> Sequence[str]:
            return _finish(opened, maker, items, found)

        try:
            return run_maps(opened, study, parameters, progress, maker, words, finish=finish, keep_found=True)
        except Stopped:
            # What was computed since the last checkpoint is worth keeping too.
            with contextlib.suppress(Stopped):
                maker.memory.keep()
            raise

    def example(self) -> Example[OcclusionParameters]:
        """Return four volumes of 12 voxels a side, and a network that looks for a bright box."""
        from sensiview.numerics.example_volumes import example_network, example_volumes

        volumes = example_volumes()
        study = Study(
            dataset=volumes.card,
            model=example_network(volumes).card,
            device="cpu",
            volumes_loader=lambda: volumes,
            network_loader=lambda: example_network(volumes),
        )
        chosen = OcclusionParameters(
            target="AD", subjects="diagnosis=AD", window=4, stride=4, fill="mean", average=True, atlas="none"
        )
        return Example(study, chosen)


def _counts(study: Study, parameters: OcclusionParameters) -> tuple[int, ...]:
    """Return the number of windows along each axis from the cards; ones where they don't tell the shape."""
    shape, spacing = card_shape(study.dataset), card_spacing(study.dataset)
    if not shape:
        return (1, 1, 1)
    sides, steps = window_sizes(shape, spacing, parameters.window, parameters.stride, parameters.unit)
    return window_counts(shape, sides, steps)


def _maker(opened: MapRun, parameters: OcclusionParameters, progress: Progress) -> OcclusionMaker:
    from sensiview.numerics.occlusion_maps import OcclusionMaker, OcclusionMemory, windows_on
    from sensiview.numerics.occlusion_windows import Patches, Regions
    from sensiview.numerics.replacement import replacement

    patches: Patches
    if parameters.mode == "windows":
        patches = windows_on(opened.grid, parameters.window, parameters.stride, parameters.unit)
    elif opened.regions.labels is None:
        said = " ".join(opened.warnings)
        raise UserError(f"There is no atlas over these volumes, so there are no regions to replace. {said}".strip())
    else:
        patches = Regions(opened.regions.labels)
    put_in = replacement(
        parameters.fill,
        blur_mm=parameters.blur,
        controls=parameters.control_selection(),
        volumes=opened.inputs.volumes,
        like=opened.indices[0],
        tick=lambda: progress.advance(0),
    )
    memory = OcclusionMemory()
    memory.keep = lambda: progress.checkpoint(Checkpoint(memory.arrays()))
    return OcclusionMaker(patches, put_in, memory)


def _finish(opened: MapRun, maker: OcclusionMaker, items: dict[str, Item], found: list[FoundMaps]) -> list[str]:
    """Put the falls per region into the table of regions; say what was replaced."""
    from sensiview.numerics.occlusion_windows import Regions, Windows

    patches = maker.patches
    if isinstance(patches, Windows):
        sides = " x ".join(map(str, patches.window))
        mm = " x ".join(f"{n * step:.3g}" for n, step in zip(patches.window, opened.grid.spacing, strict=True))
        return [f"{len(patches):,} boxes of {sides} voxels ({mm} mm) were replaced one by one, by {_put_in(maker)}."]
    assert isinstance(patches, Regions)
    drops = np.concatenate([one.drops for one in found if one.drops is not None])
    if isinstance(table := items.get("regions"), IndexTable):
        items["regions"] = _with_drops(table, patches.labels, drops, opened)
    return [f"{len(patches)} regions of '{opened.regions.name}' were replaced one by one, by {_put_in(maker)}."]


def _put_in(maker: OcclusionMaker) -> str:
    how = maker.replacement
    words: dict[str, Callable[[], str]] = {
        "constant": lambda: f"{how.value:g}",
        "mean": lambda: "the volume's mean",
        "blur": lambda: f"the volume blurred by {how.blur_mm:g} mm",
        "controls": lambda: "the mean of the controls",
    }
    return words[how.kind]()


def _with_drops(table: IndexTable, labels: Sequence[int], drops: NDArray[np.float64], opened: MapRun) -> IndexTable:
    """Return the regions with the fall of the score for each, highest first; NaN outside the atlas."""
    frame = table.to_frame()
    single = "subject" in frame.columns
    place = {label: i for i, label in enumerate(labels)}
    subjects = {opened.inputs.volumes.names[index]: i for i, index in enumerate(opened.indices)}
    targets = list(dict.fromkeys(frame["target"])) if "target" in frame.columns else [""]
    means, spreads = [], []
    for _, row in frame.iterrows():
        number = place.get(int(row["label"]))
        column = targets.index(row["target"]) if len(targets) > 1 else 0
        if number is None:
            values = np.array([np.nan])
        else:
            chosen = [subjects[row["subject"]]] if single else slice(None)
            values = drops[chosen, number, column]
        means.append(float(np.mean(values)))
        spreads.append(float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)
    after = list(frame.columns).index("label") + 1
    frame.insert(after, "drop", means)
    frame.insert(after + 1, "drop_std", spreads)
    keys = table.keys
    blocks = frame.groupby(list(keys[:-1]), sort=False).ngroup() if len(keys) > 1 else 0
    frame = frame.assign(block=blocks).sort_values(["block", "drop"], ascending=[True, False], kind="stable")
    frame = frame.drop(columns="block").reset_index(drop=True)
    return IndexTable(
        title="Regions by the fall of the score",
        description="By how much the score falls when the whole region is replaced, mean and spread over the subjects.",
        frame=frame,
        keys=keys,
        values=("drop",),
        units={**table.units, "drop": "score", "drop_std": "score"},
    )
