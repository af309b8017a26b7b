"""Occlusion of volumes against Captum, by region, interrupted, and with every fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from captum.attr import Occlusion as CaptumOcclusion
from scipy import ndimage
from torch import nn

import sensiview.datasets.atlas as atlases
from sensiview.analysis.items import FieldMap, IndexTable
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.volume import Volume
from sensiview.datasets.volumes import VolumeEntry, VolumeSet
from sensiview.errors import Stopped, UserError
from sensiview.methods.occlusion import Occlusion, OcclusionParameters
from sensiview.models.network import network_from_module
from sensiview.numerics.example_volumes import PLANTED, example_module, example_network, example_volumes
from sensiview.numerics.replacement import parse_fill

ANALYSIS = Occlusion()


@pytest.fixture
def study() -> Study:
    volumes = example_volumes()
    return Study(
        dataset=volumes.card,
        model=example_network(volumes).card,
        device="cpu",
        volumes_loader=lambda: volumes,
        network_loader=lambda: example_network(volumes),
    )


def run(study: Study, progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = OcclusionParameters.parse({"atlas": "none", **parameters})
    assert ANALYSIS.problems(study, chosen) == []
    return ANALYSIS.run(study, chosen, progress or Silent())


def field(result: Result, name: str = "map") -> FieldMap:
    item = result[name]
    assert isinstance(item, FieldMap)
    return item


def probability(rows: torch.Tensor) -> torch.Tensor:
    return torch.softmax(example_module().eval()(rows), dim=1)


@pytest.mark.parametrize(
    "window, stride, unit, voxels, steps",
    [
        (4, 4, "voxels", (4, 4, 4), (4, 4, 4)),
        ([3, 4, 6], [3, 2, 3], "voxels", (3, 4, 6), (3, 2, 3)),
        (8, [4, 8, 9], "mm", (4, 4, 3), (2, 4, 3)),
    ],
)
def test_that_the_map_equals_captum_where_the_stride_divides_what_the_window_leaves(
    study: Study, window: Any, stride: Any, unit: str, voxels: tuple[int, ...], steps: tuple[int, ...]
) -> None:
    options = {"target": "AD", "subjects": "1", "window": window, "stride": stride, "unit": unit, "fill": 0.4}
    result = run(study, **options)
    row = torch.from_numpy(study.volumes().batch([1]))
    wanted = CaptumOcclusion(probability).attribute(
        row, (1, *voxels), strides=(1, *steps), baselines=0.4, target=0, perturbations_per_eval=8
    )
    np.testing.assert_allclose(field(result).values, wanted[0, 0].numpy().swapaxes(0, 2), atol=1e-5)
    assert result.evaluations == ANALYSIS.cost(study, OcclusionParameters.parse(options)).evaluations
    assert field(result).unit == "probability"


def test_that_windows_cover_volumes_alike_from_either_end_and_the_cost_knows(study: Study) -> None:
    class Turned(nn.Module):
        """Sees what the example sees from volumes whose first and third axis are stored the other way round."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = example_module().eval()

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.inner(rows.flip((2, 4)))
            return found

    def turned(entry: VolumeEntry) -> VolumeEntry:
        volume = entry.open()
        values = np.ascontiguousarray(volume.values()[::-1, :, ::-1])
        return replace(entry, open=lambda: Volume(values, volume.affine, name=entry.name))

    # The window leaves 7 voxels over, which the stride does not divide.
    options = {"target": "AD", "subjects": "1", "window": 5, "stride": 4, "fill": 0.4}
    plain = run(study, **options)
    volumes = study.volumes()
    other = VolumeSet(volumes.card, tuple(map(turned, volumes.entries)), pd.DataFrame({"diagnosis": ["CN", "AD"] * 2}))
    sample = other.batch([0, 3])
    network = network_from_module(Turned(), sample=sample, name="turned", class_names=("AD", "CN"), device="cpu")
    stored_otherwise = replace(
        study, dataset=other.card, model=network.card, volumes_loader=lambda: other, network_loader=lambda: network
    )
    mirrored = run(stored_otherwise, **options)
    np.testing.assert_allclose(np.flip(field(mirrored).values, (0, 2)), field(plain).values, atol=1e-6)
    assert np.ptp(field(plain).values) > 0.01
    assert plain.evaluations == ANALYSIS.cost(study, OcclusionParameters.parse(options)).evaluations


