"""A project on disk, made and used only through the commands, as a user's script would."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sensiview import assembly

SAMPLE = Path(__file__).resolve().parents[2] / "resources" / "samples" / "diabetes" / "diabetes.csv"


@dataclass
class Answer:
    """What a command gave back."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Answer]


@pytest.fixture
def sensiview(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process; returns exit code, stdout and stderr."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        try:
            code = assembly.run([str(a) for a in arguments])
        except SystemExit as exit_:  # argparse: wrong usage
            code = int(exit_.code or 0)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def project(sensiview: Command, tmp_path: Path) -> Path:
    """A project with the diabetes table and a network that was trained for a few epochs."""
    folder = tmp_path / "study.sensiview"
    assert sensiview("new", folder).code == 0
    added = sensiview("add-dataset", folder, SAMPLE, "--target", "Outcome", "--name", "patients")
    assert added.code == 0, added.err
    trained = sensiview(
        "train", folder, "--architecture", "diabetes_net", "--dataset", "patients", "--name", "net", "--epochs", "20"
    )
    assert trained.code == 0, trained.err
    return folder
