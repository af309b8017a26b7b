"""Many rows through a network: the right numbers, in the right columns, whatever the network does inside."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from sensiview.errors import ModelError, Stopped, UserError
from sensiview.models.batch_limits import MOST_ROWS
from sensiview.models.evaluation import Evaluator
from sensiview.models.network import Network, network_from_module

ROWS = np.random.default_rng(5).normal(size=(301, 4))


def wrapped(module: nn.Module, **known: Any) -> Network:
    return network_from_module(module, sample=ROWS, device="cpu", **known)


def binary(*last: nn.Module, inplace: bool = False) -> nn.Sequential:
    torch.manual_seed(1)
    layers = OrderedDict(fn1=nn.Linear(4, 6), relu=nn.ReLU(inplace=inplace), fn2=nn.Linear(6, 1))
    return nn.Sequential(OrderedDict(**layers, **{f"last{i}": layer for i, layer in enumerate(last)}))


def direct(module: nn.Module, rows: np.ndarray = ROWS) -> Tensor:
    with torch.no_grad():
        return module.eval()(torch.tensor(rows, dtype=torch.float32))


def test_that_numbers_equal_the_plain_forward_for_any_batch_size() -> None:
    module = binary(nn.Sigmoid())
    expected = direct(module).numpy()
    for batch_size in (None, 1, 7, 300, 301, 5000):
        answer = Evaluator(wrapped(module), ["auto"], batch_size=batch_size)(ROWS)
        assert answer.dtype == np.float32
        np.testing.assert_allclose(answer, expected, rtol=1e-6, atol=1e-7)


def test_that_all_outputs_and_layers_come_from_one_forward_per_batch() -> None:
    calls = 0

    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = binary(nn.Sigmoid())

        def forward(self, x: Tensor) -> Tensor:
            nonlocal calls
            calls += 1
            return self.inner(x)

    evaluator = Evaluator(
        wrapped(Counted(), class_names=("no", "yes")), ["probability", "logit", "loss", "inner.fn1"], batch_size=100
    )
    calls = 0
    answer = evaluator(ROWS)
    assert calls == 4
    assert answer.shape == (301, 9)
    assert evaluator.labels[:4] == ("yes (probability)", "yes (logit)", "yes (loss)", "inner.fn1[0]")
    assert evaluator.columns["inner.fn1"] == slice(3, 9)


@pytest.mark.parametrize("functional_call", [False, True])
def test_that_the_logit_is_what_enters_the_final_sigmoid_also_where_the_probability_is_1(functional_call: bool) -> None:
    class Functional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = binary()

        def forward(self, x: Tensor) -> Tensor:
            return torch.sigmoid(self.inner(x)).squeeze(1)

    module = Functional() if functional_call else binary(nn.Sigmoid())
    rows = ROWS * 1e4
    logits = direct(module.inner if functional_call else module[:3], rows).numpy()
    warned: list[str] = []
    network = wrapped(module, class_names=("no", "yes"))
    assert network.card.emits == "probability"
    answer = Evaluator(network, ["logit", "loss"], warn=warned.append)(rows)
    assert np.abs(logits).max() > 100
    np.testing.assert_allclose(answer[:, :1], logits, rtol=1e-5)
    np.testing.assert_allclose(answer[:, 1:], np.logaddexp(0, -logits.astype(float)), rtol=1e-5, atol=1e-30)
    assert warned == []


def test_that_the_first_class_is_what_is_missing_to_certainty() -> None:
    network = wrapped(binary(nn.Sigmoid()), class_names=("no", "yes"))
    second = Evaluator(network, ["probability", "logit", "loss"], target="yes")(ROWS)
    evaluator = Evaluator(network, ["probability", "logit", "loss"], target="no")
    first = evaluator(ROWS)
    np.testing.assert_allclose(first[:, 0], 1 - second[:, 0], atol=1e-7)
    np.testing.assert_allclose(first[:, 1], -second[:, 1])
    np.testing.assert_allclose(first[:, 2], -np.log(first[:, 0]), rtol=1e-5)
    assert evaluator.labels[0] == "no (probability)"


@pytest.mark.parametrize("ending", ["logits", "softmax", "log_softmax"])
def test_that_class_probabilities_and_losses_are_the_same_however_the_network_ends(ending: str) -> None:
    torch.manual_seed(2)
    core = nn.Linear(4, 3)
    last = {"logits": nn.Identity(), "softmax": nn.Softmax(dim=1), "log_softmax": nn.LogSoftmax(dim=1)}[ending]
    network = wrapped(nn.Sequential(core, last), class_names=("a", "b", "c"))
    answer = Evaluator(network, ["probability", "loss"], target=["c", 0])(ROWS)
    logits = direct(core)
    np.testing.assert_allclose(answer[:, :2], torch.softmax(logits, 1).numpy()[:, [2, 0]], rtol=2e-6)
    np.testing.assert_allclose(answer[:, 2:], -torch.log_softmax(logits, 1).numpy()[:, [2, 0]], rtol=1e-5, atol=1e-6)


def test_that_a_probability_taken_out_of_a_softmax_is_turned_back_into_a_logit_and_said() -> None:
    class Second(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.core = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return functional.softmax(self.core(x), dim=1)[:, 1]

    module = Second()
    warned: list[str] = []
    network = wrapped(module, class_names=("no", "yes"))
    answer = Evaluator(network, ["logit"], warn=warned.append)(ROWS)[:, 0]
    logits = direct(module.core).numpy()
    np.testing.assert_allclose(answer, logits[:, 1] - logits[:, 0], rtol=1e-3, atol=1e-5)
    assert len(warned) == 1
    assert "log p/(1-p)" in warned[0]


def test_that_a_sigmoid_inside_the_network_is_not_taken_for_its_end() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.last = nn.Linear(4, 4), nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(x * torch.sigmoid(self.gate(x)))

    assert wrapped(Gated()).card.emits == "value"
    assert wrapped(nn.Sequential(nn.Linear(4, 1), nn.SiLU())).card.emits == "value"

    class Doubled(nn.Sequential):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).mul_(2)

    assert wrapped(Doubled(nn.Linear(4, 1), nn.Sigmoid())).card.emits == "value"


def test_that_a_layer_before_an_in_place_relu_is_seen_as_it_was() -> None:
    module = binary(nn.Sigmoid(), inplace=True)
    answer = Evaluator(wrapped(module), ["fn1"])(ROWS)
    np.testing.assert_allclose(answer, direct(module.fn1).numpy(), rtol=1e-6, atol=1e-6)
    assert answer.min() < 0


def test_that_an_in_place_first_layer_does_not_write_into_the_callers_rows() -> None:
    rows = ROWS.astype(np.float32)
    before = rows.copy()
    Evaluator(wrapped(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(4, 1))))(rows)
    np.testing.assert_array_equal(rows, before)


def test_that_a_layer_called_several_times_gives_the_last_call_and_a_warning() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.same = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.same(torch.relu(self.same(x)))

    module = Shared()
    warned: list[str] = []
    answer = Evaluator(wrapped(module), ["same"], warn=warned.append, batch_size=50)(ROWS)
    np.testing.assert_allclose(answer, direct(module).numpy(), rtol=1e-5, atol=1e-6)
    assert len(warned) == 1
    assert "called 2 times" in warned[0]


def test_that_a_layer_that_gives_a_tuple_is_a_sentence() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.last = nn.LSTM(4, 3, batch_first=True), nn.Linear(3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.lstm(x.unsqueeze(1))[0][:, -1])

    network = wrapped(Recurrent())
    assert network.card.layer("lstm").output_shape is None
    with pytest.raises(UserError, match="does not give one tensor"):
        Evaluator(network, ["lstm"])


class _Answer(nn.Module):
    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.core, self.shape = nn.Linear(4, 1), shape

    def forward(self, x: Tensor) -> Any:
        return self.shape(self.core(x))


@pytest.mark.parametrize(
    ("shape", "width"),
    [
        (lambda y: y[:, 0], 1),
        (lambda y: y, 1),
        (lambda y: y.expand(-1, 3), 3),
        (lambda y: y.expand(-1, 3).unsqueeze(2).unsqueeze(3), 3),
        (lambda y: (y, y + 1), 1),
        (lambda y: {"aux": y + 1, "logits": y}, 1),
        (lambda y: {"out": y}, 1),
    ],
)
def test_that_answers_of_many_shapes_become_columns(shape: Any, width: int) -> None:
    module = _Answer(shape)
    answer = Evaluator(wrapped(module), ["auto"])(ROWS)
    np.testing.assert_allclose(answer, np.repeat(direct(module.core).numpy(), width, axis=1), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (lambda y: {"a": 1}, "no tensor"),
        (lambda y: None, "NoneType"),
        (lambda y: y.mean(), "one answer per row"),
        (lambda y: y.T, "one answer per row"),
        (lambda y: torch.complex(y, y), "complex"),
    ],
)
def test_that_an_answer_that_can_not_be_measured_is_a_sentence(shape: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        wrapped(_Answer(shape))


def test_that_labels_of_image_layers_carry_channel_and_position() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten(), nn.Linear(2 * 2 * 3, 1))
    images = np.random.default_rng(0).random((5, 1, 2, 3)).astype(np.float32)
    evaluator = Evaluator(network_from_module(module, sample=images, device="cpu"), ["0"])
    assert evaluator.labels[0] == "0[0,0,0]"
    assert evaluator.labels[-1] == "0[1,1,2]"
    expected = module[0](torch.tensor(images)).detach().flatten(1).numpy()
    np.testing.assert_allclose(evaluator(images), expected, rtol=1e-6)


def test_that_rows_may_be_read_only_strided_swapped_integer_or_boolean() -> None:
    module = binary()
    whole = np.round(ROWS * 3)
    read_only = whole.copy()
    read_only.flags.writeable = False
    evaluator = Evaluator(wrapped(module))
    expected = evaluator(whole)
    wide = np.repeat(whole, 2, axis=1)
    for rows in (read_only, whole[::-1][::-1], wide[:, ::2], whole.astype(">f8"), whole.astype(np.int16)):
        np.testing.assert_allclose(evaluator(rows), expected, rtol=1e-6)
    np.testing.assert_allclose(evaluator(whole[::-1]), expected[::-1], rtol=1e-6)
    np.testing.assert_allclose(evaluator(whole > 0), evaluator((whole > 0).astype(float)), rtol=1e-6)
    assert evaluator(whole[:0]).shape == (0, 1)


@pytest.mark.parametrize("rows", [np.zeros(4), np.zeros((3, 5)), np.zeros((2, 4, 1))])
def test_that_rows_of_another_shape_are_named_with_what_is_expected(rows: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"takes inputs of shape \(rows, 4\); these have shape"):
        Evaluator(wrapped(binary()))(rows)


def test_that_rows_of_text_are_refused() -> None:
    with pytest.raises(ModelError, match="takes numbers"):
        Evaluator(wrapped(binary()))(np.array([["a", "b", "c", "d"]]))


def test_that_a_float64_network_answers_in_float64() -> None:
    module = binary().double()
    answer = Evaluator(wrapped(module))(ROWS)
    assert answer.dtype == np.float64
    np.testing.assert_allclose(answer, module(torch.tensor(ROWS)).detach().numpy(), rtol=1e-12)


def test_that_nan_goes_through_as_nan() -> None:
    rows = ROWS.copy()
    rows[3, 1] = np.nan
    answer = Evaluator(wrapped(binary()))(rows)
    assert np.isnan(answer[:, 0]).nonzero()[0].tolist() == [3]


def test_that_progress_is_told_after_each_batch_and_a_stop_leaves_nothing_behind() -> None:
    told: list[int] = []

    def tell(done: int) -> None:
        told.append(done)
        if done >= 200:
            raise Stopped

    module = binary(nn.Sigmoid()).train()
    evaluator = Evaluator(wrapped(module), ["auto", "fn1"], batch_size=100, on_batch=tell)
    with pytest.raises(Stopped):
        evaluator(ROWS)
    assert told == [100, 200]
    assert all(part.training for part in module.modules())
    assert not any(part._forward_hooks for part in module.modules())


def test_that_noise_that_is_always_on_is_reported() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.core = nn.Linear(4, 64)

        def forward(self, x: Tensor) -> Tensor:
            return functional.dropout(self.core(x), 0.5)

    warned: list[str] = []
    Evaluator(wrapped(Noisy()), warn=warned.append)
    assert "different answers for the same input" in warned[0]


def test_that_the_batch_is_a_power_of_two_decided_by_the_network_alone() -> None:
    tiny = Evaluator(wrapped(binary()))
    assert tiny.batch_size == Evaluator(wrapped(binary())).batch_size == MOST_ROWS
    images = np.zeros((2, 3, 128, 128), dtype=np.float32)
    heavy = nn.Sequential(nn.Conv2d(3, 64, 7), nn.Conv2d(64, 64, 7), nn.AdaptiveAvgPool2d(1))
    evaluator = Evaluator(network_from_module(heavy, sample=images, device="cpu"))
    # 5.5 billion operations per image.
    assert 1 <= evaluator.batch_size <= 16
    assert evaluator.batch_size.bit_count() == 1
    # Two feature maps of 64 channels live at the same time.
    assert evaluator.footprint.bytes_per_row == pytest.approx(4 * (64 * 122**2 + 64 * 116**2), rel=0.1)
    assert evaluator.footprint.flops_per_row == pytest.approx(2 * 64 * 49 * (3 * 122**2 + 64 * 116**2), rel=0.01)


def test_that_an_answer_that_no_memory_holds_is_refused_before_it_is_computed() -> None:
    evaluator = Evaluator(wrapped(nn.Linear(4, 100_000)), batch_size=10)
    rows = np.broadcast_to(np.zeros((1, 4)), (10**9, 4))
    with pytest.raises(ModelError, match="100,000 columns and needs"):
        evaluator(rows)


@pytest.mark.parametrize(("outputs", "size"), [([], None), (["auto"], 0)])
def test_that_no_output_and_no_rows_at_a_time_are_refused(outputs: list[str], size: int | None) -> None:
    with pytest.raises(UserError):
        Evaluator(wrapped(binary()), outputs, batch_size=size)


def test_that_a_network_that_fails_on_some_rows_is_a_sentence() -> None:
    class Fragile(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            if len(x) > 2:
                raise ValueError("too many rows for me")
            return super().forward(x)

    with pytest.raises(ModelError, match="too many rows for me"):
        Evaluator(wrapped(Fragile(4, 1)))(ROWS)
