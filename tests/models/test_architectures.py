"""Named architectures: options in, the right network out, nothing downloaded."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import torch
from torch import nn

from sensiview.errors import ModelError, UserError
from sensiview.models.architectures import Architecture, Shape, all_architectures, architectures, choose
from sensiview.models.torchvision_networks import NAMES


def test_that_the_diabetes_network_is_the_studys() -> None:
    architecture = architectures()["diabetes_net"]
    module = architecture.build(architecture.parse({}), (8,), 1)
    assert [(name, type(part)) for name, part in module.named_children()] == [
        ("fn1", nn.Linear),
        ("bn1", nn.BatchNorm1d),
        ("relu", nn.ReLU),
        ("fn2", nn.Linear),
        ("bn2", nn.BatchNorm1d),
        ("sigmoid", nn.Sigmoid),
    ]
    assert module.fn1.weight.shape == (10, 8)
    recipe = architecture.recipe()
    assert (recipe.epochs, recipe.learning_rate, recipe.weight_decay, recipe.optimiser) == (2000, 0.01, 0.001, "sgd")
    assert (recipe.batch_size, recipe.train_rows, recipe.test_rows) == (0, "0-499", "500-699")
    assert (recipe.standardise, recipe.momentum, recipe.loss) == (False, 0, "binary_cross_entropy")


@pytest.mark.parametrize("classes", [0, 1, 3])
def test_that_the_diabetes_network_wants_two_classes(classes: int) -> None:
    with pytest.raises(ModelError, match="Use 'mlp'"):
        architectures()["diabetes_net"].n_outputs(classes)


def test_that_a_perceptron_is_built_from_its_options() -> None:
    architecture = architectures()["mlp"]
    options = architecture.parse({"hidden": [7, 5], "activation": "tanh", "batch_norm": True, "dropout": 0.2})
    module = architecture.build(options, (3,), 4)
    names = [name for name, _ in module.named_children()]
    assert names == ["linear1", "norm1", "act1", "dropout1", "linear2", "norm2", "act2", "dropout2", "output"]
    assert isinstance(module.act2, nn.Tanh)
    assert module(torch.zeros(6, 3)).shape == (6, 4)
    assert [architecture.n_outputs(k) for k in (0, 2, 3, 10)] == [1, 1, 3, 10]
    assert [architecture.emits_for(k) for k in (0, 2)] == ["value", "logit"]


def test_that_sizes_are_read_from_trained_weights() -> None:
    known = architectures()
    mlp = known["mlp"]
    state = mlp.build(mlp.parse({"hidden": (7, 5), "batch_norm": True}), (3,), 4).state_dict()
    options, sizes = mlp.understand(state, mlp.parse({}))
    assert (options.hidden, options.batch_norm, sizes.input_shape, sizes.n_outputs) == ((7, 5), True, (3,), 4)
    assert mlp.understand(state, mlp.parse({"hidden": (1,)}))[0].hidden == (1,)
    diabetes = known["diabetes_net"]
    state = diabetes.build(diabetes.parse({"hidden": 6}), (5,), 1).state_dict()
    options, sizes = diabetes.understand(state, diabetes.parse({}))
    assert (options.hidden, sizes.input_shape) == (6, (5,))
    assert diabetes.understand({}, diabetes.parse({}))[1] is None


@pytest.mark.parametrize(
    ("key", "values", "words"),
    [
        ("diabetes_net", {"hidden": 0}, "hidden: .*greater than or equal to 1"),
        ("diabetes_net", {"hiden": 3}, "Did you mean 'hidden'"),
        ("mlp", {"activation": "sine"}, "activation"),
        ("mlp", {"hidden": []}, "hidden"),
        ("mlp", {"dropout": 1}, "dropout"),
        ("resnet18", {"num_classes": -1}, "num_classes"),
    ],
)
def test_that_wrong_options_are_sentences(key: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        architectures()[key].parse(values)


@pytest.mark.parametrize(
    ("key", "words", "not_said"),
    [
        ("resnt50", "Did you mean 'resnet50'?", "Known"),
        ("cnn-3d", "Did you mean 'cnn3d'?", "Known"),
        ("meshnet", "resnet3d18", "Did you mean"),
        ("unet", "or as an exported program (.pt2)", "Did you mean"),
    ],
)
def test_that_an_unknown_architecture_gets_a_suggestion_only_where_one_is_near(
    key: str, words: str, not_said: str
) -> None:
    with pytest.raises(UserError) as told:
        choose(key, all_architectures())
    assert words in told.value.sentence
    assert not_said not in told.value.sentence


def test_that_tables_and_images_are_not_mixed_up() -> None:
    known = architectures()
    with pytest.raises(ModelError, match="columns of a table"):
        known["mlp"].build(known["mlp"].parse({}), (3, 8, 8), 2)
    with pytest.raises(ModelError, match="takes images"):
        known["resnet18"].build(known["resnet18"].parse({}), (8,), 2)
    with pytest.raises(ModelError, match="num_classes"):
        known["resnet18"].build(known["resnet18"].parse({"num_classes": 5}), (3, 64, 64), 2)


def test_that_every_option_has_a_label_and_a_help_for_its_form() -> None:
    for architecture in architectures().values():
        assert architecture.title
        assert architecture.help.endswith(".")
        for name, field in architecture.schema()["properties"].items():
            assert field["title"] != name
            assert field["description"].endswith(".")


def test_that_recipes_have_labels_too() -> None:
    from sensiview.models.recipe import TrainingRecipe

    for field in TrainingRecipe.model_json_schema()["properties"].values():
        assert field["description"].endswith(".")


def test_that_torchvisions_names_are_those_of_the_installed_version() -> None:
    from torchvision import models

    assert tuple(models.list_models(module=models)) == NAMES
    assert set(NAMES) < set(architectures())


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet18", "googlenet", "inception_v3", "mobilenet_v3_small"])
def test_that_torchvision_networks_are_built_without_a_network_connection(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    architecture = architectures()[name]
    module = architecture.build(architecture.parse({"num_classes": 3}), (3, 96, 96), 3).eval()
    with torch.no_grad():
        assert module(torch.zeros(1, 3, 96, 96)).shape == (1, 3)


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small", "googlenet", "shufflenet_v2_x0_5"])
def test_that_the_number_of_classes_is_read_from_the_weights(name: str) -> None:
    architecture = architectures()[name]
    state = architecture.build(architecture.parse({}), (3, 64, 64), 7).state_dict()
    alphabetical = dict(sorted(state.items()))
    options, sizes = architecture.understand(alphabetical, architecture.parse({}))
    assert sizes.n_outputs == 7
    assert sizes.input_shape == (3, 224, 224)
    assert architecture.build(options, sizes.input_shape, 7).state_dict().keys() == state.keys()


def test_that_side_outputs_are_built_when_the_weights_have_them() -> None:
    architecture = architectures()["googlenet"]
    state = architecture.build(architecture.parse({"auxiliary": True}), (3, 64, 64), 4).state_dict()
    options, sizes = architecture.understand(state, architecture.parse({}))
    assert options.auxiliary
    assert sizes.n_outputs == 4


class Own(Architecture):
    """A plugin's."""

    key = "own"
    title = "Own"
    help = "One layer."

    def build(self, options: Any, input_shape: Shape, n_outputs: int) -> nn.Module:
        return nn.Linear(input_shape[0], n_outputs)


def test_that_plugins_add_architectures_without_a_registry() -> None:
    known = all_architectures([Own()])
    assert known["own"].title == "Own"
    assert "own" not in architectures()
    with pytest.raises(ModelError, match="two architectures called 'own'"):
        all_architectures([Own(), Own()])
    with pytest.raises(UserError, match="has no options"):
        Own().parse({"x": 1})


def test_that_an_unknown_architecture_comes_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="Did you mean 'resnet18'"):
        choose("resnet_18", architectures())
