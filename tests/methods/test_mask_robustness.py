"""Robustness of masks against plain numpy: similarity, transfer between networks, means over pairs, odd runs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensiview.analysis.items import IndexTable, Mask, Matrix
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError
from sensiview.methods.mask_robustness import MaskRobustness, MaskRobustnessParameters
from sensiview.models.network import Network
from sensiview.numerics.mask_example import SHAPE, example_network, example_volumes, planted
from sensiview.numerics.regions import density_vector

AFFINE = example_volumes().entries[0].grid.affine


def mask_item(values: Any, **changes: Any) -> Mask:
    known: dict[str, Any] = {"title": "Mask", "description": "1 keeps.", "axes": ("z", "y", "x"), "affine": AFFINE}
    return Mask(values=np.ascontiguousarray(values.swapaxes(-1, -3)), **(known | changes))


def network(weight: float, dtype: str = "float64") -> Network:
    import torch

    made = example_network(weight, name=f"net {weight:g}")
    module = made.module.to(getattr(torch, dtype))
    return Network(module, made.card, "cpu")


def random_mask(seed: int) -> Any:
    return np.random.default_rng(seed).random(SHAPE).astype(np.float32)


def finished(
    name: str, weight: float, items: Any, training: Any = None, analysis: str = "mask_optimization", **parameters: Any
) -> Finished:
    opener = partial(network, weight)
    return Finished(
        id=name,
        result=partial(Result, items),
        name=name,
        analysis=analysis,
        parameters={"lambda_1": 100.0, "lambda_2": 10.0, "fill": "one", **parameters},
        model=opener().card.model_copy(update={"training": training or {}}),
        network=opener,
    )


def study_of(*runs: Finished) -> Study:
    volumes = example_volumes()
    return Study(dataset=volumes.card, device="cpu", runs={run.id: run for run in runs}, volumes_loader=lambda: volumes)


def compare(*runs: Finished, progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = MaskRobustnessParameters.parse({"runs": [run.id for run in runs], **parameters})
    return MaskRobustness().run(study_of(*runs), chosen, progress or Silent())


def matrix(result: Result, name: str) -> Any:
    item = result[name]
    assert isinstance(item, Matrix)
    return item.values


def direct_probability(weight: float, mask: Any, fill: Any = 1.0, subjects: tuple[int, ...] = (0, 1, 2)) -> float:
    """The printed formula in numpy float64: masked input, linear layer, softmax, mean."""
    state = {name: t.numpy() for name, t in network(weight).module.state_dict().items()}
    found = []
    for i in subjects:
        x = example_volumes().volume(i).values().astype(np.float64)
        masked = mask.astype(np.float64) * x + (1 - mask.astype(np.float64)) * fill
        logits = state["1.weight"] @ masked.ravel() + state["1.bias"]
        odds = np.exp(logits - logits.max())
        found.append(odds[0] / odds.sum())
    return float(np.mean(found))


def atlas_file(folder: Path) -> tuple[str, Any]:
    import nibabel

    labels = np.random.default_rng(9).integers(0, 8, SHAPE).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(labels, AFFINE), folder / "atlas.nii.gz")  # type: ignore[attr-defined]
    (folder / "atlas.txt").write_text("".join(f"{i} R{i}\n" for i in range(1, 8)), encoding="utf-8")
    return str(folder / "atlas.nii.gz"), labels


def test_that_both_measures_are_those_of_plain_numpy_to_1e_12(tmp_path: Path) -> None:
    atlas, labels = atlas_file(tmp_path)
    masks = [random_mask(i) for i in range(3)]
    weights = [1.0, 20.0, 60.0]
    runs = [finished(f"r{i}", w, {"mask": mask_item(m)}) for i, (w, m) in enumerate(zip(weights, masks, strict=True))]
    result = compare(*runs, atlas=atlas)
    densities = np.array([[(1 - m.astype(np.float64))[labels == i].mean() for i in range(1, 8)] for m in masks])
    norms = np.linalg.norm(densities, axis=1)
    assert np.abs(matrix(result, "roi_similarity") - densities @ densities.T / np.outer(norms, norms)).max() < 1e-12
    expected = np.array([[direct_probability(w, m) for m in masks] for w in weights])
    assert np.abs(matrix(result, "prob_cnn") - expected).max() < 1e-12
    assert np.array_equal(densities[0], density_vector(masks[0], labels, kind="mask")) or np.allclose(
        densities[0], density_vector(masks[0], labels, kind="mask"), rtol=1e-14
    )


def test_that_each_mask_brings_its_own_fill() -> None:
    mask = random_mask(1)
    runs = [finished("one", 1.0, {"mask": mask_item(mask)}), finished("half", 1.0, {"mask": mask_item(mask)}, fill=0.5)]
    found = matrix(compare(*runs, atlas="none"), "prob_cnn")
    assert found[0, 1] == pytest.approx(direct_probability(1.0, mask, fill=0.5), abs=1e-12)
    controls = np.mean([example_volumes().volume(i).values() for i in (3, 4)], axis=0)
    third = finished("controls", 1.0, {"mask": mask_item(mask)}, fill="controls")
    found = matrix(compare(third, runs[0], atlas="none"), "prob_cnn")
    assert found[1, 0] == pytest.approx(direct_probability(1.0, mask, fill=controls), abs=1e-6)


def test_that_the_cells_of_a_grid_are_contexts_of_one_network() -> None:
    masks = np.stack([[random_mask(i), random_mask(i + 10)] for i in range(2)])
    item = mask_item(
        masks,
        axes=("lambda_1", "lambda_2", "z", "y", "x"),
        coordinates={"lambda_1": ("10", "1"), "lambda_2": ("1", "0.1")},
    )
    grid = finished(
        "grid", 1.0, {"masks": item}, {"fold": 0, "run": 0}, "lambda_grid", lambda_1=[10.0, 1.0], lambda_2=[1.0, 0.1]
    )
    other = replace(
        finished(
            "other",
            20.0,
            {"masks": item},
            {"fold": 1, "run": 0},
            "lambda_grid",
            lambda_1=[10.0, 1.0],
            lambda_2=[1.0, 0.1],
        )
    )
    result = compare(grid, other, atlas="none")
    names = result["roi_similarity"].rows  # type: ignore[attr-defined]
    assert names[:2] == ("grid, λ1 = 10, λ2 = 1", "grid, λ1 = 10, λ2 = 0.1")
    means = result["means"]
    assert isinstance(means, IndexTable)
    frame = means.frame.set_index(["relation", "measure"])
    assert frame.loc[("inter-lambda", "roi_similarity"), "pairs"] == 2 * 6
    assert frame.loc[("inter-fold", "prob_cnn"), "pairs"] == 2 * 4
    transfer = matrix(result, "prob_cnn")
    assert np.array_equal(transfer[0], transfer[3])
    expected = np.mean([transfer[i, i + 4] for i in range(4)] + [transfer[i + 4, i] for i in range(4)])
    assert frame.loc[("inter-fold", "prob_cnn"), "mean"] == pytest.approx(expected, abs=1e-12)
    assert (
        MaskRobustness().cost(study_of(grid, other), MaskRobustnessParameters(runs=["grid", "other"])).evaluations
        == result.evaluations
    )


def test_that_masks_of_single_subjects_enter_with_their_mean_and_mask_their_own_subject() -> None:
    masks = np.stack([random_mask(i) for i in range(2)])
    item = mask_item(masks, axes=("subject", "z", "y", "x"), coordinates={"subject": ("sub-01", "sub-02")})
    result = compare(finished("r", 1.0, {"mask": item}), atlas="none")
    own = [direct_probability(1.0, masks[0], subjects=(0,)), direct_probability(1.0, masks[1], subjects=(1,))]
    mean = masks.astype(np.float64).mean(axis=0)
    expected = np.mean([*own, direct_probability(1.0, mean, subjects=(2,))])
    assert matrix(result, "prob_cnn")[0, 0] == pytest.approx(expected, abs=1e-12)


def test_that_without_a_network_only_the_masks_are_compared() -> None:
    runs = [replace(finished(f"r{i}", 1.0, {"mask": mask_item(random_mask(i))}), network=None) for i in range(2)]
    progress = Silent()
    result = compare(*runs, progress=progress, atlas="none")
    assert "prob_cnn" not in result
    assert result.evaluations == 0
    assert "can't be opened" in progress.warnings[0]
    half = compare(runs[0], finished("x", 1.0, {"mask": mask_item(random_mask(5))}), atlas="none")
    found = matrix(half, "prob_cnn")
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()


def test_that_the_densest_region_ranks_first_in_every_context(tmp_path: Path) -> None:
    import nibabel

    labels = np.ones(SHAPE, dtype=np.int16)
    labels[planted()] = 2
    nibabel.save(nibabel.Nifti1Image(labels, AFFINE), tmp_path / "a.nii.gz")  # type: ignore[attr-defined]
    (tmp_path / "a.txt").write_text("1 Rest\n2 Planted\n", encoding="utf-8")
    mask = np.where(planted(), 0.1, 0.9).astype(np.float32)
    runs = [finished(n, 1.0, {"mask": mask_item(mask)}) for n in ("a", "b")]
    frame = compare(*runs, atlas=str(tmp_path / "a.nii.gz"))["top_regions"].frame  # type: ignore[attr-defined]
    assert list(frame["region"]) == ["Planted", "Rest"]
    assert frame["rank: a"].tolist() == frame["rank: b"].tolist() == [1, 2]
    assert frame["density"].iloc[0] == pytest.approx(0.9)


def test_that_a_mask_of_another_grid_is_interpolated_and_said() -> None:
    mask = np.where(planted(), 0.1, 1.0).astype(np.float32)
    shifted = AFFINE.copy()
    shifted[:3, 3] += 4.0
    runs = [
        finished("a", 1.0, {"mask": mask_item(mask)}),
        finished("b", 1.0, {"mask": mask_item(mask, affine=shifted)}),
    ]
    progress = Silent()
    result = compare(*runs, progress=progress, atlas="none")
    assert any("'b' lies on another grid" in sentence for sentence in progress.warnings)
    assert 0.5 < matrix(result, "roi_similarity")[0, 1] < 1
    assert result["masks"].values.shape == (2, *SHAPE[::-1])  # type: ignore[attr-defined]
    far = AFFINE.copy()
    far[:3, 3] += 4000
    with pytest.raises(UserError, match="lies elsewhere"):
        compare(runs[0], finished("c", 1.0, {"mask": mask_item(mask, affine=far)}), atlas="none")


def test_that_an_empty_mask_has_no_similarity_and_is_named() -> None:
    runs = [
        finished("full", 1.0, {"mask": mask_item(random_mask(1))}),
        finished("none", 1.0, {"mask": mask_item(np.ones(SHAPE, np.float32))}),
    ]
    result = compare(*runs, atlas="none")
    assert np.isnan(matrix(result, "roi_similarity")[0, 1])
    assert "These masks are empty" in result["note"].text  # type: ignore[attr-defined]
    assert "don't work for their own network: none" in result["note"].text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("runs", "words"),
    [([], "Choose finished runs"), (["gone"], "no finished run 'gone'"), (["other"], "has no masks")],
)
def test_that_runs_without_masks_are_a_sentence(runs: list[str], words: str) -> None:
    other = replace(finished("other", 1.0, {}), analysis="sobol")
    said = MaskRobustness().problems(study_of(other), MaskRobustnessParameters(runs=runs))
    assert len(said) == 1
    assert words in said[0]


def test_that_a_stopped_comparison_does_not_compute_again_what_it_has() -> None:
    runs = [finished(f"r{i}", 1.0 + i, {"mask": mask_item(random_mask(i))}) for i in range(2)]
    progress = Silent()
    whole = compare(*runs, progress=progress, atlas="none")
    again = compare(*runs, progress=Silent(progress.restored()), atlas="none")
    assert again.evaluations == 0
    assert np.array_equal(matrix(whole, "prob_cnn"), matrix(again, "prob_cnn"))
