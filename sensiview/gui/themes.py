"""Light and dark: colours that every pane and plot takes from one place, and the one style sheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from sensiview.gui.style_sheet import style_sheet

ThemeName = Literal["light", "dark", "system"]


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb. `series` are distinguishable for the colour blind (Okabe-Ito, adjusted for contrast)."""

    name: str
    window: str
    panel: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    accent_text: str
    grid: str
    good: str
    warning: str
    error: str
    series: tuple[str, ...]
    sequential: str = "viridis"
    diverging: str = "CET-D1A"


LIGHT = Theme(
    name="light",
    window="#f5f6f8", panel="#ffffff", raised="#eceef2", border="#d3d7de",
    text="#1b1f26", muted="#5b6472", accent="#1f5fbf", accent_text="#ffffff", grid="#dfe3e9",
    good="#1d7a4c", warning="#9a5b00", error="#b3261e",
    series=("#0072b2", "#d55e00", "#009e73", "#b0538a", "#8a6d00", "#3f8fc4", "#5b4fb3", "#60646c"),
)  # fmt: skip
DARK = Theme(
    name="dark",
    window="#1d2025", panel="#24282f", raised="#2e333c", border="#3d444f",
    text="#e8eaee", muted="#a4acb9", accent="#6ea8fe", accent_text="#10141a", grid="#3a404a",
    good="#5dc491", warning="#f0b25a", error="#f2857d",
    series=("#56b4e9", "#f08a4b", "#38c79c", "#dd93bf", "#e3c94f", "#8fd0ff", "#a79cf0", "#b4bac4"),
)  # fmt: skip


class _Notifier(QObject):
    """Tells plots that the colours have changed."""

    changed = Signal()


notifier = _Notifier()
_current = LIGHT


def theme() -> Theme:
    """Return the theme in force."""
    return _current


def apply_theme(app: QApplication, name: ThemeName) -> Theme:
    """Give the whole application the palette and style sheet of a theme; ``system`` follows the desktop."""
    global _current
    if name == "system":
        dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        name = "dark" if dark else "light"
    _current = DARK if name == "dark" else LIGHT
    app.setStyle("Fusion")
    app.setPalette(_palette(_current))
    app.setStyleSheet(style_sheet(_current, app.font().pointSizeF()))
    notifier.changed.emit()
    return _current


def _palette(t: Theme) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: t.window, QPalette.ColorRole.WindowText: t.text,
        QPalette.ColorRole.Base: t.panel, QPalette.ColorRole.AlternateBase: t.raised,
        QPalette.ColorRole.Text: t.text, QPalette.ColorRole.Button: t.raised,
        QPalette.ColorRole.ButtonText: t.text, QPalette.ColorRole.ToolTipBase: t.raised,
        QPalette.ColorRole.ToolTipText: t.text, QPalette.ColorRole.Highlight: t.accent,
        QPalette.ColorRole.HighlightedText: t.accent_text, QPalette.ColorRole.Link: t.accent,
        QPalette.ColorRole.PlaceholderText: t.muted, QPalette.ColorRole.Mid: t.border,
    }  # fmt: skip
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        faint = QColor(t.muted)
        faint.setAlphaF(0.65)
        palette.setColor(QPalette.ColorGroup.Disabled, role, faint)
    return palette


def apply_font(app: QApplication, points: int) -> None:
    """Use a font size everywhere; 0 takes the desktop's back."""
    global _desktop_points
    font = QFont(app.font())
    if _desktop_points is None:
        _desktop_points = font.pointSizeF()
    font.setPointSizeF(float(points) if points else _desktop_points)
    app.setFont(font)


_desktop_points: float | None = None
