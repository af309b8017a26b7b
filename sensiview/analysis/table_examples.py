"""A small table and network that a screening shows itself on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sensiview.analysis.study import Study

if TYPE_CHECKING:
    from sensiview.datasets.table import Table
    from sensiview.models.network import Network


def table_study() -> Study:
    """Return 30 rows of three factors, and a network with fixed weights and two outputs."""

    def table() -> Table:
        import pandas as pd

        from sensiview.datasets.table import table_from_frame

        values = np.random.default_rng(5).uniform(-1.0, 1.0, (30, 3))
        return table_from_frame(pd.DataFrame(values, columns=["a", "b", "c"]), name="example")

    def network() -> Network:
        import torch

        from sensiview.models.network import network_from_module

        with torch.random.fork_rng():
            torch.manual_seed(7)
            module = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)).double()
        return network_from_module(module, sample=table().features()[:2], name="example", device="cpu")

    return Study(dataset=table().card, model=network().card, device="cpu", table_loader=table, network_loader=network)
