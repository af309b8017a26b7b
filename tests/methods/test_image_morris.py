"""Morris screening of images and volumes: what is planted leads, scopes, averages, and awkward inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from sensiview.analysis.items import FieldMap, ImageSeries, IndexTable, Note
from sensiview.analysis.map_examples import volume_study
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.screening_parameters import ScreeningParameters
from sensiview.analysis.study import Study
from sensiview.errors import Stopped, UserError
from sensiview.methods.morris import Morris
from sensiview.numerics.screening.partition import Division, Partition, PartitionOptions, Picture
from tests.methods.image_studies import image_set, study_of

SIDE = 16


def _run(study: Study, **parameters: Any) -> Result:
    chosen = ScreeningParameters.parse(parameters)
    if found := Morris().against(study, chosen):
        raise UserError(" ".join(found))
    return Morris().run(study, chosen, Silent())


def _frame(result: Result, name: str = "screening") -> pd.DataFrame:
    item = result[name]
    assert isinstance(item, IndexTable)
    return item.to_frame()


def _field(result: Result, name: str) -> FieldMap:
    item = result[name]
    assert isinstance(item, FieldMap)
    return item


class _Corner(nn.Module):
    """The first class is the sum of the red upper left quarter, the second a product of two other quarters."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        quarter = x[:, 0, :8, :8].sum(dim=(1, 2))
        pair = x[:, :, :8, 8:].mean(dim=(1, 2, 3)) * x[:, :, 8:, :8].mean(dim=(1, 2, 3))
        return self.scale * torch.stack([quarter, pair], dim=1)


def _study(pictures: list[np.ndarray] | None = None, classes: tuple[str, ...] = ()) -> Study:
    rng = np.random.default_rng(6)
    arrays = pictures or [rng.uniform(0.2, 0.8, (3, SIDE, SIDE)) for _ in range(3)]
    return study_of(_Corner(), image_set(arrays, classes), settings=None, class_names=("sum", "pair"))


def test_that_a_linear_part_has_twice_its_sum_and_no_spread_and_a_product_interacts() -> None:
    result = _run(_study(), cells=2, n=40, images="0")
    found = _frame(result).set_index(["output", "factor"])
    own = np.random.default_rng(6).uniform(0.2, 0.8, (3, SIDE, SIDE)).astype(np.float32)
    assert found.loc[("sum", "row 1, column 1"), "mu"] == pytest.approx(2 * own[0, :8, :8].sum(), rel=1e-5)
    assert found.loc[("sum", "row 1, column 1"), "sigma"] < 1e-3
    assert found.loc[("sum", "row 2, column 2"), "mu_star"] == 0
    pair = found.loc["pair"]
    assert pair["mu_star"].idxmax() in ("row 1, column 2", "row 2, column 1")
    assert (pair.loc[["row 1, column 2", "row 2, column 1"], "sigma"] > 0.3 * pair["mu_star"].max()).all()


def test_that_the_maps_hold_the_numbers_of_the_table_where_the_parts_lie() -> None:
    result = _run(_study(), cells=4, n=6)
    maps, parts, table = _field(result, "map_mu_star"), _field(result, "parts"), _frame(result)
    assert maps.axes == ("image", "target", "y", "x")
    assert parts.axes == ("y", "x")
    assert set(np.unique(parts.values)) == set(range(1, 17))
    for image, name in enumerate(maps.coordinates["image"]):
        rows = table[(table["image"] == name) & (table["output"] == "pair")].reset_index()
        drawn = maps.values[image, 1]
        for number, value in enumerate(rows["mu_star"]):
            assert np.allclose(drawn[parts.values == number + 1], value, rtol=1e-6)
    pictures = result["input"]
    assert isinstance(pictures, ImageSeries)
    assert pictures.values.shape == (3, SIDE, SIDE, 3)


