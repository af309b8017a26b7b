"""The run of the sweep over pixels: open, sweep image by image, keep and show on the way, describe."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.image_choice import as_selection
from sensiview.analysis.items import Array, Note
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.sensitivity_items import SensitivityMaps
from sensiview.analysis.sensitivity_parameters import (
    MOST_MAP_BYTES,
    SensitivityParameters,
    chosen_blocks,
    map_bytes,
)
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError

if TYPE_CHECKING:
    from sensiview.numerics.sensitivity_sweep import BlockSweep, ImageSweep

_OTHER = "The maps to go on from were made of other images or blocks. Start a new run."
_BETWEEN_PREVIEWS_S = 1.0
_SCALES = {"pixels": "pixel values", "normalised": "the normalised input", "authors": "pixels in [-1, 1]"}


class _Sums:
    """The maps so far, as a checkpoint and back."""

    def __init__(self, maps: SensitivityMaps) -> None:
        self.maps = maps

    def arrays(self, at_work: ImageSweep | None) -> Checkpoint:
        """Return the state: finished images, and the one at work."""
        maps = self.maps
        arrays: dict[str, Array] = {"total": maps.total, "squares": maps.squares, "pictures": maps.pictures}
        for name in ("maps", "inputs", "strengths", "means"):
            if parts := getattr(maps, name):
                arrays[name] = np.stack(parts)
        values: dict[str, Any] = {"names": list(maps.names), "blocks": list(maps.blocks), "done": 0}
        if at_work is not None:
            arrays["working"] = at_work.found
            values |= {"done": at_work.done, "index": at_work.index}
        return Checkpoint(arrays, values)

    def restore(self, arrays: Mapping[str, Array], values: Mapping[str, Any], names: list[str]) -> None:
        """Take a state back; UserError when it is another run's."""
        maps = self.maps
        try:
            done = list(values["names"])
            if list(values["blocks"]) != list(maps.blocks) or done != names[: len(done)]:
                raise UserError(_OTHER)
            if arrays["total"].shape != maps.total.shape:
                raise UserError(_OTHER)
            maps.names = done
            maps.total[:], maps.squares[:], maps.pictures[:] = arrays["total"], arrays["squares"], arrays["pictures"]
            for name in ("maps", "inputs", "strengths", "means"):
                setattr(maps, name, list(arrays[name]) if name in arrays else [])
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(_OTHER, details=repr(error)) from error


def run_sensitivity(study: Study, parameters: SensitivityParameters, progress: Progress) -> Result:
    """Sweep the chosen images; goes on within the image that was interrupted."""
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.sensitivity_sweep import BlockSweep, Perturbation

    began = time.monotonic()
    warnings: list[str] = []

    def warn(sentence: str) -> None:
        if sentence not in warnings:
            warnings.append(sentence)
            progress.warn(sentence)

    progress.stage("Opening images and model")
    images, network = study.images(), study.network()
    for sentence in network.notices:
        warn(sentence)
    indices = [int(index) for index in images.select(as_selection(parameters.images))]
    names = [images.names[index] for index in indices]
    inputs = ImageInputs(network, images)
    blocks = chosen_blocks(study, parameters)
    perturbation = Perturbation(
        parameters.perturbation,
        parameters.scale,
        parameters.delta,
        parameters.delta_mean,
        parameters.delta_std,
        study.seed,
    )
    sweep = BlockSweep(
        inputs,
        blocks,
        perturbation,
        every=parameters.every,
        rows_at_once=parameters.rows_at_once(study),
        example=indices[0],
    )
    keep = map_bytes(study, parameters, len(indices)) <= MOST_MAP_BYTES
    if not keep:
        warn("There are too many single maps to keep; only their average is.")
    maps = SensitivityMaps(blocks, sweep.shape, parameters.cell, _unit(parameters), keep, parameters.average)
    sums = _Sums(maps)
    earlier = progress.restored()
    if earlier is not None:
        sums.restore(earlier.arrays, earlier.values, names)
    follower = _Follower(sums, sweep, progress)
    left = len(indices) - len(maps.names)
    progress.stage("Changing pixel after pixel", left * (sweep.rows + 1))
    try:
        for index in indices[len(maps.names) :]:
            work = sweep.begin(index)
            if earlier is not None and earlier.values.get("index") == index and "working" in earlier.arrays:
                work.found[:], work.done = earlier.arrays["working"], int(earlier.values["done"])
                earlier = None
            follower.at_work = work
            progress.advance(1)
            work.run(progress.advance, warn, follower.batch)
            follower.at_work = None
            maps.add(images.names[index], work.maps(), inputs.seen([index])[0], work.strength())
            follower.keep()
    except Stopped:
        with contextlib.suppress(Stopped):
            follower.keep()
        raise
    progress.stage("Describing the maps")
    _say_what_is_odd(maps, warn)
    items = maps.items(images.valid_range)
    items["note"] = Note(title="What was done", text=" ".join([*_words(maps, sweep, parameters), *warnings]))
    return Result(
        items,
        evaluations=len(indices) * (sweep.rows + 1),
        warnings=tuple(warnings),
        seconds=time.monotonic() - began,
        facts={"images": names, "blocks": list(blocks), "incremental": sweep.incremental, "inference": sweep.how},
    )


