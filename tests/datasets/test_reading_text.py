"""Delimited text: what is understood of it, and that it is read the same way again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sensiview.datasets.reading import ReadingOptions, preview, read_table, understand
from sensiview.datasets.table import Table
from sensiview.errors import DataError, UserError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a text file and return its path."""

    def written(text: str, encoding: str = "utf-8", name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return written


def columns(table: Table) -> list[str]:
    return [card.name for card in table.card.columns]


def test_that_a_german_export_is_understood(write: Write) -> None:
    text = "Größe (cm);Kosten €;Ort;Raucher\r\n" + "\r\n".join(
        ["1,5;1.250,75;Königstraße;ja", "2,5;2.000,00;Müllerweg;nein", "3,25;999,5;Königstraße;nein"]
    )
    path = write(text + "\r\n", "cp1252")
    options = understand(path)
    assert (options.encoding, options.delimiter, options.decimal, options.thousands) == ("cp1252", ";", ",", ".")
    said = " ".join(options.understood)
    assert "3 rows and 4 columns" in said
    assert "semicolons" in said
    assert "decimal comma" in said
    assert "Text, not used as factors: Ort." in said
    table = read_table(path, options)
    assert table.frame["Größe (cm)"].tolist() == [1.5, 2.5, 3.25]
    assert table.frame["Kosten €"].tolist() == [1250.75, 2000.0, 999.5]
    assert table.card.features == ("Größe (cm)", "Kosten €", "Raucher")
    assert table.features()[:, 2].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_that_text_of_excel_with_a_mark_or_two_bytes_per_letter_is_read(write: Write, encoding: str) -> None:
    table = read_table(write("Straße\tsize\ty\r\nHöhe\t1.5\t0\r\nTal\t2.5\t1\r\n", encoding, "unicode.txt"))
    assert table.frame["size"].tolist() == [1.5, 2.5]
    assert columns(table) == ["Straße", "size", "y"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "âge;température;prénom\n1,5;37,2;Hélène\n2;36,9;Çelik\n"),
        ("cp1252", "Temp (°C);Dichte (µg/m³)\n1,5;2\n2,5;3\n"),
        ("cp1250", "wiek;imię\n1,5;Łukasz Świąć\n2,5;Grześ Małgośka\n"),
        ("cp1250", "věk;příjmení\n1;Dvořák\n2;Žižka\n"),
        ("cp1251", "возраст;имя\n1,5;Иван Петров\n2,5;Анна\n"),
        ("cp1254", "yaş;şehir\n1;İstanbul\n2;ığüşöç\n"),
        ("cp932", "年齢,名前\n1,田中太郎さん\n2,花子\n"),
        ("gb18030", "年龄,姓名\n1,张三李四王五\n2,赵六\n"),
        ("cp949", "나이,이름\n1,홍길동김철수\n2,박\n"),
    ],
)
def test_that_encodings_of_the_world_are_recognised(write: Write, encoding: str, text: str) -> None:
    table = read_table(write(text, encoding))
    assert columns(table) == text.splitlines()[0].replace(",", ";").split(";")


def test_that_tabs_quotes_line_breaks_and_any_name_are_kept(write: Write) -> None:
    text = 'na me\t"a, b"\t"say ""hi"""\t"two\nlines"\ty\n"O\'Neil\nJ."\t1\t2\t3\t0\nβ\t4\t5\t6\t1\n'
    table = read_table(write(text, name="t.tsv"), target="y")
    assert columns(table) == ["na me", "a, b", 'say "hi"', "two lines", "y"]
    assert table.features().tolist() == [[1, 2, 3], [4, 5, 6]]
    assert table.frame["na me"].tolist() == ["O'Neil\nJ.", "β"]


