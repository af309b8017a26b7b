"""Networks for images: built, read from weights of many origins, with the preprocessing they were published with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from sensiview.analysis.sources import ModelSource
from sensiview.errors import ModelError, UserError
from sensiview.files import fingerprint
from sensiview.models.architectures import Sizes, architectures
from sensiview.models.card import ModelCard
from sensiview.models.image_geometry import seen_image
from sensiview.models.image_settings import IMAGENET_MEAN, IMAGENET_STD
from sensiview.models.layer_weights import in_order, plain_names
from sensiview.models.network import Network
from sensiview.models.opening import Inspected, inspect_model, open_network
from sensiview.models.torchvision_files import published, settings_for
from sensiview.models.torchvision_networks import NAMES

KNOWN = architectures()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timing a network on large batches would take all the time."""
    monkeypatch.setattr("sensiview.models.inspection._TRIAL_BYTES", 2**20)
    monkeypatch.setattr("sensiview.models.inspection._TRIAL_SECONDS", 0.0)


def built(key: str, shape: tuple[int, int, int] = (3, 32, 32), outputs: int = 10, **options: Any) -> nn.Module:
    architecture = KNOWN[key]
    torch.manual_seed(3)
    return architecture.build(architecture.parse(options), shape, outputs).eval()


def saved(state: dict[str, Tensor] | dict[str, Any], path: Path) -> Path:
    torch.save(state, path)
    return path


def inspected(key: str, path: Path, **card: Any) -> Inspected:
    wanted = ModelCard(**{"name": "net", "architecture": key, "preprocessing": {}, **card})
    return inspect_model(ModelSource(id="", card=wanted, weights=fingerprint(path)))


def opened(key: str, path: Path, **card: Any) -> Network:
    complete = inspected(key, path, **card).card
    return open_network(ModelSource(id="", card=complete, weights=fingerprint(path)), device="cpu")


# Architectures


def test_that_vgg_has_the_plan_of_torchvision_with_batch_norm_and_ends_in_one_pixel() -> None:
    from torchvision.models import vgg16_bn

    module = built("vgg16_cifar", hidden="64,32")
    shapes = [tuple(p.shape) for name, p in module.named_parameters() if not name.startswith("classifier")]
    theirs = [tuple(p.shape) for name, p in vgg16_bn().named_parameters() if name.startswith("features")]
    assert shapes == theirs
    rows = torch.zeros(2, 3, 32, 32)
    for number, (channels, side) in enumerate([(64, 16), (128, 8), (256, 4), (512, 2), (512, 1)], start=1):
        rows = module.get_submodule(f"block{number}")(rows)
        assert rows.shape == (2, channels, side, side)
    assert module(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert built("vgg16_cifar", (1, 64, 64), 3, width=4, hidden="")(torch.zeros(1, 1, 64, 64)).shape == (1, 3)


def test_that_resnet_18_has_torchvisions_layers_but_for_the_first_one() -> None:
    from torchvision.models import resnet18

    ours, theirs = built("resnet18_cifar").state_dict(), resnet18(num_classes=10).state_dict()
    assert list(ours) == list(theirs)
    assert {key for key in ours if ours[key].shape != theirs[key].shape} == {"conv1.weight"}
    assert ours["conv1.weight"].shape == (64, 3, 3, 3)


def test_that_resnet_18_computes_what_torchvisions_does_behind_the_first_layers() -> None:
    from torchvision.models import resnet18

    ours, theirs = built("resnet18_cifar"), resnet18(num_classes=10).eval()
    state = theirs.state_dict() | {"conv1.weight": ours.state_dict()["conv1.weight"]}
    ours.load_state_dict(state)
    theirs.conv1, theirs.maxpool = ours.conv1, nn.Identity()
    rows = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ours(rows), theirs(rows))


def test_that_a_shortcut_without_weights_takes_every_second_pixel_and_adds_empty_channels() -> None:
    from sensiview.models.image_modules import PaddedShortcut

    rows = torch.arange(2 * 16, dtype=torch.float32).reshape(1, 2, 4, 4)
    out = PaddedShortcut(2, 2, 4)(rows)
    expected = functional.pad(rows[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1))
    assert torch.equal(out, expected)
    assert out.shape == (1, 4, 2, 2)


@pytest.mark.parametrize(("depth", "parameters"), [(20, 269_722), (56, 853_018)])
def test_that_thin_resnets_have_the_studys_number_of_weights(depth: int, parameters: int) -> None:
    # He et al. 2016, table 6: 0.27 and 0.85 million.
    assert sum(p.numel() for p in built("resnet_cifar", depth=depth).parameters()) == parameters


