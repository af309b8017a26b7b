"""Sobol' indices against SALib: the estimator alone, and the whole study of a small network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from harness import Benchmark, largest_difference, measure

N = 65_536
STAGES = [2**k for k in range(7, 17)]
BOUNDS = [[0, 17], [0, 199], [0, 122], [0, 99], [0, 846], [0, 67.1], [0.078, 2.42], [21, 81]]


def _answers(n: int, n_factors: int) -> Any:
    """Something with effects of first and second order, in SALib's order."""
    import numpy as np

    per_point = 2 * n_factors + 2
    weights = np.linspace(1.0, 0.1, n_factors)
    rows = np.random.default_rng(1).random((n * per_point, n_factors))
    return rows @ weights + 0.5 * rows[:, 0] * rows[:, 1]


def _plain(first: Any, total: Any, second: Any) -> dict[str, Any]:
    """JSON values of (value, conf) pairs."""
    names = ("S1", "S1_conf", "ST", "ST_conf", "S2", "S2_conf")
    return {name: values.tolist() for name, values in zip(names, (*first, *total, *second), strict=True)}


def ours_indices(n: int, n_factors: int) -> Callable[[], Any]:
    """Indices of answers that are there."""
    import torch  # noqa: F401 - imports are not what is measured
    from scipy import special  # noqa: F401

    from sensiview.numerics.evaluations import Evaluations
    from sensiview.numerics.sobol_indices import estimate

    kept = Evaluations.from_rows(_answers(n, n_factors), 2 * n_factors + 2)

    def call() -> Any:
        found = estimate(kept, n, second_order=True, seed=1)
        assert found.second is not None
        assert found.second_conf is not None
        first, total = found.first, found.total
        second = (found.second[0], found.second_conf[0])
        return _plain((first.value[0], first.conf[0]), (total.value[0], total.conf[0]), second)

    return call


def salib_indices(n: int, n_factors: int) -> Callable[[], Any]:
    """The same by SALib."""
    from SALib.analyze import sobol

    y = _answers(n, n_factors)
    problem = {"num_vars": n_factors, "names": [f"x{i}" for i in range(n_factors)], "bounds": [[0, 1]] * n_factors}

    def call() -> Any:
        s = sobol.analyze(problem, y, seed=1)
        return _plain((s["S1"], s["S1_conf"]), (s["ST"], s["ST_conf"]), (s["S2"], s["S2_conf"]))

    return call


def _network() -> Any:
    """The network of the paper, 8-10-1, with fixed weights that make every layer vary over the bounds."""
    import torch

    torch.manual_seed(1)
    module = torch.nn.Sequential(
        torch.nn.Linear(8, 10),
        torch.nn.BatchNorm1d(10),
        torch.nn.ReLU(),
        torch.nn.Linear(10, 1),
        torch.nn.BatchNorm1d(1),
        torch.nn.Sigmoid(),
    )
    low, high = torch.tensor(BOUNDS).T
    with torch.no_grad():  # train mode: the running statistics become those of the box
        for _ in range(50):
            module(low + (high - low) * torch.rand(1000, 8))
    return module.eval()


