"""Incremental inference against whole inference: occlusion and trajectories.

Weights are random: time does not depend on them. Ours and the peer take turns in the same process, so that other work
on the machine meets both; what counts is the ratio of the medians. A long peer is timed on a part of its rows, which
the table states, and scaled.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from harness import Benchmark, measure


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _taking_turns(ours: Callable[[], Any], peer: Callable[[], Any], turns: int) -> dict[str, float]:
    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(turns)]
    return {"ours": statistics.median(a for a, _ in pairs), "peer": statistics.median(b for _, b in pairs)}


def _torchvision(name: str) -> Any:
    import torch
    import torchvision

    torch.manual_seed(1)
    return torchvision.models.get_model(name).eval()


# Captum's windows, of an eighth of the image: their size does not matter for its time, their number does.
PART = 28


def prepare_occlusion(name: str, window: int) -> Callable[[], dict[str, float]]:
    """Windows of a 224 x 224 image; Captum, timed on a part of them, with the best of several numbers of rows at once.

    Ours is compared with Captum where Captum has windows, and elsewhere, at random, with the network itself.
    """
    import torch
    from captum.attr import Occlusion

    from sensiview.numerics.incremental.engine import IncrementalNetwork
    from sensiview.numerics.incremental.results import Patches
    from sensiview.numerics.occlusion_windows import Windows

    module, x = _torchvision(name), torch.rand(1, 3, 224, 224)
    fill = torch.zeros(3, 224, 224)

    def boxes(size: int) -> Any:
        windows = Windows((224, 224), (size, size), (size, size))
        return np.array([[e for s in windows.place(i) for e in (s.start, s.stop)] for i in range(len(windows))])

    def ours(size: int) -> Any:
        network = IncrementalNetwork.build(module, x)
        base = network.keep(x)
        outputs = network.evaluate(base, Patches.filled(boxes(size), fill)).outputs
        return (base.outputs - outputs)[:, 0].double().numpy()

    def captum(at_once: int) -> Any:
        sizes = (3, PART, PART)
        with torch.no_grad():
            found = Occlusion(module).attribute(x, sizes, sizes, target=0, perturbations_per_eval=at_once)
        return found[0, 0, ::PART, ::PART].flatten().double().numpy()

    def bare(numbers: Any) -> Any:
        rows = x.repeat(len(numbers), 1, 1, 1)
        for row, (top, bottom, left, right) in zip(rows, boxes(window)[numbers], strict=True):
            row[:, top:bottom, left:right] = 0
        with torch.no_grad():
            return (module(x) - module(rows))[:, 0].double().numpy()

    def call() -> dict[str, float]:
        times = {n: _seconds(lambda n=n: captum(n)) for n in (1, 8, 32)}
        best = min(times, key=lambda n: times[n])
        kept: dict[str, Any] = {}
        found = _taking_turns(lambda: kept.update(ours=ours(window)), lambda: kept.update(peer=captum(best)), 1)
        some = np.random.default_rng(1).permutation(len(kept["ours"]))[:16]
        worst = max(
            float(np.abs(ours(PART) - kept["peer"]).max()), float(np.abs(kept["ours"][some] - bare(some)).max())
        )
        count = len(kept["peer"])
        peer = found["peer"] * len(kept["ours"]) / count
        return {"ours": found["ours"], "peer": peer, "difference": worst, "at_once": best, "part": count}

    return call


def prepare_walk(name: str, trajectories: int, steps: int) -> Callable[[], dict[str, float]]:
    """Trajectories over an 8 x 8 grid of cells, in random order; the peer runs the bare network on full rows."""
    import torch

    from sensiview.numerics.incremental.engine import IncrementalNetwork
    from sensiview.numerics.incremental.results import Patches
    from sensiview.numerics.incremental.trajectories import walk

    module = _torchvision(name)
    random = np.random.default_rng(1)
    order = np.stack([random.permutation(64) for _ in range(trajectories)])
    starts, cells = torch.rand(trajectories, 3, 224, 224), torch.rand(trajectories, 3, 28, 28)
    network = IncrementalNetwork.build(module, starts[:1])

    def at(numbers: Any, step: int) -> Patches:
        y, x = order[numbers, step] // 8 * 28, order[numbers, step] % 8 * 28
        return Patches(np.stack([y, y + 28, x, x + 28], axis=1), cells[torch.from_numpy(numbers)])

    def ours() -> Any:
        return walk(network, starts, steps, at)

    def bare() -> None:
        with torch.no_grad():
            for begin in range(0, trajectories, 8):
                module(starts[begin : begin + 8])

    def call() -> dict[str, float]:
        bare()
        # The first points are whole passes as well: they count once in a trajectory of 65 points.
        found = _taking_turns(ours, bare, 2)
        points = trajectories * 65
        first, per_step = found["peer"], (found["ours"] - found["peer"]) / steps
        return {"ours": first + 64 * per_step, "peer": found["peer"] / trajectories * points}

    return call


def benchmarks() -> Iterator[Benchmark]:
    """Occlusion and trajectories."""
    for name, target in (("resnet18", 1.5), ("vgg16", 4.0)):
        run = measure(prepare_occlusion, name, 8)
        value = run.value
        ratio = value["peer"] / value["ours"]
        yield Benchmark(
            f"occlusion, {name} 224 x 224, 8 x 8 windows",
            value["ours"],
            f"Captum, {value['at_once']} at once, timed on {value['part']} windows",
            value["peer"],
            ratio,
            f">= {target} x, 1e-4",
            ratio >= target and value["difference"] <= 1e-4,
            run.peak_mb,
            max_difference=value["difference"],
        )
    for name, share in (("vgg16", 0.4), ("resnet50", 1.05)):
        run = measure(prepare_walk, name, 16, 4)
        ratio = run.value["peer"] / run.value["ours"]
        yield Benchmark(
            f"trajectories, {name} 224 x 224, 8 x 8 cells",
            run.value["ours"],
            "bare passes",
            run.value["peer"],
            ratio,
            f">= {1 / share:.2f} x",
            ratio >= 1 / share,
            run.peak_mb,
        )
