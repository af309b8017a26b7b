"""A network is looked at without being changed."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn

from sensiview.errors import ModelError, Stopped, UserError
from sensiview.models.card import ModelCard
from sensiview.models.network import Network, network_from_module


def small_network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(5, 2), nn.Softmax(dim=1)
    )


def everything_of(module: nn.Module) -> dict[str, object]:
    return {
        "flags": [part.training for part in module.modules()],
        "hooks": [list(part._forward_hooks) + list(part._forward_pre_hooks) for part in module.modules()],
        "weights": {key: value.clone() for key, value in module.state_dict().items()},
        "needs": [p.requires_grad for p in module.parameters()],
        "grads": [None if p.grad is None else p.grad.clone() for p in module.parameters()],
        "grad mode": torch.is_grad_enabled(),
        "random": (torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()),
    }


def assert_same(one: dict[str, object], other: dict[str, object]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        if name == "weights":
            assert all(torch.equal(a, b) for a, b in zip(one[name].values(), other[name].values(), strict=True))
        else:
            assert one[name] == other[name], name


@pytest.mark.parametrize("error", [None, ValueError, Stopped, KeyboardInterrupt])
def test_that_measuring_puts_everything_back_also_after_an_error(error: type[BaseException] | None) -> None:
    module = small_network()
    module[1].eval()
    module[4].weight.requires_grad_(False)
    kept_hook = module[0].register_forward_hook(lambda *_: None)
    network = network_from_module(module, name="small", device="cpu")
    before = everything_of(module)

    def disturb() -> None:
        with network.measuring():
            assert not any(part.training for part in network.module.modules())
            assert not torch.is_grad_enabled()
            torch.rand(3), random.random(), np.random.rand()  # what a forward() may do
            module[2].train()
            module[0].register_forward_hook(lambda *_: None)
            kept_hook.remove()
            module[0].weight.requires_grad_(False)
            with torch.enable_grad():
                module(torch.rand(4, 3)).sum().backward()
            if error is not None:
                raise error

    if error is None:
        disturb()
    else:
        with pytest.raises(error):
            disturb()
    assert_same(before, everything_of(module))


def test_that_measuring_may_be_nested() -> None:
    module = small_network().train()
    network = network_from_module(module, device="cpu")
    with network.measuring():
        with network.measuring():
            pass
        assert not module.training
    assert all(part.training for part in module.modules())


def test_that_wrapping_a_module_leaves_it_as_it_was() -> None:
    module = small_network().train()
    before = everything_of(module)
    network_from_module(module, class_names=("a", "b"), device="cpu")
    assert_same(before, everything_of(module))


def test_that_a_modules_own_eval_is_not_called() -> None:
    class Merging(nn.Linear):
        def train(self, mode: bool = True) -> Merging:
            raise AssertionError("eval() has side effects here")

    network = network_from_module(Merging(2, 1), device="cpu")
    with network.measuring():
        assert not network.module.training


def test_that_half_precision_is_computed_in_float32_on_the_cpu_and_said() -> None:
    module = small_network().half()
    network = network_from_module(module, device="cpu")
    assert network.dtype is torch.float32
    assert next(module.parameters()).dtype is torch.float16
    assert len(network.notices) == 1
    assert "float16" in network.notices[0]


def test_that_a_float64_network_is_fed_float64() -> None:
    network = network_from_module(small_network().double(), device="cpu")
    assert network.preprocess(torch.ones(2, 3)).dtype is torch.float64


def test_that_batch_norm_without_running_statistics_is_reported() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False))
    network = network_from_module(module, device="cpu")
    assert "batch norm 1" in network.notices[0]


def test_that_values_are_standardised_in_their_own_precision_before_they_are_rounded() -> None:
    # In float32 the column would be 20000000 in both rows.
    rows = torch.tensor([[20_000_000.25], [20_000_000.75]], dtype=torch.float64)
    card = ModelCard(
        name="m", input_shape=(1,), preprocessing={"kind": "standardise", "mean": [20_000_000.5], "std": [0.25]}
    )
    ready = Network(nn.Linear(1, 1), card).preprocess(rows)
    assert ready.dtype is torch.float32
    assert ready.tolist() == [[-1.0], [1.0]]


def test_that_channels_of_images_are_standardised_by_channel() -> None:
    card = ModelCard(
        name="m", input_shape=(2, 1, 2), preprocessing={"kind": "standardise", "mean": [1, 2], "std": [1, 2]}
    )
    ready = Network(nn.Flatten(), card).preprocess(torch.full((1, 2, 1, 2), 4.0))
    assert ready.tolist() == [[[[3.0, 3.0]], [[1.0, 1.0]]]]


@pytest.mark.parametrize(
    ("preprocessing", "words"),
    [
        ({"kind": "resize"}, "resize"),
        ({"kind": "standardise", "mean": [0, 0, 0]}, "lacks"),
        ({"kind": "standardise", "mean": [0, 0], "std": [1, 1]}, "2 means"),
        ({"kind": "standardise", "mean": [0, 0, 0], "std": [1, 1, 0]}, "not above 0"),
        ({"kind": "standardise", "mean": [0, 0, float("nan")], "std": [1, 1, 1]}, "not finite"),
        ({"kind": "standardise", "mean": ["x", 0, 0], "std": [1, 1, 1]}, "lacks"),
    ],
)
def test_that_preprocessing_that_does_not_fit_is_refused(preprocessing: dict[str, object], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        Network(small_network(), ModelCard(name="m", input_shape=(3,), preprocessing=preprocessing))


def test_that_the_input_shape_comes_from_the_sample_or_from_a_first_linear_layer() -> None:
    assert network_from_module(small_network(), device="cpu").card.input_shape == (3,)
    images = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 6 * 4, 2))
    assert network_from_module(images, sample=np.zeros((1, 3, 8, 6)), device="cpu").card.input_shape == (3, 8, 6)
    with pytest.raises(ModelError, match="sample"):
        network_from_module(images, device="cpu")


@pytest.mark.parametrize("sample", [np.zeros(3), np.zeros((0, 3)), np.array([["a", "b", "c"]])])
def test_that_a_sample_that_is_no_table_of_numbers_is_refused(sample: np.ndarray) -> None:
    with pytest.raises(ModelError, match="sample"):
        network_from_module(small_network(), sample=sample, device="cpu")


def test_that_inputs_that_do_not_fit_are_named_with_what_is_expected() -> None:
    with pytest.raises(ModelError, match=r"shape \(2, 4\).*3 values per row") as caught:
        network_from_module(small_network(), sample=np.zeros((2, 4)), name="Ünlü", device="cpu")
    assert "Ünlü" in caught.value.sentence
    assert "Traceback" not in caught.value.sentence


def test_that_only_modules_are_taken() -> None:
    with pytest.raises(ModelError, match=r"torch\.nn\.Module"):
        network_from_module({"weights": 1}, device="cpu")  # type: ignore[arg-type] # what a user may do


def test_that_names_must_fit_the_outputs() -> None:
    with pytest.raises(ModelError, match="2 outputs; 3 class names"):
        network_from_module(small_network(), class_names=("a", "b", "c"), device="cpu")
    with pytest.raises(ModelError, match="takes 3 inputs; 1 input names"):
        network_from_module(small_network(), input_names=("a",), device="cpu")


def test_that_a_device_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(UserError, match="Choose one of: auto"):
        network_from_module(small_network(), device="cuda:99")


def test_that_a_module_that_can_not_be_copied_is_a_sentence() -> None:
    class Uncopied(nn.Linear):
        def __deepcopy__(self, _memo: object) -> Uncopied:
            raise RuntimeError("no copies")

    with pytest.raises(ModelError, match="can't be copied"):
        network_from_module(Uncopied(2, 1).half(), device="cpu")


def test_that_the_original_keeps_its_weights_when_a_copy_computes() -> None:
    module = small_network().half()
    weights = copy.deepcopy(module.state_dict())
    network_from_module(module, device="cpu")
    assert all(torch.equal(weights[key], value) for key, value in module.state_dict().items())


def test_that_a_gpu_computes_in_full_precision_while_measuring_and_as_before_afterwards() -> None:
    # No GPU is needed to see the settings that its libraries follow.
    from sensiview.models.state import full_precision

    kinds = (torch.backends.cudnn.conv, torch.backends.cudnn.rnn, torch.backends.cuda.matmul)
    before = [kind.fp32_precision for kind in kinds]
    with full_precision(torch.device("cuda:0")):
        assert [kind.fp32_precision for kind in kinds] == ["ieee"] * 3
    assert [kind.fp32_precision for kind in kinds] == before


def test_that_lazy_layers_are_not_settled_behind_the_users_back() -> None:
    module = nn.Sequential(nn.LazyLinear(3))
    with pytest.raises(ModelError, match="Run it once"):
        network_from_module(module, sample=np.zeros((2, 4)), device="cpu")
    assert isinstance(module[0], nn.LazyLinear)


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_that_torchscript_can_be_computed_with_but_not_looked_into() -> None:
    module = torch.jit.script(nn.Sequential(nn.Linear(3, 2), nn.Sigmoid())).train()
    network = network_from_module(module, sample=np.zeros((2, 3)), device="cpu")
    assert network.card.emits == "probability"
    assert "layers can't" in network.card.notes[0]
    assert all(layer.output_shape is None for layer in network.card.layers)
    assert module.training
