"""What the sweep over pixels asks for, and what can be said about it from the cards alone. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import field_validator

from sensiview.analysis.image_choice import Images, as_selection, image_count, pixels, seen_shape
from sensiview.analysis.parameters import Parameters, parameter
from sensiview.analysis.study import Study
from sensiview.errors import UserError
from sensiview.models.blocks import blocks_of
from sensiview.numerics.activation_aims import layer_named

# More than this of single maps is kept by nobody's machine for a look.
MOST_MAP_BYTES = 2 << 30
# Perturbations after which the state is kept; fewer at once lose speed.
ROWS_AT_ONCE = 4096
_MOST_BLOCKS = 64


class SensitivityParameters(Parameters):
    """Which images, which blocks, and how pixels are changed."""

    images: Images = parameter(
        "0", label="Images", help="Which images: all, numbers such as 0-8, names, or class=NAME."
    )
    layers: list[str] = parameter(
        [],
        label="Blocks",
        help="Layers whose reaction is measured; empty takes the network's blocks.",
        suggestions="layers",
    )
    perturbation: Literal["gaussian", "fixed", "derivative"] = parameter(
        "gaussian",
        label="Perturbation",
        help="Gaussian: a change drawn for each pixel, as published. Fixed: the same change everywhere. Derivative: "
        "the exact limit of a small change.",
    )
    delta: float = parameter(0.1, label="Change", help="For the perturbation 'fixed'.", ge=-1e6, le=1e6)
    delta_mean: float = parameter(
        -0.05, label="Mean", help="For the perturbation 'gaussian'.", ge=-1e6, le=1e6, advanced=True
    )
    delta_std: float = parameter(
        0.1, label="Standard deviation", help="For the perturbation 'gaussian'.", gt=0, le=1e6, advanced=True
    )
    scale: Literal["pixels", "normalised", "authors"] = parameter(
        "pixels",
        label="Scale",
        help="What the change is in: pixels in the images' range, the normalised input of the network, or pixels "
        "brought to [-1, 1] as the authors have it.",
    )
    cell: int = parameter(
        4, label="Cell", help="Side of the cells of the pixelised maps.", unit="pixels", ge=1, le=4096
    )
    every: int = parameter(
        1,
        label="Every",
        help="Change only every so many pixels along both axes; those between take the nearest value. Saves time for "
        "large images.",
        unit="pixels",
        ge=1,
        le=256,
    )
    average: bool = parameter(
        False, label="Average", help="Also give the mean map over the images and its spread, on one common grid."
    )
    batch_size: int | Literal["auto"] = parameter(
        "auto", label="Batch size", help="Perturbations at once; auto takes what fits into memory.", advanced=True
    )

    @field_validator("batch_size")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError("The batch size must be at least 1")
        return value

    @field_validator("layers", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("delta")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        if abs(value) < 1e-12:
            raise ValueError("The change must differ from 0")
        return value

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Check values; `layer` may be written for a single one of `layers`."""
        given = dict(values)
        if "layer" in given and "layers" not in given:
            given["layers"] = given.pop("layer")
        return super().parse(given)

    def rows_at_once(self, study: Study) -> int:
        """Return how many perturbations are done between two states that are kept."""
        return self.batch_size if isinstance(self.batch_size, int) else study.batch_size or ROWS_AT_ONCE


def chosen_blocks(study: Study, parameters: SensitivityParameters) -> tuple[str, ...]:
    """Return the names of the blocks, in the order of the network.

    Raises
    ------
    UserError
        A layer is not there or can't be looked at, or the network has no blocks to offer.
    """
    assert study.model is not None
    if not parameters.layers:
        found = blocks_of(study.model)
        if not found:
            raise UserError(f"The network '{study.model.name}' has no blocks of its own. Name layers in 'layers'.")
        return tuple(found)
    card = study.model
    return tuple(dict.fromkeys(layer_named(name, card) for name in parameters.layers))


def rows_per_image(study: Study, parameters: SensitivityParameters) -> int:
    """Return the perturbations of one image, from the cards."""
    channels, height, width = seen_shape(study)
    return channels * math.ceil(height / parameters.every) * math.ceil(width / parameters.every)


def map_bytes(study: Study, parameters: SensitivityParameters, count: int) -> int:
    """Return what the single maps of `count` images take."""
    return 4 * count * len(chosen_blocks(study, parameters)) * pixels(seen_shape(study))


def sensitivity_problems(study: Study, parameters: SensitivityParameters) -> list[str]:
    """Return sentences about images, blocks, cells and memory that don't fit the cards."""
    if study.dataset is None or study.model is None:
        return []
    try:
        count = image_count(study.dataset, as_selection(parameters.images))
        blocks = chosen_blocks(study, parameters)
    except UserError as error:
        return [error.sentence]
    found = []
    if len(blocks) > _MOST_BLOCKS:
        found.append(f"{len(blocks)} blocks are too many to look at; {_MOST_BLOCKS} are allowed.")
    size = map_bytes(study, parameters, count)
    if size > MOST_MAP_BYTES and not parameters.average:
        found.append(f"{count:,} maps would take {size / 2**30:.0f} GB. Choose fewer images, or the average over them.")
    side = max(seen_shape(study)[1:])
    for name in ("cell", "every"):
        if getattr(parameters, name) > side > 1:
            found.append(f"'{name}' is {getattr(parameters, name)} pixels, larger than the image of {side}.")
    return found