@pytest.mark.parametrize(
    ("key", "shape", "outputs", "options", "words"),
    [
        ("vgg16_cifar", (3, 28, 28), 10, {}, "squares of 32 pixels or more, not 28 x 28"),
        ("vgg16_cifar", (3, 64, 32), 10, {}, "64 x 32"),
        ("vgg16_cifar", (2, 32, 32), 10, {}, "not 2 channels"),
        ("vgg16_cifar", (32,), 10, {}, "takes images"),
        ("resnet18_cifar", (3, 32, 32), 10, {"num_classes": 7}, "num_classes of 'resnet18_cifar' is 7"),
        ("resnet18_cifar", (3, 32, 32), 10, {"channels": "grey"}, "says grey images, but these are colour"),
        ("resnet_cifar", (3, 32, 32), 10, {"depth": 21}, "6 n \\+ 2; 21 is not. The nearest is 20"),
        ("lenet", (1, 8, 8), 10, {}, "too small for 2 convolutions"),
        ("resnet18", (8,), 2, {}, "takes images"),
    ],
)
def test_that_what_does_not_fit_is_a_sentence(
    key: str, shape: tuple[int, ...], outputs: int, options: dict[str, Any], words: str
) -> None:
    architecture = KNOWN[key]
    with pytest.raises(ModelError, match=words):
        architecture.build(architecture.parse(options), shape, outputs)


def test_that_channels_can_be_written_as_numbers() -> None:
    parse = KNOWN["resnet18"].parse
    assert [parse({"channels": c}).channels for c in ("1", 3, 0, "grey")] == ["grey", "colour", "auto", "grey"]
    with pytest.raises(UserError, match="channels"):
        parse({"channels": 2})


# Weights of many origins


@pytest.mark.parametrize(
    ("key", "shape", "options"),
    [
        ("vgg16_cifar", (3, 64, 64), {"width": 4, "hidden": "16"}),
        ("vgg16_cifar", (1, 32, 32), {"width": 2, "hidden": "8,6"}),
        ("resnet18_cifar", (1, 32, 32), {"width": 4}),
        ("resnet_cifar", (3, 32, 32), {"depth": 14, "shortcut": "projection"}),
        ("lenet", (1, 28, 28), {"filters": "6,16", "hidden": "120,84", "padding": "2,0"}),
        ("lenet", (3, 32, 32), {"filters": "4,5,6", "kernel": 3, "padding": "1,1,1"}),
        ("squeezenet1_1", (1, 224, 224), {}),
    ],
)
def test_that_options_sizes_and_classes_are_read_from_weights(
    key: str, shape: tuple[int, int, int], options: dict[str, Any], tmp_path: Path
) -> None:
    module = built(key, shape, 3, **options)
    path = saved(module.state_dict(), tmp_path / "w.pth")
    network = opened(key, path)
    assert network.card.input_shape == shape
    assert len(network.card.output_names) == 3
    parsed = KNOWN[key].parse(options)
    for name in options:
        assert tuple(np.ravel(network.card.options[name])) == tuple(np.ravel(getattr(parsed, name)))
    rows = torch.rand(2, *shape, generator=torch.Generator().manual_seed(0))
    with network.measuring():
        torch.testing.assert_close(network.module(rows), module(rows))


class AuthorsVgg(nn.Module):
    """The study's script for lung ultrasound: dropout comes first in its classifier."""

    def __init__(self, width: int) -> None:
        super().__init__()
        before = 3
        for number, (factor, count) in enumerate(zip((1, 2, 4, 8, 8), (2, 2, 3, 3, 3), strict=True), start=1):
            parts: list[nn.Module] = []
            for _ in range(count):
                parts += [nn.Conv2d(before, factor * width, 3, padding=1), nn.BatchNorm2d(factor * width), nn.ReLU()]
                before = factor * width
            setattr(self, f"block{number}", nn.Sequential(*parts, nn.MaxPool2d(2)))
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(before * 4, 20), nn.ReLU(), nn.Dropout(), nn.Linear(20, 20), nn.ReLU(),
            nn.Linear(20, 3),
        )  # fmt: skip

    def forward(self, rows: Tensor) -> Tensor:
        for number in range(1, 6):
            rows = getattr(self, f"block{number}")(rows)
        answer: Tensor = self.classifier(rows.flatten(1))
        return answer


