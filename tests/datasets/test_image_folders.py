"""What folders and tables say of images: classes, splits, groups, labels."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sensiview.datasets.image_targets import with_target
from sensiview.datasets.image_understanding import understand_images
from sensiview.errors import DataError
from tests.datasets.image_samples import class_folders, picture


def test_that_a_folder_is_a_class(tmp_path: Path) -> None:
    found = understand_images([class_folders(tmp_path / "set")], name="pets")
    card = found.card
    assert (card.kind, card.n_rows, card.target) == ("images", 6, "class")
    assert card.class_counts == {"cat": 3, "dog": 3}
    assert card.extra["names"][0] == "cat/0.png"
    assert card.extra["sizes"] == [{"size": [6, 8], "count": 6}]
    assert card.extra["range"] == [0.0, 1.0]


@pytest.mark.parametrize("order", ["split/class", "class/split"])
def test_that_train_and_test_folders_become_a_split(tmp_path: Path, order: str) -> None:
    for split in ("Train", "val", "testing"):
        for name in ("cat", "dog"):
            below = f"{split}/{name}" if order == "split/class" else f"{name}/{split}"
            picture(tmp_path / "set" / below / "a.png", seed=len(below))
    found = understand_images([tmp_path / "set"], name="x")
    assert sorted(set(found.table["split"])) == ["test", "train", "validation"]
    assert found.card.class_counts == {"cat": 3, "dog": 3}
    assert found.card.extra["split"] == "split"
    assert "Split by 'split': test 2, train 2, validation 2." in found.card.notes


def test_that_a_split_without_classes_is_no_class(tmp_path: Path) -> None:
    picture(tmp_path / "train" / "a.png")
    picture(tmp_path / "test" / "b.png")
    found = understand_images([tmp_path], name="x")
    assert list(found.table.columns) == ["split"]
    assert found.card.target is None


def test_that_a_flat_folder_has_no_classes(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png", seed=1)
    card = understand_images([tmp_path], name="x").card
    assert (card.target, card.columns, card.class_counts) == (None, (), {})


def test_that_one_class_only_is_allowed_and_said(tmp_path: Path) -> None:
    class_folders(tmp_path, ("cat",))
    card = understand_images([tmp_path], name="x").card
    assert card.class_counts == {"cat": 3}
    assert any("one class (cat)" in note for note in card.notes)


def test_that_an_empty_class_folder_is_said(tmp_path: Path) -> None:
    class_folders(tmp_path)
    (tmp_path / "bird").mkdir()
    found = understand_images([tmp_path], name="x")
    assert "bird" not in found.card.class_counts
    assert any("The class folder bird has no image" in sentence for sentence in found.findings)


def test_that_images_beside_class_folders_have_no_class(tmp_path: Path) -> None:
    class_folders(tmp_path)
    picture(tmp_path / "loose.png", seed=99)
    found = understand_images([tmp_path], name="x")
    assert found.card.n_rows == 7
    assert sum(found.card.class_counts.values()) == 6
    assert any("1 image lies in no class folder" in sentence for sentence in found.findings)
    assert any("Without a label in 'class': 1 image (loose.png)" in note for note in found.card.notes)


def test_that_folders_inside_a_class_are_groups(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        for patient in ("p1", "p2"):
            for k in range(2):
                picture(tmp_path / name / patient / f"{k}.png", seed=ord(name[0]) + 10 * int(patient[1]) + k)
    card = understand_images([tmp_path], name="x").card
    assert card.class_counts == {"cat": 4, "dog": 4}
    assert sorted(set(card.extra["groups"])) == ["cat/p1", "cat/p2", "dog/p1", "dog/p2"]


def test_that_a_folder_around_all_classes_is_passed_over(tmp_path: Path) -> None:
    class_folders(tmp_path / "frames")
    assert understand_images([tmp_path], name="x").card.class_counts == {"cat": 3, "dog": 3}


def test_that_files_and_folders_with_odd_names_are_read(tmp_path: Path) -> None:
    picture(tmp_path / "Katze & Hund, 1" / "ä b#.png")
    picture(tmp_path / "猫" / "x.y.PNG", seed=2)
    card = understand_images([tmp_path], name="x").card
    assert set(card.class_counts) == {"Katze & Hund, 1", "猫"}


def test_that_a_name_that_is_no_text_leaves_one_image_out(tmp_path: Path) -> None:
    picture(tmp_path / "good.png")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.png")).write_bytes((tmp_path / "good.png").read_bytes())
    found = understand_images([tmp_path], name="x")
    assert found.card.extra["names"] == ["good.png"]
    assert any("is not valid text" in sentence for sentence in found.findings)


def test_that_files_of_one_name_in_two_folders_keep_names_of_their_own(tmp_path: Path) -> None:
    picture(tmp_path / "one" / "a.png")
    picture(tmp_path / "two" / "a.png", seed=1)
    card = understand_images([tmp_path / "one", tmp_path / "two"], name="x").card
    assert card.extra["names"] == ["one/a.png", "two/a.png"]


def test_that_several_pictures_are_one_set(tmp_path: Path) -> None:
    files = [picture(tmp_path / f"{k}.png", seed=k, height=5 + k) for k in range(3)]
    card = understand_images(files, name="x").card
    assert card.extra["names"] == ["0.png", "1.png", "2.png"]
    assert any("3 different sizes, from 5 to 7 pixels high" in note for note in card.notes)


def test_that_progress_is_told_and_may_end_the_reading(tmp_path: Path) -> None:
    class_folders(tmp_path, each=30)
    told: list[float] = []
    understand_images([tmp_path], name="x", on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0

    class LeftError(Exception):
        pass

    def leave(share: float) -> None:
        if share > 0:
            raise LeftError

    with pytest.raises(LeftError):
        understand_images([tmp_path], name="x", on_progress=leave)


@pytest.mark.parametrize("what", ["missing", "empty", "words"])
def test_that_a_place_without_images_is_a_sentence(tmp_path: Path, what: str) -> None:
    path = tmp_path / "in"
    if what != "missing":
        path.mkdir()
    if what == "words":
        (path / "a.md").write_text("words")
    with pytest.raises(DataError, match=r"There is no (file or folder|image in)"):
        understand_images([path], name="x")


def test_that_all_files_damaged_says_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no")
    (tmp_path / "b.png").write_bytes(b"no")
    with pytest.raises(DataError, match=r"None of 2 files can be used. The first: .*a.png"):
        understand_images([tmp_path], name="x")


class TestTables:
    def table(self, root: Path, text: str, name: str = "labels.csv") -> Path:
        root.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
        return root / name

    def test_that_a_table_of_paths_decides_images_and_order(self, tmp_path: Path) -> None:
        class_folders(tmp_path / "img")
        lines = ("path,diagnosis,patient,split", "img/dog/1.png,b,7,test", "img/cat/0.png,a,3,train")
        rows = "\n".join([*lines, "img/cat/1.png,a,3,train"])
        found = understand_images([self.table(tmp_path, rows)], name="x")
        assert found.card.extra["names"] == ["img/dog/1.png", "img/cat/0.png", "img/cat/1.png"]
        assert found.card.extra["groups"] == ["7", "3", "3"]
        assert (found.card.target, found.card.extra["split"]) == ("diagnosis", "split")
        assert found.table["diagnosis"].tolist() == ["b", "a", "a"]
        assert found.files[-1].name == "labels.csv"

    def test_that_rows_without_a_file_and_repeated_ones_are_counted_and_named(self, tmp_path: Path) -> None:
        class_folders(tmp_path / "img")
        names = ["cat/0", "cat/1", "dog/0", "dog/0", "dog/9"]
        rows = "file,label\n" + "".join(f"img/{name}.png,{name[:3]}\n" for name in names)
        found = understand_images([self.table(tmp_path, rows)], name="x")
        assert found.card.n_rows == 3
        said = " ".join(found.findings)
        assert "1 row of the table names an image that is not there, and left out: img/dog/9.png" in said
        assert "1 row names an image that an earlier row names already" in said

    def test_that_identifiers_without_endings_and_folders_are_found(self, tmp_path: Path) -> None:
        for k in range(4):
            picture(tmp_path / "part" / f"ISIC_00{k}.png", seed=k)
        lines = [f"L{k // 2},ISIC_00{k},{'mel' if k % 2 else 'nv'}" for k in range(4)]
        rows = "\n".join(["lesion_id,image_id,dx", *lines])
        found = understand_images([self.table(tmp_path, rows)], name="x")
        assert found.card.class_counts == {"mel": 2, "nv": 2}
        assert found.card.extra["groups"] == ["L0", "L0", "L1", "L1"]

    def test_that_a_table_in_the_folder_is_used_before_the_folders_names(self, tmp_path: Path) -> None:
        class_folders(tmp_path, ("batch1", "batch2"))
        files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png"))
        rows = "path,label\n" + "".join(f"{name},{'x' if k % 2 else 'y'}\n" for k, name in enumerate(files))
        self.table(tmp_path, rows)
        found = understand_images([tmp_path], name="x")
        assert found.card.target == "label"
        assert "class" not in found.table.columns
        assert any("come from labels.csv" in sentence for sentence in found.findings)

    def test_that_images_without_a_row_have_no_label(self, tmp_path: Path) -> None:
        class_folders(tmp_path / "img")
        rows = "path,label\nimg/cat/0.png,u\nimg/cat/1.png,u\nimg/dog/0.png,v\nimg/dog/1.png,v\n"
        table = self.table(tmp_path / "else", rows.replace("img/", ""))
        found = understand_images([tmp_path / "img"], labels=table, name="x")
        assert found.card.n_rows == 6
        assert found.card.class_counts == {"u": 2, "v": 2}
        assert any("2 images have no row in labels.csv" in sentence for sentence in found.findings)

    def test_that_a_table_that_names_no_image_is_refused(self, tmp_path: Path) -> None:
        class_folders(tmp_path / "img")
        table = self.table(tmp_path, "a,b\n1,2\n3,4\n5,6\n")
        with pytest.raises(DataError, match=r"No column of .*labels.csv names image files"):
            understand_images([tmp_path / "img"], labels=table, name="x")

    def test_that_numbers_are_classes_and_quantities_are_told_apart(self, tmp_path: Path) -> None:
        files = [picture(tmp_path / f"{k}.png", seed=k) for k in range(120)]
        rows = "path,grade,score\n" + "".join(f"{p.name},{k % 3},{k / 7:.3f}\n" for k, p in enumerate(files))
        found = understand_images([self.table(tmp_path, rows)], name="x")
        assert found.card.class_counts == {"0": 40, "1": 40, "2": 40}
        assert with_target(found.card, found.table, "score").class_counts == {}
        with pytest.raises(DataError, match="names or notes rather than classes"):
            with_target(found.card, found.table, "path")
        with pytest.raises(DataError, match=r"no column 'grad'\. Did you mean 'grade'"):
            with_target(found.card, found.table, "grad")


def test_that_the_ultrasound_frames_are_understood(shared_data: Path) -> None:
    card = understand_images([shared_data / "ultrasound"], name="lus").card
    assert card.class_counts == {"covid": 94, "pneumonia": 182, "regular": 328}
    assert len(set(card.extra["groups"])) == 124
    assert card.extra["split"] == "split"


def test_that_moved_data_sets_are_understood_alike(tmp_path: Path) -> None:
    class_folders(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    one, other = (understand_images([tmp_path / name], name="x").card for name in "ab")
    assert one == other


def test_that_a_label_of_its_own_for_each_image_is_allowed_and_said(tmp_path: Path) -> None:
    """Twenty pictures of twenty classes explain a network that knows a thousand."""
    files = [picture(tmp_path / f"{k}.png", seed=k) for k in range(20)]
    (tmp_path / "labels.csv").write_text("path,label\n" + "".join(f"{p.name},kind {k}\n" for k, p in enumerate(files)))
    found = understand_images([tmp_path / "labels.csv"], name="x")
    card = with_target(found.card, found.table, "label")
    assert len(card.class_counts) == 20
    assert any("a label of its own" in note for note in card.notes)
