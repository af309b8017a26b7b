"""Where to compute: CPU, an NVIDIA GPU by number, or an Apple GPU."""

from __future__ import annotations

import os

import psutil
import torch

from sensiview.errors import UserError
from sensiview.models.graphics_card import runs_on


def available() -> list[str]:
    """Return the devices of this machine, GPUs first and the CPU last: ``cuda:0``, ``cuda:1``, ``mps``, ``cpu``.

    A card that PyTorch was not built for (too old) is not among them: the first kernel would fail on it.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = [f"cuda:{i}" for i in range(count) if _is_built_for(i)]
    return [*gpus, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def _is_built_for(card: int) -> bool:
    try:
        return runs_on(torch.cuda.get_arch_list(), torch.cuda.get_device_capability(card))
    except (RuntimeError, AssertionError):  # the card does not tell: trying it says why
        return True


def resolve(name: str | torch.device = "auto") -> torch.device:
    """Return the device called `name`.

    ``auto`` is the first NVIDIA GPU, else the Apple GPU, else the CPU; ``cuda`` is the first NVIDIA GPU.

    Raises
    ------
    UserError
        This machine has no such device; the sentence names those it has.
    """
    text = str(name).strip().lower()
    known = available()
    if text in ("auto", ""):
        return torch.device(known[0])
    if text == "cuda" and "cuda:0" in known:
        return torch.device("cuda:0")
    if text in ("cpu:0", "mps:0"):
        text = text.removesuffix(":0")
    if text in known:
        return torch.device(text)
    raise UserError(
        f"There is no device '{name}' on this machine. Choose one of: auto, {', '.join(known)}.{_why(text)}"
    )


def _why(name: str) -> str:
    if not name.startswith("cuda"):
        return ""
    number = name.removeprefix("cuda:") if ":" in name else "0"
    if torch.cuda.is_available():
        too_old = number.isdecimal() and int(number) < torch.cuda.device_count()
        return " That card is too old for this PyTorch." if too_old else ""
    if torch.version.cuda is None:
        return " The installed PyTorch is built without CUDA."
    return " PyTorch finds no NVIDIA GPU it can use: is the driver installed?"


def title(device: torch.device) -> str:
    """Return a name for people: ``NVIDIA H100 (cuda:0)``, ``Apple GPU (mps)``, ``CPU, 8 threads``."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    return "Apple GPU (mps)" if device.type == "mps" else f"CPU, {torch.get_num_threads()} threads"


def describe_devices() -> dict[str, str]:
    """Return what each device of this machine is, by its name."""
    found = {}
    for name in available():
        device = torch.device(name)
        memory = f", {torch.cuda.get_device_properties(device).total_memory / 2**30:.0f} GB" if "cuda" in name else ""
        found[name] = title(device).removesuffix(f" ({name})") + memory
    return found


def memory_in_use(device: torch.device) -> tuple[int, int]:
    """Return bytes in use: resident memory of this process, and what torch holds on the device (0 for the CPU)."""
    process = int(psutil.Process(os.getpid()).memory_info().rss)
    if device.type == "cuda":
        return process, int(torch.cuda.memory_reserved(device))
    if device.type == "mps":
        return process, int(torch.mps.driver_allocated_memory())
    return process, 0


def memory_free(device: torch.device) -> int:
    """Return the bytes that can still be had on a device; what torch has reserved without using it counts as free."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    # An Apple GPU shares the machine's memory.
    return int(psutil.virtual_memory().available)
