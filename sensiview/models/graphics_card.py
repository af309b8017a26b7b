"""Which NVIDIA cards a machine has, their driver, and why jobs compute on them or not, in one sentence.

The system is asked, not PyTorch alone: PyTorch says only that there is no CUDA, whatever the reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# CUDA's major version -> the oldest driver that runs it (NVIDIA, CUDA Compatibility, "Minor Version Compatibility").
_OLDEST_DRIVER = {11: 450, 12: 525, 13: 580}
_NVIDIA = "0x10de"
_OTHERS = {"0x1002": "AMD", "0x8086": "Intel"}
_NUMBER = re.compile(r"\b(\d{3,4}\.\d+(?:\.\d+)?)\b")


@dataclass(frozen=True)
class Cards:
    """What the system tells of graphics cards.

    Attributes
    ----------
    nvidia : tuple of str
        Names of NVIDIA's cards, or their PCI identifiers without a driver.
    others : tuple of str
        Makers of other cards: ``AMD``, ``Intel``.
    driver : str
        Version of the NVIDIA driver that is loaded; empty without one.
    bound : str
        The kernel driver of the first NVIDIA card: ``nvidia``, ``nouveau``, ...; empty when none has it.
    locked : bool
        The driver is loaded, but this user may not open its cards.
    absent : bool
        The driver is loaded, but no card can be opened by anybody: a container that none was handed to.
    """

    nvidia: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    driver: str = ""
    bound: str = ""
    locked: bool = False
    absent: bool = False


@dataclass(frozen=True)
class Torch:
    """What PyTorch tells: the CUDA it was built for, the cards it can use, those it is too new for, its complaint."""

    cuda: str | None
    usable: tuple[str, ...] = ()
    too_old: tuple[str, ...] = ()
    complaint: str = ""
    apple: bool = False


def find_cards(root: Path = Path("/")) -> Cards:
    """Return the graphics cards of this machine; `root` is the root of the file system, another one in tests."""
    devices = [d for d in _listed(root / "sys/bus/pci/devices") if _text(d / "class").startswith("0x03")]
    nvidia = [d for d in devices if _text(d / "vendor") == _NVIDIA]
    others = dict.fromkeys(_OTHERS[v] for d in devices if (v := _text(d / "vendor")) in _OTHERS)
    found = _NUMBER.search(_text(root / "proc/driver/nvidia/version"))
    driver = found[1] if found else ""
    models = [_model(d / "information") for d in _listed(root / "proc/driver/nvidia/gpus")]
    names = [name for name in models if name] or [f"PCI device {_text(d / 'device')}" for d in nvidia]
    if not driver and root == Path("/"):
        names, driver = _asked_nvidia_smi() or (names, driver)
    bound = Path(os.path.realpath(nvidia[0] / "driver")).name if nvidia and (nvidia[0] / "driver").exists() else ""
    nodes = [node for node in _listed(root / "dev") if re.fullmatch(r"nvidia\d+", node.name)]
    locked = bool(driver and nodes) and not any(os.access(node, os.R_OK | os.W_OK) for node in nodes)
    return Cards(tuple(names), tuple(others), driver, bound, locked, absent=bool(found) and not nodes)


def ask_torch() -> Torch:
    """Return what PyTorch finds; its warnings become the complaint.

    Raises
    ------
    ImportError, OSError
        PyTorch can't be loaded.
    """
    import torch

    usable: list[str] = []
    too_old: list[str] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            for at in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
                name = torch.cuda.get_device_name(at)
                known = runs_on(torch.cuda.get_arch_list(), torch.cuda.get_device_capability(at))
                (usable if known else too_old).append(name)
            complaint = next((text for warning in said if "CUDA" in (text := str(warning.message))), "")
        except RuntimeError as error:  # the driver answers, the card does not
            complaint = str(error)
    return Torch(torch.version.cuda, tuple(usable), tuple(too_old), complaint, torch.backends.mps.is_available())


def explain(cards: Cards, torch: Torch) -> tuple[str, bool]:
    """Return which GPU computes, or why the CPU does, and whether nothing is amiss (no card at all is not)."""
    if torch.usable:
        driver = f" with driver {cards.driver}" if cards.driver else ""
        return f"{_list(torch.usable)}{driver}: jobs compute on it, with CUDA {torch.cuda}.", True
    if torch.apple:
        return "Apple GPU: jobs compute on it.", True
    if torch.too_old:
        return (f"{_list(torch.too_old)} is too old for the CUDA {torch.cuda} inside: the CPU is used."), False
    if not cards.nvidia and not cards.driver:
        others = f", only one of {' and '.join(cards.others)}, which is not used" if cards.others else ""
        return f"No NVIDIA card was found{others}: the CPU is used.", True
    return f"{_obstacle(cards, torch)} The CPU is used.", False


def _obstacle(cards: Cards, torch: Torch) -> str:
    """Return why an NVIDIA card that is there does not compute, and what to do."""
    card = _list(cards.nvidia) if cards.nvidia else "NVIDIA card"
    oldest = _OLDEST_DRIVER.get(int((torch.cuda or "0").split(".")[0]), 0)
    wanted = f", version {oldest} or newer" if oldest else ""
    if torch.cuda is None:
        return f"An NVIDIA card is there ({card}), but this PyTorch is built without CUDA."
    if not cards.driver:
        other = f" (the driver '{cards.bound}' has the card, which can't compute)" if cards.bound else ""
        return f"An NVIDIA card is there ({card}), but not NVIDIA's driver{other}. Install it{wanted}."
    if int(cards.driver.split(".")[0]) < oldest:
        return (
            f"The NVIDIA driver {cards.driver} is too old for the CUDA {torch.cuda} inside, which needs {oldest} or "
            f"newer ({card}). Update it."
        )
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        return f"The variable CUDA_VISIBLE_DEVICES hides the NVIDIA card ({card}). Unset it."
    if cards.locked:
        return f"The NVIDIA driver {cards.driver} is loaded, but this user may not open the card ({card})."
    if cards.absent:
        return (
            f"The NVIDIA driver {cards.driver} is loaded ({card}), but no card is handed to this program: there is no "
            "/dev/nvidia0. In a container, start it with access to the GPU."
        )
    reason = re.split(r"(?<=[.!])\s|\s\(Triggered", torch.complaint.strip())[0].rstrip(".")
    said = f": {reason}" if reason else ", and says no reason"
    return (
        f"The NVIDIA driver {cards.driver} is loaded ({card}), but CUDA can't be used{said}. After an update of the "
        "driver, restart the computer."
    )


def runs_on(built_for: Sequence[str], capability: tuple[int, int]) -> bool:
    """Say whether code was built for a card: for its generation (``sm_80`` is for 8.0 and 8.6), or to be translated.

    Parameters
    ----------
    built_for : sequence of str
        As ``torch.cuda.get_arch_list`` tells it; nothing is known when it is empty.
    capability : tuple of int
        The card's, major and minor.
    """
    kinds = [re.fullmatch(r"(sm|compute)_(\d+)(\d)[a-z]?", name) for name in built_for]
    known = [(kind[1], int(kind[2]), int(kind[3])) for kind in kinds if kind]
    major, minor = capability
    return not known or any(
        (made == major and least <= minor) if kind == "sm" else (made, least) <= capability
        for kind, made, least in known
    )


def _asked_nvidia_smi() -> tuple[list[str], str] | None:
    """Return cards and driver as NVIDIA's own tool tells them: on Windows and in WSL there is nothing to look into."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    command = [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=5,
            check=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    rows = [line.rpartition(",") for line in done.stdout.splitlines() if "," in line]
    return ([name.strip() for name, _, _ in rows], rows[0][2].strip()) if rows else None


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _model(path: Path) -> str:
    found = re.search(r"^Model:\s*(.+)$", _text(path), re.MULTILINE)
    return found[1].strip() if found else ""
