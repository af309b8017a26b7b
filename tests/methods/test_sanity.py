"""Sanity checks: what must pass, what must fail, on networks whose maps are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sensiview.analysis.items import Curve, FieldMap, IndexTable, Mask, Note
from sensiview.analysis.progress import Silent
from sensiview.analysis.result import Result
from sensiview.analysis.study import Finished, Study
from sensiview.errors import UserError
from sensiview.methods.sanity import Sanity, SanityParameters
from sensiview.models.network import Network, network_from_module
from sensiview.numerics.example_volumes import PLANTED, example_module, example_volumes
from sensiview.numerics.sanity_verdict import judge_baseline, judge_control, judge_curve, judge_seeds, verdict

ANALYSIS = Sanity()
QUICK: dict[str, Any] = {
    "atlas": "none",
    "subjects": "diagnosis=AD",
    "target": "AD",
    "repeats": 1,
    "orders": 19,
    "steps": 4,
    "cell": 4,
    "draws": 19,
    "share": 0.037,
}


def study_of(module: nn.Module, runs: dict[str, Finished] | None = None) -> Study:
    volumes = example_volumes()

    def network() -> Network:
        return network_from_module(
            module, sample=volumes.batch([0]), name="net", class_names=("AD", "CN"), device="cpu"
        )

    return Study(
        dataset=volumes.card,
        model=network().card,
        device="cpu",
        runs=runs,
        volumes_loader=lambda: volumes,
        network_loader=network,
    )


def run(study: Study, progress: Silent | None = None, **parameters: Any) -> Result:
    chosen = SanityParameters.parse({**QUICK, **parameters})
    assert ANALYSIS.problems(study, chosen) == []
    result = ANALYSIS.run(study, chosen, progress or Silent())
    assert result.evaluations <= ANALYSIS.cost(study, chosen).evaluations
    return result


def said(result: Result) -> str:
    note = result["verdict"]
    assert isinstance(note, Note)
    return note.text


def frame(result: Result, name: str) -> Any:
    item = result[name]
    assert isinstance(item, IndexTable | Curve)
    return item.to_frame()


def test_that_a_map_of_what_the_network_uses_passes_every_check() -> None:
    result = run(study_of(example_module()), method="saliency")
    text = said(result)
    assert text.startswith("Passes: all 5 checks."), text
    # The box lies at the same place in every patient: that is said, and is no failure.
    assert "read it as a map of the group" in text
    assert list(result) == [
        "verdict",
        "randomisation",
        "seeds",
        "deletion",
        "insertion",
        "areas",
        "baseline",
        "control",
    ]
    weights = frame(result, "randomisation")
    assert list(weights["layer"]) == ["none", "7", "3", "0"]
    assert weights["rank_correlation"].iloc[0] == pytest.approx(1)
    assert weights["rank_correlation"].abs().iloc[-1] < 0.5
    areas = frame(result, "areas").set_index(["curve", "order"])["area"]
    assert areas["deletion", "map"] < areas["deletion", "random"]
    assert areas["insertion", "map"] > areas["insertion", "random"]


class Edges(nn.Module):
    """Its gradient is the input itself: the map never changes with the weights, as that of an edge detector."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = example_module()

    def forward(self, x: Tensor) -> Tensor:
        energy = x.square().flatten(1).sum(dim=1) / 50
        return torch.stack([energy, -energy], dim=1) + 1e-6 * self.inside(x)


def test_that_a_map_that_does_not_depend_on_the_weights_fails_and_is_called_so() -> None:
    result = run(study_of(Edges()), method="saliency", orders=0, draws=0)
    assert said(result).startswith("Does not pass: ")
    assert "hardly depends on what the network learnt" in said(result)
    assert frame(result, "randomisation")["rank_correlation"].min() > 0.9


