"""Grad-CAM and Grad-CAM++ of images: the references' numbers, and what users try."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import Tensor, nn

from sensiview.analysis.cam_analysis import unread_patches
from sensiview.analysis.items import FieldMap, IndexTable
from sensiview.analysis.progress import Silent
from sensiview.datasets.images import ImageSet
from sensiview.errors import UserError
from sensiview.methods.grad_cam import GradCam
from sensiview.methods.grad_cam_pp import GradCamPlusPlus
from sensiview.models.architectures import architectures
from sensiview.models.image_settings import ImageSettings
from sensiview.numerics.example_images import PLANTED, SETTINGS, example_images, example_module
from sensiview.numerics.map_layers import chosen_layer
from tests.methods.image_studies import (
    Residual,
    Scaled,
    Tokens,
    field,
    image_set,
    note,
    pictures,
    run,
    seeded,
    seen_rows,
    study_of,
)

CAM, CAM_PP = GradCam(), GradCamPlusPlus()


@pytest.mark.parametrize("layer", ["0", "1", "2", "3", "5"])
@pytest.mark.parametrize("relu", [True, False])
def test_that_the_map_equals_captum_with_an_in_place_relu_and_a_pooling_that_is_used_twice(
    layer: str, relu: bool
) -> None:
    study = study_of()
    plain = nn.Sequential(*(nn.ReLU() if isinstance(m, nn.ReLU) else m for m in example_module()))
    plain = plain.eval()
    # Captum looks at every call of a layer: each pooling gets its own there.
    plain[5] = nn.MaxPool2d(2)
    model = Scaled(plain)
    wanted = LayerGradCam(model, plain[int(layer)]).attribute(seen_rows(study), 0, relu_attributions=relu)
    wide = LayerAttribution.interpolate(wanted, (16, 16), "bilinear").detach().numpy()[:, 0]
    for batch_size in (1, 3):
        found = field(run(CAM, study, layer=layer, target="bright", relu=relu, batch_size=batch_size))
        np.testing.assert_allclose(found.values, wide, atol=1e-6)
    assert found.axes == ("image", "y", "x")
    assert found.coordinates["image"] == study.images().names


@pytest.mark.parametrize("layer", ["stem", "block2", "pool", "relu"])
def test_that_residual_blocks_with_one_in_place_relu_equal_captum(layer: str) -> None:
    module = seeded(Residual)
    study = study_of(module)

    class Twice(Residual):
        """The same with a module for each call, so that the last one can be named."""

        def __init__(self) -> None:
            super().__init__()
            self.relus = nn.ModuleList([nn.ReLU() for _ in range(3)])
            self.pools = nn.ModuleList([nn.MaxPool2d(2) for _ in range(2)])

        def forward(self, x: Tensor) -> Tensor:
            x = self.relus[0](self.stem(x))
            x = self.pools[0](self.relus[1](self.block1(x) + x))
            x = self.pools[1](self.relus[2](self.block2(x) + x))
            return self.head(x.mean(dim=(2, 3)))

    other = Twice().eval()
    other.load_state_dict(module.state_dict(), strict=False)
    last = {"relu": other.relus[2], "pool": other.pools[1]}.get(layer) or other.get_submodule(layer)
    wanted = LayerGradCam(Scaled(other), last).attribute(seen_rows(study), 1)
    wide = LayerAttribution.interpolate(wanted, (16, 16), "bilinear").detach().numpy()[:, 0]
    found = field(run(CAM, study, layer=layer, target="plain", relu=False))
    np.testing.assert_allclose(found.values, wide, atol=1e-6)


@pytest.mark.parametrize("key", ["grad_cam", "grad_cam_pp"])
def test_that_the_map_equals_pytorch_grad_cam(key: str) -> None:
    reference: Any = pytest.importorskip("pytorch_grad_cam", reason="pytorch-grad-cam is not installed")
    targets: Any = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    plain = example_module().eval()
    with torch.no_grad():
        # The reference adds 1e-6 to squares of gradients in Grad-CAM++: large ones keep that out of the comparison.
        plain[8].weight *= 1000
    study = study_of(plain)
    # It keeps what a layer gave without a copy: an in-place ReLU behind it would overwrite that.
    plain = nn.Sequential(*(nn.ReLU() if isinstance(m, nn.ReLU) else m for m in plain)).eval()
    kind = reference.GradCAM if key == "grad_cam" else reference.GradCAMPlusPlus
    model = Scaled(plain)
    with kind(model=model, target_layers=[plain[3]]) as made:
        # Its own upsampling is OpenCV's; the maps before it are what is compared.
        made(seen_rows(study), [targets.ClassifierOutputTarget(0)] * 4)
        activations, gradients = made.activations_and_grads.activations[0], made.activations_and_grads.gradients[0]
        cams = made.get_cam_image(
            seen_rows(study), plain[3], [targets.ClassifierOutputTarget(0)] * 4, activations.numpy(), gradients.numpy()
        )
    cams = torch.from_numpy(np.maximum(cams, 0).astype(np.float32))[:, None]
    wanted = torch.nn.functional.interpolate(cams, size=(16, 16), mode="bilinear", align_corners=False)[:, 0].numpy()
    found = field(run(CAM if key == "grad_cam" else CAM_PP, study, layer="3", target="bright"))
    np.testing.assert_allclose(found.values / wanted.max(), wanted / wanted.max(), atol=1e-5)


def test_that_plus_plus_is_the_variant_of_grad_cam_and_equals_its_formula() -> None:
    study, module = study_of(), example_module().eval()
    own = field(run(CAM_PP, study, layer="4", target="bright"))
    np.testing.assert_array_equal(
        own.values, field(run(CAM, study, layer="4", target="bright", variant="grad_cam_plus_plus")).values
    )
    assert own.title == "Grad-CAM++ of 4"
    activation = module[:5]((seen_rows(study) - 0.5) / 0.5).detach().requires_grad_(True)
    (g,) = torch.autograd.grad(module[5:](activation)[:, 0].sum(), activation)
    a = activation.detach()
    alpha = g**2 / (2 * g**2 + a.sum((2, 3), keepdim=True) * g**3 + 1e-30)
    cams = ((alpha * g.clamp(min=0)).sum((2, 3), keepdim=True) * a).sum(1, keepdim=True).clamp(min=0)
    wanted = torch.nn.functional.interpolate(cams, size=(16, 16), mode="bilinear")[:, 0].numpy()
    np.testing.assert_allclose(own.values, wanted, atol=1e-6)


def test_that_the_map_of_a_bright_image_lies_on_its_square_and_its_picture_comes_with_it() -> None:
    result = run(CAM, study_of(), layer="1", target="bright", images="class=bright", average=True)
    mean = field(result, "mean_map").values
    inside = np.zeros((16, 16), dtype=bool)
    inside[PLANTED] = True
    assert mean[inside].mean() > 5 * mean[~inside].mean()
    assert field(result).coordinates["image"] == pictures(result).labels == ("image-1.png", "image-3.png")
    assert pictures(result).values.dtype == np.uint8
    assert pictures(result).values.shape == (2, 16, 16, 3)
    # Red is what makes the square bright.
    assert pictures(result).values[0, 4, 8, 0] > 200 > pictures(result).values[0, 4, 8, 1]
    assert field(result, "spread").values.max() > 0
    assert pictures(result, "mean_input").values.shape == (1, 16, 16, 3)
    table = result["scores"]
    assert isinstance(table, IndexTable)
    assert list(table.frame.columns) == ["image", "target", "probability", "predicted"]
    assert list(table.frame["predicted"]) == ["bright", "bright"]


def test_that_one_image_has_no_axis_of_images_and_all_classes_have_one_each() -> None:
    result = run(CAM, study_of(), images=1, target="all")
    assert field(result).axes == ("target", "y", "x")
    assert field(result).coordinates["target"] == ("bright", "plain")
    assert field(result).over == "image-1.png"
    assert note(result).startswith("The map of 'image-1.png' explains the logit of bright, plain.")


def test_that_auto_takes_the_last_layer_with_a_map_and_the_note_says_how_large_a_cell_is() -> None:
    assert "The layer '5' has 4 x 4 cells, each about 4 x 4 pixels" in note(run(CAM, study_of(), images="1"))

    class Blocks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Conv2d(3, 4, 3, stride=2, padding=1)
            self.layer4 = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4))
            self.avgpool = nn.AdaptiveAvgPool2d((3, 3))
            self.fc = nn.Linear(36, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.avgpool(torch.relu(self.layer4(self.stem(x)))).flatten(1))

    card = study_of(seeded(Blocks)).model
    assert card is not None
    # The block, not the batch norm inside it, and not the pooling that makes up cells.
    assert chosen_layer(card, "auto") == "layer4"


@pytest.mark.parametrize(
    "key, side, layer",
    [
        # Whose final maps have one cell: the last with several is taken.
        ("vgg16_cifar", 32, "block5.8"),
        ("resnet18_cifar", 32, "layer4"),
        ("mobilenet_v2", 64, "features"),
        ("squeezenet1_1", 64, "classifier.2"),
    ],
)
def test_that_auto_finds_the_layer_that_people_take_in_known_networks(key: str, side: int, layer: str) -> None:
    architecture = architectures()[key]
    with torch.random.fork_rng(devices=[]):
        module = architecture.build(architecture.Options(), (3, side, side), 2)
    images = image_set([np.full((3, side, side), 0.3)])
    card = study_of(module, images, settings=ImageSettings(channels=3, size=(side, side))).model
    assert card is not None
    assert chosen_layer(card, "auto") == layer


class ChannelsLast(nn.Module):
    """Channels behind the places, as Swin and ConvNeXt have them inside."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 5, 3, stride=2, padding=1)
        self.inside = nn.Linear(5, 7)
        self.head = nn.Linear(7, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.inside(self.stem(x).movedim(1, -1))).mean(dim=(1, 2)))


