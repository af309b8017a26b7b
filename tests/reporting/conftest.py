"""Items and records as runs leave them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sensiview.analysis.items import Curve, IndexTable, Interval, Item, Matrix, Note, Remark
from sensiview.reporting.anatomy import Anatomy
from sensiview.reporting.export import Draw

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def first_total() -> IndexTable:
    frame = pd.DataFrame(
        {
            "output": ["Outcome=1"] * 3,
            "factor": ["Glucose, mg/dl", 'BMI "raw"', "Âge"],
            "S1": [0.4, 0.3, -0.001],
            "S1_conf": [0.01, 0.01, 0.01],
            "ST": [0.5, 0.35, 0.1 / 3],
            "ST_conf": [0.01, 0.01, 0.05],
            "ST_low": [0.49, 0.34, -0.01],
            "ST_high": [0.51, 0.36, 0.08],
        }
    )
    return IndexTable(
        title="First-order and total indices",
        description="Shares of the variance.",
        frame=frame,
        keys=("output", "factor"),
        values=("S1", "ST"),
        intervals={"S1": Interval("S1_conf"), "ST": Interval("ST_conf", "ST_low", "ST_high")},
        remarks=(Remark(2, "ST", "includes_zero", "The interval of Âge includes 0."),),
    )


@pytest.fixture
def items(first_total: IndexTable) -> dict[str, Item]:
    convergence = pd.DataFrame({"output": "Outcome=1", "N": [512, 1024], "factor": "Âge", "S1": [0.1, np.nan]})
    return {
        "first_total": first_total,
        "second_order": Matrix(
            title="Second-order indices",
            values=np.array([[0.0, 0.25], [np.nan, 1 / 3]]),
            rows=("a", "b"),
            columns=("a", "b"),
            row_axis="factor",
            column_axis="factor",
        ),
        "convergence": Curve(title="Convergence", frame=convergence, x="N", y=("S1",), series=("factor",)),
        "verdict": Note(title="Verdict", text="N is large enough."),
    }


@pytest.fixture
def record() -> dict[str, Any]:
    return {
        "id": "sobol-0001",
        "name": "Sobol' <indices>",
        "kind": "analysis",
        "analysis": "sobol",
        "revision": 2,
        "parameters": {"n": 1024, "second_order": True, "resamples": 100, "confidence": 0.95, "target": "all"},
        "dataset": "dataset-0001",
        "dataset_name": "Pima",
        "model": "model-0001",
        "model_name": "net",
        "device": "cpu",
        "seed": 7,
        "batch_size": None,
        "state": "succeeded",
        "created": "2026-11-21T14:00:00+00:00",
        "finished": "2026-11-21T14:02:05+00:00",
        "seconds": 125.2,
        "evaluations": 8192,
        "warnings": ["3 rows were left out."],
        "message": "",
        "versions": {"sensiview": "0.1.0", "python": "3.11", "torch": "2.15"},
        "fingerprints": {"dataset": ["ab" * 32], "model": "cd" * 32},
        "extends": None,
    }


@pytest.fixture
def draw() -> Draw:
    """Stand in for the window's plots: a file that says what it is of."""

    def write(item: Item, path: Path, anatomy: Anatomy | None) -> bool:
        if path.suffix == ".png":
            path.write_bytes(PNG + item.title.encode())
        else:
            path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg"><title>{item.title}</title></svg>')
        return True

    return write
