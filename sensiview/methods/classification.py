"""What a network answers for each image or volume, and how often it is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import field_validator

from sensiview.analysis.classification_items import Answers, classification_items
from sensiview.analysis.contract import Analysis, Cost, Example
from sensiview.analysis.image_choice import Images, as_selection, image_count, image_obstacles
from sensiview.analysis.items import IndexTable, Note
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.progress import Progress
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.analysis.volume_map_parameters import Subjects, subject_count, volume_obstacles
from sensiview.datasets.selecting import class_name
from sensiview.errors import UserError

if TYPE_CHECKING:
    from sensiview.datasets.images import ImageSet
    from sensiview.datasets.volumes import VolumeSet
    from sensiview.models.card import ModelCard
    from sensiview.models.network import Network

_MOST_BATCH = 256
_MOST_NAMED = 5


class ClassificationParameters(Parameters):
    """Which images or volumes."""

    images: Images = parameter(
        "all",
        label="Images",
        help="Which images: all, numbers such as 0-4, names, or a column such as split=test.",
        kinds=("images",),
    )
    subjects: Subjects = parameter(
        "all",
        label="Subjects",
        help="Which volumes: all, numbers such as 0-4, names, or column=value such as diagnosis=AD.",
        kinds=("volumes",),
    )
    batch_size: int | Literal["auto"] = parameter(
        "auto", label="Batch size", help="Inputs per forward pass; auto takes what fits into memory.", advanced=True
    )

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value


class Classification(Analysis[ClassificationParameters]):
    """Tells what the network answers for each image or volume, and how often it is right.

    Each input goes through the network once. The table of predictions has the most probable class, its probability and
    the probability of the class in the data; accuracy (per split where one is known), the confusion matrix, and recall,
    precision and F1 per class follow from it. Look at the wrong answers first, and at the right ones of low
    probability: what they have in common is what the maps should be asked about.

    It misleads where the images were used for training: accuracy on them says nothing about new ones, so look at the
    row of the test split. Frames of one video or patient on both sides of a split do the same unseen; the page of the
    data set finds duplicates. A class that is rare can be missed altogether at a high accuracy: look at the balanced
    accuracy. A probability is the network's own, and is too high for most networks.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.
    Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural networks. ICML, PMLR 70, 1321-1330.
    """

    key = "classification"
    title = "Classification"
    rank = 105
    accepts = ("images", "volumes")
    Parameters = ClassificationParameters

    def obstacles(self, study: Study) -> list[str]:
        """Return why it can't run: no images or volumes that fit, or a network that tells no classes apart."""
        found = super().obstacles(study) or image_obstacles(study) or volume_obstacles(study)
        card = study.model
        if not found and card is not None and _gives_a_quantity(card):
            found = [f"The network '{card.name}' tells no classes apart: it gives a quantity. Choose a classifier."]
        return found

    def problems(self, study: Study, parameters: ClassificationParameters) -> list[str]:
        """Return what is wrong with the selection."""
        try:
            _count(study, parameters)
        except UserError as error:
            return [error.sentence]
        return []

    def cost(self, study: Study, parameters: ClassificationParameters) -> Cost:
        """Return one evaluation per input, and the memory of a batch."""
        try:
            count = _count(study, parameters)
        except UserError:
            return Cost(0, 0)
        if study.model is None:
            return Cost(0, 0)
        batch = parameters.batch_size if isinstance(parameters.batch_size, int) else study.batch_size or 32
        return Cost(count, min(count, batch) * max(study.model.bytes_per_row, 1))

    def run(self, study: Study, parameters: ClassificationParameters, progress: Progress) -> Result:
        """Send every input through the network once."""
        images = study.dataset is not None and study.dataset.kind == "images"
        progress.stage(f"Opening {'images' if images else 'volumes'} and model")
        data: ImageSet | VolumeSet = study.images() if images else study.volumes()
        chosen = as_selection(parameters.images if images else parameters.subjects)
        indices = [int(index) for index in data.select(chosen)]
        network = study.network()
        warnings: list[str] = []

        def warn(sentence: str) -> None:
            if sentence not in warnings:
                warnings.append(sentence)
                progress.warn(sentence)

        for sentence in network.notices:
            warn(sentence)
        if network.card.emits == "value" and not network.card.class_names:
            warn(f"'{network.card.name}' has no class names: its outputs are taken as the logits of classes.")
        size = parameters.batch_size if isinstance(parameters.batch_size, int) else study.batch_size
        progress.stage("Classification", len(indices))
        classes, probabilities = _probabilities(network, data, indices, size, progress, warn)
        answers = Answers(
            what="image" if images else "volume",
            names=[data.names[i] for i in indices],
            groups=[_groups(data)[i] for i in indices],
            classes=classes,
            probabilities=probabilities,
            truth=_truth(data, indices),
            splits=_splits(data, network, indices),
        )
        _warn_about_classes(answers, data, network, warn)
        items = classification_items(answers)
        said = _summary(answers, items.get("accuracy"))
        items["note"] = Note(title="What was found", text=" ".join([*said, *warnings]))
        return Result(items, evaluations=len(indices), warnings=tuple(warnings))

    def example(self) -> Example[ClassificationParameters]:
        """Return six small images and a network that looks for a bright square."""
        from sensiview.analysis.map_examples import image_study

        return Example(image_study(), ClassificationParameters())

    def examples(self) -> Sequence[Example[ClassificationParameters]]:
        """Return one example of images and one of volumes."""
        from sensiview.analysis.map_examples import volume_study

        return (self.example(), Example(volume_study(), ClassificationParameters()))


