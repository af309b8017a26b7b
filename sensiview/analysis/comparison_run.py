"""The comparison itself: maps read, compared pair by pair, and held against the network."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.comparison_items import (
    area_items,
    curve_items,
    picture_items,
    similarity_items,
)
from sensiview.analysis.comparison_maps import ComparedMap, common_inputs, compared_maps
from sensiview.analysis.comparison_plan import ComparisonParameters, compared_runs
from sensiview.analysis.comparison_words import comparison_sentences
from sensiview.analysis.image_choice import as_selection
from sensiview.analysis.items import Item, Note
from sensiview.analysis.map_items import some
from sensiview.analysis.map_parameters import Targets
from sensiview.analysis.map_run import MapRun, open_map_run
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import UserError

if TYPE_CHECKING:
    from sensiview.numerics.sanity_checks import Trial

Floats = NDArray[np.float64]


class ComparisonRun:
    """Maps of finished runs, and what comes of comparing them."""

    def __init__(self, study: Study, parameters: ComparisonParameters, progress: Progress) -> None:
        self.study, self.parameters, self.progress = study, parameters, progress
        self.runs = compared_runs(study, parameters)
        self.opened: MapRun = open_map_run(study, parameters, progress)
        self.evaluations = 0
        layout, inputs = self.opened.layout, self.opened.inputs
        self.maps: list[ComparedMap] = compared_maps(self.runs, layout.axes, layout.key, inputs.names)
        chosen = [inputs.names[index] for index in self.opened.indices]
        self.names = common_inputs(self.maps, chosen, parameters.most, inputs.what)
        self.indices = tuple(inputs.names.index(name) for name in self.names)
        self.fields = {one.name: self._field(one) for one in self.maps}

    def _advance(self, rows: int) -> None:
        self.evaluations += rows
        self.progress.advance(rows)

    def _field(self, one: ComparedMap) -> Floats:
        """Return a map of the compared inputs, (n, *shape), as it is compared."""
        shape = self.opened.space.shape
        for name in self.names:
            if one.values[name].shape != shape:
                sizes = " x ".join(map(str, one.values[name].shape)), " x ".join(map(str, shape))
                raise UserError(
                    f"The map '{one.name}' of '{name}' has {sizes[0]} places, the network sees {sizes[1]}. Choose runs "
                    "made with the same preprocessing, or the model that they were made with."
                )
        values = np.stack([one.values[name] for name in self.names])
        return np.abs(values) if self.parameters.values == "absolute" else values

    def result(self) -> Result:
        """Compare the maps, and tell it."""
        items: dict[str, Item] = {}
        key, layout = self.opened.layout.key, self.opened.layout
        self.progress.stage("Comparing maps")
        inside = self._inside()
        items |= similarity_items(self._similarity(inside), list(self.fields), key, self.parameters.share)
        areas = self._areas(inside)
        items |= area_items(areas, key)
        rows, targets = self._curves()
        if rows:
            items |= curve_items(rows, self.parameters.steps, key)
        over = self.opened.inputs.scored.source.card.name
        # The pictures first; what is told input by input last.
        pictures = picture_items(self.fields, self.names, layout, over)
        first = {"maps": pictures["maps"]} | {name: item for name, item in items.items() if not name.endswith("_each")}
        items = first | {"differences": pictures["differences"]} | items
        items |= layout.below(self.names, range(len(self.names)), keep=True, average=False)
        text = [self._about(targets), *comparison_sentences(items, areas, key), *self.opened.warnings]
        note = Note(title="What the comparison says", text=" ".join(text))
        return Result({**items, "note": note}, evaluations=self.evaluations, warnings=tuple(self.opened.warnings))

    def _inside(self) -> list[NDArray[np.bool_]]:
        """Return where each input has anything to look at, and see the inputs."""
        from sensiview.numerics.map_makers import as_floats

        read = self.opened.inputs.reader(self.opened.warn)
        found = []
        for index in self.indices:
            rows, space = read([index])
            if space.shape != self.opened.space.shape:
                raise UserError(f"'{self.opened.inputs.names[index]}' lies on another grid than the others.")
            self.opened.layout.see(as_floats(rows))
            found.append(self.opened.inputs.inside(rows))
            self.progress.advance(0)
        return found

    def _similarity(self, inside: list[NDArray[np.bool_]]) -> list[dict[str, Any]]:
        from sensiview.numerics.map_similarity import jaccard, rank_correlation, top_overlap

        share = self.parameters.share
        rows = []
        for place, name in enumerate(self.names):
            for one, other in combinations(self.fields, 2):
                a, b = self.fields[one][place][inside[place]], self.fields[other][place][inside[place]]
                rows.append(
                    {
                        self.opened.layout.key: name,
                        "map_1": one,
                        "map_2": other,
                        "rank_correlation": rank_correlation(a, b),
                        "top_overlap": top_overlap(a, b, share),
                        "jaccard": jaccard(a, b, share),
                    }
                )
            self.progress.advance(0)
        return rows

    def _areas(self, inside: list[NDArray[np.bool_]]) -> list[dict[str, Any]]:
        from sensiview.numerics.map_similarity import area_at_half_maximum

        rows, empty = [], []
        for place, name in enumerate(self.names):
            for one, field in self.fields.items():
                area = area_at_half_maximum(field[place][inside[place]])
                rows.append({self.opened.layout.key: name, "map": one, "area": area})
                if np.isnan(area):
                    empty.append(f"{one} of {name}")
        if empty:
            self.opened.warn(f"Nowhere above 0, so without an area: {some(empty)}.")
        return rows

    def _curves(self) -> tuple[list[dict[str, Any]], list[str]]:
        """Return the points of all curves, and the classes whose scores were watched."""
        from sensiview.numerics.deletion import cells
        from sensiview.numerics.replacement import replacement
        from sensiview.numerics.sanity_removal import RemovalScores, removal_curves

        parameters, opened = self.parameters, self.opened
        groups: dict[str, tuple[Targets, dict[str, Floats]]] = {}
        for one in self.maps:
            target = one.target if parameters.own_targets else parameters.target
            groups.setdefault(str(target), (target, {}))[1][one.name] = self.fields[one.name]
        fill = replacement(
            parameters.fill,
            blur=parameters.blur,
            controls=as_selection(parameters.controls),
            inputs=opened.inputs,
            like=self.indices[0],
            tick=lambda: self.progress.advance(0),
        )
        rows: list[dict[str, Any]] = []
        self.progress.stage("Deletion and insertion")
        for number, (target, fields) in enumerate(groups.values()):
            trial = self._trial(target, next(iter(fields.values())))
            if not parameters.steps:
                continue
            side = [parameters.cell] * len(opened.space.shape)
            found = removal_curves(
                RemovalScores(trial, fill),
                fields,
                lambda shape, side=side: cells(shape, side),  # type: ignore[misc] # the default binds this round's
                parameters.steps,
                parameters.orders,
            )
            # Random orders of several classes are all random orders.
            rows += [row | {"repeat": row["repeat"] + number * parameters.orders} for row in found]
        return rows, list(groups)

    def _trial(self, target: Targets, maps: Floats) -> Trial:
        """Return what scores are watched on, with the class of every input."""
        from sensiview.numerics.sanity_checks import Trial
        from sensiview.numerics.volume_scores import Scorer

        inputs = self.opened.inputs
        scorer = Scorer(inputs.scored, target, "probability")
        if scorer.count != 1:
            raise UserError("A map of several classes at once can't be held against one score. Choose single classes.")
        read = inputs.reader(lambda _: None)
        targets = {}
        with inputs.network.measuring():
            for index in self.indices:
                rows, space = read([index])
                targets[index] = scorer.choose([index], space.forward(rows.clone(), rows))[0]
                self._advance(1)
        return Trial(
            inputs,
            self.indices,
            self.opened.space,
            "probability",
            maps,
            targets,
            read,
            self.parameters.rows_at_once(self.study),
            self._advance,
            self.opened.warn,
            self.study.seed,
        )

    def _about(self, targets: list[str]) -> str:
        key = self.opened.layout.key
        text = f"{len(self.fields)} maps of {len(self.names)} {key}{'s' if len(self.names) > 1 else ''} were compared."
        models = {run.model.name for run in self.runs if run.model is not None}
        own = self.opened.card.name
        if self.parameters.steps:
            watched = ", ".join(f"the {t} class" if t in ("true", "predicted") else f"'{t}'" for t in targets)
            text += f" Deletion and insertion watch the probability of {watched}"
            text += f" that '{own}' gives." if models - {own} else "."
        return text
