"""Local sensitivity against perturbations done one by one and against the Jacobian, its scales, cells and words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sensiview.analysis.items import FieldMap, ImageSeries, IndexTable, Note
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.sensitivity_items import exponent_of, pixelised
from sensiview.analysis.study import Study
from sensiview.datasets.images import ImageSet
from sensiview.errors import Stopped, UserError
from sensiview.methods.local_sensitivity import LocalSensitivity
from sensiview.models.image_settings import ImageSettings
from sensiview.models.network import Network, network_from_module
from sensiview.numerics.example_images import SIDE, example_images, example_module
from sensiview.numerics.sensitivity_sweep import Perturbation, sampled_places
from tests.methods.image_studies import Tokens, image_set, seeded
from tests.methods.image_studies import study_of as images_and_network

ANALYSIS = LocalSensitivity()
BLOCKS = ["0", "3"]
UNEVEN = ImageSettings(channels=3, size=(SIDE, SIDE), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.5))


class Residual(nn.Module):
    """Two stages with a shortcut, a re-used in-place ReLU, and a stride."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.layer1 = nn.Conv2d(3, 5, 3, padding=1)
        self.norm = nn.BatchNorm2d(5)
        self.relu = nn.ReLU(inplace=True)
        self.layer2 = nn.Conv2d(5, 5, 3, stride=2, padding=1)
        self.short = nn.Conv2d(5, 5, 1, stride=2)
        self.head = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm(self.layer1(x)))
        x = self.relu(self.layer2(x) + self.short(x))
        return self.head(x.mean(dim=(2, 3)))


