"""The run that all maps of volumes share: open, make the maps some at a time, collect, say what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensiview.analysis.items import IndexTable, Item, Note
from sensiview.analysis.map_regions import RegionFinder, strongest
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.analysis.volume_map_items import MapCollection, MapWords
from sensiview.analysis.volume_map_parameters import VolumeMapParameters, VolumeParameters
from sensiview.datasets.volume import Grid
from sensiview.errors import UserError

if TYPE_CHECKING:
    from sensiview.numerics.volume_inputs import VolumeInputs
    from sensiview.numerics.volume_maps import FoundMaps, MapMaker


@dataclass(frozen=True, eq=False)
class MapRun:
    """Volumes and network opened, with the subjects that were chosen.

    Parameters
    ----------
    inputs : VolumeInputs
    indices : tuple of int
        Places of the chosen volumes.
    grid : Grid
        That all of them lie on.
    regions : RegionFinder
    warn : callable
        Keeps a sentence with the result and shows it.
    warnings : list of str
        What was said.
    """

    inputs: VolumeInputs
    indices: tuple[int, ...]
    grid: Grid
    regions: RegionFinder
    warn: Callable[[str], None]
    warnings: list[str]


def open_map_run(study: Study, parameters: VolumeParameters, progress: Progress) -> MapRun:
    """Open what a study names.

    Raises
    ------
    UserError
        No such subjects, or they lie on different grids.
    """
    from sensiview.numerics.volume_inputs import VolumeInputs

    warnings: list[str] = []

    def warn(sentence: str) -> None:
        if sentence not in warnings:
            warnings.append(sentence)
            progress.warn(sentence)

    progress.stage("Opening volumes and model")
    volumes, network = study.volumes(), study.network()
    indices = tuple(int(index) for index in volumes.select(parameters.chosen()))
    grid = volumes.grid(indices)
    for sentence in network.notices:
        warn(sentence)
    regions = RegionFinder(parameters.atlas, volumes.card, grid, warn)
    return MapRun(VolumeInputs(network, volumes), indices, grid, regions, warn, warnings)


def run_maps(
    opened: MapRun,
    study: Study,
    parameters: VolumeMapParameters,
    progress: Progress,
    maker: MapMaker,
    words: MapWords,
    *,
    finish: Callable[[dict[str, Item], list[FoundMaps]], Sequence[str]] = lambda items, found: (),
    keep_found: bool = False,
) -> Result:
    """Make the maps and return them as a result.

    Parameters
    ----------
    opened : MapRun
    study, parameters, progress
        Of the analysis.
    maker : MapMaker
    words : MapWords
        What the maps are called.
    finish : callable
        Gets the items, which it may change, and the maps' facts; returns sentences for the note.
    keep_found : bool
        Hand the maps' facts to `finish`, without the maps.

    Raises
    ------
    UserError, ModelError
        A class, layer or grid that does not fit; the sentence says which.
    """
    from dataclasses import replace

    from sensiview.numerics.careful_batches import CarefulBatches
    from sensiview.numerics.volume_maps import MapWork, each_map
    from sensiview.numerics.volume_scores import Scorer, VolumeReader, resolved

    inputs, card = opened.inputs, opened.inputs.network.card
    evaluations = 0

    def advance(rows: int) -> None:
        nonlocal evaluations
        evaluations += rows
        progress.advance(rows)

    scorer = Scorer(inputs, parameters.target, resolved(parameters.output, card, gradient=maker.gradient))
    work = MapWork(
        scorer,
        VolumeReader(inputs, opened.warn),
        CarefulBatches(inputs.network, parameters.rows_at_once(study), opened.warn),
        advance,
    )
    collection = MapCollection(
        inputs.volumes.card,
        card,
        inputs.volumes.names,
        opened.grid,
        scorer.names,
        parameters.average,
        len(opened.indices),
    )
    progress.stage(words.title, len(opened.indices) * maker.evaluations(opened.grid.shape))
    facts: list[FoundMaps] = []
    for found in each_map(maker, work, opened.indices):
        collection.add(found)
        if keep_found:
            facts.append(replace(found, values=found.values[:, :0]))
    progress.stage("Regions")
    items = collection.items(words, opened.regions.table)
    for sentence in collection.sentences():
        opened.warn(sentence)
    said = [_what(collection, scorer.kind)]
    regions = items.get("regions")
    if isinstance(regions, IndexTable) and (sentence := strongest(regions.frame)):
        said.append(sentence)
    elif opened.regions.labels is None:
        said.append("There is no table of regions: no atlas was found that lies over these volumes. Name one.")
    said += finish(items, facts)
    items["note"] = Note(title="What was done", text=" ".join([*said, *opened.warnings]))
    if not items.get("map") and not parameters.average:
        raise UserError("The maps are too large to be kept. Choose fewer subjects, or the average over them.")
    return Result(items, evaluations=evaluations, warnings=tuple(opened.warnings))


def _what(collection: MapCollection, kind: str) -> str:
    n = len(collection.subjects)
    scores = {"logit": "logit", "probability": "probability", "log_odds": "log-odds"}[kind]
    if not collection.classifier:
        scores = "output"
    return f"The maps of {n} volume{'' if n == 1 else 's'} explain the {scores} of {', '.join(collection.targets)}."
