"""The bottom line: what goes on, the device, the worker's memory, whether project and preferences can be written."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStatusBar, QWidget

from sensiview.gui.icons import icon
from sensiview.gui.session import Session


class _Chip(QWidget):
    """A small icon with a word; hidden while it has nothing to say."""

    clicked = Signal()

    def __init__(self, name: str, picture: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._icon = icon(picture)
        self._picture = QLabel(self)
        self._words = QLabel(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(6)
        layout.addWidget(self._picture)
        layout.addWidget(self._words)
        self.redraw()

    def redraw(self) -> None:
        """Draw the icon in the theme's colours."""
        self._picture.setPixmap(self._icon.pixmap(16, 16))

    def say(self, text: str, tip: str = "") -> None:
        """Show a word, with a sentence in the tool tip; an empty word hides the chip."""
        self._words.setText(text)
        self.setToolTip(tip)
        self.setAccessibleName(text)
        self.setAccessibleDescription(tip)
        self.setVisible(bool(text))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click asks for more."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()


class StatusBar(QStatusBar):
    """Follows the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status_bar")
        self.setSizeGripEnabled(False)
        self._session = session
        self._bar = QProgressBar(self)
        self._bar.setObjectName("job_progress")
        self._bar.setAccessibleName("Progress of the running job")
        self._bar.setTextVisible(False)
        self._bar.setFixedSize(120, 8)
        self.job = _Chip("job_chip", "running", self)
        self.memory = _Chip("memory_chip", "memory", self)
        self.device = _Chip("device_chip", "device", self)
        self.read_only = _Chip("read_only_chip", "lock", self)
        self.unkept = _Chip("unkept_chip", "warning", self)
        for widget in (self.job, self._bar, self.memory, self.device, self.read_only, self.unkept):
            self.addPermanentWidget(widget)
        session.jobs.progressed.connect(self.refresh_job)
        session.jobs.changed.connect(self.refresh_job)
        session.project_changed.connect(self.refresh)
        session.settings_changed.connect(self.refresh)
        self.refresh_job()
        self.read_only.say("")
        self.device.say("")
        self.unkept.say("")

    def refresh(self) -> None:
        """Show project and device anew."""
        project = self._session.project
        locked = project is not None and project.read_only
        self.read_only.say("Read only" if locked else "", project.notice if project is not None else "")
        self.device.say(
            "" if project is None else f"Device: {self._session.settings.device}",
            "Where new jobs compute; another one can be chosen beside the Run button and in the preferences (Ctrl+,).",
        )
        for chip in (self.job, self.memory, self.device, self.read_only, self.unkept):
            chip.redraw()

    def refresh_job(self) -> None:
        """Show how far the running job is."""
        live = self._session.jobs.live
        self._bar.setVisible(live is not None)
        if live is None:
            self.job.say("")
            self.memory.say("")
            return
        run = self._session.run_record(live.run)
        self.job.say(live.stage if live.stopping else f"{run.name if run else live.run}: {live.stage}")
        share = live.share
        self._bar.setRange(0, 0 if share is None else 1000)
        if share is not None:
            self._bar.setValue(round(1000 * share))
        if live.memory:
            from sensiview.gui.number_text import memory

            device = f", GPU {memory(live.device_memory)}" if live.device_memory else ""
            self.memory.say(f"Worker: {memory(live.memory)}{device}", "Memory that the worker process uses now")
        if live.device:
            self.device.say(f"Device: {live.device}", "Where the running job computes")
