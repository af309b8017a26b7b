"""The methods paragraphs of Morris screenings tell the choices of the run, and cite where they come from."""

from __future__ import annotations

from typing import Any

import pytest

from sensiview.datasets.card import DatasetCard
from sensiview.reporting.bibliography import WORKS
from sensiview.reporting.methods_screening import BY_ANALYSIS
from sensiview.reporting.methods_told import Told


def _paragraph(analysis: str, parameters: dict[str, Any], kind: Any = "images") -> str:
    record = {"analysis": analysis, "parameters": parameters, "model_name": "net", "dataset_name": "pictures"}
    return BY_ANALYSIS[analysis](Told(record, {}, DatasetCard(name="pictures", kind=kind, n_rows=20))).paragraph


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        ("images", {}, "8 x 8 cells of a grid"),
        ("images", {"cells": 6, "n": 1000}, "1,000 trajectories on a grid of 8 levels [morris1991]"),
        ("images", {"partition": "superpixels"}, "about 8 x 8 superpixels"),
        ("images", {"images": "0-4"}, "images 0-4"),
        ("images", {"scope": "global"}, "between the smallest and the largest over all inputs"),
        ("images", {"spread": 0.1}, "within 10 % of each input's own"),
        ("images", {"partition": "generator"}, "generated anew"),
        ("images", {"partition": "halves"}, "the partition “halves”"),
        ("volumes", {}, "the regions of an atlas"),
        ("volumes", {"partition": "grid", "cells": 4}, "4 x 4 x 4 cells"),
        ("table", {}, "varied independently over their ranges"),
        ("table", {"design": "radial"}, "radial blocks around scrambled Sobol' points [campolongo2011]"),
        ("table", {"scope": "local"}, "100 % of half of each range"),
    ],
)
def test_that_a_screening_tells_its_parts_and_its_design(kind: str, parameters: dict[str, Any], words: str) -> None:
    assert words in _paragraph("morris", parameters, kind)


@pytest.mark.parametrize(
    ("analysis", "parameters", "words"),
    [
        ("masking_validation", {"runs": ["a", "b"], "share": 0.1}, "the most important 10 % of the parts"),
        ("masking_validation", {"runs": ["a"]}, "1 Morris screening (a)"),
        ("overlap", {"runs": ["a", "b"], "reference": "b"}, "held against those of b"),
        ("interaction_ratio", {"runs": ["a"], "threshold": 0.5}, "above 0.5 of the largest"),
        ("interaction_pairs", {"runs": ["a"], "top_k": 7}, "7 most important parts"),
        ("screening_trend", {"runs": ["a", "b", "c"]}, "3 Morris screenings (a, b and c)"),
    ],
)
def test_that_studies_tell_their_screenings_and_choices(analysis: str, parameters: dict[str, Any], words: str) -> None:
    found = _paragraph(analysis, parameters)
    assert words in found
    assert "[mosip2022]" in found


def test_that_every_work_cited_is_known() -> None:
    import re

    for analysis in BY_ANALYSIS:
        for mark in re.findall(r"\[([a-z0-9; ]+)\]", _paragraph(analysis, {"runs": ["a"]})):
            assert all(key.strip() in WORKS for key in mark.split(";"))
