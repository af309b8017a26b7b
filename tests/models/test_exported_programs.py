"""Exported programs: computed with, never trusted."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sensiview.errors import ModelError
from sensiview.models.card import ModelCard
from sensiview.models.evaluation import Evaluator
from sensiview.models.opening import inspect_model, open_network
from sensiview.models.programs import load_program

MODEL = "models/model.json"


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = OrderedDict(
        fn__1=nn.Linear(3, 4), bn=nn.BatchNorm1d(4), relu=nn.ReLU(), last=nn.Linear(4, 1), end=nn.Sigmoid()
    )
    return nn.Sequential(layers).eval()


def exported(
    path: Path, module: nn.Module | None = None, *, rows: int | None = None, shape: tuple[int, ...] = (3,)
) -> Path:
    sample = torch.rand(rows or 4, *shape)
    dynamic = None if rows else ({0: torch.export.Dim("rows")},)
    torch.export.save(torch.export.export(module or network(), (sample,), dynamic_shapes=dynamic), path)
    return path


def tampered(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    top = next(iter(content)).partition("/")[0]
    inner = {name.partition("/")[2]: data for name, data in content.items()}
    change(inner)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in inner.items():
            archive.writestr(f"{top}/{name}", data)
    return path


def in_json(name: str, change: Callable[[Any], None]) -> Callable[[dict[str, bytes]], None]:
    def apply(content: dict[str, bytes]) -> None:
        value = json.loads(content[name])
        change(value)
        content[name] = json.dumps(value).encode()

    return apply


@pytest.mark.parametrize("rows", [None, 1, 7])
def test_that_a_program_gives_the_numbers_of_its_network(tmp_path: Path, rows: int | None) -> None:
    path = exported(tmp_path / "p.pt2", rows=rows)
    source = SimpleNamespace(
        card=ModelCard(name="p", class_names=("no", "yes")), weights=None, program=SimpleNamespace(path=path)
    )
    source.card = inspect_model(source).card
    assert source.card.emits == "probability"
    assert source.card.input_shape == (3,)
    assert source.card.output_names == ("yes",)
    x = np.random.default_rng(0).normal(size=(50, 3))
    answer = Evaluator(open_network(source, device="cpu"), ["probability", "logit"], batch_size=20)(x)
    module = network()
    expected = module(torch.tensor(x, dtype=torch.float32)).detach()
    np.testing.assert_allclose(answer[:, :1], expected.numpy(), rtol=1e-5)
    np.testing.assert_allclose(answer[:, 1:], torch.logit(expected).numpy(), rtol=1e-4, atol=1e-5)
    notes = " ".join(source.card.notes)
    assert "hidden layers can't" in notes
    assert ("exactly" in notes) is (rows is not None)


def test_that_images_and_shape_arithmetic_are_understood(tmp_path: Path) -> None:
    class Folded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = nn.functional.gelu(self.conv(x), approximate="tanh")
            return self.last(x.reshape(x.shape[0] * 2, 2, -1).mean(2).reshape(x.shape[0], -1)).softmax(1)

    module = Folded().eval()
    program = load_program(exported(tmp_path / "p.pt2", module, shape=(3, 8, 6)))
    x = torch.rand(5, 3, 8, 6)
    assert program.input_shape == (3, 8, 6)
    assert program.fixed_rows is None
    torch.testing.assert_close(program(x), module(x))


def test_that_torchvision_networks_are_read(tmp_path: Path) -> None:
    from torchvision.models import squeezenet1_1

    module = squeezenet1_1(weights=None, num_classes=3).eval()
    program = load_program(exported(tmp_path / "p.pt2", module, shape=(3, 64, 64)))
    x = torch.rand(3, 3, 64, 64)
    torch.testing.assert_close(program(x), module(x), rtol=1e-4, atol=1e-5)


class Makes:
    """Would make a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def attacks(victim: Path) -> dict[str, Callable[[dict[str, bytes]], None]]:
    code = f"open({str(victim)!r}, 'w')"
    buffer = io.BytesIO()
    torch.save(Makes(victim), buffer)
    pickled = buffer.getvalue()

    def pickled_weight(content: dict[str, bytes]) -> None:
        content["data/weights/weight_0"] = pickled
        in_json(
            "data/weights/model_weights_config.json", lambda c: next(iter(c["config"].values())).update(use_pickle=True)
        )(content)

    def pickled_constant(content: dict[str, bytes]) -> None:
        content["data/constants/opaque_obj_0"] = pickled
        entry = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True, "tensor_meta": None}
        in_json("data/constants/model_constants_config.json", lambda c: c["config"].update(x=entry))(content)

    def expression(program: Any) -> None:
        sizes = program["graph_module"]["graph"]["tensor_values"]["input"]["sizes"]
        sizes[0]["as_expr"]["expr_str"] = code

    def dunder_expression(program: Any) -> None:
        sizes = program["graph_module"]["graph"]["tensor_values"]["input"]["sizes"]
        sizes[0]["as_expr"]["expr_str"] = f"Symbol.__class__.__base__.__subclasses__()[0]({str(victim)!r})"

    def guard(program: Any) -> None:
        program["guards_code"] = [code]

    def node_name(program: Any) -> None:
        program["graph_module"]["graph"]["nodes"][0]["name"] = f"x\n{code}\n"

    def argument_name(program: Any) -> None:
        signature = program["graph_module"]["module_call_graph"][0]["signature"]
        signature["forward_arg_names"] = [f"x={code}"]

    def operator(target: str) -> Callable[[Any], None]:
        return lambda program: program["graph_module"]["graph"]["nodes"][0].update(target=target)

    def container(program: Any) -> None:
        signature = program["graph_module"]["module_call_graph"][0]["signature"]
        spec = json.loads(signature["in_spec"])
        spec[1].update(type="collections.defaultdict", context=json.dumps(["antigravity", []]))
        signature["in_spec"] = json.dumps(spec)

    return {
        "example inputs": lambda c: c.update({"data/sample_inputs/model.pt": pickled}),
        "pickled weight": pickled_weight,
        "pickled constant": pickled_constant,
        "old weights": lambda c: c.update({"data/weights/model.pt": pickled}),
        "compiled code": lambda c: c.update({"data/aotinductor/model/x.so": b"\x7fELF"}),
        "second model": lambda c: c.update({"models/other.json": c[MODEL]}),
        "expression": in_json(MODEL, expression),
        "expression with attributes": in_json(MODEL, dunder_expression),
        "guard": in_json(MODEL, guard),
        "node name": in_json(MODEL, node_name),
        "argument name": in_json(MODEL, argument_name),
        "load operator": in_json(MODEL, operator("torch.load")),
        "file operator": in_json(MODEL, operator("torch.ops.aten.from_file.default")),
        "caller": in_json(MODEL, operator("_operator.methodcaller")),
        "system": in_json(MODEL, operator("torch.os.system")),
        "container": in_json(MODEL, container),
    }