class Whole(nn.Module):
    """Normalises by the mean of the whole image first: no window can be computed alone."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = example_module()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x - x.mean(dim=(1, 2, 3), keepdim=True))


def study_of(
    module: nn.Module | None = None,
    images: ImageSet | None = None,
    settings: ImageSettings = UNEVEN,
    **options: Any,
) -> Study:
    pictures, inner = images or example_images(), module if module is not None else example_module()

    def network() -> Network:
        return network_from_module(
            inner,
            sample=np.full((2, 3, SIDE, SIDE), 0.3, dtype=np.float32),
            name="net",
            class_names=("bright", "plain"),
            preprocessing=settings.to_card(),
            device="cpu",
        )

    return Study(
        dataset=pictures.card,
        model=network().card,
        device="cpu",
        images_loader=lambda: pictures,
        network_loader=network,
        **options,
    )


def run(study: Study, progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = ANALYSIS.Parameters.parse({"layers": BLOCKS, **parameters})
    assert ANALYSIS.against(study, chosen) == []
    result = ANALYSIS.run(study, chosen, progress or Silent())
    assert result.evaluations == ANALYSIS.cost(study, chosen).evaluations
    return result


def field(result: Result, name: str = "map") -> FieldMap:
    item = result[name]
    assert isinstance(item, FieldMap)
    return item


def one_by_one(module: nn.Module, blocks: list[str], image: np.ndarray[Any, Any], change: np.ndarray[Any, Any]) -> Any:
    """Perturb the seen pixels one at a time, on their way through the preprocessing; (blocks, channels, y, x)."""
    kept: dict[str, torch.Tensor] = {}
    parts = dict(module.named_modules())
    handles = [
        parts[name].register_forward_hook(lambda _m, _i, output, name=name: kept.update({name: output.clone()}))
        for name in blocks
    ]
    mean, std = (torch.tensor(v, dtype=torch.float64)[:, None, None] for v in (UNEVEN.mean, UNEVEN.std))

    def forward(pixels: torch.Tensor) -> list[torch.Tensor]:
        with torch.no_grad():
            module(((pixels - mean) / std).float()[None])
        return [kept[name].double() for name in blocks]

    x = torch.from_numpy(image).double()
    before = forward(x)
    found = np.zeros((len(blocks), *image.shape))
    for at in np.ndindex(image.shape):
        moved = x.clone()
        moved[at] += float(change[at])
        for block, (now, was) in enumerate(zip(forward(moved), before, strict=True)):
            found[block][at] = float((now - was).norm())
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize("module", [example_module(), Residual().eval(), Whole().eval()], ids=["plain", "res", "whole"])
def test_that_all_blocks_from_one_sweep_equal_one_perturbation_at_a_time(module: nn.Module) -> None:
    blocks = {Residual: ["layer1", "layer2"], Whole: ["inner.0", "inner.3"]}.get(type(module), BLOCKS)  # type: ignore[arg-type]
    result = run(study_of(module), layers=blocks, images=1)
    change = Perturbation("gaussian").changes(1, (3, SIDE, SIDE))
    wanted = one_by_one(module.eval(), blocks, example_images().image(1), change)
    found = field(result)
    assert found.axes == ("block", "channel", "y", "x")
    assert found.coordinates == {"block": tuple(blocks), "channel": ("red", "green", "blue")}
    np.testing.assert_allclose(found.values, wanted, atol=1e-5 * max(1.0, wanted.max()))
    note = result["note"]
    assert isinstance(note, Note)
    whole = isinstance(module, Whole)
    assert ("computed whole" if whole else "exact incremental inference") in note.text
    assert result.facts["incremental"] is not whole


def test_that_the_derivative_is_the_norm_of_the_jacobian_with_the_preprocessing_in_it() -> None:
    module = example_module().eval().double()
    image = torch.from_numpy(example_images().image(1)).double()
    mean, std = (torch.tensor(v, dtype=torch.float64)[:, None, None] for v in (UNEVEN.mean, UNEVEN.std))
    layers = nn.Sequential(module[0], nn.ReLU(), module[2], module[3])
    jacobian = torch.autograd.functional.jacobian(lambda x: layers(((x - mean) / std)[None])[0], image)
    wanted = jacobian.square().sum(dim=(0, 1, 2)).sqrt().numpy()
    found = field(run(study_of(), images=1, perturbation="derivative"))
    np.testing.assert_allclose(found.values[1], wanted, atol=1e-5 * wanted.max())
    assert "per pixel value" in found.unit
    small = field(run(study_of(), images=1, perturbation="fixed", delta=1e-3)).values[0] / 1e-3
    np.testing.assert_allclose(found.values[0], small, rtol=2e-3)


def test_that_attention_has_a_derivative_and_torch_is_left_as_it_was() -> None:
    size = ImageSettings(channels=3, size=(16, 12))
    image = image_set([np.random.default_rng(0).random((3, 16, 12))])
    study = images_and_network(seeded(Tokens), image, settings=size)
    chosen = {"layers": ["blocks.0", "blocks.1"], "every": 4}
    exact = field(run(study, perturbation="derivative", **chosen)).values
    small = field(run(study, perturbation="fixed", delta=1e-2, **chosen)).values / 1e-2
    np.testing.assert_allclose(exact, small, rtol=0.02, atol=0.02 * exact.max())
    assert torch.backends.mha.get_fastpath_enabled()


def test_that_the_scales_differ_by_what_one_step_means() -> None:
    settings = ImageSettings(channels=3, size=(SIDE, SIDE), mean=(0.5,), std=(0.5,))
    maps = {
        scale: field(run(study_of(settings=settings), perturbation="derivative", scale=scale)).values
        for scale in ("pixels", "normalised", "authors")
    }
    np.testing.assert_allclose(maps["authors"], maps["normalised"], rtol=1e-5)
    np.testing.assert_allclose(maps["pixels"], 2 * maps["authors"], rtol=1e-5)


def test_that_the_published_change_is_drawn_per_pixel_by_the_seed_and_the_image() -> None:
    drawn = Perturbation("gaussian", seed=3).changes(2, (3, 100, 100))
    assert drawn.mean() == pytest.approx(-0.05, abs=0.003)
    assert drawn.std() == pytest.approx(0.1, abs=0.003)
    assert (drawn == Perturbation("gaussian", seed=3).changes(2, (3, 100, 100))).all()
    assert (drawn != Perturbation("gaussian", seed=3).changes(1, (3, 100, 100))).any()
    alone = field(run(study_of(), images=1)).values
    among = field(run(study_of(), images="0-1")).values
    np.testing.assert_allclose(among[1], alone, atol=1e-6)
    assert (field(run(study_of(seed=2), images=1)).values != alone).any()


def test_that_averages_cells_and_scales_follow_from_the_single_maps() -> None:
    result = run(study_of(), images="0-2", average=True, cell=5)
    maps, mean = field(result), field(result, "mean_map")
    assert maps.axes == ("image", "block", "channel", "y", "x")
    assert maps.coordinates["image"] == ("image-0.png", "image-1.png", "image-2.png")
    np.testing.assert_allclose(mean.values, maps.values.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(field(result, "spread").values, maps.values.std(axis=0, ddof=1), atol=1e-5)
    cells = field(result, "pixelised")
    assert cells.values.shape == (3, 2, 3, 4, 4)
    assert cells.spacing == (5.0, 5.0)
    np.testing.assert_allclose(cells.values[0, 0, 0, 0, 0], maps.values[0, 0, 0, :5, :5].mean(), rtol=1e-5)
    np.testing.assert_allclose(cells.values[0, 0, 0, 3, 3], maps.values[0, 0, 0, 15:, 15:].mean(), rtol=1e-5)
    scale, profile = result["scale"], result["depth_profile"]
    assert isinstance(scale, IndexTable)
    assert isinstance(profile, IndexTable)
    assert list(scale.frame.columns) == ["block", "channel", "max", "exponent"]
    for _, row in scale.frame.iterrows():
        assert 10.0 ** row["exponent"] <= row["max"] < 10.0 ** (row["exponent"] + 1)
    np.testing.assert_allclose(profile.frame["mean"], maps.values.mean(axis=(0, 2, 3, 4)), rtol=1e-5)
    np.testing.assert_allclose(profile.frame["max"], mean.values.max(axis=(1, 2, 3)), rtol=1e-5)
    seen, mean_seen = result["input"], result["mean_input"]
    assert isinstance(seen, ImageSeries)
    assert isinstance(mean_seen, ImageSeries)
    assert seen.labels == maps.coordinates["image"]
    assert seen.values.dtype == np.uint8


def test_that_a_block_norm_tells_how_large_a_change_is_to_the_block() -> None:
    profile = run(study_of(), images=1)["depth_profile"]
    assert isinstance(profile, IndexTable)
    pixels = torch.from_numpy(example_images().image(1)).double()
    mean, std = (torch.tensor(v, dtype=torch.float64)[:, None, None] for v in (UNEVEN.mean, UNEVEN.std))
    with torch.no_grad():
        norm = float(example_module()[0](((pixels - mean) / std).float()[None]).norm())
    row = profile.frame.iloc[0]
    assert row["norm"] == pytest.approx(norm, rel=1e-4)
    assert row["relative"] == pytest.approx(row["mean"] / norm, rel=1e-4)


def test_that_every_so_many_pixels_take_the_value_of_the_nearest() -> None:
    full, coarse = (field(run(study_of(), images=1, every=n, perturbation="fixed")).values for n in (1, 3))
    assert list(sampled_places(SIDE, 3)) == [1, 4, 7, 10, 13, 15]
    np.testing.assert_allclose(coarse[:, :, 3:6, 6:9], np.broadcast_to(full[:, :, 4:5, 7:8], (2, 3, 3, 3)), atol=1e-6)
    np.testing.assert_allclose(coarse[:, :, 15, 15], full[:, :, 15, 15], atol=1e-6)


def test_that_neither_batches_nor_an_interruption_change_the_numbers() -> None:
    parameters: dict[str, Any] = {"images": "0-2", "batch_size": 100, "average": True}
    whole = run(study_of(), **parameters)

    class Stopping(Silent):
        left = 1200  # within the second image

        def advance(self, done: int) -> None:
            self.left -= done
            if self.left < 0:
                raise Stopped

    stopped = Stopping()
    with pytest.raises(Stopped):
        run(study_of(), stopped, **parameters)
    kept = stopped.restored()
    assert kept is not None
    assert kept.values["names"] == ["image-0.png"]
    assert 0 < kept.values["done"] < 768
    again = run(study_of(), Silent(Checkpoint(dict(kept.arrays), dict(kept.values))), **parameters)
    for name in ("map", "mean_map", "pixelised"):
        assert (field(again, name).values == field(whole, name).values).all()
    np.testing.assert_allclose(field(run(study_of(), **{**parameters, "batch_size": 7})).values, field(whole).values,
                               atol=1e-6)  # fmt: skip
    with pytest.raises(UserError, match="other images or blocks"):
        run(study_of(), Silent(Checkpoint(dict(kept.arrays), dict(kept.values))), images="1-2")


def test_that_a_blind_block_has_maps_of_zero_and_is_named() -> None:
    module = example_module()
    with torch.no_grad():
        module[3].weight.zero_()
    progress = Silent()
    result = run(study_of(module), progress)
    assert not field(result).values[1].any()
    assert any("'3' does not react" in sentence for sentence in progress.warnings)
    scale = result["scale"]
    assert isinstance(scale, IndexTable)
    assert scale.frame["exponent"].isna().sum() == 3


def test_that_a_black_image_gives_finite_maps() -> None:
    from sensiview.datasets.image_memory import images_from_arrays

    black = images_from_arrays(np.zeros((1, SIDE, SIDE, 3), dtype=np.float32))
    assert np.isfinite(field(run(study_of(images=black))).values).all()


def test_that_without_names_the_blocks_of_the_network_are_taken_or_asked_for() -> None:
    torch.manual_seed(1)
    two = nn.Sequential(
        nn.Conv2d(3, 2, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(32, 2),
    )  # fmt: skip
    assert field(run(study_of(two), layers=[])).coordinates["block"] == ("1", "3")
    flat = nn.Sequential(nn.Flatten(), nn.Linear(768, 2))
    found = ANALYSIS.against(study_of(flat), ANALYSIS.Parameters.parse({}))
    assert found == ["The network 'net' has no blocks of its own. Name layers in 'layers'."]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"layers": ["00"]}, "has no layer"),
        ({"images": "9"}, "no image 9"),
        ({"images": "3-1"}, "runs backwards"),
        ({"images": "class=brigth"}, "Did you mean 'bright'"),
        ({"images": ""}, "No image is chosen"),
        ({"cell": 17}, "larger than the image"),
        ({"every": 99}, "larger than the image"),
    ],
)
def test_that_what_does_not_fit_is_said_before_a_run(parameters: dict[str, Any], words: str) -> None:
    found = ANALYSIS.against(study_of(), ANALYSIS.Parameters.parse({"layers": BLOCKS, **parameters}))
    assert len(found) == 1
    assert words in found[0]


def test_that_one_layer_may_be_written_alone() -> None:
    assert ANALYSIS.Parameters.parse({"layer": "3"}).layers == ["3"]
    assert ANALYSIS.Parameters.parse({"layers": "0, 3"}).layers == ["0", "3"]


def test_that_a_change_of_zero_is_refused() -> None:
    with pytest.raises(UserError, match="must differ from 0"):
        ANALYSIS.Parameters.parse({"perturbation": "fixed", "delta": 0})


def test_that_powers_of_ten_are_those_that_captions_have() -> None:
    assert [exponent_of(v) for v in (1.0, 0.5, 0.01, 0.099, 12.0, 1e-12)] == [0, -1, -2, -2, 1, -12]
    assert exponent_of(0.0) is None
    assert exponent_of(float("nan")) is None


def test_that_cells_at_the_border_are_means_of_what_is_there() -> None:
    values = np.arange(15.0).reshape(3, 5)
    found = pixelised(values, 2)
    np.testing.assert_allclose(found, [[3.0, 5.0, 6.5], [10.5, 12.5, 14.0]])
