"""Occlusion: parts of an image or volume are replaced, and the score's fall is drawn where they were."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import field_validator

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import IndexTable, Item
from sensiview.analysis.map_examples import image_study, volume_study
from sensiview.analysis.map_items import MapWords
from sensiview.analysis.map_parameters import (
    MapParameters,
    input_count,
    map_obstacles,
    map_problems,
    own_shape,
    own_spacing,
    pass_bytes,
    selected_count,
)
from sensiview.analysis.map_run import open_map_run, run_maps
from sensiview.analysis.occlusion_items import with_drops
from sensiview.analysis.parameters import parameter
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError
from sensiview.numerics.pass_memory import forward_row_bytes
from sensiview.numerics.replacement import parse_fill
from sensiview.numerics.window_sizes import window_counts, window_sizes

if TYPE_CHECKING:
    from sensiview.analysis.map_run import MapRun
    from sensiview.numerics.map_makers import FoundMaps
    from sensiview.numerics.occlusion_maps import OcclusionMaker

# Regions of an atlas that the card does not tell the number of.
_REGIONS = 100


class OcclusionParameters(MapParameters):
    """What is replaced, and by what."""

    mode: Literal["windows", "regions"] = parameter(
        "windows",
        label="Parts",
        help="Replace boxes on a grid, or the regions of the atlas one at a time.",
        kinds=("volumes",),
    )
    window: float | list[float] = parameter(
        8, label="Window", help="Side of the window, one number or one per axis: y, x of images, i, j, k of volumes."
    )
    stride: float | list[float] = parameter(
        0, label="Stride", help="Distance between windows at most, one number or one per axis; 0 is half a window."
    )
    unit: Literal["voxels", "mm"] = parameter(
        "voxels", label="Unit", help="Of window and stride of volumes; those of images are pixels.", kinds=("volumes",)
    )
    fill: float | str = parameter(
        "zero",
        label="Fill",
        help="What is put in: zero, one, a number in the data's unit, mean (of the input), blur, or controls (mean).",
    )
    controls: str | int | list[str | int] = parameter(
        "", label="Controls", help="For the fill 'controls': whose mean is put in, such as diagnosis=CN or class=plain."
    )
    blur: float = parameter(
        10.0,
        label="Blur",
        help="For the fill 'blur': standard deviation, in mm for volumes and in pixels for images.",
        gt=0,
        le=200,
        advanced=True,
    )

    @field_validator("window", "stride")
    @classmethod
    def _sizes(cls, value: float | list[float]) -> float | list[float]:
        sizes = value if isinstance(value, list) else [value]
        if len(sizes) not in (1, 2, 3) or not all(0 <= size < 1e6 for size in sizes):
            raise ValueError("Write one number, or one for each axis, that are not negative")
        return value

    @field_validator("window")
    @classmethod
    def _some(cls, value: float | list[float]) -> float | list[float]:
        if not np.all(np.asarray(value) > 0):
            raise ValueError("The window must be larger than 0")
        return value

    def control_selection(self) -> str | list[int | str]:
        """Return the controls as they are selected."""
        if isinstance(self.controls, int):
            return [self.controls]
        return self.controls if isinstance(self.controls, str) else list(self.controls)


class Occlusion(Analysis[OcclusionParameters]):
    """Shows how far the class score falls when a part of the image or volume is replaced, part by part.

    A window moves over the input (or every region of an atlas is taken in turn), what lies under it is replaced by the
    fill, and the fall of the score is drawn where the window was; where windows overlap, their mean. Positive: the
    class loses when this part is gone. Negative: this part speaks against it. It needs no gradient, so that it works
    with any network, and its numbers can be read as they are: 0.3 is thirty points of probability. Maps of volumes lie
    in the volume's own grid, those of images on the pixels that the network sees. Windows of volumes are placed alike
    from either end of an axis, so that a file that stores its voxels in another order gives the same map. An
    interrupted run goes on where it was.

    It misleads in three ways. What is put in is seen too: a black box in grey matter is a lesion of its own, and one in
    a photograph an object, which is why other fills are offered; compare two of them. One part at a time hides what two
    parts can do for each other: when left and right hippocampus, or two eyes, tell the same, removing one changes
    nothing; optimised masks remove them together. And what is found has the size of the window. Large windows cover
    more and so lower the score more: compare windows of one size only, and regions by their volume too.

    References
    ----------
    Zeiler, Fergus (2014). Visualizing and Understanding Convolutional Networks. ECCV. doi:10.1007/978-3-319-10590-1_53.
    Rieke, Eitel, Weygandt, Haynes, Ritter (2018). Visualizing Convolutional Networks for MRI-based Diagnosis of
    Alzheimer's Disease (area occlusion). MLCN. doi:10.1007/978-3-030-02628-8_3.
    """

    key = "occlusion"
    title = "Occlusion"
    revision = 2
    rank = 130
    accepts = ("images", "volumes")
    Parameters = OcclusionParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes or images, or no network for them."""
        return super().obstacles(study) or map_obstacles(study)

    def problems(self, study: Study, parameters: OcclusionParameters) -> list[str]:
        """Return sentences about windows, fill, inputs and class."""
        found = map_problems(study, parameters)
        try:
            if parameters.mode == "windows":
                _counts(study, parameters)
            elif parameters.atlas.strip().lower() == "none":
                found.append("Regions are wanted and the atlas is 'none'. Name an atlas.")
            if parse_fill(parameters.fill)[0] == "controls":
                if not parameters.controls and parameters.controls != 0:
                    found.append("Name the controls whose mean is put in, for example diagnosis=CN.")
                elif study.dataset is not None:
                    selected_count(study.dataset, parameters.control_selection())
        except UserError as error:
            found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: OcclusionParameters) -> Cost:
        """Return one evaluation per input and part, and one for the input as it is."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            count = input_count(study, parameters)
            parts = int(np.prod(_counts(study, parameters))) if parameters.mode == "windows" else _REGIONS
        except UserError:
            return Cost(0, 0)
        peak = pass_bytes(study, parameters, parts, forward_row_bytes(study.model), gradient=False)
        note = "" if parameters.mode == "windows" else f"With about {_REGIONS} regions; the atlas says how many."
        return Cost(count * (parts + 1), peak, note=note)

    def run(self, study: Study, parameters: OcclusionParameters, progress: Progress) -> Result:
        """Replace part after part, in batches."""
        opened = open_map_run(study, parameters, progress)
        maker = _maker(opened, parameters, progress)
        if (restored := progress.restored()) is not None:
            maker.memory.restore(restored.arrays)
        fall = "probability" if parameters.output in ("auto", "probability") else parameters.output.replace("_", "-")
        part = "window" if parameters.mode == "windows" else "region"
        place = "pixel" if opened.inputs.what == "image" else "voxel"
        words = MapWords(
            title="Occlusion" if parameters.mode == "windows" else "Occlusion by region",
            description=f"By how much the score falls when the {part} around a {place} is replaced. "
            "Negative: it rises.",
            unit=fall,
            signed=True,
        )

        def finish(items: dict[str, Item], found: list[FoundMaps]) -> Sequence[str]:
            return _finish(opened, maker, items, found)

        try:
            return run_maps(opened, study, parameters, progress, maker, words, finish=finish)
        except Stopped:
            # What was computed since the last checkpoint is worth keeping too.
            with contextlib.suppress(Stopped):
                maker.memory.keep()
            raise

    def example(self) -> Example[OcclusionParameters]:
        """Return four small images, and a network that looks for a bright, red square."""
        chosen = OcclusionParameters(
            target="bright", images="class=bright", window=6, stride=5, fill="mean", average=True
        )
        return Example(image_study(), chosen)

    def examples(self) -> tuple[Example[OcclusionParameters], ...]:
        """Return the images, and two small volumes with a network that looks for a bright box."""
        chosen = OcclusionParameters(
            target="AD", subjects="diagnosis=AD", window=4, stride=4, fill="mean", average=True, atlas="none"
        )
        return self.example(), Example(volume_study(), chosen)


def _counts(study: Study, parameters: OcclusionParameters) -> tuple[int, ...]:
    """Return the number of windows along each axis from the cards; ones where they don't tell the shape."""
    shape = own_shape(study)
    if max(shape) <= 1:
        return tuple(1 for _ in shape)
    unit = "voxels" if len(shape) == 2 else parameters.unit
    sizes = window_sizes(shape, own_spacing(study), parameters.window, parameters.stride, unit)
    return window_counts(shape, *sizes, mirrored=len(shape) == 3)


