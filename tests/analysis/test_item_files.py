"""Every kind of item comes back from text and files as it went."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sensiview.analysis.item_files import from_plain, has_items, read_items, to_plain, write_items
from sensiview.analysis.items import (
    Curve,
    FieldMap,
    ImageSeries,
    IndexTable,
    Interval,
    Item,
    Mask,
    Matrix,
    Note,
    Remark,
)
from sensiview.errors import DataError, SensiViewError

STRANGE = [
    "1", "1.0", "NA", "nan", "None", "", " ", "a,b", 'say "x"', "line\nbreak", "cr\rlf\r\n", "Größe µ 年 🧠", "=1+1",
    "'", "\ttab", "true", "null", "\ud800",
]  # fmt: skip
FLOATS = [
    0.1, -0.0, 1 / 3, 5e-324, 1.7976931348623157e308, math.nan, math.inf, -math.inf, 1e22, 123456789.123456789,
    np.nextafter(1.0, 2.0), 2**53 + 1.0,
]  # fmt: skip


def same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
        for name in one.columns:
            if isinstance(one[name].dtype, np.dtype) and one[name].dtype.kind == "f":
                assert [math.copysign(1, x) for x in one[name]] == [math.copysign(1, x) for x in other[name]]
            assert [type(x) for x in one[name]] == [type(x) for x in other[name]]
        return True
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return type(one) is type(other) and one == other


def assert_same_item(one: Item, other: Item) -> None:
    assert type(one) is type(other)
    for field in dataclasses.fields(one):
        assert same(getattr(one, field.name), getattr(other, field.name)), field.name


def strange_frame() -> pd.DataFrame:
    n = len(STRANGE)
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "factor": [*STRANGE[:-1], "x"],
            "object": pd.Series(STRANGE, dtype=object),
            'a, "b"\n': rng.permutation(np.resize(FLOATS, n)),
            "single": rng.normal(size=n).astype(np.float32),
            "half": np.resize(np.array([0.1, np.nan, np.inf], dtype=np.float16), n),
            "small": np.arange(n, dtype=np.int8),
            "huge": np.full(n, 2**64 - 1, dtype=np.uint64),
            "N": np.arange(n) * 2**40,
            "yes": np.resize([True, False], n),
            "Größe µ": pd.Series(
                [None if i % 3 == 0 else text for i, text in enumerate(["", *STRANGE[:-1]])], dtype="str"
            ),
            "mixed": pd.Series([(None, np.nan, pd.NA, "None", "")[i % 5] for i in range(n)], dtype=object),
            "nullable": pd.array([None if i % 2 else i for i in range(n)], dtype="Int64"),
            "nullable_float": pd.array([None if i % 2 else 0.1 * i for i in range(n)], dtype="Float64"),
            "maybe": pd.array([(None, True, False)[i % 3] for i in range(n)], dtype="boolean"),
            "old_string": pd.array([None if i % 2 else "NA" for i in range(n)], dtype="string"),
            "group": pd.Categorical(
                [("b", "a", None)[i % 3] for i in range(n)], categories=["b", "a", "unused"], ordered=True
            ),
            "1": np.arange(n, dtype=">i4"),
        }
    )


def every_item() -> dict[str, Item]:
    rng = np.random.default_rng(2)
    return {
        "first_total": IndexTable(
            title='Größe, "quoted"\nnew line',
            description="How to read it.",
            frame=strange_frame(),
            keys=("factor",),
            values=("single", "N"),
            units={"single": "", "N": "evaluations"},
            intervals={"single": Interval(half="half"), "N": Interval(low="small", high="huge")},
            remarks=(Remark(row=3, column="single", kind="n_too_small", sentence="Too few."),),
            plot="scatter",
        ),
        "empty": IndexTable(
            title="No rows",
            frame=pd.DataFrame({"a": pd.Series(dtype="str"), "b": np.zeros(0)}),
            keys=("a",),
            values=("b",),
        ),
        "nothing": IndexTable(title="No columns", frame=pd.DataFrame(index=range(3)), keys=(), values=()),
        "convergence": Curve(
            title="Convergence",
            frame=pd.DataFrame({"N": [128, 256], "factor": ["x", "x"], "S1": [0.1, 0.2], "low": [0.0, 0.1]}),
            x="N",
            y=("S1",),
            series=("factor",),
            bands={"S1": Interval(low="low")},
            units={"N": "evaluations", "S1": ""},
            x_scale="log2",
        ),
        "overlap": Matrix(
            title="Similarity",
            values=np.array([[0.1, math.nan], [-0.0, math.inf], [1 / 3, 5e-324]]),
            rows=("1", "None", "a,b"),
            columns=("u\nv", "u\nv"),
            row_axis="A",
            column_axis="B",
            unit="mm",
            signed=True,
        ),
        "map": FieldMap(
            title="Map",
            values=rng.normal(size=(2, 3, 4)).astype(np.float32),
            axes=("block", "y", "x"),
            unit="1/mm",
            over="images",
            spacing=(0.5, 1 / 3),
            coordinates={"block": ("layer1", 'Größe, "2"')},
        ),
        "volume": Mask(
            title="Mask",
            values=np.asfortranarray(rng.random((3, 4, 5))).astype(">f8"),
            axes=("z", "y", "x"),
            affine=np.diag([-1.5, 1.5, 1.5, 1.0]),
        ),
        "frames": ImageSeries(
            title="Frames",
            values=rng.integers(0, 255, size=(2, 4, 4, 3), dtype=np.uint8),
            labels=("step 0", "step 10"),
            axis="values",
        ),
        "verdict": Note(title="Verdict", text="Stable.\nLine 2 — “quoted”."),
        "Größe/../x": Note(title="A name that is no file name", text="text"),
        "con": Note(title="A name that Windows keeps for itself", text="text"),
    }


@pytest.mark.parametrize("name", list(every_item()))
def test_that_an_item_survives_plain_values_and_strict_json(name: str) -> None:
    item = every_item()[name]
    line = json.dumps(to_plain(item), allow_nan=False)
    assert "\n" not in line
    assert_same_item(from_plain(json.loads(line)), item)


def test_that_items_survive_files_with_order_and_names(tmp_path: Path) -> None:
    items = every_item()
    write_items(items, tmp_path)
    read = read_items(tmp_path)
    assert list(read) == list(items)
    assert len(read) == len(items)
    for name, item in items.items():
        assert_same_item(read[name], item)
    assert {path.suffix for path in (tmp_path / "items").iterdir()} == {".json", ".csv", ".npz"}


def test_that_the_csv_is_one_that_other_programs_read(tmp_path: Path) -> None:
    write_items(every_item(), tmp_path)
    with (tmp_path / "items" / "convergence.csv").open(newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [
            ["N", "factor", "S1", "low"], ["128", "x", "0.1", "0.0"], ["256", "x", "0.2", "0.1"],
        ]  # fmt: skip


def test_that_arrays_lie_beside_their_axes_without_pickle(tmp_path: Path) -> None:
    write_items(every_item(), tmp_path)
    with np.load(tmp_path / "items" / "map.npz", allow_pickle=False) as stored:
        assert set(stored.files) == {"values", "block", "y", "x"}
        assert stored["block"].tolist() == ["layer1", 'Größe, "2"']
        assert stored["x"].tolist() == [0, 1, 2, 3]


def test_that_writing_again_replaces_what_lay_there(tmp_path: Path) -> None:
    write_items(every_item(), tmp_path)
    write_items({"note": Note(title="Only", text="one")}, tmp_path)
    assert list(read_items(tmp_path)) == ["note"]
    assert sorted(path.name for path in (tmp_path / "items").iterdir()) == ["index.json", "note.json"]


def test_that_a_write_that_breaks_off_leaves_no_result(tmp_path: Path) -> None:
    good = {"note": Note(title="Only", text="one")}
    write_items(good, tmp_path)
    bad = IndexTable(title="Bad", frame=pd.DataFrame({"a": [object()]}), keys=("a",), values=())
    with pytest.raises(SensiViewError, match="Column 'a' of a result table holds"):
        write_items({**good, "bad": bad}, tmp_path)
    assert not has_items(tmp_path)
    with pytest.raises(DataError, match="missing"):
        read_items(tmp_path)


@pytest.mark.parametrize(
    "frame, sentence",
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "different texts"),
        (pd.DataFrame({1: [2]}), "different texts"),
        (pd.DataFrame({"a": [1]}, index=["row"]), "reset_index"),
        (pd.DataFrame({"a": [1 + 2j]}), "complex128|holds"),
        (pd.DataFrame({"a": pd.to_datetime(["2020-01-01"])}), "holds"),
        (pd.DataFrame({"a": pd.Series(["x", 3], dtype=object)}), "holds 3"),
    ],
)
def test_that_a_table_that_cannot_come_back_equal_is_refused(frame: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(SensiViewError, match=sentence):
        to_plain(IndexTable(title="t", frame=frame, keys=(), values=()))


def test_that_arrays_of_objects_are_refused(tmp_path: Path) -> None:
    item = FieldMap(title="t", values=np.array([object()]), axes=("x",))
    with pytest.raises(SensiViewError, match="only numbers"):
        to_plain(item)
    with pytest.raises(SensiViewError, match="only numbers"):
        write_items({"map": item}, tmp_path)


def test_that_an_array_with_unnamed_axes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SensiViewError, match="2 dimensions and names 1 axes"):
        write_items({"map": FieldMap(title="t", values=np.zeros((2, 2)), axes=("x",))}, tmp_path)


@pytest.mark.parametrize(
    "file", ["first_total.csv", "first_total.json", "overlap.csv", "map.npz", "map.json", "verdict.json"]
)
@pytest.mark.parametrize("how", ["missing", "empty", "truncated", "html", "random"])
def test_that_a_damaged_file_is_named_and_the_other_items_are_read(tmp_path: Path, file: str, how: str) -> None:
    write_items(every_item(), tmp_path)
    path = tmp_path / "items" / file
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(
            {
                "empty": b"",
                "truncated": content[: len(content) // 2],
                "html": b"<html>404</html>",
                "random": np.random.default_rng(3).bytes(500),
            }[how]
        )
    read = read_items(tmp_path)
    with pytest.raises(DataError, match=file.replace(".", r"\.")) as caught:
        read[path.stem]
    assert "missing" in caught.value.sentence if how == "missing" else "damaged" in caught.value.sentence
    assert_same_item(read["convergence"], every_item()["convergence"])


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format": 1}', b'{"format": 1, "items": [3]}', b"\xff\xfe"])
def test_that_a_damaged_index_is_named(tmp_path: Path, content: bytes) -> None:
    write_items(every_item(), tmp_path)
    (tmp_path / "items" / "index.json").write_bytes(content)
    with pytest.raises(DataError, match=r"index\.json' is damaged"):
        read_items(tmp_path)


def test_that_an_index_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    write_items({"note": Note(title="t", text="x")}, tmp_path)
    index = tmp_path / "items" / "index.json"
    index.write_text(index.read_text().replace('"file": "note"', '"file": "../../secret"'))
    with pytest.raises(DataError, match="damaged"):
        read_items(tmp_path)


def test_that_a_newer_format_is_refused(tmp_path: Path) -> None:
    write_items(every_item(), tmp_path)
    index = tmp_path / "items" / "index.json"
    index.write_text(index.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(DataError, match="newer SensiView"):
        read_items(tmp_path)


def test_that_damaged_plain_values_are_a_sentence() -> None:
    plain = to_plain(every_item()["first_total"])
    for damaged in ({}, {"kind": "pickle"}, {**plain, "frame": 3}, {**plain, "frame": {"table": {}, "cells": []}}):
        with pytest.raises(DataError, match="damaged"):
            from_plain(damaged)
