"""What can be asked of a network by name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sensiview.errors import UserError
from sensiview.models.card import LayerCard, ModelCard
from sensiview.models.outputs import OutputChoice, Target, output_choices, parse_target

LAYERS = (
    LayerCard(name="fn1", kind="Linear", output_shape=(10,)),
    LayerCard(name="logit", kind="Linear", output_shape=(1,)),
    LayerCard(name="idle", kind="Linear"),
)
BINARY = ModelCard(
    name="net", emits="probability", class_names=("no", "yes"), output_names=("Outcome=yes",), layers=LAYERS
)
THREE = ModelCard(name="net", emits="logit", class_names=("covid", "pneumonia", "2"))
VALUES = ModelCard(name="net", emits="value", output_names=("height", "weight"))


def test_that_words_and_layers_are_understood() -> None:
    assert OutputChoice.parse(" Probability ", BINARY) == OutputChoice("probability")
    assert OutputChoice.parse("fn1", BINARY) == OutputChoice("layer", "fn1")
    assert OutputChoice.parse("logit", BINARY) == OutputChoice("logit")
    assert OutputChoice.parse("layer:logit", BINARY) == OutputChoice("layer", "logit")


def test_that_auto_is_the_probability_of_a_classifier_and_the_value_of_anything_else() -> None:
    assert OutputChoice("auto").resolved(BINARY) == "probability"
    assert OutputChoice("auto").resolved(THREE) == "probability"
    assert OutputChoice("auto").resolved(VALUES) == "value"


def test_that_every_choice_that_is_offered_can_be_parsed_again() -> None:
    for card in (BINARY, THREE, VALUES):
        for text in output_choices(card):
            OutputChoice.parse(text, card)
    assert "layer:logit" in output_choices(BINARY)
    assert "idle" not in output_choices(BINARY)
    assert "loss" not in output_choices(VALUES)


def test_that_an_unknown_layer_comes_with_the_nearest_name() -> None:
    with pytest.raises(UserError, match="Did you mean 'fn1'"):
        OutputChoice.parse("fn", BINARY)


def test_that_a_layer_that_is_never_called_is_refused() -> None:
    with pytest.raises(UserError, match="does not call it"):
        OutputChoice.parse("idle", BINARY)


def test_that_a_regression_has_no_loss() -> None:
    with pytest.raises(UserError, match="classes"):
        OutputChoice.parse("loss", VALUES)


def test_that_a_number_out_of_range_is_the_class_of_that_name() -> None:
    card = ModelCard(name="net", emits="logit", class_names=("0", "1", "10"))
    assert parse_target(10, card) == (Target(2, "10"),)
    assert parse_target(2, card) == (Target(2, "10"),)
    assert parse_target(["10", 1], card) == (Target(2, "10"), Target(1, "1"))
    with pytest.raises(UserError, match="There is no target 7"):
        parse_target(7, card)


def test_that_targets_are_found_by_name_and_by_number() -> None:
    assert [t.label for t in parse_target("all", THREE)] == ["covid", "pneumonia", "2"]
    assert parse_target(None, THREE) == parse_target("all", THREE)
    assert parse_target("pneumonia", THREE) == (Target(1, "pneumonia"),)
    assert parse_target([2, "covid", 2], THREE) == (Target(2, "2"), Target(0, "covid"))
    assert parse_target("weight", VALUES) == (Target(1, "weight"),)


def test_that_a_class_called_2_is_found_before_the_second_class() -> None:
    assert parse_target("2", ModelCard(name="m", emits="logit", class_names=("2", "1", "0"))) == (Target(0, "2"),)
    assert parse_target(2, ModelCard(name="m", emits="logit", class_names=("2", "1", "0"))) == (Target(2, "0"),)


def test_that_the_first_of_two_classes_is_the_complement_of_the_only_output() -> None:
    assert parse_target("all", BINARY) == (Target(0, "Outcome=yes"),)
    assert parse_target(1, BINARY) == parse_target("yes", BINARY) == (Target(0, "Outcome=yes"),)
    assert parse_target("no", BINARY) == parse_target(0, BINARY) == (Target(0, "Outcome=no", complement=True),)


def test_that_a_single_logit_without_names_still_has_two_classes() -> None:
    card = ModelCard(name="m", emits="logit")
    assert parse_target(0, card) == (Target(0, "not output", complement=True),)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (3, "0 to 2"),
        (-1, "0 to 2"),
        ("covd", "Did you mean 'covid'"),
        ([], "empty"),
        (True, "neither"),
        ("9", "0 to 2"),
    ],
)
def test_that_a_target_that_is_not_there_is_a_sentence(target: object, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_target(target, THREE)  # type: ignore[arg-type] # wrong on purpose


def test_that_choosing_outputs_does_not_load_torch() -> None:
    code = "import sys, sensiview.models.outputs, sensiview.models.recipe, sensiview.models.architectures as a; "
    code += "assert len(a.architectures()) > 80; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