def test_that_both_ways_of_randomising_and_every_method_are_offered() -> None:
    study = study_of(example_module())
    result = run(study, method="grad_cam", layer="2", randomisation="both", repeats=0, orders=0, draws=0)
    assert list(frame(result, "randomisation")["mode"].unique()) == ["cascading", "independent"]
    result = run(study, method="occlusion", window=6, layers=1, orders=0, draws=0)
    assert list(frame(result, "randomisation")["layer"]) == ["none", "7 to 0"]
    assert list(frame(result, "seeds")["subject"]) == ["sub-1", "sub-3"]


def finished(item: FieldMap, **parameters: Any) -> Finished:
    card = example_volumes().card
    return Finished(
        id="mask-0001",
        name="my mask",
        analysis="mask_optimization",
        parameters=parameters,
        dataset=card,
        result=lambda: Result({"mask": item}),
    )


def mask_over(place: tuple[slice, ...], subjects: tuple[str, ...] = ()) -> Mask:
    one = np.ones((12, 12, 12))
    one[place] = 0
    values, axes = one.swapaxes(0, 2), ("z", "y", "x")
    if subjects:
        return Mask(
            title="m",
            values=np.stack([values] * len(subjects)),
            axes=("subject", *axes),
            coordinates={"subject": subjects},
            affine=np.eye(4),
        )
    return Mask(title="m", values=values, axes=axes, affine=np.eye(4))


@pytest.mark.parametrize(
    ("parameters", "of_class"),
    [({"subjects": "patients"}, "AD"), ({}, "AD"), ({"subjects": "patients", "controls": "AD"}, "CN")],
)
def test_that_a_mask_of_the_patients_is_checked_on_the_patients(parameters: dict[str, Any], of_class: str) -> None:
    volumes = example_volumes()
    assert set(volumes.card.class_counts) == {"AD", "CN"}
    code = list(volumes.card.class_counts).index(of_class)
    wanted = [name for name, label in zip(volumes.names, volumes.labels(), strict=True) if label == code]
    done = finished(mask_over(PLANTED), **parameters)
    result = run(study_of(example_module(), {"mask-0001": done}), runs="mask-0001", most_subjects=4, draws=2, orders=1)
    assert f"'my mask' on {', '.join(map(repr, wanted))}." in said(result)


@pytest.mark.parametrize("subjects", [(), ("sub-3", "sub-1")])
def test_that_a_mask_over_what_counts_beats_random_masks(subjects: tuple[str, ...]) -> None:
    done = finished(mask_over(PLANTED, subjects), target="AD", subjects="diagnosis=AD", fill=0.4)
    result = run(study_of(example_module(), {"mask-0001": done}), runs="mask-0001")
    assert said(result).startswith("Passes: all 3 checks."), said(result)
    assert "The mask is better than a random mask" in said(result)
    assert "randomisation" not in result
    assert "Checked: the run 'my mask'" in said(result)


def test_that_a_mask_beside_what_counts_is_no_better_than_a_random_mask() -> None:
    done = finished(
        mask_over((slice(7, 11), slice(7, 11), slice(1, 5))), target="AD", subjects="diagnosis=AD", fill=0.4
    )
    result = run(study_of(example_module(), {"mask-0001": done}), runs=["mask-0001"])
    assert "no better than a random mask" in said(result)
    control = frame(result, "control")
    assert (control.loc[control["kind"] == "map", "p"] > 0.05).all()


def test_that_a_run_of_a_map_brings_its_own_settings() -> None:
    volumes = example_volumes()
    done = Finished(
        id="grad_cam-0002",
        analysis="grad_cam",
        parameters={
            "layer": "2",
            "target": "AD",
            "subjects": "3",
            "relu": False,
            "absolute": False,
            "variant": "grad_cam",
        },
        dataset=volumes.card,
        result=lambda: Result({}),
    )
    study = study_of(example_module(), {"grad_cam-0002": done})
    result = run(study, runs="grad_cam-0002", subjects="0", orders=0, draws=0)
    assert list(frame(result, "seeds")["subject"]) == ["sub-3"]
    assert "Average map: there are no other maps" in said(result)


