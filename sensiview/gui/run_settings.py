"""Where and how a run is computed: device, seed, batch size, name."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QSpinBox, QWidget

_WORDS = {"auto": "Automatic", "cpu": "CPU", "mps": "Apple GPU (mps)"}


def devices_here() -> list[str]:
    """Return the devices this machine seems to have; torch, which knows for certain, lives in the worker."""
    found = ["auto", "cpu"]
    drivers = Path("/proc/driver/nvidia/gpus")
    if drivers.is_dir():
        found += [f"cuda:{k}" for k in range(len(list(drivers.iterdir())))]
    elif sys.platform == "win32" and Path("C:/Windows/System32/nvcuda.dll").exists():
        found.append("cuda:0")
    if sys.platform == "darwin" and platform.machine() == "arm64":
        found.append("mps")
    return found


class RunSettings(QWidget):
    """The part of the form that every analysis shares.

    Signals
    -------
    changed()
        Something else was chosen.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("run_settings")
        self.device = QComboBox()
        self.device.setEditable(True)
        self.device.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.seed = QSpinBox()
        self.seed.setRange(1, 2**31 - 1)
        self.batch_size = QSpinBox()
        self.batch_size.setRange(0, 10_000_000)
        self.batch_size.setSpecialValueText("auto")
        self.batch_size.setSuffix(" rows")
        self.batch_size.setGroupSeparatorShown(True)
        self.name = QLineEdit()
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(6)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for text, widget, name, tip in (
            ("Device", self.device, "run_device", "Where the network is evaluated; automatic takes the GPU if any"),
            ("Seed", self.seed, "run_seed", "The same seed gives the same numbers, on every device and batch size"),
            ("Batch size", self.batch_size, "run_batch_size", "Rows evaluated at once; auto measures what fits"),
            ("Name", self.name, "run_name", "How the run is called in the project"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(text)
            widget.setToolTip(tip)
            widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            form.addRow(text, widget)
        self._form = form
        self.offer_devices(devices_here(), "auto")
        self.device.editTextChanged.connect(self.changed)
        self.seed.valueChanged.connect(self.changed)
        self.batch_size.valueChanged.connect(self.changed)

    def offer_devices(self, devices: Iterable[str], chosen: str) -> None:
        """Offer these devices and choose one."""
        self.device.blockSignals(True)
        self.device.clear()
        for device in dict.fromkeys([*devices, chosen]):
            self.device.addItem(_WORDS.get(device, device), device)
        self.device.setCurrentIndex(self.device.findData(chosen))
        self.device.blockSignals(False)

    def offer_batch_size(self, offered: bool) -> None:
        """Show the batch size, or leave it to an analysis that has a parameter of its own for it."""
        self._form.setRowVisible(self.batch_size, offered)

    def chosen_device(self) -> str:
        """Return the device as programs write it; what was typed when it is none of those offered."""
        text = self.device.currentText().strip()
        at = self.device.findText(text, Qt.MatchFlag.MatchFixedString)
        return str(self.device.itemData(at)) if at >= 0 else text.lower() or "auto"

    def values(self) -> dict[str, Any]:
        """Return the arguments of `Session.start_analysis`."""
        return {
            "device": self.chosen_device(),
            "seed": self.seed.value(),
            "batch_size": self.batch_size.value() or None,
            "name": self.name.text().strip(),
        }

    def show_values(self, *, device: str, seed: int, batch_size: int | None) -> None:
        """Show what another run was computed with."""
        self.offer_devices(devices_here(), device)
        self.seed.setValue(seed)
        self.batch_size.setValue(batch_size or 0)
        self.changed.emit()
