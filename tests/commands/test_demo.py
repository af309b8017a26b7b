"""The sample projects from the command line, as somebody without a display would try it first."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sensiview import load
from sensiview.analysis.items import FieldMap, Note
from sensiview.analysis.result import Result
from sensiview.demos import digits
from sensiview.locations import resources
from sensiview.models.card import ModelCard
from tests.commands.conftest import Command

_PLANTED = {"Hippocampus L", "Hippocampus R", "Amygdala L", "Amygdala R"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_that_the_diabetes_demo_ends_with_every_result(sensiview: Command, tmp_path: Path) -> None:
    answer = sensiview("demo", "diabetes", "--to", tmp_path, "--quick", "--no-window", "--json")
    assert answer.code == 0, answer.err
    folder = Path(answer.json["project"])
    assert folder == tmp_path / "diabetes.sensiview"
    states = {run["analysis"]: run["state"] for run in sensiview("runs", folder, "--json").json["runs"]}
    wanted = ["training", "sobol", "first_layer_sensitivity", "pca", "feature_subset"]
    assert states == dict.fromkeys(wanted, "succeeded")
    assert sensiview("check", folder).code == 0


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_that_the_brain_demo_finds_what_was_planted(sensiview: Command, tmp_path: Path) -> None:
    answer = sensiview("demo", "brain", "--to", tmp_path, "--quick", "--no-window", "--json")
    assert answer.code == 0, answer.err
    folder = Path(answer.json["project"])
    runs = sensiview("runs", folder, "--json").json["runs"]
    assert {run["state"] for run in runs} == {"succeeded"}
    loaded = load(folder)
    truth = next(run for run in runs if run["analysis"] == "known_regions")
    shares = loaded.runs[truth["id"]].result["shares"].to_frame()  # type: ignore[attr-defined]
    masks = shares[shares["analysis"] == "mask_optimization"]
    grad_cam = shares[shares["analysis"] == "grad_cam"].iloc[0]
    assert len(masks) == 4
    # A planted region leads the table of every mask, and most of the mask lies in the four of them.
    assert (masks["best_rank"] == 1).all()
    assert masks["found"].mean() >= 0.75
    assert (masks["share_dilated"] >= 0.5).all()
    assert (masks["share_dilated"] > 3 * masks["chance"]).all()
    assert (masks["share_dilated"] > grad_cam["share_dilated"]).all()
    screening = next(run for run in runs if run["analysis"] == "morris")
    table = loaded.runs[screening["id"]].result["screening"].to_frame()  # type: ignore[attr-defined]
    mean = table[table["subject"] == "mean"].sort_values("mu_star", ascending=False)
    assert mean["factor"].iloc[0] in _PLANTED
    assert len(_PLANTED & set(mean["factor"].head(6))) >= 3
    assert sensiview("check", folder).code == 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_that_the_image_demo_shows_what_its_networks_look_at(sensiview: Command, tmp_path: Path) -> None:
    answer = sensiview("demo", "images", "--to", tmp_path, "--quick", "--no-window", "--json")
    assert answer.code == 0, answer.err
    folder = Path(answer.json["project"])
    runs = sensiview("runs", folder, "--json").json["runs"]
    assert {run["state"] for run in runs} == {"succeeded"}
    assert {run["analysis"] for run in runs} == {
        "training", "classification", "local_sensitivity", "activation_maximization", "grad_cam", "grad_cam_pp",
        "saliency", "integrated_gradients", "occlusion", "comparison", "sanity",
    }  # fmt: skip
    loaded = load(folder)

    def items(name: str) -> Result:
        run = next(run for run in runs if run["name"] == name)
        return loaded.runs[run["id"]].result

    accuracy = items("Which garments are recognised")["accuracy"].to_frame()  # type: ignore[attr-defined]
    assert accuracy.loc[0, "n"] == 500
    assert accuracy.loc[0, "accuracy"] > 0.75
    for climb in ("What each class looks for", "Every garment changed into every other"):
        rise = items(climb)["summary"].to_frame()  # type: ignore[attr-defined]
        assert (rise["activation_after"] > rise["activation_before"]).all()
        # A high activation is no high probability: T-shirts rise with shirts.
        assert (rise["probability_after"] > 0.9).mean() > 0.75
    # The network takes the photograph of a man with a camera for a tripod. That stands in the right half, below.
    for name in ("Grad-CAM", "Occlusion"):
        found = items(name)["map"]
        assert isinstance(found, FieldMap)
        photographer = found.values[list(found.coordinates["image"]).index("photographer.jpg")]
        y, x = np.unravel_index(photographer.argmax(), photographer.shape)
        assert 100 <= x <= 190, name
        assert y >= 60, name
    verdict = items("Can Grad-CAM be trusted?")["verdict"]
    assert isinstance(verdict, Note)
    assert "The map depends on the weights" in verdict.text
    assert sensiview("check", folder).code == 0


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_that_the_digits_demo_names_what_each_network_cheats_with(sensiview: Command, tmp_path: Path) -> None:
    answer = sensiview("demo", "digits", "--to", tmp_path, "--quick", "--no-window", "--json")
    assert answer.code == 0, answer.err
    folder = Path(answer.json["project"])
    runs = sensiview("runs", folder, "--json").json["runs"]
    assert {run["state"] for run in runs} == {"succeeded"}
    loaded = load(folder)

    def table(name: str, item: str) -> pd.DataFrame:
        run = next(run for run in runs if run["name"] == name)
        frame: pd.DataFrame = loaded.runs[run["id"]].result[item].to_frame()  # type: ignore[attr-defined]
        return frame

    for p in digits.P_CORR:
        summary = table(f"p {p:g} network", "summary").set_index("split")
        assert summary.loc["test", "accuracy"] > 0.7
    # Where colours and place say nothing, the network of strongly biased digits is lost.
    cheated, fair = (table(f"p {p:g} digits without bias", "accuracy").loc[0, "accuracy"] for p in (0.8, 0.5))
    assert cheated < 0.5 < fair
    trend = table("With what networks cheat as the bias grows", "trend")
    wide = trend.pivot(index="p_corr", columns="factor", values="mu_star")
    # As in the study: place matters little, and both colours matter more where they are biased more.
    assert (wide["position"] < 0.2 * wide.max(axis=1)).all()
    assert (wide.loc[0.8, ["digit_colour", "background_colour"]] > wide.loc[0.5].max()).all()
    # One factor is biased more than the others: it leads by far, and the lead is no chance.
    (leader,) = table("background 0.9: with what it cheats", "leaders").tail(1).to_dict("records")
    assert leader["leading"] == digits.ALONE
    assert leader["ahead_low"] > 0.5 * leader["mu_star"]
    assert sensiview("check", folder).code == 0


def test_that_the_card_of_the_shipped_network_is_that_of_its_weights(sensiview: Command, tmp_path: Path) -> None:
    samples = resources() / "samples" / "images"
    card = ModelCard.model_validate_json((samples / "squeezenet1_1.json").read_text(encoding="utf-8"))
    (tmp_path / "classes.json").write_text(json.dumps(card.class_names))
    assert sensiview("new", tmp_path / "study").code == 0
    answer = sensiview(
        "add-model", tmp_path / "study.sensiview", "--architecture", card.architecture, "--weights",
        samples / "squeezenet1_1.safetensors", "--classes", tmp_path / "classes.json", "--name", card.name, "--json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    made = load(tmp_path / "study.sensiview").models[answer.json["id"]].card
    for part in ("name", "emits", "input_shape", "output_names", "class_names", "layers", "n_parameters",
                 "preprocessing", "notes"):  # fmt: skip
        assert getattr(made, part) == getattr(card, part), part


def test_that_everything_of_the_image_sample_says_where_it_comes_from() -> None:
    samples = resources() / "samples" / "images"
    told = (samples / "SOURCES.md").read_text(encoding="utf-8")
    for path in samples.rglob("*"):
        if path.is_file() and path.suffix in (".npz", ".jpg", ".safetensors"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() in told, path.name
    for licence in samples.glob("LICENSE-*"):
        assert f"`{licence.name}`" in told
