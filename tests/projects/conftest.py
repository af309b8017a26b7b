"""A project, a data set and a model to put into it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sensiview.datasets.card import ColumnCard, DatasetCard
from sensiview.models.card import LayerCard, ModelCard
from sensiview.projects.store import Project


@pytest.fixture
def table_card() -> DatasetCard:
    return DatasetCard(
        name="Pima",
        n_rows=3,
        columns=(
            ColumnCard(name="glucose, mg/dl", kind="number", minimum=0.0, maximum=199.0),
            ColumnCard(name='âge "years"', kind="integer"),
        ),
        features=("glucose, mg/dl", 'âge "years"'),
        class_counts={"0": 2, "1": 1},
        reading={"delimiter": ";", "missing_values": ["", "NA"]},
    )


@pytest.fixture
def network_card() -> ModelCard:
    return ModelCard(
        name="net",
        architecture="mlp",
        emits="probability",
        input_shape=(2,),
        output_names=("Outcome=1",),
        layers=(LayerCard(name="fn1", kind="Linear", output_shape=(10,), parameters=90, depth=1),),
    )


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    folder = tmp_path / "daten für uns"
    folder.mkdir()
    path = folder / "pima, 2026.csv"
    path.write_text("glucose;age\n1;2\n3;4\n", encoding="utf-8")
    return path


@pytest.fixture
def weights_file(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"weights" * 100)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "study", title="My study") as made:
        yield made
