"""Many images in one file: NumPy, MNIST's IDX, CIFAR's binary version; and what runs programs is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensiview.datasets.image_understanding import understand_images
from sensiview.datasets.images import ImageSet
from sensiview.errors import DataError
from tests.datasets.image_samples import idx
from tests.datasets.test_image_formats import opened

CLASSES = np.array([2, 0, 1, 2])


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("layout", ["nhwc", "nchw", "nhw"])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_that_layouts_are_told_apart(tmp_path: Path, layout: str, kind: str) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 7), dtype=np.uint8)
    array = {"nhwc": np.moveaxis(rgb, 1, 3), "nchw": rgb, "nhw": rgb[:, 0]}[layout]
    path = tmp_path / f"a.{kind}"
    np.save(path, array) if kind == "npy" else save(path, images=array)
    images = opened(path)
    assert len(images) == 4
    assert images.entries[0].size == (5, 7)
    expected = rgb[2] if layout != "nhw" else rgb[2, :1]
    np.testing.assert_allclose(images.image(2), expected / np.float32(255), atol=1e-7)


def test_that_labels_and_class_names_of_an_npz_are_used(tmp_path: Path) -> None:
    names = np.array(["z", "a", "m"])
    images = opened(save(tmp_path / "a.npz", images=np.zeros((4, 6, 6), np.uint8), labels=CLASSES, names=names))
    assert images.card.class_counts == {"z": 1, "a": 1, "m": 2}
    assert list(images.card.class_counts) == ["z", "a", "m"]  # in the order of their numbers
    np.testing.assert_array_equal(images.labels(), CLASSES)
    assert images.names[0] == "a[0]"


def test_that_splits_of_an_npz_are_used(tmp_path: Path) -> None:
    path = save(
        tmp_path / "medmnist.npz",
        train_images=np.zeros((3, 6, 6, 3), np.uint8),
        train_labels=np.array([[0], [1], [0]]),
        test_images=np.ones((2, 6, 6, 3), np.uint8),
        test_labels=np.array([[1], [1]]),
    )
    images = opened(path)
    assert images.table["split"].tolist() == ["train"] * 3 + ["test"] * 2
    assert images.card.class_counts == {"0": 2, "1": 3}
    assert images.names[3] == "medmnist:test_images[0]"


def test_that_one_hot_labels_and_keras_names_are_read(tmp_path: Path) -> None:
    path = save(tmp_path / "k.npz", x_train=np.zeros((4, 6, 6), np.uint8), y_train=np.eye(3)[CLASSES])
    assert opened(path).card.class_counts == {"0": 1, "1": 1, "2": 2}


def test_that_labels_of_another_number_are_not_used_and_told(tmp_path: Path) -> None:
    found = understand_images(
        [save(tmp_path / "a.npz", images=np.zeros((4, 6, 6, 3), np.uint8), labels=np.arange(3))], name="a"
    )
    assert found.card.target is None
    said = " ".join(found.findings)
    assert "The labels of a.npz are not used: there are 3 for 4 images." in said


@pytest.mark.parametrize(
    ("array", "top"),
    [
        (np.linspace(0, 1, 36).reshape(1, 6, 6), 1.0),
        (np.arange(36.0).reshape(1, 6, 6), 35 / 255),
        (np.arange(36).reshape(1, 6, 6).astype(np.uint16) * 1000, 35000 / 65535),
        (np.arange(36).reshape(1, 6, 6) % 2 == 1, 1.0),
        (np.arange(36).reshape(1, 6, 6) - 10, 1.0),
    ],
)
def test_that_other_numbers_are_brought_to_0_and_1(tmp_path: Path, array: Any, top: float) -> None:
    np.save(tmp_path / "a.npy", array)
    pixels = opened(tmp_path / "a.npy").image(0)
    assert pixels.min() == 0.0
    assert pixels.max() == pytest.approx(top, rel=1e-6)


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_that_mnist_files_find_their_labels_and_split(tmp_path: Path, packed: str) -> None:
    values = np.random.default_rng(1).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    idx(tmp_path / f"t10k-images-idx3-ubyte{packed}", values)
    idx(tmp_path / f"t10k-labels-idx1-ubyte{packed}", CLASSES)
    images = opened(tmp_path / f"t10k-images-idx3-ubyte{packed}")
    np.testing.assert_allclose(images.image(3)[0], values[3] / np.float32(255))
    np.testing.assert_array_equal(images.labels(), CLASSES)
    assert images.table["split"].tolist() == ["test"] * 4
    assert images.names[0] == "t10k[0]"


def test_that_a_folder_of_mnist_is_one_set(tmp_path: Path) -> None:
    for part, n in (("train", 5), ("t10k", 3)):
        idx(tmp_path / f"{part}-images-idx3-ubyte", np.zeros((n, 28, 28)))
        idx(tmp_path / f"{part}-labels-idx1-ubyte", np.arange(n))
    card = understand_images([tmp_path], name="x").card
    assert card.n_rows == 8
    assert card.class_counts == {"0": 2, "1": 2, "2": 2, "3": 1, "4": 1}


def test_that_idx_without_labels_says_so(tmp_path: Path) -> None:
    path = idx(tmp_path / "train-images-idx3-ubyte", np.zeros((2, 28, 28)))
    found = understand_images([path], name="x")
    assert any("No labels were found" in sentence for sentence in found.findings)


def cifar(root: Path) -> ImageSet:
    records = np.random.default_rng(2).integers(0, 256, (3, 3073), dtype=np.uint8)
    records[:, 0] = [1, 0, 1]
    root.mkdir()
    (root / "test_batch.bin").write_bytes(records.tobytes())
    (root / "batches.meta.txt").write_text("plane\ncar\n")
    images = opened(root / "test_batch.bin")
    np.testing.assert_allclose(images.image(1).ravel(), records[1, 1:] / np.float32(255))
    return images


def test_that_cifars_binary_version_is_read(tmp_path: Path) -> None:
    images = cifar(tmp_path / "cifar-10-batches-bin")
    assert images.card.class_counts == {"plane": 1, "car": 2}
    assert images.entries[0].size == (32, 32)
    assert images.table["split"].tolist() == ["test"] * 3


@pytest.mark.parametrize("how", ["file", "folder"])
def test_that_cifars_pickles_are_refused_with_the_way_out(tmp_path: Path, how: str) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02}q\x00U\x04dataq\x01K\x01s.")
    with pytest.raises(DataError, match=r"Python pickle.*binary version"):
        understand_images([tmp_path / "data_batch_1" if how == "file" else tmp_path], name="x")


def test_that_pixels_that_are_no_numbers_are_told_and_black(tmp_path: Path) -> None:
    array = np.full((3, 6, 6), 0.5, np.float32)
    array[0, 1, 2], array[2] = np.nan, np.inf
    path = tmp_path / "a.npy"
    np.save(path, array)
    said = [sentence for sentence in understand_images([path], name="a").findings if "NaN" in sentence]
    assert len(said) == 1
    assert said[0].startswith("2 images have pixels")
    assert "a.npy" in said[0]
    images = opened(path)
    assert images.image(0)[0, 1, 2] == 0
    assert (images.image(2) == 1).all()
    np.save(path, np.full((3, 6, 6), 0.5, np.float32))
    assert not any("NaN" in sentence for sentence in understand_images([path], name="a").findings)


def test_that_objects_in_numpy_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects, which can run any program"):
        understand_images([tmp_path / "a.npy"], name="x")


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4, 5, 6), (4, 5, 6, 7), (0, 6, 6)])
def test_that_arrays_that_are_no_images_are_sentences(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match=r"no array of images|has the shape|is empty"):
        understand_images([tmp_path / "a.npy"], name="x")


@pytest.mark.parametrize("name", ["a.npz", "a.npy", "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"])
def test_that_cut_off_files_are_sentences(tmp_path: Path, name: str) -> None:
    values = np.random.default_rng(3).integers(0, 256, (9, 28, 28), dtype=np.uint8)
    path = tmp_path / name
    if "idx" in name:
        idx(path, values)
    elif name.endswith("npz"):
        save(path, images=values)
    else:
        np.save(path, values)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cut off|damaged"):
        understand_images([path], name="x")


def test_that_the_shared_cifar_and_mnist_are_read(shared_data: Path) -> None:
    images = opened(shared_data / "cifar10" / "cifar10_test2000.npz")
    assert images.card.class_counts["airplane"] == 200
    found = understand_images([shared_data / "mnist" / "t10k-images-idx3-ubyte.gz"], name="x")
    assert found.card.class_counts["1"] == 1135
