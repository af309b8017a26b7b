"""The run that all maps share: open, make the maps some at a time, collect, say what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.items import IndexTable, Item, Note
from sensiview.analysis.map_items import Layout, MapCollection, MapWords
from sensiview.analysis.map_parameters import ChoiceParameters, MapParameters
from sensiview.analysis.map_regions import RegionFinder, strongest
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import UserError

if TYPE_CHECKING:
    from sensiview.models.card import ModelCard
    from sensiview.numerics.map_makers import FoundMaps, MapMaker
    from sensiview.numerics.map_memory import MapMemory
    from sensiview.numerics.map_space import MapInputs, Space


@dataclass(frozen=True, eq=False)
class MapRun:
    """Volumes or images, and a network, opened, with what was chosen of them.

    Parameters
    ----------
    inputs : MapInputs
    indices : tuple of int
        Places of the chosen inputs.
    space : Space
        That all of them lie on.
    layout : Layout
        How maps of this kind become items.
    regions : RegionFinder or None
        Of volumes.
    warn : callable
        Keeps a sentence with the result and shows it.
    warnings : list of str
        What was said.
    """

    inputs: MapInputs
    indices: tuple[int, ...]
    space: Space
    layout: Layout
    regions: RegionFinder | None
    warn: Callable[[str], None]
    warnings: list[str]

    @property
    def card(self) -> ModelCard:
        """Of the network."""
        return self.inputs.network.card


def open_map_run(study: Study, parameters: ChoiceParameters, progress: Progress) -> MapRun:
    """Open what a study names.

    Raises
    ------
    UserError
        No such inputs, or they lie on different grids.
    """
    warnings: list[str] = []

    def warn(sentence: str) -> None:
        if sentence not in warnings:
            warnings.append(sentence)
            progress.warn(sentence)

    opened = _images(study, parameters, progress, warn, warnings) if _of_images(study) else None
    opened = opened or _volumes(study, parameters, progress, warn, warnings)
    for sentence in opened.inputs.network.notices:
        warn(sentence)
    return opened


def _of_images(study: Study) -> bool:
    return study.dataset is not None and study.dataset.kind == "images"


def _volumes(
    study: Study, parameters: ChoiceParameters, progress: Progress, warn: Callable[[str], None], warnings: list[str]
) -> MapRun:
    from sensiview.analysis.volume_map_items import VolumeLayout
    from sensiview.numerics.volume_inputs import VolumeInputs
    from sensiview.numerics.volume_map_space import VolumeMapInputs

    progress.stage("Opening volumes and model")
    volumes, network = study.volumes(), study.network()
    indices = tuple(int(index) for index in volumes.select(parameters.chosen("volumes")))
    grid = volumes.grid(indices)
    inputs = VolumeMapInputs(VolumeInputs(network, volumes))
    regions = RegionFinder(parameters.atlas, volumes.card, grid, warn)
    return MapRun(inputs, indices, inputs.space(indices), VolumeLayout(grid), regions, warn, warnings)


def _images(
    study: Study, parameters: ChoiceParameters, progress: Progress, warn: Callable[[str], None], warnings: list[str]
) -> MapRun:
    from sensiview.analysis.image_map_items import ImageLayout
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.image_map_space import ImageMapInputs

    progress.stage("Opening images and model")
    images, network = study.images(), study.network()
    indices = tuple(int(index) for index in images.select(parameters.chosen("images")))
    inputs = ImageMapInputs(ImageInputs(network, images))
    space = inputs.space(indices)
    return MapRun(inputs, indices, space, ImageLayout(space.shape, images.valid_range), None, warn, warnings)


def run_maps(
    opened: MapRun,
    study: Study,
    parameters: MapParameters,
    progress: Progress,
    maker: MapMaker,
    words: MapWords,
    *,
    finish: Callable[[dict[str, Item], list[FoundMaps]], Sequence[str]] = lambda items, found: (),
    memory: MapMemory | None = None,
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
        Gets the items, which it may change, and the maps' facts without the maps; returns sentences for the note.
    memory : MapMemory, optional
        Maps that are made already, and that are kept for an interrupted run to go on.

    Raises
    ------
    UserError, ModelError
        A class, layer or grid that does not fit; the sentence says which.
    """
    from dataclasses import replace

    from sensiview.numerics.careful_batches import CarefulBatches
    from sensiview.numerics.map_makers import MapWork, as_floats, each_map
    from sensiview.numerics.volume_scores import Scorer, resolved

    inputs, card = opened.inputs, opened.card
    evaluations = 0

    def advance(rows: int) -> None:
        nonlocal evaluations
        evaluations += rows
        progress.advance(rows)

    scorer = Scorer(inputs.scored, parameters.target, resolved(parameters.output, card, gradient=maker.gradient))
    work = MapWork(
        scorer,
        inputs.reader(opened.warn),
        CarefulBatches(inputs.network, parameters.rows_at_once(study), opened.warn, f"{inputs.what}s"),
        advance,
    )
    collection = MapCollection(
        inputs.scored.source.card,
        card,
        inputs.names,
        opened.layout,
        scorer.names,
        parameters.average,
        len(opened.indices),
        words.channels,
    )
    facts: list[FoundMaps] = []

    def take(found: FoundMaps) -> None:
        collection.add(found)
        # Without the maps: a view of them would hold them.
        facts.append(replace(found, values=np.empty((len(found.indices), 0), dtype=np.float32), rows=None))

    left = list(opened.indices)
    if memory is not None:
        for found in memory.found(left):
            rows, _ = work.reader(found.indices)
            take(replace(found, rows=as_floats(rows)))
            left.remove(found.indices[0])
    progress.stage(words.title, len(left) * maker.evaluations(opened.space.shape))
    for found in each_map(maker, work, left):
        take(found)
        if memory is not None:
            memory.add(found)
    collection.in_order(opened.indices)
    if opened.regions is not None:
        progress.stage("Regions")
    items = collection.items(words, opened.regions.table if opened.regions is not None else None)
    for sentence in collection.sentences():
        opened.warn(sentence)
    said = [_what(collection, scorer.kind, inputs.what)]
    regions = items.get("regions")
    if isinstance(regions, IndexTable) and (sentence := strongest(regions.frame)):
        said.append(sentence)
    elif opened.regions is not None and opened.regions.labels is None:
        said.append("There is no table of regions: no atlas was found that lies over these volumes. Name one.")
    said += finish(items, facts)
    items["note"] = Note(title="What was done", text=" ".join([*said, *opened.warnings]))
    if not items.get("map") and not parameters.average:
        raise UserError(f"The maps are too large to be kept. Choose fewer {inputs.what}s, or the average over them.")
    return Result(items, evaluations=evaluations, warnings=tuple(opened.warnings))


def _what(collection: MapCollection, kind: str, what: str) -> str:
    n = len(collection.subjects)
    maps = f"The maps of {n} {what}s explain" if n > 1 else f"The map of '{collection.subjects[0]}' explains"
    words = ("true class", "predicted class")
    if not collection.classifier:
        named = [name for name in collection.targets if name not in (*words, "output")]
        return f"{maps} the network's output{' ' if named else ''}{', '.join(named)}."
    scores = {"logit": "logit", "probability": "probability", "log_odds": "log-odds"}[kind]
    classes = ", ".join(f"the {name}" if name in words else name for name in collection.targets)
    return f"{maps} the {scores} of {classes}."
