"""Opens images that a generator can make anew: what they mean (colour, place) are the factors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sensiview.analysis.map_run import MapRun
from sensiview.analysis.progress import Progress
from sensiview.analysis.screening_parameters import ScreeningParameters
from sensiview.analysis.study import Study
from sensiview.datasets.generators import Generator

if TYPE_CHECKING:
    from sensiview.numerics.screening.designs import Blocks
    from sensiview.numerics.screening.screened import Screened

Floats = NDArray[np.float64]


def generated(
    opened: MapRun, study: Study, parameters: ScreeningParameters, progress: Progress, generator: Generator
) -> Iterator[Screened]:
    """Yield each chosen image with the generator's factors.

    Raises
    ------
    DataError, UserError
        An image's own values are not known, or what is generated does not fit.
    """
    from sensiview.numerics.careful_batches import CarefulBatches
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.screening.generated_images import GeneratedImages
    from sensiview.numerics.screening.scaled_inputs import WholeWalk
    from sensiview.numerics.screening.scores import ScoreReader
    from sensiview.numerics.screening.screened import FactorRanges, Screened, within
    from sensiview.numerics.volume_scores import resolved

    inputs = opened.inputs.scored
    assert isinstance(inputs, ImageInputs)
    made = GeneratedImages(inputs, generator)
    images, network = made.inputs.images, opened.inputs.network
    kind = resolved(parameters.map_score(), opened.card, gradient=True)
    batches = CarefulBatches(network, parameters.rows_at_once(study), opened.warn, "images")
    low = np.array([factor.low for factor in made.factors], dtype=np.float64)
    high = np.array([factor.high for factor in made.factors], dtype=np.float64)
    names = tuple(factor.name for factor in made.factors)
    why = tuple("" if a < b else "It has one level only, so it can't vary." for a, b in zip(low, high, strict=True))
    scores: ScoreReader | None = None
    for index in opened.indices:
        own = np.asarray(generator.own_values(images, index), dtype=np.float64)
        ranges = FactorRanges(names, low, high, own, why)
        with network.measuring():
            row = made.inputs.tensor([index])
            output = made.inputs.forward(row)
            progress.advance(1)
            if not batches.size:
                batches.probe(made.inputs.prepared(row), gradient=False)
        scores = scores or ScoreReader(opened.inputs.scored, parameters.target, kind, output.shape[1])
        reader, targets, active = scores, scores.targets(index, output[0]), ranges.active

        def evaluate(
            blocks: Blocks,
            index: int = index,
            own: Floats = own,
            reader: ScoreReader = reader,
            targets: Any = targets,
            active: NDArray[np.bool_] = active,
        ) -> NDArray[Any]:
            points = np.broadcast_to(own, (len(blocks), blocks.factors + 1, len(own))).copy()
            points[..., active] = within(blocks, low[active], high[active])
            walk = WholeWalk(
                lambda values: made.forward(index, values),
                batches,
                lambda outputs: reader.matrix(outputs, targets),
                progress.advance,
            )
            with network.measuring():
                return walk(points)

        yield Screened(
            str(index), images.names[index], ranges, reader.names, evaluate, picture=row.detach().cpu().numpy()
        )
