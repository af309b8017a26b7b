"""Theme, font size, device, batch size, and the way to the keyboard shortcuts."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QPushButton, QSpinBox, QWidget

from sensiview.gui.device_choice import DeviceChoice
from sensiview.gui.dialogs.layout import close_button, dialog_column, form, label, named
from sensiview.gui.guard import os_problem
from sensiview.gui.session import Session
from sensiview.gui.themes import apply_font, apply_theme
from sensiview.settings import Settings, write_settings

_THEMES = (("system", "As the desktop"), ("light", "Light"), ("dark", "Dark"))


def keep_settings(session: Session, settings: Settings) -> None:
    """Use settings from now on and write them; when they can't be written they hold for this window."""
    session.settings = settings
    try:
        write_settings(settings)
    except OSError as error:
        session.say(f"The preferences hold for this window only. {os_problem(error).sentence}", level="warning")


class PreferencesDialog(QDialog):
    """Every change takes effect at once.

    Signals
    -------
    shortcuts_wanted()
        The user wants to change keys.
    """

    shortcuts_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        settings = session.settings
        column = dialog_column(self, "preferences_dialog", "Preferences")
        column.addWidget(label("Preferences", "heading", self))
        column.addWidget(label("Appearance", "subheading", self))
        self.theme = QComboBox(self)
        named(self.theme, "theme_choice", "Theme")
        for value, text in _THEMES:
            self.theme.addItem(text, value)
        self.theme.setCurrentIndex(self.theme.findData(settings.theme))
        self.font_size = QSpinBox(self, minimum=7, maximum=32, suffix=" pt")
        named(self.font_size, "font_size", "Font size", "7 is the smallest choice and means: as the desktop")
        self.font_size.setSpecialValueText("As the desktop")
        self.font_size.setValue(settings.font_size or 7)
        looks = form()
        looks.addRow("&Theme", self.theme)
        looks.addRow("&Font size", self.font_size)
        column.addLayout(looks)
        column.addWidget(label("Computing", "subheading", self))
        self.device = DeviceChoice(session, self)
        self.batch_size = QSpinBox(self, minimum=0, maximum=10_000_000, singleStep=256, suffix=" rows")
        named(self.batch_size, "batch_size", "Batch size for new jobs", "0 measures what fits into memory")
        self.batch_size.setSpecialValueText("Automatic: measured before each job")
        self.batch_size.setGroupSeparatorShown(True)
        self.batch_size.setValue(settings.batch_size or 0)
        computing = form()
        computing.addRow("&Device", self.device)
        computing.addRow("&Batch size", self.batch_size)
        column.addLayout(computing)
        note = (
            "Both are what a new form starts with; each form can choose otherwise. A batch that does not fit is halved."
        )
        column.addWidget(label(note, "muted", self))
        column.addWidget(label("Keyboard", "subheading", self))
        self.shortcuts = QPushButton("Change keyboard shortcuts…", self)
        named(self.shortcuts, "preferences_shortcuts", "Change keyboard shortcuts", "Of the menus and of the viewer")
        self.shortcuts.setAutoDefault(False)
        self.shortcuts.clicked.connect(self.shortcuts_wanted)
        column.addWidget(self.shortcuts, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        column.addWidget(close_button(self))
        self.setMinimumWidth(460)
        for signal in (
            self.theme.currentIndexChanged, self.device.currentIndexChanged, self.font_size.valueChanged,
            self.batch_size.valueChanged,
        ):  # fmt: skip
            signal.connect(self._keep)

    def _keep(self) -> None:
        before = self._session.settings
        size = self.font_size.value()
        settings = replace(
            before,
            theme=self.theme.currentData(),
            device=self.device.value(),
            batch_size=self.batch_size.value() or None,
            font_size=0 if size == self.font_size.minimum() else size,
        )
        keep_settings(self._session, settings)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            if settings.font_size != before.font_size:
                apply_font(app, settings.font_size)
            if settings.theme != before.theme or settings.font_size != before.font_size:
                apply_theme(app, settings.theme)
