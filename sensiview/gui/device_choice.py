"""Where a job computes; the worker refuses with a sentence what this machine does not have."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QWidget

from sensiview.gui.session import Session

DEVICES = (
    ("auto", "Automatic: the GPU when there is one"),
    ("cpu", "CPU"),
    ("cuda:0", "First NVIDIA GPU (cuda:0)"),
    ("cuda:1", "Second NVIDIA GPU (cuda:1)"),
    ("mps", "Apple GPU (mps)"),
)


class DeviceChoice(QComboBox):
    """Starts with the device of the preferences."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("device_choice")
        self.setAccessibleName("Device")
        self.setToolTip("auto, cpu, cuda:0, cuda:1, ... or mps")
        for value, text in DEVICES:
            self.addItem(text, value)
        self.choose(session.settings.device)

    def choose(self, device: str) -> None:
        """Show a device, added to the list when it is not there."""
        if self.findData(device) < 0:
            self.addItem(device, device)
        self.setCurrentIndex(self.findData(device))

    def value(self) -> str:
        """Return the device as jobs take it."""
        return str(self.currentData())
