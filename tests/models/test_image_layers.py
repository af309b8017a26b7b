"""Blocks of a network, and layers that are used in several places or overwritten behind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sensiview.models.architectures import architectures
from sensiview.models.blocks import blocks_of
from sensiview.models.capture import LayerCapture, capturing
from sensiview.models.card import ModelCard
from sensiview.models.inspection import describe
from sensiview.models.shared_layers import layers_apart, shared_names
from sensiview.numerics.example_images import example_module, example_network

KNOWN = architectures()


def card_of(key: str, shape: tuple[int, ...] = (3, 64, 64), **options: object) -> ModelCard:
    architecture = KNOWN[key]
    module = architecture.build(architecture.parse(options), shape, 3).eval()
    return describe(module, torch.zeros(2, *shape), name=key, time_it=False)


@pytest.mark.parametrize(
    ("key", "blocks"),
    [
        ("vgg16_cifar", ["block1", "block2", "block3", "block4", "block5"]),
        ("vgg16_bn", ["features.6", "features.13", "features.23", "features.33", "features.43"]),
        ("vgg16", ["features.4", "features.9", "features.16", "features.23", "features.30"]),
        ("alexnet", ["features.2", "features.5", "features.12"]),
        ("lenet", ["pool1", "pool2"]),
        ("resnet18", ["layer1", "layer2", "layer3", "layer4"]),
        ("resnet18_cifar", ["layer1", "layer2", "layer3", "layer4"]),
        ("resnet_cifar", ["layer1", "layer2", "layer3"]),
        ("squeezenet1_1", ["features.1", "features.4", "features.7", "features.12"]),
        ("mobilenet_v2", ["features.1", "features.3", "features.6", "features.13", "features.18"]),
        ("shufflenet_v2_x0_5", ["stage2", "stage3", "stage4"]),
        ("swin_t", ["features.1", "features.3", "features.5", "features.7"]),
    ],
)
def test_that_the_blocks_of_a_network_are_its_stages(key: str, blocks: list[str]) -> None:
    assert blocks_of(card_of(key)) == blocks


def test_that_every_offered_block_is_a_map_at_another_resolution() -> None:
    for key in ("googlenet", "densenet121", "mnasnet0_5", "regnet_y_400mf"):
        card = card_of(key)
        sizes = [card.layer(name).output_shape for name in blocks_of(card)]
        areas = [shape[1] * shape[2] for shape in sizes if shape is not None]
        assert len(areas) == len(sizes) >= 3
        assert areas == sorted(areas, reverse=True)
        assert len(set(areas)) == len(areas)


def test_that_volumes_have_blocks_and_tables_none() -> None:
    assert blocks_of(card_of("cnn3d", (1, 16, 16, 16), channels="2,3")) == ["block1", "block2"]
    assert blocks_of(card_of("mlp", (5,))) == []
    names = [f"encoder.layers.encoder_layer_{i}" for i in range(12)]
    vit = KNOWN["vit_b_32"]
    module = vit.build(vit.parse({"size": 64}), (3, 64, 64), 3)
    assert blocks_of(describe(module, torch.zeros(2, 3, 64, 64), name="vit", time_it=False)) == names


def step_by_step(module: nn.Sequential, rows: Tensor) -> dict[str, Tensor]:
    found = {}
    for name, layer in module._modules.items():
        assert layer is not None
        # A copy goes in: layers may work in place.
        rows = layer(rows.clone())
        found[name] = rows.clone()
    return found


def test_that_a_pooling_used_twice_gives_its_own_value_under_each_name() -> None:
    module = example_module().eval()
    assert module[2] is module[5]
    rows = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    captures = [LayerCapture(name) for name in ("2", "5", "0", "1", "4")]
    with torch.no_grad(), capturing(module, captures):
        answer = module(rows.clone())
        values = {capture.name: capture.take(3) for capture in captures}
    expected = step_by_step(module, rows)
    for name, value in values.items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)
    torch.testing.assert_close(answer, expected["8"], rtol=0, atol=0)
    assert module[2] is module[5]
    assert not module[2]._forward_hooks


def test_that_the_layer_tree_shows_a_used_again_layer_under_each_name() -> None:
    card = example_network().card
    assert card.layer("2").output_shape == (4, 8, 8)
    assert card.layer("5").output_shape == (6, 4, 4)
    assert (card.layer("2").same_as, card.layer("5").same_as) == ("", "2")
    assert blocks_of(card) == ["2", "5"]
    assert any("5 is 2" in note for note in card.notes)


class Tied(nn.Module):
    """A container used twice, called in another order than it is defined in."""

    def __init__(self) -> None:
        super().__init__()
        self.second = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(inplace=True))
        self.first = self.second
        self.pool = nn.MaxPool2d(2)

    def forward(self, rows: Tensor) -> Tensor:
        answer: Tensor = self.second(self.pool(self.first(rows)))
        return answer


def test_that_names_are_told_apart_in_whatever_order_they_are_called() -> None:
    torch.manual_seed(0)
    module = Tied().eval()
    assert shared_names(module) == {
        "first": "second", "first.0": "second.0", "first.1": "second.1", "first.2": "second.2",
    }  # fmt: skip
    captures = [LayerCapture(name) for name in ("first", "second", "first.1")]
    rows = torch.rand(2, 3, 8, 8)
    with torch.no_grad(), capturing(module, captures):
        module(rows)
        first, second, norm = (capture.take(2) for capture in captures)
    expected = module.second[1](module.second[0](rows))
    assert (first.shape, second.shape) == ((2, 3, 8, 8), (2, 3, 4, 4))
    torch.testing.assert_close(norm, expected)
    torch.testing.assert_close(first, expected.relu())


def test_that_a_network_is_put_back_after_an_error_and_shares_its_weights_meanwhile() -> None:
    module = Tied()

    def look_and_fail() -> None:
        with layers_apart(module):
            assert module.first is not module.second
            assert module.first[0].weight is module.second[0].weight
            assert module.first[1].running_mean is module.second[1].running_mean
            module.first[0].register_forward_hook(lambda *_: None)
            assert not module.second[0]._forward_hooks
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        look_and_fail()
    assert module.first is module.second
    assert not module.second[0]._forward_hooks
    with layers_apart(module):
        module.train()(torch.rand(2, 3, 8, 8)).sum().backward()
    assert module.second[0].weight.grad is not None


@pytest.mark.parametrize("key", ["vgg11", "resnet18_cifar"])
def test_that_a_layer_before_an_in_place_relu_gives_its_own_values(key: str) -> None:
    architecture = KNOWN[key]
    torch.manual_seed(1)
    module = architecture.build(architecture.parse({}), (3, 32, 32), 3).eval()
    name = "features.0" if key == "vgg11" else "layer1.0.bn1"
    capture = LayerCapture(name)
    rows = torch.rand(2, 3, 32, 32)
    with torch.no_grad(), capturing(module, [capture]):
        module(rows)
        value = capture.take(2)
    assert float(value.min()) < 0
    if key == "vgg11":
        torch.testing.assert_close(value, module.get_submodule(name)(rows))


def test_that_the_last_call_of_a_relu_counts_where_a_block_calls_it_twice() -> None:
    architecture = KNOWN["resnet18"]
    torch.manual_seed(1)
    module = architecture.build(architecture.parse({}), (3, 64, 64), 3).eval()
    relu, block = LayerCapture("layer1.0.relu"), LayerCapture("layer1.0")
    with torch.no_grad(), capturing(module, [relu, block]):
        module(torch.rand(1, 3, 64, 64))
        torch.testing.assert_close(relu.take(1), block.take(1), rtol=0, atol=0)


class Several(nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.core, self.kind = nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), kind

    def forward(self, rows: Tensor) -> object:
        answer = self.core(rows)
        return {"tuple": (answer, rows), "dict": {"aux": rows, "logits": answer}, "none": [None]}[self.kind]


@pytest.mark.parametrize("kind", ["tuple", "dict"])
def test_that_a_network_with_several_results_is_read_and_says_so(kind: str) -> None:
    card = describe(Several(kind), torch.zeros(2, 3, 4, 4), name="several", class_names=("a", "b"), time_it=False)
    assert card.output_names == ("a", "b")
    assert any("is taken as the output" in note for note in card.notes)


def test_that_a_network_without_any_tensor_is_a_sentence() -> None:
    from sensiview.errors import ModelError

    with pytest.raises(ModelError, match="no tensor"):
        describe(Several("none"), torch.zeros(2, 3, 4, 4), name="several", time_it=False)


@pytest.mark.parametrize("key", ["googlenet", "inception_v3"])
def test_that_side_outputs_of_training_do_not_hide_the_logits(key: str) -> None:
    from sensiview.models.readout import first_tensor

    architecture = KNOWN[key]
    side = 224 if key == "googlenet" else 299
    module = architecture.build(architecture.parse({"auxiliary": True}), (3, side, side), 4).train()
    with torch.no_grad():
        answer, note = first_tensor(module(torch.rand(2, 3, side, side)))
    assert answer.shape == (2, 4)
    assert "number 1 is taken" in note


@pytest.mark.parametrize("key", ["squeezenet1_1", "inception_v3"])
def test_that_images_of_which_nothing_is_left_are_called_too_small(key: str) -> None:
    from sensiview.errors import ModelError

    with pytest.raises(ModelError, match=r"\(3, 12, 12\) are too small for the network"):
        card_of(key, (3, 12, 12))
