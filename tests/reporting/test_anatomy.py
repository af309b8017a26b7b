"""Which volume lies below a map: the subject's, or of a group the first; and what is said when it is gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from sensiview.analysis.items import FieldMap
from sensiview.analysis.sources import DatasetSource
from sensiview.datasets.cohort import understand_cohort
from sensiview.files import fingerprint
from sensiview.reporting.anatomy import Anatomy

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four volumes, patients at 1 and 3."""
    rows = ["participant_id\tdiagnosis"]
    for number in range(4):
        values = np.full((6, 7, 8), 10.0 + number, np.float32)
        values[0] = 0
        nib.save(nib.Nifti1Image(values, AFFINE), tmp_path / f"sub-{number:02}_T1w.nii.gz")
        rows.append(f"sub-{number:02}\t{'patient' if number % 2 else 'control'}")
    (tmp_path / "participants.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def source(folder: Path) -> DatasetSource:
    cohort = understand_cohort([folder], name="heads", target="diagnosis")
    return DatasetSource(id="d1", card=cohort.card, files=tuple(fingerprint(path) for path in cohort.files))


def field(*, over: str = "heads", **coordinates: tuple[str, ...]) -> FieldMap:
    shape = (*(len(labels) for labels in coordinates.values()), 8, 7, 6)
    return FieldMap(
        title="Map", values=np.ones(shape, np.float32), axes=(*coordinates, "z", "y", "x"), affine=AFFINE, over=over,
        coordinates=coordinates,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("item", "place", "subjects", "name", "said"),
    [
        (field(subject=("sub-02", "sub-03")), (1,), "all", "sub-03", ""),
        (field(target=("a", "b"), subject=("sub-02", "sub-03")), (1, 0), "all", "sub-02", ""),
        (field(over="sub-01"), (), "all", "sub-01", ""),
        (field(), (), "diagnosis=patient", "sub-01", "Over sub-01, the first of 2 volumes."),
        (field(), (), "2-3", "sub-02", "Over sub-02, the first of 2 volumes."),
        (field(), (), ["sub-03", "sub-02"], "sub-02", "Over sub-02, the first of 2 volumes."),
        (field(), (), [3], "sub-03", ""),
        (field(), (), 3, "sub-03", ""),
        (field(), (), "mean", "sub-00", "Over sub-00, the first of 4 volumes."),
        (field(context=("a", "b")), (1,), "diagnosis=patient", "sub-01", "Over sub-01, the first of 2 volumes."),
    ],
)  # fmt: skip
def test_that_a_map_lies_over_its_subject_or_the_first_of_its_group(
    source: DatasetSource, item: FieldMap, place: tuple[int, ...], subjects: Any, name: str, said: str
) -> None:
    anatomy = Anatomy(source, {"subjects": subjects})
    volume, sentence = anatomy.below(item, place)
    assert volume is not None
    assert (volume.name, sentence) == (name, said)
    assert volume.raw.max() == 10 + int(name[-1])
    assert anatomy.sentences == []


@pytest.mark.parametrize("harm", ["gone", "changed", "no table"])
def test_that_a_file_that_is_gone_or_changed_is_a_sentence_and_only_its_own_map_is_bare(
    source: DatasetSource, folder: Path, harm: str
) -> None:
    path = folder / ("participants.tsv" if harm == "no table" else "sub-01_T1w.nii.gz")
    if harm == "changed":
        path.write_bytes((folder / "sub-02_T1w.nii.gz").read_bytes() + b"\0")
    else:
        path.unlink()
    anatomy = Anatomy(source, {})
    item = field(subject=("sub-01", "sub-02"))
    volume, sentence = anatomy.below(item, (0,))
    assert volume is None
    assert sentence.startswith("Drawn without anatomy: ")
    assert str(path) in sentence
    assert (anatomy.below(item, (1,))[0] is not None) == (harm != "no table")
    anatomy.below(item, (0,))
    assert anatomy.sentences == [sentence]


def test_that_a_deleted_data_set_is_a_sentence_and_a_table_needs_none(source: DatasetSource) -> None:
    anatomy = Anatomy(None, {}, deleted=True)
    assert anatomy.below(field(), ())[1] == anatomy.sentences[0]
    assert Anatomy(None, {}).below(field(), ()) == (None, "")
    table = source.model_copy(update={"card": source.card.model_copy(update={"kind": "table"})})
    assert Anatomy(table, {}).below(field(), ()) == (None, "")
