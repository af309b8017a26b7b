"""When memory runs out, the batch is halved and the numbers stay the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.evaluation import Evaluator
from sensiview.models.network import network_from_module

ERRORS: dict[str, Callable[[], BaseException]] = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    "cpu": lambda: RuntimeError(
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"
    ),
    "mps": lambda: RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
    "cublas": lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    "python": lambda: MemoryError(),
}


class Greedy(nn.Module):
    """Has no memory for more than `most` rows."""

    def __init__(self, most: int, error: Callable[[], BaseException]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.core = nn.Linear(3, 2)
        self.most, self.error = most, error
        self.sizes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.sizes.append(len(x))
        if len(x) > self.most:
            raise self.error()
        return self.core(x)


@pytest.mark.parametrize("kind", ERRORS)
def test_that_the_batch_is_halved_until_it_fits_and_the_numbers_are_those_of_one_batch(kind: str) -> None:
    rows = np.random.default_rng(0).normal(size=(1000, 3))
    module = Greedy(100, ERRORS[kind])
    warned: list[str] = []
    done: list[int] = []
    network = network_from_module(module, device="cpu")
    evaluator = Evaluator(network, ["auto", "core"], batch_size=600, warn=warned.append, on_batch=done.append)
    answer = evaluator(rows)
    expected = module.core(torch.tensor(rows, dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(answer, np.hstack([expected, expected]), rtol=1e-6, atol=1e-7)
    assert evaluator.batch_size == 75
    assert [sentence.split(" with ")[1].split(";")[0] for sentence in warned] == [
        "600 rows at once",
        "300 rows at once",
        "150 rows at once",
    ]
    assert done == [*range(75, 1000, 75), 1000]
    assert not any(part._forward_hooks for part in module.modules())


def test_that_the_smaller_batch_is_kept_for_the_next_call() -> None:
    module = Greedy(100, ERRORS["cpu"])
    evaluator = Evaluator(network_from_module(module, device="cpu"), warn=lambda _: None)
    evaluator(np.zeros((1000, 3)))
    size = evaluator.batch_size
    module.sizes.clear()
    evaluator(np.zeros((1000, 3)))
    assert size <= 100
    assert max(module.sizes) == size


def test_that_a_single_row_that_does_not_fit_is_a_sentence() -> None:
    module = Greedy(2, ERRORS["cuda"])
    network = network_from_module(module, name="huge", device="cpu")
    evaluator = Evaluator(network, batch_size=4, warn=lambda _: None)
    module.most = 0
    with pytest.raises(ModelError, match=r"'huge' does not fit into the memory of cpu with even one row"):
        evaluator(np.zeros((10, 3)))
    with pytest.raises(ModelError, match="even one row"):
        Evaluator(network)


def test_that_other_runtime_errors_are_not_taken_for_missing_memory() -> None:
    module = Greedy(2, lambda: RuntimeError("shapes cannot be multiplied"))
    evaluator = Evaluator(network_from_module(module, device="cpu"), batch_size=4)
    with pytest.raises(ModelError, match="cannot be multiplied"):
        evaluator(np.zeros((10, 3)))
    assert evaluator.batch_size == 4
