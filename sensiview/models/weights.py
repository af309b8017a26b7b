"""Weights in and out, without ever running code from a file.

`torch.load` is called here and nowhere else, always with ``weights_only=True``.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.files import write_atomically
from sensiview.models.key_report import KeyReport, compare
from sensiview.models.layer_weights import plain_names
from sensiview.models.weight_files import recognise

_HOLDERS = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params", "ema")
_PREFIXES = ("module.", "_orig_mod.")
_GLOBAL = re.compile(r"GLOBAL (?:builtins\.)?([\w.]+)")
_RUNS_CODE = re.compile(
    r"(posix|nt|os|sys|subprocess|shutil|socket|runpy|importlib|ctypes|pty|platform|webbrowser|operator|functools)\."
    r"|^(eval|exec|compile|open|getattr|setattr|__import__|execfile|globals|apply|input)$"
)


class _Inert(dict[str, Any]):
    """Stands in for a harmless object beside the weights: a numpy number, a path, a date. Does nothing."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__()

    def __setstate__(self, _state: Any) -> None:
        """Ignore what the file says about the object."""


def _plain_dict(*_args: Any) -> dict[str, Any]:
    """Stand in for a ``defaultdict``."""
    return {}


# Checkpoints carry these beside the weights. The real classes are never called: the names lead to the stand-ins.
_HARMLESS = (
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    *("numpy.dtype", "numpy.ndarray", "numpy._core.numeric._frombuffer", "numpy.core.numeric._frombuffer"),
    *(f"numpy.dtypes.{kind}DType" for kind in ("Float64", "Float32", "Float16", "Int64", "Int32", "Bool", "UInt8")),
    *("argparse.Namespace", "types.SimpleNamespace", "datetime.datetime", "datetime.date", "datetime.timedelta"),
    # As the factory of a defaultdict.
    *(f"builtins.{kind}" for kind in ("list", "dict", "int", "float", "str")),
    *(f"pathlib.{module}{kind}Path" for module in ("", "_local.") for kind in ("Posix", "Windows", "PurePosix")),
)


def load_weights(module: nn.Module, path: Path) -> KeyReport:
    """Read weights from a file into a module, all of them or none.

    Parameters
    ----------
    module : nn.Module
        Gets the weights. It becomes float64 when the file's are; half precision is widened to the module's own.
    path : Path
        ``.pth``/``.pt`` with a state_dict (bare, or inside a checkpoint), or ``.safetensors``.

    Returns
    -------
    KeyReport
        What matched, with notes on what was stripped or converted, and on NaN or infinite values.

    Raises
    ------
    ModelError
        The file can't be used, or its keys don't fit (`details` holds the table); the module is unchanged.
    """
    state, notes = read_state(path)
    return fill(module, state, path.name, notes)


def fill(module: nn.Module, state: Mapping[str, Tensor], file: str, notes: tuple[str, ...] = ()) -> KeyReport:
    """Put tensors that were read before into a module, all of them or none; see `load_weights`."""
    wanted = {key: value for key, value in module.state_dict().items() if isinstance(value, Tensor)}
    state, said = _without_prefix(state, wanted)
    report = replace(compare(wanted, state), notes=(*notes, *said))
    if not report.fits:
        raise ModelError(report.sentence(file), details=report.as_text())
    wrong = [key for key in report.matched if wanted[key].is_floating_point() and not _usable(state[key])]
    if wrong:
        kind = str(state[wrong[0]].dtype).removeprefix("torch.")
        raise ModelError(
            f"The weights in '{file}' are {kind} (first: {wrong[0]}): quantised or sparse weights can't be used. "
            "Save the network's state_dict before it is quantised."
        )
    floats = {key: state[key] for key in report.matched if state[key].is_floating_point()}
    notes = (*report.notes, *_precision(module, floats), *_not_finite(floats))
    # Strict was checked above, by shapes and with sentences.
    module.load_state_dict({key: state[key] for key in report.matched}, strict=False)
    return replace(report, notes=notes)


