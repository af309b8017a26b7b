"""Graphics cards and drivers as the system describes them, and the sentence that is made of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sensiview.models import graphics_card
from sensiview.models.graphics_card import Cards, Torch, ask_torch, explain, find_cards

CUDA_13 = Torch("13.2")
RTX = "NVIDIA RTX A4000"


def add_card(root: Path, address: str = "0000:01:00.0", *, vendor: str = "0x10de", kind: str = "0x030000") -> Path:
    """Put a PCI device into a file system."""
    folder = root / "sys/bus/pci/devices" / address
    folder.mkdir(parents=True)
    for name, content in (("vendor", vendor), ("class", kind), ("device", "0x24b0")):
        (folder / name).write_text(f"{content}\n")
    return folder


def bind(card: Path, root: Path, driver: str) -> None:
    (root / "drivers" / driver).mkdir(parents=True)
    (card / "driver").symlink_to(root / "drivers" / driver)


def load_driver(root: Path, version: str, *, model: str = RTX, line: str = "") -> None:
    """Load NVIDIA's driver, as its files in /proc and /dev say it."""
    (root / "dev").mkdir()
    (root / "dev" / "nvidia0").touch()
    folder = root / "proc/driver/nvidia/gpus/0000:01:00.0"
    folder.mkdir(parents=True)
    (folder / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 42\n")
    line = line or f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {version}  Tue Sep  3 2024"
    (root / "proc/driver/nvidia/version").write_text(f"{line}\nGCC version:  gcc version 13.3.0 (Ubuntu 13.3.0)\n")


class TestFindingCards:
    def test_that_an_empty_machine_has_none(self, tmp_path: Path) -> None:
        assert find_cards(tmp_path) == Cards()

    def test_that_a_card_without_a_driver_is_found_by_its_pci_identifier(self, tmp_path: Path) -> None:
        add_card(tmp_path)
        assert find_cards(tmp_path) == Cards(nvidia=("PCI device 0x24b0",))

    def test_that_a_card_for_computing_alone_counts_and_nvidias_sound_and_network_do_not(self, tmp_path: Path) -> None:
        add_card(tmp_path, "0000:01:00.0", kind="0x030200")
        add_card(tmp_path, "0000:01:00.1", kind="0x040300")
        add_card(tmp_path, "0000:02:00.0", kind="0x020000")
        assert len(find_cards(tmp_path).nvidia) == 1

    def test_that_cards_of_others_are_told_by_their_makers(self, tmp_path: Path) -> None:
        add_card(tmp_path, "0000:00:02.0", vendor="0x8086")
        add_card(tmp_path, "0000:03:00.0", vendor="0x1002")
        add_card(tmp_path, "0000:04:00.0", vendor="0x1234")  # a virtual screen
        assert find_cards(tmp_path) == Cards(others=("Intel", "AMD"))

    def test_that_the_free_driver_is_recognised(self, tmp_path: Path) -> None:
        bind(add_card(tmp_path), tmp_path, "nouveau")
        assert find_cards(tmp_path).bound == "nouveau"

    @pytest.mark.parametrize(
        "line",
        [
            "",
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (root@build)",
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Wed Jul 16 2025",
        ],
    )
    def test_that_the_loaded_driver_gives_its_version_and_the_cards_names(self, tmp_path: Path, line: str) -> None:
        bind(add_card(tmp_path), tmp_path, "nvidia")
        load_driver(tmp_path, "580.65.06", line=line)
        assert find_cards(tmp_path) == Cards(nvidia=(RTX,), driver="580.65.06", bound="nvidia")

    def test_that_cards_that_this_user_may_not_open_are_noticed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        load_driver(tmp_path, "580.65.06")
        assert not find_cards(tmp_path).locked
        monkeypatch.setattr("os.access", lambda *_: False)
        assert find_cards(tmp_path).locked

    def test_that_a_container_without_a_card_is_noticed(self, tmp_path: Path) -> None:
        load_driver(tmp_path, "580.65.06")
        assert not find_cards(tmp_path).absent
        (tmp_path / "dev" / "nvidia0").rename(tmp_path / "dev" / "nvidiactl")
        assert find_cards(tmp_path).absent

    def test_that_nvidias_tool_is_asked_where_the_system_tells_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tool = tmp_path / "nvidia-smi"
        tool.write_text("#!/bin/sh\necho 'NVIDIA GeForce RTX 4090, 581.15'\necho 'NVIDIA T400, 581.15'\n")
        tool.chmod(0o755)
        monkeypatch.setattr("shutil.which", lambda _: str(tool))
        assert graphics_card._asked_nvidia_smi() == (["NVIDIA GeForce RTX 4090", "NVIDIA T400"], "581.15")
        tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed' >&2\nexit 9\n")
        assert graphics_card._asked_nvidia_smi() is None


class TestSentences:
    """One sentence for each situation; the second value says whether somebody should look at it."""

    def test_that_no_card_at_all_is_nothing_to_look_at(self) -> None:
        assert explain(Cards(), CUDA_13) == ("No NVIDIA card was found: the CPU is used.", True)

    def test_that_a_card_of_another_maker_is_said_to_be_unused(self) -> None:
        said, fine = explain(Cards(others=("AMD",)), CUDA_13)
        assert said == "No NVIDIA card was found, only one of AMD, which is not used: the CPU is used."
        assert fine

    def test_that_a_card_without_a_driver_asks_for_one_with_its_version(self) -> None:
        assert explain(Cards(nvidia=("PCI device 0x24b0",)), CUDA_13) == (
            "An NVIDIA card is there (PCI device 0x24b0), but not NVIDIA's driver. Install it, version 580 or newer. "
            "The CPU is used.",
            False,
        )

    def test_that_a_card_that_the_free_driver_has_is_told(self) -> None:
        said, fine = explain(Cards(nvidia=("PCI device 0x24b0",), bound="nouveau"), CUDA_13)
        assert "(the driver 'nouveau' has the card, which can't compute)" in said
        assert not fine

    def test_that_a_driver_that_is_too_old_is_told_with_the_one_it_needs(self) -> None:
        assert explain(Cards(nvidia=(RTX,), driver="535.183.01"), CUDA_13) == (
            "The NVIDIA driver 535.183.01 is too old for the CUDA 13.2 inside, which needs 580 or newer "
            f"({RTX}). Update it. The CPU is used.",
            False,
        )

    @pytest.mark.parametrize(
        "cuda, driver, too_old", [("12.6", "525.60", False), ("12.6", "520.61", True), ("11.8", "450.80", False)]
    )
    def test_that_each_cuda_has_an_oldest_driver_of_its_own(self, cuda: str, driver: str, too_old: bool) -> None:
        said, _ = explain(Cards(nvidia=(RTX,), driver=driver), Torch(cuda))
        assert ("too old" in said) is too_old

    def test_that_a_card_that_works_is_named_with_its_driver(self) -> None:
        assert explain(Cards(nvidia=(RTX,), driver="580.65.06"), Torch("13.2", usable=(RTX,))) == (
            f"{RTX} with driver 580.65.06: jobs compute on it, with CUDA 13.2.",
            True,
        )

    def test_that_a_card_older_than_the_cuda_inside_is_told(self) -> None:
        said, fine = explain(Cards(nvidia=("Quadro P2000",), driver="580.65"), Torch("13.2", too_old=("Quadro P2000",)))
        assert said == "Quadro P2000 is too old for the CUDA 13.2 inside: the CPU is used."
        assert not fine

    def test_that_a_pytorch_without_cuda_is_told(self) -> None:
        said, fine = explain(Cards(nvidia=(RTX,), driver="580.65"), Torch(None))
        assert "built without CUDA" in said
        assert not fine

    @pytest.mark.parametrize("value", ["", "-1"])
    def test_that_a_card_that_is_hidden_by_a_variable_is_told(
        self, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        said, _ = explain(Cards(nvidia=(RTX,), driver="580.65"), CUDA_13)
        assert "CUDA_VISIBLE_DEVICES hides" in said

    def test_that_a_card_that_this_user_may_not_open_is_told(self) -> None:
        said, _ = explain(Cards(nvidia=(RTX,), driver="580.65", locked=True), CUDA_13)
        assert "this user may not open the card" in said

    def test_that_a_card_that_is_not_handed_to_a_container_is_told(self) -> None:
        said, fine = explain(Cards(nvidia=(RTX,), driver="580.65", absent=True), CUDA_13)
        assert "there is no /dev/nvidia0" in said
        assert not fine

    def test_that_a_driver_that_does_not_answer_is_told_with_pytorchs_reason(self) -> None:
        complaint = (
            "CUDA initialization: CUDA unknown error - this may be due to an incorrectly set up environment. More."
        )
        said, fine = explain(Cards(nvidia=(RTX,), driver="580.65"), Torch("13.2", complaint=complaint))
        assert "CUDA can't be used: CUDA initialization: CUDA unknown error" in said
        assert "More" not in said
        assert said.endswith("restart the computer. The CPU is used.")
        assert not fine

    def test_that_apples_gpu_is_told(self) -> None:
        assert explain(Cards(), Torch(None, apple=True)) == ("Apple GPU: jobs compute on it.", True)


class FakeCuda:
    """Stands for ``torch.cuda`` on a machine with one card."""

    def __init__(self, capability: tuple[int, int] = (8, 6), *, warn: str = "", error: str = "") -> None:
        self._capability, self._warn, self._error = capability, warn, error

    def is_available(self) -> bool:
        if self._warn:
            warnings.warn(self._warn, stacklevel=1)
        return not self._warn

    def device_count(self) -> int:
        return 1

    def get_device_name(self, _at: int) -> str:
        if self._error:
            raise RuntimeError(self._error)
        return RTX

    def get_arch_list(self) -> list[str]:
        return ["sm_75", "sm_80", "sm_90", "sm_100", "compute_120"]

    def get_device_capability(self, _at: int) -> tuple[int, int]:
        return self._capability


class TestAskingTorch:
    def use(self, monkeypatch: pytest.MonkeyPatch, cuda: Any) -> Torch:
        import torch

        monkeypatch.setattr(torch, "cuda", cuda)
        monkeypatch.setattr(torch, "version", SimpleNamespace(cuda="13.2"))
        return ask_torch()

    @pytest.mark.parametrize(
        "capability, runs",
        [((7, 5), True), ((8, 6), True), ((8, 0), True), ((10, 3), True), ((12, 0), True), ((13, 0), True),
         ((6, 1), False), ((7, 0), False), ((11, 0), False)],
    )  # fmt: skip
    def test_that_a_card_is_usable_when_code_was_built_for_its_generation(
        self, monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], runs: bool
    ) -> None:
        found = self.use(monkeypatch, FakeCuda(capability))
        assert (found.usable, found.too_old) == (((RTX,), ()) if runs else ((), (RTX,)))

    def test_that_what_pytorch_warns_of_is_its_complaint(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.use(monkeypatch, FakeCuda(warn="CUDA initialization: The NVIDIA driver is too old (found 12020)."))
        assert found == Torch("13.2", complaint="CUDA initialization: The NVIDIA driver is too old (found 12020).")

    def test_that_a_card_that_fails_when_it_is_asked_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = self.use(monkeypatch, FakeCuda(error="CUDA error: out of memory"))
        assert found.usable == ()
        assert found.complaint == "CUDA error: out of memory"
