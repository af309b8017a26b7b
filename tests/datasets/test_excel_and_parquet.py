"""Workbooks and Parquet files."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sensiview.datasets.excel_source import sheet_names
from sensiview.datasets.options import CellError
from sensiview.datasets.reading import preview, read_table, understand
from sensiview.errors import DataError


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """A workbook whose second sheet holds a table below a title."""
    book = openpyxl.Workbook()
    book.active.title = "Read me"  # type: ignore[union-attr]
    book["Read me"]["A1"] = "Hello"
    sheet = book.create_sheet("Daten 2024")
    sheet.append(["Measured on Monday"])
    sheet.append([])
    sheet.append(["x", "y z", "when", "ok", "Ziel"])
    for i in range(6):
        sheet.append([i * 2, 0.125 * i, datetime.datetime(2024, 1, 1 + i), i % 2 == 0, "ja" if i % 3 else "nein"])
    sheet.append([])
    sheet.append([1e-300, None, None, True, "ja"])
    path = tmp_path / "Mappe 1.xlsx"
    book.save(path)
    return path


def test_that_the_sheet_with_a_table_is_found_and_read_exactly(workbook: Path) -> None:
    options = understand(workbook)
    assert (options.format, options.sheet, options.skip_lines, options.header) == ("excel", "Daten 2024", 2, True)
    assert "Other sheets: Read me." in " ".join(options.understood)
    table = read_table(workbook, options, target="Ziel")
    assert table.card.features == ("x", "y z", "ok")
    assert table.frame["x"].tolist() == [0, 2, 4, 6, 8, 10, 1e-300]
    assert table.frame["y z"].tolist()[:6] == [0.125 * i for i in range(6)]
    assert table.card.class_counts == {"ja": 5, "nein": 2}
    assert table.frame["when"].tolist()[0] == "2024-01-01"
    assert "1 row without any value left out." in table.card.notes
    assert len(preview(workbook, options, 3)) == 3


def test_that_another_sheet_can_be_chosen_and_a_wrong_one_is_named(workbook: Path) -> None:
    assert sheet_names(workbook) == ["Read me", "Daten 2024"]
    with pytest.raises(DataError, match=r"has no sheet 'Daten 2023'. Did you mean 'Daten 2024'"):
        understand(workbook, sheet="Daten 2023")
    with pytest.raises(DataError, match=r"no rows below it|only one column"):
        read_table(workbook, understand(workbook, sheet="Read me"))


def test_that_text_in_a_number_column_of_a_sheet_is_refused_with_its_row(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["a", "b"], [1, 2], [3, "#DIV/0!"], [5, "low"], [7, 8]):
        sheet.append(row)
    path = tmp_path / "t.xlsx"
    book.save(path)
    with pytest.raises(CellError, match="Column 'b' holds 'low' in row 4 of the sheet"):
        read_table(path)
    sheet["D3"] = 9
    book.save(path)
    options = understand(path)
    assert [card.name for card in read_table(path, options.with_missing("low")).card.columns] == ["a", "b", "column_4"]


def test_that_a_workbook_with_another_suffix_is_read_and_a_damaged_one_refused(workbook: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "table.csv"
    renamed.write_bytes(workbook.read_bytes())
    assert read_table(renamed).n_rows == 7
    content = workbook.read_bytes()
    for damaged in (content[: len(content) // 2], content[:1000]):
        workbook.write_bytes(damaged)
        with pytest.raises(DataError, match="is damaged"):
            read_table(workbook)
    place = content.index(b"xl/worksheets/sheet2.xml") + 60
    workbook.write_bytes(content[:place] + bytes(200) + content[place + 200 :])
    with pytest.raises(DataError, match="is damaged"):
        read_table(workbook)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """A Parquet file with every type that data frames write."""
    frame = pd.DataFrame(
        {
            "small": np.array([1, 2, 3], dtype="int16"),
            "real": [0.1, np.nan, 1e300],
            "NA is a word": ["NA", "b", None],
            "day": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
            "truth": [True, False, True],
            "group": pd.Categorical(["u", "v", "u"]),
        },
        index=["p", "q", "r"],
    )
    path = tmp_path / "t.parquet"
    table = pa.Table.from_pandas(frame).append_column("list", pa.array([[1], [2], [3]]))
    pq.write_table(table.append_column("big", pa.array([2**60, 1, None])), path)
    return path


def test_that_parquet_is_read_in_its_own_types(parquet: Path) -> None:
    options = understand(parquet)
    assert options.format == "parquet"
    assert "Lists, records and raw bytes can't be read: list." in " ".join(options.understood)
    table = read_table(parquet, options, target="group")
    assert table.card.features == ("small", "real", "truth", "big")
    assert table.frame["NA is a word"].tolist()[:2] == ["NA", "b"]
    assert table.card.class_counts == {"u": 2, "v": 1}
    assert table.labels().tolist() == [0, 1, 0]
    assert table.features()[2].tolist()[:3] == [3, 1e300, 1]
    notes = " ".join(table.card.notes)
    assert "Dates are not factors: day." in notes
    assert "Column 'big' holds whole numbers above 2^53" in notes
    assert list(preview(parquet, options, 2)["small"]) == [1, 2]


def test_that_damaged_or_empty_parquet_is_refused(parquet: Path, tmp_path: Path) -> None:
    content = parquet.read_bytes()
    parquet.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="is damaged: it ends early"):
        read_table(parquet)
    none = tmp_path / "none.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.float64())}), none)
    with pytest.raises(DataError, match="has columns but no rows"):
        read_table(none)
    fake = tmp_path / "fake.parquet"
    fake.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="is not a Parquet file, or is damaged"):
        read_table(fake)