def test_that_the_studys_own_weights_fit_with_other_places_in_the_classifier(tmp_path: Path) -> None:
    theirs = AuthorsVgg(4).eval()
    network = opened("vgg16_cifar", saved(theirs.state_dict(), tmp_path / "vgg16_covid19.pth"))
    assert network.card.input_shape == (3, 64, 64)
    assert network.card.options["hidden"] == [20, 20]
    rows = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with network.measuring(), torch.no_grad():
        torch.testing.assert_close(network.module(rows), theirs(rows))
    assert any("'classifier.1.weight' as 'classifier.0.weight'" in note for note in network.card.notes)


@pytest.mark.parametrize("wrap", ["module.", "_orig_mod.", "model.", "net.", "module.model."])
def test_that_prefixes_of_wrappers_do_not_matter(wrap: str, tmp_path: Path) -> None:
    module = built("resnet18_cifar", width=4)
    state = {f"{wrap}{key}": value for key, value in module.state_dict().items()}
    network = opened("resnet18_cifar", saved({"state_dict": state, "epoch": 3}, tmp_path / "w.pth"))
    assert network.card.options["width"] == 4
    assert torch.equal(network.module.get_submodule("fc").weight, module.get_submodule("fc").weight)


def test_that_a_part_wrapped_for_several_gpus_is_unwrapped(tmp_path: Path) -> None:
    module = built("squeezenet1_1", (3, 64, 64), 4)
    state = {key.replace("features.", "features.module."): value for key, value in module.state_dict().items()}
    network = opened("squeezenet1_1", saved(state, tmp_path / "w.pth"))
    assert len(network.card.output_names) == 4


def test_that_other_names_of_shortcuts_and_last_layers_are_understood(tmp_path: Path) -> None:
    module = built("resnet18_cifar", width=4)
    state = {
        key.replace("downsample", "shortcut").replace("fc.", "linear."): value
        for key, value in module.state_dict().items()
    }
    network = opened("resnet18_cifar", saved({"net": state, "acc": 95.1}, tmp_path / "ckpt.pth"))
    rows = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with network.measuring():
        torch.testing.assert_close(network.module(rows), module(rows))


def test_that_sorted_names_of_a_sequential_are_taken_by_number() -> None:
    ours = built("vgg16_cifar", width=2, hidden="6")
    flat = [part for part in ours.modules() if not list(part.children())]
    numbered = nn.Sequential(*flat).state_dict()
    found = in_order(dict(sorted(numbered.items())), ours.state_dict(), partly=True)
    assert found is not None
    assert all(torch.equal(found[key], value) for key, value in ours.state_dict().items())
    assert in_order(ours.state_dict(), ours.state_dict(), partly=True) is None


def test_that_safetensors_and_half_precision_are_read(tmp_path: Path) -> None:
    module = built("lenet", (1, 28, 28))
    path = tmp_path / "w.safetensors"
    safetensors.torch.save_file({key: value.half() for key, value in module.state_dict().items()}, path)
    network = opened("lenet", path)
    assert network.dtype == torch.float32
    assert any("float16 in the file" in note for note in network.card.notes)


def test_that_weights_of_another_network_are_refused_with_the_table(tmp_path: Path) -> None:
    path = saved(built("lenet", (1, 28, 28)).state_dict(), tmp_path / "w.pth")
    for key in ("vgg16_cifar", "resnet18_cifar", "resnet_cifar", "squeezenet1_1", "vit_b_32"):
        with pytest.raises(ModelError, match="do not fit") as caught:
            inspected(key, path)
        assert "missing in the file" in caught.value.details


def test_that_plain_names_keep_networks_whose_layers_are_called_like_a_wrapper() -> None:
    assert list(plain_names({"model.a.weight": torch.zeros(1), "head.weight": torch.zeros(1)})) == [
        "model.a.weight", "head.weight",
    ]  # fmt: skip
    assert list(plain_names({"module.weight": torch.zeros(1)})) == ["weight"]


# Preprocessing


def test_that_the_table_of_preprocessing_is_torchvisions() -> None:
    from torchvision.models import get_model_weights

    for name in NAMES:
        # Weights without a classifier give no classes.
        theirs = [w for w in get_model_weights(name) if not w.name.endswith("FEATURES")]
        assert len(published(name)) == len(theirs)
        for weights in theirs:
            wanted = weights.transforms()
            found = settings_for(name, file=weights.url.rsplit("/")[-1])
            assert found.size == (wanted.crop_size[0],) * 2
            assert found.resize == wanted.resize_size[0]
            assert found.interpolation == wanted.interpolation.value
            assert (list(found.mean), list(found.std)) == (wanted.mean, wanted.std)
            assert bool(wanted.antialias) is found.antialias


