"""3-D architectures: the layers they have, what is read from weights, and a real trained network."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Grid, Volume
from sensiview.datasets.volumes import VolumeEntry, VolumeSet
from sensiview.errors import ModelError, UserError
from sensiview.files import fingerprint
from sensiview.models.architectures import Architecture, architectures
from sensiview.models.card import ModelCard
from sensiview.models.inspection import describe
from sensiview.models.opening import inspect_model, open_network
from sensiview.models.weights import save_weights
from sensiview.numerics.volume_inputs import VolumeInputs


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tiny networks: threads that wait for each other, and timing them on large batches, would take all the time."""
    monkeypatch.setattr("sensiview.models.inspection._TRIAL_BYTES", 2**20)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Files:
    """What a project hands over."""

    def __init__(self, card: ModelCard, weights: Path) -> None:
        self.card, self.weights, self.program = card, fingerprint(weights), None


@pytest.fixture(scope="module")
def cnn3d() -> Architecture:
    return architectures()["cnn3d"]


def test_that_the_convolutional_network_has_the_studys_blocks_under_readable_names(cnn3d: Architecture) -> None:
    module = cnn3d.build(cnn3d.parse({}), (1, 61, 73, 61), 2)
    kinds = {name: type(part) for name, part in module.named_modules()}
    for block in range(1, 5):
        names = [f"block{block}.{name}" for name in ("conv1", "norm1", "act1", "pool")]
        assert [kinds[name] for name in names] == [nn.Conv3d, nn.BatchNorm3d, nn.LeakyReLU, nn.MaxPool3d]
    assert [name for name, _ in module.named_children()][4:] == ["flatten", "dropout", "output"]
    assert [module.get_submodule(f"block{b}.conv1").out_channels for b in range(1, 5)] == [8, 16, 32, 64]
    assert module.get_submodule("dropout").p == 0.5
    assert module.get_submodule("output").in_features == 64 * 4 * 5 * 4
    assert module(torch.zeros(2, 1, 61, 73, 61)).shape == (2, 2)
    assert cnn3d.build(cnn3d.parse({"dropout": 0.79}), (1, 16, 16, 16), 2).get_submodule("dropout").p == 0.79
    assert (cnn3d.n_outputs(2), cnn3d.emits_for(2)) == (2, "logit")


@pytest.mark.parametrize("odd", ["keep", "drop"])
@pytest.mark.parametrize("pool", ["flatten", "average"])
@pytest.mark.parametrize("size", [(16, 16, 16), (17, 19, 31), (24, 16, 40)])
def test_that_any_size_is_taken(cnn3d: Architecture, odd: str, pool: str, size: tuple[int, int, int]) -> None:
    options = {"channels": "2,4,4", "convolutions": 2, "kernel": 5, "hidden": (7, 3), "odd_sizes": odd, "pool": pool}
    module = cnn3d.build(cnn3d.parse(options), (3, *size), 4)
    assert module(torch.zeros(2, 3, *size)).shape == (2, 4)


def test_that_volumes_too_small_for_the_blocks_are_refused(cnn3d: Architecture) -> None:
    with pytest.raises(ModelError, match=r"input size does not fit: volumes of 40 x 4 x 40 voxels can't be halved 4"):
        cnn3d.build(cnn3d.parse({}), (1, 40, 4, 40), 2)
    with pytest.raises(ModelError, match="takes volumes"):
        cnn3d.build(cnn3d.parse({}), (3, 64, 64), 2)
    with pytest.raises(ModelError, match=r"input_size of 'cnn3d' is 8 x 8 x 8, the volumes have 16 x 16 x 16"):
        cnn3d.build(cnn3d.parse({"input_size": "8x8x8"}), (1, 16, 16, 16), 2)


