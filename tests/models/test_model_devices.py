"""Where a network may compute."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from sensiview.errors import UserError
from sensiview.models import devices


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("two_gpus")
def test_that_a_gpu_is_found_by_any_index() -> None:
    assert devices.available() == ["cuda:0", "cuda:1", "cpu"]
    assert devices.resolve("auto") == torch.device("cuda:0")
    assert devices.resolve("CUDA") == torch.device("cuda:0")
    assert devices.resolve("cuda:1") == torch.device("cuda:1")
    assert devices.resolve(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(UserError, match="Choose one of: auto, cuda:0, cuda:1, cpu"):
        devices.resolve("cuda:2")


@pytest.mark.usefixtures("no_gpu")
def test_that_a_missing_gpu_is_a_sentence_with_what_there_is() -> None:
    assert devices.resolve("auto") == torch.device("cpu")
    for name in ("cuda", "cuda:0", "mps", "tpu", "gpu 1"):
        with pytest.raises(UserError, match="Choose one of: auto, cpu") as caught:
            devices.resolve(name)
        assert name in caught.value.sentence


@pytest.mark.usefixtures("no_gpu")
def test_that_an_apple_gpu_is_taken_before_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.resolve("auto") == torch.device("mps")
    assert devices.resolve("mps:0") == torch.device("mps")


def test_that_memory_of_the_process_is_told() -> None:
    process, device = devices.memory_in_use(torch.device("cpu"))
    assert 10**7 < process < 10**12
    assert device == 0
    assert devices.memory_free(torch.device("cpu")) > 10**6


@pytest.mark.usefixtures("two_gpus")
def test_that_devices_are_described_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"NVIDIA X{device.index}")
    card = SimpleNamespace(total_memory=80 * 2**30, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: card)
    described = devices.describe_devices()
    assert described["cuda:1"] == "NVIDIA X1, 80 GB"
    assert described["cpu"].startswith("CPU, ")
    assert devices.title(torch.device("cuda:1")) == "NVIDIA X1 (cuda:1)"


def test_that_a_card_older_than_the_build_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80", "sm_90"])
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda card: [(6, 1), (8, 6)][card])
    assert devices.available() == ["cuda:1", "cpu"]
    assert devices.resolve("auto") == torch.device("cuda:1")
    with pytest.raises(UserError, match=r"That card is too old"):
        devices.resolve("cuda:0")
