"""What a network says of itself when it is looked at."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.card import ModelCard
from sensiview.models.inspection import describe


def look(module: nn.Module, *shape: int, **known: object) -> ModelCard:
    return describe(module, torch.rand(2, *shape), name="net", time_it=False, **known)


class Branched(nn.Module):
    """Uses one block twice, one never, one under two names, and one that gives a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.alias = self.twice
        self.never = nn.Linear(5, 5)
        self.memory = nn.GRU(4, 2, batch_first=True)
        self.blocks = nn.ModuleList([nn.Linear(2, 3)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.twice(self.twice(self.stem(x))).mean((2, 3))
        return self.blocks[0](self.memory(x.unsqueeze(1))[0][:, 0])


def test_that_the_layer_tree_has_shapes_parameters_and_depth() -> None:
    card = look(Branched(), 3, 8, 6)
    assert card.layer("stem").output_shape == (4, 6, 4)
    assert card.layer("stem").parameters == 0
    assert card.layer("stem.0").parameters == 3 * 4 * 9 + 4
    assert card.layer("stem.0").depth == 1
    assert card.layer("stem.0").kind == "Conv2d"
    assert card.layer("blocks.0").output_shape == (3,)
    assert card.layer("never").output_shape is None
    assert card.layer("memory").output_shape is None
    assert [layer.name for layer in card.layers][:4] == ["stem", "stem.0", "stem.1", "twice"]
    assert card.n_parameters == sum(p.numel() for p in Branched().parameters())
    assert card.input_shape == (3, 8, 6)
    assert card.output_names == ("output[0]", "output[1]", "output[2]")


def test_that_odd_layers_are_told_in_sentences() -> None:
    notes = " ".join(look(Branched(), 3, 8, 6).notes)
    assert "Never called when the network computes: never." in notes
    assert "twice (2 times)" in notes
    assert "memory (tuple)" in notes
    assert "alias is twice" in notes
    assert "blocks" not in notes


def test_that_layers_know_in_which_order_they_end() -> None:
    card = look(Branched(), 3, 8, 6)
    order = [card.layer(name).done for name in ("stem.0", "stem.1", "stem", "twice", "memory", "blocks.0")]
    assert order == sorted(order, key=lambda place: -1 if place is None else place)
    assert card.layer("never").done is None


def test_that_a_network_that_gives_the_number_of_a_class_is_told_so() -> None:
    class Chosen(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1).argmax(dim=1)

    assert "It gives whole numbers, such as that of a class, and no scores" in " ".join(look(Chosen(), 3, 8, 6).notes)


class Ends(nn.Module):
    def __init__(self, end: object) -> None:
        super().__init__()
        self.core, self.end = nn.Linear(3, 3), end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.core(x))


@pytest.mark.parametrize(
    ("end", "emits"),
    [
        (nn.Sigmoid(), "probability"),
        (nn.Softmax(dim=1), "probability"),
        (torch.sigmoid, "probability"),
        (lambda y: torch.sigmoid_(y.clone()), "probability"),
        (lambda y: y.sigmoid().flatten(1).clone(), "probability"),
        (lambda y: y.softmax(1)[:, :1], "probability"),
        (nn.LogSoftmax(dim=1), "logit"),
        (nn.Identity(), "value"),
        (nn.Tanh(), "value"),
        (lambda y: torch.sigmoid(y) * 3, "value"),
        (lambda y: torch.relu_(torch.sigmoid(y) - 0.5), "value"),
    ],
)
def test_that_what_it_emits_is_found_for_modules_and_function_calls(end: object, emits: str) -> None:
    assert look(Ends(end), 3).emits == emits


def test_that_class_names_make_a_plain_output_a_logit() -> None:
    card = look(Ends(nn.Identity()), 3, class_names=("a", "b", "c"))
    assert card.emits == "logit"
    assert card.output_names == ("a", "b", "c")
    assert look(nn.Linear(3, 1), 3, class_names=("no", "yes")).output_names == ("yes",)


def test_that_what_is_known_wins_over_what_is_found() -> None:
    card = look(Ends(nn.Sigmoid()), 3, emits="value", architecture="x", accuracy={"test": 0.8}, notes=("a note",))
    assert (card.emits, card.architecture, card.accuracy, card.notes) == ("value", "x", {"test": 0.8}, ("a note",))


def test_that_speed_and_memory_are_measured() -> None:
    card = describe(nn.Linear(100, 10), torch.rand(2, 100), name="net")
    assert card.rows_per_second["cpu"] > 1000
    assert card.bytes_per_row == 440


class Doubling(nn.Module):
    """Twice the input, kept for the way back; a network without layers of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(torch.sin(x)).flatten(1).sum(1)


def test_that_the_memory_of_a_backward_pass_is_measured_operator_by_operator() -> None:
    # Input, its copy, sine and exponential live together when the way back begins, and one gradient.
    card = look(Doubling(), 1, 10, 10, 10)
    assert 4 * 4000 <= card.gradient_bytes_per_row <= 6 * 4000
    kept = look(nn.Sequential(*[nn.Conv3d(1, 1, 1), nn.GELU()] * 5, nn.Flatten(), nn.Linear(1000, 2)), 1, 10, 10, 10)
    assert kept.gradient_bytes_per_row >= 10 * 4000 > kept.bytes_per_row
    assert kept.flops_per_row > 0


def test_that_a_network_without_a_gradient_has_no_memory_of_one_and_in_place_layers_do_not_disturb() -> None:
    class Counting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x > 0.5).float().flatten(1).mean(1, keepdim=True)

    assert look(Counting(), 1, 4, 4).gradient_bytes_per_row == 0
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(16, 2))
    module[2].weight.requires_grad_(False)
    assert look(module, 1, 4, 4).gradient_bytes_per_row > 0
    assert [p.requires_grad for p in module.parameters()] == [False, True]
    assert look(nn.Linear(3, 2), 3).gradient_bytes_per_row == 0, "tables are not masked"


def test_that_a_network_is_as_it_was_after_looking() -> None:
    module = Branched().train()
    module.stem.eval()
    look(module, 3, 8, 6)
    assert [part.training for part in (module, module.stem, module.twice)] == [True, False, True]
    assert not any(part._forward_hooks for part in module.modules())


@pytest.mark.parametrize("labels", [1, 3])
def test_that_a_network_that_labels_voxels_is_refused_with_what_to_do(labels: int) -> None:
    with pytest.raises(ModelError) as told:
        look(nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv3d(4, labels, 1)), 1, 6, 7, 8)
    assert f"gives {labels} value{'s' if labels > 1 else ''} for each voxel (6 x 7 x 8)" in told.value.sentence
    assert "one answer for a volume" in told.value.sentence
    assert "Wrap it in a module that pools its answer" in told.value.sentence


def test_that_a_wrapped_segmentation_network_is_a_classifier() -> None:
    labelling = nn.Conv3d(1, 3, 3, padding=1)
    wrapped = nn.Sequential(labelling, nn.Softmax(dim=1), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    assert len(look(wrapped, 1, 6, 7, 8).output_names) == 3
    assert len(look(nn.Sequential(labelling, nn.AdaptiveAvgPool3d(1)), 1, 6, 7, 8).output_names) == 3


def test_that_inputs_that_do_not_fit_are_a_sentence() -> None:
    with pytest.raises(ModelError, match=r"3 channels, so the shape should be \(rows, 3, height, width\)"):
        look(Branched(), 4, 8, 6)


def test_that_a_card_survives_json() -> None:
    card = look(Branched(), 3, 8, 6)
    assert ModelCard.model_validate_json(card.model_dump_json()) == card
