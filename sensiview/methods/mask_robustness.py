"""Whether masks are stable: over weights, training runs, folds and architectures."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.items import Array, Item, Mask, Note
from sensiview.analysis.mask_comparison import (
    comparison_words,
    masks_item,
    means_item,
    regions_item,
    similarity_item,
    transfer_item,
)
from sensiview.analysis.mask_contexts import count_contexts, read_contexts, run_problems
from sensiview.analysis.mask_study import atlas_labels
from sensiview.analysis.mask_transfer import networks_of, transfer_matrix
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.errors import SensiViewError, UserError
from sensiview.numerics.mask_similarity import cosine_matrix, pair_means
from sensiview.numerics.mask_subjects import count_subjects

if TYPE_CHECKING:
    from sensiview.datasets.volumes import VolumeSet

_MOST_TOLD = 5


class MaskRobustnessParameters(Parameters):
    """Which masks are compared, over which subjects and regions."""

    runs: str | list[str] = parameter(
        [],
        label="Runs",
        help="Finished runs of optimised masks and of masks over a grid of weights; every mask in them is a context.",
        suggestions="runs:mask_optimization,lambda_grid",
    )
    subjects: str | list[int | str] = parameter(
        "patients",
        label="Subjects",
        help="Whose inputs are masked for prob_cnn: patients, all, numbers such as 0-4, names, or column=value.",
    )
    atlas: str = parameter(
        "",
        label="Atlas",
        help="Whose regions the masks are compared over: empty takes the data set's own, else desikan_killiany where "
        "it fits; a bundled name, a file, or none, which compares voxel by voxel.",
    )

    def run_names(self) -> list[str]:
        """Return the runs as a list, each once."""
        names = self.runs.split(",") if isinstance(self.runs, str) else list(self.runs)
        return list(dict.fromkeys(name.strip() for name in names if name.strip()))


class MaskRobustness(Analysis[MaskRobustnessParameters]):
    """Compares masks found in several contexts: would another training run have pointed elsewhere.

    A context is one mask with the network that it was found for: every run chosen, and every cell of a grid of
    weights, is one. `roi_similarity` is the cosine of the mask densities (mean of 1 - m) per region of the atlas: 1 is
    the same pattern of regions, 0 none in common. `prob_cnn` in row A and column B is the probability, mean over the
    subjects, that the network of A still gives to the true class when the inputs are masked by the mask of B, with B's
    own fill: near 0, the mask of B works for A as well, so they rest on the same; near 1, it does not. The diagonal is
    each mask with its own network. That is our reading of a measure that the source describes in one sentence, "output
    probability of the CNN for the true class for an input masked by two masks optimized in two different contexts".

    `means` gathers the pairs that differ in one thing only: the weights (inter-lambda), the training run (inter-run),
    the fold (inter-fold), the architecture (inter-model), the seed (inter-seed). The source found inter-lambda
    similarities of 0.83 to 0.95, inter-run 0.69 and inter-fold 0.65, with prob_cnn 0.82 and 0.78: the masks were
    stable, the networks were not. `top_regions` ranks the regions in every context.

    It misleads where masks are large: two masks that cover everything are alike, and every network loses its class.
    Masks that are empty have no similarity (NaN). prob_cnn of a weak mask is high also for its own network: look at
    the diagonal first. Masks of single subjects enter with their mean; for prob_cnn a subject is masked by its own
    mask where it has one. Large regions and small ones count alike in the cosine.

    References
    ----------
    Thibeau-Sutre, Colliot, Dormont, Burgos (2020). Visualization approach to assess the robustness of neural networks
    for medical image classification. SPIE Medical Imaging 11313.
    """

    key = "mask_robustness"
    title = "Robustness of masks"
    rank = 42
    accepts = ("volumes",)
    needs_model = False
    Parameters = MaskRobustnessParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return what the contract asks; whether there are runs to compare is a matter of the parameters."""
        return super().obstacles(study)

    def problems(self, study: Study, parameters: MaskRobustnessParameters) -> list[str]:
        """Return sentences on runs and subjects."""
        found = run_problems(parameters.run_names(), study.runs or {})
        if study.dataset is not None and study.dataset.kind == "volumes":
            try:
                count_subjects(study.dataset, parameters.subjects)
            except UserError as error:
                found.append(error.sentence)
        return found

    def cost(self, study: Study, parameters: MaskRobustnessParameters) -> Cost:
        """Return networks times masks times subjects."""
        runs = [study.runs[name] for name in parameters.run_names() if study.runs and name in study.runs]
        contexts = sum(count_contexts(run) for run in runs)
        card = study.dataset
        if card is None or not runs:
            return Cost(0, 1)
        try:
            subjects = count_subjects(card, parameters.subjects)
        except SensiViewError:
            subjects = 0
        models = [run.model for run in runs if run.model is not None]
        shape = card.extra.get("shape") or (models[0].input_shape[1:] if models else ())
        voxels = math.prod(shape) if shape else 0
        rows = min(16, subjects)
        heaviest = max((model.bytes_per_row for model in models), default=0)
        peak = 8 * voxels * contexts + 4 * voxels * subjects + rows * (heaviest + 5 * 8 * voxels)
        return Cost(len(networks_of(runs)) * contexts * subjects, max(1, peak))

    def run(self, study: Study, parameters: MaskRobustnessParameters, progress: Progress) -> Result:
        """Read the masks, compare them, and mask the subjects' inputs with each for each network."""
        from sensiview.datasets.volume import Grid
        from sensiview.numerics.regions import density_vector

        began = time.monotonic()
        if found := self.problems(study, parameters):
            raise UserError(" ".join(found))
        progress.stage("Reading the masks")
        runs = [study.finished(name) for name in parameters.run_names()]
        contexts, affine = read_contexts(runs, progress.warn)
        shape = contexts[0].mask.shape
        grid = Grid((shape[0], shape[1], shape[2]), affine)
        atlas, labels = atlas_labels(study, parameters.atlas, grid, None, progress)
        over = f"regions of {atlas.name}" if atlas is not None else "voxels"
        if labels is None:
            vectors = [(1 - one.mask).ravel() for one in contexts]
        else:
            vectors = [density_vector(one.mask, labels, kind="mask") for one in contexts]
        similarity = cosine_matrix(vectors)
        names = tuple(one.context.label for one in contexts)
        items: dict[str, Item] = {"roi_similarity": similarity_item(similarity, names, over)}
        progress.preview("roi_similarity", items["roi_similarity"])
        transfer, evaluations = transfer_matrix(study, parameters.subjects, contexts, grid, progress)
        plain = [one.context for one in contexts]
        means = pair_means(plain, similarity, "roi_similarity", symmetric=True)
        if transfer is not None:
            items["prob_cnn"] = transfer_item(transfer, names)
            means += pair_means(plain, transfer, "prob_cnn", symmetric=False)
        items["means"] = means_item(means)
        if atlas is not None and labels is not None:
            items["top_regions"] = regions_item(contexts, vectors, atlas.names, labels)
        items["masks"] = masks_item(contexts, affine, study)
        words = comparison_words(contexts, similarity, transfer, means, over)
        items["note"] = Note(title="What it says", text=" ".join(words))
        return Result(
            items,
            evaluations=evaluations,
            seconds=time.monotonic() - began,
            facts={"contexts": len(contexts), "atlas": atlas.name if atlas else "", "compared_over": over},
        )

    def example(self) -> Example[MaskRobustnessParameters]:
        """Return masks of two networks of which one also looks elsewhere, and three patients."""
        from sensiview.numerics.mask_example import example_network, example_volumes, planted

        volumes = example_volumes()
        runs = {}
        for name, weight, thick in (("run-1", 1.0, 0), ("run-2", 20.0, 1)):
            network = example_network(weight, name=f"network of {name}")
            card = network.card.model_copy(update={"training": {"fold": 0, "run": int(name[-1]), "seed": 1}})
            mask = np.ones(planted().shape, dtype=np.float32)
            mask[planted()] = 0.1
            mask[thick : thick + 2] = 0.8
            runs[name] = Finished(
                id=name,
                result=partial(Result, {"mask": _example_mask(mask, volumes)}),
                name=name,
                analysis="mask_optimization",
                parameters={"lambda_1": 100.0, "lambda_2": 10.0, "fill": "one"},
                model=card,
                network=partial(example_network, weight, name=network.card.name),
            )
        study = Study(dataset=volumes.card, device="cpu", runs=runs, volumes_loader=lambda: volumes)
        return Example(study, MaskRobustnessParameters(runs=list(runs)))


def _example_mask(mask: Array, volumes: VolumeSet) -> Mask:
    return Mask(
        title="Mask",
        description="1 keeps the input.",
        values=np.ascontiguousarray(mask.swapaxes(-1, -3)),
        axes=("z", "y", "x"),
        affine=volumes.entries[0].grid.affine,
    )
