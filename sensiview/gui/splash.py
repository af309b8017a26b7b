"""What is seen until the window is there: icon, name, version, and what is being loaded.

Shown as soon as Qt's widgets are loaded; on a cold start the window's own modules take most of the time after that.
It is painted by hand: a style sheet and layouts would cost more than they show.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QEventLoop, QRect, QRectF, Qt, QTimer, SignalInstance
from PySide6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QWidget

from sensiview import __version__
from sensiview.gui.icons import application_pixmap
from sensiview.gui.themes import theme

_WIDTH, _HEIGHT = 420, 176
_MARGIN, _ICON = 28, 72
# How long a window may take to come onto the screen before loading goes on without waiting for it.
_PATIENCE_S = 0.03
_LONGEST_MS = 10_000
# Points; the card does not grow with the font.
_SMALLEST, _LARGEST = 9.0, 14.0


class Splash(QWidget):
    """A card in the middle of the screen; clicks go through it to what lies below.

    Examples
    --------
    >>> splash = Splash()  # doctest: +SKIP
    >>> splash.say("Loading the window")
    >>> splash.close()
    """

    def __init__(self) -> None:
        super().__init__(
            None,
            Qt.WindowType.SplashScreen | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowTransparentForInput,
        )
        self.setObjectName("splash")
        self.setWindowTitle("SensiView")
        self.setAccessibleName("SensiView is starting")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedSize(_WIDTH, _HEIGHT)
        self.said = ""
        screen = QGuiApplication.primaryScreen()
        if screen is not None:
            self.move(screen.availableGeometry().center() - self.rect().center())

    def say(self, words: str) -> None:
        """Show what is being loaded, at once: the event loop does not run yet."""
        self.said = words
        self.setAccessibleDescription(words)
        if not self.isVisible():
            self.show()
            self._wait_for_screen()
        self.repaint()
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)

    def go_with(self, painted: SignalInstance) -> None:
        """Go away when the window is painted, and in any case after a while: it may start as an icon."""
        painted.connect(self.close)
        QTimer.singleShot(_LONGEST_MS, self, self.close)

    def _wait_for_screen(self) -> None:
        """Let the display put the card up; one that takes long gets it later."""
        handle = self.windowHandle()
        deadline = time.monotonic() + _PATIENCE_S
        while handle is not None and not handle.isExposed() and time.monotonic() < deadline:
            QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents, 5)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card in the colours of the theme in force."""
        colours = theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(colours.panel))
        painter.setPen(QPen(QColor(colours.border), 1))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.fillRect(QRect(0, _HEIGHT - 4, _WIDTH, 4), QColor(colours.accent))
        painter.drawPixmap(_MARGIN, _MARGIN, application_pixmap(_ICON, self.devicePixelRatioF()))
        left = _MARGIN + _ICON + 20
        width = _WIDTH - left - _MARGIN
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setFont(_font(self.font(), 2.0, bold=True))
        painter.setPen(QColor(colours.text))
        painter.drawText(QRect(left, _MARGIN, width, 42), middle, "SensiView")
        painter.setFont(_font(self.font(), 1.0))
        painter.setPen(QColor(colours.muted))
        painter.drawText(
            QRect(left, _MARGIN + 44, width, 24),
            middle,
            self._fitting(f"Version {__version__}", width, Qt.TextElideMode.ElideRight),
        )
        painter.setPen(QColor(colours.text))
        row = QRect(_MARGIN, _HEIGHT - 52, _WIDTH - 2 * _MARGIN, 28)
        painter.drawText(row, middle, self._fitting(f"{self.said} …" if self.said else "", row.width()))
        painter.end()

    def _fitting(self, text: str, width: int, where: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle) -> str:
        return QFontMetrics(_font(self.font(), 1.0)).elidedText(text, where, width)


def _font(base: QFont, factor: float, *, bold: bool = False) -> QFont:
    font = QFont(base)
    font.setPointSizeF(min(max(base.pointSizeF(), _SMALLEST), _LARGEST) * factor)
    font.setBold(bold)
    return font
