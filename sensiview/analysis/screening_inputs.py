"""A screening's network and inputs, opened again so that parts can be changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.image_choice import as_selection
from sensiview.analysis.map_items import some
from sensiview.analysis.screening_choice import AUTO, MaskingChoice
from sensiview.analysis.screening_runs import ScreeningRun, lacking_networks
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.models.outputs import ResolvedKind, Target, parse_target

if TYPE_CHECKING:
    from sensiview.datasets.table import Table
    from sensiview.models.card import ModelCard
    from sensiview.models.network import Network
    from sensiview.numerics.careful_batches import CarefulBatches
    from sensiview.numerics.map_space import MapInputs
    from sensiview.numerics.screening.changed_inputs import ChangedInputs
    from sensiview.numerics.screening.partition import Division


@dataclass(frozen=True, eq=False)
class OpenedScreening:
    """The inputs of a screening under its network.

    Parameters
    ----------
    run : ScreeningRun
    changed : ChangedInputs
    names : tuple of str
        Of the inputs that are looked at.
    indices : tuple of int
        Their places, as `changed` takes them.
    targets : tuple of Target or None
        The true class of each; None where the data have no classes and the network's own answer stands in.
    kind : str
        The score that is watched.
    """

    run: ScreeningRun
    changed: ChangedInputs
    names: tuple[str, ...]
    indices: tuple[int, ...]
    targets: tuple[Target | None, ...]
    kind: ResolvedKind

    @property
    def card(self) -> ModelCard:
        """Of the network."""
        return self.changed.network.card

    @property
    def tells_classes(self) -> bool:
        """Whether the network tells classes apart, so that it can be right or wrong."""
        return self.card.emits != "value" or bool(self.card.class_names)


def open_screening(
    study: Study,
    run: ScreeningRun,
    parameters: MaskingChoice,
    advance: Callable[[int], None],
    warn: Callable[[str], None],
) -> OpenedScreening:
    """Open the network and the data of a screening.

    Raises
    ------
    UserError
        The network is gone, the inputs are not in the data set, or none of them has a class that the network knows.
    """
    from sensiview.numerics.careful_batches import CarefulBatches

    if run.run.network is None and study.network_loader is None:
        raise UserError(lacking_networks(study, [run.run]) or f"The network of '{run.title}' can't be opened.")
    network = run.run.network() if run.run.network is not None else study.network()
    for sentence in network.notices:
        warn(sentence)
    what = f"{run.what}s" if run.key else "rows"
    batches = CarefulBatches(network, parameters.rows_at_once(study), warn, what)
    if run.kind == "columns":
        return _rows(study, run, parameters, network, batches, advance, warn)
    inputs = _inputs(study, run, network)
    known = {name: place for place, name in enumerate(inputs.names)}
    wanted = run.names or tuple(inputs.names[int(i)] for i in inputs.select(_selection(run)))
    lacking = [name for name in wanted if name not in known]
    if lacking:
        raise UserError(
            f"'{run.title}' is of {some(lacking)}, which '{inputs.scored.source.card.name}' does not have (any more). "
            "Choose the data set that it was made on."
        )
    indices = [known[name] for name in wanted]
    targets = _targets(network.card, list(inputs.scored.source.card.class_counts), _labels(inputs, indices))
    indices, found = _usable(indices, targets, inputs.names, parameters.most, warn, what)
    changed: ChangedInputs
    if run.kind == "parts":
        changed = _masked(run, inputs, batches, advance, warn)
    else:
        changed = _regenerated(study, run, parameters, inputs, batches, advance)
    names = tuple(inputs.names[i] for i in indices)
    return OpenedScreening(run, changed, names, tuple(indices), tuple(found), _kind(parameters, network.card))


def _inputs(study: Study, run: ScreeningRun, network: Network) -> MapInputs:
    if run.key == "subject":
        from sensiview.numerics.volume_inputs import VolumeInputs
        from sensiview.numerics.volume_map_space import VolumeMapInputs

        return VolumeMapInputs(VolumeInputs(network, study.volumes()))
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.image_map_space import ImageMapInputs

    return ImageMapInputs(ImageInputs(network, study.images()))


def _selection(run: ScreeningRun) -> str | list[int | str]:
    chosen = run.run.parameters.get("images" if run.key == "image" else "subjects", "all")
    return as_selection(chosen if isinstance(chosen, str | int | list) else "all")


def _masked(
    run: ScreeningRun,
    inputs: MapInputs,
    batches: CarefulBatches,
    advance: Callable[[int], None],
    warn: Callable[[str], None],
) -> ChangedInputs:
    from sensiview.numerics.screening.masked_inputs import MaskedInputs, division_of

    def division(index: int) -> Division:
        name = inputs.names[index]
        indices = run.own.get(name) or run.average
        assert indices is not None
        return division_of(run.labels(name), indices.factors)

    return MaskedInputs(inputs, division, batches, advance, warn)


def _regenerated(
    study: Study,
    run: ScreeningRun,
    parameters: MaskingChoice,
    inputs: MapInputs,
    batches: CarefulBatches,
    advance: Callable[[int], None],
) -> ChangedInputs:
    from sensiview.analysis.screening_parameters import ScreeningParameters
    from sensiview.analysis.screening_plan import generator_of
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.screening.generated_images import GeneratedImages
    from sensiview.numerics.screening.redrawn_inputs import RegeneratedInputs

    if not isinstance(inputs.scored, ImageInputs):
        raise UserError(f"'{run.title}' does not hold the parts of its volumes. Run the screening again.")
    wanted = str(run.run.parameters.get("generator", AUTO))
    images = GeneratedImages(inputs.scored, generator_of(study, ScreeningParameters(generator=wanted)))
    indices = next(iter(run.own.values()), run.average)
    names = tuple(factor.name for factor in images.factors)
    if indices is not None and indices.factors != names:
        raise UserError(
            f"'{run.title}' has the factors {', '.join(indices.factors)}; the generator has {', '.join(names)} now. "
            "Run the screening again."
        )
    return RegeneratedInputs(images, batches, advance, parameters.repeats, study.seed)


def _rows(
    study: Study,
    run: ScreeningRun,
    parameters: MaskingChoice,
    network: Network,
    batches: CarefulBatches,
    advance: Callable[[int], None],
    warn: Callable[[str], None],
) -> OpenedScreening:
    from sensiview.numerics.screening.redrawn_inputs import RedrawnRows
    from sensiview.numerics.study_inputs import model_order

    table = study.table()
    order = model_order(table.card, network.card)
    factors = (run.average or next(iter(run.own.values()))).factors
    if set(factors) - set(order):
        raise UserError(
            f"'{run.title}' has the factors {some(sorted(set(factors) - set(order)))}, which are no columns of "
            f"'{table.card.name}'. Choose the table that it was made on."
        )
    rows = table.complete_rows()
    places = {int(row): place for place, row in enumerate(rows)}
    wanted = [_row_number(name) for name in run.names] if run.own else list(places)
    usable = [row for row in wanted if row in places]
    if not usable:
        raise UserError(f"No row of '{run.title}' is complete in '{table.card.name}'. Choose rows without gaps.")
    targets = _targets(network.card, list(table.card.class_counts), _codes(table, usable))
    names = dict(zip(wanted, run.names, strict=False)) or {row: f"row {row}" for row in places}
    indices, found = _usable(usable, targets, names, parameters.most, warn, "rows")
    columns = [table.card.features.index(name) for name in order]
    values = table.features(rows)[:, columns]
    # The factors of the screening are columns of the values, perhaps in another order.
    changed = RedrawnRows(
        network, batches, advance, parameters.repeats, study.seed, values, [order.index(name) for name in factors]
    )
    return OpenedScreening(
        run,
        changed,
        tuple(names[row] for row in indices),
        tuple(places[row] for row in indices),
        tuple(found),
        _kind(parameters, network.card),
    )


def _row_number(name: str) -> int:
    digits = "".join(c if c.isdecimal() else " " for c in name).split()
    return int(digits[-1]) if digits else -1


def _codes(table: Table, rows: Sequence[int]) -> Sequence[int] | None:
    if table.card.target is None or not table.card.class_counts:
        return None
    return [int(code) for code in table.class_codes()[np.asarray(rows)]]


def _labels(inputs: MapInputs, indices: Sequence[int]) -> Sequence[int] | None:
    card = inputs.scored.source.card
    if card.target is None or not card.class_counts:
        return None
    return [int(code) for code in inputs.scored.source.labels(indices)]


def _targets(card: ModelCard, names: Sequence[str], codes: Sequence[int] | None) -> list[Target | None] | None:
    """Return the true class of each input, None where the network does not know it; None where there are no classes."""
    if codes is None or (card.emits == "value" and not card.class_names):
        return None
    known: dict[int, Target | None] = {-1: None}
    for code in set(codes) - {-1}:
        try:
            known[code] = parse_target(names[code], card)[0]
        except UserError:
            known[code] = None
    return [known[code] for code in codes]


def _usable(
    indices: Sequence[int],
    targets: Sequence[Target | None] | None,
    names: Sequence[str] | dict[int, str],
    most: int,
    warn: Callable[[str], None],
    what: str,
) -> tuple[list[int], list[Target | None]]:
    """Return the inputs whose class is known, at most so many, evenly taken; all where the data have no classes."""
    pairs: list[tuple[int, Target | None]] = list(zip(indices, targets or [None] * len(indices), strict=True))
    if targets is None:
        warn(
            f"The {what} have no classes that the network tells apart: its own answer to each counts as the right one."
        )
    else:
        foreign = [names[index] for index, target in pairs if target is None]
        pairs = [pair for pair in pairs if pair[1] is not None]
        if not pairs:
            raise UserError(
                f"The network knows the class of none of the {what} ({some(foreign)}). Give the model the data's class "
                "names."
            )
        if foreign:
            warn(f"Left out, as their class is missing or not one of the network's: {some(foreign)}.")
    chosen = np.linspace(0, len(pairs) - 1, min(most, len(pairs))).round().astype(int)
    return [pairs[place][0] for place in chosen], [pairs[place][1] for place in chosen]


def _kind(parameters: MaskingChoice, card: ModelCard) -> ResolvedKind:
    if card.emits == "value" and not card.class_names:
        return "value"
    return "logit" if parameters.output == "logit" else "probability"
