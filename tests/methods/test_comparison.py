"""Maps side by side: numbers against references, what the curves say, and runs that don't fit together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from sensiview.analysis.comparison_items import summary
from sensiview.analysis.contract import Analysis
from sensiview.analysis.items import Curve, FieldMap, ImageSeries, IndexTable, Item, Mask, Matrix
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError
from sensiview.methods.activation_maximization import ActivationMaximization
from sensiview.methods.comparison import Comparison
from sensiview.methods.grad_cam import GradCam
from sensiview.methods.occlusion import Occlusion
from sensiview.methods.saliency import Saliency
from sensiview.numerics.example_images import PLANTED, example_images, example_module
from sensiview.numerics.map_similarity import area_at_half_maximum, jaccard, top_overlap
from tests.methods.image_studies import Scaled, field, note, run, study_of

ANALYSIS = Comparison()
QUICK: dict[str, Any] = {"cell": 4, "steps": 4, "orders": 3}
NAMES = example_images().names
RANDOM = np.random.default_rng(1).random((4, 16, 16))


def of_run(analysis: Analysis[Any], name: str, **parameters: Any) -> Finished:
    """A finished run of an analysis on the example."""
    chosen = analysis.Parameters.parse(parameters)
    result = run(analysis, study_of(), **parameters)
    return Finished(
        id=name,
        name=name,
        analysis=analysis.key,
        parameters=chosen.to_json(),
        dataset=example_images().card,
        result=lambda: result,
    )


def of_items(name: str, items: Mapping[str, Item], **parameters: Any) -> Finished:
    return Finished(id=name, name=name, analysis="saliency", parameters=parameters, result=lambda: Result(items))


def of_values(name: str, values: np.ndarray, names: tuple[str, ...] = NAMES, **parameters: Any) -> Finished:
    item = FieldMap(title=name, description="d", values=values, axes=("image", "y", "x"), coordinates={"image": names})
    return of_items(name, {"map": item}, **({"target": "bright"} | parameters))


def study(*runs: Finished) -> Study:
    return study_of(runs={one.id: one for one in runs})


def frame(result: Result, name: str) -> Any:
    item = result[name]
    assert isinstance(item, IndexTable | Curve)
    return item.frame


def test_that_similarity_is_spearmans_and_the_mean_has_its_interval() -> None:
    rng = np.random.default_rng(4)
    one = rng.normal(size=(4, 16, 16))
    other = one + rng.normal(size=one.shape)
    both = study(of_values("one", one), of_values("other", other))
    result = run(ANALYSIS, both, runs=["one", "other"], share=0.2, **QUICK)
    wanted = [float(stats.spearmanr(a.ravel(), b.ravel()).statistic) for a, b in zip(one, other, strict=True)]
    each = frame(result, "similarity_each")
    np.testing.assert_allclose(each["rank_correlation"], wanted, atol=1e-12)
    row = frame(result, "similarity").iloc[0]
    assert row["rank_correlation"] == pytest.approx(np.mean(wanted))
    assert row["rank_correlation_std"] == pytest.approx(np.std(wanted, ddof=1))
    low, high = stats.t.interval(0.95, 3, loc=np.mean(wanted), scale=stats.sem(wanted))
    assert (row["rank_correlation_low"], row["rank_correlation_high"]) == pytest.approx((low, high))
    matrix = result["rank_correlations"]
    assert isinstance(matrix, Matrix)
    np.testing.assert_allclose(matrix.values, [[1, np.mean(wanted)], [np.mean(wanted), 1]])
    k = round(0.2 * 256)
    tops = [[set(np.argsort(-values.ravel())[:k].tolist()) for values in maps] for maps in (one, other)]
    shares = [len(a & b) / len(a | b) for a, b in zip(*tops, strict=True)]
    np.testing.assert_allclose(each["jaccard"], shares)
    np.testing.assert_allclose(each["top_overlap"], [len(a & b) / k for a, b in zip(*tops, strict=True)])


def test_that_the_area_at_half_maximum_is_that_of_a_gaussian() -> None:
    y, x = np.mgrid[-50:51, -50:51]
    for sigma in (14.0, 18.0):
        area = area_at_half_maximum(np.exp(-(x**2 + y**2) / (2 * sigma**2)))
        # A circle of the radius at which it falls to a half: pi r^2 with r^2 = 2 ln 2 sigma^2.
        assert area * 101**2 == pytest.approx(2 * np.pi * np.log(2) * sigma**2, rel=0.01)
    assert np.isnan(area_at_half_maximum(np.zeros((3, 3))))
    assert np.isnan(area_at_half_maximum(-np.ones((3, 3))))
    assert np.isnan(area_at_half_maximum(np.array([1.0, np.inf])))


def test_that_overlap_measures_end_at_zero_and_one() -> None:
    rising, falling = np.arange(100.0), np.arange(100.0)[::-1]
    assert (top_overlap(rising, rising), jaccard(rising, rising)) == (1, 1)
    assert (top_overlap(rising, falling), jaccard(rising, falling)) == (0, 0)
    assert jaccard(rising, np.roll(rising, 5), 0.1) == pytest.approx(5 / 15)
    assert np.isnan(jaccard(rising, np.zeros(100)))


def test_that_the_interval_of_one_value_is_missing_and_of_several_ends_where_values_end() -> None:
    assert summary(np.array([0.4]))["mean"] == 0.4
    assert np.isnan([summary(np.array([0.4]))[name] for name in ("std", "low", "high")]).all()
    assert np.isnan(list(summary(np.array([np.nan])).values())).all()
    found = summary(np.array([0.0, 1.0]), within=(0.0, 1.0))
    assert (found["low"], found["high"]) == (0.0, 1.0)


def test_that_the_square_beats_its_opposite_in_both_curves() -> None:
    right = np.zeros((4, 16, 16))
    right[(slice(None), *PLANTED)] = 1
    both = study(of_values("square", right), of_values("opposite", 1 - right))
    result = run(ANALYSIS, both, runs=["square", "opposite"], images="class=bright", **QUICK)
    auc = frame(result, "auc").set_index(["curve", "map"])["area"]
    assert auc["deletion", "square"] < auc["deletion", "random"] < auc["deletion", "opposite"]
    assert auc["insertion", "square"] > auc["insertion", "random"] > auc["insertion", "opposite"]
    text = note(result)
    assert "Deletion is best in the order of 'square'" in text
    assert "Insertion is best in the order of 'square'" in text
    assert "broadest for 'opposite'" in text
    # The first point is the image as it is, the last one all of it replaced.
    images = torch.from_numpy(np.stack([example_images().image(i) for i in (1, 3)]))
    whole = torch.softmax(Scaled(example_module().eval())(images), dim=1)[:, 0].mean().item()
    filled = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    gone = torch.softmax(Scaled(example_module().eval())(filled), dim=1)[:, 0].mean().item()
    for curve, ends in (("deletion", (whole, gone)), ("insertion", (gone, whole))):
        line = frame(result, curve)
        for name in ("square", "opposite", "random"):
            scores = line.loc[line["map"] == name, "score"].to_numpy()
            np.testing.assert_allclose([scores[0], scores[-1]], ends, atol=1e-5)
        assert (line["low"] <= line["score"] + 1e-12).all()
        assert (line["high"] >= line["score"] - 1e-12).all()


def test_that_runs_of_real_methods_come_side_by_side_on_one_scale_with_their_difference() -> None:
    runs = (
        of_run(GradCam(), "cam", target="bright", layer="4"),
        of_run(Saliency(), "gradient", target="bright", channels="each", absolute=False),
        of_run(Occlusion(), "hidden", target="bright", window=5, images="1-3"),
    )
    result = run(ANALYSIS, study(*runs), runs=[one.id for one in runs], **QUICK)
    maps = field(result, "maps")
    assert maps.axes == ("map", "image", "y", "x")
    assert maps.coordinates["map"] == ("cam", "gradient", "hidden")
    # Only three images were occluded.
    assert maps.coordinates["image"] == NAMES[1:]
    np.testing.assert_allclose(np.abs(maps.values).max(axis=(2, 3)), 1, atol=1e-6)
    differences = field(result, "differences")
    assert differences.coordinates["pair"] == ("cam - gradient", "cam - hidden", "gradient - hidden")
    np.testing.assert_allclose(differences.values[1], maps.values[0] - maps.values[2], atol=1e-6)
    assert isinstance(result["input"], ImageSeries)
    assert result["input"].labels == NAMES[1:]
    assert "3 maps of 3 images were compared. Deletion and insertion watch the probability of 'bright'." in note(result)


def test_that_every_class_of_a_run_is_a_map_of_its_own_and_watches_its_own_score() -> None:
    both = of_run(GradCam(), "cam", target="all", layer="4", relu=False)
    result = run(ANALYSIS, study(both), runs="cam", images="1", **QUICK)
    assert field(result, "maps").coordinates["map"] == ("cam, bright", "cam, plain")
    deletion = frame(result, "deletion").set_index("map")["score"]
    # Probabilities of two classes.
    assert deletion["cam, bright"].iloc[0] + deletion["cam, plain"].iloc[0] == pytest.approx(1)
    assert "similarity_each" not in result
    assert np.isnan(frame(result, "similarity")["rank_correlation_low"]).all()
    again = run(ANALYSIS, study(both), runs="cam", images="1", target="bright", **QUICK)
    watched = frame(again, "deletion").set_index("map")["score"]
    assert watched["cam, plain"].iloc[0] == pytest.approx(watched["cam, bright"].iloc[0])


def test_that_masks_and_changes_of_single_images_are_maps_too() -> None:
    mask = np.ones((16, 16))
    mask[PLANTED] = 0
    over = {"input": ImageSeries(title="i", values=np.zeros((1, 16, 16, 3)), labels=(NAMES[3],), axis="image")}
    change = FieldMap(
        title="c", description="d", values=np.ones((2, 3, 16, 16)), axes=("target", "channel", "y", "x"),
        coordinates={"target": ("bright", "plain"), "channel": ("red", "green", "blue")},
    )  # fmt: skip
    runs = (
        of_items("mask", {"mask": Mask(title="m", description="d", values=mask, axes=("y", "x"))}, target="bright"),
        of_items("start", {"difference": change, **over}, target=["bright", "plain"]),
        of_values("blocks", np.ones((4, 16, 16))),
    )
    result = run(ANALYSIS, study(*runs), runs=["mask", "start", "blocks"], **QUICK)
    maps = field(result, "maps")
    assert maps.over == NAMES[3]
    assert maps.coordinates["map"] == ("mask", "start, bright", "start, plain", "blocks")
    np.testing.assert_allclose(maps.values[0], 1 - mask)
    # A map that is the same everywhere has no ranks.
    assert np.isnan(frame(result, "similarity")["rank_correlation"]).all()
    assert "they are the same everywhere" in note(result)


def test_that_without_steps_nothing_is_evaluated_but_the_classes() -> None:
    values = np.random.default_rng(1).random((4, 16, 16))
    both = study(of_values("one", values), of_values("other", values**2))
    result = run(ANALYSIS, both, runs=["one", "other"], steps=0, most=3)
    assert result.evaluations == 3
    assert "deletion" not in result
    assert len(field(result, "maps").coordinates["image"]) == 3


def test_that_absolute_values_are_compared_on_demand() -> None:
    values = np.random.default_rng(1).normal(size=(4, 16, 16))
    both = study(of_values("one", values), of_values("minus", -values))
    plain = run(ANALYSIS, both, runs=["one", "minus"], **QUICK)
    sizes = run(ANALYSIS, both, runs=["one", "minus"], values="absolute", **QUICK)
    assert frame(plain, "similarity")["rank_correlation"].iloc[0] == pytest.approx(-1)
    assert frame(sizes, "similarity")["rank_correlation"].iloc[0] == pytest.approx(1)


def test_that_a_map_of_zeros_has_no_area_and_is_named() -> None:
    both = study(
        of_values("zeros", np.zeros((4, 16, 16))), of_values("ones", np.random.default_rng(1).random((4, 16, 16)))
    )
    result = run(ANALYSIS, both, runs=["zeros", "ones"], **QUICK)
    assert "Nowhere above 0, so without an area: 'zeros of image-0.png'" in note(result)
    assert np.isfinite(field(result, "maps").values).all()


OTHERS = example_images().card.model_copy(update={"name": "others"})
NOBODYS = FieldMap(title="t", values=RANDOM[0], axes=("y", "x"), over="nobody")


@pytest.mark.parametrize(
    "runs, parameters, sentence",
    [
        ([], {"runs": []}, "There is no finished run with maps yet"),
        ([of_values("a", RANDOM)], {"runs": []}, "Choose the finished runs whose maps are compared"),
        ([of_values("a", RANDOM)], {"runs": ["b"]}, "There is no finished run 'b'"),
        ([of_values("a", RANDOM)], {"runs": ["a"]}, "There is one map only, 'a'. Choose another run beside it"),
        ([of_values("a", RANDOM)], {"runs": ["a"], "target": "all"}, "watch one class at a time"),
        ([of_values("a", RANDOM)], {"runs": ["a"], "fill": "controls"}, "Name the controls"),
        ([of_values("a", RANDOM)], {"runs": ["a"], "images": "77"}, "There is no image 77"),
        (
            [Finished(id="a", result=lambda: Result({}), dataset=OTHERS)],
            {"runs": ["a"]},
            "was made on 'others'",
        ),
    ],
)  # fmt: skip
def test_that_what_does_not_fit_is_a_sentence_before_the_run(
    runs: list[Finished], parameters: dict[str, Any], sentence: str
) -> None:
    assert sentence in " ".join(ANALYSIS.against(study(*runs), ANALYSIS.Parameters.parse(parameters)))


@pytest.mark.parametrize(
    "runs, sentence",
    [
        ([of_values("a", RANDOM)], "There is one map only, 'a'"),
        ([of_items("a", {}), of_values("b", RANDOM)], "'a' has no map of single images"),
        ([of_values("a", RANDOM[:2], NAMES[:2]), of_values("b", RANDOM[:2], NAMES[2:])], "No chosen image has all"),
        ([of_values("a", RANDOM[:, :8]), of_values("b", RANDOM)], "has 8 x 16 places, the network sees 16 x 16"),
        ([of_values(f"run {i}", RANDOM) for i in range(13)], "at most 12 can be compared"),
        (
            [of_items("a", {"map": NOBODYS}), of_values("b", RANDOM)],
            "is not of an image of this data set",
        ),
    ],
)  # fmt: skip
def test_that_runs_that_do_not_go_together_are_a_sentence(runs: list[Finished], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        ANALYSIS.run(study(*runs), ANALYSIS.Parameters.parse({"runs": [one.id for one in runs], **QUICK}), silent())


def silent() -> Any:
    from sensiview.analysis.progress import Silent

    return Silent()


def test_that_images_maximised_for_their_own_class_stand_beside_maps_of_these_images() -> None:
    found = of_run(ActivationMaximization(), "found", start="own_class", steps=3)
    starts = list(frame(found.result(), "summary")["image"])
    maps = of_values("maps", RANDOM, target="true")
    result = run(ANALYSIS, study(found, maps), runs=["found", "maps"], **QUICK)
    each = frame(result, "similarity_each")
    assert sorted(each["image"]) == sorted(starts)
    change = field(found.result(), "change").values
    for place, name in enumerate(starts):
        wanted = stats.spearmanr(change[place].ravel(), RANDOM[NAMES.index(name)].ravel()).statistic
        got = each.loc[each["image"] == name, "rank_correlation"].item()
        assert got == pytest.approx(wanted)
    assert "true class" in note(result)
