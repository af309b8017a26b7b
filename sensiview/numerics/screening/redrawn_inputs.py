"""Rows of a table, and generated images, with factors put to values drawn anew."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from sensiview.models.batching import compute
from sensiview.models.network import Network
from sensiview.models.readout import as_columns, first_tensor
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.screening.changed_inputs import Bools, ChangedInputs
from sensiview.numerics.screening.designs import Floats, Ints
from sensiview.numerics.screening.generated_images import GeneratedImages
from sensiview.numerics.study_inputs import fitting_threads


class RedrawnInputs(ChangedInputs):
    """Inputs that are made of numbers, each of which can be drawn anew.

    Every input has its own random draws, the same for every order in which factors are changed: orders differ by what
    they change, not by chance. Factors are drawn independently of each other.

    Parameters
    ----------
    network, batches, advance
        See `ChangedInputs`.
    draws : int
    seed : int
    """

    def __init__(
        self, network: Network, batches: CarefulBatches, advance: Callable[[int], None], draws: int, seed: int
    ) -> None:
        super().__init__(network, batches, advance)
        self.draws, self._seed = draws, seed
        self._now: tuple[int, Floats, Floats] | None = None

    @abstractmethod
    def own_values(self, index: int) -> Floats:
        """Return the values of an input, (factors,)."""

    @abstractmethod
    def drawn(self, index: int, random: np.random.Generator) -> Floats:
        """Return values drawn anew, (draws, factors)."""

    @abstractmethod
    def forward(self, index: int, values: Floats) -> Tensor:
        """Return what the network gives for values, (n, factors) to (n, outputs)."""

    def own(self, index: int) -> Tensor:
        """Return what the network gives for the untouched input."""
        values, _ = self._values(index)
        with self.network.measuring():
            output = self.forward(index, values[None])
        self.advance(1)
        return output

    def changeable(self, index: int) -> Bools:
        """Return True for every factor."""
        return np.ones(len(self._values(index)[0]), dtype=np.bool_)

    def rows_forward(self, index: int, changed: Bools, draw: Ints) -> Tensor:
        """Return what the network gives with factors drawn anew."""
        own, drawn = self._values(index)
        with self.network.measuring():
            return self.forward(index, np.where(changed, drawn[draw], own))

    def _values(self, index: int) -> tuple[Floats, Floats]:
        if self._now is None or self._now[0] != index:
            random = np.random.default_rng([self._seed, index])
            self._now = index, self.own_values(index), self.drawn(index, random)
        return self._now[1:]


class RedrawnRows(RedrawnInputs):
    """Rows of a table; a column is put to the value that another row has, drawn at random.

    Parameters
    ----------
    network, batches, advance, draws, seed
        See `RedrawnInputs`.
    rows : ndarray
        (rows, columns), float64, in the order in which the network takes the columns; complete.
    factors : sequence of int
        The columns that are factors, in the order of the factors.
    """

    def __init__(
        self,
        network: Network,
        batches: CarefulBatches,
        advance: Callable[[int], None],
        draws: int,
        seed: int,
        rows: Floats,
        factors: Sequence[int],
    ) -> None:
        super().__init__(network, batches, advance, draws, seed)
        self._rows, self._factors = rows, list(factors)

    def own_values(self, index: int) -> Floats:
        """Return the factors of a row."""
        return self._rows[index, self._factors]

    def drawn(self, index: int, random: np.random.Generator) -> Floats:
        """Return values of rows drawn at random, for each column another."""
        places = random.integers(0, len(self._rows), (self.draws, len(self._factors)))
        return self._rows[places, self._factors]

    def prepared(self, index: int) -> Tensor:
        """Return what the module takes for a row."""
        return self.network.preprocess(torch.from_numpy(self._rows[index : index + 1].copy()))

    def forward(self, index: int, values: Floats) -> Tensor:
        """Return what the network gives for the row with its factors at `values`."""
        whole = np.repeat(self._rows[index : index + 1], len(values), axis=0)
        whole[:, self._factors] = values
        with fitting_threads(self.network.card.flops_per_row):
            rows = self.network.preprocess(torch.from_numpy(whole))
            answer, _ = first_tensor(compute(self.network.module, rows, self.network.card.name))
        return as_columns(answer, len(values), f"The network '{self.network.card.name}'").flatten(1)


class RegeneratedInputs(RedrawnInputs):
    """Images from a generator; a factor is drawn anew, all of its levels equally (C section 4).

    Parameters
    ----------
    images : GeneratedImages
    batches, advance, draws, seed
        See `RedrawnInputs`.
    """

    def __init__(
        self,
        images: GeneratedImages,
        batches: CarefulBatches,
        advance: Callable[[int], None],
        draws: int,
        seed: int,
    ) -> None:
        super().__init__(images.inputs.network, batches, advance, draws, seed)
        self._images = images

    def own_values(self, index: int) -> Floats:
        """Return the values that the image was made with."""
        return self._images.generator.own_values(self._images.inputs.images, index)

    def drawn(self, index: int, random: np.random.Generator) -> Floats:
        """Return whole levels where a factor has levels, else values between its bounds."""
        columns = [
            random.integers(0, len(one.labels), self.draws)
            if one.labels
            else random.uniform(one.low, one.high, self.draws)
            for one in self._images.factors
        ]
        return np.stack(columns, axis=1).astype(np.float64)

    def prepared(self, index: int) -> Tensor:
        """Return what the module takes for an image."""
        return self._images.inputs.prepared(self._images.seen(index, self.own_values(index)[None]))

    def forward(self, index: int, values: Floats) -> Tensor:
        """Return what the network gives for images made of these values."""
        return self._images.forward(index, values)
