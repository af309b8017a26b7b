"""Grad-CAM of volumes: Captum's numbers in the volume's own grid, and what users try."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import Tensor, nn

from sensiview.analysis.items import FieldMap, IndexTable
from sensiview.analysis.map_regions import strongest
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.card import DatasetCard
from sensiview.datasets.volume import Volume
from sensiview.datasets.volumes import VolumeEntry, VolumeSet
from sensiview.errors import DataError, ModelError, UserError
from sensiview.methods.grad_cam import GradCam, GradCamParameters
from sensiview.models.network import Network, network_from_module
from sensiview.models.weights import load_weights
from sensiview.numerics.example_volumes import PLANTED, example_module, example_network, example_volumes

ANALYSIS = GradCam()
AFFINE = np.diag([-2.0, 2.0, 3.0, 1.0])


def cohort(arrays: Sequence[np.ndarray], *, affines: Sequence[np.ndarray] = ()) -> VolumeSet:
    volumes = [
        Volume(np.asarray(values, dtype=np.float32), affine, name=f"sub-{number}")
        for number, (values, affine) in enumerate(zip(arrays, affines or [AFFINE] * len(arrays), strict=True))
    ]
    shapes = {volume.grid.shape for volume in volumes}
    card = DatasetCard(
        name="cohort",
        kind="volumes",
        n_rows=len(volumes),
        extra={
            "shape": list(shapes.pop()) if len(shapes) == 1 else None,
            "affine": AFFINE.tolist(),
            "spacing": [2.0, 2.0, 3.0],
            "names": [volume.name for volume in volumes],
            "subjects": [volume.name for volume in volumes],
        },
    )

    def opener(volume: Volume) -> Callable[[], Volume]:
        return lambda: volume

    entries = tuple(VolumeEntry(v.name, v.name, v.grid, opener(v)) for v in volumes)
    return VolumeSet(card, entries, pd.DataFrame(index=range(len(volumes))))


def study_of(volumes: VolumeSet, module: nn.Module, **options: Any) -> Study:
    options.setdefault("class_names", ("AD", "CN"))

    def network() -> Network:
        return network_from_module(module, sample=volumes.batch([0]), name="net", device="cpu", **options)

    return Study(
        dataset=volumes.card,
        model=network().card,
        device="cpu",
        volumes_loader=lambda: volumes,
        network_loader=network,
    )


def example_study() -> Study:
    volumes = example_volumes()
    return Study(
        dataset=volumes.card,
        model=example_network(volumes).card,
        device="cpu",
        volumes_loader=lambda: volumes,
        network_loader=lambda: example_network(volumes),
    )


def run(study: Study, progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = GradCamParameters.parse({"atlas": "none", **parameters})
    assert ANALYSIS.obstacles(study) == []
    assert ANALYSIS.problems(study, chosen) == []
    result = ANALYSIS.run(study, chosen, progress or Silent())
    assert result.evaluations == ANALYSIS.cost(study, chosen).evaluations
    return result


def field(result: Result, name: str = "map") -> FieldMap:
    item = result[name]
    assert isinstance(item, FieldMap)
    return item


def test_that_the_map_equals_captum_with_the_same_upsampling() -> None:
    study = example_study()
    volumes, module = study.volumes(), example_module().eval()
    for layer in ("0", "2", "4"):
        result = run(study, layer=layer, target="AD", relu=False)
        rows = torch.from_numpy(volumes.batch(range(4)))
        reference = LayerGradCam(module, module.get_submodule(layer)).attribute(rows, 0)
        wanted = LayerAttribution.interpolate(reference, (12, 12, 12), "trilinear").detach().numpy()[:, 0]
        np.testing.assert_allclose(field(result).values, wanted.swapaxes(1, 3), atol=1e-5)
        assert field(result).signed
    assert field(result).axes == ("subject", "z", "y", "x")
    assert field(result).coordinates["subject"] == volumes.names
    np.testing.assert_array_equal(field(result).affine, volumes.entries[0].grid.affine)


def test_that_the_last_layer_with_a_map_is_taken_and_shows_the_planted_box() -> None:
    result = run(example_study(), target="AD", subjects="diagnosis=AD", average=True)
    inside = np.zeros((12, 12, 12), dtype=bool)
    inside[PLANTED] = True
    mean = field(result, "mean_map").values
    assert mean.shape == (12, 12, 12)
    assert (mean >= 0).all()
    assert mean[inside.swapaxes(0, 2)].mean() > 4 * mean[~inside.swapaxes(0, 2)].mean()
    np.testing.assert_allclose(mean, field(result).values.mean(axis=0), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(field(result, "spread").values, field(result).values.std(axis=0, ddof=1), atol=1e-5)
    assert "The layer '4' has 6 x 6 x 6 cells, each about 2 x 2 x 2 voxels" in result["note"].text  # type: ignore[attr-defined]


def test_that_a_turned_and_padded_network_input_comes_back_into_the_volumes_own_grid() -> None:
    # An LPS volume of 10 x 9 x 8; the network sees it as RAS in 12 x 12 x 12.
    rng = np.random.default_rng(1)
    values = rng.random((10, 9, 8)).astype(np.float32)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    volumes = cohort([values], affines=[affine])
    settings = {"kind": "volume", "intensity": "none", "orientation": "RAS", "fit": [12, 12, 12], "channels": 1}
    module = example_module()
    result = run(study_of(volumes, module, preprocessing=settings), layer="2", target="AD", relu=False)
    own = field(result)
    np.testing.assert_array_equal(own.affine, affine)
    turned = np.zeros((12, 12, 12), dtype=np.float32)
    turned[1:11, 1:10, 2:10] = values[::-1, ::-1]
    reference = LayerGradCam(module.eval(), module[2]).attribute(torch.from_numpy(turned)[None, None], 0)
    wide = LayerAttribution.interpolate(reference, (12, 12, 12), "trilinear").detach().numpy()[0, 0]
    wanted = wide[1:11, 1:10, 2:10][::-1, ::-1]
    np.testing.assert_allclose(own.values, wanted.swapaxes(0, 2), atol=1e-5)


def test_that_several_classes_come_as_an_axis_and_the_scores_say_how_sure_the_network_is() -> None:
    result = run(example_study(), target="all", subjects="0-1")
    assert field(result).axes == ("subject", "target", "z", "y", "x")
    assert field(result).coordinates["target"] == ("AD", "CN")
    scores = result["scores"]
    assert isinstance(scores, IndexTable)
    frame = scores.to_frame()
    assert list(frame.columns) == ["subject", "target", "probability"]
    np.testing.assert_allclose(frame.groupby("subject")["probability"].sum(), 1, atol=1e-6)


def test_that_each_volumes_own_class_and_the_predicted_one_can_be_explained() -> None:
    true = run(example_study(), target="true")["scores"].to_frame()  # type: ignore[attr-defined]
    assert list(true["target"]) == ["CN", "AD", "CN", "AD"]
    predicted = run(example_study(), target="predicted")["scores"].to_frame()  # type: ignore[attr-defined]
    assert (predicted["probability"] >= 0.5).all()


def test_that_volumes_whose_class_is_missing_are_named() -> None:
    study = example_study()
    volumes = example_volumes()
    volumes.table.loc[2, "diagnosis"] = np.nan
    study = replace(study, volumes_loader=lambda: volumes)
    with pytest.raises(UserError, match="class of 'sub-2' is not known"):
        run(study, target="true")


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"layer": "9"}, "has no layer '9'"),
        ({"layer": "5"}, "gives 4 x 1 x 1 x 1: not a map of more than one cell. The last that gives one is '4'"),
        ({"layer": "7"}, "gives 2: not a map"),
        ({"target": 5}, "There is no target 5"),
        ({"target": "Ad"}, "has no class or output 'Ad'. Known: AD, CN"),
        ({"subjects": "0-9"}, "There is no volume 9"),
        ({"subjects": "sub-7"}, "There is no volume or subject 'sub-7'. Did you mean"),
        ({"subjects": "diagnosis=MCI"}, "No volume has diagnosis=MCI"),
        ({"subjects": "3-1"}, "runs backwards"),
    ],
)
def test_that_what_does_not_fit_is_a_sentence_before_the_run(parameters: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(ANALYSIS.problems(example_study(), GradCamParameters.parse(parameters)))


def test_that_a_network_without_maps_or_for_other_inputs_is_an_obstacle() -> None:
    volumes = example_volumes()
    flat = study_of(volumes, nn.Sequential(nn.Flatten(), nn.Linear(1728, 2)))
    assert "No layer of 'net' gives a map" in " ".join(ANALYSIS.obstacles(flat))
    table = replace(flat, model=flat.model.model_copy(update={"input_shape": (8,)}))  # type: ignore[union-attr]
    assert "not volumes" in " ".join(ANALYSIS.obstacles(table))
    sized = {"kind": "volume", "intensity": "none", "fit": None, "orientation": None, "channels": 1}
    small = flat.model.model_copy(update={"input_shape": (1, 8, 8, 8), "preprocessing": sized})  # type: ignore[union-attr]
    assert "8 x 8 x 8 voxels" in " ".join(ANALYSIS.obstacles(replace(flat, model=small)))


def test_that_an_all_black_volume_gives_a_map_of_zeros_and_says_so() -> None:
    blank = np.zeros((12, 12, 12), dtype=np.float32)
    network = nn.Sequential(nn.Conv3d(1, 2, 3, bias=False), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    progress = Silent()
    result = run(study_of(cohort([blank, blank + 1]), network), progress, target=0, average=True)
    assert (field(result).values[0] == 0).all()
    assert np.isfinite(field(result, "mean_map").values).all()
    said = " ".join(progress.warnings)
    assert "'sub-0' has the same value in every voxel" in said
    assert "0 everywhere for 'sub-0'" in said


def test_that_voxels_that_are_not_finite_count_as_zero_and_are_counted() -> None:
    values = np.random.default_rng(1).random((12, 12, 12)).astype(np.float32)
    broken = values.copy()
    broken[0, 0, :3] = [np.nan, np.inf, -np.inf]
    values[0, 0, :3] = 0
    progress = Silent()
    result = run(study_of(cohort([values, broken]), example_module()), progress, target="AD", relu=False)
    np.testing.assert_allclose(field(result).values[1], field(result).values[0], atol=1e-6)
    assert any("'sub-1' has 3 voxels that are not finite" in sentence for sentence in progress.warnings)


def test_that_mixed_grids_are_refused_with_both_named() -> None:
    volumes = cohort([np.ones((12, 12, 12)), np.ones((12, 12, 10))])
    with pytest.raises(DataError, match=r"'sub-0' has 12 x 12 x 12 .* 'sub-1' 12 x 12 x 10"):
        run(study_of(volumes, example_module()), average=True)
    single = run(study_of(volumes, example_module()), subjects=1)
    assert field(single).values.shape == (10, 12, 12)


class Answering(nn.Module):
    """A network that gives its scores in a container."""

    def __init__(self, wrap: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.inside, self.wrap = example_module(), wrap

    def forward(self, x: Tensor) -> Any:
        return self.wrap(self.inside(x))


@pytest.mark.parametrize("wrap", [lambda y: (y, None), lambda y: {"logits": y}])
def test_that_a_network_that_gives_a_tuple_or_a_dictionary_serves(wrap: Callable[[Tensor], Any]) -> None:
    plain = run(study_of(example_volumes(), example_module()), layer="4", target="AD")
    found = run(study_of(example_volumes(), Answering(wrap)), layer="inside.4", target="AD")
    np.testing.assert_array_equal(field(found).values, field(plain).values)


def test_that_a_network_ending_in_softmax_or_one_sigmoid_is_explained_by_its_logit() -> None:
    logits = run(study_of(example_volumes(), example_module()), layer="4", target="AD", relu=False, subjects="0")
    ending = nn.Sequential(*example_module(), nn.Softmax(dim=1))
    found = run(study_of(example_volumes(), ending), layer="4", target="AD", relu=False, subjects="0")
    other = run(study_of(example_volumes(), example_module()), layer="4", target="CN", relu=False, subjects="0")
    # The log-odds of two classes are the difference of their logits.
    np.testing.assert_allclose(field(found).values, field(logits).values - field(other).values, atol=1e-4)


def test_that_a_network_that_cuts_its_gradient_is_a_sentence_and_no_hook_is_left() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = example_module()

        def forward(self, x: Tensor) -> Tensor:
            return self.inside(x).detach()

    module = Cut()
    with pytest.raises(ModelError, match="no gradient with respect to the layer"):
        run(study_of(example_volumes(), module), layer="inside.4")
    assert not any(part._forward_hooks for part in module.modules())


def test_that_the_batch_size_does_not_matter_and_memory_that_runs_out_halves_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = example_study()
    whole = run(study, batch_size=4, target="AD", relu=False)
    single = run(study, batch_size=1, target="AD", relu=False)
    np.testing.assert_allclose(field(single).values, field(whole).values, atol=1e-7)
    forward = nn.Conv3d.forward

    def short(self: nn.Conv3d, rows: Tensor) -> Tensor:
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(self, rows)

    volumes = example_volumes()
    network = example_network(volumes)
    study = replace(study, network_loader=lambda: network)
    monkeypatch.setattr(nn.Conv3d, "forward", short)
    progress = Silent()
    again = run(study, progress, batch_size=4, target="AD", relu=False)
    np.testing.assert_allclose(field(again).values, field(whole).values, atol=1e-7)
    assert any("going on with 2" in sentence for sentence in progress.warnings)


def test_that_a_trained_network_on_a_real_hippocampus_equals_captum_in_the_scans_own_grid(shared_data: Path) -> None:
    def block(n: int, m: int) -> list[nn.Module]:
        return [nn.Conv3d(n, m, 3, padding=1), nn.BatchNorm3d(m), nn.ReLU(), nn.MaxPool3d(2)]

    sizes = (1, 8, 16, 32, 64)
    layers = [layer for pair in pairwise(sizes) for layer in block(*pair)]
    module = nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Dropout(), nn.Linear(64, 2))
    load_weights(module, shared_data / "weights" / "hippocampus_volume_cnn3d.pth")
    image = nib.load(shared_data / "mri" / "msd_hippocampus" / "images" / "hippocampus_003.nii.gz")
    values = np.asarray(image.dataobj, dtype=np.float32)
    settings = {"kind": "volume", "intensity": "percentile", "percentile": 99.5, "clip": 1.5, "channels": 1}
    settings |= {"fit": [48, 64, 48], "orientation": None}
    study = study_of(cohort([values], affines=[image.affine]), module, preprocessing=settings)
    own = field(run(study, target=1, relu=False))
    np.testing.assert_array_equal(own.affine, image.affine)
    rows = study.network().preprocess(torch.from_numpy(values)[None, None])
    reference = LayerGradCam(module.eval(), module[15]).attribute(rows, 1)
    wide = LayerAttribution.interpolate(reference, (48, 64, 48), "trilinear").detach().numpy()[0, 0]
    before = [(n - m) // 2 for n, m in zip((48, 64, 48), values.shape, strict=True)]
    part = tuple(slice(b, b + m) for b, m in zip(before, values.shape, strict=True))
    np.testing.assert_allclose(own.values, wide[part].swapaxes(0, 2), atol=1e-5)


def test_that_a_map_that_lies_mostly_outside_the_atlas_says_so_beside_the_names() -> None:
    frame = pd.DataFrame(
        {
            "region": ["a", "b", "outside"],
            "label": [1, 2, 0],
            "density": [2.0, 3.0, 9.0],
            "share_of_map": [0.1, 0.2, 0.7],
        }
    )
    assert strongest(frame) == "Strongest in b, a. But 70 % of it lies outside the atlas."
    assert strongest(frame.assign(share_of_map=[0.5, 0.3, 0.2])) == "Strongest in b, a."
