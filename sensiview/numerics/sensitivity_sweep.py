"""How strongly each block of a network reacts to each pixel: one perturbation per pixel and colour.

A perturbed pixel reaches only its receptive field, so each of the perturbations is computed on windows that grow from
one pixel. Pixels whose windows do not meet could share one pass (Curtis, Powell and Reid 1974); on whole maps that
takes more arithmetic than the windows themselves, from the first block on, so there is no colouring here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sensiview.errors import ModelError
from sensiview.models.batching import does_not_fit, is_out_of_memory
from sensiview.numerics.forward_mode import derivable_attention
from sensiview.numerics.image_inputs import ImageInputs
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.full_inference import FullInference
from sensiview.numerics.incremental.results import Patches

Kind = Literal["gaussian", "fixed", "derivative"]
Scale = Literal["pixels", "normalised", "authors"]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Perturbation:
    """By how much a pixel is changed.

    Parameters
    ----------
    kind : str
        ``gaussian``: drawn for each pixel and colour; ``fixed``: the same everywhere; ``derivative``: the limit of a
        small change, divided by it.
    scale : str
        What the change is in: ``pixels`` as the network sees them, ``normalised`` as the module takes them after its
        preprocessing, or ``authors``, pixels brought to [-1, 1].
    delta, mean, std : float
        The fixed change; mean and standard deviation of the drawn ones.
    seed : int
    """

    kind: Kind = "gaussian"
    scale: Scale = "pixels"
    delta: float = 0.1
    mean: float = -0.05
    std: float = 0.1
    seed: int = 1

    def changes(self, index: int, shape: tuple[int, ...]) -> Array:
        """Return the change of every value of an image, (channels, y, x), in the chosen scale.

        They depend on the seed and the image's place in its set only.
        """
        if self.kind == "gaussian":
            return np.random.default_rng([self.seed, index]).normal(self.mean, self.std, shape)
        return np.full(shape, 1.0 if self.kind == "derivative" else self.delta)


def sampled_places(size: int, every: int) -> npt.NDArray[np.int64]:
    """Return the middle of each stretch of `every` pixels; the last one inside the image."""
    return np.minimum(np.arange(math.ceil(size / every)) * every + every // 2, size - 1).astype(np.int64)


class BlockSweep:
    """Sweeps images for some blocks.

    Parameters
    ----------
    inputs : ImageInputs
    blocks : sequence of str
        Dotted names of the modules B_q.
    perturbation : Perturbation
    every : int
        Only every so many pixels along y and x are changed; those between take the value of the nearest.
    rows_at_once : int
        Perturbations after which the sweep can be kept; what is done since is lost when it is interrupted.
    example : int
        Place of the image that the network is recorded with.

    Attributes
    ----------
    how : str
        A sentence: by which kind of inference.
    """

    def __init__(
        self,
        inputs: ImageInputs,
        blocks: Sequence[str],
        perturbation: Perturbation,
        *,
        every: int = 1,
        rows_at_once: int = 4096,
        example: int = 0,
    ) -> None:
        self.inputs, self.blocks, self.perturbation = inputs, tuple(blocks), perturbation
        self.every, self.rows_at_once = every, max(1, rows_at_once)
        seen = inputs.tensor([example])
        self.shape: tuple[int, int, int] = (int(seen.shape[1]), int(seen.shape[2]), int(seen.shape[3]))
        with inputs.network.measuring():
            prepared = inputs.prepared(seen).clone()
        self.engine = IncrementalNetwork.build(inputs.network.module, prepared)
        self.how = self.engine.describe()
        self._directions = self._to_module()
        self._places = [sampled_places(size, every) for size in self.shape[1:]]

    @property
    def incremental(self) -> bool:
        """Whether only windows are computed."""
        return not isinstance(self.engine, FullInference)

    @property
    def rows(self) -> int:
        """Perturbations of one image."""
        return self.shape[0] * len(self._places[0]) * len(self._places[1])

    def begin(self, index: int) -> ImageSweep:
        """Return the sweep of one image, nothing of it done.

        Raises
        ------
        DataError
            The file is gone or damaged.
        ModelError
            A block's values are not finite for the untouched image.
        """
        inputs = self.inputs
        seen = inputs.tensor([index])
        if tuple(seen.shape[1:]) != self.shape:
            inputs.seen([index, index])  # says what is wrong where images can't be compared
            names = inputs.images.names
            raise ModelError(
                f"The image '{names[index]}' is seen with the shape {tuple(seen.shape[1:])}, others with {self.shape}. "
                "Set 'resize' and 'size' in the network's preprocessing."
            )
        with inputs.network.measuring():
            prepared = inputs.prepared(seen).clone()
        return ImageSweep(self, index, prepared)

    def _to_module(self) -> Tensor:
        """Return by how much the module's input changes per unit of the chosen scale, (module channels, channels).

        Preprocessing treats every pixel alike and is linear but for a constant: one pixel tells all.
        """
        network, channels = self.inputs.network, self.shape[0]
        if self.perturbation.scale == "normalised":
            return torch.eye(channels, dtype=torch.float64)
        low, high = self.inputs.images.valid_range
        with network.measuring():
            unit = (high - low) / 2 if self.perturbation.scale == "authors" else 1.0
            black = torch.zeros((1, channels, 1, 1), dtype=torch.float64)
            rows = unit * torch.eye(channels, dtype=torch.float64)[:, :, None, None]
            if network.device.type == "mps":
                black, rows = black.float(), rows.float()
            difference = self.inputs.prepared(rows) - self.inputs.prepared(black)
        return difference[:, :, 0, 0].T.double().cpu()


class ImageSweep:
    """One image on its way through the sweep.

    Attributes
    ----------
    done : int
        Perturbations that are done, in the order y, x, channel.
    found : ndarray
        (blocks, rows), float64; NaN where not done.
    strength : ndarray
        (blocks,): norm of each block's values for the untouched image.
    """

    def __init__(self, sweep: BlockSweep, index: int, prepared: Tensor) -> None:
        self.sweep, self.index = sweep, index
        self._prepared = prepared
        self._base: Any = sweep.engine.keep(prepared, sweep.blocks, outputs=False)
        self.done = 0
        self.found = np.full((len(sweep.blocks), sweep.rows), np.nan)

    def run(
        self, advance: Callable[[int], None], warn: Callable[[str], None], after: Callable[[], None] = lambda: None
    ) -> None:
        """Do what is left; `advance` hears of every batch and may raise, after which the sweep can go on.

        Raises
        ------
        ModelError
            Not even one perturbation fits into memory, or a layer has no derivative.
        """
        while self.done < self.sweep.rows:
            upto = min(self.sweep.rows, self.done + self.sweep.rows_at_once)
            self.found[:, self.done : upto] = self._some(self.done, upto, advance, warn)
            self.done = upto
            after()

    def maps(self) -> npt.NDArray[np.float32]:
        """Return the sensitivities, (blocks, channels, y, x), float32."""
        sweep = self.sweep
        channels, height, width = sweep.shape
        down, across = (len(places) for places in sweep._places)
        grid = self.found.reshape(len(sweep.blocks), down, across, channels).transpose(0, 3, 1, 2)
        if sweep.every > 1:
            grid = grid.repeat(sweep.every, axis=2).repeat(sweep.every, axis=3)[:, :, :height, :width]
        return np.ascontiguousarray(grid, dtype=np.float32)

    def strength(self) -> Array:
        """Return the norm of what each block gives for the untouched image, (blocks,)."""
        sweep, network = self.sweep, self.sweep.inputs.network
        window = np.zeros((1, 4), dtype=np.int64)
        nothing = Patches(window, self._prepared[:, :, :1, :1])
        with network.measuring():
            found = sweep.engine.evaluate(self._base, nothing, values=sweep.blocks, outputs=False)
        return np.array([float(found.values[name].double().norm()) for name in sweep.blocks])

    def _some(
        self, first: int, last: int, advance: Callable[[int], None], warn: Callable[[str], None]
    ) -> npt.NDArray[np.float64]:
        sweep = self.sweep
        channels = sweep.shape[0]
        numbers = np.arange(first, last)
        place, channel = numbers // channels, numbers % channels
        y = sweep._places[0][place // len(sweep._places[1])]
        x = sweep._places[1][place % len(sweep._places[1])]
        change = sweep.perturbation.changes(self.index, sweep.shape)[channel, y, x]
        direction = sweep._directions[:, torch.from_numpy(channel)].T * torch.from_numpy(change)[:, None]
        was = self._prepared[0][:, torch.from_numpy(y), torch.from_numpy(x)].T
        values = (was.double().cpu() + direction).to(was.dtype).to(was.device)
        windows = np.stack([y, y + 1, x, x + 1], axis=1)
        derivative = sweep.perturbation.kind == "derivative"
        try:
            with derivable_attention() if derivative else nullcontext():
                found = sweep.engine.evaluate(
                    self._base,
                    Patches(windows, values[:, :, None, None]),
                    norms=sweep.blocks,
                    outputs=False,
                    tangent=derivative,
                    advance=advance,
                    warn=warn,
                )
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                raise does_not_fit(sweep.inputs.network) from error
            if derivative and isinstance(error, NotImplementedError | RuntimeError):
                raise ModelError(
                    f"The network '{sweep.inputs.network.card.name}' has a layer without forward derivative. Choose "
                    "the perturbation 'fixed' with a small delta.",
                    details=f"{type(error).__name__}: {error}",
                ) from error
            raise
        return np.stack([found.norms[name] for name in sweep.blocks])
