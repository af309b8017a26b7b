"""Checkpoints in a run's folder: one file, ``checkpoint.npz``, so that a crash can't leave halves of two.

Arrays lie in it as NPZ without pickle, the plain values and the names as JSON text in a byte array of the same file.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sensiview.analysis.progress import Checkpoint
from sensiview.errors import DataError, SensiViewError
from sensiview.files import write_atomically

NAME = "checkpoint.npz"
_FORMAT = 1
_HEADER = "header"
_DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)


def has_checkpoint(directory: Path) -> bool:
    """Return whether a run's folder holds a checkpoint."""
    return (directory / NAME).is_file()


def write_checkpoint(directory: Path, checkpoint: Checkpoint, about: Mapping[str, Any] | None = None) -> None:
    """Write a checkpoint; the one before stays until this one is complete.

    Parameters
    ----------
    about : mapping
        What the state belongs to (analysis, revision, data, ...); `read_checkpoint` compares it.

    Raises
    ------
    SensiViewError
        The state holds something other than numbers, text and plain values.
    OSError
        No space, no permission.
    """
    arrays = {f"array_{i}": np.asarray(values) for i, values in enumerate(checkpoint.arrays.values())}
    header = {
        "format": _FORMAT,
        "about": dict(about or {}),
        "names": list(checkpoint.arrays),
        "values": dict(checkpoint.values),
    }
    try:
        text = json.dumps(header).encode("ascii")
    except (TypeError, ValueError) as error:
        raise SensiViewError("The state of the run can't be kept: it holds objects.", details=repr(error)) from error
    if any(values.dtype.hasobject for values in arrays.values()):
        raise SensiViewError("The state of the run can't be kept: an array holds objects.")

    def write(stream: BinaryIO) -> None:
        np.savez(stream, allow_pickle=False, **{_HEADER: np.frombuffer(text, dtype=np.uint8)}, **arrays)

    write_atomically(directory / NAME, write)


def read_checkpoint(directory: Path, about: Mapping[str, Any] | None = None) -> Checkpoint | None:
    """Return the checkpoint of a run's folder (or the file itself), None when there is none.

    Parameters
    ----------
    about : mapping
        What the state must belong to; names that only one side knows are not compared.

    Raises
    ------
    DataError
        The file is damaged, from a newer SensiView, or belongs to something else.
    """
    path = directory if directory.name == NAME else directory / NAME
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            header = json.loads(stored[_HEADER].tobytes())
            newer = header["format"] > _FORMAT
            belongs = dict(header["about"])
            arrays = {} if newer else {name: stored[f"array_{i}"] for i, name in enumerate(header["names"])}
            values = dict(header["values"])
    except _DAMAGE as error:
        raise DataError(f"The checkpoint '{path}' is damaged.", details=repr(error)) from error
    if newer:
        raise DataError(f"The checkpoint '{path}' was written by a newer SensiView.")
    wanted = json.loads(json.dumps(dict(about or {})))
    other = sorted(name for name in wanted.keys() & belongs.keys() if wanted[name] != belongs[name])
    if other:
        raise DataError(f"The checkpoint '{path}' belongs to another {', '.join(other)}.")
    return Checkpoint(arrays=arrays, values=values)
