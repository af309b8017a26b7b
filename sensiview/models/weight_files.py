"""What a file that is called weights really is, told from its first bytes; each wrong kind has its sentence."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from sensiview.errors import ModelError

FileKind = Literal["zip", "safetensors", "pickle"]

_AGAIN = "Download or copy it again."
_SAVE = "torch.save(model.state_dict(), 'weights.pth')"
_MAGIC = (
    (b"\x89HDF", "It is an HDF5 file (Keras?), not PyTorch weights. Convert it to a PyTorch state_dict first."),
    (b"\x1f\x8b", "It is compressed with gzip. Unpack it first."),
    (b"7z\xbc\xaf", "It is a 7-Zip archive. Unpack it first."),
    (b"Rar!", "It is a RAR archive. Unpack it first."),
    (b"%PDF", "It is a PDF document. Choose the file with the weights."),
    (b"\x89PNG", "It is a picture. Choose the file with the weights."),
    (b"\xff\xd8\xff", "It is a picture. Choose the file with the weights."),
    (b"\x93NUMPY", "It is a numpy array, not a state_dict. Choose a .pth or .safetensors file."),
    (b"SQLite format", "It is an SQLite database. Choose the file with the weights."),
)


def recognise(path: Path) -> FileKind:
    """Return how the weights in a file are packed.

    Raises
    ------
    ModelError
        There is no such file, it can't be read, or it is something else: the sentence says what.
    """
    try:
        if path.is_dir():
            raise ModelError(
                f"'{path}' is a folder. Choose the file with the weights inside it (.pth, .pt, .safetensors)."
            )
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(4096)
    except FileNotFoundError:
        raise ModelError(f"There is no file '{path}'. Was it moved or renamed?") from None
    except OSError as error:
        raise ModelError(f"'{path}' can't be read: {error.strerror or error}. Check its permissions.") from error
    if size == 0:
        raise ModelError(f"'{path.name}' is empty. {_AGAIN}")
    for magic, reason in _MAGIC:
        if head.startswith(magic):
            raise ModelError(f"'{path.name}' holds no weights. {reason}")
    if head[:2] == b"PK":
        return _zip(path)
    length = int.from_bytes(head[:8], "little")
    if path.suffix.lower() == ".safetensors" or (head[8:9] == b"{" and length < size):
        if head[8:9] != b"{" and _text(head) is None:
            raise ModelError(f"'{path.name}' is called .safetensors but is something else, or damaged. {_AGAIN}")
        if head[8:9] == b"{":
            return "safetensors"
    text = _text(head)
    if text is not None:
        raise ModelError(f"'{path.name}' holds no weights. {_what_text(text)}")
    return "pickle"


def _zip(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise ModelError(f"'{path.name}' is cut off or damaged: the end of the archive is missing. {_AGAIN}") from None
    names = [member.filename for member in members]
    inside = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inside or any(name.startswith("code/") for name in inside):
        raise ModelError(
            f"'{path.name}' is a TorchScript archive: it holds program code, which is not run from model files. "
            f"Where you trust it, save its weights alone in Python: m = torch.jit.load('{path.name}'); "
            f"{_SAVE.replace('model', 'm', 1)}"
        )
    if (
        any(name.startswith(("models/", "data/aotinductor/")) for name in inside)
        or "serialized_exported_program.json" in names
    ):
        raise ModelError(f"'{path.name}' is an exported program, not weights. Add it as a program (.pt2).")
    if not any(name.endswith("data.pkl") for name in names):
        raise ModelError(
            f"'{path.name}' is a zip archive without PyTorch weights. Unpack it, and choose the file inside."
        )
    # torch.save stores without compression, so an honest archive holds no more than the file is long.
    claimed, size = sum(member.file_size for member in members), path.stat().st_size
    if claimed > size:
        raise ModelError(
            f"'{path.name}' claims to hold {claimed:,} bytes in a file of {size:,}: it is damaged, or made to fill the "
            "memory. It was not opened."
        )
    return "zip"


def _text(head: bytes) -> str | None:
    """Return the beginning of a file as text, None when it is binary."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return None
        text = head[: error.start].decode("utf-8-sig")
    strange = sum(not (c.isprintable() or c.isspace()) for c in text)
    return None if strange else text


def _what_text(text: str) -> str:
    start = text.lstrip().lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<?xml", "<!--", "<body")):
        return "It is a web page: the download gave a page instead of the file. Download it again with the raw link."
    if start.startswith("version https://git-lfs"):
        return "It is a Git LFS pointer: the repository has the file elsewhere. Fetch it with 'git lfs pull'."
    return "It is a text file. Choose a .pth or .safetensors file."