def _maker(opened: MapRun, parameters: OcclusionParameters, progress: Progress) -> OcclusionMaker:
    from sensiview.numerics.occlusion_maps import OcclusionMaker, OcclusionMemory, windows_on
    from sensiview.numerics.occlusion_windows import Patches, Regions
    from sensiview.numerics.replacement import replacement

    patches: Patches
    if parameters.mode == "windows":
        patches = windows_on(opened.space, parameters.window, parameters.stride, parameters.unit)
    elif opened.regions is None or opened.regions.labels is None:
        said = " ".join(opened.warnings)
        raise UserError(f"There is no atlas over these volumes, so there are no regions to replace. {said}".strip())
    else:
        patches = Regions(opened.regions.labels)
    put_in = replacement(
        parameters.fill,
        blur=parameters.blur,
        controls=parameters.control_selection(),
        inputs=opened.inputs,
        like=opened.indices[0],
        tick=lambda: progress.advance(0),
    )
    memory = OcclusionMemory()
    memory.keep = lambda: progress.checkpoint(Checkpoint(memory.arrays()))
    return OcclusionMaker(patches, put_in, memory)


def _finish(opened: MapRun, maker: OcclusionMaker, items: dict[str, Item], found: list[FoundMaps]) -> list[str]:
    """Put the falls per region into the table of regions; say what was replaced."""
    from sensiview.numerics.occlusion_windows import Regions, Windows

    patches, put_in = maker.patches, maker.replacement.words(opened.inputs.what)
    if isinstance(patches, Windows):
        sides = " x ".join(map(str, patches.window))
        size = f"{sides} pixels"
        if opened.inputs.what == "volume":
            mm = [f"{n * step:.3g}" for n, step in zip(patches.window, opened.space.spacing, strict=True)]
            size = f"{sides} voxels ({' x '.join(mm)} mm)"
        how = [maker.memory.inference.sentence] if maker.memory.inference is not None else []
        if len(patches) == 1:
            return [f"One window of {size} was replaced, by {put_in}.", *how]
        return [f"{len(patches):,} windows of {size} were replaced one by one, by {put_in}.", *how]
    assert isinstance(patches, Regions)
    assert opened.regions is not None
    drops = np.concatenate([one.drops for one in found if one.drops is not None])
    if isinstance(table := items.get("regions"), IndexTable):
        items["regions"] = with_drops(table, patches.labels, drops, opened)
    return [f"{len(patches)} regions of '{opened.regions.name}' were replaced one by one, by {put_in}."]
