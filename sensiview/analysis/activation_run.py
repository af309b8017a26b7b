"""The run of activation maximisation: open, climb, keep and show on the way, describe."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis import activation_items as made
from sensiview.analysis.activation_parameters import ActivationParameters, Amount
from sensiview.analysis.activation_starts import Starts, choose_starts
from sensiview.analysis.activation_words import odd_sentences, sentences
from sensiview.analysis.items import Item, Note
from sensiview.analysis.progress import Checkpoint, Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.errors import Stopped
from sensiview.numerics.activation_aims import parse_aims

if TYPE_CHECKING:
    from torch import Tensor

    from sensiview.numerics.activation_ascent import Ascent, AscentSettings
    from sensiview.numerics.careful_batches import CarefulBatches
    from sensiview.numerics.image_inputs import ImageInputs

_BETWEEN_CHECKPOINTS_S = 1.0
_BETWEEN_PREVIEWS_S = 0.4


@dataclass(frozen=True, eq=False)
class Opened:
    """Images, network and starts, and the space in which inputs are moved.

    `rows` (n, channels, y, x) on the network's device; `prepare` brings them to what the module takes.
    """

    inputs: ImageInputs
    starts: Starts
    rows: Tensor
    prepare: Callable[[Tensor], Tensor]
    pictures: made.Pictures
    settings: AscentSettings
    warnings: list[str]
    warn: Callable[[str], None]


def open_activation(study: Study, parameters: ActivationParameters, progress: Progress) -> Opened:
    """Open what the study names, and decide where everything begins.

    Raises
    ------
    UserError, DataError
        No such target or image; images of different sizes; a file that is gone.
    """
    from sensiview.numerics.activation_ascent import AscentSettings
    from sensiview.numerics.image_inputs import ImageInputs

    warnings: list[str] = []

    def warn(sentence: str) -> None:
        if sentence not in warnings:
            warnings.append(sentence)
            progress.warn(sentence)

    progress.stage("Opening images and model")
    images, network = study.images(), study.network()
    for sentence in network.notices:
        warn(sentence)
    inputs = ImageInputs(network, images)
    aims = parse_aims(parameters.layer, parameters.target, network.card)
    starts = choose_starts(images, aims, parameters)
    for sentence in starts.sentences:
        warn(sentence)
    authors = parameters.clamp == "authors"
    low, high = (0.0, 1.0) if authors else images.valid_range
    rows = _start_rows(inputs, starts, study.seed, (low, high), authors=authors)
    free = parameters.clamp == "none"
    settings = AscentSettings(
        steps=parameters.steps,
        step_size=parameters.step_size,
        tv_weight=parameters.tv_weight,
        l2_weight=parameters.l2_weight,
        normalise=parameters.normalise,
        blur_every=parameters.blur_every,
        blur_sigma=parameters.blur_sigma,
        jitter=parameters.jitter,
        low=-math.inf if free else low,
        high=math.inf if free else high,
        # Of the normalised input the middle of the images' values is 0, as the network was trained.
        middle=0.0 if authors else (low + high) / 2,
        seed=study.seed,
    )
    return Opened(
        inputs,
        starts,
        rows,
        (lambda rows: rows) if authors else inputs.prepared,
        made.Pictures(starts, images, low, high),
        settings,
        warnings,
        warn,
    )


def _start_rows(
    inputs: ImageInputs, starts: Starts, seed: int, limits: tuple[float, float], *, authors: bool
) -> Tensor:
    """Return what each row begins with; noise is the same for every target, so that only these differ."""
    import torch

    needed = sorted(set(starts.indices))
    sample = inputs.tensor([max(0, needed[0])])
    if needed == [-1]:
        low, high = limits
        drawn = np.random.default_rng([seed, 1]).normal(0.5, 0.1, tuple(sample.shape[1:])).clip(0, 1)
        row = torch.from_numpy((low + (high - low) * drawn).astype(np.float32)).to(sample.device)
        if authors:
            row = row.to(inputs.network.dtype)
        return row[None].repeat(len(starts.indices), 1, 1, 1)
    pictures = {place: inputs.tensor([place])[0] for place in needed}
    sizes = {tuple(picture.shape) for picture in pictures.values()}
    seen = inputs.tensor(needed) if len(sizes) > 1 else torch.stack(list(pictures.values()))  # says which ones differ
    if authors:
        with torch.no_grad():
            seen = inputs.prepared(seen)
    return seen[[needed.index(place) for place in starts.indices]].contiguous()


def run_activation(study: Study, parameters: ActivationParameters, progress: Progress, work: Amount) -> Result:
    """Climb and describe; goes on after the last step that was kept."""
    from sensiview.numerics.activation_ascent import Ascent
    from sensiview.numerics.activation_reading import AimReader
    from sensiview.numerics.careful_batches import CarefulBatches

    began = time.monotonic()
    opened = open_activation(study, parameters, progress)
    evaluations = 0

    def advance(rows: int) -> None:
        nonlocal evaluations
        evaluations += rows
        progress.advance(rows)

    batches = CarefulBatches(
        opened.inputs.network,
        parameters.rows_at_once(study),
        lambda sentence: opened.warn(sentence.replace(" volumes ", " pictures ")),
    )
    steps = kept_steps(parameters.steps, work.snapshots(parameters.snapshots))
    if work.snapshots(parameters.snapshots) < min(parameters.snapshots, parameters.steps + 1):
        opened.warn(f"To save memory, {len(steps)} snapshots of each picture are kept.")
    with opened.inputs.differentiating():
        batches.probe(opened.prepare(opened.rows[:1]), gradient=True)
        ascent = Ascent(
            AimReader(opened.inputs.network, parameters.layer.strip(), parameters.reduction),
            opened.starts.aims,
            opened.rows,
            opened.prepare,
            opened.settings,
            batches,
            advance,
            steps,
        )
        follower = _Follower(opened, ascent, progress)
        if (earlier := progress.restored()) is not None:
            ascent.restore(earlier.arrays, earlier.values)
        progress.stage("Maximising", len(opened.rows) * (parameters.steps + 1 - ascent.step))
        try:
            ascent.run(follower.step)
        except Stopped:
            with contextlib.suppress(Stopped):
                follower.keep()
            raise
        follower.keep()
        progress.stage("Describing the pictures")
        answers = _answers(opened, ascent, batches, advance)
    items = _items(opened, ascent)
    if answers is not None:
        items["answers"] = answers
    labels = opened.pictures.labels()
    for sentence in odd_sentences(labels, ascent):
        opened.warn(sentence)
    items["note"] = Note(
        title="What was done", text=" ".join([*sentences(labels, ascent, parameters), *opened.warnings])
    )
    return Result(
        items,
        evaluations=len(opened.rows) * (parameters.steps + 1),
        warnings=tuple(opened.warnings),
        seconds=time.monotonic() - began,
        facts={
            "targets": list(opened.starts.targets),
            "starts": [opened.starts.start_of(row, opened.inputs.images) for row in range(len(opened.rows))],
            "evaluated_here": evaluations,
        },
    )


def kept_steps(steps: int, count: int) -> list[int]:
    """Return the steps of which snapshots are kept: start, end, and more of the first ones, where most happens."""
    places = np.linspace(0.0, 1.0, min(count, steps + 1)) ** 1.5 * steps
    found = sorted({0, steps, *(round(float(place)) for place in places)})
    return [int(step) for step in found]


class _Follower:
    """Keeps checkpoints and shows pictures and trace while the run is at work."""

    def __init__(self, opened: Opened, ascent: Ascent, progress: Progress) -> None:
        self._opened, self._ascent, self._progress = opened, ascent, progress
        self._kept = time.monotonic()
        self._shown = -math.inf

    def keep(self) -> None:
        """Keep the state."""
        self._kept = time.monotonic()
        arrays, values = self._ascent.state()
        self._progress.checkpoint(Checkpoint(arrays, values))

    def step(self, ascent: Ascent) -> None:
        """Keep and show after a step, unless that was just done."""
        now = time.monotonic()
        if now - self._kept >= _BETWEEN_CHECKPOINTS_S:
            self.keep()
        if now - self._shown >= _BETWEEN_PREVIEWS_S:
            rows = ascent.rows.detach().float().cpu().numpy()
            self._progress.preview("pictures", made.live_pictures(self._opened.pictures, rows, ascent.step))
            self._progress.preview("trace", made.trace_item(self._opened.pictures, ascent.trace))
            self._shown = time.monotonic()


def _items(opened: Opened, ascent: Ascent) -> dict[str, Item]:
    of = opened.pictures
    start, found = (rows.detach().float().cpu().numpy() for rows in (opened.rows, ascent.rows))
    items = made.picture_items(of, start, found, ascent.snapshots, ascent.kept_steps)
    if of.starts.several:
        # The grid of starts and targets first: it is what was asked for.
        items = {"image": items["image"], **made.cross_items(of, ascent.trace), **items}
    items["trace"] = made.trace_item(of, ascent.trace)
    items["summary"] = made.summary_item(of, ascent.trace)
    return items


def _answers(opened: Opened, ascent: Ascent, batches: CarefulBatches, advance: Callable[[int], None]) -> Item | None:
    """Return what the network says of the pictures found, for every class."""
    import torch

    from sensiview.models.outputs import parse_target
    from sensiview.models.readout import Forward, as_columns, first_tensor, read

    network = opened.inputs.network
    card = network.card
    if card.emits == "value" and not card.class_names:
        return None
    targets = parse_target("all", card)
    found = np.full((len(ascent.rows), len(targets)), np.nan)

    def work(places: Sequence[int]) -> None:
        with torch.no_grad():
            answer, _ = first_tensor(network.module(opened.prepare(ascent.rows[list(places)])))
            raw = as_columns(answer, len(places), f"The network '{card.name}'")
            found[list(places)] = read("probability", Forward(raw), card.emits, targets).double().cpu().numpy()
        advance(len(places))

    if len(targets) > made.MOST_CROSS:
        return None
    batches.run(range(len(ascent.rows)), work)
    return made.answers_item(opened.pictures, found, [target.label for target in targets])
