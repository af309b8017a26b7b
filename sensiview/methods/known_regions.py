"""Maps held against regions that are known to matter: how truthful each kind of map is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.finished_maps import SPACE, maps_of, unique_titles
from sensiview.analysis.items import FieldMap, Item, Mask, Note
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.region_truth_items import ranking_of, truth_items, verdict
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.datasets.atlas import DEFAULT_ATLAS, Atlas, atlas_for, atlas_on, bundled_names, find_atlas
from sensiview.datasets.atlas_sides import find_regions
from sensiview.datasets.describing import listed
from sensiview.datasets.volume import Grid, Volume
from sensiview.errors import DataError, UserError, suggestion

if TYPE_CHECKING:
    import pandas as pd

    from sensiview.datasets.volumes import VolumeSet

_BYTES_PER_VOXEL = 32  # strength, labels and their places, what is sorted for the ROC curve; measured at 1 mm


class KnownRegionsParameters(Parameters):
    """Which finished maps, and which regions they should show."""

    runs: str | list[str] = parameter(
        [],
        label="Maps from runs",
        help="Finished runs with masks or maps of volumes: optimised masks, Grad-CAM, occlusion, saliency.",
        suggestions="runs:mask_optimization,lambda_grid,grad_cam,grad_cam_pp,saliency,integrated_gradients,occlusion",
    )
    regions: str | int | list[str | int] = parameter(
        [],
        label="Known regions",
        help="Names of atlas regions that matter; without a side, both sides (Hippocampus).",
    )
    atlas: str = parameter(
        "",
        label="Atlas",
        help="A bundled atlas or a label volume's path; empty: the data set's own, else Desikan-Killiany.",
    )
    dilate: int = parameter(
        1,
        label="Dilation",
        help="A map counts as inside the regions up to this many voxels beside them (0 is strict).",
        unit="voxels",
        ge=0,
        le=20,
    )
    share: float = parameter(
        0.5,
        label="Wanted share",
        help="A map is called truthful when at least this share of it lies inside the dilated regions.",
        gt=0.0,
        le=1.0,
    )
    subjects: Literal["mean", "each"] = parameter(
        "mean",
        label="Maps of several subjects",
        help="mean: the average of the subjects' maps is compared; each: every subject's own.",
        advanced=True,
    )

    def run_names(self) -> list[str]:
        """Return the runs as a list, each once."""
        return _as_list(self.runs)

    def region_names(self) -> list[str]:
        """Return the regions as a list, each once; commas separate those written as one text."""
        return _as_list(self.regions)


@dataclass(frozen=True)
class _Placed:
    """An atlas on one grid."""

    grid: Grid
    atlas: Atlas
    labels: npt.NDArray[Any]
    known: dict[str, tuple[int, ...]]


class KnownRegions(Analysis[KnownRegionsParameters]):
    """Compares masks and maps with regions that are known to matter: shares, ranks and peaks.

    Where the truth is known (a simulated loss, a lesion that was drawn, regions that pathology names) a map can be
    wrong, and this says how wrong. `shares` has one row for each map: how much of its strength lies inside the known
    regions and inside them grown by some voxels, `chance` (what an even map over the atlas would have), whether the
    peak lies inside (the pointing game), how far it is away, the best and mean rank of the known regions among all,
    `found` (the share of them among the first ranks, 1 when they come first), and the area under the ROC curve that
    tells voxels of the known regions from the others. `ranking` lists every region with its density for every map. The
    strength of a mask m is 1 - m, that of a map its absolute value; a map of several subjects is averaged first.

    It misleads where the truth is only believed: a network may be right to look elsewhere. Small regions reach high
    densities easily and large ones large shares, so read rank and share together. Smooth maps leak over borders, for
    which the dilation allows; a low share with a high area under the curve is such a map. The atlas's borders are not
    the patient's.

    References: J. Zhang et al., Top-down neural attention by excitation backprop, IJCV 126 (2018) (pointing game);
    R. Fong and A. Vedaldi, Interpretable explanations of black boxes by meaningful perturbation, ICCV 2017.
    """

    key = "known_regions"
    title = "Map against known regions"
    rank = 75
    accepts = ("volumes",)
    needs_model = False
    Parameters = KnownRegionsParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no data set of volumes, or no finished run to compare."""
        none = ["There is no finished run with maps yet. Optimise a mask or run Grad-CAM first."]
        return super().obstacles(study) or ([] if study.runs else none)

    def problems(self, study: Study, parameters: KnownRegionsParameters) -> list[str]:
        """Return sentences about runs, regions and atlas that are missing or not there."""
        known = dict(study.runs or {})
        found = [
            f"There is no finished run '{run}'.{suggestion(run, list(known))}"
            for run in parameters.run_names()
            if run not in known
        ]
        if not parameters.run_names():
            found.append("Choose at least one finished run with masks or maps.")
        if not parameters.region_names():
            found.append("Name at least one known region, such as Hippocampus.")
        own = (study.dataset.extra.get("atlas") or {}) if study.dataset else {}
        names = bundled_names(parameters.atlas.strip() or str(own.get("file") or DEFAULT_ATLAS))
        if names:
            try:
                find_regions(names, parameters.region_names())
            except UserError as error:
                found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: KnownRegionsParameters) -> Cost:
        """No evaluations; memory for one map at a time beside the run's own maps."""
        shape = (study.dataset.extra.get("shape") if study.dataset else None) or (181, 217, 181)
        voxels = int(np.prod([int(n) for n in shape], dtype=np.int64))
        runs = max(1, len(parameters.run_names()))
        # One map of each run besides, float32; grids of parameters hold more, which the cards don't tell.
        return Cost(
            evaluations=0, peak_bytes=(_BYTES_PER_VOXEL + 4 * runs) * voxels, other_seconds=1.0 + runs * voxels * 3e-7
        )

    def run(self, study: Study, parameters: KnownRegionsParameters, progress: Progress) -> Result:
        """Compare every map of the runs; UserError when a run has none or a region is not in the atlas."""
        from sensiview.numerics.region_truth import compare_with_truth
        from sensiview.numerics.regions import region_table

        wrong = self.problems(study, parameters)
        if wrong:
            raise UserError(" ".join(wrong))
        said: list[str] = []

        def warn(sentence: str) -> None:
            if sentence not in said:
                said.append(sentence)
                progress.warn(sentence)

        runs = [study.finished(name) for name in parameters.run_names()]
        titles = unique_titles(runs)
        progress.stage("Maps against known regions", len(runs))
        placed: list[_Placed] = []
        tables: list[pd.DataFrame] = []
        rows: list[dict[str, Any]] = []
        for run in runs:
            maps = 0
            for one in maps_of(run, titles[run.id], parameters.subjects):
                maps += 1
                here = _placed_on(one.grid, placed, study, parameters, warn)
                labels = {label for group in here.known.values() for label in group}
                table = region_table(one.values, here.labels, here.atlas.names, one.grid.affine, kind=one.kind)
                strength = np.asarray(one.values, dtype=np.float64)
                strength = (1.0 - strength).clip(min=0.0) if one.kind == "mask" else np.abs(strength)
                truth = compare_with_truth(
                    strength, here.labels, labels, table, one.grid.affine, dilate=parameters.dilate
                )
                if np.isnan(truth.share_inside):
                    warn(f"'{one.name}' is zero everywhere: there is nothing to compare.")
                rows.append({"map": one.name, "run": one.run, "analysis": one.analysis, **asdict(truth)})
                tables.append(ranking_of(one.name, table, labels))
                progress.advance(0)
            if not maps:
                raise UserError(
                    f"'{titles[run.id]}' has no map of volumes. Choose runs of masks, Grad-CAM, occlusion or saliency."
                )
            progress.advance(1)
        atlas, known = placed[0].atlas, placed[0].known
        dilate, share = parameters.dilate, parameters.share
        names = [atlas.names[label] for group in known.values() for label in group]
        note = Note(title="What the comparison says", text=verdict(rows, names, atlas.name, dilate=dilate, share=share))
        facts = {"atlas": atlas.name, "regions": names, "maps": len(rows)}
        return Result(
            {**truth_items(rows, tables, dilate=dilate, share=share), "note": note}, warnings=tuple(said), facts=facts
        )

    def example(self) -> Example[KnownRegionsParameters]:
        """Return a mask inside both hippocampi and noise of two subjects, on a coarse grid in MNI space."""
        from sensiview.datasets.volume_opening import volumes_from_images

        atlas = find_atlas("desikan_killiany")
        grid = Grid((19, 23, 20), np.array([[8.0, 0, 0, -72], [0, 8, 0, -106], [0, 0, 8, -71], [0, 0, 0, 1]]))
        labels = atlas_on(atlas, grid)
        random = np.random.default_rng(1)
        values = ((labels > 0) * random.uniform(0.5, 1.0, (2, *grid.shape))).astype(np.float32)
        volumes = volumes_from_images([Volume(one, grid.affine) for one in values], name="example")
        planted = [label for group in find_regions(atlas.names, ["Hippocampus"]).values() for label in group]
        space: dict[str, Any] = {"affine": grid.affine, "over": volumes.card.name}
        mask = Mask(
            title="Mask",
            description="Removes most of both hippocampi.",
            values=np.where(np.isin(labels, planted), 0.2, 0.95).swapaxes(0, 2),
            axes=SPACE,
            **space,
        )
        noise = FieldMap(
            title="Map",
            description="Noise without any meaning.",
            values=random.normal(size=(2, *mask.values.shape)),
            axes=("subject", *SPACE),
            signed=True,
            coordinates={"subject": volumes.names},
            **space,
        )
        runs = {
            "mask": _example_run("mask", "mask_optimization", {"mask": mask}, volumes),
            "noise": _example_run("noise", "saliency", {"map": noise}, volumes),
        }
        study = Study(dataset=volumes.card, runs=runs, volumes_loader=lambda: volumes)
        chosen = KnownRegionsParameters(runs=list(runs), regions=["Hippocampus"], atlas="desikan_killiany")
        return Example(study, chosen)


