"""What a file really is, by its first bytes: people rename files, and suffixes lie."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from sensiview.errors import DataError

FileFormat = Literal["csv", "parquet", "excel"]
_HEAD = 4096
_TABLES = "Export it as CSV, Excel (.xlsx) or Parquet, and add that file."

# First bytes, where they stand, what it is, what to do.
_SIGNATURES: tuple[tuple[bytes, int, str, str], ...] = (
    (b"\x89PNG\r\n", 0, "a PNG picture", "Add pictures as a data set of images."),
    (b"\xff\xd8\xff", 0, "a JPEG picture", "Add pictures as a data set of images."),
    (b"GIF8", 0, "a GIF picture", "Add pictures as a data set of images."),
    (b"BM", 0, "a bitmap picture", "Add pictures as a data set of images."),
    (b"II*\x00", 0, "a TIFF picture", "Add pictures as a data set of images."),
    (b"MM\x00*", 0, "a TIFF picture", "Add pictures as a data set of images."),
    (b"DICM", 128, "a DICOM image", "Add it as a data set of DICOM images."),
    (b"n+1\x00", 344, "a NIfTI volume", "Add it as a data set of volumes."),
    (b"%PDF", 0, "a PDF document", "Copy its table into a spreadsheet and save that as CSV."),
    (b"\x1f\x8b", 0, "compressed with gzip", "Unpack it first; if it is a NIfTI volume, add it as volumes."),
    (b"BZh", 0, "compressed with bzip2", "Unpack it first."),
    (b"\xfd7zXZ", 0, "compressed with xz", "Unpack it first."),
    (b"(\xb5/\xfd", 0, "compressed with zstd", "Unpack it first."),
    (b"7z\xbc\xaf", 0, "a 7z archive", "Unpack it first."),
    (b"Rar!", 0, "a RAR archive", "Unpack it first."),
    (b"\x93NUMPY", 0, "a NumPy array", "Save it as CSV (numpy.savetxt), or hand the array to sensiview.analyse."),
    (b"\x89HDF", 0, "an HDF5 file", _TABLES),
    (b"SQLite format 3", 0, "an SQLite database", _TABLES),
    (b"$FL2", 0, "an SPSS file", _TABLES),
    (b"<stata", 0, "a Stata file", _TABLES),
    (b"\x00{", 7, "the weights of a network (safetensors)", "Add it as a model."),
    *(
        (
            bytes((0x80, protocol)),
            0,
            "a pickled Python object",
            "Save the table as CSV (DataFrame.to_csv), and add that.",
        )
        for protocol in (2, 3, 4, 5)
    ),
    (b"ARROW1", 0, "a Feather file", "Save it as Parquet or CSV, and add that file."),
    (b"\x7fELF", 0, "a program", "Choose the file that holds the table."),
    (b"MZ\x90", 0, "a program", "Choose the file that holds the table."),
    (b"{\\rtf", 0, "a text document (RTF)", "Save its table as CSV."),
)
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def file_size(path: Path) -> int:
    """Return the size of a file that can be read and is not empty.

    Raises
    ------
    DataError
        It is missing, a folder, not a plain file, unreadable or empty.
    """
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder. Choose the file inside it that holds the table.")
        size = path.stat().st_size
        if not path.is_file():
            raise DataError(f"{path} is not a file that holds data. Choose a CSV, Excel or Parquet file.")
        with path.open("rb") as stream:
            stream.read(1)
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"There is no file {path}. Check its name and folder.") from None
    except PermissionError:
        raise DataError(
            f"{path} can't be read: no permission. Ask for the right to read it, or copy it to a folder of yours."
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None
    except ValueError:  # a NUL in the name
        raise DataError(f"{str(path)!r} is not the name of a file. Check the name.") from None
    if size == 0:
        raise DataError(f"{path} is empty (0 bytes). Export the table again.")
    return size


def unreadable(path: Path, error: OSError) -> DataError:
    """Return the sentence for a drive or network folder that fails while a file is read."""
    reason = error.strerror or type(error).__name__
    return DataError(f"{path} can't be read ({reason}). Check the drive or network folder it lies on.")


def recognise(path: Path) -> FileFormat:
    """Return how the table in a file is stored.

    Raises
    ------
    DataError
        The file can't be read, or is something else: a picture, a web page, an archive, a document. The sentence
        names it and says what to do.
    """
    file_size(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise unreadable(path, error) from None
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:4] == b"PARE":
        raise DataError(f"{path} is an encrypted Parquet file. Save it without encryption, and add that file.")
    if head[:4] == b"PK\x03\x04":
        return _archive(path)
    if head.startswith(_OLE2):
        raise DataError(_ole2(path))
    for signature, place, what, remedy in _SIGNATURES:
        if head[place : place + len(signature)] == signature and (signature != b"BM" or b"\0" in head[:64]):
            raise DataError(f"{path} is {what}, not a table. {remedy}")
    if path.suffix.lower() in (".parquet", ".pq"):
        raise DataError(f"{path} is not a Parquet file, or is damaged. Export or copy it again.")
    if path.suffix.lower() in (".xlsx", ".xlsm", ".xls") and _binary(head):
        raise DataError(f"{path} is not an Excel workbook, or is damaged. Open it in Excel and save it again.")
    _refuse_markup(path, head)
    if _binary(head):
        raise DataError(f"{path} is a binary file, not a table. Choose a CSV, Excel (.xlsx) or Parquet file.")
    return "csv"


def _archive(path: Path) -> FileFormat:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "xl/workbook.xml" in names:
                return "excel"
            if "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype")[:200]:
                raise DataError(f"{path} is an OpenDocument spreadsheet. Save it as .xlsx or CSV, and add that file.")
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError):
        if path.suffix.lower() in (".xlsx", ".xlsm", ".zip"):
            raise DataError(
                f"{path} is damaged: it ends early or can't be unpacked. Copy or export it again."
            ) from None
        raise DataError(f"{path} is a damaged archive, not a table. Copy or export it again.") from None
    if "xl/workbook.bin" in names:
        raise DataError(f"{path} is a binary Excel workbook (.xlsb). Save it as .xlsx or CSV, and add that file.")
    if any(name.endswith("data.pkl") for name in names):
        raise DataError(f"{path} holds the weights of a network, not a table. Add it as a model.")
    if names and all(name.endswith(".npy") for name in names):
        raise DataError(f"{path} is a NumPy archive (.npz), not a table. Save its array as CSV (numpy.savetxt).")
    raise DataError(f"{path} is a zip archive, not a table. Unpack it and add the table inside.")


def _ole2(path: Path) -> str:
    with path.open("rb") as stream:
        content = stream.read(1 << 20)
    if "EncryptedPackage".encode("utf-16-le") in content or "EncryptionInfo".encode("utf-16-le") in content:
        return f"{path} is protected by a password. Open it in Excel, save it without a password, and add that file."
    if "Workbook".encode("utf-16-le") in content or "Book".encode("utf-16-le") in content:
        return f"{path} is an Excel file of the old kind (.xls). Save it as .xlsx or CSV, and add that file."
    return f"{path} is an old Office document, not a table. {_TABLES}"


def _refuse_markup(path: Path, head: bytes) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<!--")):
        raise DataError(
            f"{path} is a web page, not a table. The download probably needs a log-in or another link: open the file "
            "in a browser to see what it says, and download the table again."
        )
    if start.startswith((b"<?xml", b"<table", b"<svg")):
        raise DataError(f"{path} is an XML file, not a table. {_TABLES}")
    if start.startswith((b'{"', b"{\n", b"{\r", b"[{", b"[\n", b"[[")):
        raise DataError(f"{path} is a JSON file, not a table. {_TABLES}")
    if start.startswith(b"version https://git-lfs"):
        raise DataError(f"{path} only points to the table (Git LFS). Fetch the real file with 'git lfs pull'.")


def _binary(head: bytes) -> bool:
    """Whether bytes are no text: control characters, or NULs that are not those of UTF-16 or UTF-32."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    control = sum(head.count(code) for code in range(1, 32) if code not in (7, 8, 9, 10, 11, 12, 13, 26, 27))
    nul = head.count(0)
    # UTF-16 without a mark: in Western text every second byte is 0, always at the same parity.
    if nul > len(head) // 4 and control == 0 and (not any(head[::2]) or not any(head[1::2])):
        return False
    return control > len(head) // 50 or nul > len(head) // 50
