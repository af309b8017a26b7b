"""How the scores of inputs with one window replaced are computed: on the windows alone where the network allows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from sensiview.models.network import Network
from sensiview.models.readout import as_columns
from sensiview.numerics.incremental.engine import IncrementalNetwork
from sensiview.numerics.incremental.full_inference import FullInference
from sensiview.numerics.incremental.results import Patches
from sensiview.numerics.map_space import Space
from sensiview.numerics.occlusion_windows import Windows

# Windows that are computed between two words to whoever waits, without a batch size of the user's.
AT_ONCE = 128
_WHOLE = "Every input was computed whole: windows of a network for volumes can't be computed alone."
_WHOLE_NUMBERS = (
    "Every input was computed whole: the network gives whole numbers, such as that of a class, and no scores. Let it "
    "return the scores, or most maps stay empty."
)


class WindowInference:
    """Looks at a network once and says whether windows can be computed alone.

    Parameters
    ----------
    network : Network
        Its weights must stay as they are.
    space : Space
    base : Tensor
        (1, channels, *shape): any of the inputs.

    Attributes
    ----------
    sentence : str
        What is used, and why, for the run's record.
    """

    def __init__(self, network: Network, space: Space, base: Tensor) -> None:
        self._name = network.card.name
        self._space = space
        self._found: IncrementalNetwork | FullInference | None = None
        self.sentence = _WHOLE
        if len(space.shape) == 2:
            prepared = space.prepared(base[:1])
            self._found = IncrementalNetwork.build(network.module, prepared)
            self.sentence = self._found.describe()
            if isinstance(self._found, FullInference) and not self._found.keep(prepared).outputs.is_floating_point():
                self.sentence = _WHOLE_NUMBERS

    @property
    def possible(self) -> bool:
        """Whether windows can be computed alone."""
        return isinstance(self._found, IncrementalNetwork)

    def on(
        self, base: Tensor, fill: Tensor, windows: Windows, check: Callable[[], None], warn: Callable[[str], None]
    ) -> Callable[[Sequence[int]], Tensor]:
        """Return what gives the network's output, (k, outputs), for `k` numbers of windows that show `fill`.

        Parameters
        ----------
        base, fill : Tensor
            (1, channels, *shape).
        windows : Windows
        check : callable
            Called between batches; may raise.
        warn : callable
        """
        assert isinstance(self._found, IncrementalNetwork)
        network = self._found
        kept = network.keep(self._space.prepared(base))
        # What is done to values is done pixel by pixel: a window of the fill can be prepared with the whole.
        shown = self._space.prepared(fill)[0]
        corners = np.array(
            [
                [edge for part in windows.place(number) for edge in (part.start, part.stop)]
                for number in range(len(windows))
            ]
        )

        def outputs(numbers: Sequence[int]) -> Tensor:
            found = network.evaluate(
                kept, Patches.filled(corners[list(numbers)], shown), advance=lambda _: check(), warn=warn
            )
            assert found.outputs is not None
            return as_columns(found.outputs, len(numbers), f"The network '{self._name}'")

        return outputs