OBLONG = ImageSettings(channels=3, size=(16, 12), mean=(0.5,), std=(0.5,))


def oblong() -> ImageSet:
    rng = np.random.default_rng(0)
    return image_set([rng.random((3, 16, 12)).astype(np.float32) for _ in range(2)])


def by_hand(activation: Tensor, gradient: Tensor) -> np.ndarray:
    """Grad-CAM without a cut, of (n, channels, y, x), on 16 x 12 pixels."""
    small = (gradient.mean(dim=(2, 3), keepdim=True) * activation).sum(dim=1, keepdim=True).detach()
    return nn.functional.interpolate(small, size=(16, 12), mode="bilinear")[:, 0].numpy()


def test_that_the_patches_of_a_transformer_are_laid_out_as_a_map() -> None:
    module = seeded(Tokens)
    study = study_of(module, oblong(), settings=OBLONG)
    result = run(CAM, study, target="bright", relu=False)
    assert "The layer 'blocks.1.norm1' has 4 x 3 patches, each about 4 x 4 pixels" in note(result)
    rows = (seen_rows(study) - 0.5) / 0.5
    tokens = module.blocks[0](torch.cat([module.first.expand(2, 1, 8), module.patches(rows).flatten(2).mT], dim=1))
    last = module.blocks[1]
    y = last.norm1(tokens).detach().requires_grad_()
    x = tokens.detach() + last.attention(y, y, y, need_weights=False)[0]
    score = module.head((x + torch.relu(last.mlp(last.norm2(x))))[:, 0])[:, 0].sum()
    (gradient,) = torch.autograd.grad(score, y)
    layout = [part[:, 1:].mT.reshape(2, 8, 4, 3) for part in (y, gradient)]
    wanted = by_hand(layout[0], layout[1])
    np.testing.assert_allclose(field(result).values, wanted, atol=1e-6)
    assert np.abs(wanted).max() > 1e-4