def _as_list(given: str | int | Sequence[str | int]) -> list[str]:
    # A region without a name is called by its number, which a command line reads as one.
    parts = str(given).split(",") if isinstance(given, str | int) else [str(part) for part in given]
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _placed_on(
    grid: Grid,
    placed: list[_Placed],
    study: Study,
    parameters: KnownRegionsParameters,
    warn: Callable[[str], None],
) -> _Placed:
    """Return the atlas on this grid, from `placed` or new and kept there."""
    for known in placed:
        if known.grid.same_as(grid):
            return known
    from sensiview.numerics.regions import region_labels

    chosen = atlas_for(parameters.atlas, study.dataset, grid, _data_on(grid, study))
    if chosen is None:
        raise DataError(
            "No atlas fits these maps: they are not in MNI space, as the bundled one is. Choose a label volume of "
            "their own space."
        )
    atlas, labels, warnings = chosen
    for sentence in warnings:
        warn(sentence)
    known_labels = find_regions(atlas.names, parameters.region_names())
    present = set(region_labels(labels).tolist())
    lost = [atlas.names[i] for group in known_labels.values() for i in group if i not in present]
    if all(i not in present for group in known_labels.values() for i in group):
        raise DataError(f"None of the known regions has a voxel on the maps' grid: {listed(lost)}.")
    if lost:
        warn(f"Known regions without a voxel on the maps' grid count nowhere: {listed(lost)}.")
    placed.append(_Placed(grid, atlas, labels, known_labels))
    return placed[-1]


def _data_on(grid: Grid, study: Study) -> npt.NDArray[Any] | None:
    """Return the first volume on this grid, to tell whether the data are in the atlas's space; None without one."""
    try:
        volumes = study.volumes()
        for index, entry in enumerate(volumes.entries):
            if entry.grid.same_as(grid):
                return volumes.volume(index).values()
    except UserError:
        # The maps are enough to compare; that the volumes have moved since is no reason to refuse.
        return None
    return None


def _example_run(name: str, analysis: str, items: Mapping[str, Item], volumes: VolumeSet) -> Finished:
    return Finished(id=name, result=lambda: Result(items), name=name, analysis=analysis, dataset=volumes.card)
