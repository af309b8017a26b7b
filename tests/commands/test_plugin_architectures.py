"""A user's own architecture from a plugin, on the command line: trusted, trained, explained, and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sensiview import locations
from tests.commands.conftest import Command
from tests.commands.test_volume_work import write_cohort

MANIFEST = {
    "name": "tiny3d", "title": "Tiny", "version": "1.0", "module": "tiny3d", "sensiview": "0.1", "licence": "MIT",
    "description": "Tiny.",
}  # fmt: skip
CODE = """
from sensiview.models.architectures import Architecture, ArchitectureOptions, option

class Options(ArchitectureOptions):
    width: int = option(3, label="Width", help="Channels.", ge=1)

class Tiny(Architecture):
    key, title, help, input_kind, Options = "tiny3d", "Tiny", "One convolution.", "volumes", Options

    def build(self, options, input_shape, n_outputs):
        from torch import nn
        layers = [nn.Conv3d(1, options.width, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool3d(4), nn.Flatten()]
        return nn.Sequential(*layers, nn.Linear(options.width * 4 * 4 * 3, n_outputs))

def ARCHITECTURES():
    return [Tiny()]
"""


def write(code: str) -> None:
    folder = locations.user_plugins() / "tiny3d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plugin.toml").write_text("\n".join(f"{key} = {json.dumps(value)}" for key, value in MANIFEST.items()))
    (folder / "tiny3d.py").write_text(code)


@pytest.fixture
def project(sensiview: Command, tmp_path: Path) -> Path:
    path = tmp_path / "brains.sensiview"
    assert sensiview("new", path).code == 0
    folder = write_cohort(tmp_path / "bids", 8)
    assert sensiview("add-dataset", path, folder, "--target", "diagnosis", "--name", "cohort").code == 0
    return path


def train(sensiview: Command, project: Path, *more: str) -> tuple[int, str]:
    answer = sensiview(
        "train", project, "--architecture", "tiny3d", "--dataset", "cohort", "--name", "net", "--epochs", "2", *more
    )
    return answer.code, answer.err


def test_that_a_plugins_architecture_is_trained_and_explained_once_it_is_agreed_to(
    sensiview: Command, project: Path
) -> None:
    write(CODE)
    code, said = train(sensiview, project)
    assert code == 1
    assert "There is no architecture 'tiny3d'." in said
    assert "Plugins that are not loaded may bring it: tiny3d; see 'sensiview plugins'." in said
    assert sensiview("runs", project, "--json").json["runs"] == []
    assert sensiview("plugins", "trust", "tiny3d").code == 0
    code, said = train(sensiview, project, "--option", "width=0")
    assert (code, said.startswith("width: ")) == (1, True)
    assert sensiview("runs", project, "--json").json["runs"] == []
    code, said = train(sensiview, project)
    assert code == 0, said
    for key, *parameters in (
        ("mask_optimization", "steps=2", "subjects=diagnosis=patient"),
        ("grad_cam", "subjects=0"),
        ("saliency", "subjects=0"),
        ("occlusion", "subjects=0", "window=8", "stride=8", "unit=voxels"),
    ):
        given = [word for parameter in parameters for word in ("-p", parameter)]
        answer = sensiview("run", project, key, "--dataset", "cohort", "--model", "net", *given, "--json")
        assert answer.code == 0, answer.err


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no idea')", "can't build a network for inputs of shape (1, 16, 18, 14) and 2 outputs"),
        ("return None", "gives a NoneType where a torch.nn.Module belongs"),
    ],
)
def test_that_an_architecture_that_can_not_be_built_is_a_sentence(
    sensiview: Command, project: Path, body: str, said: str
) -> None:
    head, _, _ = CODE.partition("        from torch import nn")
    write(f"{head}        {body}\n\ndef ARCHITECTURES():\n    return [Tiny()]\n")
    assert sensiview("plugins", "trust", "tiny3d").code == 0
    _, told = train(sensiview, project)
    assert said in told
    assert "Traceback" not in told


def test_that_the_traceback_of_a_broken_plugin_goes_to_the_log(sensiview: Command, project: Path) -> None:
    write("syntax error(\n")
    answer = sensiview("plugins", "trust", "tiny3d")
    assert answer.code == 1
    assert "can't be used" in answer.err
    assert "Traceback" not in answer.err
    assert answer.err.count("\n") == 1
    assert "SyntaxError" in locations.log_file().read_text()