def _gives_a_quantity(card: ModelCard) -> bool:
    return card.emits == "value" and not card.class_names and len(card.output_names) < 2


def _count(study: Study, parameters: ClassificationParameters) -> int:
    dataset = study.dataset
    if dataset is None:
        return 0
    if dataset.kind == "images":
        return image_count(dataset, as_selection(parameters.images))
    return subject_count(dataset, as_selection(parameters.subjects))


def _probabilities(
    network: Network,
    data: ImageSet | VolumeSet,
    indices: Sequence[int],
    size: int | None,
    progress: Progress,
    warn: Callable[[str], None],
) -> tuple[tuple[str, ...], np.ndarray[Any, np.dtype[np.float64]]]:
    import torch

    from sensiview.datasets.images import ImageSet
    from sensiview.models.outputs import parse_target
    from sensiview.models.readout import Forward, read
    from sensiview.numerics.careful_batches import CarefulBatches
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.volume_inputs import VolumeInputs

    images = ImageInputs(network, data) if isinstance(data, ImageSet) else None
    volumes = VolumeInputs(network, data) if images is None and not isinstance(data, ImageSet) else None
    batches = CarefulBatches(network, size, warn, "images" if images is not None else "volumes")
    targets = parse_target("all", network.card)
    if len(targets) == 1 and network.card.emits != "value":
        targets = (parse_target(0, network.card)[0], parse_target(1, network.card)[0])
    emits = "logit" if network.card.emits == "value" else network.card.emits
    rows: list[Any] = []

    def forward(pieces: Sequence[int]) -> None:
        if images is not None:
            answer = images.forward(images.tensor(pieces))
        else:
            assert volumes is not None
            answer = volumes.forward(volumes.tensor(pieces), volumes.volumes.grid(pieces))
        found = read("probability", Forward(answer), emits, targets)
        rows.append(found.to(device="cpu", dtype=torch.float64).numpy())
        progress.advance(len(pieces))

    with network.measuring():
        if images is not None:
            batches.probe(images.prepared(images.tensor(indices[:1])), gradient=False)
        elif volumes is not None:
            grid = volumes.volumes.grid(indices[:1])
            row = volumes.network.preprocess(volumes.tensor(indices[:1]), None, grid.affine)
            batches.probe(row, gradient=False)
        batches.size = min(batches.size, _MOST_BATCH)
        batches.run(indices, forward)
    return tuple(target.label for target in targets), np.concatenate(rows)


def _groups(data: ImageSet | VolumeSet) -> tuple[str, ...]:
    return data.subjects if hasattr(data, "subjects") else data.groups


def _truth(data: ImageSet | VolumeSet, indices: Sequence[int]) -> list[str]:
    if data.card.target is None or not data.card.class_counts:
        return [""] * len(indices)
    values = data.table[data.card.target].tolist()
    return [class_name(values[i]) for i in indices]


def _splits(data: ImageSet | VolumeSet, network: Network, indices: Sequence[int]) -> list[str]:
    """Return on which side of the network's training each input was, else what the data say of it."""
    trained = {part: set(network.card.training.get(part, ()) or ()) for part in ("train", "validation", "test")}
    groups = _groups(data)
    if any(trained.values()):
        found = []
        for i in indices:
            sides = (part for part, names in trained.items() if data.names[i] in names or groups[i] in names)
            found.append(next(sides, ""))
        if any(found):
            return found
    column = data.card.extra.get("split")
    if column in data.table.columns:
        values = data.table[column].tolist()
        return [class_name(values[i]) for i in indices]
    return [""] * len(indices)


def _warn_about_classes(
    answers: Answers, data: ImageSet | VolumeSet, network: Network, warn: Callable[[str], None]
) -> None:
    if data.card.target is None or not data.card.class_counts:
        warn(f"'{data.card.name}' has no classes: there are predictions, and nothing to compare them with.")
        return
    foreign = sorted({name for name in answers.truth if name and name not in answers.classes})
    if foreign:
        some = ", ".join(foreign[:_MOST_NAMED]) + (", ..." if len(foreign) > _MOST_NAMED else "")
        known = ", ".join(answers.classes[:_MOST_NAMED]) + (", ..." if len(answers.classes) > _MOST_NAMED else "")
        count = sum(name in foreign for name in answers.truth)
        warn(
            f"{count:,} {answers.what}s are of classes that '{network.card.name}' does not know ({some}; it knows "
            f"{known}) and count neither as right nor as wrong. Give the model the data's class names where they are "
            "the same classes."
        )


def _summary(answers: Answers, accuracy: object) -> list[str]:
    if not isinstance(accuracy, IndexTable):
        return [f"{len(answers.names):,} {answers.what}s were classified."]
    said = []
    for row in accuracy.frame.to_dict(orient="records"):
        where = "" if row["split"] == "all" else f" of {row['split']}"
        said.append(
            f"{row['right']:,} of {row['n']:,} {answers.what}s{where} are recognised: accuracy {row['accuracy']:.3f} "
            f"(95 % interval {row['low']:.3f} to {row['high']:.3f}), balanced {row['balanced_accuracy']:.3f}."
        )
    return said
