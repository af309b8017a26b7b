"""Display ranges by name: from the layer's own values, or the windows radiologists use for a modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sensiview.gui.viewer.scene import Layer, Look

_SAMPLE = 400_000
_LOWEST, _HIGHEST = 0.5, 99.5  # percentiles of "auto"


@dataclass(frozen=True)
class Preset:
    """A window: `low` and `high` in the layer's unit, for people `width` and `level`."""

    name: str
    low: float
    high: float
    modality: str = ""

    @property
    def width(self) -> float:
        """Window width."""
        return self.high - self.low

    @property
    def level(self) -> float:
        """Window centre."""
        return (self.high + self.low) / 2

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"name": self.name, "low": self.low, "high": self.high, "modality": self.modality}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Preset:
        """Take back what `to_plain` gave."""
        low, high = float(values["low"]), float(values["high"])
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError("a window is two finite numbers")
        return cls(str(values["name"]), low, high, str(values.get("modality", "")))


def _window(name: str, width: float, level: float, modality: str) -> Preset:
    return Preset(name, level - width / 2, level + width / 2, modality)


# Width and level as on Radiopaedia's page "Windowing (CT)"; SUV ranges as usual for FDG.
PRESETS: tuple[Preset, ...] = (
    _window("Brain", 80, 40, "CT"),
    _window("Stroke", 40, 40, "CT"),
    _window("Subdural", 215, 75, "CT"),
    _window("Soft tissue", 400, 50, "CT"),
    _window("Temporal bone", 2800, 600, "CT"),
    _window("Bone", 1800, 400, "CT"),
    _window("Lung", 1500, -600, "CT"),
    _window("Mediastinum", 350, 50, "CT"),
    _window("Liver", 150, 30, "CT"),
    _window("Angiography", 600, 300, "CT"),
    Preset("SUV 0 to 5", 0, 5, "PET"),
    Preset("SUV 0 to 10", 0, 10, "PET"),
    Preset("SUV 0 to 20", 0, 20, "PET"),
    Preset("Probability 0 to 1", 0, 1, "Map"),
    Preset("z 0 to 5", 0, 5, "Map"),
)
MODALITIES = ("MR", "CT", "PET", "Map")


def modality_of(layer: Layer) -> str:
    """Guess the modality from unit, role and values: CT (HU), PET (SUV), Map (overlays), otherwise MR."""
    unit = layer.unit.casefold()
    if "hu" in unit.split() or "hounsfield" in unit:
        return "CT"
    if "suv" in unit:
        return "PET"
    if layer.role != "underlay":
        return "Map"
    # Air of a CT lies at -1000 HU; nothing else that people look at reaches there.
    return "CT" if layer.value_range[0] <= -900 and layer.value_range[1] > 300 else "MR"


def sampled(layer: Layer, most: int = _SAMPLE) -> npt.NDArray[np.float32]:
    """Return finite values of evenly spread voxels, at most about `most`, without reading the whole array."""
    stride = max(1, int(np.ceil((layer.array.size / most) ** (1 / 3))))
    values = np.asarray(layer.array[::stride, ::stride, ::stride], dtype=np.float32).ravel()
    values = values * np.float32(layer.slope) + np.float32(layer.intercept)
    finite: npt.NDArray[np.float32] = values[np.isfinite(values)]
    return finite


def auto_range(layer: Layer) -> tuple[float, float]:
    """Return the range between the percentiles 0.5 and 99.5 of what is not background; (0, reach) for signed layers."""
    values = sampled(layer)
    values = values[values != 0]  # air and what was masked away would swallow the low percentiles
    if values.size == 0:
        return full_range(layer)
    if layer.look.signed:
        reach = float(np.percentile(np.abs(values), _HIGHEST)) or 1.0
        return 0.0, reach
    low, high = (float(v) for v in np.percentile(values, [_LOWEST, _HIGHEST]))
    return (low, high) if high > low else full_range(layer)


def full_range(layer: Layer) -> tuple[float, float]:
    """Return from the smallest to the largest value; (0, reach) for signed layers, never empty."""
    low, high = layer.value_range
    if layer.look.signed:
        reach = max(abs(low), abs(high)) or 1.0
        return 0.0, reach
    return (low, high) if high > low else (low, low + 1.0)


def top_share(layer: Layer, share: float) -> float:
    """Return the threshold that leaves the `share` (0-1) of non-zero voxels with the largest magnitude."""
    sizes = np.abs(sampled(layer))
    sizes = sizes[sizes > 0]
    return float(np.quantile(sizes, 1.0 - share)) if sizes.size else 0.0


def reset_look(layer: Layer) -> Look:
    """Return the layer's look with range, opacity and switches as for a fresh layer of its role."""
    signed = layer.look.signed
    low, high = auto_range(layer) if layer.role == "underlay" else full_range(layer)
    return Look(
        colour_map=layer.look.colour_map,
        low=low,
        high=high,
        opacity={"underlay": 1.0, "overlay": 0.8, "mask": 0.6, "atlas": 0.35}[layer.role],
        signed=signed,
        visible=layer.look.visible,
    )