def test_that_a_black_cell_has_no_effect_and_is_marked() -> None:
    picture = np.full((3, SIDE, SIDE), 0.5)
    picture[:, :8, :8] = 0
    result = _run(_study([picture]), cells=2, n=6)
    item = result["screening"]
    assert isinstance(item, IndexTable)
    marked = {item.frame["factor"][remark.row] for remark in item.remarks if remark.kind == "no_effect"}
    assert marked == {"row 1, column 1"}
    assert result.evaluations == 6 * 4 + 1  # three cells vary
    assert np.isfinite(_field(result, "map_mu_star").values).all()


def test_that_a_black_image_gives_zeros_and_a_sentence() -> None:
    result = _run(_study([np.zeros((3, SIDE, SIDE))]), cells=2, n=6)
    assert (_frame(result)["mu_star"] == 0).all()
    assert not _field(result, "map_sigma").values.any()
    note = result["note"]
    assert isinstance(note, Note)
    assert "every part is 0" in note.text


def test_that_the_global_scope_samples_every_image_between_the_extremes() -> None:
    study = _study()
    result = _run(study, cells=2, n=10, scope="global")
    factors = _frame(result, "factors")
    first = factors[factors["factor"] == "row 1, column 1"]
    assert first["low"].nunique() == 1
    assert first["low"].iloc[0] == pytest.approx(first["value"].min())
    assert first["high"].iloc[0] == pytest.approx(first["value"].max())
    table = _frame(result)
    single, mean = table[table["image"] != "mean"], table[table["image"] == "mean"]
    expected = single.groupby(["output", "factor"], sort=False)[["mu_star", "sigma"]].agg(["mean", "std"])
    merged = mean.set_index(["output", "factor"])
    for measure in ("mu_star", "sigma"):
        assert np.allclose(merged[measure], expected[(measure, "mean")].reindex(merged.index), rtol=1e-9)
        assert np.allclose(merged[f"{measure}_spread"], expected[(measure, "std")].reindex(merged.index), atol=1e-9)
    assert _field(result, "map_mu_star").coordinates["image"][0] == "mean"
    below = result["input"]
    assert isinstance(below, ImageSeries)
    assert below.labels == _field(result, "map_mu_star").coordinates["image"]


def test_that_channels_and_superpixels_are_parts_too() -> None:
    channels = _run(_study(), partition="channels", n=8, images="0")
    found = _frame(channels).set_index(["output", "factor"])
    assert found.loc[("sum", "red"), "mu_star"] > 0
    assert found.loc[("sum", "green"), "mu_star"] == 0
    assert _field(channels, "parts").axes == ("channel", "y", "x")
    stripes = [np.full((3, SIDE, SIDE), 0.2), np.full((3, SIDE, SIDE), 0.2)]
    stripes[0][:, :5], stripes[1][:, :, 11:] = 0.9, 0.9
    superpixels = _run(_study(stripes), partition="superpixels", cells=3, n=4)
    assert _field(superpixels, "parts").axes == ("image", "y", "x")


