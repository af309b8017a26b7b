"""Plugins that bring architectures, partitions and generators, alone or beside analyses."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensiview.errors import UserError
from sensiview.plugin_loading import (
    discover,
    discover_architectures,
    discover_parts,
    trust_plugin,
)
from tests.plugins.written_plugins import found, write_plugin

ARCHITECTURE = """
from sensiview.models.architectures import Architecture

class Straight(Architecture):
    key, title, help = "KEY", "Straight line", "One linear layer."

    def build(self, options, input_shape, n_outputs):
        from torch import nn
        return nn.Linear(input_shape[0], n_outputs)
"""


def test_that_a_plugin_may_bring_only_an_architecture(user: Path) -> None:
    write_plugin(user, code=ARCHITECTURE, key="straight")
    trust_plugin("counting")
    assert "straight" in discover_architectures()
    assert list(discover_architectures())[:2] == ["diabetes_net", "mlp"]
    assert found().architectures == ("straight",)


def test_that_architectures_from_a_function_are_made_only_when_they_are_asked_for(user: Path, tmp_path: Path) -> None:
    said = tmp_path / "called"
    function = f"\ndef ARCHITECTURES():\n    open({str(said)!r}, 'w').close()\n    return [Straight]\n"
    write_plugin(user, code=ARCHITECTURE + function, key="straight")
    trust_plugin("counting")
    discover()
    assert not said.exists()
    assert discover_architectures()["straight"].title == "Straight line"
    assert said.exists()


def test_that_an_architecture_cannot_take_the_place_of_one_of_ours(user: Path) -> None:
    write_plugin(user, code=ARCHITECTURE, key="mlp")
    with pytest.raises(UserError, match="its architecture calls itself 'mlp'"):
        trust_plugin("counting")
    assert type(discover_architectures()["mlp"]).__name__ == "MultilayerPerceptron"


def test_that_something_else_in_the_list_of_architectures_is_a_sentence(user: Path) -> None:
    write_plugin(user, code="ARCHITECTURES = [3]")
    with pytest.raises(UserError, match="holds 3, which is no Architecture"):
        trust_plugin("counting")


PARTITION = '''
import numpy as np
from sensiview.datasets.generators import Generator, GeneratorFactor
from sensiview.numerics.screening.partition import Division, Partition

class Halves(Partition):
    """Left and right."""
    key, title = "KEY", "Halves"

    def divide(self, picture, options):
        halves = np.zeros(picture.shape, dtype=int)
        halves[:, picture.shape[1] // 2 :] = 1
        return Division.of(halves, ["left", "right"], picture)

class Brightness(Generator):
    """One colour."""
    key, title = "brightness", "Brightness"

    def factors(self, card):
        return (GeneratorFactor("brightness", 0.0, 1.0),)

    def own_values(self, images, index):
        return np.array([0.5])

    def generate(self, images, index, values):
        return np.broadcast_to(values[:, :, None, None], (len(values), 8, 8, 1)).astype("float32")
'''


def test_that_a_plugin_may_bring_only_partitions_and_generators(user: Path) -> None:
    write_plugin(user, code=PARTITION, key="halves")
    trust_plugin("counting")
    partitions, generators = discover_parts()
    assert (list(partitions), list(generators)) == (["halves"], ["brightness"])
    assert found().partitions == ("halves",)
    assert found().generators == ("brightness",)


def test_that_a_partition_cannot_take_the_place_of_one_of_ours(user: Path) -> None:
    write_plugin(user, code=PARTITION, key="grid")
    with pytest.raises(UserError, match="its partition calls itself 'grid'"):
        trust_plugin("counting")
    assert discover_parts() == ({}, {})


def test_that_a_partition_without_a_name_is_a_sentence(user: Path) -> None:
    write_plugin(user, code=PARTITION, key="Two Halves")
    with pytest.raises(UserError, match="The partition 'Halves' can't be used: it needs a 'key'"):
        trust_plugin("counting")
