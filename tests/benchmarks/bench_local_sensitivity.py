"""Local sensitivity of VGG-16 on 32 x 32 pixels: five blocks, three colours, against whole forward passes.

Ours is one sweep of all 3,072 perturbations of an image. The peers compute every perturbed image whole:

- as the publication does it, one perturbation per forward pass and one sweep for each block, up to that block;
- one perturbation per pass, all five blocks read from the one pass;
- in full batches, all five blocks read from the one pass.

They are timed on a part of the perturbations and scaled, in turns with ours and in the same process, so that a busy
machine slows all of them alike. The deep maps of 32 x 32 pixels change as a whole with any pixel, so that no exact
method can save them: two thirds of the multiplications are left.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from harness import Benchmark, measure

BATCH = 128
IN_BATCHES, ONE_BY_ONE = 256, 48
ROUNDS = 3
BLOCKS = tuple(f"block{number}" for number in range(1, 6))


def _network() -> Any:
    import torch

    from sensiview.models.image_modules import small_vgg
    from sensiview.models.network import network_from_module

    torch.manual_seed(1)
    module = small_vgg(3, 64, 1, (512,), 0.5, 10).eval()
    settings = {"kind": "image", "channels": 3, "size": [32, 32], "mean": [0.5], "std": [0.5]}
    sample = np.full((2, 3, 32, 32), 0.4, dtype=np.float32)
    # Statistics as after training, so that values keep one size from block to block.
    module.train()
    with torch.no_grad():
        for _ in range(8):
            module(torch.randn(16, 3, 32, 32))
    module.eval()
    return network_from_module(module, sample=sample, name="vgg16", preprocessing=settings, device="cpu")


def _images() -> Any:
    from sensiview.datasets.image_memory import images_from_arrays

    pixels = np.random.default_rng(3).uniform(0, 1, (1, 32, 32, 3)).astype(np.float32)
    return images_from_arrays(pixels)


def sweep() -> Callable[[], dict[str, Any]]:
    """Prepare the network; the call returns the seconds of the three ways and how far they are apart."""
    import torch

    from sensiview.models.capture import LayerCapture, capturing
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.sensitivity_sweep import BlockSweep, Perturbation

    network = _network()
    inputs = ImageInputs(network, _images())
    perturbation = Perturbation("gaussian", "authors")
    found = BlockSweep(inputs, BLOCKS, perturbation)
    assert found.incremental, found.how
    base = inputs.prepared(inputs.tensor([0]))
    changes = torch.from_numpy(perturbation.changes(0, (3, 32, 32)))
    order = np.random.default_rng(5).permutation(3 * 32 * 32)

    def ours() -> np.ndarray[Any, Any]:
        work = found.begin(0)
        work.run(lambda rows: None, lambda sentence: None)
        return work.maps().reshape(len(BLOCKS), -1)

    def whole(numbers: np.ndarray[Any, Any], batch: int) -> np.ndarray[Any, Any]:
        captures = [LayerCapture(name) for name in BLOCKS]
        norms = np.zeros((len(BLOCKS), len(numbers)))
        with network.measuring(), capturing(network.module, captures):
            network.module(base)
            before = [capture.take(1) for capture in captures]
            for begin in range(0, len(numbers), batch):
                chosen = numbers[begin : begin + batch]
                rows = base.repeat(len(chosen), 1, 1, 1)
                flat = rows.view(len(chosen), -1)
                flat[torch.arange(len(chosen)), torch.from_numpy(chosen)] += changes.flatten()[chosen].float()
                network.module(rows)
                for block, capture in enumerate(captures):
                    difference = (capture.take(len(chosen)) - before[block]).flatten(1).double()
                    norms[block, begin : begin + batch] = difference.norm(dim=1).numpy()
        return norms

    def by_block(numbers: np.ndarray[Any, Any]) -> None:
        parts = [part for name, part in network.module.named_children() if name in BLOCKS]
        with network.measuring():
            for last in range(1, len(parts) + 1):
                upto = torch.nn.Sequential(*parts[:last])
                before = upto(base)
                for number in numbers:
                    row = base.clone()
                    row.view(-1)[number] += changes.flatten()[number].float()
                    float((upto(row) - before).norm())

    def call() -> dict[str, Any]:
        seconds: dict[str, list[float]] = {"ours": [], "batches": [], "single": [], "published": []}
        mine = ours()  # once for the caches
        whole(order[:BATCH], BATCH)
        difference = 0.0
        for _ in range(ROUNDS):
            began = time.perf_counter()
            mine = ours()
            seconds["ours"].append(time.perf_counter() - began)
            began = time.perf_counter()
            wanted = whole(order[:IN_BATCHES], BATCH)
            seconds["batches"].append((time.perf_counter() - began) * order.size / IN_BATCHES)
            began = time.perf_counter()
            whole(order[:ONE_BY_ONE], 1)
            seconds["single"].append((time.perf_counter() - began) * order.size / ONE_BY_ONE)
            began = time.perf_counter()
            by_block(order[:ONE_BY_ONE])
            seconds["published"].append((time.perf_counter() - began) * order.size / ONE_BY_ONE)
            difference = max(difference, float(np.abs(mine[:, order[:IN_BATCHES]] - wanted).max()))
        largest = float(np.abs(mine).max())
        return {**{name: statistics.median(values) for name, values in seconds.items()}, "difference": difference,
                "largest": largest}  # fmt: skip

    return call


def benchmarks() -> Iterator[Benchmark]:
    """Yield the sweep against one perturbation per pass, with a sweep per block and without, and against batches."""
    found = measure(sweep)
    value = found.value
    for name, peer, times in (
        ("published", "one perturbation per pass, a sweep per block", 40.0),
        ("single", "one perturbation per pass, all blocks at once", 0.0),
        ("batches", f"whole images, batches of {BATCH}", 3.0),
    ):
        ratio = value[name] / value["ours"]
        equal = value["difference"] <= 1e-5 * max(1.0, value["largest"])
        yield Benchmark(
            f"local_sensitivity, VGG-16 32 x 32, 5 blocks, 3 colours, against {name}",
            value["ours"],
            peer,
            value[name],
            ratio=ratio,
            target=f">= {times:g} times, equal to 1e-5" if times else "",
            met=ratio >= times and equal,
            ours_mb=found.peak_mb,
            max_difference=value["difference"],
        )
