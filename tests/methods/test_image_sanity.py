"""Sanity checks of maps of images: what must pass, what must fail, and every method."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sensiview.analysis.items import Curve, FieldMap, IndexTable, Mask
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished
from sensiview.errors import UserError
from sensiview.methods.sanity import Sanity
from sensiview.numerics.example_images import PLANTED, example_images, example_module
from tests.methods.image_studies import note, run, study_of

ANALYSIS = Sanity()
QUICK: dict[str, Any] = {
    "images": "class=bright",
    "target": "bright",
    "repeats": 1,
    "orders": 19,
    "steps": 4,
    "cell": 4,
    "draws": 19,
    "share": 0.1,
}


def frame(result: Result, name: str) -> Any:
    item = result[name]
    assert isinstance(item, IndexTable | Curve)
    return item.frame


def test_that_a_map_of_what_the_network_uses_passes_and_says_so_per_image() -> None:
    result = run(ANALYSIS, study_of(), method="saliency", **QUICK)
    assert note(result, "verdict").startswith("Passes: all "), note(result, "verdict")
    assert list(frame(result, "seeds")["image"]) == ["image-1.png", "image-3.png"]
    assert list(frame(result, "randomisation")["layer"]) == ["none", "8", "3", "0"]
    areas = frame(result, "areas").set_index(["curve", "order"])["area"]
    assert areas["deletion", "map"] < areas["deletion", "random"]
    assert areas["insertion", "map"] > areas["insertion", "random"]


class Edges(nn.Module):
    """Its gradient is the image itself: the map never changes with the weights, as that of an edge detector."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = example_module()

    def forward(self, x: Tensor) -> Tensor:
        energy = x.square().flatten(1).sum(dim=1) / 50
        return torch.stack([energy, -energy], dim=1) + 1e-6 * self.inside(x)


def test_that_a_map_that_does_not_depend_on_the_weights_fails() -> None:
    result = run(ANALYSIS, study_of(Edges()), method="saliency", **(QUICK | {"orders": 0, "draws": 0}))
    assert note(result, "verdict").startswith("Does not pass: ")
    assert "hardly depends on what the network learnt" in note(result, "verdict")


@pytest.mark.parametrize("method", ["grad_cam", "grad_cam_pp", "integrated_gradients", "occlusion"])
def test_that_every_method_can_be_checked(method: str) -> None:
    less = QUICK | {"orders": 0, "draws": 0, "layers": 2, "window": 6}
    result = run(ANALYSIS, study_of(), method=method, layer="4", **less)
    assert frame(result, "randomisation")["rank_correlation"].iloc[0] == pytest.approx(1)
    assert frame(result, "seeds")["rank_correlation"].iloc[0] > 0.5


def finished(analysis: str, item: FieldMap | None = None, **parameters: Any) -> Finished:
    items = {"mask": item} if item is not None else {}
    return Finished(
        id="run-1",
        name="my run",
        analysis=analysis,
        parameters=parameters,
        dataset=example_images().card,
        result=lambda: Result(items),
    )


def test_that_a_run_brings_its_own_images_and_settings() -> None:
    done = finished(
        "integrated_gradients",
        target="bright",
        images="3",
        steps=6,
        samples=2,
        baseline="noise",
        channels="each",
        rule="middle",
        absolute=False,
        controls="",
        blur=5.0,
    )
    result = run(
        ANALYSIS, study_of(runs={"run-1": done}), runs="run-1", **(QUICK | {"images": "0", "orders": 0, "draws": 0})
    )
    assert list(frame(result, "seeds")["image"]) == ["image-3.png"]
    assert "Checked: the run 'my run' on 'image-3.png'." in note(result, "verdict")


def test_that_a_mask_of_images_is_held_against_random_masks() -> None:
    values = torch.ones(16, 16)
    values[PLANTED] = 0
    mask = Mask(title="m", description="d", values=values.numpy(), axes=("y", "x"))
    done = finished("mask_optimization", mask, target="bright", images="class=bright", fill=0.3)
    result = run(ANALYSIS, study_of(runs={"run-1": done}), runs="run-1", **QUICK)
    assert "The mask is better than a random mask" in note(result, "verdict")
    small = Mask(title="m", description="d", values=values.numpy()[:8], axes=("y", "x"))
    done = finished("mask_optimization", small, target="bright", images="class=bright", fill=0.3)
    with pytest.raises(UserError, match="lies on another grid"):
        run(ANALYSIS, study_of(runs={"run-1": done}), runs="run-1", **QUICK)
