"""Morris screening of columns, parts of images and volumes, and generated metadata (MoSIP)."""

from __future__ import annotations

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.map_examples import image_study, volume_study
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.screening_parameters import ScreeningParameters
from sensiview.analysis.screening_plan import screening_cost, screening_obstacles, screening_problems
from sensiview.analysis.study import Study
from sensiview.errors import UserError


class Morris(Analysis[ScreeningParameters]):
    """Shows which columns, image parts, regions or meanings matter to a network, alone or with others (Morris, MoSIP).

    The input is cut into parts, the factors: columns of a table, cells or superpixels of an image, regions of a brain,
    whole channels, or what a generator makes images from (colour, place). The values of a part are lumped into their
    sum; a sampled value multiplies the part, so that its pattern stays and its strength changes. Each of N trajectories
    changes one factor after the other. The change of an output over the step is an elementary effect, in units of the
    output per range of the factor. mu_star, the mean size of a factor's effects, says how much it matters; mu, their
    mean with sign, in which direction; sigma, their spread, how far that depends on where one stands: zero for a linear
    factor, large for one that is non-linear or interacts with others. Low mu_star: the factor does not matter. High
    mu_star, low sigma: it matters, linearly. Both high: non-linear or interacting; `interaction_pairs` tells which. A
    screening takes N (p + 1) evaluations, whatever the number of outputs: all are measured at once.

    The local scope samples each input around itself, a part from 0 to twice its own sum. The global scope samples
    between the smallest and largest sums over all chosen inputs, puts the same samples into every input's pattern and
    averages. Designs: trajectories on a grid of m levels, or stars around Sobol' points. Intervals come from resampling
    whole trajectories.

    It misleads in four ways. Parts are multiplied, so what is black (0) has nothing to multiply and no effect, although
    brightening it might have one; such parts are marked. Twice a part's values leaves the range of real pictures, and
    parts that fade on their own leave edges; the network is asked about pictures that do not exist. In volumes, where
    doubled regions are no anatomy, take the global scope or a spread of about 0.3. mu_star depends on
    the range: a wider range, a larger effect, so compare factors only with ranges that mean the same. And at small N
    ranks of neighbours are chance; look at the intervals, or extend the run. Effects of float32 networks below a
    millionth of the output are rounding.

    References
    ----------
    Morris (1991). Factorial sampling plans for preliminary computational experiments. Technometrics 33, 161-174.
    Campolongo, Cariboni, Saltelli (2007). An effective screening design for sensitivity analysis of large models.
    Environmental Modelling and Software 22, 1509-1518 (mu_star).
    Campolongo, Saltelli, Cariboni (2011). From screening to quantitative sensitivity analysis. Computer Physics
    Communications 182, 978-988 (radial design).
    Beyond pixels: a sample based method for understanding the decisions of neural networks (MoSIP). Submitted to ICLR
    2022 (partitions of the input; local and global scope).
    """

    key = "morris"
    title = "Morris screening"
    rank = 20
    accepts = ("table", "images", "volumes")
    extendable = frozenset({"n", "stop_width", "max_seconds", "resamples", "confidence"})
    Parameters = ScreeningParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why a network and the data don't go together at all."""
        return super().obstacles(study) or screening_obstacles(study)

    def problems(self, study: Study, parameters: ScreeningParameters) -> list[str]:
        """Return sentences about parts, levels, scope, outputs, inputs, bounds and memory."""
        return screening_problems(study, parameters)

    def cost(self, study: Study, parameters: ScreeningParameters) -> Cost:
        """Return N (p + 1) evaluations for each input."""
        return screening_cost(study, parameters)

    def run(self, study: Study, parameters: ScreeningParameters, progress: Progress) -> Result:
        """Cut, sample, evaluate and estimate, one input after the other."""
        from sensiview.analysis.screening_run import run_screening

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return run_screening(study, parameters, progress)

    def example(self) -> Example[ScreeningParameters]:
        """Return four small images, and a network that looks for a bright, red square."""
        return Example(image_study(), ScreeningParameters(cells=4, n=6, levels=4, images="0-1", resamples=20))

    def examples(self) -> tuple[Example[ScreeningParameters], ...]:
        """Return the images, volumes with cells, and a table."""
        from sensiview.analysis.table_examples import table_study

        volumes = ScreeningParameters(
            partition="grid", cells=3, n=4, levels=4, subjects="0-1", atlas="none", scope="global", resamples=20
        )
        table = ScreeningParameters(n=8, design="radial", resamples=20)
        return self.example(), Example(volume_study(), volumes), Example(table_study(), table)