def test_that_removing_the_planted_box_is_what_counts(study: Study) -> None:
    values = field(
        run(study, target="AD", subjects="diagnosis=AD", window=4, fill="mean", average=True), "mean_map"
    ).values
    inside = np.zeros((12, 12, 12), dtype=bool)
    inside[PLANTED] = True
    assert values[inside.swapaxes(0, 2)].mean() > 3 * np.abs(values[~inside.swapaxes(0, 2)]).mean()


@pytest.mark.parametrize(
    "options, filled",
    [
        ({"fill": "zero"}, lambda v: np.zeros_like(v[1])),
        ({"fill": "one"}, lambda v: np.ones_like(v[1])),
        ({"fill": "-2.5"}, lambda v: np.full_like(v[1], -2.5)),
        ({"fill": "mean"}, lambda v: np.full_like(v[1], v[1].mean())),
        ({"fill": "blur", "blur": 4.0}, lambda v: ndimage.gaussian_filter(v[1], [2, 2, 4 / 3], mode="nearest")),
        ({"fill": "controls", "controls": "diagnosis=CN"}, lambda v: (v[0] + v[2]) / 2),
        ({"fill": "controls", "controls": 2}, lambda v: v[2]),
    ],
)
def test_that_every_fill_puts_in_what_it_says(
    study: Study, options: dict[str, Any], filled: Callable[[np.ndarray], np.ndarray]
) -> None:
    result = run(study, target="AD", subjects="1", window=12, **options)
    volumes = study.volumes().batch(range(4))[:, 0]
    rows = torch.from_numpy(np.stack([volumes[1], filled(volumes)]).astype(np.float32)[:, None])
    before, after = probability(rows)[:, 0].tolist()
    np.testing.assert_allclose(field(result).values, before - after, atol=1e-6)


def test_that_a_cancelled_run_goes_on_and_ends_with_the_same_bits(study: Study) -> None:
    options = {"target": "all", "window": 4, "batch_size": 8}
    whole = run(study, **options)

    class Stopping(Silent):
        evaluated = 0

        def advance(self, done: int) -> None:
            self.evaluated += done
            if self.evaluated > 300:
                raise Stopped

    stopping = Stopping()
    with pytest.raises(Stopped):
        run(study, stopping, **options)
    state = stopping.restored()
    assert state is not None
    again = run(study, Silent(Checkpoint(state.arrays, state.values)), **options)
    assert again.evaluations < whole.evaluations - 250
    np.testing.assert_array_equal(field(again).values, field(whole).values)


def labelled() -> atlases.Atlas:
    labels = np.zeros((12, 12, 12), dtype=np.int32)
    labels[PLANTED] = 17
    labels[8:, 8:, :4] = 53
    grid = example_volumes().entries[0].grid
    return atlases.Atlas(labels, grid.affine, {17: "box", 53: "corner"}, name="two regions")


