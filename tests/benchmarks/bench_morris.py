"""Morris screening against as many bare batched forward passes of the same network, and its memory as N grows.

Weights are random: time does not depend on them. The screening is run as a user runs it, from reading the image to the
maps, with fewer trajectories than usual; the peer passes are timed on a part of their rows in turns with it and scaled.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from harness import Benchmark, measure

_BATCHES = (1, 4, 16)


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _natural(side: int, channels: int = 3) -> np.ndarray:
    """A picture with edges and smooth places, as superpixels need it."""
    from scipy import ndimage

    rng = np.random.default_rng(2)
    smooth = ndimage.gaussian_filter(rng.standard_normal((channels, side, side)), (0, side / 16, side / 16))
    steps = np.round(3 * smooth / np.abs(smooth).max()) / 6
    return np.asarray(0.5 + steps + 0.02 * rng.random((channels, side, side)), dtype=np.float32)


def prepare_image(name: str, partition: str, trajectories: int) -> Callable[[], dict[str, float]]:
    """One 224 x 224 image."""
    import torch
    import torchvision

    import sensiview

    torch.manual_seed(1)
    module = torchvision.models.get_model(name).eval()
    picture = _natural(224)
    settings = {"partition": partition, "cells": 8, "n": trajectories, "target": "predicted", "resamples": 20}

    def ours() -> Any:
        return sensiview.analyse("morris", module, [picture], parameters=settings, progress=False)

    def bare(count: int) -> None:
        with torch.no_grad():
            module(torch.from_numpy(picture)[None].repeat(count, 1, 1, 1))

    return _compared(ours, bare)


def prepare_volume(trajectories: int) -> Callable[[], dict[str, float]]:
    """One volume of 2 mm under the network of the brain sample, regions of the atlas that comes with SensiView."""
    import nibabel as nib
    import torch
    from nilearn.datasets import load_mni152_template

    import sensiview
    from sensiview.models.architectures import architectures

    torch.manual_seed(1)
    template = load_mni152_template(resolution=4)
    data = np.asarray(template.get_fdata(), dtype=np.float32)
    image = nib.Nifti1Image(data, template.affine)
    image.header["sform_code"] = 4
    cnn3d = architectures()["cnn3d"]
    module = cnn3d.build(cnn3d.Options(channels=[8, 16, 32]), (1, *data.shape), 2).eval()
    settings = {"partition": "atlas", "atlas": "desikan_killiany", "n": trajectories, "resamples": 20}

    def ours() -> Any:
        return sensiview.analyse("morris", module, [image], parameters=settings, progress=False)

    def bare(count: int) -> None:
        with torch.no_grad():
            module(torch.from_numpy(data)[None, None].repeat(count, 1, 1, 1, 1))

    return _compared(ours, bare)


def _compared(ours: Callable[[], Any], bare: Callable[[int], None]) -> Callable[[], dict[str, float]]:
    def per_row(count: int) -> float:
        times = max(1, _BATCHES[-1] // count // 2)
        return _seconds(lambda: [bare(count) for _ in range(times)]) / times / count

    def call() -> dict[str, float]:
        ours()
        times, peers = [], []
        for _ in range(2):
            # The peer is the best of several numbers of rows at once, before and after.
            peers.append(min(per_row(count) for count in _BATCHES))
            began = time.perf_counter()
            result = ours()
            times.append(time.perf_counter() - began)
            peers.append(min(per_row(count) for count in _BATCHES))
        return {"ours": min(times), "peer": statistics.median(peers) * result.evaluations}

    return call


def prepare_memory(n: int) -> Callable[[], dict[str, float]]:
    """A screening of a small network; only N differs."""
    import torch
    import torchvision

    import sensiview

    torch.manual_seed(1)
    module = torchvision.models.squeezenet1_1().eval()
    settings = {"cells": 4, "n": n, "target": "predicted", "resamples": 20, "batch_size": 8}

    def call() -> dict[str, float]:
        sensiview.analyse("morris", module, [_natural(96)], parameters=settings, progress=False)
        return {}

    return call


def benchmarks() -> Iterator[Benchmark]:
    """Cells, superpixels, regions; memory."""
    for name, partition, share, trajectories in (
        ("vgg16", "grid", 0.4, 4),
        ("resnet50", "grid", 1.05, 4),
        ("vgg16", "superpixels", 1.1, 2),
        ("resnet18", "superpixels", 1.1, 4),
    ):
        yield _line(f"morris, {name} 224 x 224, 8 x 8 {partition}", share, prepare_image, name, partition, trajectories)
    yield _line("morris, cnn3d, regions of the atlas", 1.1, prepare_volume, 8)
    few, many = measure(prepare_memory, 16), measure(prepare_memory, 256)
    yield Benchmark(
        "morris, memory of N = 256 against N = 16 (MB)",
        many.peak_mb,
        "N = 16",
        few.peak_mb,
        many.peak_mb / few.peak_mb,
        "<= 1.2 x",
        many.peak_mb <= 1.2 * few.peak_mb,
        many.peak_mb,
    )


def _line(name: str, share: float, prepare: Callable[..., Any], *arguments: Any) -> Benchmark:
    run = measure(prepare, *arguments)
    ratio = run.value["peer"] / run.value["ours"]
    return Benchmark(
        name,
        run.value["ours"],
        "bare passes",
        run.value["peer"],
        ratio,
        f">= {1 / share:.2f} x",
        ratio >= 1 / share,
        run.peak_mb,
    )
