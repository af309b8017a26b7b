"""Weights in and out: what fits is taken, anything else is a sentence, and nothing in a file ever runs."""

from __future__ import annotations

import argparse
import collections
import contextlib
import datetime
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from sensiview.errors import ModelError
from sensiview.models.weights import load_weights, read_state, save_weights


class Net(nn.Module):
    def __init__(self, hidden: int = 4, prefix: bool = False) -> None:
        super().__init__()
        self.first = nn.Linear(3, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.last = nn.Linear(hidden, 2)


class Runs:
    """Would make a file when it is unpickled."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> Any:
        return self.call, self.arguments


def state_of(seed: int = 0, **known: Any) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    return Net(**known).state_dict()


def assert_loaded(module: nn.Module, state: dict[str, torch.Tensor]) -> None:
    for key, value in module.state_dict().items():
        assert torch.equal(value, state[key].to(value.dtype)), key


def refusal(path: Path, module: nn.Module | None = None) -> str:
    module = module or Net()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    with pytest.raises(ModelError) as caught:
        load_weights(module, path)
    assert_loaded(module, before)
    sentence = caught.value.sentence
    assert "Traceback" not in sentence
    assert len(sentence) < 600
    assert sentence.endswith((".", "?", ")"))
    return sentence


@pytest.mark.parametrize("legacy", [False, True])
def test_that_a_state_dict_is_loaded(tmp_path: Path, legacy: bool) -> None:
    state = state_of()
    torch.save(state, tmp_path / "w.pth", _use_new_zipfile_serialization=not legacy)
    module = Net()
    report = load_weights(module, tmp_path / "w.pth")
    assert_loaded(module, state)
    assert report.fits
    assert report.matched == tuple(state)
    assert report.notes == ()


def test_that_safetensors_are_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "Gewichte (größer).safetensors"
    module = Net()
    save_weights(module, path)
    other = Net()
    load_weights(other, path)
    assert_loaded(other, module.state_dict())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_that_tied_and_transposed_weights_can_be_saved(tmp_path: Path) -> None:
    weight = torch.rand(3, 2)
    save_weights({"a": weight.T, "b": weight, "c": weight.bfloat16(), "d": torch.tensor(3)}, tmp_path / "w.safetensors")
    back, _ = read_state(tmp_path / "w.safetensors")
    assert torch.equal(back["a"], weight.T)
    assert back["c"].dtype is torch.bfloat16
    assert back["d"] == 3


def test_that_a_file_that_can_not_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights({"a": torch.ones(1)}, path)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelError, match="No space left on device"):
        save_weights({"a": torch.zeros(5)}, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_that_the_weights_of_a_checkpoint_are_found(tmp_path: Path, key: str) -> None:
    state = state_of()
    optimiser = torch.optim.Adam(Net().parameters()).state_dict()
    torch.save({"epoch": 3, key: state, "optimizer": optimiser}, tmp_path / "c.pt")
    module = Net()
    report = load_weights(module, tmp_path / "c.pt")
    assert_loaded(module, state)
    assert f"its entry '{key}' beside epoch, optimizer" in report.notes[0]


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "model.", "module.net."])
def test_that_what_wrappers_put_before_the_keys_is_taken_off_and_said(tmp_path: Path, prefix: str) -> None:
    state = state_of()
    torch.save({prefix + key: value for key, value in state.items()}, tmp_path / "w.pth")
    module = Net()
    report = load_weights(module, tmp_path / "w.pth")
    assert_loaded(module, state)
    assert "taken off every key" in report.notes[0]


def test_that_a_network_with_a_part_called_module_keeps_its_keys(tmp_path: Path) -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.module = Net()

    module = Wrapped()
    torch.save(module.state_dict(), tmp_path / "w.pth")
    assert load_weights(Wrapped(), tmp_path / "w.pth").notes == ()


def test_that_numpy_numbers_dates_paths_and_settings_beside_the_weights_do_no_harm(tmp_path: Path) -> None:
    state = state_of()
    extras = {
        "accuracy": np.float64(0.8),
        "steps": np.int64(4),
        "mean": np.ones(3),
        "when": datetime.datetime(2026, 1, 1),
        "settings": argparse.Namespace(lr=0.1, path=Path("/tmp/x")),
        "history": collections.defaultdict(list, {"loss": [1.0]}),
    }
    torch.save({**extras, "state_dict": state}, tmp_path / "c.pth")
    module = Net()
    load_weights(module, tmp_path / "c.pth")
    assert_loaded(module, state)


def test_that_the_stand_ins_are_gone_after_reading(tmp_path: Path) -> None:
    torch.save({"accuracy": np.float64(0.8), "state_dict": state_of()}, tmp_path / "c.pth")
    before = set(torch.serialization.get_safe_globals())
    read_state(tmp_path / "c.pth")
    assert set(torch.serialization.get_safe_globals()) == before


def test_that_half_precision_is_widened_and_float64_kept(tmp_path: Path) -> None:
    for dtype, words in ((torch.float16, "float16 in the file"), (torch.float64, "computes in float64")):
        state = {key: value.to(dtype) if value.is_floating_point() else value for key, value in state_of().items()}
        torch.save(state, tmp_path / "w.pth")
        module = Net()
        report = load_weights(module, tmp_path / "w.pth")
        assert words in report.notes[0]
        assert_loaded(module, state)
        assert module.first.weight.dtype is (torch.float64 if dtype is torch.float64 else torch.float32)


def test_that_counters_of_batch_norm_may_be_missing(tmp_path: Path) -> None:
    state = state_of()
    del state["norm.num_batches_tracked"]
    save_weights(state, tmp_path / "w.safetensors")
    assert load_weights(Net(), tmp_path / "w.safetensors").fits


def test_that_nan_in_the_weights_is_a_warning(tmp_path: Path) -> None:
    state = state_of()
    state["last.bias"][0] = float("nan")
    state["first.weight"][0, 0] = float("inf")
    torch.save(state, tmp_path / "w.pth")
    report = load_weights(Net(), tmp_path / "w.pth")
    assert "2 of 8 tensors hold NaN or infinite values (first: first.weight)" in report.notes[0]


def test_that_weights_of_another_network_come_with_the_table_of_keys(tmp_path: Path) -> None:
    torch.save(nn.Sequential(nn.Conv2d(1, 1, 3)).state_dict(), tmp_path / "other.pth")
    with pytest.raises(ModelError) as caught:
        load_weights(Net(), tmp_path / "other.pth")
    assert "weights of another network" in caught.value.sentence
    assert "8 of the network's 8" not in caught.value.sentence or "missing" in caught.value.sentence
    for words in ("first.weight", "missing in the file", "(4, 3)", "0.weight", "not in the network", "(1, 1, 3, 3)"):
        assert words in caught.value.details


def test_that_other_sizes_say_which_and_what_to_set(tmp_path: Path) -> None:
    torch.save(state_of(hidden=7), tmp_path / "wide.pth")
    sentence = refusal(tmp_path / "wide.pth")
    assert "first.weight is (7, 3) in the file and (4, 3) in the network" in sentence
    assert "options" in sentence


def test_that_the_table_lists_what_is_wrong_first(tmp_path: Path) -> None:
    state = state_of()
    state["extra"] = state.pop("last.bias")
    state["first.bias"] = torch.zeros(9)
    torch.save(state, tmp_path / "w.pth")
    from sensiview.models.key_report import compare

    report = compare(Net().state_dict(), state)
    assert report.rows()[:3] == [
        ("first.bias", "other shape", "(9)", "(4)"),
        ("last.bias", "missing in the file", "", "(2)"),
        ("extra", "not in the network", "(2)", ""),
    ]
    assert not report.fits


def test_that_quantised_weights_are_refused(tmp_path: Path) -> None:
    state = state_of()
    state["first.weight"] = torch.ones(4, 3, dtype=torch.int8)
    torch.save(state, tmp_path / "w.pth")
    assert "int8" in refusal(tmp_path / "w.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_that_a_pickled_module_is_refused_with_the_way_out(tmp_path: Path, legacy: bool) -> None:
    torch.save(Net(), tmp_path / "whole.pt", _use_new_zipfile_serialization=not legacy)
    sentence = refusal(tmp_path / "whole.pt")
    assert "probably a whole model instead of its weights" in sentence
    assert "Net" in sentence
    assert "torch.save(model.state_dict(), 'weights.pth')" in sentence


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("place", ["alone", "beside", "as a stand-in's argument"])
def test_that_a_malicious_pickle_executes_nothing(tmp_path: Path, legacy: bool, place: str) -> None:
    victim = tmp_path / "victim"
    for number, (call, arguments) in enumerate(
        [
            (os.system, (f"touch {victim}",)),
            (eval, (f"open({str(victim)!r}, 'w')",)),
            (exec, (f"open({str(victim)!r}, 'w')",)),
            (os.makedirs, (str(victim),)),
            (open, (str(victim), "w")),
        ]
    ):
        evil = Runs(call, *arguments)
        content = {
            "alone": evil,
            "beside": {"state_dict": state_of(), "x": evil},
            "as a stand-in's argument": {"state_dict": state_of(), "x": argparse.Namespace(a=evil)},
        }[place]
        path = tmp_path / f"{number}.pth"
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        sentence = refusal(path)
        assert "Nothing was executed" in sentence or "it was not read" in sentence
        assert not victim.exists()


def test_that_plain_pickles_are_refused_unread(tmp_path: Path) -> None:
    import pickle  # noqa: TID251 - to write what must be refused

    victim = tmp_path / "victim"
    for protocol in range(6):
        path = tmp_path / f"p{protocol}.pth"
        path.write_bytes(pickle.dumps(Runs(os.system, f"touch {victim}"), protocol=protocol))
        refusal(path)
        assert not victim.exists()
    (tmp_path / "list.pth").write_bytes(pickle.dumps([1, 2, 3]))
    assert "can't be read as PyTorch weights" in refusal(tmp_path / "list.pth")


def html() -> bytes:
    return b"\n\n<!DOCTYPE html><html><head><title>Sign in</title></head></html>"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (html(), "web page"),
        ("\ufeff<html>".encode(), "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n", "Git LFS pointer"),
        ("epoch;Verlust\n1;0,5\nüß\n".encode(), "text file"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 50, "HDF5"),
        (b"\x1f\x8b\x08" + b"\0" * 50, "gzip"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (bytes(range(256)) * 9, "can't be read as PyTorch weights"),
        (b"PK\x03\x04" + b"\0" * 200, "cut off or damaged"),
    ],
)
def test_that_what_is_no_file_of_weights_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    assert words in refusal(path)


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_that_a_file_cut_off_anywhere_is_a_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    if kind == "safetensors":
        save_weights(state_of(), path)
    else:
        torch.save(state_of(), path, _use_new_zipfile_serialization=kind == "zip")
    whole = path.read_bytes()
    for length in (1, 7, 9, 40, len(whole) // 3, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        sentence = refusal(path)
        assert any(words in sentence for words in ("cut off", "damaged", "text file")), (length, sentence)


def test_that_every_flipped_byte_is_survived(tmp_path: Path) -> None:
    torch.save(state_of(), tmp_path / "w.pth")
    whole = bytearray((tmp_path / "w.pth").read_bytes())
    generator = np.random.default_rng(0)
    for place in generator.integers(0, len(whole), 150):
        damaged = whole.copy()
        damaged[place] ^= int(generator.integers(1, 256))
        (tmp_path / "d.pth").write_bytes(damaged)
        with contextlib.suppress(ModelError):  # anything else would fail the test
            load_weights(Net(), tmp_path / "d.pth")


def test_that_a_missing_file_and_a_folder_are_sentences(tmp_path: Path) -> None:
    assert "There is no file" in refusal(tmp_path / "nowhere" / "w.pth")
    assert "is a folder" in refusal(tmp_path)


def test_that_a_torchscript_archive_is_refused_with_the_way_out(shared_data: Path) -> None:
    sentence = refusal(shared_data / "weights" / "mnist_lenet_torchscript.pt")
    assert "TorchScript" in sentence
    assert "state_dict()" in sentence


def test_that_other_archives_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones(3))
    assert "zip archive without PyTorch weights" in refusal(tmp_path / "a.npz")
    program = torch.export.export(nn.Linear(2, 1), (torch.ones(2, 2),))
    torch.export.save(program, tmp_path / "p.pt2")
    assert "Add it as a program" in refusal(tmp_path / "p.pt2")


def test_that_an_archive_that_unpacks_to_more_than_it_is_long_is_not_opened(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1000)}, tmp_path / "w.pth")
    with (
        zipfile.ZipFile(tmp_path / "w.pth") as honest,
        zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in honest.namelist():
            bomb.writestr(name, b"\0" * 50_000_000 if name.endswith("/0") else honest.read(name))
    assert (tmp_path / "bomb.pth").stat().st_size < 200_000
    assert "claims to hold" in refusal(tmp_path / "bomb.pth")


def test_that_a_tensor_that_claims_a_huge_size_takes_no_memory(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}'
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 64)
    assert "damaged" in refusal(tmp_path / "w.safetensors")
    # A view of one number that calls itself a trillion.
    torch.save({"first.weight": torch.zeros(1).expand(10**12)}, tmp_path / "w.pth")
    assert "1000000000000" in refusal(tmp_path / "w.pth")


@pytest.mark.parametrize("content", [torch.ones(3), [torch.ones(3)], {"epoch": 3}, {}, 5])
def test_that_a_file_without_named_tensors_is_a_sentence(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "w.pth")
    assert "torch.save(model.state_dict(), 'weights.pth')" in refusal(tmp_path / "w.pth")


def test_that_a_safetensors_file_of_another_kind_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(bytes(range(200, 256)) * 20)
    assert "something else, or damaged" in refusal(tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(html())
    assert "web page" in refusal(tmp_path / "b.safetensors")


def test_that_a_safetensors_file_renamed_pth_is_still_understood(tmp_path: Path) -> None:
    state = state_of()
    (tmp_path / "w.pth").write_bytes(safetensors.torch.save(state))
    module = Net()
    load_weights(module, tmp_path / "w.pth")
    assert_loaded(module, state)


def test_that_the_stream_reader_never_loads_objects() -> None:
    from sensiview.models.weights import rewritten

    buffer = io.BytesIO()
    torch.save((torch.ones(2), {"a": torch.zeros(1)}), buffer)
    again = torch.load(io.BytesIO(rewritten(buffer.getvalue(), "x")), weights_only=True)  # noqa: TID251 - own bytes
    assert again[0].tolist() == [1, 1]