def ours_study(n: int, outputs: list[str]) -> Callable[[], Any]:
    """Sample, evaluate, indices, convergence: the analysis as the program runs it."""
    import pandas as pd

    from sensiview.analysis.progress import Silent
    from sensiview.analysis.study import Study
    from sensiview.datasets.table import table_from_frame
    from sensiview.methods.sobol import Sobol, SobolParameters
    from sensiview.models import evaluation  # noqa: F401 - torch
    from sensiview.models.network import network_from_module

    names = [f"x{i}" for i in range(8)]
    table = table_from_frame(pd.DataFrame(list(zip(*BOUNDS, strict=True)), columns=names), name="box")
    network = network_from_module(_network(), sample=table.features(), name="net", device="cpu")
    study = Study(table.card, network.card, "cpu", table_loader=lambda: table, network_loader=lambda: network)
    parameters = SobolParameters(n=n, second_order=True, output=outputs)
    # Loads what the first run of a process loads.
    Sobol().run(study, SobolParameters(n=16, second_order=True, output=outputs), Silent())

    def call() -> Any:
        result = Sobol().run(study, parameters, Silent())
        rows, pairs, curve = (result[name].to_frame() for name in ("first_total", "second_order", "convergence"))
        single = curve["output"] == curve["output"].iloc[0]
        found = {name: rows[name][:8].tolist() for name in ("S1", "S1_conf", "ST", "ST_conf")}
        found |= {name: pairs[name][:28].tolist() for name in ("S2", "S2_conf")}
        return found | {f"convergence {name}": curve[name][single].tolist() for name in ("S1", "S1_conf", "ST")}

    return call


def salib_study(n: int) -> Callable[[], Any]:
    """The same as the authors did it: SALib's sample and analyze, the network on all rows at once."""
    import numpy as np
    import torch
    from SALib.analyze import sobol as analyze
    from SALib.sample import sobol as sample

    module = _network()
    problem = {"num_vars": 8, "names": [f"x{i}" for i in range(8)], "bounds": BOUNDS}

    def call() -> Any:
        rows = sample.sample(problem, n, calc_second_order=True, seed=1)
        with torch.no_grad():
            y = module(torch.from_numpy(rows).float())[:, 0].numpy().astype(np.float64)
        stages = [analyze.analyze(problem, y[: stage * 18], seed=1) for stage in STAGES if stage <= n]
        last, pairs = stages[-1], np.triu_indices(8, 1)
        found = {name: last[name].tolist() for name in ("S1", "S1_conf", "ST", "ST_conf")}
        found |= {name: last[name][pairs].tolist() for name in ("S2", "S2_conf")}
        return found | {
            f"convergence {name}": np.concatenate([s[name] for s in stages]).tolist()
            for name in ("S1", "S1_conf", "ST")
        }

    return call


def benchmarks() -> Iterator[Benchmark]:
    """Yield the lines of the table."""
    ours, peer = measure(ours_indices, N, 20, repeats=3), measure(salib_indices, N, 20)
    difference, ratio = largest_difference(ours.value, peer.value), peer.seconds / ours.seconds
    yield Benchmark(
        "indices, D = 20, N = 65,536, S2, 100 resamples",
        ours.seconds,
        "SALib",
        peer.seconds,
        ratio,
        "100 x faster, equal to 1e-10",
        ratio >= 100 and difference <= 1e-10,
        ours.peak_mb,
        peer.peak_mb,
        difference,
    )

    ours, peer = measure(ours_study, N, ["auto"], repeats=3), measure(salib_study, N)
    ratio = peer.seconds / ours.seconds
    yield Benchmark(
        "study of the 8-10-1 network, N = 128 ... 65,536, S2",
        ours.seconds,
        "SALib",
        peer.seconds,
        ratio,
        "20 x faster, a third of the memory",
        ratio >= 20 and ours.peak_mb <= peer.peak_mb / 3,
        ours.peak_mb,
        peer.peak_mb,
        largest_difference(ours.value, peer.value),
    )

    many = measure(ours_study, N, ["auto", "2"], repeats=3)
    yield Benchmark(
        "the output and all ten hidden units",
        many.seconds,
        "the output alone",
        ours.seconds,
        many.seconds / ours.seconds,
        "at most 3 x the time",
        many.seconds <= 3 * ours.seconds,
        many.peak_mb,
        ours.peak_mb,
    )

    large = measure(ours_study, 2**20, ["auto"])
    yield Benchmark(
        f"study of the 8-10-1 network, N = 1,048,576, S2 (process: {large.process_mb:,.0f} MB)",
        large.seconds,
        target="the whole process under 2 GB",
        met=large.process_mb < 2000,
        ours_mb=large.peak_mb,
    )
