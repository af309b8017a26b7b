"""What is odd about DICOM files, as sentences; none of them names the patient or a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["note", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing worth knowing about a series before it is used.

    Parameters
    ----------
    kind : str
        For programs: ``missing_slices``, ``duplicate_slices``, ``uneven_spacing``, ``shifted_slices``,
        ``gantry_tilt``, ``mixed_series``, ``repeated_stacks``, ``no_pixels``, ``no_geometry``, ``not_a_volume``,
        ``truncated``, ``localiser``, ``one_slice``, ``spacing_tag``, ``rescale``, ``inverted``, ``lossy``,
        ``compressed``, ``codec``, ``no_name``, ``characters``, ``incomplete``, ``unreadable``, ``archive``,
        ``not_dicom``, ``index_file``, ``several_names``, ``empty``.
    sentence : str
        For people; ends with what to do where something can be done.
    severity : str
        ``note`` changes nothing, ``warning`` should be looked at before a result is believed, ``error`` means that
        the series can't be opened as a volume.
    """

    kind: str
    sentence: str
    severity: Severity = "note"

    def to_plain(self) -> dict[str, str]:
        """Return JSON values."""
        return {"kind": self.kind, "sentence": self.sentence, "severity": self.severity}

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Finding:
        """Take back what `to_plain` gave."""
        severity = values.get("severity")
        known: Severity = severity if severity in ("note", "warning", "error") else "warning"
        return cls(str(values["kind"]), str(values["sentence"]), known)


def counted(number: int, what: str) -> str:
    """Return ``1 slice``, ``2 slices``, ``3 series``."""
    return f"{number:,} {what}" if number == 1 or what.endswith("s") else f"{number:,} {what}s"


def listed(names: Iterable[str], most: int = 5) -> str:
    """Return the first names separated by commas, and how many more there are."""
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most:,} more"


def joined(parts: Sequence[str], most: int = 3) -> str:
    """Return parts of a sentence separated by semicolons."""
    shown = "; ".join(parts[:most])
    return shown if len(parts) <= most else f"{shown}; and so on in {len(parts) - most:,} more places"


def millimetres(value: float) -> str:
    """Return ``3.00 mm``, with digits enough for small animals."""
    return f"{value:.2f} mm" if abs(value) >= 0.1 or value == 0 else f"{value:.3g} mm"
