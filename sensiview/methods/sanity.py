"""Can a map be trusted: the checks, and a verdict in plain words."""

from __future__ import annotations

import math
from typing import Any

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.image_choice import as_selection
from sensiview.analysis.map_examples import image_study, volume_study
from sensiview.analysis.map_parameters import (
    choice_problems,
    map_obstacles,
    own_shape,
    selected_count,
    target_count,
)
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.sanity_plan import (
    SanityParameters,
    one_class,
    plan_of,
    sanity_evaluations,
)
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.numerics.map_layers import chosen_layer
from sensiview.numerics.replacement import parse_fill


class Sanity(Analysis[SanityParameters]):
    """Checks whether a map can be trusted, and says so in a sentence.

    It takes a finished run (Grad-CAM, saliency, integrated gradients, occlusion, an optimised mask) or a method, and
    asks five questions. `randomisation`: does the map change when the network's weights are replaced by random ones,
    layer by layer from the output back? One that does not shows the input's edges, not what was learnt. `seeds`: is it
    the same with another seed and a little noise on the input? `baseline`: does it say more of this input than the mean
    of the others' maps? `deletion` and `insertion`: does the score fall (rise) sooner when parts are replaced (put in)
    in the map's order than in random orders? `control`: does replacing the map's highest part lower the score more than
    replacing a random part of the same size and smoothness? `verdict` sums up.

    To pass is necessary, not sufficient: a map may pass everything and still miss what matters, and the thresholds
    (rank correlation 0.5, 0.7 and 0.9; one in twenty) are conventions, printed with the numbers so that you can apply
    your own. Deletion depends on what is put in: inputs with parts replaced are unlike anything the network was
    trained on; compare two fills. A correlation over many smooth voxels looks high easily, and Grad-CAM of a coarse
    layer has few cells to differ in. Few inputs and few random orders give wide bounds. Optimised masks are not made
    again, so that the first three questions are not asked of them. A map like the others' average is a remark, not a
    failure: a disease may lie at the same place in everybody.

    References
    ----------
    Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim (2018). Sanity Checks for Saliency Maps. NeurIPS. arXiv:1810.03292.
    Petsiuk, Das, Saenko (2018). RISE: Randomized Input Sampling for Explanation. BMVC. arXiv:1806.07421.
    Hooker, Erhan, Kindermans, Kim (2019). A Benchmark for Interpretability Methods. NeurIPS. arXiv:1806.10758.
    """

    key = "sanity"
    title = "Sanity checks"
    rank = 190
    accepts = ("images", "volumes")
    Parameters = SanityParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no volumes or images, or no network for them."""
        return super().obstacles(study) or map_obstacles(study)

    def problems(self, study: Study, parameters: SanityParameters) -> list[str]:
        """Return sentences about the run, the map's settings, and the checks."""
        if study.dataset is None or study.model is None:
            return []
        found = []
        if not parameters.runs:
            found += choice_problems(study, parameters)
        try:
            plan = plan_of(study, parameters)
            one_class(plan)
            target_count(study.dataset, study.model, plan.target())
            sanity_evaluations(study, parameters, plan)
            if plan.key in ("grad_cam", "grad_cam_pp"):
                chosen_layer(study.model, str(plan.options["layer"]))
            if parse_fill(plan.options["fill"])[0] == "controls":
                if not plan.options["controls"] and plan.options["controls"] != 0:
                    found.append("Name the controls whose mean is put in, for example diagnosis=CN.")
                else:
                    selected_count(study.dataset, as_selection(plan.options["controls"]))
            if parameters.parts == "regions" and parameters.atlas.strip().lower() == "none":
                found.append("Regions are wanted and the atlas is 'none'. Name an atlas.")
        except UserError as error:
            if error.sentence not in found:
                found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: SanityParameters) -> Cost:
        """Return the evaluations of all checks; memory for batches, a copy of the network, and the maps."""
        if study.dataset is None or study.model is None:
            return Cost(0, 0)
        try:
            plan = plan_of(study, parameters)
            evaluations = sanity_evaluations(study, parameters, plan)
        except UserError:
            return Cost(0, 0)
        batch = parameters.rows_at_once(study) or 8
        maps = 8 * 4 * parameters.most_subjects * math.prod(own_shape(study))
        peak = 4 * batch * max(study.model.bytes_per_row, 1) + 8 * study.model.n_parameters + maps
        return Cost(evaluations, peak, note="At most: parts outside the head of a volume are not replaced.")

    def run(self, study: Study, parameters: SanityParameters, progress: Progress) -> Result:
        """Make the maps, then one check after the other."""
        from sensiview.analysis.sanity_run import SanityRun

        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        return SanityRun(study, parameters, progress).result()

    def example(self) -> Example[SanityParameters]:
        """Return saliency on two small images, and a network that looks for a bright, red square."""
        return Example(image_study(), SanityParameters(target="bright", images="class=bright", **_EXAMPLE))

    def examples(self) -> tuple[Example[SanityParameters], ...]:
        """Return the images, and two small volumes with a network that looks for a bright box."""
        chosen = SanityParameters(target="AD", subjects="diagnosis=AD", atlas="none", **_EXAMPLE)
        return self.example(), Example(volume_study(), chosen)


_EXAMPLE: dict[str, Any] = {
    "method": "saliency",
    "most_subjects": 2,
    "repeats": 2,
    "orders": 19,
    "steps": 3,
    "cell": 4,
    "draws": 19,
    "share": 0.05,
}
