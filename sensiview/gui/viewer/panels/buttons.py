"""Small buttons of the panels, each with its name for tests and for people who do not see it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from sensiview.gui.dialogs.layout import named
from sensiview.gui.icons import icon


def tool_button(
    parent: QWidget, name: str, text: str, tip: str, call: Callable[[], object] | None = None, *, picture: str = ""
) -> QToolButton:
    """Return a flat button with a text or an icon of that name; `tip` is its accessible name and tool tip."""
    button = QToolButton(parent)
    named(button, name, tip, tip)
    if picture:
        button.setIcon(icon(picture))
        if text:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setText(text)
    if call is not None:
        button.clicked.connect(lambda: call())
    return button


def arrow_button(parent: QWidget, name: str, arrow: Qt.ArrowType, tip: str, call: Callable[[], object]) -> QToolButton:
    """Return a flat button with an arrow."""
    button = tool_button(parent, name, "", tip, call)
    button.setArrowType(arrow)
    return button


def menu_button(parent: QWidget, name: str, text: str, tip: str, fill: Callable[[QMenu], None]) -> QToolButton:
    """Return a button whose menu is filled anew each time it opens."""
    button = tool_button(parent, name, text, tip)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(button)
    menu.setObjectName(f"{name}_menu")

    def refill() -> None:
        menu.clear()
        fill(menu)

    menu.aboutToShow.connect(refill)
    button.setMenu(menu)
    return button


def inset(layout: QLayout) -> QVBoxLayout:
    """Return a layout with the panels' margins around another one: a flow of buttons has none of its own."""
    made = QVBoxLayout()
    made.setContentsMargins(8, 2, 8, 6)
    made.addLayout(layout)
    return made
