"""Orientation, intensity, size and channels of volumes on their way into a network."""

from __future__ import annotations

from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from nibabel.orientations import aff2axcodes
from torch import nn

from sensiview.errors import ModelError
from sensiview.models.card import ModelCard
from sensiview.models.network import Network, network_from_module
from sensiview.models.preprocessing import Preprocessing
from sensiview.models.volume_preprocessing import VolumePreprocessing, fitted_to, percentile
from sensiview.models.volume_settings import VolumeSettings

RAS = np.diag([3.0, 3.0, 3.0, 1.0])


def prepared(settings: dict[str, Any], shape: tuple[int, ...] = ()) -> VolumePreprocessing:
    return VolumePreprocessing({"kind": "volume", **settings}, shape, "net")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 100 - 5


@pytest.mark.parametrize("share", [0.5, 50, 99.5, 100])
@pytest.mark.parametrize("count", [1, 2, 101, 1000])
def test_that_a_percentile_is_numpys(share: float, count: int) -> None:
    values = noise(count)
    assert float(percentile(values, share)) == pytest.approx(np.percentile(values.numpy(), share), rel=1e-12)


@pytest.mark.parametrize("voxels", ["all", "nonzero"])
@pytest.mark.parametrize("intensity", ["none", "percentile", "minmax", "zscore", "fixed"])
def test_that_each_volume_is_scaled_by_its_own_values(intensity: str, voxels: str) -> None:
    rows = noise(2, 1, 5, 6, 7)
    rows[:, :, :2] = 0
    rows[1] *= 7
    more = {"mean": 4.0, "std": 2.5} if intensity == "fixed" else {}
    got = prepared({"intensity": intensity, "voxels": voxels, "percentile": 90, **more})(rows).numpy()
    for row, answer in zip(rows.numpy(), got, strict=True):
        chosen = row[row != 0] if voxels == "nonzero" else row.ravel()
        expected = {
            "none": row,
            "percentile": row / np.percentile(chosen, 90),
            "minmax": (row - chosen.min()) / (chosen.max() - chosen.min()),
            "zscore": (row - chosen.mean()) / chosen.std(),
            "fixed": (row - 4.0) / 2.5,
        }[intensity]
        np.testing.assert_allclose(answer, expected, rtol=1e-10, atol=1e-12)


def test_that_values_beyond_the_clip_are_cut_off_on_both_sides() -> None:
    got = prepared({"intensity": "zscore", "clip": 0.5})(noise(1, 1, 6, 6, 6))
    assert (float(got.min()), float(got.max())) == (-0.5, 0.5)


@pytest.mark.parametrize("intensity", ["percentile", "minmax", "zscore"])
@pytest.mark.parametrize("value", [0.0, 1000.1, -3.0])
def test_that_a_constant_volume_gives_finite_numbers(intensity: str, value: float) -> None:
    got = prepared({"intensity": intensity})(torch.full((1, 1, 4, 4, 4), value))
    assert bool(torch.isfinite(got).all())
    assert float(got.std()) < 1e-3


def test_that_statistics_come_from_the_volume_before_it_was_masked() -> None:
    scale = prepared({"intensity": "percentile"})
    before = noise(2, 1, 6, 6, 6)
    masked = before.clone()
    masked[:, :, :3] = 0
    torch.testing.assert_close(scale(masked, before)[:, :, 3:], scale(before)[:, :, 3:], rtol=0, atol=0)
    assert not torch.equal(scale(masked)[:, :, 3:], scale(before)[:, :, 3:])
    before.mul_(2)  # in place: what was remembered of it no longer holds
    torch.testing.assert_close(scale(masked, before), masked / (percentiles := scale._measured(before)[1]))
    assert percentiles.shape == (2, 1, 1, 1, 1)


@pytest.mark.parametrize("intensity", ["none", "percentile", "minmax", "zscore", "fixed"])
def test_that_gradients_are_those_of_finite_differences(intensity: str) -> None:
    more = {"mean": 4.0, "std": 2.5} if intensity == "fixed" else {}
    turned = {"orientation": "LPS", "fit": [4, 2, 4]}
    step = prepared({"intensity": intensity, **more, **turned})
    rows = noise(2, 1, 3, 3, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: step(x, None, RAS), (rows,))
    like = noise(2, 1, 3, 3, 3, seed=1)
    assert torch.autograd.gradcheck(lambda x: step(x, like, RAS), (rows,))


@pytest.mark.parametrize("codes", ["RAS", "LPS", "LAS", "PIR", "ASL", "SRA"])
def test_that_volumes_are_turned_as_nibabel_turns_them(codes: str) -> None:
    values = noise(5, 6, 7).numpy()
    for own in ("RAS", "PSR", "ILA"):
        image = nib.Nifti1Image(values, RAS).as_reoriented(
            nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(own))
        )
        assert "".join(aff2axcodes(image.affine)) == own
        raw = torch.from_numpy(np.array(image.dataobj))[None, None]
        got = prepared({"orientation": codes})(raw, None, image.affine)
        wanted = image.as_reoriented(
            nib.orientations.ornt_transform(nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(codes))
        )
        np.testing.assert_array_equal(got[0, 0].numpy(), np.asarray(wanted.dataobj))