def test_that_regions_are_replaced_one_by_one(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atlases, "find_atlas", lambda text: labelled())
    for options in ({"average": True}, {}):
        result = run(study, mode="regions", atlas="two", target="AD", subjects="diagnosis=AD", fill="mean", **options)
        table = result["regions"]
        assert isinstance(table, IndexTable)
        frame = table.to_frame()
        assert list(frame.loc[frame["label"] > 0, "region"])[:2] == ["box", "corner"]
        assert np.isnan(frame.loc[frame["label"] == 0, "drop"]).all()
        rows = torch.from_numpy(study.volumes().batch([1, 3]))
        less = rows.clone()
        for one in less:
            one[(0, *PLANTED)] = one.mean()
        drops = (probability(rows) - probability(less))[:, 0].detach().numpy()
        found = frame.loc[frame["region"] == "box", "drop"].to_numpy()
        np.testing.assert_allclose(found, drops.mean() if options else drops, atol=1e-6)
        painted = field(result, "mean_map" if options else "map").values.reshape(-1, 12, 12, 12)
        inside = labelled().labels.swapaxes(0, 2)
        np.testing.assert_allclose(painted[:, inside == 17][:, 0], found, atol=1e-6)
        assert (painted[:, inside == 0] == 0).all()
    assert "2 regions of 'two regions' were replaced one by one, by the volume's mean" in result["note"].text  # type: ignore[attr-defined]


def test_that_an_atlas_that_does_not_fit_is_a_warning_for_maps_and_a_sentence_for_regions(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = labelled()
    affine = far.affine.copy()
    affine[:3, 3] += 9000
    elsewhere = atlases.Atlas(far.labels, affine, far.names, name="far")
    monkeypatch.setattr(atlases, "find_atlas", lambda text: elsewhere)
    progress = Silent()
    result = run(study, progress, atlas="far", window=6, subjects="1")
    assert "regions" not in result
    assert any("There is no table of regions" in sentence for sentence in progress.warnings)
    with pytest.raises(UserError, match="no atlas over these volumes"):
        run(study, atlas="far", mode="regions", subjects="1")


@pytest.mark.parametrize(
    "parameters, sentence",
    [
        ({"window": 13}, "window of 13 x 13 x 13 voxels is larger than the volume of 12 x 12 x 12"),
        ({"window": 30, "unit": "mm"}, "window of 15 x 15 x 10 voxels is larger"),
        ({"window": 3, "stride": 4}, "leave gaps"),
        ({"window": [3, 4]}, "Write one size, or 3, one for each axis (given: 2)"),
        ({"fill": "meen"}, "Did you mean 'mean'"),
        ({"fill": "controls"}, "Name the controls"),
        ({"fill": "controls", "controls": "diagnosis=MCI"}, "No volume has diagnosis=MCI"),
        ({"mode": "regions", "atlas": "none"}, "Name an atlas"),
    ],
)
def test_that_what_does_not_fit_is_a_sentence_before_the_run(
    study: Study, parameters: dict[str, Any], sentence: str
) -> None:
    assert sentence in " ".join(ANALYSIS.problems(study, OcclusionParameters.parse(parameters)))


@pytest.mark.parametrize("parameters", [{"window": 0}, {"window": [1, 2, 3, 4]}, {"stride": -1}, {"blur": 0}])
def test_that_impossible_values_are_refused_at_once(parameters: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        OcclusionParameters.parse(parameters)


def test_that_fills_are_read_as_people_write_them() -> None:
    assert parse_fill(" Zero ") == ("constant", 0.0)
    assert parse_fill("blurred") == ("blur", 0.0)
    assert parse_fill(0.25) == ("constant", 0.25)
    with pytest.raises(UserError, match="finite"):
        parse_fill(float("inf"))


def test_that_a_network_whose_input_size_does_not_fit_is_a_sentence(study: Study) -> None:
    volumes = example_volumes()
    other = Volume(np.ones((9, 12, 12), dtype=np.float32), np.eye(4), name="other")
    entry = replace(volumes.entries[0], grid=other.grid, open=lambda: other)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(1728, 2))
    network = network_from_module(flat, sample=volumes.batch([0]), name="net", device="cpu")
    small = replace(volumes, entries=(entry, *volumes.entries[1:]))
    wrong = replace(study, volumes_loader=lambda: small, network_loader=lambda: network)
    with pytest.raises(UserError, match="can't compute on inputs of shape"):
        run(wrong, subjects="0", window=6, target=0)
