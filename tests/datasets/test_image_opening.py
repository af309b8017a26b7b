"""Images of a project opened again, sets from notebooks, DICOM loops and videos, and what a project keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import torch
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from sensiview.datasets.image_columns import pack, unpack
from sensiview.datasets.image_opening import images_from_arrays, open_images
from sensiview.datasets.image_video import _cv2
from sensiview.errors import DataError, UserError
from sensiview.importing import add_images
from sensiview.projects.store import Project
from tests.datasets.image_samples import class_folders, colours, picture, with_exif
from tests.datasets.test_image_formats import opened


@pytest.fixture
def project(tmp_path: Path) -> Any:
    with Project.create(tmp_path / "study.sensiview") as made:
        yield made


class TestProject:
    def test_that_images_come_back_with_names_classes_and_pixels(self, project: Project, tmp_path: Path) -> None:
        source = add_images(project, [class_folders(tmp_path / "pets")]).source
        images = open_images(project.dataset(source.id))
        assert images.card.name == "pets"
        assert images.names[:2] == ("cat/0.png", "cat/1.png")
        assert images.table["class"].tolist() == ["cat"] * 3 + ["dog"] * 3
        np.testing.assert_array_equal(images.labels([0, 5]), [0, 1])
        np.testing.assert_array_equal(images.select("class=dog"), [3, 4, 5])
        np.testing.assert_allclose(images.image(4), np.moveaxis(colours(11), 2, 0) / np.float32(255), atol=1e-7)

    def test_that_columns_of_a_table_come_back(self, project: Project, tmp_path: Path) -> None:
        class_folders(tmp_path / "img")
        rows = "path,label,age\n" + "".join(f"img/{c}/{k}.png,{c},{k}\n" for c in ("dog", "cat") for k in range(3))
        (tmp_path / "t.csv").write_text(rows)
        source = add_images(project, [tmp_path / "t.csv"], name="x").source
        images = open_images(source)
        assert images.table.columns.tolist() == [column.name for column in images.card.columns]
        assert images.table["age"].tolist() == [0, 1, 2, 0, 1, 2]
        np.testing.assert_array_equal(images.select("age=2"), [2, 5])

    def test_that_copied_images_do_not_need_the_originals(self, project: Project, tmp_path: Path) -> None:
        folder = class_folders(tmp_path / "pets")
        source = add_images(project, [folder], copy=True).source
        for path in folder.rglob("*.png"):
            path.unlink()
        assert open_images(source).image(5).shape == (3, 6, 8)

    def test_that_files_that_are_gone_or_changed_are_sentences(self, project: Project, tmp_path: Path) -> None:
        folder = class_folders(tmp_path / "pets")
        source = add_images(project, [folder]).source
        (folder / "cat" / "0.png").unlink()
        with pytest.raises(DataError, match=r"0.png of 'pets' can't be found"):
            open_images(source)
        images = open_images(source, all_there=False)
        assert images.image(1).shape == (3, 6, 8)
        with pytest.raises(DataError, match="can't be found"):
            images.image(0)
        picture(folder / "cat" / "0.png", seed=77, height=9)
        with pytest.raises(DataError, match="changed since the images were added"):
            open_images(source)

    def test_that_another_picture_of_the_same_length_is_noticed(self, project: Project, tmp_path: Path) -> None:
        Image.new("L", (8, 6), 9).save(tmp_path / "a.bmp")
        source = add_images(project, [tmp_path / "a.bmp"]).source
        Image.new("L", (8, 6), 9).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "b.bmp")
        content = (tmp_path / "b.bmp").read_bytes()
        if len(content) < source.files[0].size:
            content += b"\0" * (source.files[0].size - len(content))
        (tmp_path / "a.bmp").write_bytes(content[: source.files[0].size])
        with pytest.raises(DataError, match=r"has changed|damaged"):
            open_images(source).image(0)

    def test_that_other_kinds_of_data_are_refused(self, project: Project, tmp_path: Path) -> None:
        source = add_images(project, [class_folders(tmp_path / "pets")]).source
        wrong = source.model_copy(update={"card": source.card.model_copy(update={"kind": "volumes"})})
        with pytest.raises(DataError, match="not of images"):
            open_images(wrong)
        damaged = source.model_copy(
            update={"card": source.card.model_copy(update={"reading": {"images": {}, "ranges": {}}})}
        )
        with pytest.raises(DataError, match=r"is damaged\. Add the images again"):
            open_images(damaged)

    def test_that_the_card_of_many_images_stays_small(self, project: Project, tmp_path: Path) -> None:
        np.save(tmp_path / "many.npy", np.zeros((20_000, 4, 4), np.uint8))
        card = add_images(project, [tmp_path / "many.npy"]).source.card
        assert len(json.dumps(card.model_dump(mode="json"))) < 45 * 20_000


@pytest.mark.parametrize(
    "values", [[], [3, 3, 3], [5, 6, 7], ["a", "b", "a", "b"], [None, "x", None, "x"], [1, 9, 2], ["p", "q"], [0.5, 1]]
)
def test_that_packed_columns_come_back(values: list[Any]) -> None:
    assert unpack(json.loads(json.dumps(pack(values))), len(values)) == values


class TestNotebook:
    def test_that_arrays_tensors_pictures_and_paths_are_images(self, tmp_path: Path) -> None:
        rgb = colours(3)
        ways: list[Any] = [
            [rgb],
            rgb,
            np.moveaxis(rgb, 2, 0)[None],
            torch.from_numpy(np.moveaxis(rgb, 2, 0)[None] / np.float32(255)),
            [Image.fromarray(rgb)],
            [str(picture(tmp_path / "a.png", seed=3))],
        ]
        for data in ways:
            images = images_from_arrays(data)
            np.testing.assert_allclose(images.image(0), np.moveaxis(rgb, 2, 0) / 255, atol=1e-6)

    def test_that_standardised_tensors_stay_as_they_are(self) -> None:
        rows = torch.randn(3, 3, 8, 9, generator=torch.Generator().manual_seed(0))
        images = images_from_arrays(rows, labels=[0, 1, 0], class_names=("a", "b"))
        np.testing.assert_array_equal(images.image(1), rows[1].numpy())
        assert images.valid_range == (float(rows.min()), float(rows.max()))
        assert images.card.class_counts == {"a": 2, "b": 1}

    def test_that_a_picture_is_turned_upright(self, tmp_path: Path) -> None:
        Image.new("RGB", (8, 4)).save(tmp_path / "a.jpg", exif=with_exif(6))
        with Image.open(tmp_path / "a.jpg") as turned:
            assert images_from_arrays([turned]).entries[0].size == (8, 4)

    def test_that_names_are_those_of_the_files_or_numbers(self, tmp_path: Path) -> None:
        files = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png")]
        assert images_from_arrays(files).names == ("a.png", "b.png")
        assert images_from_arrays(np.zeros((11, 6, 6), np.uint8)).names[:2] == ("image 00", "image 01")

    @pytest.mark.parametrize(
        ("data", "choices", "sentence"),
        [
            ([], {}, "no image in the data"),
            ([np.zeros((6, 7, 5))], {}, "no axis of 1, 3 or 4 channels"),
            (["/nowhere/a.png"], {}, "can't be found|can't be read"),
            ([object()], {}, "is no image"),
            (np.zeros((2, 6, 6)), {"labels": [1]}, "1 labels for 2 images"),
            (np.zeros((2, 6, 6)), {"names": ["a", "a"]}, "a name of its own"),
            (np.zeros((2, 3, 4, 4, 4)), {}, "5 axes"),
        ],
    )
    def test_that_what_is_no_image_is_a_sentence(self, data: Any, choices: dict[str, Any], sentence: str) -> None:
        with pytest.raises((UserError, DataError), match=sentence):
            images_from_arrays(data, **choices)


def loop(path: Path, pixels: np.ndarray[Any, Any], **tags: Any) -> Path:
    """Write an ultrasound loop, (frames, rows, columns[, 3])."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID = "US", "P 1"
    colour = pixels.ndim == 4
    data.SamplesPerPixel = 3 if colour else 1
    data.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        data.PlanarConfiguration = 0
    bits = pixels.dtype.itemsize * 8
    data.BitsAllocated = data.BitsStored = bits
    data.HighBit, data.PixelRepresentation = bits - 1, 0
    data.NumberOfFrames, data.Rows, data.Columns = pixels.shape[:3]
    data.PixelData = pixels.tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


