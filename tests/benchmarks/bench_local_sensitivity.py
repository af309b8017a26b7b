"""Local sensitivity of VGG-16 on 32 x 32 pixels: five blocks, three colours, against whole forward passes.

Ours is one sweep of all 3,072 perturbations of an image. The peers compute every perturbed image whole:

- as the publication's program does it: one perturbation per forward pass, each pass through the whole network, and
  a sweep of its own for each block and colour (the block is chosen by hand, and the program run again);
- one perturbation per pass and a sweep per block, each pass no further than the block;
- one perturbation per pass, all five blocks read from the one pass;
- in full batches, all five blocks read from the one pass.

They are timed on a part of the perturbations and scaled, in turns with ours and in the same process, so that a busy
machine slows all of them alike; of the rounds, the shortest time of each counts. Everything is timed with one thread
and with two.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from harness import Benchmark, measure

BATCH = 128
IN_BATCHES, ONE_BY_ONE = 256, 48
ROUNDS = 3
THREADS = (1, 2)
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


def sweep(threads: int) -> Callable[[], dict[str, Any]]:
    """Prepare the network; the call returns the seconds of each way and how far ours is from the batches."""
    import torch

    from sensiview.models.capture import LayerCapture, capturing
    from sensiview.numerics.image_inputs import ImageInputs
    from sensiview.numerics.sensitivity_sweep import BlockSweep, Perturbation

    torch.set_num_threads(threads)
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

    def published(numbers: np.ndarray[Any, Any]) -> None:
        for name in BLOCKS:
            capture = LayerCapture(name)
            with network.measuring(), capturing(network.module, [capture]):
                network.module(base)
                before = capture.take(1).flatten(1)
                for number in numbers:
                    noise = torch.zeros_like(base)
                    noise.view(-1)[number] = changes.flatten()[number].float()
                    network.module(base + noise)
                    float((capture.take(1).flatten(1) - before).norm())

    def truncated(numbers: np.ndarray[Any, Any]) -> None:
        parts = [part for name, part in network.module.named_children() if name in BLOCKS]
        with network.measuring():
            for last in range(1, len(parts) + 1):
                upto = torch.nn.Sequential(*parts[:last])
                before = upto(base)
                for number in numbers:
                    row = base.clone()
                    row.view(-1)[number] += changes.flatten()[number].float()
                    float((upto(row) - before).norm())

    def timed(way: Callable[[], Any], perturbations: int) -> float:
        began = time.perf_counter()
        way()
        return (time.perf_counter() - began) * order.size / perturbations

    def call() -> dict[str, Any]:
        few = order[:ONE_BY_ONE]
        ways: dict[str, tuple[Callable[[], Any], int]] = {
            "ours": (ours, order.size),
            "batches": (lambda: whole(order[:IN_BATCHES], BATCH), IN_BATCHES),
            "single": (lambda: whole(few, 1), few.size),
            "truncated": (lambda: truncated(few), few.size),
            "published": (lambda: published(few), few.size),
        }
        # Once for the caches, and for what comes out.
        mine, wanted = ours(), whole(order[:IN_BATCHES], BATCH)
        rounds = [{name: timed(*way) for name, way in ways.items()} for _ in range(ROUNDS)]
        return {
            **{name: min(each[name] for each in rounds) for name in ways},
            "difference": float(np.abs(mine[:, order[:IN_BATCHES]] - wanted).max()),
            "largest": float(np.abs(mine).max()),
        }

    return call


def benchmarks() -> Iterator[Benchmark]:
    """Yield the sweep against one perturbation per pass, in the three ways, and against batches."""
    for threads in THREADS:
        found = measure(sweep, threads)
        value = found.value
        equal = value["difference"] <= 1e-5 * max(1.0, value["largest"])
        for name, peer, times in (
            ("published", "one per pass, whole network, a sweep per block", 40.0),
            ("truncated", "one per pass, up to the block, a sweep per block", 0.0),
            ("single", "one per pass, all blocks at once", 0.0),
            ("batches", f"whole images, batches of {BATCH}", 3.0),
        ):
            ratio = value[name] / value["ours"]
            yield Benchmark(
                f"local_sensitivity, VGG-16 32 x 32, 5 blocks, 3 colours, {threads} thread{'s' * (threads > 1)}",
                value["ours"],
                peer,
                value[name],
                ratio=ratio,
                target=f">= {times:g} times, equal to 1e-5" if times else "",
                met=ratio >= times and equal,
                ours_mb=found.peak_mb,
                max_difference=value["difference"],
            )
