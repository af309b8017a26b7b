"""The settings of an image network's preprocessing, as they stand in a model's card. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sensiview.models.settings_reading import read_settings

# Of the images that torchvision's weights were trained on.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageSettings(BaseModel):
    """``{"kind": "image", ...}`` of a model's card, in the order in which it happens.

    Geometry first: the image is brought to `channels` (grey is repeated, colour becomes luminance), then resized:
    `resize` is the length of the shorter side, or (height, width); None leaves it. Then `size` (height, width) is cut
    out of the middle, with black where the image is smaller; None takes only images that are alike. What comes out is
    the image that the network *sees*: every map lies on its pixels.

    Then values: the valid range of the pixels is brought to `range`, channels are reversed (`bgr`), and
    ``(x - mean) / std`` follows, one number per channel or one for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["image"] = "image"
    channels: Literal[1, 3] = 3
    resize: int | tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    interpolation: Literal["bilinear", "bicubic", "nearest"] = "bilinear"
    antialias: bool = True
    range: tuple[float, float] = (0.0, 1.0)
    bgr: bool = False
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = Field(default=(1.0,))

    @field_validator("resize", "size")
    @classmethod
    def _possible(cls, value: int | tuple[int, int] | None) -> int | tuple[int, int] | None:
        numbers = value if isinstance(value, tuple) else (value,) if value is not None else ()
        if any(not 1 <= n <= 8192 for n in numbers):
            raise ValueError("sizes lie between 1 and 8192 pixels")
        return value

    @field_validator("std")
    @classmethod
    def _above_zero(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if any(s <= 0 for s in value):
            raise ValueError("every standard deviation must be above 0")
        return value

    @model_validator(mode="after")
    def _fitting(self) -> ImageSettings:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise ValueError(f"'{name}' has {len(values)} numbers for {self.channels} channels")
        if self.range[0] >= self.range[1]:
            raise ValueError("'range' must rise")
        if self.bgr and self.channels != 3:
            raise ValueError("'bgr' needs three channels")
        return self

    def to_card(self) -> dict[str, Any]:
        """Return JSON values for a model's card."""
        return self.model_dump(mode="json")

    def seen_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return height and width of what the network sees of an image of `size`."""
        return self.size or self.resized(size)

    def resized(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return height and width after resizing, before the cut."""
        if self.resize is None:
            return size
        if isinstance(self.resize, tuple):
            return self.resize
        height, width = size
        # As torchvision: the shorter side is exact, the longer one is cut to whole pixels.
        if height <= width:
            return self.resize, max(1, int(self.resize * width / height))
        return max(1, int(self.resize * height / width)), self.resize


def torchvision_settings(size: int = 224, resize: int = 256) -> ImageSettings:
    """Return what torchvision's ImageNet weights want."""
    return ImageSettings(resize=resize, size=(size, size), mean=IMAGENET_MEAN, std=IMAGENET_STD)


def parse_image_settings(settings: Mapping[str, Any], name: str) -> ImageSettings:
    """Return the settings of the model called `name`, checked.

    Raises
    ------
    ModelError
        An unknown name, or a value that makes no sense.
    """
    return read_settings(ImageSettings, settings, name)
