"""`prob_cnn`: every network looks at the subjects masked by every mask."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import Array
from sensiview.analysis.mask_contexts import MaskContext
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError
from sensiview.numerics.mask_cost import batch_rows
from sensiview.numerics.mask_fills import Fill
from sensiview.numerics.mask_subjects import CONTROLS, Selection, choose_subjects

if TYPE_CHECKING:
    from sensiview.datasets.volume import Grid
    from sensiview.datasets.volumes import VolumeSet

_MOST_TOLD = 5


def networks_of(runs: Sequence[Finished]) -> list[Finished]:
    """Return one run per network that can be opened: two runs of one model have the same."""
    known: dict[str, Finished] = {}
    for run in runs:
        if run.network is not None:
            known.setdefault(_network_key(run), run)
    return list(known.values())


def _network_key(run: Finished) -> str:
    return run.model.model_dump_json() if run.model is not None else run.id


def transfer_matrix(
    study: Study,
    subjects: Selection,
    contexts: Sequence[MaskContext],
    grid: Grid,
    progress: Progress,
) -> tuple[Array | None, int]:
    """Return prob_cnn (contexts, contexts) or None where no network can be opened, and the rows evaluated."""
    lacking = list(dict.fromkeys(one.run.name or one.run.id for one in contexts if one.run.network is None))
    if lacking:
        progress.warn(
            f"The network of {', '.join(lacking[:_MOST_TOLD])} can't be opened, so prob_cnn is not known for its rows."
        )
    networks = networks_of([one.run for one in contexts])
    if not networks:
        return None, 0
    from sensiview.numerics.mask_rows import MaskRows
    from sensiview.numerics.mask_transfer import remaining_probability
    from sensiview.numerics.volume_inputs import VolumeInputs

    volumes = study.volumes()
    indices = [int(i) for i in choose_subjects(volumes, subjects)]
    if not volumes.grid(indices).same_as(grid):
        raise UserError(
            f"The masks lie on another grid than the volumes of '{volumes.card.name}'. Choose the data set that the "
            "masks were made with, or volumes resampled to its grid."
        )
    if (volumes.labels(indices) < 0).any():
        raise UserError("Some of the chosen subjects have no label, so their true class is not known. Leave them out.")
    found = np.full((len(contexts), len(contexts)), np.nan)
    state = _Kept(progress, len(networks), len(contexts))
    evaluations = 0
    rows: dict[tuple[Any, ...], MaskRows] = {}
    total = len(networks) * len(contexts) * len(indices)
    progress.stage("Masking with every mask", total)
    for n, run in enumerate(networks):
        if run.network is None:
            continue
        inputs = VolumeInputs(run.network(), volumes)
        targets = inputs.targets("true", indices)
        batch = study.batch_size or batch_rows(inputs.network.card, math.prod(grid.shape), len(indices))
        for b, other in enumerate(contexts):
            if np.isnan(state.values[n, b]):
                key = _fill_key(other.run.parameters)
                if key not in rows:
                    rows[key] = _rows(MaskRows, inputs, volumes, indices, other.run.parameters, progress)
                masks = [other.own.get(volumes.names[i], other.mask) for i in indices] if other.own else [other.mask]
                state.values[n, b] = remaining_probability(
                    inputs, rows[key], targets, masks, batch_size=batch, on_batch=progress.advance
                )
                evaluations += len(indices)
                state.keep()
        mine = [
            a
            for a, one in enumerate(contexts)
            if one.run.network is not None and _network_key(one.run) == _network_key(run)
        ]
        found[mine] = state.values[n]
    return found, evaluations


class _Kept:
    """Probabilities (networks, masks) so far, kept after each."""

    def __init__(self, progress: Progress, networks: int, masks: int) -> None:
        self._progress = progress
        self.values = np.full((networks, masks), np.nan)
        earlier = progress.restored()
        kept = earlier.arrays.get("prob_cnn") if earlier is not None else None
        if kept is not None and kept.shape == self.values.shape:
            self.values = np.array(kept, dtype=np.float64)

    def keep(self) -> None:
        """Keep what is known."""
        self._progress.checkpoint(Checkpoint({"prob_cnn": self.values.copy()}))


def _fill_key(parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(str(parameters.get(name, "")) for name in ("fill", "blur_sigma", "controls"))


def _rows(
    kind: Any, inputs: Any, volumes: VolumeSet, indices: list[int], parameters: Mapping[str, Any], progress: Progress
) -> Any:
    fill = Fill.parse(parameters.get("fill", "one"))
    controls: list[int] = []
    if fill.kind == "controls":
        controls = [int(i) for i in choose_subjects(volumes, CONTROLS, str(parameters.get("controls", "")))]
    made = kind(
        inputs,
        indices,
        fill,
        shared=True,
        controls=controls,
        sigma_mm=float(parameters.get("blur_sigma", 10.0)),
        tick=lambda: progress.advance(0),
    )
    for sentence in made.notices:
        progress.warn(sentence)
    return made
