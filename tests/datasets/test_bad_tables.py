"""Bad input: each gets a sentence that says what is wrong and what to do next."""

from __future__ import annotations

import gzip
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sensiview.datasets.options import CellError
from sensiview.datasets.reading import ReadingOptions, preview, read_table, understand
from sensiview.errors import DataError, UserError


def refused(path: Path, **how: object) -> str:
    """Return the sentence with which a file is refused: one for people, with the file's name and a next step."""
    with pytest.raises(DataError) as caught:
        read_table(path, understand(path, **how))
    sentence = caught.value.sentence
    assert re.search(r"\.( |$)", sentence)
    assert sentence.endswith((".", "?"))
    assert "Traceback" not in sentence
    assert not re.search(r"Error|Exception|pyarrow|pandas|openpyxl|0x", sentence)
    return sentence


def put(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_that_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "table.csv is empty (0 bytes). Export the table again." in refused(put(tmp_path, ""))
    assert "only blank lines" in refused(put(tmp_path, "\n \n\n"))
    assert "no rows with values" in refused(put(tmp_path, "a,b\n,\n,\n"))


def test_that_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    assert "has a header (a, b, c) but no rows below it" in refused(put(tmp_path, "a,b,c\n"))


def test_that_one_column_is_refused_with_its_first_line(tmp_path: Path) -> None:
    assert "has only one column ('weight')" in refused(put(tmp_path, "weight\n1\n2\n"))
    assert "choose the delimiter" in refused(put(tmp_path, "a^b^c\n1^2^3\n4^5^6\n"))
    assert "only one column" in refused(put(tmp_path, "a;b\n1;2\n"), delimiter=",")


def test_that_text_in_a_number_column_is_refused_with_column_line_and_value(tmp_path: Path) -> None:
    path = put(tmp_path, 'name,Glucose,y\n"two\nlines",148,0\nb,abc,1\n\nc,<0.1,1\nd,5,0\n')
    options = understand(path)
    assert "Column 'Glucose' holds numbers, but 2 cells can't be read ('abc')" in " ".join(options.understood)
    with pytest.raises(CellError) as caught:
        read_table(path, options)
    error = caught.value
    assert (error.column, error.place, error.value, error.values) == ("Glucose", "line 4", "abc", ("abc", "<0.1"))
    assert "Treat it as missing, read the column as text (it is then not a factor), or correct the file." in str(error)
    assert "line 6: '<0.1'" in error.details


def test_that_each_remedy_for_text_in_a_number_column_is_carried_out(tmp_path: Path) -> None:
    path = put(tmp_path, "a,Glucose,y\n1,148,0\n2,abc,1\n3,<0.1,1\n4,5,0\n")
    options = understand(path)
    missing = read_table(path, options.with_missing("abc", "<0.1"))
    np.testing.assert_array_equal(missing.features()[:, 1], [148, np.nan, np.nan, 5])
    text = read_table(path, options.with_text("Glucose"))
    assert text.card.features == ("a", "y")
    assert "Text is not a factor: Glucose." in text.card.notes
    assert read_table(path, options.without("Glucose")).card.features == ("a", "y")
    all_missing = read_table(path, understand(path, unreadable="missing"))
    assert "Column 'Glucose': 2 cells are not a number (abc, <0.1), read as missing." in all_missing.card.notes


def test_that_text_far_down_in_a_long_file_is_found_with_its_line(tmp_path: Path) -> None:
    path = put(tmp_path, "# a device\na,b\n" + "1,2\n" * 1_200_000 + "1,oops\n" + "3,4\n" * 10)
    with pytest.raises(CellError, match=r"Column 'b' holds 'oops' in line 1,200,003"):
        read_table(path)


def test_that_names_that_occur_twice_are_refused_or_numbered_on_request(tmp_path: Path) -> None:
    path = put(tmp_path, "a,b,a,a (2)\n1,2,3,4\n5,6,7,8\n")
    assert "the column name 'a' occurs 2 times (columns 1, 3). Rename them in the file, or choose" in refused(path)
    table = read_table(path, understand(path, rename_duplicates=True))
    assert [card.name for card in table.card.columns] == ["a", "b", "a (3)", "a (2)"]


def test_that_a_wrong_encoding_is_named_with_a_better_one(tmp_path: Path) -> None:
    path = put(tmp_path, "Größe,y\n1,0\n2,1\n".encode("cp1252"))
    sentence = refused(path, encoding="utf-8")
    assert "is not utf-8 text: line 1 holds bytes that mean nothing in it. It looks like cp1252" in sentence
    late = put(tmp_path, b"a,b\n" + b"1,2\n" * 400_000 + "3,ä\n".encode("cp1252"))
    assert "line 400,002" in refused(late, encoding="utf-8")


def test_that_a_file_of_another_kind_is_called_what_it_is(tmp_path: Path) -> None:
    kinds = {
        b"\x89PNG\r\n\x1a\n" + bytes(200): "a PNG picture",
        b"\xff\xd8\xff\xe0" + bytes(200): "a JPEG picture",
        b"BM" + bytes(200): "a bitmap picture",
        bytes(128) + b"DICM" + bytes(200): "a DICOM image",
        gzip.compress(b"a,b\n1,2\n"): "compressed with gzip",
        b"%PDF-1.7": "a PDF document",
        b"\x93NUMPY\x01\x00": "a NumPy array",
        b"<!DOCTYPE html><html><body>Log in</body></html>": "a web page",
        b"\xef\xbb\xbf  <html>": "a web page",
        b"<?xml version='1.0'?><a/>": "an XML file",
        b'{"a": [1, 2]}': "a JSON file",
        b"version https://git-lfs.github.com/spec/v1\n": "Git LFS",
        b"SQLite format 3\x00": "an SQLite database",
        np.random.default_rng(0).bytes(5000): "a binary file",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "Workbook".encode("utf-16-le"): "of the old kind (.xls)",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500) + "EncryptedPackage".encode("utf-16-le"): "by a password",
        b"PK\x03\x04 not really": "a damaged archive",
        (64).to_bytes(8, "little") + b'{"__metadata__": {}}' + b" " * 4000: "the weights of a network",
        b"\x80\x04\x95abc": "a pickled Python object",
    }
    for content, words in kinds.items():
        assert words in refused(put(tmp_path, content))