class TestDicom:
    def test_that_frames_of_a_loop_are_images_of_one_patient(self, tmp_path: Path) -> None:
        pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 8), dtype=np.uint8)
        images = opened(loop(tmp_path / "loop.dcm", pixels))
        assert images.names == tuple(f"loop.dcm[{k}]" for k in range(4))
        assert set(images.groups) == {"P 1"}
        np.testing.assert_allclose(images.image(2)[0], pixels[2] / 255, atol=1e-6)

    def test_that_colour_loops_are_read(self, tmp_path: Path) -> None:
        pixels = np.random.default_rng(1).integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)
        images = opened(loop(tmp_path / "loop.dcm", pixels))
        np.testing.assert_allclose(images.image(1), np.moveaxis(pixels[1], 2, 0) / 255, atol=1e-6)

    def test_that_the_files_window_is_used_and_monochrome1_inverted(self, tmp_path: Path) -> None:
        pixels = np.array([[[0, 500, 1000, 2000]]], dtype=np.uint16)
        tags = {"WindowCenter": 750.5, "WindowWidth": 501}
        found = opened(loop(tmp_path / "a.dcm", pixels, **tags)).image(0)[0, 0]
        np.testing.assert_allclose(found, [0, 0, 1, 1], atol=1e-6)
        inverted = opened(loop(tmp_path / "b.dcm", pixels, PhotometricInterpretation="MONOCHROME1", **tags))
        np.testing.assert_allclose(inverted.image(0)[0, 0], [1, 1, 0, 0], atol=1e-6)
        assert any("MONOCHROME1" in note for note in inverted.card.notes)

    def test_that_a_cut_off_loop_is_a_sentence(self, tmp_path: Path) -> None:
        path = loop(tmp_path / "a.dcm", np.zeros((2, 40, 40), np.uint8))
        path.write_bytes(path.read_bytes()[:-500])
        with pytest.raises(DataError, match="cut off"):
            opened(path)


