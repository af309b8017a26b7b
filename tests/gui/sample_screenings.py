"""Results of screenings as `morris` gives them, small and with known numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sensiview.analysis.items import FieldMap, ImageSeries, IndexTable, Interval, Item, Remark

OUTPUTS = ("cat", "dog", "ship")
IMAGES = ("a.png", "b.png")
UNIT = "logit per range of the factor"
_COLUMNS = (
    "mu", "mu_star", "mu_star_conf", "sigma", "mu_conf", "sigma_conf", "mu_low", "mu_high", "mu_star_low",
    "mu_star_high", "sigma_low", "sigma_high",
)  # fmt: skip


def screening(
    rows: Sequence[tuple[object, ...]], keys: tuple[str, ...], remarks: tuple[Remark, ...] = ()
) -> IndexTable:
    """A table of rows (*keys, mu_star, sigma, mu); every half width is a tenth of its value."""
    whole = []
    for *names, mu_star, sigma, mu in rows:
        halves = [0.1 * abs(float(v)) for v in (mu, mu_star, sigma)]
        ends = [(float(v) - h, float(v) + h) for v, h in zip((mu, mu_star, sigma), halves, strict=True)]
        whole.append((*names, mu, mu_star, halves[1], sigma, halves[0], halves[2], *ends[0], *ends[1], *ends[2]))
    measures = ("mu", "mu_star", "sigma")
    return IndexTable(
        title="Screening",
        description="Mean size of the elementary effects and their spread.",
        frame=pd.DataFrame(whole, columns=[*keys, *_COLUMNS]),
        keys=keys,
        values=("mu_star", "sigma", "mu"),
        units=dict.fromkeys(measures, UNIT),
        intervals={m: Interval(f"{m}_conf", f"{m}_low", f"{m}_high") for m in measures},
        remarks=remarks,
        plot="screening",
    )


def table_screening() -> IndexTable:
    """Four factors of a table: two linear, one interacting, one without effect."""
    rows = [("Glucose", 1.0, 0.2, 1.0), ("BMI", 0.5, 0.1, -0.5), ("Age", 0.4, 0.6, 0.1), ("Insulin", 0.01, 0.02, 0.0)]
    return screening([("diabetes", *row) for row in rows], ("output", "factor"))


def cell_names(side: int) -> list[str]:
    """Names of the cells of a grid, row by row."""
    return [f"row {y + 1}, column {x + 1}" for y in range(side) for x in range(side)]


def image_screening(side: int = 8, pixels: int = 64) -> dict[str, Item]:
    """Two images, three outputs, cells; the effect of cell k grows with k, those of odd columns interact."""
    names, rows = cell_names(side), []
    for shift, image in enumerate(IMAGES):
        for number, output in enumerate(OUTPUTS):
            for k, name in enumerate(names):
                mu_star = (k + 1.0) / len(names) * (1 + number) + 0.01 * shift
                if k < 2:
                    mu_star = 0.0
                sigma = mu_star * (0.8 if k % 2 else 0.2)
                rows.append((image, output, name, mu_star, sigma, mu_star if not k % 2 else 0.4 * mu_star))
    remarks = (Remark(0, "mu_star", "no_effect", "The part is black: there is nothing to vary."),)
    cells = np.arange(pixels) * side // pixels
    labels = (cells[:, None] * side + cells[None, :] + 1).astype(np.int32)
    factors = [
        (image, name, k + 1, 100.0 * k, 0.0, 200.0 * k, int((labels == k + 1).sum()), 1.0 / side**2, 0.0, 0.0)
        for image in IMAGES for k, name in enumerate(names)
    ]  # fmt: skip
    columns = ["image", "factor", "number", "value", "low", "high", "places", "share", "y", "x"]
    return {
        "screening": screening(rows, ("image", "output", "factor"), remarks),
        "factors": IndexTable(
            title="Factors", frame=pd.DataFrame(factors, columns=columns), keys=("image", "factor"),
            values=("value",), plot="none",
        ),
        "parts": FieldMap(title="Parts", values=labels, axes=("y", "x"), unit="part"),
        "input": seen(pixels),
        "map_mu_star": _map(rows, labels, 3, "mu_star"),
        "map_sigma": _map(rows, labels, 4, "sigma"),
    }  # fmt: skip


def seen(pixels: int = 64) -> ImageSeries:
    """Two colour pictures: a slope with a bright disc, and one without."""
    y, x = np.mgrid[:pixels, :pixels] / pixels
    disc = ((x - 0.6) ** 2 + (y - 0.6) ** 2 < 0.06).astype(float)
    first = np.stack([0.2 + 0.5 * x, 0.3 + 0.3 * y, 0.6 - 0.3 * x], axis=-1)
    first = np.where(disc[..., None] > 0, np.array([0.9, 0.75, 0.3]), first)
    values = np.stack([first, first[::-1]])
    return ImageSeries(title="Input", values=(255 * values).astype(np.uint8), labels=IMAGES, axis="image")


def _map(rows: Sequence[tuple[object, ...]], labels: np.ndarray, column: int, name: str) -> FieldMap:
    numbers = np.array([float(row[column]) for row in rows])  # type: ignore[arg-type]
    by_part = numbers.reshape(len(IMAGES), len(OUTPUTS), -1)
    return FieldMap(
        title=f"Map of {name}", values=by_part[:, :, labels - 1].astype(np.float32), axes=("image", "target", "y", "x"),
        unit=UNIT, coordinates={"image": IMAGES, "target": OUTPUTS},
    )  # fmt: skip


def many(count: int, seed: int = 1) -> IndexTable:
    """Many factors: most of little effect."""
    rng = np.random.default_rng(seed)
    mu_star = rng.exponential(0.02, count)
    sigma = mu_star * rng.uniform(0.05, 1.6, count)
    rows = [("cat", f"part {k + 1}", m, s, m * rng.uniform(-1, 1)) for k, (m, s) in
            enumerate(zip(mu_star, sigma, strict=True))]  # fmt: skip
    return screening(rows, ("output", "factor"))


def volume_screening(
    shape: tuple[int, int, int], affine: np.ndarray, subjects: tuple[str, ...] = (), side: int = 2
) -> dict[str, Item]:
    """Blocks of a volume (i, j, k), side ** 3 of them, for each subject; block n has mu_star n, odd ones interact."""
    places = [np.arange(n) * side // n for n in shape]
    labels = (places[0][:, None, None] * side + places[1][None, :, None]) * side + places[2][None, None, :] + 1
    count = side**3
    names = [f"region {n}" for n in range(1, count + 1)]
    rows = []
    for shift, subject in enumerate(subjects or ("",)):
        for n, name in enumerate(names, start=1):
            mu_star = float(n + shift)
            rows.append((*((subject,) if subjects else ()), "patient", name, mu_star, mu_star * (n % 2), mu_star))
    keys = (*(("subject",) if subjects else ()), "output", "factor")
    numbers = np.arange(count + 1, dtype=np.float32)
    plain = numbers[labels].swapaxes(0, 2)
    values = np.stack([plain + shift for shift in range(len(subjects))]) if subjects else plain
    factors = pd.DataFrame({"factor": names, "number": range(1, count + 1)})
    if subjects:
        factors = pd.concat([factors.assign(subject=subject) for subject in subjects], ignore_index=True)
    axes = (*(("subject",) if subjects else ()), "z", "y", "x")
    coordinates = {"subject": subjects} if subjects else {}
    return {
        "screening": screening(rows, keys),
        "factors": IndexTable(title="Factors", frame=factors, keys=("factor",), values=("number",), plot="none"),
        "parts": FieldMap(title="Parts", values=labels.swapaxes(0, 2).astype(np.int32), axes=("z", "y", "x"),
                          unit="part", affine=affine),
        "map_mu_star": FieldMap(title="Map of μ*", values=values, axes=axes, unit=UNIT, affine=affine,
                                coordinates=coordinates),
    }  # fmt: skip
