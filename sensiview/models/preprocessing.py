"""What happens to raw values before a network sees them; part of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sensiview.errors import ModelError
from sensiview.models.image_settings import ImageSettings, parse_image_settings
from sensiview.models.volume_preprocessing import VolumePreprocessing


class Preprocessing:
    """Nothing, ``(x - mean) / std`` per column (per channel of an image), or what images and volumes need.

    Parameters
    ----------
    settings : mapping
        ``{"kind": "none"}`` or ``{"kind": "standardise", "mean": [...], "std": [...]}``, one number per column or
        channel, or a single one for all; ``{"kind": "volume", ...}`` as in
        `sensiview.models.volume_settings.VolumeSettings`; ``{"kind": "image", ...}`` as in
        `sensiview.models.image_settings.ImageSettings`.
    input_shape : tuple of int
        Of one input; () where it is not known.
    name : str
        Of the model, for messages.

    Attributes
    ----------
    volumes : VolumePreprocessing or None
        Where the network takes volumes.
    images : ImageSettings or None
        Where it takes images. Rows are then what the network sees, values in [0, 1]; see `ImageSettings`.

    Raises
    ------
    ModelError
        Unknown kind, or statistics that don't fit.
    """

    def __init__(self, settings: Mapping[str, Any], input_shape: tuple[int, ...], name: str) -> None:
        kind = settings.get("kind", "none")
        self._statistics: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        self.volumes: VolumePreprocessing | None = None
        self.images: ImageSettings | None = None
        if kind == "none":
            if others := sorted(set(settings) - {"kind"}):
                raise ModelError(
                    f"The preprocessing of '{name}' has no 'kind', so that {', '.join(map(str, others))} can't be "
                    "understood. Write 'standardise', 'image' or 'volume' as its kind."
                    if "kind" not in settings
                    else f"The preprocessing of '{name}' is of the kind 'none' and says {', '.join(map(str, others))} "
                    "all the same. Choose another kind, or leave these out."
                )
            return
        if kind == "image":
            self.images = parse_image_settings(settings, name)
            return
        if kind == "volume":
            self.volumes = VolumePreprocessing(settings, input_shape, name)
            return
        if kind != "standardise":
            raise ModelError(f"The model '{name}' wants the preprocessing '{kind}', which this version does not have.")
        try:
            mean = np.asarray(settings["mean"], dtype=np.float64)
            std = np.asarray(settings["std"], dtype=np.float64)
        except (KeyError, TypeError, ValueError):
            raise ModelError(f"The preprocessing of '{name}' lacks 'mean' or 'std' as lists of numbers.") from None
        if mean.shape != std.shape or mean.ndim != 1 or (input_shape and len(mean) not in (1, input_shape[0])):
            raise ModelError(
                f"The preprocessing of '{name}' has {mean.size} means and {std.size} standard deviations for inputs of "
                f"shape {input_shape}. Give one of each per column or channel."
            )
        if not (np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all()):
            raise ModelError(
                f"The preprocessing of '{name}' has a mean that is not finite, or a standard deviation that is not "
                "above 0. Use 1 for columns that never change."
            )
        self._statistics = mean, std

    def __call__(self, rows: Tensor, like: Tensor | None = None, affine: NDArray[np.float64] | None = None) -> Tensor:
        """Return floating rows, shape (n, *input_shape), preprocessed in their own dtype. Differentiable.

        `like` and `affine` matter for volumes only, see `VolumePreprocessing`.
        """
        if self.volumes is not None:
            return self.volumes(rows, like, affine)
        if self.images is not None:
            return _image_values(rows, self.images)
        if self._statistics is None:
            return rows
        shape = (1, -1, *([1] * (rows.ndim - 2)))
        mean, std = (torch.as_tensor(s, dtype=rows.dtype, device=rows.device).reshape(shape) for s in self._statistics)
        return (rows - mean) / std


def _image_values(rows: Tensor, settings: ImageSettings) -> Tensor:
    """Return values as an image network wants them, from seen rows (n, channels, y, x) in [0, 1]. Differentiable."""
    low, high = settings.range
    if (low, high) != (0.0, 1.0):
        rows = rows * (high - low) + low
    if settings.bgr:
        rows = rows.flip(1)
    mean, std = (
        torch.tensor(values, dtype=rows.dtype, device=rows.device).reshape(1, -1, 1, 1)
        for values in (settings.mean, settings.std)
    )
    return (rows - mean) / std


def standardising(x: NDArray[Any]) -> dict[str, Any]:
    """Return the settings that give `x`, shape (n, *input_shape), mean 0 and standard deviation 1 (ddof 0).

    Per column, per channel for images. A column that never changes is only centred.
    """
    axes = (0, *range(2, x.ndim))
    values = x.astype(np.float64)
    mean, std = values.mean(axis=axes), values.std(axis=axes)
    # The standard deviation of equal values is rounding, not always 0.
    std = np.where(std > 1e-12 * np.maximum(1.0, np.abs(mean)), std, 1.0)
    return {"kind": "standardise", "mean": mean.tolist(), "std": std.tolist()}
