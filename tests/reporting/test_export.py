"""What is handed on can be read by other programs, value for value."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from sensiview.analysis.items import FieldMap, ImageSeries, IndexTable, Item, Mask, Matrix, Note
from sensiview.analysis.sources import DatasetSource
from sensiview.datasets.card import DatasetCard
from sensiview.errors import SensiViewError, UserError
from sensiview.reporting import files
from sensiview.reporting.anatomy import Anatomy
from sensiview.reporting.export import Draw, export_run
from sensiview.reporting.files import safe_name, safe_names


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_that_every_item_comes_in_its_formats(
    items: dict[str, Item], record: dict[str, Any], tmp_path: Path, draw: Draw
) -> None:
    folder = tmp_path / "new" / "export"
    written = export_run(record, items, folder, draw=draw)
    assert names(written) == [
        "record.json",
        *("first_total.csv", "first_total.png", "first_total.svg"),
        *("second_order.csv", "second_order.npz", "second_order.png", "second_order.svg"),
        *("convergence.csv", "convergence.png", "convergence.svg"),
        "verdict.txt",
    ]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names(written))
    assert (folder / "verdict.txt").read_text() == "Verdict\n\nN is large enough.\n"
    assert (folder / "first_total.png").read_bytes().endswith(b"First-order and total indices")


def test_that_tables_read_back_equal(
    items: dict[str, Item], first_total: IndexTable, record: dict[str, Any], tmp_path: Path
) -> None:
    export_run(record, items, tmp_path)
    stored = pd.read_csv(tmp_path / "first_total.csv")
    pd.testing.assert_frame_equal(stored, first_total.frame, check_exact=True)
    text = (tmp_path / "first_total.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "output,factor,S1,S1_conf,ST,ST_conf,ST_low,ST_high"
    assert '"Glucose, mg/dl"' in text
    assert "\r" not in text
    matrix = pd.read_csv(tmp_path / "second_order.csv", index_col=0)
    assert matrix.index.name == "factor"
    assert matrix.loc["b", "b"] == 1 / 3
    assert np.isnan(matrix.loc["b", "a"])
    assert (tmp_path / "convergence.csv").read_text().splitlines()[-1] == "Outcome=1,1024,Âge,"


def test_that_a_matrix_has_one_array_per_axis(items: dict[str, Item], record: dict[str, Any], tmp_path: Path) -> None:
    export_run(record, items, tmp_path, item="second_order")
    with np.load(tmp_path / "second_order.npz", allow_pickle=False) as arrays:
        assert arrays["values"].dtype == np.float64
        assert list(arrays["factor"]) == ["a", "b"]
        assert list(arrays["factor_axis"]) == ["a", "b"]
    assert not (tmp_path / "first_total.csv").exists()


def test_that_a_matrix_column_may_be_called_like_the_row_axis(record: dict[str, Any], tmp_path: Path) -> None:
    matrix = Matrix(title="M", values=np.eye(2), rows=("x", "y"), columns=("row", "row"))
    export_run(record, {"m": matrix}, tmp_path)
    assert (tmp_path / "m.csv").read_text() == "row,row,row\nx,1.0,0.0\ny,0.0,1.0\n"


def test_that_the_record_says_what_the_files_hold(
    items: dict[str, Item], record: dict[str, Any], tmp_path: Path
) -> None:
    export_run(record, items, tmp_path)
    told = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert {key: told[key] for key in record} == record
    assert told["exported"]["first_total"]["files"] == ["first_total.csv"]
    assert told["exported"]["first_total"]["kind"] == "index_table"
    assert told["exported"]["first_total"]["remarks"] == ["The interval of Âge includes 0."]


def test_that_only_the_wanted_item_is_exported_under_the_same_name(record: dict[str, Any], tmp_path: Path) -> None:
    notes: dict[str, Item] = {"a/b": Note(title="A", text="1"), "a:b": Note(title="B", text="2")}
    written = export_run(record, notes, tmp_path, item="a:b")
    assert names(written) == ["record.json", "a_b_2.txt"]
    assert names(export_run(record, notes, tmp_path)) == ["record.json", "a_b.txt", "a_b_2.txt"]
    with pytest.raises(UserError, match=r"no item 'a/c'.*Did you mean 'a/b'"):
        export_run(record, notes, tmp_path, item="a/c")


def test_that_an_export_does_not_overwrite_another_runs(
    items: dict[str, Item], record: dict[str, Any], tmp_path: Path
) -> None:
    export_run(record, items, tmp_path)
    export_run(record, items, tmp_path)  # the same again is fine
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(UserError, match=r"holds the export of run 'sobol-0001' already.*sobol-0002'"):
        export_run({**record, "id": "sobol-0002"}, items, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    (tmp_path / "record.json").write_text("my own notes")
    with pytest.raises(UserError, match=r"holds a record\.json already"):
        export_run(record, items, tmp_path)
    assert (tmp_path / "record.json").read_text() == "my own notes"


# Maps -----------------------------------------------------------------------------------------------------------

# A left-handed, oblique grid of anisotropic voxels.
AFFINE = np.array([[-1.5, 0.1, 0.0, 90.0], [0.1, 2.0, 0.2, -120.0], [0.0, -0.2, 2.5, -70.0], [0.0, 0.0, 0.0, 1.0]])


@pytest.mark.parametrize("axes", [("x", "y", "z"), ("z", "y", "x"), ("y", "z", "x")])
def test_that_a_volume_keeps_its_grid_and_affine(record: dict[str, Any], tmp_path: Path, axes: tuple[str, ...]) -> None:
    original = np.zeros((4, 5, 6), dtype=np.float32)  # x, y, z as the input's file has them
    original[1, 2, 3] = 0.75
    values = original.transpose([("x", "y", "z").index(axis) for axis in axes])
    mask = Mask(title="Maske für uns", values=values, axes=axes, affine=AFFINE)
    written = export_run(record, {"mask": mask}, tmp_path)
    assert names(written) == ["record.json", "mask.npz", "mask.nii.gz"]
    image = nibabel.load(tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), original)
    np.testing.assert_allclose(image.affine, AFFINE, rtol=1e-6)
    assert image.get_data_dtype() == np.float32
    assert image.header.get_xyzt_units()[0] == "mm"
    marker = nibabel.affines.apply_affine(image.affine, [1, 2, 3])
    np.testing.assert_allclose(marker, AFFINE[:3, :3] @ [1, 2, 3] + AFFINE[:3, 3], rtol=1e-6)
    with np.load(tmp_path / "mask.npz") as arrays:
        assert arrays["values"].shape == values.shape
        np.testing.assert_array_equal(arrays["affine"], AFFINE)
        assert [len(arrays[axis]) for axis in axes] == list(values.shape)


def _codes(path: Path) -> tuple[int, int]:
    header = nibabel.load(path).header
    return int(header["sform_code"]), int(header["qform_code"])


@pytest.mark.parametrize(
    ("space", "code"), [("mni", 4), ("scanner", 1), ("aligned", 2), ("talairach", 3), ("unknown", 2)]
)
def test_that_a_volume_keeps_what_its_coordinates_mean(
    record: dict[str, Any], tmp_path: Path, space: str, code: int
) -> None:
    card = DatasetCard(name="cohort", kind="volumes", n_rows=1, extra={"space": space})
    anatomy = Anatomy(DatasetSource(id="d1", card=card, files=()), {})
    turned = np.diag([-2.0, 2.0, 3.0, 1.0])
    turned[:3, 3] = [90, -120, -70]
    item = FieldMap(title="V", values=np.ones((2, 3, 4)), axes=("z", "y", "x"), affine=turned)
    export_run(record, {"v": item}, tmp_path, anatomy=anatomy)
    assert _codes(tmp_path / "v.nii.gz") == (code, code)
    header = nibabel.load(tmp_path / "v.nii.gz").header
    np.testing.assert_allclose(header.get_qform(), turned, atol=1e-4)
    assert header.get_xyzt_units()[0] == "mm"
    assert bytes(header["descrip"].item()) == b"V"


def test_that_a_sheared_grid_is_written_as_sform_alone(record: dict[str, Any], tmp_path: Path) -> None:
    sheared = np.array([[1.0, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    export_run(
        record, {"v": FieldMap(title="V", values=np.ones((9, 9, 9)), axes=("z", "y", "x"), affine=sheared)}, tmp_path
    )
    assert _codes(tmp_path / "v.nii.gz") == (2, 0)
    np.testing.assert_allclose(nibabel.load(tmp_path / "v.nii.gz").affine, sheared, atol=1e-6)


def test_that_further_axes_become_further_dimensions(record: dict[str, Any], tmp_path: Path) -> None:
    values = np.arange(2 * 1 * 3 * 4 * 5, dtype=np.int64).reshape(2, 1, 3, 4, 5)
    field = FieldMap(
        title="F",
        values=values,
        axes=("subject", "channel", "z", "y", "x"),
        affine=np.eye(4),
        coordinates={"subject": ("s 1", "s 2")},
        unit="1",
    )
    export_run(record, {"map": field}, tmp_path)
    image = nibabel.load(tmp_path / "map.nii.gz")
    assert image.shape == (5, 4, 3, 2)
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asanyarray(image.dataobj)[..., 1], values[1, 0].T)
    with np.load(tmp_path / "map.npz") as arrays:
        assert list(arrays["subject"]) == ["s 1", "s 2"]
        assert list(arrays["channel"]) == [0]
        assert str(arrays["unit"]) == "1"


def test_that_steps_are_numbers_and_names_of_numbers_stay_text(record: dict[str, Any], tmp_path: Path) -> None:
    labels = {"target": ("0", "1"), "step": ("0", "25", "300")}
    film = FieldMap(title="F", values=np.zeros((2, 3, 1, 4)), axes=("target", "step", "y", "x"), coordinates=labels)
    export_run(record, {"film": film}, tmp_path)
    with np.load(tmp_path / "film.npz") as arrays:
        assert arrays["step"].dtype == np.int64
        assert arrays["step"].tolist() == [0, 25, 300]
        assert arrays["target"].tolist() == ["0", "1"]


def test_that_maps_without_affine_or_spatial_axes_have_no_volume(record: dict[str, Any], tmp_path: Path) -> None:
    flat = FieldMap(title="F", values=np.zeros((2, 3)), axes=("y", "x"), spacing=(0.5, 0.5))
    odd = FieldMap(title="O", values=np.zeros((2, 3)), axes=("values", "file"), affine=np.eye(4))
    series = ImageSeries(title="S", values=np.zeros((2, 4, 4, 3)), labels=("a", "b"))
    written = export_run(record, {"flat": flat, "odd": odd, "series": series}, tmp_path)
    assert names(written) == ["record.json", "flat.npz", "odd.npz", "series.npz"]
    with np.load(tmp_path / "odd.npz") as arrays:
        assert arrays["values"].shape == (2, 3)
        assert list(arrays["values_axis"]) == [0, 1]
        assert list(arrays["file_axis"]) == [0, 1, 2]
    with np.load(tmp_path / "series.npz") as arrays:
        assert list(arrays["frame"]) == ["a", "b"]
    with pytest.raises(SensiViewError, match="holds objects"):
        export_run(record, {"bad": FieldMap(title="B", values=np.array([None]), axes=("x",))}, tmp_path)


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [(bool, np.uint8), (np.float16, np.float32), (np.float64, np.float64), (np.int64, np.int16), (np.uint32, np.uint8)],
)
def test_that_volumes_are_stored_as_types_that_programs_read(
    record: dict[str, Any], tmp_path: Path, dtype: type, stored: type
) -> None:
    values = np.zeros((2, 2, 2), dtype=dtype)
    values[0, 0, 0] = -300 if stored is np.int16 else 1
    export_run(record, {"v": FieldMap(title="V", values=values, axes=("z", "y", "x"), affine=np.eye(4))}, tmp_path)
    image = nibabel.load(tmp_path / "v.nii.gz")
    assert image.get_data_dtype() == stored
    assert np.asanyarray(image.dataobj)[0, 0, 0] == values[0, 0, 0]


def test_that_the_same_volume_gives_the_same_bytes(record: dict[str, Any], tmp_path: Path) -> None:
    field = FieldMap(title="V", values=np.ones((2, 2, 2)), axes=("z", "y", "x"), affine=np.eye(4))
    for folder in ("one", "two"):
        export_run(record, {"v": field}, tmp_path / folder)
    assert (tmp_path / "one" / "v.nii.gz").read_bytes() == (tmp_path / "two" / "v.nii.gz").read_bytes()


# Places that refuse ---------------------------------------------------------------------------------------------


def test_that_things_in_the_way_are_named(items: dict[str, Item], record: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match=r"'.*taken' is a file, so it can't be the folder"):
        export_run(record, items, tmp_path / "taken")
    with pytest.raises(UserError, match=r"A file is in the way of the folder"):
        export_run(record, items, tmp_path / "taken" / "below")
    (tmp_path / "first_total.csv").mkdir()
    with pytest.raises(UserError, match=r"A folder is in the way of the file '.*first_total.csv'"):
        export_run(record, items, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["taken"]


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "The disk is full"), (errno.EACCES, "You may not write"), (errno.EIO, "could not be written")],
)
def test_that_a_disk_that_refuses_gives_a_sentence(
    items: dict[str, Item],
    record: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    said: str,
) -> None:
    def refuse(path: Path, write: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "write_atomically", refuse)
    with pytest.raises(UserError, match=said):
        export_run(record, items, tmp_path)


@pytest.mark.skipif(
    sys.platform == "win32" or not Path("/dev/full").exists(), reason="needs a file that is always full"
)
def test_that_a_drawing_on_a_full_disk_leaves_nothing(
    first_total: IndexTable, record: dict[str, Any], tmp_path: Path
) -> None:
    def draw_on_full_disk(item: Item, path: Path, anatomy: Anatomy | None) -> None:
        path.write_text("half")
        with Path("/dev/full").open("w") as full:
            full.write("x" * 100_000)

    with pytest.raises(UserError, match=r"The disk is full: '.*first_total.png' could not be written"):
        export_run(record, {"first_total": first_total}, tmp_path, draw=draw_on_full_disk)
    assert [path.name for path in tmp_path.iterdir()] == ["first_total.csv"]


def test_that_an_item_without_plot_gets_no_picture(
    first_total: IndexTable, record: dict[str, Any], tmp_path: Path
) -> None:
    written = export_run(record, {"first_total": first_total}, tmp_path, draw=lambda item, path, anatomy: False)
    assert names(written) == ["record.json", "first_total.csv"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("first_total", "first_total"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\\b:c*?", "a_b_c_"),
        (".hidden ", "hidden"),
        ("CON", "CON_"),
        ("nul.txt", "nul.txt_"),
        ("", "item"),
        ("...", "item"),
        ("größe 1", "größe 1"),
        ("x" * 300, "x" * 100),
        ("new\nline", "new_line"),
    ],
)
def test_that_names_become_safe_file_names(name: str, expected: str) -> None:
    assert safe_name(name) == expected


def test_that_file_names_differ_in_more_than_case() -> None:
    assert safe_names(["Map", "map", "m/p", "m_p"]) == {"Map": "Map", "map": "map_2", "m/p": "m_p", "m_p": "m_p_2"}
