"""`sensiview.analyse` and `sensiview.load` on images: what is one, and which network decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import sensiview
from sensiview.api_data import given
from sensiview.datasets.image_opening import images_from_files
from sensiview.datasets.images import ImageSet
from sensiview.errors import UserError
from sensiview.importing import add_images
from sensiview.projects.store import Project
from tests.datasets.image_samples import class_folders, colours, picture


def network(channels: int = 3, outputs: int = 2, axes: int = 2) -> nn.Sequential:
    torch.manual_seed(1)
    convolution, pool = (nn.Conv2d, nn.AdaptiveAvgPool2d) if axes == 2 else (nn.Conv3d, nn.AdaptiveAvgPool3d)
    return nn.Sequential(
        convolution(channels, 4, 3, padding=1), nn.ReLU(inplace=True), pool(1), nn.Flatten(), nn.Linear(4, outputs)
    )


def analyse(model: nn.Module, data: Any, **choices: Any) -> Any:
    return sensiview.analyse("classification", model, data, device="cpu", progress=False, **choices)


@pytest.mark.parametrize("way", ["pictures", "arrays", "paths", "tensor", "array", "fractions"])
def test_that_every_way_to_hand_over_images_gives_the_same_answers(tmp_path: Path, way: str) -> None:
    many = [colours(k) for k in range(3)]
    rows = np.stack([np.moveaxis(one, 2, 0) for one in many])
    data: dict[str, Any] = {
        "pictures": [Image.fromarray(one) for one in many],
        "arrays": many,
        "paths": [str(picture(tmp_path / f"{k}.png", seed=k)) for k in range(3)],
        "tensor": torch.from_numpy(rows / np.float32(255)),
        "array": rows,
        "fractions": list(rows / np.float32(255)),
    }
    model = network()
    found = analyse(model, data[way])["predictions"].to_frame()
    with torch.no_grad():
        p = torch.softmax(model(torch.from_numpy(rows / np.float32(255))), dim=1).max(dim=1).values
    np.testing.assert_allclose(found["probability"], p, atol=1e-6)


def test_that_labels_and_class_names_are_used() -> None:
    rows = np.random.default_rng(0).random((4, 3, 6, 8)).astype(np.float32)
    result = analyse(network(), rows, labels=["cat", "dog", "cat", "dog"])
    assert result["confusion"].rows == ("cat", "dog")
    by_number = analyse(network(), rows, labels=[1, 0, 1, 0], class_names=("x", "y"))
    assert by_number["predictions"].to_frame()["class"].tolist() == ["y", "x", "y", "x"]


def test_that_preprocessing_brings_other_sizes_to_the_networks() -> None:
    data = [Image.fromarray(colours(1, 9, 12)), Image.fromarray(colours(2, 20, 7))]
    settings = {"kind": "image", "channels": 1, "resize": [6, 6], "mean": [0.5], "std": [0.5]}
    assert analyse(network(channels=1), data, preprocessing=settings).evaluations == 2
    with pytest.raises(UserError, match="differ in size"):
        analyse(network(), data)


def test_that_the_first_convolution_decides_about_arrays_of_four_axes() -> None:
    rows = np.random.default_rng(0).random((2, 3, 6, 6)).astype(np.float32)
    assert given(network(), rows, {}).images is not None
    assert given(network(channels=1, axes=3), rows, {}).volumes is not None
    listed = [np.zeros((6, 7, 3), np.uint8)] * 2
    assert given(network(), listed, {}).images is not None
    assert given(network(channels=1, axes=3), [np.zeros((6, 7, 8))] * 2, {}).volumes is not None


def test_that_a_network_without_convolutions_gets_images_where_an_axis_has_colours() -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 8, 2))
    assert given(flat, np.zeros((2, 3, 6, 8), np.float32), {}).images is not None


def test_that_folders_and_files_of_many_images_are_sets(tmp_path: Path) -> None:
    class_folders(tmp_path / "pets")
    np.savez(tmp_path / "a.npz", images=np.stack([colours(k) for k in range(4)]), labels=[0, 1, 1, 1])
    assert analyse(network(), tmp_path / "pets")["confusion"].rows == ("cat", "dog")
    assert analyse(network(), str(tmp_path / "a.npz"))["per_class"].to_frame()["n"].tolist() == [1, 3]


def test_that_a_labels_table_is_read_again_without_a_project(tmp_path: Path) -> None:
    class_folders(tmp_path / "img")
    rows = "".join(f"img/{c}/{k}.png,{k % 2}\n" for c in ("cat", "dog") for k in range(3))
    (tmp_path / "t.csv").write_text("path,label\n" + rows)
    images = images_from_files([tmp_path / "t.csv"])
    assert images.card.class_counts == {"0": 4, "1": 2}
    assert images.image(5).shape == (3, 6, 8)


def test_that_the_users_network_and_images_stay_as_they_were() -> None:
    model = network().train()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    rows = torch.rand(3, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    before = rows.clone()
    analyse(model, rows)
    assert model.training
    torch.testing.assert_close(rows, before)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, weights[name])


def test_that_a_projects_images_are_a_set_and_can_be_analysed(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.sensiview") as project:
        add_images(project, [class_folders(tmp_path / "pets")])
    images = sensiview.load(tmp_path / "p.sensiview").datasets["pets"]
    assert isinstance(images, ImageSet)
    assert analyse(network(), images)["confusion"].values.sum() == 6


def test_that_what_does_not_fit_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(UserError, match="damaged or no image"):
        analyse(network(), [tmp_path / "a.png"])
    with pytest.raises(UserError, match=r"channels|shape"):
        analyse(network(channels=5), [Image.fromarray(colours(0))])


@pytest.mark.parametrize(("channels", "given", "words"), [(3, 1, "these are grey images"), (1, 3, "takes grey images")])
def test_that_other_colours_than_the_networks_name_the_setting_that_brings_them_over(
    channels: int, given: int, words: str
) -> None:
    rows = np.random.default_rng(0).random((2, given, 6, 8)).astype(np.float32)
    with pytest.raises(UserError, match=words) as refused:
        analyse(network(channels), rows)
    settings = {"kind": "image", "channels": channels}
    assert f"preprocessing={settings}" in refused.value.sentence
    assert analyse(network(channels), rows, preprocessing=settings).evaluations == 2


def test_that_a_network_of_class_numbers_is_said_to_give_no_scores() -> None:
    class Chosen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x).argmax(dim=1)

    rows = np.random.default_rng(0).random((1, 3, 6, 8)).astype(np.float32)
    result = sensiview.analyse("occlusion", Chosen(), rows, device="cpu", progress=False, parameters={"window": 4})
    assert "the network gives whole numbers, such as that of a class, and no scores" in result["note"].text