class TestVideo:
    def clip(self, path: Path, count: int = 30) -> Path:
        cv2 = _cv2()
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
        if not writer.isOpened():
            pytest.skip("this machine's OpenCV can't write a video")
        for number in range(count):
            frame = np.zeros((48, 64, 3), np.uint8)
            frame[..., 2] = number * 8  # red, in OpenCV's order
            writer.write(frame)
        writer.release()
        return path

    def test_that_evenly_spaced_frames_of_a_video_are_taken(self, tmp_path: Path) -> None:
        images = opened(self.clip(tmp_path / "clip.avi"))
        assert images.names[:2] == ("clip.avi[1]", "clip.avi[4]")
        assert len(images) == 10
        assert set(images.groups) == {"clip.avi"}
        red, green, _ = images.image(3).mean(axis=(1, 2)) * 255
        assert red == pytest.approx(10 * 8, abs=4)
        assert green < 6

    def test_that_the_number_of_frames_can_be_chosen(self, tmp_path: Path) -> None:
        assert len(opened(self.clip(tmp_path / "clip.avi"), frames=3)) == 3

    def test_that_a_damaged_video_is_a_sentence(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x20ftypisom" + b"\1" * 300)
        with pytest.raises(DataError, match="Save stills as PNG"):
            opened(tmp_path / "a.mp4")
        assert capfd.readouterr().err == ""
