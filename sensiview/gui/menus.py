"""Menu bar and tool bar, built from the declared commands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolBar

from sensiview.gui import recent
from sensiview.gui.action_list import MENUS
from sensiview.gui.icons import icon

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow


def make_menus(window: MainWindow) -> dict[str, QMenu]:
    """Fill the menu bar and return its menus by title; a line is drawn between groups."""
    menus: dict[str, QMenu] = {title: window.menuBar().addMenu(title) for title in MENUS}
    for title, menu in menus.items():
        menu.setObjectName(f"menu_{title.replace('&', '').lower()}")
        menu.setToolTipsVisible(True)
    for dock in window.docks.values():
        menus["&View"].addAction(dock.toggleViewAction())
    groups: dict[str, int] = dict.fromkeys(MENUS, 0)
    for key, info in window.action_set.infos.items():
        if info.group != groups[info.menu]:
            menus[info.menu].addSeparator()
            groups[info.menu] = info.group
        menus[info.menu].addAction(window.action_set[key])
    recent_menu = QMenu("Open &recent", window)
    recent_menu.setObjectName("menu_recent")
    recent_menu.setToolTipsVisible(True)
    recent_menu.setIcon(icon("project_open"))
    recent_menu.aboutToShow.connect(lambda: _fill_recent(window, recent_menu))
    menus["&File"].insertMenu(window.action_set["open_sample"], recent_menu)
    return menus


def make_tool_bar(window: MainWindow) -> QToolBar:
    """Add the tool bar and its entry in the View menu; return it."""
    bar = QToolBar("Tool bar", window)
    bar.setObjectName("main_tool_bar")
    bar.setAccessibleName("Tool bar")
    bar.setIconSize(QSize(18, 18))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    bar.setMovable(False)
    menu = ""
    for key, info in window.action_set.infos.items():
        if info.toolbar:
            if menu and info.menu != menu:
                bar.addSeparator()
            menu = info.menu
            bar.addAction(window.action_set[key])
    window.addToolBar(bar)
    window.menus["&View"].insertAction(window.action_set["show_dataset"], bar.toggleViewAction())
    return bar


def _fill_recent(window: MainWindow, menu: QMenu) -> None:
    menu.clear()
    for project in recent.recent_projects():
        action = QAction(project.title or Path(project.path).stem, menu)
        action.setToolTip(project.path)
        action.setEnabled(not project.missing)
        action.triggered.connect(lambda _=False, path=project.path: window.commands.open_path(Path(path)))
        menu.addAction(action)
    if menu.isEmpty():
        menu.addAction("No project yet").setEnabled(False)
