"""The report is one file, says everything, and can be read by people."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sensiview.analysis.items import FieldMap, IndexTable, Item, Matrix, Note, Remark
from sensiview.datasets.card import ColumnCard, DatasetCard
from sensiview.errors import UserError
from sensiview.models.card import ModelCard
from sensiview.reporting.anatomy import Anatomy
from sensiview.reporting.export import Draw
from sensiview.reporting.report import write_report
from sensiview.reporting.report_facts import facts_of_dataset, facts_of_model
from sensiview.reporting.report_tables import report_table

DATA = DatasetCard(
    name="Pima",
    n_rows=768,
    columns=(ColumnCard(name="Glucose", kind="number", missing=5),),
    features=("Glucose", "BMI", "Âge"),
    target="Outcome",
    class_counts={"0": 500, "1": 268},
)
NET = ModelCard(name="net", architecture="diabetes_net", emits="probability", n_parameters=123, accuracy={"test": 0.8})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def read(html: str) -> tuple[str, list[tuple[str, dict[str, str | None]]]]:
    parser = _Text()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return re.sub(r"\s+", " ", "".join(parser.text)), parser.tags


@pytest.fixture
def runs(record: dict[str, Any], items: dict[str, Item]) -> list[tuple[dict[str, Any], dict[str, Item]]]:
    return [(record, items)]


@pytest.mark.parametrize("for_print", [False, True])
def test_that_a_report_says_what_was_done_and_found(runs: Any, tmp_path: Path, draw: Draw, for_print: bool) -> None:
    html = write_report(
        "Study <b>1</b>",
        runs,
        tmp_path / "new" / "report.html",
        draw,
        for_print=for_print,
        datasets={"dataset-0001": DATA},
        models={"model-0001": NET},
        analyses={"sobol": "Sobol' indices: Where variance comes from."},
    )
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf-8") == html
    text, tags = read(html)
    for wanted in (
        "Study <b>1</b>",
        "1. Sobol' <indices>",
        "Sobol' indices (key sobol), revision 2",
        "3 rows were left out.",
        "The interval of Âge includes 0.",
        "N is large enough.",
        "0: 500 (65.1 %); 1: 268 (34.9 %)",
        "diabetes_net",
        "test: 80 %",
        "2 min 5 s",
        "SHA-256 of the model" if for_print else "cd" * 32,
        "SensiView 0.1.0, PyTorch 2.15 and Python 3.11 on cpu",
        "not a medical device",
        "What this can't tell",
        "Saltelli, A. (2002)",
        "Jansen, M. J. W. (1999)",
        "arXiv:2504.15100",
    ):
        assert wanted in text, wanted
    assert {tag for tag, _ in tags}.isdisjoint({"script", "link", "iframe", "object"})
    for tag, attributes in tags:
        source = attributes.get("src") or attributes.get("href") or ""
        assert source.startswith(("data:", "#")) or not source, (tag, source)
    pictures = [attributes["src"] for tag, attributes in tags if tag == "img"]
    assert len(pictures) == 3  # a note has none
    kind = "image/png" if for_print else "image/svg+xml"
    assert all(str(source).startswith(f"data:{kind};base64,") for source in pictures)
    assert all(attributes["alt"] for tag, attributes in tags if tag == "img")


def test_that_every_citation_is_listed_once_and_in_order(runs: Any, record: dict[str, Any]) -> None:
    other = {**record, "id": "first_layer_sensitivity-0001", "analysis": "first_layer_sensitivity", "parameters": {}}
    text, _ = read(write_report("T", [*runs, (other, {})]))
    assert not re.search(r"\[[a-z]+\d{4}", text)
    body, _, references = text.partition(" References ")
    cited = [int(number) for group in re.findall(r"\[([\d, ]+)\]", body) for number in group.split(",")]
    assert list(dict.fromkeys(cited)) == sorted(set(cited))
    assert len(re.findall(r"\((?:19|20)\d\d\)\.", references)) == max(cited)


def test_that_the_methods_paragraph_counts_the_rows(runs: Any) -> None:
    text, _ = read(write_report("T", runs))
    assert "N = 1,024 points" in text
    assert "8,192 rows" in text  # 1024 * (2 * 3 + 2)
    assert "(seed 7)" in text
    assert "normal 95 % intervals" in text
    assert "percentiles of the same resamples" in text


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({"output": "probability,fn1"}, "predicted probability and activation of every unit of layer fn1 (Outcome=1)"),
        ({"bounds": {"BMI": [10, 50]}}, "uniform within BMI [10, 50]; every other factor was uniform between"),
        ({"bounds": [[0, 1], [2, 3], [4, 5]]}, "uniform within Glucose, mg/dl [0, 1]; BMI"),
        ({"distributions": "empirical"}, "drawn from the distribution “empirical” of its column"),
        ({"distributions": {"BMI": "normal"}}, "Distributions: BMI: normal; every other factor was uniform"),
        ({"rows": "0-699"}, "between the minimum and the maximum of its column among rows 0-699."),
        ({"fixed": {"Age": 30.0}}, "Held fixed were Age: 30."),
        ({"groups": {"body": ["BMI", "Age"]}}, "varied in groups: body: BMI, Age."),
        ({"stop_width": 0.01, "max_seconds": 60}, "no interval of S1 and ST was wider than ± 0.01 or another doubling"),
        ({"interval": "design"}, "eight batches of the quasi-random design"),
        ({"target": 1}, "(class 1)"),
        ({"second_order": False}, "matrices A, B, AB of Saltelli"),
    ],
)
def test_that_choices_of_a_sobol_run_are_told(
    record: dict[str, Any], first_total: IndexTable, parameters: dict[str, Any], wanted: str
) -> None:
    told = {**record, "parameters": {**record["parameters"], **parameters}}
    text, _ = read(write_report("T", [(told, {"first_total": first_total})]))
    assert wanted in text


def test_that_a_run_that_stopped_early_or_was_extended_tells_its_real_size(runs: Any, record: dict[str, Any]) -> None:
    told = {**record, "evaluations": 1024, "extends": "sobol-0000"}
    frame = pd.DataFrame({"output": "o", "N": [128, 256], "factor": "Âge", "S1": 0.1})
    items = {**runs[0][1], "convergence": replace(runs[0][1]["convergence"], frame=frame)}
    text, _ = read(write_report("T", [(told, items)]))
    assert "of N = 256 points" in text
    assert "2,048 rows, of which this run evaluated 1,024 and took the others from run sobol-0000" in text


def test_that_indices_are_told_in_words_where_the_analysis_left_no_note(
    record: dict[str, Any], first_total: IndexTable
) -> None:
    text, _ = read(write_report("T", [(record, {"first_total": first_total})]))
    assert "Glucose, mg/dl (ST = 0.500 ± 0.010)" in text
    assert "explain 69.9 % of the variance; the other 30.1 % come from factors acting together" in text
    assert "no influence was found of Âge (the interval of ST includes 0)" in text
    noted = {"first_total": first_total, "reading": Note(title="What it says", text="Glucose leads.")}
    text, _ = read(write_report("T", [(record, noted)]))
    assert text.count("Glucose leads.") == 1
    assert "acting together" not in text


def test_that_a_long_note_is_told_sentence_by_sentence(record: dict[str, Any]) -> None:
    long = "Glucose leads with S1 = 0.458 (ST = 0.514). It was uniform on [0, 199]. In the data, r = 0.55 vs. 0.3. " * 3
    html = write_report("T", [(record, {"n": Note(title="N", text=f"Short. And one line.\n{long}")})])
    assert html.count("<li>Glucose leads with S1 = 0.458 (ST = 0.514).</li>") == 3
    assert "<li>It was uniform on [0, 199].</li>" in html
    assert "<li>In the data, r = 0.55 vs. 0.3.</li>" in html
    assert "<li>Short. And one line.</li>" in html


def test_that_other_results_are_told_in_words(record: dict[str, Any]) -> None:
    def table(name: str, keys: tuple[str, ...], values: tuple[str, ...], **columns: Any) -> dict[str, Item]:
        return {name: IndexTable(title=name, frame=pd.DataFrame(columns), keys=keys, values=values)}

    items = {
        **table("relative", ("layer", "factor"), ("value",), layer=["fn1"] * 2, factor=["a", "b"], value=[0.1, 0.5]),
        **table("explained_variance", ("component",), ("share",), component=[1, 2], share=[0.25, 0.125]),
        **table(
            "accuracy",
            ("subset", "seed"),
            ("test",),
            subset=["all", "all", "most important"],
            seed=[1, 2, 1],
            test=[0.8, 0.82, 0.795],
        ),
    }
    text, _ = read(write_report("T", [({**record, "analysis": "other"}, items)]))
    assert "Layer fn1 answers most to a small relative change of b (0.500) and a (0.100)." in text
    assert "The first 2 components together explain 37.5 % of the variance of the data." in text
    assert "Trained on all: 81 % (standard deviation 1.41 %) of the test rows are classified correctly (2 " in text
    assert "Trained on most important: 79.5 % of the test rows are classified correctly (1 training)." in text


def test_that_a_report_needs_neither_plots_nor_cards_nor_items(record: dict[str, Any]) -> None:
    bare = {"id": "x-0001", "analysis": "somebodys_plugin", "state": "succeeded"}
    text, tags = read(write_report("T", [(bare, {}), (record, {})]))
    assert "The analysis “somebodys_plugin” (revision 1) was run on" in text
    assert not [tag for tag, _ in tags if tag == "img"]


@pytest.mark.parametrize("analysis", ["pca", "feature_subset", "first_layer_sensitivity", "other"])
def test_that_every_analysis_has_a_paragraph(record: dict[str, Any], analysis: str) -> None:
    text, _ = read(write_report("T", [({**record, "analysis": analysis}, {})]))
    assert "How it was computed" in text
    assert "Pima" in text


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({"target": "auto", "components": 4}, "was made of the rows of class 1 in “Pima” (768 rows)"),
        ({"target": "all", "rows": "0-699"}, "was made of rows 0-699 of “Pima” (768 rows)"),
        ({"target": 0}, "of class 0 in"),
    ],
)
def test_that_a_pca_names_its_rows(record: dict[str, Any], parameters: dict[str, Any], wanted: str) -> None:
    told = {**record, "analysis": "pca", "parameters": parameters}
    assert wanted in read(write_report("T", [(told, {})], datasets={"dataset-0001": DATA}))[0]


def test_that_a_training_is_described(record: dict[str, Any]) -> None:
    trained = {
        **record,
        "kind": "training",
        "analysis": "training",
        "parameters": {"architecture": "mlp", "options": {}, "recipe": {"epochs": 20, "learning_rate": 0.01}},
    }
    text, _ = read(write_report("T", [(trained, {})]))
    assert "A network of architecture mlp was trained on “Pima” (epochs: 20; learning_rate: 0.01), seed 7." in text


def test_that_a_failed_run_says_why(record: dict[str, Any]) -> None:
    text, _ = read(write_report("T", [({**record, "state": "failed", "message": "The disk is full."}, {})]))
    assert "This run failed. The disk is full." in text


def test_that_a_figure_that_can_not_be_drawn_is_said_to_be_missing(runs: Any) -> None:
    def refuse(item: Item, path: Path, anatomy: Anatomy | None) -> None:
        raise UserError("No fonts are installed.")

    text, _ = read(write_report("T", runs, None, refuse))
    assert text.count("The figure could not be drawn: No fonts are installed.") == 3
    assert "Second-order indices" in text


def test_that_long_tables_are_cut_and_say_so(record: dict[str, Any]) -> None:
    frame = pd.DataFrame({"layer": "fn1", "factor": [f"f{i}" for i in range(100)], "value": np.arange(100.0)})
    table = IndexTable(title="Relative", frame=frame, keys=("layer", "factor"), values=("value",), units={"value": "%"})
    text, _ = read(write_report("T", [({**record, "analysis": "other"}, {"relative": table})]))
    assert "The first 40 of 100 rows; all of them are in the CSV export." in text
    assert "layer: fn1" in text
    assert "value (%)" in text
    assert " f99 " in text
    assert " f0 " not in text


def test_that_regions_come_by_rank_within_each_map_and_what_has_none_last(record: dict[str, Any]) -> None:
    frame = pd.DataFrame(
        {
            "map": ["A"] * 4 + ["B"] * 3,
            "region": ["outside", "a2", "a1", "a3", "b1", "b3", "b2"],
            "density": [0.9, 0.2, 0.5, 0.1, 0.7, 0.3, 0.4],
            "share_of_map": [0.9, 0.5, 0.1, 0.4, 0.2, 0.3, 0.5],
            "rank": [0, 2, 1, 3, 1, 3, 2],
        }
    )
    item = IndexTable(title="Regions", frame=frame, keys=("map", "region"), values=("density", "share_of_map"))
    table = report_table(item)
    assert table is not None
    assert [row[1] for row in table.rows] == ["a1", "a2", "a3", "outside", "b1", "b2", "b3"]


def test_that_missing_numbers_and_large_matrices_are_handled(record: dict[str, Any]) -> None:
    frame = pd.DataFrame({"output": ["c"], "factor": ["a"], "S1": [np.nan], "ST": [np.nan]})
    items: dict[str, Item] = {
        "first_total": IndexTable(title="I", frame=frame, keys=("output", "factor"), values=("S1", "ST")),
        "small": Matrix(title="Small", values=np.array([[1e-9, -0.5]]), rows=("r",), columns=("a", "b")),
        "large": Matrix(title="Large", values=np.zeros((50, 50)), rows=("r",) * 50, columns=("c",) * 50),
    }
    text, _ = read(write_report("T", [(record, items)]))
    assert "c: no index could be computed, because the output does not vary." in text
    assert "1.00×10⁻⁹" in text
    assert "−0.500" in text


def test_that_a_cohort_is_described_by_its_grid_and_hundreds_of_hashes_are_cut(record: dict[str, Any]) -> None:
    extra = {
        "shape": [61, 73, 61], "spacing": [3.0, 3.0, 3.5], "orientation": "LAS", "space": "mni",
        "subjects": ["a", "a", "b"], "grids": [{}],
    }  # fmt: skip
    card = DatasetCard(name="heads", kind="volumes", n_rows=3, target="sex", class_counts={"F": 1, "M": 2}, extra=extra)
    hashes = {"dataset": [f"{k:064x}" for k in range(300)]}
    told = {**record, "fingerprints": hashes}
    text, _ = read(write_report("T", [(told, {})], datasets={"dataset-0001": card}))
    for words in ("Volumes3", "Subjects2", "61 x 73 x 61 voxels of 3 x 3 x 3.5 mm", "LAS", "MNI152", "M: 2 (66.7 %)"):
        assert words in text
    assert "Rows3" not in text
    assert "and 296 more, in the run's record" in text
    mixed = card.model_copy(update={"extra": {**extra, "shape": None, "grids": [{}, {}], "space": "unknown"}})
    text, _ = read(write_report("T", [(told, {})], datasets={"dataset-0001": mixed}))
    assert "2 different grids" in text
    assert "unknown" not in text


@pytest.mark.parametrize(
    ("analysis", "parameters", "words"),
    [
        ("grad_cam", {"layer": "block2"}, "Grad-CAM maps [1] of"),
        ("grad_cam", {"variant": "grad_cam_plus_plus"}, "Chattopadhay, A."),
        ("grad_cam", {"relu": False}, "negative values kept, linearly interpolated to the input's grid."),
        ("grad_cam_pp", {}, "Grad-CAM++ maps [1] of"),
        (
            "integrated_gradients",
            {"baseline": "noise", "samples": 7},
            "(noise, the mean over 7 of them) to the input",
        ),
        ("saliency", {}, "the size of the gradient of the score with respect to each voxel, were computed"),
        (
            "saliency",
            {"absolute": False, "times_input": True},
            "the gradient of the score with respect to each voxel",
        ),
        ("saliency", {"samples": 20, "sigma": 0.1}, "20 copies of the input with Gaussian noise of 0.1"),
        ("resampling", {"template": "mni152_1mm", "spacing": 4.0}, "resampled to mni152_1mm with voxels of 4 mm"),
        ("mask_optimization", {"group": True}, "HAL hal-03365775"),
    ],
)
def test_that_the_methods_of_maps_are_those_of_the_run(
    record: dict[str, Any], analysis: str, parameters: dict[str, Any], words: str
) -> None:
    card = DatasetCard(name="heads", kind="volumes", n_rows=3)
    told = {**record, "analysis": analysis, "parameters": parameters}
    text, _ = read(write_report("T", [(told, {})], datasets={"dataset-0001": card}))
    assert words in text
    assert "(3 volumes)" in text
    assert ("Smilkov" in text) == (analysis == "saliency" and "samples" in parameters)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"p_corr": 0.5, "position": 0.9, "drawings": 3}, "digit colour 0.5, background colour 0.5 and position 0.9"),
        ({"drawings": 1}, "nine places, once each for training"),
        ({"mnist": "/data/mnist"}, "Proceedings of the IEEE 86"),
        ({}, "arXiv:2104.00170"),
    ],
)
def test_that_the_methods_of_biased_digits_tell_what_was_planted(
    record: dict[str, Any], parameters: dict[str, Any], words: str
) -> None:
    told = {**record, "kind": "preparation", "analysis": "biased_digits", "parameters": parameters}
    text, _ = read(write_report("T", [(told, {})]))
    assert words in text
    assert ("UCI Machine Learning Repository" in text) == ("mnist" not in parameters)


def test_that_a_figure_of_many_bars_shows_the_largest_and_says_so(record: dict[str, Any]) -> None:
    size = np.arange(84.0)[::-1] / 100
    size[50] = -2.0
    frame = pd.DataFrame({"region": [f"region {k}" for k in range(84)], "density": size})
    remarks = (Remark(50, "density", "x", "Fifty."), Remark(60, "density", "x", "Sixty."))
    table = IndexTable(title="Regions", frame=frame, keys=("region",), values=("density",), remarks=remarks)
    drawn: list[IndexTable] = []

    def draw(item: Item, path: Path, anatomy: Anatomy | None) -> None:
        assert isinstance(item, IndexTable)
        drawn.append(item)
        path.write_text("<svg/>")

    text, _ = read(write_report("T", [(record, {"regions": table})], None, draw))
    assert list(drawn[0].frame["region"]) == [f"region {k}" for k in (*range(29), 50)]
    assert [(remark.row, remark.sentence) for remark in drawn[0].remarks] == [(29, "Fifty.")]
    assert "The figure shows the 30 largest of 84 by density." in text
    assert "The first 40 of 84 rows" in text


def test_that_maps_that_lost_their_volume_are_said_among_the_warnings(runs: Any) -> None:
    anatomy = Anatomy(None, {}, deleted=True)

    def draw(item: Item, path: Path, below: Anatomy | None) -> None:
        assert below in (anatomy, None)
        if below is not None:
            below.below(FieldMap(title="Map", values=np.ones((2, 2, 2)), axes=("z", "y", "x")), ())

    text, _ = read(write_report("T", runs, None, draw, anatomies={str(runs[0][0]["id"]): anatomy}))
    assert text.count(anatomy.sentences[0]) == 1


def test_that_a_report_that_can_not_be_written_says_so(runs: Any, tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(UserError, match="A folder is in the way of the file"):
        write_report("T", runs, tmp_path / "report.html")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file, so it can't be the folder"):
        write_report("T", runs, tmp_path / "file" / "report.html")


def test_that_a_thousand_classes_are_not_printed_one_by_one() -> None:
    names = tuple(f"class {number}" for number in range(1000))
    facts = dict(facts_of_model(ModelCard(name="net", emits="logit", output_names=names, class_names=names)))
    assert "Outputs" not in facts  # they are the classes
    assert facts["Classes"].startswith("class 0, class 1, ")
    assert facts["Classes"].endswith("class 29 and 970 more")
    card = DatasetCard(name="pictures", kind="images", n_rows=2000, class_counts=dict.fromkeys(names, 2))
    told = dict(facts_of_dataset(card))
    assert told["Images"] == "2,000"
    assert told["Classes"].endswith("; and 970 more")


IMAGES = DatasetCard(name="Frames", kind="images", n_rows=604, target="class")


@pytest.mark.parametrize(
    ("analysis", "parameters", "wanted"),
    [
        ("classification", {"images": "split=test"}, "(604 images), images split=test; the class of the largest"),
        ("local_sensitivity", {"perturbation": "derivative", "layers": ["block1", "block2"], "cell": 8},
         "each block (block1 and block2)"),
        ("local_sensitivity", {"perturbation": "fixed", "delta": 0.2, "scale": "authors", "every": 2},
         "The change was d = 0.2, of pixels brought to [-1, 1], as published. One pixel in 2 was changed"),
        ("activation_maximization", {"start": "cross", "steps": 500, "step_size": 0.1, "tv_weight": 0.1,
                                     "clamp": "authors", "jitter": 2, "normalise": True},
         "500 steps of 0.1 times the gradient of the activation divided by its root mean square"),
        ("activation_maximization", {"layer": "block5", "target": 3}, "the activation in layer block5 of 3"),
        ("grad_cam", {"images": "0-9", "layer": "block4"}, "images 0-9 at the layer block4"),
        ("occlusion", {"window": 32, "stride": 0, "fill": "mean"}, "a window of 32 pixels, moved by half of it,"),
        ("comparison", {"runs": ["a", "b"], "steps": 20, "cell": 16}, "Maps of 2 runs"),
        ("sanity", {"runs": ["a"]}, "parts were deleted and inserted"),
    ],
)  # fmt: skip
def test_that_paragraphs_of_image_analyses_tell_their_choices(
    record: dict[str, Any], analysis: str, parameters: dict[str, Any], wanted: str
) -> None:
    told = {**record, "analysis": analysis, "parameters": parameters}
    text, _ = read(write_report("T", [(told, {})], datasets={"dataset-0001": IMAGES}, models={"model-0001": NET}))
    assert wanted in text
    assert not re.search(r"\[[a-z]+\d{4}", text)  # every work that is cited is known
    assert "Its parameters are listed below" not in text


def test_that_the_factors_of_a_screening_come_by_their_effect() -> None:
    rows = [("a", "x", 0.1, 9.0), ("a", "y", 0.3, 1.0), ("b", "x", 0.9, 0.0), ("b", "y", 0.2, 5.0)]
    frame = pd.DataFrame(rows, columns=["image", "factor", "mu_star", "sigma"])
    item = IndexTable(title="S", frame=frame, keys=("image", "factor"), values=("mu_star", "sigma"), plot="screening")
    table = report_table(item)
    assert table is not None
    assert [row[:2] for row in table.rows] == [("a", "y"), ("a", "x"), ("b", "x"), ("b", "y")]