@pytest.mark.parametrize(
    ("text", "names", "values"),
    [
        ("sep=;\na;b\n1;2\n3;4\n", ["a", "b"], [[1, 2], [3, 4]]),
        ("# by a device\n# 2024\na,b\n1,2\n3,4\n", ["a", "b"], [[1, 2], [3, 4]]),
        ("# x,y\n1,2\n3,4.5\n", ["x", "y"], [[1, 2], [3, 4.5]]),
        ("Study A\nDate;2024\n\nid;x;y\n7;2,5;0\n9;3,5;1\n", ["id", "x", "y"], [[7, 2.5, 0], [9, 3.5, 1]]),
        ("  x     y    z\n 1.0   2.0  3\n 4.5   5.5  6\n", ["x", "y", "z"], [[1, 2, 3], [4.5, 5.5, 6]]),
        ('"mpg" "cyl"\n"Mazda RX4" 21 6\n"Datsun" 22.8 4\n', ["mpg", "cyl"], [[21, 6], [22.8, 4]]),
        (",a,b\n0,1,2\n1,3,4\n2,5,6\n", ["a", "b"], [[1, 2], [3, 4], [5, 6]]),
        ("6,148,1\n1,85,0\n", ["column_1", "column_2", "column_3"], [[6, 148, 1], [1, 85, 0]]),
        ("400,405,410,415,y\n.1,.2,.3,.4,0\n.2,.3,.4,.5,1\n", ["400", "405", "410", "415", "y"], None),
        ("a,b,\n1,2,\n3,4,\n", ["a", "b"], [[1, 2], [3, 4]]),
        ("a,b\n1,2,\n3,4,\n", ["a", "b"], [[1, 2], [3, 4]]),
        ("a,b\r1,2\r3,4\r", ["a", "b"], [[1, 2], [3, 4]]),
        ("a|b\n1|2\n3|4", ["a", "b"], [[1, 2], [3, 4]]),
        ("a,b\n1,2\n,\n3,4\n,\n", ["a", "b"], [[1, 2], [3, 4]]),
    ],
)
def test_that_what_programs_put_around_a_table_is_told_from_it(
    write: Write, text: str, names: list[str], values: list[list[float]] | None
) -> None:
    table = read_table(write(text))
    assert columns(table) == names
    if values is not None:
        assert table.features().tolist() == values


def test_that_missing_words_are_missing_and_questionable_ones_are_told(write: Write) -> None:
    path = write("a,b,c\n1,?,NA\n,2,\n-,3,null\n4,4,#DIV/0!\n 5 , ,6\n")
    options = understand(path)
    assert "Read as missing values in columns of numbers: '-' (1), '?' (1)." in " ".join(options.understood)
    table = read_table(path, options)
    np.testing.assert_array_equal(
        table.features(),
        [[1, np.nan, np.nan], [np.nan, 2, np.nan], [np.nan, 3, np.nan], [4, 4, np.nan], [5, np.nan, 6]],
    )
    assert [card.missing for card in table.card.columns] == [2, 2, 4]
    assert any("8 missing values in a, b, c" in note for note in table.card.notes)


def test_that_options_from_the_card_read_the_same_table_again(write: Write) -> None:
    path = write("Titel\n\nid;x;ja/nein;Wort\n1;1.234,5;ja;α\n2;?;nein;β\n3;3,5;ja;α\n")
    table = read_table(path, name="t", target="ja/nein")
    card = json.loads(json.dumps(table.card.model_dump(mode="json"), sort_keys=True))
    again = read_table(path, ReadingOptions.from_card(card["reading"]), name="t", target="ja/nein")
    assert again.card == table.card
    pd.testing.assert_frame_equal(again.frame, table.frame)


def test_that_what_the_user_fixed_is_kept_and_the_rest_found(write: Write) -> None:
    path = write("a;b\n1,234;5\n2,345;6\n")
    assert understand(path).decimal == ","
    fixed = understand(path, decimal=".", thousands=",")
    assert (fixed.delimiter, fixed.decimal, fixed.thousands) == (";", ".", ",")
    assert read_table(path, fixed).frame["a"].tolist() == [1234, 2345]
    as_text = understand(path, kinds={"a": "text"}, left_out=["b"])
    assert columns(read_table(path, as_text)) == ["a"]
    with pytest.raises(UserError, match=r"no reading option 'delimeter'. Did you mean 'delimiter'"):
        understand(path, delimeter=";")
    with pytest.raises(UserError, match="no text encoding 'utf-9'"):
        understand(path, encoding="utf-9")


def test_that_the_preview_shows_typed_rows_and_refuses_nothing(write: Write) -> None:
    path = write("a,b,a\n" + "1,2,3\n" * 5 + "1,abc,3\n1,2\n" + "1,2,3\n" * 100)
    options = understand(path)
    shown = preview(path, options, 10)
    assert list(shown.columns) == ["a", "b", "a (2)"]
    assert len(shown) == 10
    assert shown["a"].tolist() == [1] * 10
    assert shown["b"].tolist()[:6] == ["2"] * 5 + ["abc"]


