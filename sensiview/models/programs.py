"""Exported programs (``.pt2``), loaded so that nothing in the file can run.

`torch.export.load` is no safe reader: it unpickles tensors and example inputs, evaluates the text of shape
expressions, runs the text of guards as Python, writes node names into generated code and loads compiled libraries. So a
file is first taken apart with plain zip and JSON readers, everything in it is held against a list of what a program may
say, what is not needed is dropped, and a new archive is put together in memory. Only that is given to torch.
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.weights import rewritten

_MEMBER = re.compile(
    r"models/model\.json|data/weights/(weight_\d+|model_weights_config\.json)"
    r"|data/constants/(tensor_\d+|model_constants_config\.json)|data/sample_inputs/model\.pt"
    r"|archive_format|archive_version|byteorder|\.data/(version|serialization_id)"
)
_MODEL, _SAMPLES = "models/model.json", "data/sample_inputs/model.pt"
_CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_WORD = re.compile(r"[\w.+-]*")
_DUNDER = re.compile(r"(^|\.)__\w*__($|\.)")
_OPERATOR = re.compile(
    r"torch\.ops\.(aten|torchvision|prims)\.(?!(from_file|save|load|set_data)\b)\w+(\.\w+)?"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|neg|pow|getitem|eq|ne|lt|le|gt|ge|and_|or_|not_)"
    r"|math\.(ceil|floor|trunc|sqrt)|torch\.sym_(int|float|max|min|ite|not|sqrt)"
)
_EXPRESSION = re.compile(r"(?!.*\*\*)[\w\s'+*/%(),=<>-]*")
_NAMES = re.compile(
    r"[suz]f?\d+|Symbol|Integer|Float|Max|Min|Mod|PythonMod|FloorDiv|CleanDiv|CeilDiv|ModularIndexing|Mul|Add|CeilToInt"
    r"|FloorToInt|TruncToInt|ToFloat|IntTrueDiv|FloatTrueDiv|Eq|Ne|Lt|Le|Gt|Ge|Not|And|Or|True|False"
    r"|positive|nonnegative|negative|integer|real|\d+"
)
_CONTAINERS = {"builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict", None}


class ProgramModule(nn.Module):
    """An exported program as a module.

    Attributes
    ----------
    input_shape : tuple of int
        Of one input.
    fixed_rows : int or None
        The number of rows it was exported for, where it takes no other; batches are then cut and filled up.
    notes : tuple of str
        What can't be done with it.
    """

    def __init__(self, program: nn.Module, input_shape: tuple[int, ...], fixed_rows: int | None) -> None:
        super().__init__()
        self.program = program
        self.input_shape = input_shape
        self.fixed_rows = fixed_rows
        notes = ["An exported program: its outputs can be analysed, its hidden layers can't."]
        if fixed_rows is not None:
            notes.append(
                f"It was exported for exactly {fixed_rows} rows at a time, which is slow. Export it with "
                "dynamic_shapes=({0: torch.export.Dim('rows')},) for any number."
            )
        self.notes = tuple(notes)

    def forward(self, rows: Tensor) -> Any:
        """Return what the program gives for `rows`, shape (n, *input_shape)."""
        size = self.fixed_rows
        if size is None or len(rows) == size:
            return self.program(rows)
        parts = []
        for part in torch.split(rows, size):
            short = size - len(part)
            filled = torch.cat([part, part[-1:].expand(short, *part.shape[1:])]) if short else part
            parts.append(self.program(filled)[: len(part)])
        return torch.cat(parts)


def load_program(path: Path, device: torch.device | str = "cpu") -> ProgramModule:
    """Return the module of a ``.pt2`` file that ``torch.export.save`` wrote.

    Raises
    ------
    ModelError
        The file is missing, damaged, too old, was exported in training mode, takes several inputs, or says something
        that a program need not say: then nothing of it is executed.
    """
    archive = _rebuilt(_members(path), path.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.load(io.BytesIO(archive))
            if torch.device(device).type != "cpu":
                from torch.export.passes import move_to_device_pass

                program = move_to_device_pass(program, torch.device(device))
            module = program.module(check_guards=False)
    except Exception as error:
        raise ModelError(
            f"'{path.name}' can't be loaded by this version of PyTorch ({torch.__version__}). Export it again with it.",
            details=f"{type(error).__name__}: {error}",
        ) from error
    shape = _input_shape(program, path.name)
    fixed = shape[0] if isinstance(shape[0], int) else None
    if not all(isinstance(side, int) for side in shape[1:]):
        raise ModelError(
            f"'{path.name}' leaves more than the number of rows open. Export it with fixed sizes otherwise."
        )
    return ProgramModule(module, tuple(int(side) for side in shape[1:]), fixed)


def _members(path: Path) -> dict[str, bytes]:
    """Read the archive with Python's own reader; names without their top folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > path.stat().st_size:
                raise ModelError(f"'{path.name}' claims to hold more than the file is long. It was not opened.")
            names = [member.filename for member in members]
            if "serialized_exported_program.json" in names:
                raise ModelError(
                    f"'{path.name}' was exported by an old PyTorch. Export it again with version 2.8 or newer."
                )
            content = {member.filename.partition("/")[2]: archive.read(member) for member in members}
    except FileNotFoundError:
        raise ModelError(f"There is no file '{path}'. Was it moved or renamed?") from None
    except IsADirectoryError:
        raise ModelError(f"'{path}' is a folder. Choose the .pt2 file inside it.") from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        raise ModelError(
            f"'{path.name}' is no exported program, or cut off. Make one with torch.export.save(program, 'model.pt2')."
        ) from None
    except OSError as error:
        raise ModelError(f"'{path}' can't be read: {error.strerror or error}.") from error
    if any(name.startswith("data/aotinductor") for name in content):
        raise ModelError(
            f"'{path.name}' holds compiled code (AOTInductor), which is not run from model files. Save the program "
            "itself with torch.export.save."
        )
    if _MODEL not in content:
        raise ModelError(f"'{path.name}' is an archive without an exported program in it. Choose a .pt2 file.")
    return {name: data for name, data in content.items() if not name.startswith("extra/")}


