"""Activation maximisation against the published update written out, its starts, targets and words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from sensiview.analysis.items import Curve, FieldMap, ImageSeries, IndexTable, Matrix, Note
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Study
from sensiview.datasets.images import ImageSet
from sensiview.errors import Stopped, UserError
from sensiview.methods.activation_maximization import ActivationMaximization
from sensiview.models.network import Network, network_from_module
from sensiview.numerics.example_images import SETTINGS, SIDE, example_images, example_module

ANALYSIS = ActivationMaximization()


def study_of(module: nn.Module | None = None, images: ImageSet | None = None, **options: Any) -> Study:
    pictures = images or example_images()
    inner = module if module is not None else example_module()

    def network() -> Network:
        sample = np.full((2, 3, SIDE, SIDE), 0.3, dtype=np.float32)
        settings = {"class_names": ("bright", "plain"), "preprocessing": SETTINGS.to_card(), **options}
        return network_from_module(inner, sample=sample, name="net", device="cpu", **settings)

    return Study(
        dataset=pictures.card,
        model=network().card,
        device="cpu",
        images_loader=lambda: pictures,
        network_loader=network,
    )


def run(study: Study, progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = ANALYSIS.Parameters.parse({"steps": 6, **parameters})
    assert ANALYSIS.against(study, chosen) == []
    result = ANALYSIS.run(study, chosen, progress or Silent())
    assert result.evaluations == ANALYSIS.cost(study, chosen).evaluations
    return result


def values(result: Result, name: str) -> np.ndarray[Any, Any]:
    item = result[name]
    assert isinstance(item, FieldMap | ImageSeries | Matrix)
    return np.asarray(item.values)


def frame(result: Result, name: str) -> Any:
    item = result[name]
    assert isinstance(item, Curve | IndexTable)
    return item.frame


def total_variation(x: torch.Tensor) -> torch.Tensor:
    return (x[..., 1:] - x[..., :-1]).abs().mean() + (x[..., 1:, :] - x[..., :-1, :]).abs().mean()


def climbed(x: torch.Tensor, steps: int, e1: float, e2: float) -> torch.Tensor:
    """The published update on the normalised input, for the first class."""
    module = example_module().eval()
    for _ in range(steps):
        x = x.detach().requires_grad_()
        (rise,) = torch.autograd.grad(module(x.clone())[0, 0], x)
        (rough,) = torch.autograd.grad(total_variation(x), x)
        x = (x + e1 * rise - e2 * rough).clamp(0, 1)
    return x.detach()


def test_that_the_authors_range_is_the_published_update_on_the_normalised_input() -> None:
    image = torch.from_numpy(example_images().image(2))[None]
    wanted = climbed((image - 0.5) / 0.5, 6, 0.1, 0.3)
    found = run(study_of(), target="bright", start="image", images=2, clamp="authors", step_size=0.1, tv_weight=0.3)
    item = found["image"]
    assert isinstance(item, FieldMap)
    assert item.axes == ("target", "channel", "y", "x")
    assert item.coordinates["channel"] == ("red", "green", "blue")
    np.testing.assert_allclose(item.values[0], wanted[0].numpy(), atol=1e-6)


def test_that_pixels_stay_in_their_range_unless_they_may_leave_it() -> None:
    inside = values(run(study_of(), target="bright", step_size=3.0), "image")
    assert inside.min() >= 0
    assert inside.max() <= 1
    assert values(run(study_of(), target="bright", step_size=3.0, clamp="none"), "image").max() > 1


def test_that_the_activation_rises_and_the_trace_holds_every_step_and_the_end() -> None:
    result = run(study_of(), target="all", start="image", steps=20, step_size=2.0)
    table = frame(result, "trace")
    assert list(table.columns) == ["target", "step", "objective", "activation", "total_variation", "probability"]
    for _, part in table.groupby("target"):
        assert list(part["step"]) == list(range(21))
        assert part["activation"].iloc[-1] > part["activation"].iloc[0] + 0.01
    assert (values(result, "snapshots")[:, -1] == values(result, "image")).all()
    start = values(result, "image") - values(result, "difference")
    np.testing.assert_allclose(start[0], example_images().image(0), atol=1e-6)
    np.testing.assert_allclose(values(result, "change"), np.abs(values(result, "difference")).mean(axis=1), atol=1e-6)


def test_that_the_objective_is_the_activation_less_the_regularisers() -> None:
    table = frame(run(study_of(), target="bright", tv_weight=0.5, l2_weight=0.2, step_size=0.1), "trace")
    start = 0.5 + 0 * table["step"]
    assert start.notna().all()
    plain = frame(run(study_of(), target="bright", tv_weight=0.0, l2_weight=0.0, step_size=0.1), "trace")
    assert (plain["objective"] == plain["activation"]).all()
    assert (table["objective"] < table["activation"]).all()
    first = table.iloc[0]
    assert first["activation"] - first["objective"] == pytest.approx(
        5 * first["total_variation"] + 2 * 0.01, abs=0.02
    )  # noise of standard deviation 0.1: its mean square is 0.01


def test_that_total_variation_blur_and_l2_make_pictures_smoother_or_greyer() -> None:
    plain = run(study_of(), target="bright", steps=30, tv_weight=0.0)
    rough = frame(plain, "summary")["total_variation_after"].iloc[0]
    for more in ({"tv_weight": 20.0}, {"blur_every": 5, "tv_weight": 0.0}):
        smooth = frame(run(study_of(), target="bright", steps=30, **more), "summary")["total_variation_after"].iloc[0]
        assert smooth < 0.85 * rough
    grey = run(study_of(), target="bright", steps=30, tv_weight=0.0, l2_weight=50.0)
    far, near = (np.square(values(result, "image") - 0.5).mean() for result in (plain, grey))
    assert near < far


def test_that_activations_are_read_before_softmax_sigmoid_and_in_place_relu() -> None:
    logits = frame(run(study_of(), start="image"), "trace")["activation"].to_numpy()
    softmax = study_of(nn.Sequential(*example_module(), nn.Softmax(dim=1)))
    np.testing.assert_allclose(frame(run(softmax, start="image"), "trace")["activation"], logits, atol=1e-5)

    dead = nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(2 * 14 * 14, 2))
    with torch.no_grad():
        dead[0].bias.fill_(-5.0)
    for layer in ("0", "1"):
        table = frame(run(study_of(dead), layer=layer, target=1, start="image", step_size=5.0), "trace")
        assert table["activation"].iloc[0] < -3
        assert table["activation"].iloc[-1] > table["activation"].iloc[0]


def test_that_a_channel_is_the_mean_of_its_positions_and_a_unit_one_of_them() -> None:
    study, image = study_of(), torch.from_numpy(example_images().image(1))[None]
    with torch.no_grad():
        before = example_module()[0]((image - 0.5) / 0.5)[0]
    for target, wanted in (("2", before[2].mean()), ("2:4:5", before[2, 4, 5])):
        table = frame(run(study, layer="0", target=target, start="image", images=1), "trace")
        assert table["activation"].iloc[0] == pytest.approx(float(wanted), abs=1e-5)
        assert "probability" not in table
    largest = frame(run(study, layer="0", target=2, start="image", images=1, reduction="max"), "trace")
    assert largest["activation"].iloc[0] == pytest.approx(float(before[2].max()), abs=1e-5)
    every = run(study, layer="3", target="all", steps=1)
    assert values(every, "image").shape[0] == 6


def test_that_a_layer_with_two_names_is_read_where_each_stands() -> None:
    module = example_module().eval()
    assert module[2] is module[5]
    image = (torch.from_numpy(example_images().image(1))[None] - 0.5) / 0.5
    with torch.no_grad():
        wanted = {layer: float(module[: int(layer) + 1](image.clone())[0, 2].mean()) for layer in ("2", "5")}
    assert wanted["2"] != pytest.approx(wanted["5"], abs=1e-3)
    for layer, value in wanted.items():
        table = frame(run(study_of(module), layer=layer, target=2, start="image", images=1, steps=1), "trace")
        assert table["activation"].iloc[0] == pytest.approx(value, abs=1e-5)
    assert module[2] is module[5]


def test_that_cross_activation_spans_start_classes_and_targets() -> None:
    study = study_of()
    result = run(study, start="cross")
    reached, before = result["cross_activation"], result["start_activation"]
    assert isinstance(reached, Matrix)
    assert isinstance(before, Matrix)
    assert (reached.rows, reached.columns) == (("bright", "plain"), ("bright", "plain"))
    assert (reached.values > before.values).all()
    assert (reached.row_axis, reached.column_axis) == ("start", "target")
    images = example_images()
    firsts = np.stack([images.image(1), images.image(0)])  # the first bright and the first plain one
    with torch.no_grad():
        logits = example_module().eval()(torch.from_numpy((firsts - 0.5) / 0.5)).numpy()
    np.testing.assert_allclose(before.values, logits, atol=1e-5)
    item = result["image"]
    assert isinstance(item, FieldMap)
    assert item.axes == ("image", "target", "channel", "y", "x")
    starts = result["input"]
    assert isinstance(starts, ImageSeries)
    assert starts.labels == ("bright", "plain")


def test_that_starts_are_of_the_own_class_of_another_or_the_images_named() -> None:
    own = run(study_of(), start="own_class", steps=1)
    assert list(frame(own, "summary")["image"]) == ["image-1.png", "image-0.png"]
    other = run(study_of(), start="other_class", steps=1)
    assert list(frame(other, "summary")["image"]) == ["image-0.png", "image-1.png"]
    named = run(study_of(), start="image", images="image-2.png,image-3.png", target="bright", steps=1)
    assert list(frame(named, "summary")["image"]) == ["image-2.png", "image-3.png"]
    narrowed = run(study_of(), start="own_class", images="2-3", steps=1)
    assert list(frame(narrowed, "summary")["image"]) == ["image-3.png", "image-2.png"]


def test_that_neither_batches_nor_an_interruption_change_the_numbers() -> None:
    study = study_of()
    parameters = {"start": "cross", "jitter": 2, "blur_every": 3, "steps": 9}
    whole = run(study, **parameters)
    single = run(study, **parameters, batch_size=1)
    np.testing.assert_allclose(values(single, "image"), values(whole, "image"), atol=1e-5)

    class Stopping(Silent):
        left = 5

        def advance(self, done: int) -> None:
            self.left -= 1
            if self.left < 0:
                raise Stopped

    stopped = Stopping()
    with pytest.raises(Stopped):
        run(study, stopped, **parameters)
    kept = stopped.restored()
    assert kept is not None
    assert 0 < kept.values["step"] < 9
    again = run(study, Silent(Checkpoint(dict(kept.arrays), dict(kept.values))), **parameters)
    assert (values(again, "image") == values(whole, "image")).all()
    assert frame(again, "trace").equals(frame(whole, "trace"))
    with pytest.raises(UserError, match="other targets or settings"):
        run(study, Silent(Checkpoint(dict(kept.arrays), dict(kept.values))), start="noise", steps=9)


def test_that_the_seed_decides_noise_and_jitter() -> None:
    study = study_of()
    same = [values(run(study, target="bright", jitter=2), "image") for _ in range(2)]
    assert (same[0] == same[1]).all()
    other = Study(**{**study.__dict__, "seed": 2})
    assert (values(run(other, target="bright", jitter=2), "image") != same[0]).any()


def test_that_an_activation_without_gradient_is_said_and_moves_nothing() -> None:
    class Blind(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 0 * x.flatten(1).mean(dim=1, keepdim=True) + self.weight

    progress = Silent()
    result = run(study_of(Blind()), progress, target="bright", start="image", tv_weight=0.0)
    assert not values(result, "change").any()
    assert any("does not react to the picture" in sentence for sentence in progress.warnings)


def test_that_a_dictionary_as_the_answer_of_a_network_is_read() -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = example_module()

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.inner(x)}

    plain = values(run(study_of(), start="image"), "image")
    np.testing.assert_allclose(values(run(study_of(Wrapped()), start="image"), "image"), plain, atol=1e-6)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"target": "brigth"}, "Did you mean 'bright'"),
        ({"target": 7}, "no target 7"),
        ({"layer": "0", "target": 9}, "no channel 9"),
        ({"layer": "0", "target": "1:99:0"}, "no channel 1:99:0"),
        ({"layer": "0", "target": "1:2"}, "3 numbers with colons"),
        ({"layer": "0", "target": "red"}, "no channel of a layer"),
        ({"layer": "9"}, "has no layer"),
        ({"start": "image", "images": "nobody"}, "no image 'nobody'"),
        ({"start": "image", "images": "99"}, "no image 99"),
        ({"start": "own_class", "layer": "0", "target": 1}, "no class of their own"),
        ({"jitter": 16}, "as large as the image"),
    ],
)
def test_that_what_does_not_fit_is_said_before_a_run(parameters: dict[str, Any], words: str) -> None:
    found = ANALYSIS.against(study_of(), ANALYSIS.Parameters.parse(parameters))
    assert len(found) == 1
    assert words in found[0]


def test_that_more_pictures_than_anybody_looks_at_are_refused() -> None:
    images = example_images(60)
    found = ANALYSIS.against(
        study_of(nn.Sequential(nn.Flatten(), nn.Linear(768, 1000)), images, class_names=[str(n) for n in range(1000)]),
        ANALYSIS.Parameters.parse({"start": "image", "images": "all"}),
    )
    assert "60 starts and 1,000 targets" in found[0]


def test_that_the_note_says_what_rose_and_what_the_network_says_now() -> None:
    result = run(study_of(), start="cross", steps=20)
    note = result["note"]
    assert isinstance(note, Note)
    assert "largest rise" in note.text
    answers = result["answers"]
    assert isinstance(answers, Matrix)
    np.testing.assert_allclose(answers.values.sum(axis=1), 1.0, atol=1e-5)
    assert answers.rows[0] == "bright → bright"
