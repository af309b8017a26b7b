"""Masking: curves of networks that are known, against random orders; tables; and runs that don't fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

import sensiview
from sensiview.analysis.items import FieldMap, IndexTable, Note
from sensiview.analysis.progress import Checkpoint, Silent
from sensiview.analysis.result import Result
from sensiview.analysis.screened_examples import finished_screening, screened_study
from sensiview.analysis.study import Finished, Study
from sensiview.errors import Stopped, UserError
from sensiview.methods.masking_validation import MaskingValidation
from sensiview.models.network import network_from_module
from sensiview.numerics.careful_batches import CarefulBatches
from sensiview.numerics.example_images import example_images, example_network
from sensiview.numerics.image_inputs import ImageInputs
from sensiview.numerics.image_map_space import ImageMapInputs
from sensiview.numerics.screening.changed_inputs import ChangedInputs
from sensiview.numerics.screening.masked_inputs import MaskedInputs, division_of
from tests.methods.image_studies import image_set, note, run
from tests.methods.screened_runs import (
    CELLS,
    NAMES,
    OfCells,
    bright_images,
    cells_study,
    frame,
    own_sums,
    screened,
    with_runs,
)

ANALYSIS = MaskingValidation()
WEIGHTS = np.linspace(1, 3, 16)


def side(result: Result, name: str, measure: str = "mu_star", run_name: str = "cells") -> pd.DataFrame:
    table = frame(result, "curves")
    return table[(table["run"] == run_name) & (table["measure"] == measure) & (table["side"] == name)]


def test_that_an_additive_networks_logit_falls_by_each_masked_cell() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    effects = own_sums(study) * WEIGHTS
    study = with_runs(study, screened(study, "cells", effects))
    result = run(ANALYSIS, study, runs=["cells"], by="mu_star", output="logit", orders=4, share=0.25)
    right = effects[:5]  # the last image is not of the class that the network says
    ordered = -np.sort(-right, axis=1)
    top = np.concatenate([[0], -np.cumsum(ordered, axis=1)[:, :4].mean(axis=0)])
    np.testing.assert_allclose(side(result, "top")["score_change"], top, rtol=1e-5)
    bottom = np.concatenate([[0], -np.cumsum(ordered[:, ::-1], axis=1)[:, :4].mean(axis=0)])
    np.testing.assert_allclose(side(result, "bottom")["score_change"], bottom, rtol=1e-5)
    np.testing.assert_allclose(side(result, "top")["relative_change"], top / right.sum(axis=1).mean(), rtol=1e-5)
    np.testing.assert_allclose(side(result, "top")["share"], [0, 1 / 16, 2 / 16, 3 / 16, 4 / 16])
    # In random order every cell is as likely to go.
    random = side(result, "random")["score_change"].to_numpy()
    assert top[-1] < random[-1] < bottom[-1]
    assert "gets 5 of 6 images right" in note(result, "verdict")


def test_that_a_planted_cell_costs_everything_when_it_is_masked_and_nothing_when_it_is_not() -> None:
    weights = np.where(np.arange(16) == 9, 1.0, 0.0)
    study = cells_study(OfCells("sum", weights, bar=1.0), bright_images(12))
    study = with_runs(study, screened(study, "cells", weights), screened(study, "wrong", weights[::-1]))
    result = run(ANALYSIS, study, runs=["cells", "wrong"], by="mu_star", orders=10, share=0.2)
    drops = frame(result, "drops").set_index(["run", "side"])
    assert drops.loc[("cells", "top"), "accuracy_drop"] == 1
    assert drops.loc[("cells", "bottom"), "accuracy_drop"] == 0
    assert drops.loc[("cells", "top"), "accuracy_drop_beyond_random_low"] > 0
    assert drops.loc[("cells", "bottom"), "accuracy_drop_beyond_random_high"] < 0
    # Three of sixteen at random hit the one cell in 3/16 of the cases.
    assert drops.loc[("cells", "random"), "accuracy_drop"] == pytest.approx(3 / 16, abs=0.12)
    assert drops.loc[("wrong", "top"), "accuracy_drop"] < 1
    said = note(result, "verdict")
    assert "1 of 2 rankings are right at both ends" in said
    assert "By mu_star the top hurts more than chance, the bottom less." in said


def test_that_one_ranking_masks_the_same_cells_of_all_images() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    effects = own_sums(study) * WEIGHTS
    # Every image by itself would be masked elsewhere.
    tilted = effects * np.random.default_rng(1).uniform(0.5, 1.5, effects.shape)
    study = with_runs(study, screened(study, "cells", tilted))
    result = run(ANALYSIS, study, runs=["cells"], by="mu_star", output="logit", ranking="global", share=0.25)
    order = np.argsort(-tilted.mean(axis=0))[:4]
    expected = -effects[:5][:, order].sum(axis=1).mean()
    assert side(result, "top")["score_change"].iloc[-1] == pytest.approx(expected, rel=1e-5)


def test_that_windows_give_what_whole_passes_give() -> None:
    inputs = ImageMapInputs(ImageInputs(example_network(), example_images()))

    def opened() -> MaskedInputs:
        batches = CarefulBatches(inputs.network, None, lambda _: None, "images")
        return MaskedInputs(inputs, lambda _: division_of(CELLS[None] + 1, NAMES), batches, lambda _: None, print)

    orders = np.array([np.random.default_rng(k).permutation(16)[:6] for k in range(5)])[:, None]
    by_windows, whole = opened(), opened()
    found = by_windows.along(1, orders)
    assert "windows" in by_windows.sentence
    torch.testing.assert_close(found, ChangedInputs.along(whole, 1, orders), rtol=1e-5, atol=1e-5)
    assert tuple(found.shape) == (5, 1, 6, 2)


def test_that_empty_parts_are_never_the_least_important_of_a_local_ranking() -> None:
    images = bright_images(3)
    blank = np.where(CELLS >= 8, 0.0, 1.0).astype(np.float32)
    arrays = [images.image(i) * blank for i in range(3)]
    study = cells_study(OfCells("sum", np.ones(16), bar=1e-3), image_set(arrays, ["bright", "bright", "plain"]))
    effects = own_sums(study)
    study = with_runs(study, screened(study, "cells", effects))
    result = run(ANALYSIS, study, runs=["cells"], by="mu_star", output="logit", share=0.125)
    # The two smallest cells that are not black.
    smallest = np.sort(np.where(effects[:2] == 0, np.inf, effects[:2]), axis=1)[:, :2].sum(axis=1).mean()
    assert side(result, "bottom")["score_change"].iloc[-1] == pytest.approx(-smallest, rel=1e-5)


def test_that_channels_of_an_image_are_masked_whole() -> None:
    class Red(nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            value = rows[:, 0].mean(dim=(1, 2))
            return torch.stack([value, torch.zeros_like(value) + 0.1], dim=1)

    study = cells_study(Red())
    labels = np.broadcast_to(np.arange(3)[:, None, None], (3, 16, 16))
    parts = FieldMap(title="p", values=labels + 1, axes=("channel", "y", "x"), coordinates={"channel": tuple("rgb")})
    plain = screened(study, "cells", np.array([3.0, 2.0, 1.0]), factors=list("rgb"), labels=None, partition="channels")
    items = {**plain.result().items_by_name, "parts": parts}
    study = with_runs(study, replace(plain, result=lambda: Result(items)))
    result = run(ANALYSIS, study, runs=["cells"], by="mu_star", share=0.34)
    drops = frame(result, "drops").set_index("side")
    assert (drops.loc["top", "accuracy_drop"], drops.loc["bottom", "accuracy_drop"]) == (1, 0)


# Tables -----------------------------------------------------------------------------------------------------------


def test_that_all_columns_of_a_table_are_drawn_anew_and_the_ends_agree() -> None:
    study = screened_study("table")
    result = run(ANALYSIS, study, runs=["planted"], by="mu_star", repeats=40)
    curves = frame(result, "curves")
    ends = curves[curves["share"] == 1.0].groupby("side")["accuracy"].mean()
    # With every column from another row it does not matter in which order they went.
    assert ends["top"] == pytest.approx(ends["bottom"]) == pytest.approx(ends["random"])
    assert len(curves[curves["side"] == "top"]) == 4
    drops = frame(result, "drops").set_index("side")
    assert drops.loc["top", "accuracy_drop"] > drops.loc["bottom", "accuracy_drop"] + 0.2
    assert drops.loc["top", "accuracy_drop_beyond_random_low"] > 0
    assert (drops["changed"] == 1).all()


def test_that_a_drawn_column_has_the_expected_effect_of_its_distribution() -> None:
    study = screened_study("table")
    result = run(ANALYSIS, study, runs=["planted"], by="mu_star", output="logit", repeats=400)
    rows = study.table().features()
    labels = study.table().labels()
    logits = rows @ np.array([6.0, 2.0, 0.1])
    signed = np.where(labels == 1, 1.0, -1.0)
    expected = (signed * 6.0 * (rows[:, 0].mean() - rows[:, 0])).mean()
    top = side(result, "top", run_name="planted")["score_change"].to_numpy()
    assert top[1] == pytest.approx(expected, rel=0.05)
    assert top[3] == pytest.approx((signed * (logits.mean() - logits)).mean(), rel=0.05)


def test_that_a_quantity_is_watched_by_the_size_of_its_change() -> None:
    values = np.random.default_rng(2).uniform(-1, 1, (30, 2))
    table = pd.DataFrame(values, columns=["a", "b"])
    table["y"] = values @ np.array([3.0, 0.0]) + np.linspace(0, 0.001, 30)
    module = nn.Linear(2, 1).double()
    module.load_state_dict({"weight": torch.tensor([[3.0, 0.0]]), "bias": torch.zeros(1)})
    screening = sensiview.analyse("morris", module, table, target="y", parameters={"n": 4}, progress=False)
    result = sensiview.analyse(
        "masking_validation", module, table, target="y", runs={"quantity": screening}, progress=False,
        parameters={"by": "mu_star", "repeats": 30},
    )  # fmt: skip
    drops = frame(result, "drops").set_index("side")
    assert "accuracy_drop" not in drops
    assert drops.loc["top", "score_drop"] > 1
    assert drops.loc["bottom", "score_drop"] == 0


# Going on, one image, what is refused ------------------------------------------------------------------------------


class _StopAfter(Silent):
    def __init__(self, rows: int) -> None:
        super().__init__()
        self.left = rows

    def advance(self, done: int) -> None:
        self.left -= done
        if self.left < 0:
            raise Stopped


def test_that_a_stopped_study_goes_on_with_the_same_numbers() -> None:
    study = screened_study("images")
    parameters = ANALYSIS.Parameters.parse({"runs": ["planted"], "orders": 3})
    whole = ANALYSIS.run(study, parameters, Silent())
    halfway = _StopAfter(whole.evaluations // 2)
    with pytest.raises(Stopped):
        ANALYSIS.run(screened_study("images"), parameters, halfway)
    kept = halfway.restored()
    assert isinstance(kept, Checkpoint)
    assert 0 < len(kept.arrays) < 4
    later = ANALYSIS.run(screened_study("images"), parameters, Silent(kept))
    pd.testing.assert_frame_equal(frame(later, "curves"), frame(whole, "curves"))
    assert later.evaluations < whole.evaluations


def test_that_a_single_image_has_no_interval_over_images_and_says_so() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    effects = own_sums(study) * WEIGHTS
    one = screened(study, "cells", effects[:1], names=[study.images().names[0]], images="0")
    result = run(ANALYSIS, with_runs(study, one), runs=["cells"], by="mu_star")
    assert np.isnan(frame(result, "drops").set_index("side").loc["top", "accuracy_drop_low"])
    assert "no interval over images" in note(result, "verdict")


def test_that_an_image_whose_parts_are_all_alike_is_left_out_and_named() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    effects = own_sums(study) * WEIGHTS
    effects[2] = 0
    effects[3] = np.nan
    result = run(ANALYSIS, with_runs(study, screened(study, "cells", effects)), runs=["cells"], by="mu_star")
    said = note(result, "verdict")
    assert "'image-2.png'" in said
    assert "'image-3.png'" in said
    assert (frame(result, "drops")["inputs"] == 3).all()


def test_that_a_screening_of_zeros_is_refused_with_a_sentence() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    study = with_runs(study, screened(study, "cells", np.zeros(16)))
    with pytest.raises(UserError, match="gives no order of the parts"):
        run(ANALYSIS, study, runs=["cells"])


def test_that_a_network_that_is_always_wrong_is_told() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e6), bright_images())
    images = list(study.images().names[:5])
    one = screened(study, "cells", np.arange(16.0), names=images)
    with pytest.raises(UserError, match="gets none of the images right"):
        run(ANALYSIS, with_runs(study, one), runs=["cells"])


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"runs": []}, "Choose finished runs of 'Morris screening'"),
        ({"runs": ["gone"]}, "There is no finished run 'gone'"),
        ({"runs": ["other"]}, "is a run of 'occlusion'"),
        ({"runs": ["foreign"]}, "was made on 'elsewhere'"),
        ({"runs": ["orphan"]}, "is not there (any more)"),
        ({"runs": ["cells"], "share": 0.001}, "less than half a part"),
    ],
)
def test_that_runs_that_do_not_fit_are_refused_before_anything_is_opened(
    parameters: dict[str, Any], words: str
) -> None:
    study = cells_study(OfCells("sum", WEIGHTS))
    good = screened(study, "cells", WEIGHTS)
    assert study.dataset is not None
    elsewhere = study.dataset.model_copy(update={"name": "elsewhere"})
    runs = {
        "cells": good,
        "other": replace(good, id="other", analysis="occlusion"),
        "foreign": replace(good, id="foreign", dataset=elsewhere),
        "orphan": replace(good, id="orphan", model=None, network=None),
    }
    cards = replace(study, runs=runs, images_loader=None, network_loader=None)
    said = ANALYSIS.against(cards, ANALYSIS.Parameters.parse(parameters))
    assert len(said) == 1
    assert words in said[0]


def test_that_a_run_without_its_table_or_with_foreign_images_is_refused() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    empty = Finished("x", lambda: Result({"note": Note(title="n", text="t")}), analysis="morris", model=study.model)
    with pytest.raises(UserError, match="has no screening"):
        run(ANALYSIS, with_runs(study, empty), runs=["x"])
    strangers = screened(study, "cells", np.arange(16.0), names=["a.png", "b.png"])
    with pytest.raises(UserError, match="does not have"):
        run(ANALYSIS, with_runs(study, strangers), runs=["cells"])


def test_that_other_preprocessing_than_at_the_screening_is_refused() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    larger = screened(study, "cells", np.arange(16.0), labels=np.repeat(np.repeat(CELLS, 2, 0), 2, 1))
    with pytest.raises(UserError, match="preprocessing has changed"):
        run(ANALYSIS, with_runs(study, larger), runs=["cells"])


def test_that_one_ranking_of_superpixels_is_refused() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    own = np.stack([np.roll(CELLS, k, axis=1) for k in range(6)])
    study = with_runs(study, screened(study, "cells", own_sums(study), labels=own, partition="superpixels"))
    with pytest.raises(UserError, match="parts of their own"):
        run(ANALYSIS, study, runs=["cells"], ranking="global")
    assert "drops" in run(ANALYSIS, study, runs=["cells"], by="mu_star", orders=2)


def test_that_a_class_that_was_not_screened_is_refused() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    study = with_runs(study, screened(study, "cells", np.arange(16.0)))
    with pytest.raises(UserError, match="was not screened for 'cat'"):
        run(ANALYSIS, study, runs=["cells"], target="cat")


def test_that_the_ranking_is_of_each_images_own_class_where_all_were_screened() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3), bright_images(4))
    effects = own_sums(study) * WEIGHTS
    both = np.stack([effects, -effects], axis=2)  # the second class ranks the other way round
    names = tuple(study.images().names)
    one = finished_screening(
        study, "cells", names, NAMES, both, both, outputs=("bright", "plain"), labels=CELLS, cells=4
    )
    result = run(ANALYSIS, with_runs(study, one), runs=["cells"], by="mu_star", output="logit", share=0.25)
    ordered = -np.sort(-effects[:3], axis=1)
    assert side(result, "top")["score_change"].iloc[-1] == pytest.approx(-ordered[:, :4].sum(axis=1).mean(), rel=1e-5)


def test_that_images_without_classes_are_held_against_the_networks_own_answer() -> None:
    images = bright_images(4)
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3), image_set([images.image(i) for i in range(4)]))
    study = with_runs(study, screened(study, "cells", own_sums(study) * WEIGHTS))
    result = run(ANALYSIS, study, runs=["cells"], by="mu_star")
    assert "its own answer to each counts as the right one" in note(result, "verdict")
    assert (frame(result, "drops")["inputs"] == 4).all()


def test_that_the_real_screening_of_a_planted_square_passes() -> None:
    from sensiview.analysis.map_examples import image_study
    from sensiview.methods.morris import Morris

    study: Study = image_study()
    screening = Morris()
    chosen = screening.Parameters.parse({"cells": 4, "n": 12, "levels": 4, "images": "class=bright", "target": "true"})
    found = screening.run(study, chosen, Silent())
    finished = Finished(
        "real", lambda: found, "real", "morris", chosen.to_json(), 1, study.dataset, study.model, study.network_loader
    )
    result = run(ANALYSIS, with_runs(study, finished), runs=["real"], share=0.2, orders=20)
    drops = frame(result, "drops").set_index(["measure", "side"])
    for measure in ("mu_star", "sigma", "mu_star + sigma"):
        assert drops.loc[(measure, "top"), "accuracy_drop"] == 1
        assert drops.loc[(measure, "bottom"), "accuracy_drop"] == 0
    table = result["drops"]
    assert isinstance(table, IndexTable)
    assert table.units["accuracy_drop"] == "share of the inputs"


def test_that_a_network_on_its_own_device_is_opened_from_the_run() -> None:
    study = cells_study(OfCells("sum", WEIGHTS, bar=1e-3))
    sample = np.full((2, 3, 16, 16), 0.3, dtype=np.float32)
    opened: list[int] = []

    def network() -> Any:
        opened.append(1)
        return network_from_module(
            OfCells("sum", -WEIGHTS, bar=-1e6),
            sample=sample,
            name="other",
            class_names=("bright", "plain"),
            device="cpu",
        )

    one = replace(screened(study, "cells", own_sums(study)), network=network)
    run(ANALYSIS, with_runs(study, one), runs=["cells"], by="sigma", orders=0)
    assert opened == [1]


def test_that_results_in_a_notebook_are_validated_with_the_network_each_was_made_with() -> None:
    pixels = [np.rint(bright_images().image(i).transpose(1, 2, 0) * 255).astype(np.uint8) for i in range(6)]
    stack = [Image.fromarray(one) for one in pixels]
    right, blind = (
        OfCells("sum", np.where(np.arange(16) == 5, 1.0, 0.0), bar=1.0),
        OfCells("sum", np.zeros(16), bar=-1.0),
    )
    settings: dict[str, Any] = {
        "labels": ["bright"] * 5 + ["plain"], "class_names": ("bright", "plain"), "progress": False,
    }  # fmt: skip
    chosen = {"cells": 4, "n": 4, "levels": 4, "target": "true"}
    first = sensiview.analyse("morris", right, stack, parameters=chosen, **settings)
    second = sensiview.analyse("morris", blind, stack, parameters=chosen, **settings)
    with pytest.raises(UserError, match="network of 'first' is not there"):
        sensiview.analyse("masking_validation", None, stack, runs={"first": first}, **settings)
    result = sensiview.analyse(
        "masking_validation", None, stack, runs={"first": (first, right), "second": (second, blind)},
        parameters={"by": "mu_star", "orders": 4}, **settings,
    )  # fmt: skip
    drops = frame(result, "drops").set_index(["run", "side"])
    assert drops.loc[("first", "top"), "accuracy_drop"] == 1
    # The second network looks at nothing, so that its screening ranks nothing.
    assert set(drops.index.get_level_values("run")) == {"first"}
    assert "'second' gives no order" in note(result, "verdict")


def test_that_images_whose_masked_outputs_are_not_finite_are_left_out_and_named() -> None:
    class Logarithm(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = OfCells("sum", np.where(np.arange(16) == 5, 1.0, 0.0))

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            found = self.cells(rows)
            # The logarithm of nothing, for all images but the darkest.
            dark = rows.mean(dim=(1, 2, 3)) < 0.5
            value = torch.where(dark, found[:, 0], torch.log(found[:, 0]) + 100)
            return torch.stack([value, torch.full_like(value, -1.0)], dim=1)

    pixels = [np.full((3, 16, 16), shade) for shade in (0.8, 0.4, 0.7, 0.3)]
    study = cells_study(Logarithm(), image_set(pixels, ["bright", "bright", "bright", "plain"]))
    study = with_runs(study, screened(study, "cells", np.where(np.arange(16) == 5, 2.0, 0.01 * np.arange(16))))
    result = run(ANALYSIS, study, runs=["cells"], by="mu_star", output="logit", orders=2)
    said = note(result, "verdict")
    assert "not finite for 'image-0.png', 'image-2.png'" in said
    assert (frame(result, "drops")["inputs"] == 1).all()
    assert frame(result, "curves")["score_change"].notna().all()