def _rebuilt(members: Mapping[str, bytes], file: str) -> bytes:
    """Return a new archive of what was checked."""
    strange = next((name for name in members if not _MEMBER.fullmatch(name)), None)
    if strange is not None:
        raise _refused(file, f"a part called '{strange[:60]}'")
    fresh = dict(members)
    try:
        program = json.loads(fresh[_MODEL])
        configs = {name: json.loads(fresh[name]) for name in _CONFIGS}
        samples = fresh[_SAMPLES]
        graph = program["graph_module"]
        # Neither is needed; guards would be run as Python.
        program["guards_code"], graph["metadata"] = [], {}
        _check_training(graph, file)
        _check(program, file)
        for name, config in configs.items():
            _check(config, file)
            for entry in config["config"].values():
                _check_tensor(entry, fresh, name.rpartition("/")[0], file)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"'{file}' is damaged, or not written by torch.export.save.", details=repr(error)) from error
    fresh |= {name: json.dumps(config).encode() for name, config in (*configs.items(), (_MODEL, program))}
    fresh[_SAMPLES] = rewritten(samples, file)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in fresh.items():
            archive.writestr(f"model/{name}", data)
    return buffer.getvalue()


def _check_tensor(entry: Any, members: Mapping[str, bytes], folder: str, file: str) -> None:
    """A tensor must lie there as plain numbers; torch would read a missing one as zeros."""
    if entry["use_pickle"]:
        raise _refused(file, "a pickled tensor")
    sizes = [size["as_int"] for size in entry["tensor_meta"]["sizes"]]
    if not members[f"{folder}/{entry['path_name']}"] and 0 not in sizes:
        raise ValueError(f"no content for {entry['path_name']}")


def _check(value: Any, file: str, key: str = "") -> None:
    """Walk through JSON; every text must be a plain word, a known operator, or a shape expression of known words."""
    if isinstance(value, dict):
        # Stack traces and names of modules: for people, not for running.
        if "metadata" in value:
            value["metadata"] = {}
        # It may have been exported on a GPU that this machine lacks; it is moved after loading.
        if value.keys() == {"type", "index"}:
            value.update(type="cpu", index=None)
        for name, inner in value.items():
            _check(name, file)
            _check(inner, file, name)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, file, key)
    elif isinstance(value, str):
        if key in ("in_spec", "out_spec"):
            _check_containers(json.loads(value)[1], file)
        elif not _allowed(value, key):
            raise _refused(file, f"'{value[:60]}'")


def _allowed(text: str, key: str) -> bool:
    if key == "target":
        return _OPERATOR.fullmatch(text) is not None
    if key == "expr_str":
        words = re.findall(r"\w+", text)
        return _EXPRESSION.fullmatch(text) is not None and all(_NAMES.fullmatch(word) for word in words)
    return _WORD.fullmatch(text) is not None and _DUNDER.search(text) is None


def _check_containers(node: Any, file: str) -> None:
    """Let through tuples, lists and dictionaries with plain keys: any other kind would be imported by its name."""
    context = json.loads(node["context"]) if isinstance(node["context"], str) else node["context"]
    plain = context is None or (
        isinstance(context, list) and all(isinstance(c, str) and _allowed(c, "") for c in context)
    )
    if node["type"] not in _CONTAINERS or not plain:
        raise _refused(file, f"a container of the kind '{str(node['type'])[:60]}'")
    for child in node["children_spec"]:
        _check_containers(child, file)


def _check_training(graph: Any, file: str) -> None:
    for node in graph["graph"]["nodes"]:
        for given in node["inputs"]:
            if given["name"] in ("training", "train") and given["arg"].get("as_bool"):
                raise ModelError(
                    f"'{file}' was exported in training mode: dropout and batch norm would still act as in training. "
                    "Call model.eval() before torch.export.export."
                )


def _refused(file: str, what: str) -> ModelError:
    return ModelError(
        f"'{file}' holds {what}, which an exported network does not need and which could run code. Nothing was "
        "executed. Use another file, or the weights with a named architecture."
    )


def _input_shape(program: torch.export.ExportedProgram, file: str) -> tuple[Any, ...]:
    names = program.graph_signature.user_inputs
    if len(names) != 1:
        raise ModelError(f"'{file}' takes {len(names)} inputs; a network with exactly one can be analysed.")
    node = next(node for node in program.graph.nodes if node.name == names[0])
    shape = tuple(node.meta["val"].shape)
    if len(shape) < 2:
        raise ModelError(f"'{file}' takes inputs of shape {shape}; the first number should be the rows.")
    return shape
