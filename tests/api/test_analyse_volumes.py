"""`sensiview.analyse` on volumes: odd networks, and data that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import Tensor, nn

import sensiview
from sensiview.errors import UserError
from tests.datasets.dicom_phantom import placed

LABELS = ["a", "b", "a", "b"]
SHORT: dict[str, dict[str, Any]] = {
    "mask_optimization": {"subjects": "all", "steps": 8, "grid_spacing": 3, "lambda_1": 1e-3, "lambda_2": 1e-3},
    "lambda_grid": {"subjects": "all", "steps": 8, "grid_spacing": 3, "lambda_1": [1e-3, 1e-2], "lambda_2": [1e-3]},
    "saliency": {"subjects": "0"},
    "sanity": {"method": "saliency", "subjects": "0", "repeats": 1, "orders": 2, "steps": 2, "draws": 2},
}


def images(shape: tuple[int, ...] = (8, 9, 7)) -> list[Any]:
    rng = np.random.default_rng(0)
    return [nib.Nifti1Image(rng.random(shape).astype(np.float32), np.diag([3.0, 3, 3, 1])) for _ in LABELS]


class Plain(nn.Module):
    """A small classifier of two classes; the seed makes its weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv3d(1, 4, 3, padding=1)
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Any:
        return self.last(torch.relu(self.conv(x)).mean((2, 3, 4)))


class WritesInto(Plain):
    """Scales its input in place, as some preprocessing inside networks does."""

    def forward(self, x: Tensor) -> Any:
        return super().forward(x.sub_(0.5).div_(0.3))


class Detached(Plain):
    """Cuts the gradient."""

    def forward(self, x: Tensor) -> Any:
        return super().forward(x).detach()


class Several(Plain):
    """Gives what nobody can guess."""

    def forward(self, x: Tensor) -> Any:
        return {"features": x.mean((2, 3, 4)), "logits": super().forward(x)}


def analyse(key: str, network: nn.Module, data: Any = None, **more: Any) -> Any:
    given = images() if data is None else data
    settings = {"labels": LABELS, "parameters": SHORT.get(key, {}), "device": "cpu", "progress": False} | more
    return sensiview.analyse(key, network, given, **settings)


@pytest.mark.parametrize("key", ["mask_optimization", "lambda_grid", "saliency"])
def test_that_a_network_that_writes_into_its_input_is_explained_like_one_that_does_not(key: str) -> None:
    class Scales(Plain):
        def forward(self, x: Tensor) -> Any:
            return super().forward((x - 0.5) / 0.3)

    wanted, found = analyse(key, Scales()), analyse(key, WritesInto())
    name = {"mask_optimization": "mask", "lambda_grid": "masks", "saliency": "map"}[key]
    np.testing.assert_allclose(found[name].values, wanted[name].values, atol=1e-6)
    assert np.ptp(wanted[name].values) > 0


@pytest.mark.parametrize("key", ["mask_optimization", "lambda_grid", "saliency"])
def test_that_a_network_without_a_gradient_is_refused_with_the_way_out(key: str) -> None:
    with pytest.raises(UserError, match=r"no gradient with respect to the input.*occlusion, which needs no gradient"):
        analyse(key, Detached())


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_that_sanity_goes_on_where_no_layer_can_be_randomised() -> None:
    traced = torch.jit.trace(Plain().eval(), torch.zeros(2, 1, 8, 9, 7))  # type: ignore[no-untyped-call]
    result = analyse("sanity", traced)
    assert "randomisation" not in result
    assert "seeds" in result
    assert any("no layers with weights" in sentence for sentence in result.warnings)


@pytest.mark.parametrize("key", ["mask_optimization", "saliency"])
def test_that_it_is_said_which_of_several_answers_is_taken(key: str) -> None:
    assert (
        "The network gives a dictionary; its entry 'logits' is taken as the output." in analyse(key, Several()).warnings
    )


