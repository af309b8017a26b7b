"""The settings of a 3-D network's preprocessing, as they stand in a model's card. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sensiview.models.settings_reading import read_settings

Intensity = Literal["none", "percentile", "minmax", "zscore", "fixed"]


class VolumeSettings(BaseModel):
    """``{"kind": "volume", ...}`` of a model's card.

    `intensity`: ``none``; ``percentile`` divides by the `percentile`-th percentile of each volume; ``minmax`` brings
    each to 0..1; ``zscore`` to mean 0 and standard deviation 1 (ddof 0); ``fixed`` is ``(x - mean) / std`` for all.
    `voxels` ``nonzero`` takes these statistics without the background. Afterwards values are cut off at ``-clip`` and
    `clip`, where it is given.

    `orientation`: codes such as ``RAS``, the directions in which i, j and k grow; volumes are flipped and transposed
    from their own. None leaves them as they lie. `fit`: (i, j, k) after that, to which each is padded with zeros or
    cropped about its centre; None takes only volumes of the network's own size. `channels`: how often the one channel
    is repeated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["volume"] = "volume"
    intensity: Intensity = "none"
    voxels: Literal["all", "nonzero"] = "all"
    percentile: float = Field(default=99.5, gt=0, le=100)
    clip: float | None = Field(default=None, gt=0)
    mean: float = 0.0
    std: float = Field(default=1.0, gt=0)
    fit: tuple[int, int, int] | None = None
    orientation: str | None = None
    channels: int = Field(default=1, ge=1, le=64)

    @field_validator("fit")
    @classmethod
    def _possible(cls, value: tuple[int, int, int] | None) -> tuple[int, int, int] | None:
        if value is not None and min(value) < 1:
            raise ValueError("every size must be at least 1")
        return value

    @field_validator("orientation")
    @classmethod
    def _three_axes(cls, value: str | None) -> str | None:
        if value is None or not value:
            return None
        codes = value.upper()
        if sorted("RAS"["LPI".find(c)] if c in "LPI" else c for c in codes) != sorted("RAS"):
            raise ValueError("three letters such as RAS are needed: one each of L/R, P/A and I/S")
        return codes

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("intensity") == "fixed" and not {"mean", "std"} <= set(values):
            raise ValueError("the intensity 'fixed' needs 'mean' and 'std'")
        return values

    def to_card(self) -> dict[str, Any]:
        """Return JSON values for a model's card, without what plays no part."""
        unused = {"percentile"} if self.intensity != "percentile" else set()
        unused |= {"mean", "std"} if self.intensity != "fixed" else set()
        return self.model_dump(mode="json", exclude=unused)


def parse_settings(settings: Mapping[str, Any], name: str) -> VolumeSettings:
    """Return the settings of the model called `name`, checked.

    Raises
    ------
    ModelError
        An unknown name, or a value that makes no sense.
    """
    return read_settings(VolumeSettings, settings, name)