class _Follower:
    """Keeps checkpoints and shows the map of the image at work."""

    def __init__(self, sums: _Sums, sweep: BlockSweep, progress: Progress) -> None:
        self._sums, self._sweep, self._progress = sums, sweep, progress
        self.at_work: ImageSweep | None = None
        self._shown = time.monotonic()

    def keep(self) -> None:
        """Keep the state."""
        self._progress.checkpoint(self._sums.arrays(self.at_work))

    def batch(self) -> None:
        """Keep and show after a batch, unless that was just done."""
        now = time.monotonic()
        if self.at_work is None or now - self._shown < _BETWEEN_PREVIEWS_S:
            return
        self.keep()
        live = SensitivityMaps(
            self._sweep.blocks, self._sweep.shape, self._sums.maps.cell, self._sums.maps.unit, keep=True, average=False
        )
        shape = self._sweep.shape
        name = self._sweep.inputs.images.names[self.at_work.index]
        live.add(name, self.at_work.maps(), np.zeros(shape), np.ones(len(self._sweep.blocks)))
        self._progress.preview("pixelised", live.cells_so_far())
        self._shown = time.monotonic()


def _unit(parameters: SensitivityParameters) -> str:
    if parameters.perturbation != "derivative":
        return "change of the block"
    per = {"pixels": "pixel value", "normalised": "normalised input", "authors": "pixel in [-1, 1]"}[parameters.scale]
    return f"change of the block per {per}"


def _say_what_is_odd(maps: SensitivityMaps, warn: Any) -> None:
    profile = maps.profile_frame()
    for block, mean in zip(profile["block"], profile["mean"], strict=True):
        if not np.isfinite(mean):
            warn(f"The sensitivity of '{block}' is not finite: the network's values overflow there.")
        elif mean == 0:
            warn(f"The block '{block}' does not react to any pixel: its map is 0 everywhere.")


def _words(maps: SensitivityMaps, sweep: BlockSweep, parameters: SensitivityParameters) -> list[str]:
    count = len(maps.names)
    how = {
        "gaussian": f"drawn for each pixel and colour (mean {parameters.delta_mean:g}, standard deviation "
        f"{parameters.delta_std:g})",
        "fixed": f"of {parameters.delta:g}",
        "derivative": "without size: the exact derivative",
    }[parameters.perturbation]
    found = [
        f"{len(maps.blocks)} block{'' if len(maps.blocks) == 1 else 's'}, {count} image{'' if count == 1 else 's'}, "
        f"{sweep.rows:,} changes each, {how}, in {_SCALES[parameters.scale]}.",
        sweep.how,
    ]
    profile = maps.profile_frame()
    if len(profile) > 1 and np.isfinite(profile["mean"]).all() and (profile["mean"] > 0).all():
        first, last = profile.iloc[0], profile.iloc[-1]
        ratio = float(last["mean"] / first["mean"])
        if ratio < 0.5:
            found.append(f"Sensitivity falls with depth: '{last['block']}' reacts {1 / ratio:.3g} times less than "
                         f"'{first['block']}'.")  # fmt: skip
        elif ratio > 2:
            found.append(f"Sensitivity rises with depth: '{last['block']}' reacts {ratio:.3g} times more than "
                         f"'{first['block']}'.")  # fmt: skip
        else:
            found.append(
                f"Sensitivity stays of one size from '{first['block']}' to '{last['block']}' (a factor of {ratio:.2g})."
            )
    return found