@pytest.mark.parametrize("fit", [None, [9, 4, 7], [3, 8, 8]])
def test_that_maps_come_back_to_the_raw_grid(fit: list[int] | None) -> None:
    affine = np.array([[0, 0, -2.0, 9], [3, 0, 0, 1], [0, -1.5, 0, 2], [0, 0, 0, 1]])
    step = prepared({"orientation": "RAS", "fit": fit})
    raw = noise(2, 1, 5, 6, 7)
    weights = noise(*step(raw, None, affine).shape, seed=3)
    raw.requires_grad_()
    # The geometry is linear: its transpose is the gradient.
    (gradient,) = torch.autograd.grad((step(raw, None, affine) * weights).sum(), raw)
    torch.testing.assert_close(step.back(weights, (5, 6, 7), affine), gradient, rtol=0, atol=0)


def test_that_the_smaller_half_of_an_odd_difference_goes_before() -> None:
    row = torch.arange(1.0, 4.0).reshape(1, 1, 3, 1, 1)
    assert fitted_to(row, (6, 1, 1)).flatten().tolist() == [0, 1, 2, 3, 0, 0]
    assert fitted_to(fitted_to(row, (6, 1, 1)), (3, 1, 1)).flatten().tolist() == [1, 2, 3]
    assert fitted_to(row, (2, 1, 1)).flatten().tolist() == [1, 2]


def test_that_the_only_channel_is_repeated_and_others_are_not() -> None:
    step = prepared({"channels": 3})
    assert step(noise(2, 1, 4, 4, 4)).shape == (2, 3, 4, 4, 4)
    assert step(noise(2, 3, 4, 4, 4)).shape == (2, 3, 4, 4, 4)
    with pytest.raises(ModelError, match="these volumes have 2"):
        step(noise(2, 2, 4, 4, 4))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_that_half_precision_is_widened(dtype: torch.dtype) -> None:
    assert prepared({"intensity": "percentile"})(noise(1, 1, 4, 4, 4).to(dtype)).dtype == torch.float32


def test_that_a_size_that_does_not_fit_is_a_sentence() -> None:
    step = prepared({}, (1, 48, 64, 48))
    with pytest.raises(ModelError, match=r"input size does not fit.*48 x 64 x 48 voxels, these have 35 x 51 x 35"):
        step(noise(1, 1, 35, 51, 35))
    assert prepared({"fit": [8, 8, 8]}, (1, 8, 8, 8))(noise(1, 1, 5, 9, 8)).shape == (1, 1, 8, 8, 8)
    with pytest.raises(ModelError, match="takes volumes of shape"):
        step(noise(3, 4))
    with pytest.raises(ModelError, match="Make 'fit' and the network's input size the same"):
        prepared({"fit": [8, 8, 8]}, (1, 9, 9, 9))


@pytest.mark.parametrize(
    "settings",
    [
        {"intesity": "none"},
        {"intensity": "loud"},
        {"intensity": "fixed"},
        {"intensity": "fixed", "mean": 0, "std": 0},
        {"percentile": 0},
        {"clip": -1},
        {"fit": [0, 1, 1]},
        {"fit": [4, 4]},
        {"orientation": "RAP"},
        {"orientation": "RR"},
        {"channels": 0},
        {"clip": float("nan")},
    ],
)
def test_that_settings_without_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="preprocessing of 'net'"):
        prepared(settings)


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.full((4, 4), np.nan), np.ones((4, 4))])
def test_that_an_affine_without_orientation_is_a_sentence(affine: np.ndarray) -> None:
    with pytest.raises(ModelError, match="says no orientation"):
        prepared({"orientation": "RAS"})(noise(1, 1, 4, 4, 4), None, affine)


def test_that_settings_go_through_a_card_and_back() -> None:
    settings = VolumeSettings(intensity="percentile", clip=1.5, fit=(48, 64, 48), orientation="ras")
    assert settings.orientation == "RAS"
    assert VolumeSettings(**settings.to_card()) == settings
    assert "mean" not in settings.to_card()


def test_that_a_network_prepares_volumes_by_its_card() -> None:
    module = nn.Sequential(nn.Conv3d(1, 2, 3), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    card = ModelCard(name="net", input_shape=(1, 8, 8, 8), preprocessing={"kind": "volume", "fit": [8, 8, 8]})
    network = Network(module, card)
    assert network.preprocess(noise(2, 1, 5, 6, 9)).shape == (2, 1, 8, 8, 8)
    assert network.preprocess(noise(2, 1, 5, 6, 9)).dtype == torch.float32
    assert network.on_raw_grid(torch.ones(2, 1, 8, 8, 8), (5, 6, 9)).shape == (2, 1, 5, 6, 9)
    assert Preprocessing({"kind": "none"}, (), "net").volumes is None


def test_that_a_module_from_python_takes_volumes_that_are_fitted() -> None:
    module = nn.Sequential(nn.Conv3d(1, 2, 3), nn.AdaptiveAvgPool3d(1), nn.Flatten())
    network = network_from_module(
        module,
        sample=np.zeros((2, 1, 5, 6, 9), dtype=np.float32),
        preprocessing={"kind": "volume", "fit": [8, 8, 8], "intensity": "minmax"},
        device="cpu",
    )
    assert network.card.input_shape == (1, 8, 8, 8)
    assert network.preprocess(noise(1, 1, 7, 7, 7)).shape == (1, 1, 8, 8, 8)