def test_that_archives_are_told_apart(tmp_path: Path) -> None:
    def archive(name: str, inside: str, content: str = "x") -> Path:
        with zipfile.ZipFile(tmp_path / name, "w") as packed:
            packed.writestr(inside, content)
        return tmp_path / name

    assert "a zip archive" in refused(archive("a.csv", "table.csv"))
    assert "a NumPy archive" in refused(archive("e.npz", "x.npy"))
    assert "the weights of a network" in refused(archive("b.csv", "archive/data.pkl"))
    ods = archive("c.ods", "mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert "an OpenDocument spreadsheet. Save it as .xlsx or CSV" in refused(ods)
    assert ".xlsb" in refused(archive("d.xlsx", "xl/workbook.bin"))


def test_that_uneven_rows_are_refused_with_their_line_or_left_out_on_request(tmp_path: Path) -> None:
    path = put(tmp_path, 'a,b,y\n"x\ny",2,0\n\n1,2\nz,4,1\n1,2,3,4\nw,5,0\n')
    sentence = refused(path)
    assert "line 5 has 2 fields, the others have 3. It begins '1,2'." in sentence
    assert "leave such rows out" in sentence
    table = read_table(path, understand(path, uneven_rows="leave_out"))
    assert table.frame["b"].tolist() == [2, 4, 5]
    assert "2 rows with another number of fields left out." in table.card.notes


def test_that_a_quotation_mark_that_is_never_closed_is_refused(tmp_path: Path) -> None:
    assert "quotation mark" in refused(put(tmp_path, 'a,b,y\n1,"2,0\n' + "1,2,0\n" * 50))
    long = put(tmp_path, 'a,b,y\n1,"2,0\n' + "1,2,0\n" * 50_000)
    assert "never ends" in refused(long)
    assert read_table(long, understand(long, quote="", unreadable="missing")).n_rows == 50_001


def test_that_nul_bytes_are_refused(tmp_path: Path) -> None:
    assert "holds NUL bytes" in refused(put(tmp_path, b"a,b\n" + b"1,2\n" * 2000 + b"3,\x00\n" + b"1,2\n" * 10))


def test_that_folders_missing_files_and_odd_names_are_refused(tmp_path: Path) -> None:
    assert "is a folder. Choose the file inside it" in refused(tmp_path)
    assert "There is no file" in refused(tmp_path / "no.csv")
    assert "There is no file" in refused(put(tmp_path, "a,b\n1,2\n") / "inside.csv")
    assert "not the name of a file" in refused(tmp_path / "a\0b.csv")
    with pytest.raises(DataError, match="There is no file"):
        preview(tmp_path / "no.csv", ReadingOptions())


def test_that_a_file_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a,b\n1,2\n")

    def forbidden(*_args: object, **_options: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert "no permission" in refused(path)


def test_that_a_drive_that_fails_while_reading_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a,b\n1,2\n")
    options = understand(path)

    def fails(*_args: object, **_options: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("sensiview.datasets.csv_source.Utf8Stream", fails)
    with pytest.raises(DataError, match=r"can't be read \(Input/output error\). Check the drive"):
        read_table(path, options)


def test_that_too_little_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a,b\n1,2\n")

    def full(*_args: object, **_options: object) -> object:
        raise MemoryError

    monkeypatch.setattr("sensiview.datasets.columns.GrowingNumbers.append", full)
    assert "does not fit into this machine's memory" in refused(path)


def test_that_a_target_that_is_not_there_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    path = put(tmp_path, "Age,Outcome\n1,0\n2,1\n")
    with pytest.raises(DataError, match=r"no column 'Outcom' to take as target. Did you mean 'Outcome'\?"):
        read_table(path, target="Outcom")
    with pytest.raises(DataError, match="among the columns that are left out"):
        read_table(path, understand(path, left_out=["Outcome"]), target="Outcome")


def test_that_a_target_that_is_constant_empty_or_a_name_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"{i},1,,person {i}\n" for i in range(120))
    path = put(tmp_path, "a,same,none,who\n" + rows)
    with pytest.raises(DataError, match=r"'same' has the same value in every row \(1\)"):
        read_table(path, target="same")
    with pytest.raises(DataError, match="'none' is empty"):
        read_table(path, target="none")
    with pytest.raises(DataError, match="'who' has 120 different texts"):
        read_table(path, target="who")


def test_that_a_column_of_the_options_that_is_not_in_the_file_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, "Age,BMI\n1,0\n2,1\n")
    with pytest.raises(DataError, match=r"no column 'Aeg' in the file. Did you mean 'Age'\?"):
        read_table(path, ReadingOptions(left_out=("Aeg",)))
    with pytest.raises(DataError, match="All columns are left out"):
        read_table(path, ReadingOptions(left_out=("Age", "BMI")))
    with pytest.raises(DataError, match="3 column names are given"):
        read_table(path, ReadingOptions(names=("x", "y", "z")))
    with pytest.raises(UserError, match="the delimiter is one character"):
        understand(path, delimiter="::")


def test_that_dates_truth_values_and_codes_are_said_to_be_what_they_are(tmp_path: Path) -> None:
    path = put(
        tmp_path, "when,smoker,code,a,y\n2024-01-02,yes,01234,1,0\n2024-02-03,No,10115,2,1\n2025-01-01,yes,9,3,1\n"
    )
    table = read_table(path)
    assert table.card.features == ("smoker", "a", "y")
    assert table.features()[:, 0].tolist() == [1.0, 0.0, 1.0]
    notes = " ".join(table.card.notes)
    assert "Text is not a factor: when, code." in notes
    assert "Dates are not factors: when. Add a column with the days since" in notes
    assert "Truth values are factors as 0 and 1 (No = 0, yes = 1): smoker." in notes


def test_that_huge_integers_infinite_values_empty_and_constant_columns_are_noted(tmp_path: Path) -> None:
    path = put(tmp_path, "id,x,none,same\n12345678901234567890,inf,,1\n12345678901234567891,1e999,NA,1\n3,-2.5,,1\n")
    table = read_table(path)
    notes = " ".join(table.card.notes)
    assert "Column 'id' holds whole numbers above 2^53, which lose digits." in notes
    assert "Column 'x': 2 cells are infinite, read as missing." in notes
    assert "Without any value, so not a factor: none." in notes
    assert "The same value in every row: x, same." in notes
    assert table.card.features == ("id", "x", "same")
    assert table.card.column("x").missing == 2