def test_that_the_preview_of_a_long_file_reads_its_beginning_only(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"a,b,y\n" + b"1.5,22,0\n" * 3_000_000 + b"1,2\n")
    options = understand(path)
    assert "About 3,0" in options.understood[0]
    read_bytes = 0
    original = Path.open

    class Counting:
        """A file that counts what is read from it."""

        def __init__(self, stream: object) -> None:
            self.stream = stream

        def read(self, n: int = -1) -> bytes:
            nonlocal read_bytes
            data: bytes = self.stream.read(n)  # type: ignore[attr-defined]
            read_bytes += len(data)
            return data

        def close(self) -> None:
            self.stream.close()  # type: ignore[attr-defined]

        def __enter__(self) -> Counting:
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "open", lambda self, *args, **kwargs: Counting(original(self, *args, **kwargs)))
        assert len(preview(path, options, 50)) == 50
    assert read_bytes < 8 << 20


def test_that_progress_runs_to_one_and_stops_the_reading_when_it_raises(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"a,b,y\n" + b"1.5,22,0\n" * 1_500_000)
    seen: list[float] = []
    table = read_table(path, on_progress=seen.append)
    assert table.n_rows == 1_500_000
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    class StopHere(Exception):
        pass

    def stop(_share: float) -> None:
        raise StopHere

    with pytest.raises(StopHere):
        read_table(path, on_progress=stop)


def test_that_numbers_take_the_memory_they_need_and_words_are_coded(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = "".join(
        f"{i % 2},{i % 300},{i * 70_000},{i / 7},{'red' if i % 3 else 'green'},name {i}\n" for i in range(5000)
    )
    path.write_text("bit,small,large,real,word,name\n" + rows)
    frame = read_table(path).frame
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert [kinds[n] for n in ("bit", "small", "large", "real", "word")] == [
        "int8", "int16", "int32", "float64", "category",
    ]  # fmt: skip
    assert frame["real"].tolist() == [i / 7 for i in range(5000)]
    assert frame["name"].tolist() == [f"name {i}" for i in range(5000)]
    assert frame["large"].tolist() == [i * 70_000 for i in range(5000)]


def test_that_a_column_that_begins_empty_is_what_its_first_values_are(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    many = 1_200_000
    path.write_text("a,late,words\n" + "1,,\n" * many + "2,2.5,note\n3,NA,note\n")
    options = understand(path)
    assert dict(options.kinds) == {"late": "auto", "words": "auto"}
    table = read_table(path, options)
    late = table.card.column("late")
    assert (late.kind, late.missing, late.minimum) == ("number", many + 1, 2.5)
    assert table.card.column("words").missing == many
    assert table.card.column("words").kind == "text"


def test_that_ten_thousand_columns_are_read_with_their_card(tmp_path: Path) -> None:
    path = tmp_path / "genes.csv"
    values = np.random.default_rng(1).normal(size=(12, 10_000)).round(4)
    frame = pd.DataFrame(values, columns=[f"gene, {i}" for i in range(10_000)])
    frame["class"] = np.arange(12) % 3
    frame.to_csv(path, index=False)
    options = understand(path)
    assert len(preview(path, options, 5).columns) == 10_001
    table = read_table(path, options, target="class")
    assert len(table.card.features) == 10_000
    assert table.card.class_counts == {"0": 4, "1": 4, "2": 4}
    np.testing.assert_array_equal(table.features(), values)


def test_that_the_pima_table_is_read_as_pandas_reads_it(shared_data: Path) -> None:
    path = shared_data / "tabular" / "pima_diabetes.csv"
    table = read_table(path, target="Outcome", name="Pima")
    reference = pd.read_csv(path)
    assert table.card.n_rows == 768
    assert table.card.class_counts == {"0": 500, "1": 268}
    assert table.card.features == tuple(reference.columns[:-1])
    np.testing.assert_array_equal(table.features(), reference.iloc[:, :-1].to_numpy(dtype=float))
    np.testing.assert_array_equal(table.labels(), reference["Outcome"])


def test_that_a_row_longer_than_a_block_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n" + f'3,"{"x" * 3000}"\n' + "5,6\n")
    monkeypatch.setattr("sensiview.datasets.reading.BLOCKS", (1 << 10, 1 << 20))
    assert read_table(path, ReadingOptions(kinds={"b": "text"})).frame["a"].tolist() == [1, 3, 5]
    monkeypatch.setattr("sensiview.datasets.reading.BLOCKS", (1 << 10,))
    with pytest.raises(DataError, match="a quotation mark is opened and never closed"):
        read_table(path, ReadingOptions(kinds={"b": "text"}))
