"""Images on the command line: kinds that are guessed, what is said, and a run on them."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from torch import nn

from sensiview.errors import DataError
from sensiview.importing import guess_kind
from tests.commands.conftest import Command
from tests.datasets.dicom_phantom import phantom, write_series
from tests.datasets.image_samples import class_folders, idx, picture
from tests.datasets.test_image_opening import loop


@pytest.fixture
def study(sensiview: Command, tmp_path: Path) -> Path:
    folder = tmp_path / "study.sensiview"
    assert sensiview("new", folder).code == 0
    return folder


class TestKinds:
    def test_that_files_of_images_are_images(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", images=np.zeros((2, 6, 6), np.uint8))
        files = [
            picture(tmp_path / "a.png"),
            picture(tmp_path / "b.TIF"),
            tmp_path / "a.npz",
            idx(tmp_path / "t10k-images-idx3-ubyte.gz", np.zeros((2, 6, 6))),
            loop(tmp_path / "us.dcm", np.zeros((2, 6, 8), np.uint8)),
        ]
        assert [guess_kind([path]) for path in files] == ["images"] * len(files)

    def test_that_folders_of_images_are_images(self, tmp_path: Path) -> None:
        idx(tmp_path / "mnist" / "train-images-idx3-ubyte", np.zeros((2, 6, 6)))
        (tmp_path / "mnist" / "readme.md").write_text("words")
        assert guess_kind([class_folders(tmp_path / "pets")]) == "images"
        assert guess_kind([tmp_path / "mnist"]) == "images"

    @pytest.mark.parametrize("filled", [False, True])
    def test_that_a_folder_without_data_is_a_sentence(self, tmp_path: Path, filled: bool) -> None:
        (tmp_path / "odd" / "below").mkdir(parents=True)
        if filled:
            (tmp_path / "odd" / "notes.md").write_text("words")
        with pytest.raises(DataError, match=r"There are no images, volumes \(NIfTI\) or DICOM files in .*odd\."):
            guess_kind([tmp_path / "odd"])

    def test_that_a_table_of_paths_is_images_and_another_a_table(self, tmp_path: Path) -> None:
        (tmp_path / "paths.csv").write_text("file,label\nx/a.png,1\nx/b.png,2\n")
        (tmp_path / "numbers.csv").write_text("a,b\n1,2\n3,4\n")
        assert guess_kind([tmp_path / "paths.csv"]) == "images"
        assert guess_kind([tmp_path / "numbers.csv"]) == "table"

    def test_that_volumes_and_series_stay_what_they_are(self, tmp_path: Path) -> None:
        (tmp_path / "mri").mkdir()
        image = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4))  # type: ignore[no-untyped-call]
        nibabel.save(image, tmp_path / "mri" / "a.nii.gz")  # type: ignore[attr-defined]
        picture(tmp_path / "mri" / "b.png")
        write_series(tmp_path / "mr", phantom())
        assert guess_kind([tmp_path / "mri"]) == "volumes"
        assert guess_kind([tmp_path / "mr"]) == "dicom"


class TestAdding:
    def test_that_a_folder_is_added_and_described(self, sensiview: Command, study: Path, tmp_path: Path) -> None:
        folder = class_folders(tmp_path / "pets")
        (folder / "cat" / "broken.jpg").write_bytes(b"no")
        answer = sensiview("add-dataset", study, folder)
        assert answer.code == 0
        assert answer.out == "Added 'pets': 6 images, 6 x 8 pixels, colour, 2 classes, target class\n"
        assert "broken.jpg is damaged or no image" in answer.err

    def test_that_json_has_classes_and_notes(self, sensiview: Command, study: Path, tmp_path: Path) -> None:
        answer = sensiview("add-dataset", study, class_folders(tmp_path / "pets"), "--json", "--name", "animals")
        (entry,) = answer.json["datasets"]
        assert (entry["name"], entry["kind"], entry["rows"]) == ("animals", "images", 6)
        assert entry["classes"] == {"cat": 3, "dog": 3}
        assert answer.err == ""

    def test_that_target_labels_and_frames_can_be_chosen(self, sensiview: Command, study: Path, tmp_path: Path) -> None:
        folder = class_folders(tmp_path / "img")
        (tmp_path / "t.csv").write_text(
            "path,first,second\n" + "".join(f"{c}/{k}.png,{c},{k % 2}\n" for c in ("cat", "dog") for k in range(3))
        )
        answer = sensiview("add-dataset", study, folder, "--labels", tmp_path / "t.csv", "--target", "second", "--json")
        assert answer.json["datasets"][0]["classes"] == {"0": 4, "1": 2}
        film = loop(tmp_path / "us.dcm", np.zeros((9, 6, 8), np.uint8))
        answer = sensiview("add-dataset", study, film, "--frames", 3, "--json")
        assert answer.json["datasets"][0]["rows"] == 3

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [(b"", "is empty (0 bytes)"), (b"no", "is damaged or no image"), (None, "There is no file or folder")],
    )
    def test_that_bad_files_are_sentences(
        self, sensiview: Command, study: Path, tmp_path: Path, content: bytes | None, sentence: str
    ) -> None:
        path = tmp_path / "a.png"
        if content is not None:
            path.write_bytes(content)
        answer = sensiview("add-dataset", study, path)
        assert answer.code == 1
        assert sentence in answer.err
        assert "Traceback" not in answer.err

    def test_that_a_wrong_target_names_the_columns(self, sensiview: Command, study: Path, tmp_path: Path) -> None:
        answer = sensiview("add-dataset", study, class_folders(tmp_path / "pets"), "--target", "clas")
        assert answer.code == 1
        assert "Did you mean 'class'?" in answer.err

    def test_that_check_notices_a_changed_image(self, sensiview: Command, study: Path, tmp_path: Path) -> None:
        folder = class_folders(tmp_path / "pets")
        assert sensiview("add-dataset", study, folder).code == 0
        assert sensiview("check", study).code == 0
        content = bytearray((folder / "dog" / "1.png").read_bytes())
        content[-10] ^= 1
        (folder / "dog" / "1.png").write_bytes(content)
        answer = sensiview("check", study)
        assert answer.code == 1
        assert "1.png" in answer.out + answer.err


def test_that_a_program_classifies_a_projects_images(sensiview: Command, study: Path, tmp_path: Path) -> None:
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    batch = torch.export.Dim("batch")
    program = torch.export.export(module, (torch.rand(2, 3, 6, 8),), dynamic_shapes=({0: batch},))
    torch.export.save(program, tmp_path / "net.pt2")
    assert sensiview("add-dataset", study, class_folders(tmp_path / "pets")).code == 0
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    (tmp_path / "how.json").write_text('{"kind": "image", "channels": 3, "size": [6, 8]}')
    added = sensiview(
        "add-model", study, "--program", tmp_path / "net.pt2", "--classes", tmp_path / "classes.txt",
        "--preprocessing", tmp_path / "how.json",
    )  # fmt: skip
    assert added.code == 0, added.err
    answer = sensiview("run", study, "classification", "-p", "images=class=dog", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["evaluations"] == 3
    assert answer.json["items"] == ["accuracy", "per_class", "confusion", "predictions", "note"]
    out = tmp_path / "out"
    assert sensiview("export", study, answer.json["run"], "--to", out).code == 0
    assert (out / "predictions.csv").read_text().startswith("image,class,predicted,correct,probability")
    assert (out / "confusion.csv").is_file()


def test_that_finished_runs_are_taken_by_name_or_identifier(sensiview: Command, study: Path, tmp_path: Path) -> None:
    assert sensiview("add-dataset", study, class_folders(tmp_path / "pets")).code == 0
    trained = sensiview(
        "train", study, "--architecture", "lenet", "--dataset", "pets", "--name", "net", "--epochs", "1",
        "--option", "size=32",
    )  # fmt: skip
    assert trained.code == 0, trained.err
    for key, name in (("grad_cam", "cams"), ("saliency", "slopes")):
        assert sensiview("run", study, key, "-p", "images=0", "--name", name).code == 0
    answer = sensiview("run", study, "comparison", "-p", "runs=cams, saliency-0001", "-p", "steps=0", "--json")
    assert answer.code == 0, answer.err
    assert "similarity" in answer.json["items"]
    record = json.loads((study / "runs" / answer.json["run"] / "record.json").read_text())
    assert record["parameters"]["runs"] == ["grad_cam-0001", "saliency-0001"]
    unknown = sensiview("run", study, "comparison", "-p", "runs=cams,nope")
    assert unknown.code == 1
    assert "There is no finished run 'nope'" in unknown.err