@pytest.mark.parametrize("attack", attacks(Path("x")))
def test_that_a_program_made_to_run_code_runs_nothing(tmp_path: Path, attack: str) -> None:
    victim = tmp_path / "victim"
    path = tampered(exported(tmp_path / "p.pt2"), attacks(victim)[attack])
    if attack == "guard":
        # Dropped with everything else that is not needed: the rest is an honest program.
        assert load_program(path)(torch.rand(2, 3)).shape == (2, 1)
    else:
        with pytest.raises(ModelError) as caught:
            load_program(path)
        assert "Traceback" not in caught.value.sentence
        assert caught.value.sentence.endswith(".")
    assert not victim.exists()


def test_that_the_attacks_are_real(tmp_path: Path) -> None:
    """Torch's own reader runs at least the pickled tensor: otherwise the tests above would prove nothing."""
    victim = tmp_path / "victim"
    path = tampered(exported(tmp_path / "p.pt2"), attacks(victim)["pickled weight"])
    with pytest.raises(Exception):  # noqa: B017 - whatever it says, after it has run the code
        torch.export.load(path)
    assert victim.exists()


@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.BatchNorm1d(3)])
def test_that_a_program_exported_in_training_mode_is_refused(tmp_path: Path, layer: nn.Module) -> None:
    path = exported(tmp_path / "p.pt2", nn.Sequential(layer, nn.Linear(3, 1)).train())
    with pytest.raises(ModelError, match=r"model\.eval\(\)"):
        load_program(path)


def test_that_a_program_of_two_inputs_is_refused(tmp_path: Path) -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x + y

    torch.export.save(torch.export.export(Two(), (torch.ones(2, 3), torch.ones(2, 3))), tmp_path / "p.pt2")
    with pytest.raises(ModelError, match="2 inputs"):
        load_program(tmp_path / "p.pt2")


def test_that_files_that_are_no_programs_are_sentences(tmp_path: Path) -> None:
    good = exported(tmp_path / "good.pt2").read_bytes()
    files = {
        "cut.pt2": (good[: len(good) // 2], "cut off"),
        "empty.pt2": (b"", "no exported program"),
        "page.pt2": (b"<!doctype html>", "no exported program"),
    }
    for name, (content, words) in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match=words):
            load_program(tmp_path / name)
    torch.save(network().state_dict(), tmp_path / "w.pt2")
    with pytest.raises(ModelError, match="without an exported program"):
        load_program(tmp_path / "w.pt2")
    with pytest.raises(ModelError, match="There is no file"):
        load_program(tmp_path / "nowhere.pt2")
    with pytest.raises(ModelError, match="is a folder"):
        load_program(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("data/sample_inputs/model.pt"),
        lambda c: c.pop("data/weights/weight_0"),
        lambda c: c.update({MODEL: b"{}"}),
        lambda c: c.update({MODEL: b"[" * 100_000}),
        lambda c: c.update({"data/weights/weight_0": b""}),
        lambda c: c.update({"archive_version": b"99"}),
    ],
)
def test_that_a_damaged_program_is_a_sentence(tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with pytest.raises(ModelError) as caught:
        load_program(tampered(exported(tmp_path / "p.pt2"), change))
    assert "Traceback" not in caught.value.sentence
