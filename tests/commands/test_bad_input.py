"""Wrong input ends in a sentence on stderr and exit code 1 (3 in a job); nothing is lost, no traceback is seen."""

from __future__ import annotations

import io
import os
import pickle  # noqa: TID251 - a test must make the file that SensiView refuses
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.commands.conftest import SAMPLE, Answer, Command


def _refused(answer: Answer, *words: str) -> None:
    assert answer.code == 1, (answer.code, answer.out, answer.err)
    assert "Traceback" not in answer.err + answer.out
    assert "does not know" not in answer.err  # the last line of defence is no answer
    for word in words:
        assert word.lower() in answer.err.lower(), (word, answer.err)


@pytest.fixture
def empty_project(sensiview: Command, tmp_path: Path) -> Path:
    folder = tmp_path / "empty.sensiview"
    assert sensiview("new", folder).code == 0
    return folder


CSV = {
    "empty.csv": (b"", "empty"),
    "one_column.csv": (b"a\n1\n2\n3\n", "column"),
    "duplicates.csv": (b"a,b,a\n1,2,3\n4,5,6\n", "a"),
    "page.csv": (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "ragged.csv": (b"a,b\n1,2\n3,4,5\n6,7\n", "3"),
    "binary.csv": (bytes(range(256)) * 40, ""),
}


@pytest.mark.parametrize("name", CSV)
def test_that_a_table_that_is_none_is_refused(
    sensiview: Command, empty_project: Path, tmp_path: Path, name: str
) -> None:
    content, word = CSV[name]
    (tmp_path / name).write_bytes(content)
    _refused(sensiview("add-dataset", empty_project, tmp_path / name), word)
    assert sensiview("check", empty_project).code == 0


def test_that_text_in_a_number_column_is_named(sensiview: Command, empty_project: Path, tmp_path: Path) -> None:
    rows = "".join(f"{i},{i * 2},{i % 2}\n" for i in range(50))
    (tmp_path / "text.csv").write_text(f"age,dose,ill\n{rows}51,twelve,1\n")
    answer = sensiview("add-dataset", empty_project, tmp_path / "text.csv", "--target", "ill")
    assert "dose" in answer.err
    assert "twelve" in answer.err
    assert "Traceback" not in answer.err


def test_that_an_unknown_target_column_is_refused(sensiview: Command, empty_project: Path) -> None:
    _refused(sensiview("add-dataset", empty_project, SAMPLE, "--target", "Outcom"), "Outcom", "'Outcome'")


def test_that_a_missing_file_is_refused(sensiview: Command, empty_project: Path, tmp_path: Path) -> None:
    _refused(sensiview("add-dataset", empty_project, tmp_path / "nowhere.csv"), "nowhere.csv")


class _Harm:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


def _weights(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.pth"
    if kind == "other_network":
        torch.save(torch.nn.Linear(3, 2).state_dict(), path)
    elif kind == "pickled_module":
        torch.save(torch.nn.Linear(3, 2), path)
    elif kind == "truncated":
        buffer = io.BytesIO()
        torch.save(torch.nn.Linear(300, 200).state_dict(), buffer)
        path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    elif kind == "html":
        path.write_text("<html><body>Please sign in</body></html>")
    elif kind == "malicious":
        path.write_bytes(pickle.dumps({"fn1.weight": _Harm(folder / "harmed")}))
    elif kind == "malicious_zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", pickle.dumps(_Harm(folder / "harmed")))
            archive.writestr("archive/version", "3\n")
    elif kind == "empty":
        path.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    "kind",
    ["other_network", "pickled_module", "truncated", "html", "malicious", "malicious_zip", "empty", "absent"],
)
def test_that_weights_that_can_not_be_used_are_refused_and_run_nothing(
    sensiview: Command, empty_project: Path, tmp_path: Path, kind: str
) -> None:
    path = _weights(kind, tmp_path)
    _refused(sensiview("add-model", empty_project, "--architecture", "diabetes_net", "--weights", path))
    assert not (tmp_path / "harmed").exists()
    assert sensiview("runs", empty_project, "--json").json["runs"] == []


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (["n=1000"], ["power of two", "512"]),
        (["n=0"], ["n"]),
        (['bounds={"Glucose": [199, 0]}'], ["Glucose"]),
        (['bounds={"Glucose": [10, 10]}'], ["Glucose"]),
        (['bounds={"Glukose": [0, 10]}'], ["Glukose", "'Glucose'"]),
        (["output=fn9"], ["fn9"]),
        (["resample=10"], ["resample", "'resamples'"]),
        (["n=viele"], ["n"]),
        (["confidence=1.5"], ["confidence"]),
        (["rows=0-9999"], ["rows"]),
        (["target=Tuesday"], ["Tuesday"]),
        (['distributions={"Glucose": "cauchy"}'], ["cauchy"]),
        (['groups={"Glukose": "sugar"}'], ["Glukose"]),
    ],
)
def test_that_wrong_parameters_are_named(
    sensiview: Command, project: Path, parameters: list[str], words: list[str]
) -> None:
    arguments = [part for value in parameters for part in ("-p", value)]
    _refused(sensiview("run", project, "sobol", *arguments), *words)