def test_that_whole_passes_and_windows_give_the_same() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 2)
    )
    study = study_of(module.eval(), settings=None)
    windows = _run(study, cells=4, n=5, images="0")

    class Opaque(nn.Module):
        """The same, in a way that can't be followed layer by layer."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, x: Tensor) -> Tensor:
            answer: Tensor = self.inner(x + 0 * x.flip(3))
            return answer

    whole = _run(study_of(Opaque().eval(), settings=None), cells=4, n=5, images="0")
    notes = [result["note"].text for result in (windows, whole)]  # type: ignore[attr-defined]
    assert "only the windows" in notes[0]
    assert "computed whole" in notes[1]
    left, right = _frame(windows), _frame(whole)
    assert np.allclose(left["mu_star"], right["mu_star"], rtol=1e-3, atol=1e-6)


def test_that_a_stopped_screening_of_images_goes_on_where_it_was() -> None:
    class Impatient(Silent):
        left = 500

        def advance(self, done: int) -> None:
            self.left -= done
            if self.left < 0:
                raise Stopped

    chosen = ScreeningParameters(cells=4, n=24)
    stopped = Impatient()
    with pytest.raises(Stopped):
        Morris().run(_study(), chosen, stopped)
    state = stopped.restored()
    assert state is not None
    resumed = Morris().run(_study(), chosen, Silent(state))
    fresh = Morris().run(_study(), chosen, Silent())
    pd.testing.assert_frame_equal(_frame(resumed), _frame(fresh), rtol=1e-5, atol=1e-7)


def test_that_volumes_are_cut_into_cells_in_their_own_grid() -> None:
    result = _run(volume_study(), partition="grid", cells=3, n=4, levels=4, subjects="0-1", atlas="none")
    maps = _field(result, "map_mu_star")
    assert maps.axes == ("subject", "target", "z", "y", "x")
    assert maps.affine is not None
    assert "mm" in set(dict(result["factors"].units).values())  # type: ignore[attr-defined]


def test_that_a_network_of_many_classes_is_asked_for_the_predicted_and_the_true_one() -> None:
    class Many(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 30)

        def forward(self, x: Tensor) -> Tensor:
            answer: Tensor = self.linear(x.mean(dim=(2, 3)))
            return answer

    names = tuple(f"c{i}" for i in range(30))
    pictures = image_set([np.full((3, 8, 8), v) for v in (0.3, 0.6)], ["c4", "c7"])
    study = study_of(Many(), pictures, settings=None, class_names=names)
    found = _run(study, cells=2, n=4)
    assert list(dict.fromkeys(_frame(found)["output"])) == ["predicted class", "true class"]
    assert _frame(_run(study, cells=2, n=4, target="all"))["output"].nunique() == 30


class _Halves(Partition):
    """Left and right."""

    key = "halves"
    title = "Halves"

    def divide(self, picture: Picture, options: PartitionOptions) -> Division:
        masks = np.zeros((2, *picture.shape), dtype=bool)
        masks[0, :, : picture.shape[1] // 2 + int(options.more.get("overlap", 0))] = True
        masks[1, :, picture.shape[1] // 2 :] = True
        return Division.of(masks, ["left", "right"], picture)


def test_that_a_partition_of_a_plugin_is_used_and_its_faults_are_told() -> None:
    from dataclasses import replace

    study = replace(_study(), plugin_parts=lambda: ({"halves": _Halves()}, {}))
    found = _frame(_run(study, partition="halves", n=4, images="0"))
    assert set(found["factor"]) == {"left", "right"}
    with pytest.raises(UserError, match="overlap in 32 of 256 places, for example left and right"):
        _run(study, partition="halves", n=4, images="0", options={"overlap": 2})


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"partition": "gird"}, "Did you mean 'grid'|grid"),
        ({"partition": "columns"}, "parts of tables"),
        ({"partition": "atlas"}, "does not cut images"),
        ({"partition": "generator"}, "can make images"),
        ({"partition": "generator", "generator": "faces"}, "no generator 'faces'"),
        ({"partition": "superpixels", "scope": "global"}, "no common range"),
        ({"partition": "superpixels", "average": True}, "can't be averaged"),
        ({"cells": 17}, "at most 16"),
        ({"levels": 5}, "4 or 6"),
        ({"output": "loss"}, "no score of images"),
        ({"target": "dog"}, "dog"),
        ({"images": "7"}, "no image 7"),
        ({"rows": "0-3"}, "no meaning for images"),
        ({"bounds": {"a": [0, 1]}}, "no meaning for images"),
    ],
)
def test_that_values_that_make_no_screening_of_images_are_told(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        _run(_study(), **parameters)


def test_that_trajectories_with_an_overflow_are_left_out() -> None:
    class Pole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x: Tensor) -> Tensor:
            bright = x[:, :, :8, :8].mean(dim=(1, 2, 3))
            return self.scale * torch.stack([bright / (bright < 0.95), x.mean(dim=(1, 2, 3))], dim=1)

    study = study_of(Pole(), image_set([np.full((3, SIDE, SIDE), 0.5)]), settings=None, class_names=("a", "b"))
    result = _run(study, cells=2, n=40, levels=8)
    assert np.isfinite(_frame(result)["mu_star"]).all()
    assert any("left out" in sentence for sentence in result.warnings)
