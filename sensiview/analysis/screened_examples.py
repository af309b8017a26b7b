"""Small studies with finished screenings that the analyses of screenings show themselves on: what matters is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sensiview.analysis.items import Array, FieldMap, IndexTable, Item
from sensiview.analysis.map_examples import image_study, volume_study
from sensiview.analysis.result import Result
from sensiview.analysis.screening_runs import SCREENING
from sensiview.analysis.study import Finished, Study
from sensiview.numerics.screening.designs import Floats

if TYPE_CHECKING:
    from sensiview.datasets.table import Table
    from sensiview.models.network import Network

_CELLS = {"images": 4, "volumes": 3}


def screened_study(kind: str) -> Study:
    """Return a small study of a kind of data with the screenings ``planted``, which is right, and ``noise``."""
    study = {"images": image_study, "volumes": _volume_study, "table": _table_study}[kind]()
    # One network for all, so that whoever watches it sees everything that the runs do with it.
    network = study.network()
    study = replace(study, network_loader=lambda: network)
    if kind == "table":
        runs = {
            name: finished_screening(
                study, name, ("",), ("a", "b", "c"), values[None, :, None], sigma * values[None, :, None]
            )
            for name, values, sigma in (
                ("planted", np.array([6.0, 2.0, 0.1]), 0.5),
                ("noise", np.array([1.0, 2.0, 3.0]), 2.0),
            )
        }
        return replace(study, runs=runs)
    dataset = study.dataset
    assert dataset is not None
    names, labels = tuple(dataset.extra["names"]), _cells(kind)
    numbers = np.arange(labels.max() + 1)
    planted = np.bincount(labels.ravel(), weights=_planted(kind).ravel(), minlength=len(numbers)) + 0.01 * numbers
    # Of each input as much as of the others, and a little of its own.
    own = 1 + 0.01 * np.random.default_rng(1).random((len(names), len(numbers)))
    noise = np.random.default_rng(2).random((len(names), len(numbers)))
    factors = [f"cell {number + 1}" for number in numbers]
    runs = {
        name: finished_screening(
            study,
            name,
            names,
            factors,
            values[:, :, None],
            sigma * values[:, :, None],
            labels=labels,
            partition="grid",
            cells=_CELLS[kind],
        )
        for name, values, sigma in (("planted", planted * own, 0.5), ("noise", noise, 2.0))
    }
    return replace(study, runs=runs)


def finished_screening(
    study: Study,
    name: str,
    names: Sequence[str],
    factors: Sequence[str],
    mu_star: Floats,
    sigma: Floats | None = None,
    *,
    outputs: Sequence[str] = ("predicted class",),
    labels: Array | None = None,
    network: Callable[[], Network] | None = None,
    **parameters: Any,
) -> Finished:
    """Return a finished screening with given measures.

    Parameters
    ----------
    study : Study
        Of its data set and network.
    name : str
        Of the run.
    names : sequence of str
        Of the inputs; one empty name for a table as a whole.
    factors : sequence of str
    mu_star, sigma : ndarray
        (inputs, factors, outputs); sigma is half of mu_star by default.
    outputs : sequence of str
    labels : ndarray, optional
        The part of each place, from 0, -1 outside: (*shape) of all inputs, or (inputs, *shape).
    network : callable, optional
        Of the run; the study's by default.
    parameters
        As the run recorded them.
    """
    import pandas as pd

    assert study.dataset is not None
    key = {"images": "image", "volumes": "subject"}.get(study.dataset.kind, "row") if any(names) else ""
    spread = 0.5 * mu_star if sigma is None else sigma
    rows = [
        ({key: one} if key else {})
        | {"output": output, "factor": factor, "mu_star": mu_star[i, j, k], "sigma": spread[i, j, k]}
        for i, one in enumerate(names)
        for k, output in enumerate(outputs)
        for j, factor in enumerate(factors)
    ]
    items: dict[str, Item] = {
        "screening": IndexTable(
            title="Screening",
            description="mu_star and sigma of each part.",
            frame=pd.DataFrame(rows),
            keys=(*([key] if key else []), "output", "factor"),
            values=("mu_star", "sigma"),
            units=dict.fromkeys(("mu_star", "sigma"), "probability per range"),
            plot="screening",
        )
    }
    if labels is not None:
        items["parts"] = _parts(study, labels, names, key)
    return Finished(
        id=name,
        name=name,
        analysis=SCREENING,
        parameters=parameters,
        dataset=study.dataset,
        model=study.model,
        network=network or study.network_loader,
        result=lambda: Result(items),
    )


def _parts(study: Study, labels: Array, names: Sequence[str], key: str) -> FieldMap:
    volumes = study.dataset is not None and study.dataset.kind == "volumes"
    space = ("z", "y", "x") if volumes else ("y", "x")
    several = labels.ndim > len(space)
    values = np.swapaxes(labels, -1, -3) if volumes else labels
    return FieldMap(
        title="Parts",
        description="Number of the part.",
        values=(values + 1).astype(np.int32),
        axes=(*([key] if several else []), *space),
        unit="part",
        coordinates={key: tuple(names)} if several else {},
        affine=np.array(study.dataset.extra["affine"]) if volumes and study.dataset is not None else None,
    )


def _cells(kind: str) -> Array:
    from sensiview.numerics.screening.cells import grid_labels

    shape = (16, 16) if kind == "images" else (12, 12, 12)
    return grid_labels(shape, [_CELLS[kind]] * len(shape))


def _planted(kind: str) -> Floats:
    """Return 1 where the example's network looks, (*shape)."""
    if kind == "images":
        from sensiview.numerics.example_images import PLANTED

        found = np.zeros((16, 16))
        found[PLANTED] = 1.0
        return found
    from sensiview.numerics.example_volumes import PLANTED as BOX

    found = np.zeros((12, 12, 12))
    found[BOX] = 1.0
    return found


def _volume_study() -> Study:
    """Return the example's volumes, with a network that needs less to call them ``AD``: it is right for all."""

    def network() -> Network:
        import torch

        from sensiview.models.network import network_from_module
        from sensiview.numerics.example_volumes import example_module, example_volumes

        module = example_module()
        with torch.no_grad():
            dict(module.named_parameters())["7.bias"].copy_(torch.tensor([-0.6, 0.6]))
        sample = example_volumes().batch([0, 1])
        return network_from_module(module, sample=sample, name="example", class_names=("AD", "CN"), device="cpu")

    return replace(volume_study(), model=network().card, network_loader=network)


def _table_study() -> Study:
    """Return 40 rows of three columns and a network that looks at the first most, at the third hardly."""
    weights = np.array([6.0, 2.0, 0.1])

    def table() -> Table:
        import pandas as pd

        from sensiview.datasets.table import table_from_frame

        values = np.random.default_rng(5).uniform(-1.0, 1.0, (40, 3))
        frame = pd.DataFrame(values, columns=["a", "b", "c"])
        frame["class"] = (values @ weights > 0).astype(int)
        return table_from_frame(frame, name="example", target="class")

    def network() -> Network:
        import torch

        from sensiview.models.network import network_from_module

        module = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Sigmoid()).double()
        module.load_state_dict({"0.weight": torch.from_numpy(weights[None]), "0.bias": torch.zeros(1)})
        return network_from_module(module, sample=table().features()[:2], name="example", device="cpu")

    return Study(dataset=table().card, model=network().card, device="cpu", table_loader=table, network_loader=network)
