"""Optimised masks from a study: items in the input's grid, words, resuming, and input that can't be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensiview.analysis.item_plain import to_plain
from sensiview.analysis.items import Item, Mask
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Grid, Volume
from sensiview.datasets.volumes import VolumeSet
from sensiview.errors import Stopped, UserError
from sensiview.methods.mask_optimization import MaskOptimization, MaskOptimizationParameters
from sensiview.numerics.mask_example import SHAPE, example_network, example_volumes, planted

QUICK: dict[str, Any] = {"steps": 20, "tolerance": 0.0, "grid_spacing": 2.0, "lambda_1": 30.0, "lambda_2": 3.0}


def study_of(volumes: VolumeSet | None = None, network: Callable[[], Any] = example_network) -> Study:
    made = volumes or example_volumes()
    return Study(
        dataset=made.card, model=network().card, device="cpu", volumes_loader=lambda: made, network_loader=network
    )


def run(study: Study | None = None, progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = MaskOptimizationParameters.parse({**QUICK, **parameters})
    return MaskOptimization().run(study or study_of(), chosen, progress or Silent())


def write_atlas(path: Path) -> str:
    """An atlas on the example's grid whose second region is the planted one."""
    import nibabel

    labels = np.ones(SHAPE, dtype=np.int16)
    labels[SHAPE[0] // 2 :] = 3
    labels[planted()] = 2
    nibabel.save(nibabel.Nifti1Image(labels, example_volumes().entries[0].grid.affine), path / "atlas.nii.gz")  # type: ignore[attr-defined]
    (path / "atlas.txt").write_text("1 Left_Rest\n2 Planted\n3 Right_Rest\n", encoding="utf-8")
    return str(path / "atlas.nii.gz")


def changed(volumes: VolumeSet, **card: Any) -> VolumeSet:
    return replace(volumes, card=volumes.card.model_copy(update=card))


def test_that_a_group_has_one_mask_in_the_grid_of_its_inputs() -> None:
    result = run(steps=80)
    mask = result["mask"]
    assert isinstance(mask, Mask)
    assert mask.axes == ("z", "y", "x")
    assert mask.values.shape == SHAPE[::-1]
    assert mask.values.dtype == np.float32
    assert mask.affine is not None
    assert np.array_equal(mask.affine, example_volumes().entries[0].grid.affine)
    assert mask.over == "example"
    covered = 1 - mask.values.swapaxes(0, 2)
    assert covered[planted()].mean() > 0.5
    assert covered[planted()].sum() > 0.4 * covered.sum()


def test_that_what_the_network_sees_is_the_printed_formula() -> None:
    result = run()
    mask = result["mask"].values.swapaxes(0, 2)  # type: ignore[attr-defined]
    inputs = np.stack([example_volumes().volume(i).values() for i in range(3)])
    expected = (mask * inputs + (1 - mask)).mean(axis=0)
    assert np.abs(result["masked_input"].values.swapaxes(0, 2) - expected).max() < 1e-5  # type: ignore[attr-defined]


def test_that_the_probabilities_are_those_of_the_network() -> None:
    result = run()
    frame = result["probability"].frame  # type: ignore[attr-defined]
    network = example_network()
    import torch

    mask = torch.from_numpy(result["mask"].values.swapaxes(0, 2).copy())  # type: ignore[attr-defined]
    x = torch.from_numpy(example_volumes().batch([0, 1, 2]))
    with torch.no_grad():
        before, after = (torch.softmax(network.module(rows), 1)[:, 0].numpy() for rows in (x, mask * x + 1 - mask))
    assert frame["before"].to_numpy() == pytest.approx(before, abs=1e-6)
    assert frame["after"].to_numpy() == pytest.approx(after, abs=1e-5)
    assert list(frame["class"]) == ["AD"] * 3


def test_that_every_subject_may_have_its_own_mask() -> None:
    result = run(group=False)
    mask, masked = result["mask"], result["masked_input"]
    assert isinstance(mask, Mask)
    assert mask.axes == ("subject", "z", "y", "x")
    assert mask.coordinates == {"subject": ("sub-01", "sub-02", "sub-03")}
    assert mask.values.shape == masked.values.shape == (3, *SHAPE[::-1])  # type: ignore[attr-defined]
    alone = run(group=False, subjects="sub-02")
    assert alone["mask"].axes == ("z", "y", "x")  # type: ignore[attr-defined]
    assert alone["mask"].over == "sub-02"  # type: ignore[attr-defined]
    assert np.allclose(alone["mask"].values, mask.values[1], atol=1e-5)  # type: ignore[attr-defined]


def test_that_the_planted_region_leads_the_table(tmp_path: Path) -> None:
    result = run(atlas=write_atlas(tmp_path), steps=60)
    frame = result["regions"].frame  # type: ignore[attr-defined]
    assert frame["region"].iloc[0] == "Planted"
    assert frame["share_of_map"].sum() == pytest.approx(1.0)
    assert "Most masked: Planted" in result["note"].text  # type: ignore[attr-defined]


def test_that_a_mask_stays_within_the_region_of_interest(tmp_path: Path) -> None:
    atlas = write_atlas(tmp_path)
    for region in ("Right_Rest", atlas):
        found = run(atlas=atlas, region_of_interest=region, lambda_1=1.0)
        covered = 1 - found["mask"].values.swapaxes(0, 2)  # type: ignore[attr-defined]
        outside = np.arange(SHAPE[0]) < SHAPE[0] // 2
        assert region == atlas or not covered[outside].any()
    with pytest.raises(UserError, match="no region 'Nowhere'"):
        run(atlas=atlas, region_of_interest="Nowhere")


def test_that_an_atlas_of_another_place_warns_and_leaves_the_mask(tmp_path: Path) -> None:
    import nibabel

    far = np.diag([2.0, 2.0, 2.0, 1.0])
    far[:3, 3] = 5000
    nibabel.save(nibabel.Nifti1Image(np.ones((5, 5, 5), np.int16), far), tmp_path / "far.nii.gz")  # type: ignore[attr-defined]
    (tmp_path / "far.txt").write_text("1 Far\n", encoding="utf-8")
    progress = Silent()
    result = run(progress=progress, atlas=str(tmp_path / "far.nii.gz"), steps=2)
    assert "regions" not in result
    assert any("There is no table of regions" in sentence for sentence in progress.warnings)
    assert "regions" not in run(atlas="none", steps=2)


@pytest.mark.parametrize("fill", ["one", "zero", "blur", "controls", 0.8])
@pytest.mark.parametrize("objective", ["log_odds", "logit", "probability"])
def test_that_every_fill_and_score_gives_finite_items(fill: Any, objective: str) -> None:
    result = run(fill=fill, objective=objective, steps=4)
    assert np.isfinite(result["mask"].values).all()  # type: ignore[attr-defined]
    assert np.isfinite(result["trace"].frame.drop(columns="step").to_numpy()).all()  # type: ignore[attr-defined]


def test_that_weights_of_zero_and_a_sum_are_taken_as_they_are() -> None:
    free = run(lambda_1=0.0, lambda_2=0.0, enough=0.0)
    assert set(free["trace"].frame["area_term"]) == {0.0}  # type: ignore[attr-defined]
    voxels = free.facts["masked_voxels"]
    mean = run(lambda_1=30.0, lambda_2=3.0)
    total = run(lambda_1=30.0 / voxels, lambda_2=3.0 / voxels, normalisation="sum")
    assert np.allclose(mean["mask"].values, total["mask"].values, atol=1e-4)  # type: ignore[attr-defined]


def test_that_an_empty_mask_says_which_weight_to_try() -> None:
    text = run(lambda_1=1e6, lambda_2=1e5, relax=False)["note"].text  # type: ignore[attr-defined]
    assert "as good as empty" in text
    assert "Try 100000" in text


def test_that_weights_too_large_for_any_mask_are_lowered_until_it_takes_the_class_away() -> None:
    progress = Silent()
    found = run(progress=progress, lambda_1=3e3, lambda_2=3e2)
    assert found["probability"].to_frame()["after"].mean() < 0.5  # type: ignore[attr-defined]
    assert found.facts["lambda_1"] < 3e3
    assert any("Both weights were lowered" in sentence for sentence in progress.warnings)
    strict = run(lambda_1=3e3, lambda_2=3e2, relax=False)
    assert strict["probability"].to_frame()["after"].mean() > 0.5  # type: ignore[attr-defined]


class Watching(Silent):
    """Keeps previews, and stops at an advance."""

    def __init__(self, stop_at: int = 0, checkpoint: Checkpoint | None = None) -> None:
        super().__init__(checkpoint)
        self.previews: list[tuple[str, Item]] = []
        self.advances = 0
        self.stop_at = stop_at

    def advance(self, done: int) -> None:
        self.advances += done > 0
        if self.stop_at and self.advances >= self.stop_at:
            raise Stopped

    def preview(self, name: str, item: Item) -> None:
        json.dumps(to_plain(item), allow_nan=False)
        self.previews.append((name, item))


def test_that_a_stopped_run_goes_on_to_the_same_numbers() -> None:
    whole = run()
    first = Watching(stop_at=9)
    with pytest.raises(Stopped):
        run(progress=first)
    resumed = run(progress=Silent(first.restored()))
    assert np.array_equal(whole["mask"].values, resumed["mask"].values)  # type: ignore[attr-defined]
    assert whole["trace"].frame.equals(resumed["trace"].frame)  # type: ignore[attr-defined]
    assert resumed.evaluations < whole.evaluations


def test_that_mask_and_trace_are_shown_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensiview.analysis.mask_following._SECONDS_BETWEEN_PREVIEWS", 0.0)
    progress = Watching()
    run(progress=progress, steps=3)
    assert {name for name, _ in progress.previews} == {"mask", "trace"}
    mask = progress.previews[-1][1]
    assert isinstance(mask, Mask)
    assert mask.values.size < 1000


# Bad input -----------------------------------------------------------------------------------------------------------


def test_that_subjects_without_the_class_are_refused() -> None:
    with pytest.raises(UserError, match=r"None of the chosen subjects is of the class 'AD'.*all 'CN'"):
        run(subjects="controls", target="AD")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"target": "XY"}, "no class or output 'XY'"),
        ({"subjects": "sub-99"}, "no volume or subject 'sub-99'"),
        ({"subjects": "9"}, "There is no volume 9"),
        ({"controls": "healthy"}, "no class 'healthy'"),
        ({"region_of_interest": "missing.nii.gz"}, "no file 'missing.nii.gz'"),
        ({"region_of_interest": "atlas", "atlas": "none"}, "no atlas is to be used"),
        ({"region_of_interest": "Hippocampus", "atlas": "none"}, "no atlas fits"),
        ({"fill": "two"}, "fill 'two' is not known"),
        ({"lambda_1": -1.0}, "lambda_1"),
        ({"subjects": ""}, "Say which subjects"),
    ],
)
def test_that_a_wrong_choice_is_a_sentence(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        run(**parameters)


def test_that_a_missing_label_is_named() -> None:
    volumes = example_volumes()
    table = volumes.table.copy()
    table.loc[1, "diagnosis"] = None
    with pytest.raises(UserError, match="'sub-02' has no label"):
        run(study_of(replace(volumes, table=table)), subjects="all")


def test_that_data_without_classes_need_a_named_target() -> None:
    volumes = changed(example_volumes(), target=None, class_counts={})
    with pytest.raises(UserError, match="has no classes"):
        run(study_of(volumes), subjects="all")
    assert run(study_of(volumes), subjects="0-2", target="AD", steps=2, relax=False).evaluations == 12


def test_that_mixed_grids_are_refused_by_name() -> None:
    volumes = example_volumes()
    entry = volumes.entries[1]
    smaller = Volume(entry.open().raw[:-1], entry.grid.affine, name=entry.name)
    other = replace(entry, grid=Grid((SHAPE[0] - 1, SHAPE[1], SHAPE[2]), entry.grid.affine), open=lambda: smaller)
    mixed = replace(volumes, entries=(volumes.entries[0], other, *volumes.entries[2:]))
    with pytest.raises(UserError, match=r"different grids.*sub-01.*sub-02"):
        run(study_of(mixed))


def test_that_a_network_of_another_size_is_refused() -> None:
    from sensiview.models.card import ModelCard

    card = ModelCard(name="cnn", input_shape=(1, 61, 73, 61), preprocessing={"kind": "volume", "intensity": "none"})
    study = replace(study_of(), model=card)
    [said] = MaskOptimization().obstacles(study)
    assert said.startswith("The input size does not fit: 'cnn' takes volumes of 61 x 73 x 61 voxels")
    flat = replace(study_of(), model=card.model_copy(update={"input_shape": (8,)}))
    assert "does not take volumes" in MaskOptimization().obstacles(flat)[0]


def test_that_a_table_is_refused() -> None:
    study = replace(study_of(), dataset=DatasetCard(name="t"))
    assert "works on volumes" in MaskOptimization().obstacles(study)[0]