def test_that_a_constant_map_has_no_similarity_and_says_so_instead_of_crashing() -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(1728, 2), nn.Unflatten(1, (2, 1)), nn.Flatten())
    with torch.no_grad():
        flat[1].weight.zero_()
    progress = Silent()
    result = run(study_of(flat), progress, method="saliency")
    assert any("is the same everywhere" in sentence for sentence in progress.warnings)
    assert np.isnan(frame(result, "seeds")["rank_correlation"]).all()
    assert "so there is no correlation to judge by" in said(result)


@pytest.mark.parametrize(
    "change, parameters, sentence",
    [
        (lambda run: run, {"runs": ["no-such-run"]}, "There is no finished run 'no-such-run'"),
        (lambda run: run, {"runs": ["a", "b"]}, "One run is checked at a time"),
        (lambda run: replace(run, analysis="pca"), {"runs": "mask-0001"}, "has no map to check"),
        (
            lambda run: replace(run, dataset=run.dataset.model_copy(update={"name": "others"})),
            {"runs": "mask-0001"},
            "was made on 'others'",
        ),
        (
            lambda run: replace(run, analysis="occlusion", parameters={"mode": "regions"}),
            {"runs": "mask-0001"},
            "occlusion by region can't be checked",
        ),
        (lambda run: run, {"target": "all"}, "one class at a time"),
        (lambda run: run, {"target": "MCI"}, "has no class or output 'MCI'"),
        (lambda run: run, {"method": "grad_cam", "layer": "nine"}, "has no layer 'nine'"),
        (lambda run: run, {"method": "occlusion", "window": 40}, "larger than the volume"),
        (lambda run: run, {"subjects": "0-40"}, "There is no volume 40"),
        (lambda run: run, {"fill": "controls"}, "Name the controls"),
    ],
)
def test_that_what_does_not_fit_is_a_sentence_before_the_run(
    change: Callable[[Finished], Finished], parameters: dict[str, Any], sentence: str
) -> None:
    study = study_of(example_module(), {"mask-0001": change(finished(mask_over(PLANTED)))})
    problems = ANALYSIS.problems(study, SanityParameters.parse({**QUICK, **parameters}))
    assert sentence in " ".join(problems)


def test_that_a_run_without_a_usable_mask_is_a_sentence() -> None:
    for item in (
        Note(title="n", text="nothing"),
        replace(mask_over(PLANTED, ("a", "b")), axes=("lambda_1", "z", "y", "x"), coordinates={}),
        mask_over(PLANTED, ("someone else",)),
    ):
        done = finished(item, target="AD")  # type: ignore[arg-type]
        with pytest.raises(UserError):
            run(study_of(example_module(), {"mask-0001": done}), runs="mask-0001")


def test_that_the_verdict_counts_what_failed_and_what_could_not_be_said() -> None:
    good, bad = judge_seeds(0.94, 0.02), judge_control(0.1, 0.2, 0.1, 0.3, 0.6, 40, mask=True)
    assert good.sentence == "It is stable over seeds and noise of 2 % (rank correlation 0.94)."
    few = judge_curve("deletion", 0.1, 0.5, 0.4, 0.6, 0.2, 4)
    assert few.state == "open"
    assert "4 random orders are too few" in few.sentence
    text = verdict([good, bad, few])
    assert text.startswith("Does not pass: 1 of 2 checks failed (control). Not judged: deletion.")
    assert "no better than a random mask" in text
    assert verdict([]).startswith("No check was made")
    assert verdict([few]).startswith("Nothing can be said")
    assert judge_baseline(0.99, 0.2, 0.2).state == "remark"
    assert judge_baseline(0.99, 0.1, 0.2).state == "passes"
    assert judge_baseline(float("nan"), 0.1, 0.2).state == "open"