def test_that_an_empty_map_behind_the_last_attention_says_which_layer_to_take() -> None:
    result = run(CAM, study_of(seeded(Tokens), oblong(), settings=OBLONG), layer="blocks.1", target="bright")
    assert not field(result).values.any()
    assert "read from a token of its own" in note(result)
    assert "Choose the layer 'blocks.1.norm1'." in note(result)
    card = study_of(seeded(Tokens), oblong(), settings=OBLONG).model
    assert card is not None
    # Of a layer before it an empty map has another reason: every patch speaks against the class.
    nothing = {"map": FieldMap(title="Empty", values=np.zeros((4, 3)), axes=("y", "x"))}
    assert unread_patches(card, "blocks.1.norm1", nothing) == unread_patches(card, "patches", nothing) == []
    assert len(unread_patches(card, "blocks.1.norm2", nothing)) == 1


def test_that_channels_behind_the_places_are_told_from_places() -> None:
    module = seeded(ChannelsLast)
    study = study_of(module, oblong(), settings=OBLONG)
    result = run(CAM, study, layer="inside", target="plain", relu=False)
    assert "The layer 'inside' has 8 x 6 cells" in note(result)
    value = module.inside(module.stem((seen_rows(study) - 0.5) / 0.5).movedim(1, -1)).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(module.head(torch.relu(value).mean(dim=(1, 2)))[:, 1].sum(), value)
    wanted = by_hand(value.movedim(-1, 1), gradient.movedim(-1, 1))
    np.testing.assert_allclose(field(result).values, wanted, atol=1e-6)


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"layer": "nine"}, "has no layer 'nine'"),
        ({"layer": "8"}, "not a map of more than one cell. The last that gives one is '5'"),
        ({"target": 5}, "There is no target 5"),
        ({"target": "brigth"}, "has no class or output 'brigth'. Did you mean 'bright'"),
        ({"images": "9"}, "There is no image 9"),
        ({"images": "class=dark"}, "No image has class=dark"),
        ({"images": "no.png"}, "There is no image 'no.png'"),
        ({"images": ""}, "No image is chosen"),
        ({"subjects": "1"}, "The parameter 'subjects' has no meaning for images"),
        ({"atlas": "none"}, "The parameter 'atlas' has no meaning for images"),
    ],
)
def test_that_what_does_not_fit_is_a_sentence_before_the_run(parameters: dict[str, Any], sentence: str) -> None:
    for analysis in (CAM, CAM_PP):
        assert sentence in " ".join(analysis.against(study_of(), analysis.Parameters.parse(parameters)))


