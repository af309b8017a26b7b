"""Result items as the analyses give them, small and with known numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sensiview.analysis.items import Curve, FieldMap, ImageSeries, IndexTable, Interval, Mask, Matrix, Note, Remark

FACTORS = ("Glucose", "BMI", "Age")
S1 = {"Glucose": 0.4, "BMI": 0.25, "Age": -0.01}
ST = {"Glucose": 0.5, "BMI": 0.2, "Age": 0.03}


def indices(outputs: tuple[str, ...] = ("Outcome=1",), factors: tuple[str, ...] = FACTORS) -> IndexTable:
    """First-order and total indices; Age's interval includes 0 and BMI has S1 above ST."""
    rows = []
    for shift, output in enumerate(outputs):
        for number, factor in enumerate(factors):
            s1, st = S1.get(factor, 0.001 * number) + 0.01 * shift, ST.get(factor, 0.002 * number) + 0.01 * shift
            rows.append((output, factor, s1, 0.02, st, 0.03, s1 - 0.021, s1 + 0.019, st - 0.03, st + 0.03))
    names = ["output", "factor", "S1", "S1_conf", "ST", "ST_conf", "S1_low", "S1_high", "ST_low", "ST_high"]
    remarks = []
    if factors == FACTORS:
        remarks = [
            Remark(2, "S1", "includes_zero", "The interval of Age includes 0."),
            Remark(1, "S1", "S1_above_ST", "S1 of BMI is above its ST: N is too small."),
        ]
    return IndexTable(
        title="First-order and total indices",
        description="Shares of the variance.",
        frame=pd.DataFrame(rows, columns=names),
        keys=("output", "factor"),
        values=("S1", "ST"),
        intervals={"S1": Interval("S1_conf", "S1_low", "S1_high"), "ST": Interval("ST_conf", "ST_low", "ST_high")},
        remarks=tuple(remarks),
    )


def second_order(factors: tuple[str, ...] = FACTORS) -> IndexTable:
    """Second-order indices, each pair once."""
    pairs = [(a, b) for k, a in enumerate(factors) for b in factors[k + 1 :]]
    rows = [("Outcome=1", a, b, 0.01 * (k + 1) * (-1) ** k, 0.005) for k, (a, b) in enumerate(pairs)]
    return IndexTable(
        title="Second-order indices",
        frame=pd.DataFrame(rows, columns=["output", "factor_1", "factor_2", "S2", "S2_conf"]),
        keys=("output", "factor_1", "factor_2"),
        values=("S2",),
        intervals={"S2": Interval("S2_conf")},
        plot="matrix",
        remarks=(Remark(1, "S2", "includes_zero", "The interval includes 0."),),
    )


def convergence(
    outputs: tuple[str, ...] = ("Outcome=1",), factors: tuple[str, ...] = FACTORS, largest: int = 10
) -> Curve:
    """Indices over N = 128, 256, ..., 2 ** largest; the last value of S1 is that of `indices`."""
    rows = []
    for output in outputs:
        for exponent in range(7, largest + 1):
            for number, factor in enumerate(factors):
                conf = 4.0 / 2 ** (exponent / 2)
                s1 = S1.get(factor, 0.001 * number) + (0.1 if exponent < largest else 0.0)
                rows.append((output, 2**exponent, factor, s1, conf, ST.get(factor, 0.002 * number), conf))
    names = ["output", "N", "factor", "S1", "S1_conf", "ST", "ST_conf"]
    return Curve(
        title="Convergence",
        frame=pd.DataFrame(rows, columns=names),
        x="N",
        y=("S1", "ST"),
        series=("output", "factor"),
        bands={"S1": Interval("S1_conf"), "ST": Interval("ST_conf")},
        x_scale="log2",
    )


def training() -> Curve:
    """Loss of train and test rows over epochs, and an accuracy in another unit."""
    epochs = np.arange(1, 101)
    frame = pd.DataFrame(
        {"epoch": epochs, "train_loss": 1.0 / epochs, "test_loss": 1.2 / epochs, "accuracy": epochs * 0.9}
    )
    return Curve(
        title="Training", frame=frame, x="epoch", y=("train_loss", "test_loss", "accuracy"), units={"accuracy": "%"}
    )


def accuracies() -> IndexTable:
    """Accuracy per subset and seed."""
    rows = [(s, k, base + 0.01 * k, base) for s, base in (("all", 0.8), ("best 4", 0.7)) for k in (1, 2, 3)]
    return IndexTable(
        title="Accuracies",
        frame=pd.DataFrame(rows, columns=["subset", "seed", "train", "test"]),
        keys=("subset", "seed"),
        values=("train", "test"),
        plot="points",
    )


def screening() -> IndexTable:
    """Two values per factor for a scatter plot."""
    frame = pd.DataFrame({"factor": FACTORS, "mu_star": [0.3, 0.2, 0.0], "sigma": [0.1, 0.2, 0.05]})
    return IndexTable(title="Screening", frame=frame, keys=("factor",), values=("mu_star", "sigma"), plot="scatter")


def correlation(size: int = 3) -> Matrix:
    """A symmetric matrix with 1 on the diagonal."""
    values = np.eye(size) * 1.5 - 0.5
    names = tuple(f"column {k}" for k in range(size))
    return Matrix(title="Correlation", values=values, rows=names, columns=names, value_name="Pearson", signed=True)


def volume() -> FieldMap:
    """A field over two blocks of 3 x 4 pixels; its value counts the elements."""
    return FieldMap(
        title="Map",
        values=np.arange(24, dtype=np.float64).reshape(2, 3, 4),
        axes=("block", "row", "column"),
        unit="probability",
        coordinates={"block": ("first", "second")},
    )


def mask() -> Mask:
    """A mask of three slices."""
    return Mask(title="Mask", values=np.linspace(0, 1, 60).reshape(3, 4, 5), axes=("z", "y", "x"))


def snapshots() -> ImageSeries:
    """Three colour pictures of 2 x 2 pixels."""
    return ImageSeries(title="Snapshots", values=np.linspace(0, 1, 36).reshape(3, 2, 2, 3), labels=("a", "b", "c"))


def note() -> Note:
    """A verdict."""
    return Note(title="Verdict", text="The ranking is stable.\n\nThe interval of Age includes 0.")


def every_kind() -> dict[str, object]:
    """Return one item of each kind and way to draw it."""
    return {
        "bars": indices(), "hidden_units": indices(tuple(f"fn1[{k}]" for k in range(10))), "matrix": second_order(),
        "curve": convergence(), "training": training(), "points": accuracies(), "scatter": screening(),
        "correlation": correlation(), "field": volume(), "mask": mask(), "series": snapshots(), "note": note(),
    }  # fmt: skip
