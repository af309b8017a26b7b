"""What is masked and what fills it: words, controls, blur, voxels that are no numbers, black volumes, re-reading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from sensiview.datasets.volume import Volume
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import DataError, UserError
from sensiview.numerics.mask_example import SHAPE, example_network, example_volumes
from sensiview.numerics.mask_fills import Fill, blurred, control_class
from sensiview.numerics.mask_rows import MaskRows, region_of
from sensiview.numerics.mask_subjects import choose_subjects, count_subjects
from sensiview.numerics.volume_inputs import VolumeInputs


def _changed(place: int, values: np.ndarray) -> VolumeSet:
    volumes = example_volumes()
    entry = volumes.entries[place]
    made = Volume(values.astype(np.float32), entry.grid.affine, name=entry.name)
    entries = list(volumes.entries)
    entries[place] = replace(entry, open=lambda: made)
    return replace(volumes, entries=tuple(entries))


def test_that_a_fill_is_a_word_or_a_number() -> None:
    assert Fill.parse("one") == Fill("constant", 1.0)
    assert Fill.parse(" Zero ") == Fill("constant", 0.0)
    assert Fill.parse(0.25) == Fill("constant", 0.25)
    assert Fill.parse("blur").per_input
    with pytest.raises(UserError, match="Did you mean 'blur'"):
        Fill.parse("blurr")
    with pytest.raises(UserError, match="finite"):
        Fill.parse("nan")


def test_that_the_controls_are_found_by_their_name() -> None:
    assert control_class(["AD", "CN"]) == "CN"
    assert control_class(["a", "b"]) == "a"
    assert control_class(["a", "b"], "b") == "b"
    with pytest.raises(UserError, match="no class 'c'"):
        control_class(["a", "b"], "c")


def test_that_patients_are_everyone_but_the_controls() -> None:
    volumes = example_volumes()
    assert choose_subjects(volumes, "patients").tolist() == [0, 1, 2]
    assert choose_subjects(volumes, "controls").tolist() == [3, 4]
    assert choose_subjects(volumes, "patients", "AD").tolist() == [3, 4]
    assert choose_subjects(volumes, "sub-05").tolist() == [4]


@pytest.mark.parametrize("wanted", ["patients", "controls", "all", "0-2", "1,3", "sub-02", "diagnosis=CN", [0, 4]])
def test_that_the_number_of_subjects_is_known_from_the_card(wanted: object) -> None:
    volumes = example_volumes()
    assert count_subjects(volumes.card, wanted) == len(choose_subjects(volumes, wanted))  # type: ignore[arg-type]


def test_that_a_blur_keeps_the_mean_and_knows_the_voxels_size() -> None:
    values = np.zeros((31, 31, 31), dtype=np.float32)
    values[15, 15, 15] = 1.0
    soft = blurred(values, 4.0, (2.0, 2.0, 4.0))
    assert soft.sum() == pytest.approx(1.0, abs=1e-4)
    square = (np.arange(31) - 15) ** 2
    others = [(1, 2), (0, 2), (0, 1)]
    along = [float((soft.sum(axis=axes) * square).sum()) for axes in others]
    assert along == pytest.approx([4.0, 4.0, 1.0], rel=0.05)


def test_that_the_mean_of_the_controls_fills() -> None:
    volumes = example_volumes()
    rows = MaskRows(VolumeInputs(example_network(), volumes), [0], Fill.parse("controls"), shared=True, controls=[3, 4])
    _, fill = rows.batch([0])
    expected = (volumes.volume(3).values() + volumes.volume(4).values()) / 2
    assert np.abs(fill[0, 0].numpy() - expected).max() < 1e-6


def test_that_voxels_that_are_no_numbers_are_said_and_taken_as_0() -> None:
    values = example_volumes().volume(1).values().copy()
    values[5, 5, 5], values[6, 6, 6] = np.nan, np.inf
    rows = MaskRows(VolumeInputs(example_network(), _changed(1, values)), [0, 1], Fill.parse("one"), shared=True)
    assert rows.notices == ["Voxels that are not finite numbers are taken as 0: 'sub-02' has 2."]
    assert rows.batch([1])[0][0, 0, 5, 5, 5] == 0


def test_that_a_black_volume_is_refused_by_its_name() -> None:
    inputs = VolumeInputs(example_network(), _changed(2, np.zeros(SHAPE)))
    with pytest.raises(DataError, match=r"'sub-03' is black"):
        MaskRows(inputs, [0, 2], Fill.parse("one"), shared=True)


def test_that_inputs_that_do_not_stay_in_memory_are_read_again_with_the_same_values() -> None:
    inputs = VolumeInputs(example_network(), example_volumes())
    kept = MaskRows(inputs, [0, 1, 2], Fill.parse("blur"), shared=True)
    again = MaskRows(inputs, [0, 1, 2], Fill.parse("blur"), shared=True, kept_bytes=0)
    for one, other in zip(kept.batch([0, 2]), again.batch([0, 2]), strict=True):
        assert torch.equal(one, other)
    assert kept.batch([0, 1])[0] is kept.batch([0, 1])[0]


def test_that_only_voxels_that_a_mask_would_change_may_be_masked() -> None:
    rows = MaskRows(VolumeInputs(example_network(), example_volumes()), [0, 1], Fill.parse("zero"), shared=False)
    region = region_of(rows.seen, None, ["a", "b"])
    assert np.array_equal(region[0], example_volumes().volume(0).values() != 0)


def test_that_an_empty_region_of_interest_is_a_sentence() -> None:
    seen = np.ones((2, 3, 3, 3), dtype=bool)
    seen[1, 0] = False
    allowed = np.zeros((3, 3, 3), dtype=bool)
    allowed[0] = True
    with pytest.raises(UserError, match="holds no voxel of 'b'"):
        region_of(seen, allowed, ["a", "b"])