@pytest.mark.parametrize("name", ["inception_v3", "efficientnet_b3", "resnet50", "squeezenet1_1"])
def test_that_what_the_network_sees_is_what_torchvision_makes_of_the_image(name: str) -> None:
    from PIL import Image
    from torchvision.models import get_model_weights

    weights = get_model_weights(name).DEFAULT
    settings = settings_for(name, file=weights.url.rsplit("/")[-1])
    pixels = np.random.default_rng(1).integers(0, 256, (23, 31, 3)).astype(np.uint8).repeat(16, 0).repeat(16, 1)
    card = ModelCard(name="net", preprocessing=settings.to_card())
    network = Network(nn.Identity(), card)
    seen = seen_image(pixels.transpose(2, 0, 1).astype(np.float32) / 255, settings)
    ours = network.preprocess(torch.from_numpy(seen)[None])[0]
    theirs = weights.transforms()(Image.fromarray(pixels))
    assert ours.shape == theirs.shape
    # Theirs is rounded to whole bytes between the steps.
    assert (ours - theirs).abs().max() < 2.01 / 255 / 0.22


def test_that_torchvisions_files_are_known_by_their_names(tmp_path: Path) -> None:
    architecture = KNOWN["resnet50"]
    sizes = Sizes((3, 224, 224), 1000)
    options = architecture.parse({})
    resize = [
        architecture.preprocessing(options, sizes, file)["resize"]
        for file in ("resnet50-0676ba61.pth", "resnet50-11ad3fa6.pth", "mine.pth")
    ]
    assert resize == [256, 232, 256]
    swag = KNOWN["regnet_y_16gf"]
    assert swag.preprocessing(swag.parse({}), sizes, "regnet_y_16gf_swag-43afe44d.pth")["size"] == [384, 384]
    assert KNOWN["inception_v3"].preprocessing(KNOWN["inception_v3"].parse({}))["size"] == [299, 299]


def test_that_preprocessing_is_part_of_the_model_and_can_be_changed(tmp_path: Path) -> None:
    path = saved(built("squeezenet1_1", (3, 64, 64), 3).state_dict(), tmp_path / "w.pth")
    usual = inspected("squeezenet1_1", path).card
    assert usual.preprocessing["mean"] == list(IMAGENET_MEAN)
    assert usual.preprocessing["std"] == list(IMAGENET_STD)
    assert (usual.preprocessing["resize"], usual.input_shape) == (256, (3, 224, 224))
    smaller = inspected("squeezenet1_1", path, options={"size": 112}).card
    assert (smaller.preprocessing["resize"], smaller.preprocessing["size"]) == (128, [112, 112])
    own = {"kind": "image", "size": [80, 96], "mean": [0.5], "std": [0.5]}
    assert inspected("squeezenet1_1", path, preprocessing=own).card.input_shape == (3, 80, 96)
    raw = inspected("squeezenet1_1", path, preprocessing={"kind": "none"}).card
    assert raw.preprocessing == {"kind": "none"}
    with pytest.raises(ModelError, match="for images of 3 channels, its preprocessing gives grey images"):
        inspected("squeezenet1_1", path, preprocessing={**own, "channels": 1})


def test_that_imagenets_names_are_given_to_a_thousand_classes_without_names(tmp_path: Path) -> None:
    path = saved(built("shufflenet_v2_x0_5", (3, 64, 64), 1000).state_dict(), tmp_path / "w.pth")
    card = inspected("shufflenet_v2_x0_5", path).card
    assert (card.class_names[0], card.class_names[999]) == ("tench", "toilet tissue")
    assert card.emits == "logit"
    own = tuple(f"class {i}" for i in range(1000))
    assert inspected("shufflenet_v2_x0_5", path, class_names=own).card.class_names == own
    assert KNOWN["shufflenet_v2_x0_5"].class_names(3) == ()


def test_that_a_transformer_takes_its_size_from_its_weights() -> None:
    architecture = KNOWN["vit_b_32"]
    with torch.device("meta"):
        module = architecture.build(architecture.parse({}), (3, 384, 384), 5)
    options, sizes = architecture.understand(module.state_dict(), architecture.parse({}))
    assert sizes == Sizes((3, 384, 384), 5)
    assert architecture.preprocessing(options, sizes)["size"] == [384, 384]


# Real weights


def accuracy(network: Network, images: list[Any], labels: list[int], batch: int = 50) -> float:
    settings = network.image_settings
    assert settings is not None
    right = 0
    with network.measuring():
        for i in range(0, len(images), batch):
            rows = np.stack([seen_image(image, settings) for image in images[i : i + batch]])
            answer = network.module(network.preprocess(torch.from_numpy(rows)))
            right += int((answer.argmax(1).numpy() == np.array(labels[i : i + batch])).sum())
    return right / len(images)