def read_state(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the tensors of a file by key, on the CPU, and sentences on where they were found.

    Raises
    ------
    ModelError
        The file is missing, no weights, damaged, or would run code.
    """
    kind = recognise(path)
    if kind == "safetensors":
        try:
            return dict(safetensors.torch.load_file(path, device="cpu")), ()
        except (SafetensorError, OSError, ValueError, RuntimeError) as error:
            raise ModelError(
                f"'{path.name}' is damaged or cut off. Download or copy it again.", details=str(error)
            ) from error
    with path.open("rb") as stream:
        content = tensors_only(stream, path.name)
    return _state_of(content, path.name)


def tensors_only(stream: BinaryIO, name: str) -> Any:
    """Return what torch saved: tensors and plain containers. Nothing in the stream is ever executed.

    Raises
    ------
    ModelError
        It holds something else, is damaged, or asks for more memory than there is.
    """
    stand_ins: list[Any] = [*((_Inert, name) for name in _HARMLESS), (_plain_dict, "collections.defaultdict")]
    try:
        with torch.serialization.safe_globals(stand_ins), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(stream, map_location="cpu", weights_only=True)  # noqa: TID251 - the one place
    except Exception as error:
        raise ModelError(
            _refusal(error, name, ended=_ended(stream)), details=f"{type(error).__name__}: {error}"
        ) from error


def _ended(stream: BinaryIO) -> bool:
    """Say whether a file in the format before PyTorch 1.6, read from front to end, was read to its end."""
    at_end = not stream.read(1)
    stream.seek(0)
    return at_end and stream.read(2) != b"PK"


def _refusal(error: Exception, name: str, *, ended: bool) -> str:
    text = str(error)
    found = _GLOBAL.search(text)
    if found is not None and not ended:
        asked = found[1]
        if "is blocked" in text or _RUNS_CODE.search(asked):
            return (
                f"'{name}' would run code when it is read: it calls '{asked}'. Nothing was executed. Do not use "
                "this file; get the weights from a source you trust."
            )
        return (
            f"'{name}' holds pickled Python objects ('{asked}'), probably a whole model instead of its weights. "
            "Reading it would run code, so it was not read. Where its class is defined, save the weights alone: "
            "torch.save(model.state_dict(), 'weights.pth')."
        )
    if isinstance(error, MemoryError) or "memory" in text.lower():
        return f"'{name}' asks for more memory than there is: it is damaged, or made to do so. Get it again."
    if ended or isinstance(error, EOFError) or "EOF" in text or "zip archive" in text or "negative seek" in text:
        return f"'{name}' is cut off or damaged. Download or copy it again."
    return (
        f"'{name}' can't be read as PyTorch weights: it is damaged, or holds something else. Use a file made with "
        "torch.save(model.state_dict(), 'weights.pth'), or a .safetensors file."
    )


def _state_of(content: Any, name: str) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Find the state_dict in what a file holds."""
    if isinstance(content, Mapping):
        direct = _tensors(content)
        for key in _HOLDERS:
            inner = content.get(key)
            if not direct and isinstance(inner, Mapping) and (state := _tensors(inner)):
                others = [str(k) for k in content if k != key][:8]
                beside = f" beside {', '.join(others)}" if others else ""
                return state, (f"'{name}' is a checkpoint: the weights are its entry '{key}'{beside}.",)
        if direct:
            return direct, ()
        raise ModelError(
            f"'{name}' holds no weights: its entries are {', '.join(map(str, list(content)[:8])) or 'none'}. Save the "
            "weights with torch.save(model.state_dict(), 'weights.pth')."
        )
    what = "a single tensor" if isinstance(content, Tensor) else f"a {type(content).__name__}"
    raise ModelError(
        f"'{name}' holds {what}, not a state_dict. Save the weights with torch.save(model.state_dict(), 'weights.pth')."
    )


def _tensors(entries: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {key: value for key, value in entries.items() if isinstance(key, str) and isinstance(value, Tensor)}


def unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors without ``module.`` and ``_orig_mod.`` before every key, for looking at their shapes."""
    plain = dict(state)
    while plain and (prefix := next((p for p in _PREFIXES if all(key.startswith(p) for key in plain)), "")):
        plain = {key.removeprefix(prefix): value for key, value in plain.items()}
    return plain


def _without_prefix(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Take off what wrappers put before every key: ``module.`` (DataParallel), ``_orig_mod.`` (compiled), others."""
    state, notes = dict(state), []
    while state and not any(key in wanted for key in state):
        prefix = next(iter(state)).partition(".")[0] + "."
        shorter = {key.removeprefix(prefix): value for key, value in state.items()}
        all_have_it = all(key.startswith(prefix) for key in state)
        if not all_have_it or (prefix not in _PREFIXES and not any(key in wanted for key in shorter)):
            break
        state = shorter
        notes.append(f"The prefix '{prefix}' was taken off every key.")
    inside = plain_names(state)
    if sum(key in wanted for key in inside) > sum(key in wanted for key in state):
        state = inside
        notes.append("'module.' was taken out of the keys.")
    return state, notes


def _usable(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.layout is torch.strided and not tensor.is_quantized


def _precision(module: nn.Module, floats: Mapping[str, Tensor]) -> list[str]:
    kinds = {value.dtype for value in floats.values()}
    if kinds == {torch.float64}:
        module.double()
        return ["The weights are float64; the network computes in float64."]
    if kinds and kinds <= {torch.float16, torch.bfloat16}:
        return [f"The weights are {str(kinds.pop()).removeprefix('torch.')} in the file and float32 in the network."]
    return []


def _not_finite(floats: Mapping[str, Tensor]) -> list[str]:
    bad = [key for key, value in floats.items() if not bool(torch.isfinite(value).all())]
    if not bad:
        return []
    return [
        f"{len(bad)} of {len(floats)} tensors hold NaN or infinite values (first: {bad[0]}): the network will not give "
        "numbers. Was its training stable?"
    ]


def save_weights(module_or_state: nn.Module | Mapping[str, Tensor], path: Path) -> None:
    """Write weights as safetensors: to a file beside, then moved, so that no half file is ever seen.

    Raises
    ------
    ModelError
        The file can't be written.
    """
    entries = module_or_state.state_dict() if isinstance(module_or_state, nn.Module) else module_or_state
    # Tied weights share memory, which the format does not know: each key gets its own copy.
    state = {k: v.detach().to("cpu").contiguous().clone() for k, v in entries.items() if isinstance(v, Tensor)}
    content = safetensors.torch.save(state, metadata={"format": "pt"})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda stream: stream.write(content))
    except OSError as error:
        raise ModelError(
            f"The weights can't be written to '{path}': {error.strerror or error}. Free some space, or choose "
            "another folder."
        ) from error


def rewritten(content: bytes, name: str) -> bytes:
    """Return tensors that torch saved, read safely and saved anew: bytes that need no trust."""
    buffer = io.BytesIO()
    torch.save(tensors_only(io.BytesIO(content), name), buffer)
    return buffer.getvalue()