def test_that_a_black_image_gives_a_finite_map_and_is_named() -> None:
    images = image_set([np.zeros((3, 16, 16)), np.full((3, 16, 16), 0.4)])
    progress = Silent()
    result = run(CAM, study_of(images=images), progress, target="bright", average=True)
    assert np.isfinite(field(result).values).all()
    assert np.isfinite(field(result, "mean_map").values).all()
    assert "'image-0.png' has the same value in every pixel; there is nothing in it to look at." in progress.warnings


class Dead(nn.Module):
    """Nothing is active on black: no bias anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.head = nn.Linear(4, 2, bias=False)
        self.conv.weight.data.abs_()
        self.head.weight.data.abs_()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.conv(x)).mean(dim=(2, 3)))


def test_that_an_image_without_any_activation_gives_zeros_not_nan_and_says_so() -> None:
    plain = ImageSettings(channels=3, size=(16, 16))
    images = image_set([np.zeros((3, 16, 16)), np.random.default_rng(1).random((3, 16, 16))])
    for analysis in (CAM, CAM_PP):
        progress = Silent()
        result = run(analysis, study_of(seeded(Dead), images, settings=plain), progress, target="plain", relu=False)
        assert (field(result).values[0] == 0).all()
        assert np.abs(field(result).values[1]).max() > 0
        assert any("The map is 0 everywhere for 'image-0.png'" in sentence for sentence in progress.warnings)


def test_that_half_precision_weights_are_computed_in_single_precision_and_said() -> None:
    progress = Silent()
    result = run(CAM, study_of(example_module().half()), progress, target="bright", layer="4")
    exact = field(run(CAM, study_of(), target="bright", layer="4")).values
    np.testing.assert_allclose(field(result).values, exact, atol=2e-3 * exact.max())
    assert any("are float16" in sentence for sentence in progress.warnings)


class Answering(nn.Module):
    def __init__(self, wrap: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.inside, self.wrap = example_module(), wrap

    def forward(self, x: Tensor) -> Any:
        return self.wrap(self.inside(x))


@pytest.mark.parametrize("wrap", [lambda y: (y, None), lambda y: {"logits": y, "more": 1}])
def test_that_a_network_that_gives_a_tuple_or_a_dictionary_serves(wrap: Callable[[Tensor], Any]) -> None:
    plain = field(run(CAM, study_of(), layer="4", target="bright")).values
    found = field(run(CAM, study_of(Answering(wrap)), layer="inside.4", target="bright")).values
    np.testing.assert_array_equal(found, plain)


def test_that_a_layer_without_gradient_is_a_sentence() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = example_module()

        def forward(self, x: Tensor) -> Tensor:
            return self.inside(x).detach()

    module = Cut()
    with pytest.raises(UserError, match=r"no gradient with respect to the layer 'inside\.3'"):
        run(CAM, study_of(module), layer="inside.3")
    assert not any(part._forward_hooks for part in module.modules())


def test_that_images_of_several_sizes_without_resizing_are_a_sentence_and_with_it_serve() -> None:
    images = image_set([np.full((3, 16, 16), 0.4), np.full((3, 20, 16), 0.4)])
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    free = ImageSettings(channels=3)
    for batch_size in (1, 4):
        with pytest.raises(UserError, match="Set 'resize' and 'size'"):
            run(CAM, study_of(module, images, settings=free), batch_size=batch_size)
    sized = ImageSettings(channels=3, resize=(16, 16), size=(16, 16))
    assert field(run(CAM, study_of(module, images, settings=sized))).values.shape == (2, 16, 16)


def test_that_grey_images_for_a_network_of_colour_are_seen_in_three_equal_channels() -> None:
    result = run(CAM, study_of(images=image_set([np.random.default_rng(2).random((1, 20, 30))])), target="bright")
    seen = pictures(result).values
    assert seen.shape == (1, 16, 16, 3)
    assert (seen[..., 0] == seen[..., 1]).all()
    assert SETTINGS.channels == 3


def test_that_memory_that_runs_out_halves_the_batch_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_of()
    whole = field(run(CAM, study, layer="4", target="bright", batch_size=4)).values
    network = study.network()
    forward = nn.Conv2d.forward

    def short(self: nn.Conv2d, rows: Tensor) -> Tensor:
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, rows)

    monkeypatch.setattr(nn.Conv2d, "forward", short)
    progress = Silent()
    study = replace(study, network_loader=lambda: network)
    again = field(run(CAM, study, progress, layer="4", target="bright", batch_size=4)).values
    np.testing.assert_allclose(again, whole, atol=1e-6)
    assert any("with 4 images at once; going on with 2." in sentence for sentence in progress.warnings)


@pytest.mark.slow
def test_that_a_thousand_images_leave_no_tensor_no_hook_and_no_memory_behind() -> None:
    from sensiview.numerics.careful_batches import CarefulBatches
    from sensiview.numerics.gradient_makers import GradCamMaker
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.image_map_space import ImageMapInputs
    from sensiview.numerics.map_makers import MapWork, each_map
    from sensiview.numerics.volume_scores import Scorer

    study = study_of(images=example_images(4))
    network, images = study.network(), study.images()
    inputs = ImageMapInputs(ImageInputs(network, images))
    work = MapWork(
        Scorer(inputs.scored, "predicted", "logit"),
        inputs.reader(print),
        CarefulBatches(network, 8, print),
        lambda _: 0,
    )

    def tensors() -> int:
        gc.collect()
        return sum(1 for thing in gc.get_objects() if issubclass(type(thing), Tensor))

    counts, sizes = [], []
    tracemalloc.start()
    for number, found in enumerate(each_map(GradCamMaker("4"), work, [i % 4 for i in range(1000)])):
        assert np.isfinite(found.values).all()
        del found
        if number in (10, 60, 120):
            counts.append(tensors())
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert len(set(counts)) == 1
    assert sizes[2] - sizes[0] < 100_000
    assert not any(part._forward_hooks or part._backward_hooks for part in network.module.modules())