def test_that_the_thin_resnet_of_cifar_is_as_good_as_published(shared_data: Path) -> None:
    network = opened("resnet_cifar", shared_data / "weights" / "cifar10_resnet20.pth")
    assert network.card.options["depth"] == 20
    stored = np.load(shared_data / "cifar10" / "cifar10_test2000.npz")
    chosen = slice(0, 2000, 4)
    images = list(stored["images"][chosen].transpose(0, 3, 1, 2).astype(np.float32) / 255)
    assert accuracy(network, images, stored["labels"][chosen].tolist()) == pytest.approx(0.918, abs=0.02)


def test_that_the_lenet_of_mnist_is_read_and_its_program_refused_with_the_way_out(shared_data: Path) -> None:
    import gzip

    network = opened("lenet", shared_data / "weights" / "mnist_lenet.pth")
    folder = shared_data / "mnist"
    stored = [
        np.frombuffer(gzip.decompress((folder / f"t10k-{name}-ubyte.gz").read_bytes()), np.uint8)
        for name in ("images-idx3", "labels-idx1")
    ]
    raw, labels = stored[0][16:].reshape(-1, 1, 28, 28), stored[1][8:]
    found = accuracy(network, list(raw[:2000].astype(np.float32) / 255), labels[:2000].tolist(), 500)
    assert found == pytest.approx(0.985, abs=0.01)
    with pytest.raises(ModelError, match=r"TorchScript archive.*torch\.jit\.load"):
        inspected("lenet", shared_data / "weights" / "mnist_lenet_torchscript.pt")


@pytest.mark.parametrize(
    ("key", "file", "right"),
    [("squeezenet1_1", "squeezenet1_1_imagenet.pth", 17), ("mobilenet_v2", "mobilenet_v2_imagenet_fp16.pth", 19)],
)
def test_that_imagenet_weights_name_real_pictures(key: str, file: str, right: int, shared_data: Path) -> None:
    import json

    from PIL import Image

    network = opened(key, shared_data / "weights" / file)
    folder = shared_data / "imagenet"
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    pairs = [(folder / where / name, index) for where, found in labels.items() for name, index in found.items()]
    images = [
        np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1).astype(np.float32) / 255 for path, _ in pairs
    ]
    assert accuracy(network, images, [index for _, index in pairs], 5) * 20 >= right
    assert network.card.class_names[285] == "Egyptian cat"


# What nobody said


def test_that_imagenet_weights_with_side_outputs_rescale_their_inputs() -> None:
    architecture = KNOWN["googlenet"]
    with torch.device("meta"):
        states = {
            n: architecture.build(architecture.parse({"auxiliary": aux}), (3, 224, 224), n).state_dict()
            for n, aux in ((1000, True), (5, True))
        }
    found = {n: architecture.understand(state, architecture.parse({}))[0] for n, state in states.items()}
    assert (found[1000].auxiliary, found[1000].transform_input) == (True, True)
    assert (found[5].auxiliary, found[5].transform_input) == (True, False)
    said = architecture.parse({"transform_input": False})
    assert not architecture.understand(states[1000], said)[0].transform_input


def test_that_weights_for_other_channels_are_a_sentence(tmp_path: Path) -> None:
    state = built("squeezenet1_1", (3, 64, 64), 3).state_dict()
    state["features.0.weight"] = torch.zeros(64, 4, 3, 3)
    with pytest.raises(ModelError, match="takes grey or colour images"):
        inspected("squeezenet1_1", saved(state, tmp_path / "w.pth"))


def test_that_a_program_for_images_gets_their_size_and_says_that_more_may_be_needed(tmp_path: Path) -> None:
    module = built("lenet", (1, 28, 28), 3)
    path = tmp_path / "lenet.pt2"
    batch = torch.export.Dim("rows", min=1, max=1024)
    torch.export.save(torch.export.export(module, (torch.zeros(2, 1, 28, 28),), dynamic_shapes=({0: batch},)), path)
    source = ModelSource(id="", card=ModelCard(name="lenet", preprocessing={}), program=fingerprint(path))
    card = inspect_model(source).card
    assert (card.preprocessing["size"], card.preprocessing["channels"]) == ([28, 28], 1)
    assert any("Its preprocessing was not given: images are resized to 28 x 28" in note for note in card.notes)
    raw = source.model_copy(update={"card": ModelCard(name="lenet")})
    assert inspect_model(raw).card.preprocessing == {"kind": "none"}
