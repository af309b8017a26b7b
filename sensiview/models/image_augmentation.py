"""Changing images at random while a network is trained on them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sensiview.models.recipe import TrainingRecipe

# Shares of red, green and blue in the brightness that people see (ITU-R 601-2).
_LUMINANCE = (0.299, 0.587, 0.114)


def augment_images(
    rows: Tensor, recipe: TrainingRecipe, valid: tuple[float, float], generator: np.random.Generator
) -> Tensor:
    """Return changed copies of images; the same random state gives the same ones, on any device.

    In this order, as far as the recipe says so: `flip`, `rotation`, `crop_padding`, `colour_jitter`.

    Parameters
    ----------
    rows : Tensor
        Shape (n, c, y, x), what the network sees before anything is done to the values.
    recipe : TrainingRecipe
    valid : (float, float)
        Range of the pixels: what comes in at the edges is its lower end, and values stay inside.
    generator : numpy.random.Generator
    """
    low, high = valid
    count = len(rows)
    if recipe.flip:
        turned = torch.from_numpy(generator.random(count) < 0.5).to(rows.device)
        rows = torch.where(turned[:, None, None, None], rows.flip(-1), rows)
    if recipe.rotation:
        degrees = generator.uniform(-recipe.rotation, recipe.rotation, count)
        rows = _rotated(rows - low, np.deg2rad(degrees)) + low
    if recipe.crop_padding:
        most = recipe.crop_padding
        rows = _moved(rows, generator.integers(-most, most + 1, (count, 2)), low)
    if recipe.colour_jitter:
        factors = generator.uniform(1 - recipe.colour_jitter, 1 + recipe.colour_jitter, (3, count))
        rows = _jittered(rows - low, torch.from_numpy(factors).to(rows)).clamp(0, high - low) + low
    return rows


def _rotated(rows: Tensor, angles: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Tensor:
    """Turn each image about its middle; zeros come in, values between pixels are interpolated."""
    height, width = rows.shape[2:]
    turns = torch.zeros(len(rows), 2, 3, dtype=rows.dtype)
    for turn, angle in zip(turns, angles.tolist(), strict=True):
        cos, sin = math.cos(angle), math.sin(angle)
        # Coordinates run from -1 to 1 along both sides, whatever their length.
        turn[:, :2] = torch.tensor([[cos, -sin * height / width], [sin * width / height, cos]])
    grid = functional.affine_grid(turns.to(rows.device), list(rows.shape), align_corners=False)
    return functional.grid_sample(rows, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _moved(rows: Tensor, shifts: np.ndarray[tuple[int, int], np.dtype[np.int64]], fill: float) -> Tensor:
    """Move each image by whole pixels (down, right); `fill` comes in."""
    height, width = rows.shape[2:]
    most = int(np.abs(shifts).max(initial=0))
    wide = functional.pad(rows, (most,) * 4, value=fill)
    parts = [
        row[:, most - down : most - down + height, most - right : most - right + width]
        for row, (down, right) in zip(wide, shifts.tolist(), strict=True)
    ]
    return torch.stack(parts)


def _jittered(rows: Tensor, factors: Tensor) -> Tensor:
    """Multiply brightness, contrast (about the image's mean grey) and saturation (about its grey) by factors (3, n)."""
    brightness, contrast, saturation = factors[:, :, None, None, None].unbind()
    rows = rows * brightness
    mean = _grey(rows).mean(dim=(1, 2, 3), keepdim=True)
    rows = mean + (rows - mean) * contrast
    if rows.shape[1] != len(_LUMINANCE):
        return rows
    grey = _grey(rows)
    mixed: Tensor = grey + (rows - grey) * saturation
    return mixed


def _grey(rows: Tensor) -> Tensor:
    if rows.shape[1] != len(_LUMINANCE):
        return rows.mean(dim=1, keepdim=True)
    shares = torch.tensor(_LUMINANCE, dtype=rows.dtype, device=rows.device)
    return (rows * shares[:, None, None]).sum(dim=1, keepdim=True)