@pytest.mark.parametrize("options", [{"channels": "8,many"}, {"kernel": 4}, {"dropout": 1}, {"chanels": 3}])
def test_that_wrong_options_are_sentences(cnn3d: Architecture, options: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        cnn3d.parse(options)


@pytest.mark.parametrize(
    "options",
    [
        {"channels": (2, 3), "convolutions": 2, "kernel": 5, "pool": "average", "hidden": (5,)},
        {"channels": (4,), "batch_norm": False, "hidden": (6, 5)},
        {},
    ],
)
def test_that_options_are_read_from_weights(cnn3d: Architecture, options: dict[str, Any]) -> None:
    wanted = cnn3d.parse(options)
    state = cnn3d.build(wanted, (2, 32, 16, 16), 3).state_dict()
    found, sizes = cnn3d.understand(state, cnn3d.parse({}))
    assert found == wanted
    assert sizes is not None
    assert (sizes.input_shape, sizes.n_outputs) == ((2, 0, 0, 0), 3)
    assert cnn3d.understand({"strange": torch.zeros(3)}, cnn3d.parse({}))[1] is None


def test_that_weights_without_a_size_ask_for_it(cnn3d: Architecture, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(cnn3d.build(cnn3d.parse({"channels": (2, 3)}), (1, 9, 8, 8), 2), path)
    card = ModelCard(name="net", architecture="cnn3d", class_names=("a", "b"))
    with pytest.raises(ModelError, match="input_size=61,73,61"):
        inspect_model(Files(card, path))
    with pytest.raises(ModelError, match=r"output\.weight"):
        inspect_model(Files(card.model_copy(update={"options": {"input_size": "20,20,20"}}), path))
    sized = inspect_model(Files(card.model_copy(update={"options": {"input_size": "9,8,8"}}), path)).card
    fitted = {"preprocessing": {"kind": "volume", "fit": [9, 8, 8]}}
    assert inspect_model(Files(card.model_copy(update=fitted), path)).card.input_shape == sized.input_shape
    assert sized.input_shape == (1, 9, 8, 8)
    network = open_network(Files(sized, path), device="cpu")
    assert network.module(network.preprocess(torch.zeros(1, 1, 9, 8, 8))).shape == (1, 2)


def test_that_every_layer_of_both_networks_can_be_looked_at() -> None:
    for key, options in (("cnn3d", {}), ("resnet3d18", {"stem": "small"})):
        architecture = architectures()[key]
        module = architecture.build(architecture.parse(options), (1, 16, 16, 16), 2)
        card = describe(module, torch.rand(2, 1, 16, 16, 16), name=key, time_it=False)
        assert all(layer.output_shape is not None for layer in card.layers)


@pytest.mark.parametrize(
    ("stem", "kernel", "halved"), [("cube", (7, 7, 7), 8), ("video", (3, 7, 7), 16), ("small", (3, 3, 3), 16)]
)
def test_that_the_resnet_takes_volumes_of_one_channel(stem: str, kernel: tuple[int, ...], halved: int) -> None:
    resnet = architectures()["resnet3d18"]
    module = resnet.build(resnet.parse({"stem": stem}), (1, 16, 17, 16), 3)
    first = module.get_submodule("stem")(torch.zeros(1, 1, 16, 17, 16))
    assert first.shape[2] == halved
    assert module(torch.zeros(2, 1, 16, 17, 16)).shape == (2, 3)
    state = module.state_dict()
    assert tuple(state["stem.0.weight"].shape) == (64, 1, *kernel)
    options, sizes = resnet.understand(state, resnet.parse({"input_size": "16,17,16"}))
    assert sizes is not None
    assert (options.stem, sizes.input_shape, sizes.n_outputs) == (stem, (1, 16, 17, 16), 3)


def test_that_torchvisions_own_resnet_weights_fit() -> None:
    from torchvision.models.video import r3d_18

    resnet = architectures()["resnet3d18"]
    state = r3d_18(weights=None, num_classes=5).state_dict()
    options, sizes = resnet.understand(state, resnet.parse({}))
    assert sizes is not None
    assert (options.stem, sizes.input_shape[0], sizes.n_outputs) == ("video", 3, 5)
    resnet.build(options, (3, 16, 16, 16), 5).load_state_dict(state)


def test_that_weights_in_another_order_are_not_guessed_at(cnn3d: Architecture, tmp_path: Path) -> None:
    plain = nn.Sequential(nn.Conv3d(1, 4, 3), nn.BatchNorm3d(4), nn.Flatten(), nn.Linear(4, 3), nn.Linear(3, 2))
    path = tmp_path / "w.safetensors"
    state = plain.state_dict()
    save_weights({**{k: v for k, v in state.items() if k[0] != "0"}, "9.weight": torch.zeros(2, 2)}, path)
    card = ModelCard(name="net", architecture="cnn3d", class_names=("a", "b"), options={"input_size": "8,8,8"})
    with pytest.raises(ModelError):
        inspect_model(Files(card, path))


@pytest.fixture(scope="module")
def hippocampi(shared_data: Path) -> VolumeSet:
    """The held-out volumes of the trained network; class: larger than the threshold or not."""
    import pandas as pd

    about = json.loads((shared_data / "weights" / "hippocampus_volume_cnn3d.json").read_text())
    folder = shared_data / "mri" / "msd_hippocampus"
    with (folder / "volumes.csv").open() as stream:
        rows = {row["file"]: float(row["anterior_mm3"]) + float(row["posterior_mm3"]) for row in csv.DictReader(stream)}
    entries, classes = [], []
    for file in about["test_files"]:
        image = nib.load(folder / "images" / file)
        volume = Volume(raw=image.get_fdata(dtype=np.float32), affine=image.affine, name=file)
        grid = Grid(volume.raw.shape, np.asarray(image.affine))
        entries.append(VolumeEntry(file, file, grid, lambda volume=volume: volume))
        classes.append("large" if rows[file] > about["threshold_mm3"] else "small")
    card = DatasetCard(name="hippocampi", kind="volumes", target="size", class_counts={"small": 28, "large": 22})
    return VolumeSet(card, tuple(entries), pd.DataFrame({"size": classes}))


def test_that_a_network_trained_elsewhere_reaches_its_accuracy(shared_data: Path, hippocampi: VolumeSet) -> None:
    card = ModelCard(
        name="hippocampus",
        architecture="cnn3d",
        options={"activation": "relu"},
        class_names=("small", "large"),
        preprocessing={"kind": "volume", "intensity": "percentile", "clip": 1.5, "fit": [48, 64, 48]},
    )
    source = Files(card, shared_data / "weights" / "hippocampus_volume_cnn3d.pth")
    found = inspect_model(source)
    assert found.card.options["pool"] == "average"
    assert found.card.options["channels"] == [8, 16, 32, 64]
    assert found.card.input_shape == (1, 48, 64, 48)
    assert any("taken in order ('0.weight' as 'block1.conv1.weight')" in note for note in found.card.notes)
    source.card = found.card
    inputs = VolumeInputs(open_network(source, device="cpu"), hippocampi)
    answers = []
    with inputs.network.measuring():
        for index, entry in enumerate(hippocampi.entries):
            answers.append(int(inputs.forward(inputs.tensor([index]), entry.grid).argmax()))
    assert np.mean(np.array(answers) == hippocampi.labels()) == pytest.approx(0.84)
