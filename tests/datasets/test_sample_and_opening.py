"""The diabetes sample, and tables of a project that are opened again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sensiview.datasets.card import DatasetCard
from sensiview.datasets.opening import open_table
from sensiview.datasets.reading import read_table, understand
from sensiview.errors import DataError
from sensiview.files import FileReference, fingerprint
from sensiview.locations import resources

SAMPLE = resources() / "samples" / "diabetes"


@dataclass(frozen=True)
class Source:
    """What a project keeps of a table."""

    card: DatasetCard
    files: tuple[FileReference, ...]


def test_that_the_diabetes_sample_is_the_raw_pima_table_with_its_source_and_licence() -> None:
    table = read_table(SAMPLE / "diabetes.csv", target="Outcome")
    assert table.card.n_rows == 768
    assert table.card.class_counts == {"0": 500, "1": 268}
    zeros = {name: int((table.frame[name] == 0).sum()) for name in ("Glucose", "SkinThickness", "Insulin", "BMI")}
    assert zeros == {"Glucose": 5, "SkinThickness": 227, "Insulin": 374, "BMI": 11}
    said = (SAMPLE / "SOURCES.md").read_text(encoding="utf-8")
    assert hashlib.sha256((SAMPLE / "diabetes.csv").read_bytes()).hexdigest() in said
    assert "GNU GENERAL PUBLIC LICENSE" in (SAMPLE / "LICENSE-GPL-2.txt").read_text(encoding="utf-8")


def test_that_the_diabetes_sample_equals_the_reference_value_for_value(shared_data: Path) -> None:
    sample = read_table(SAMPLE / "diabetes.csv").frame
    reference = pd.read_csv(shared_data / "tabular" / "pima_diabetes.csv")
    assert list(sample.columns) == list(reference.columns)
    np.testing.assert_array_equal(sample.to_numpy(dtype=float), reference.to_numpy(dtype=float))


def imported(path: Path, target: str) -> Source:
    """Import a table as a project does."""
    table = read_table(path, understand(path), name="my table", target=target)
    return Source(table.card, (fingerprint(path),))


def test_that_a_projects_table_is_opened_as_it_was_imported(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x;y\n1,5;ja\n2,5;nein\n", encoding="utf-8")
    source = imported(path, "y")
    seen: list[float] = []
    table = open_table(source, on_progress=seen.append)
    assert table.card is source.card
    assert table.features().tolist() == [[1.5], [2.5]]
    assert seen[-1] == 1.0


def test_that_a_moved_changed_or_differently_read_table_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,y\n1,0\n2,1\n", encoding="utf-8")
    source = imported(path, "y")
    fewer = source.card.model_copy(update={"n_rows": 1})
    with pytest.raises(DataError, match="gives other rows or columns than when it was added"):
        open_table(Source(fewer, source.files))
    images = source.card.model_copy(update={"kind": "images"})
    with pytest.raises(DataError, match="a data set of images, not a table"):
        open_table(Source(images, source.files))
    path.write_text("x,y\n1,0\n2,9\n", encoding="utf-8")
    with pytest.raises(DataError, match="has changed since it was added to the project"):
        open_table(source)
    path.unlink()
    with pytest.raises(DataError, match="was moved or deleted"):
        open_table(source)
