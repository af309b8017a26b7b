"""Which images an analysis takes, and what their cards tell of them. Loads no torch and opens nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from sensiview.analysis.study import Study
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.selecting import selection_parts
from sensiview.errors import ModelError, UserError, suggestion
from sensiview.models.image_settings import ImageSettings, parse_image_settings

Images = str | int | list[str | int]
COLOURS = {1: ("grey",), 3: ("red", "green", "blue")}


def as_selection(images: Images) -> str | list[int | str]:
    """Return a choice of images as `ImageSet.select` takes it."""
    return [images] if isinstance(images, int) else images if isinstance(images, str) else list(images)


def image_count(dataset: DatasetCard, wanted: str | Sequence[int | str]) -> int:
    """Return how many images a selection takes, as far as the card tells; all where it does not.

    Raises
    ------
    UserError
        It names what is not there, or nothing.
    """
    names, groups = list(dataset.extra.get("names", ())), list(dataset.extra.get("groups", ()))
    classes = (f"{dataset.target}={name}" for name in dataset.class_counts)
    places: set[int] = set()
    for part in selection_parts(wanted, chain(names, groups, classes)):
        if isinstance(part, int):
            places.add(_place(part, dataset))
        elif part.lower() == "all":
            return dataset.n_rows
        elif part in names or part in groups:
            places |= {i for i, pair in enumerate(zip(names, groups, strict=False)) if part in pair}
        elif "=" in part:
            column, _, value = part.partition("=")
            known = [card.name for card in dataset.columns] or ([dataset.target] if dataset.target else [])
            if known and column not in known:
                raise UserError(f"There is no column '{column}'.{suggestion(column, known)}")
            if column != dataset.target:
                return dataset.n_rows
            if value not in dataset.class_counts:
                raise UserError(f"No image has {column}={value}.{suggestion(value, list(dataset.class_counts))}")
            # Which ones they are is not on the card, and how many is enough.
            places |= {dataset.n_rows + len(places) + i for i in range(dataset.class_counts[value])}
        elif part:
            first, dash, last = part.partition("-")
            if first.isdecimal() and (not dash or last.isdecimal()):
                low, high = _place(int(first), dataset), _place(int(last or first), dataset)
                if low > high:
                    raise UserError(f"The range {part} runs backwards. Write {high}-{low}.")
                places |= set(range(low, high + 1))
            elif names:
                raise UserError(f"There is no image '{part}'.{suggestion(part, names)}")
            else:
                return dataset.n_rows
    if not places:
        raise UserError("No image is chosen. Write 'all', numbers such as 0-4, or names.")
    return min(len(places), dataset.n_rows) or 1


def _place(number: int, dataset: DatasetCard) -> int:
    if dataset.n_rows and not 0 <= number < dataset.n_rows:
        raise UserError(
            f"There is no image {number}: '{dataset.name}' has {dataset.n_rows}, 0 to {dataset.n_rows - 1}."
        )
    return number


def seen_shape(study: Study) -> tuple[int, int, int]:
    """Return channels, height and width of what the network sees; (1, 1, 1) where the cards don't tell."""
    dataset, model = study.dataset, study.model
    if dataset is None or model is None:
        return 1, 1, 1
    try:
        settings = image_settings(study)
    except ModelError:
        settings = None
    shape = model.input_shape
    if len(shape) == 3 and (settings is None or settings.size or not dataset.extra.get("sizes")):
        return shape[0], shape[1], shape[2]
    sizes = dataset.extra.get("sizes") or [{"size": list(shape[-2:] or (1, 1))}]
    height, width = sizes[0]["size"]
    if settings is not None:
        height, width = settings.seen_size((int(height), int(width)))
    channels = settings.channels if settings is not None else int(dataset.extra.get("channels", 1))
    return channels, int(height), int(width)


def image_settings(study: Study) -> ImageSettings | None:
    """Return the preprocessing of an image network, None where it is of another kind.

    Raises
    ------
    ModelError
        It can't be understood.
    """
    if study.model is None or study.model.preprocessing.get("kind") != "image":
        return None
    return parse_image_settings(study.model.preprocessing, study.model.name)


def image_obstacles(study: Study) -> list[str]:
    """Return why a network and images don't go together at all."""
    model, dataset = study.model, study.dataset
    if model is None or dataset is None or dataset.kind != "images":
        return []
    if model.input_shape and len(model.input_shape) != 3:
        return [
            f"The network '{model.name}' takes inputs of shape {model.input_shape}, not images (channels, height, "
            "width). Choose an image network."
        ]
    try:
        settings = image_settings(study)
    except ModelError as error:
        return [error.sentence]
    channels = dataset.extra.get("channels")
    if settings is None and model.input_shape and channels and int(channels) != model.input_shape[0]:
        return [
            f"The network '{model.name}' takes {model.input_shape[0]} channels, the images of '{dataset.name}' have "
            f"{channels}. Set 'channels' in the network's preprocessing."
        ]
    return []


def colour_names(channels: int) -> tuple[str, ...]:
    """Return the names of an image's channels: red, green, blue, grey, or numbers."""
    return COLOURS.get(channels, tuple(str(i) for i in range(channels)))


def pixels(shape: Sequence[int]) -> int:
    """Return the number of values of an image of this shape."""
    return math.prod(shape)