def test_that_memory_that_runs_out_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from sensiview.methods.saliency import Saliency

    def too_much(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(Saliency, "run", too_much)
    with pytest.raises(UserError, match=r"Memory was not enough for 'Saliency'.*smaller batch_size"):
        analyse("saliency", Plain())


def test_that_preprocessing_without_a_kind_is_refused() -> None:
    with pytest.raises(UserError, match=r"has no 'kind', so that mean can't be understood"):
        analyse("saliency", Plain(), preprocessing={"mean": 1})
    with pytest.raises(UserError, match=r"kind 'none' and says fit all the same"):
        analyse("saliency", Plain(), preprocessing={"kind": "none", "fit": [8, 9, 7]})


@pytest.mark.parametrize("orientation", ["LPS", "LAS", "PIR", "ASL"])
@pytest.mark.parametrize(("key", "item"), [("mask_optimization", "mask"), ("saliency", "map"), ("grad_cam", "map")])
def test_that_maps_do_not_depend_on_the_order_in_which_voxels_are_stored(key: str, item: str, orientation: str) -> None:
    class Placed(Plain):
        """Rests on where things are, so that it must see every volume the same way round."""

        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(4 * 6 * 8 * 7, 2)

        def forward(self, x: Tensor) -> Any:
            return self.last(torch.relu(self.conv(x)).flatten(1))

    heads = [np.random.default_rng(k).random((6, 8, 7)).astype(np.float32) for k in range(4)]

    def upright(order: str) -> Any:
        stored = [nib.Nifti1Image(*placed(head, (2.0, 2.0, 2.0), order)) for head in heads]
        settings = {"subjects": "all"} | ({} if item == "map" else {"grid_spacing": 4, "grid_unit": "mm"})
        parameters = settings if item == "map" else SHORT[key] | settings | {"fill": "zero"}
        preprocessing = {"kind": "volume", "orientation": "RAS"}
        found = analyse(key, Placed(), stored, parameters=parameters, preprocessing=preprocessing)[item]
        np.testing.assert_allclose(found.affine, stored[0].affine)
        values = found.values.reshape(-1, *found.values.shape[-3:])[0].transpose(2, 1, 0)
        return nib.as_closest_canonical(nib.Nifti1Image(values, found.affine)).get_fdata()

    wanted = upright("RAS")
    np.testing.assert_allclose(upright(orientation), wanted, atol=1e-5 * np.abs(wanted).max())
    assert np.ptp(wanted) > 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (np.zeros((4, 2, 8, 9, 7)), "has 2 channels; volumes have one"),
        ([np.zeros((8, 9))] * 4, r"a list whose first is ndarray of shape \(8, 9\)"),
        ([], "an empty list"),
        ("brain", "the text 'brain'"),
        ({"a": 1}, "something of type dict"),
        (images((8, 9, 1)), "8 x 9 x 1 voxels, a single slice"),
        (np.ones((4, 1, 1, 9, 7)), "1 x 9 x 7 voxels, a single slice"),
    ],
    ids=["channels", "2-D", "empty", "text", "dict", "slice", "slice of an array"],
)
def test_that_data_that_are_no_volumes_are_named(data: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        analyse("saliency", Plain(), data)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_that_a_list_of_tensors_is_taken_for_volumes(dtype: torch.dtype) -> None:
    rng = np.random.default_rng(0)
    values = [torch.from_numpy(rng.random((8, 9, 7))).to(dtype) for _ in LABELS]
    found = analyse("saliency", Plain(), values)["map"].values
    wanted = analyse("saliency", Plain(), [value.float().numpy() for value in values])["map"].values
    np.testing.assert_array_equal(found, wanted)


def test_that_a_project_is_named_by_its_path(tmp_path: Path) -> None:
    for wrong in (None, 3):
        with pytest.raises(UserError, match="path of a project's folder"):
            sensiview.load(wrong)  # type: ignore[arg-type]


def test_that_a_mapping_that_is_no_table_is_refused() -> None:
    with pytest.raises(UserError, match="each column needs a list of values"):
        sensiview.analyse("sobol", nn.Linear(2, 1), {"x1": 1, "x2": 2}, progress=False)