def test_that_unknown_names_are_answered_with_the_nearest(sensiview: Command, project: Path) -> None:
    _refused(sensiview("run", project, "sobl"), "'sobol'")
    _refused(sensiview("run", project, "sobol", "--dataset", "patient"), "'patients'")
    _refused(sensiview("run", project, "sobol", "--model", "nett"), "'net'")
    _refused(sensiview("show", project, "sobol-0009"), "sobol-0009")
    _refused(sensiview("run", project, "sobol", "--device", "cuda:7"), "cuda:7")
    _refused(sensiview("run", project, "sobol", "--seed", "0"), "seed")


def test_that_a_folder_that_is_no_project_is_refused(sensiview: Command, tmp_path: Path) -> None:
    _refused(sensiview("runs", tmp_path))
    _refused(sensiview("runs", tmp_path / "absent.sensiview"))
    _refused(sensiview("runs", SAMPLE))


def test_that_a_damaged_database_is_refused_and_comes_back(sensiview: Command, project: Path) -> None:
    database = project / "project.sqlite"
    for leftover in project.glob("project.sqlite-*"):
        leftover.unlink()
    database.write_bytes(b"not a database" * 500)
    _refused(sensiview("runs", project), "damaged")
    restored = sensiview("check", project, "--restore")
    assert restored.code == 0, restored.err
    assert len(sensiview("runs", project, "--json").json["runs"]) == 1


def test_that_changed_data_stop_the_run(sensiview: Command, empty_project: Path, tmp_path: Path) -> None:
    table = tmp_path / "patients.csv"
    table.write_bytes(SAMPLE.read_bytes())
    assert sensiview("add-dataset", empty_project, table, "--target", "Outcome").code == 0
    table.write_bytes(SAMPLE.read_bytes()[:-20])
    # Files are opened by the job: what it finds there is a failed job, not a wrong command.
    answer = sensiview("run", empty_project, "pca")
    assert (answer.code, "changed" in answer.err) == (3, True), answer.err
    table.unlink()
    answer = sensiview("run", empty_project, "pca")
    assert (answer.code, "patients.csv was moved or deleted" in answer.err) == (3, True), answer.err


def test_that_a_mistyped_command_is_answered_with_the_nearest(sensiview: Command) -> None:
    _refused(sensiview("analises"), "'analyses'")
    _refused(sensiview("nowhere/at_all.sensiview"), "nowhere")


def test_that_wrong_usage_exits_with_two(sensiview: Command, tmp_path: Path) -> None:
    assert sensiview("run").code == 2
    assert sensiview("demo", "unknown").code == 2
    assert sensiview("add-model", tmp_path).code == 2
