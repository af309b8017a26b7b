"""What is done to images before a network, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COLOURS = {1: "grey", 3: "colour"}


def image_settings_pairs(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of a model card's ``{"kind": "image", ...}``, in the order in which it happens."""
    from sensiview.errors import ModelError
    from sensiview.models.image_settings import ImageSettings, parse_image_settings

    try:
        found: ImageSettings = parse_image_settings(settings, "this model")
    except ModelError as error:
        return [("Preprocessing", error.sentence)]
    pairs = [("Images", _COLOURS[found.channels])]
    how = f"{found.interpolation}{'' if found.antialias else ', not smoothed'}"
    if isinstance(found.resize, tuple):
        pairs.append(("Resized", f"to {found.resize[0]} × {found.resize[1]} pixels ({how})"))
    elif found.resize is not None:
        pairs.append(("Resized", f"shorter side to {found.resize} pixels ({how})"))
    if found.size is not None and found.size != found.resize:
        pairs.append(("Cut out", f"the middle {found.size[0]} × {found.size[1]} pixels"))
    low, high = found.range
    order = "blue, green, red" if found.bgr else ""
    pairs.append(("Pixel values", f"from {low:g} to {high:g}" + (f"; {order}" if order else "")))
    if set(found.mean) != {0.0} or set(found.std) != {1.0}:
        pairs.append(("Mean", _numbers(found.mean)))
        pairs.append(("Standard deviation", _numbers(found.std)))
    return pairs


def image_settings_line(settings: Mapping[str, Any]) -> str:
    """Return the same as one sentence."""
    pairs = image_settings_pairs(settings)
    words = {"Images": "{} images", "Resized": "{}", "Cut out": "{} cut out"}
    parts = [words.get(name, name.lower() + " {}").format(_as_part(value)) for name, value in pairs]
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _as_part(value: str) -> str:
    for begin, instead in (("shorter side to ", "shorter side resized to "), ("to ", "resized to ")):
        if value.startswith(begin):
            return instead + value.removeprefix(begin)
    return value


def _numbers(values: tuple[float, ...]) -> str:
    return (
        ", ".join(f"{value:g}" for value in dict.fromkeys(values))
        if len(set(values)) == 1
        else ", ".join(f"{value:g}" for value in values)
    )
