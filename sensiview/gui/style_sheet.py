"""The one style sheet: spacing, borders and focus of every widget in the colours of a theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensiview import locations

if TYPE_CHECKING:
    from sensiview.gui.themes import Theme


def style_sheet(t: Theme, base: float) -> str:
    """Return the style sheet of the whole application.

    Parameters
    ----------
    t : Theme
        The colours.
    base : float
        Size of the application's font in points: sizes of text follow it, so that a larger font enlarges all.
    """
    # Spin boxes keep Fusion's own drawing: a styled one loses its left margin, whatever the padding says.
    # Dynamic properties ("role") keep style out of the widgets: setProperty("role", "heading").
    icons = (locations.resources() / "icons").as_posix()
    return f"""
    QToolTip {{ color: {t.text}; background: {t.raised}; border: 1px solid {t.border}; padding: 4px; }}
    QMainWindow::separator {{ background: {t.window}; width: 6px; height: 6px; }}
    QMainWindow::separator:hover {{ background: {t.accent}; }}
    QSplitter::handle:hover {{ background: {t.accent}; }}
    QDockWidget {{
        font-weight: 600;
        titlebar-close-icon: url("{icons}/tab_close_{t.name}.svg");
        titlebar-normal-icon: url("{icons}/float_{t.name}.svg");
    }}
    QDockWidget::title {{ background: {t.raised}; padding: 6px 8px; }}
    QMenuBar {{ background: {t.window}; padding: 2px; }}
    QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.raised}; }}
    QMenu {{ background: {t.panel}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 24px 5px 8px; border-radius: 4px; }}
    QMenu::icon {{ padding-left: 6px; }}
    QMenu::item:selected {{ background: {t.accent}; color: {t.accent_text}; }}
    QMenu::item:disabled {{ color: {t.muted}; background: transparent; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
    QToolBar {{
        background: {t.window}; border: none; border-bottom: 1px solid {t.border}; padding: 4px 8px; spacing: 2px;
    }}
    QToolBar#viewer_tool_bar {{ padding: 0 4px; }}
    QToolBar#viewer_tool_bar::separator {{ margin: 4px 3px; }}
    QToolBar::separator {{ background: {t.border}; width: 1px; margin: 4px 6px; }}
    QToolButton {{ padding: 5px 8px; border: 1px solid transparent; border-radius: 4px; }}
    QToolButton:hover:enabled {{ background: {t.raised}; }}
    QToolButton:pressed, QToolButton:checked {{ background: {t.border}; }}
    QToolButton:focus {{ border: 1px solid {t.accent}; }}
    QToolButton[popupMode="2"] {{ padding-right: 20px; }}
    QToolButton::menu-indicator {{
        image: url("{icons}/arrow_down_{t.name}.svg"); width: 9px; height: 9px;
        subcontrol-origin: padding; subcontrol-position: center right; right: 6px;
    }}
    QToolButton:disabled {{ color: {t.muted}; }}
    QToolBar#viewer_tool_bar QToolButton, QWidget#viewer_workbench > QToolButton, QTabWidget#viewer_side QToolButton {{
        padding: 4px 6px;
    }}
    QToolBar#viewer_tool_bar QToolButton[popupMode="2"], QWidget#viewer_workbench > QToolButton[popupMode="2"],
    QTabWidget#viewer_side QToolButton[popupMode="2"] {{ padding-right: 18px; }}
    QTabWidget#viewer_side QToolButton {{ padding-left: 4px; }}
    QToolButton#viewer_3d_menu {{ background: #22262d; border: 1px solid #4a505a; padding-right: 20px; }}
    QToolButton#viewer_3d_menu:hover:enabled {{ background: #3a3f48; }}
    QToolButton#viewer_3d_menu:focus {{ border: 1px solid #f2f4f7; }}
    QToolButton#viewer_3d_menu::menu-indicator {{ image: url("{icons}/arrow_down_dark.svg"); }}
    QTabWidget::pane {{ border: none; border-top: 1px solid {t.border}; }}
    QTabBar {{ background: {t.window}; }}
    QTabBar::tab {{
        background: transparent; color: {t.muted}; padding: 6px 12px; border: none;
        border-bottom: 2px solid transparent;
    }}
    QTabBar#centre_tabs::tab {{ padding: 8px 16px; }}
    QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent}; }}
    QTabBar::tab:hover:!selected {{ color: {t.text}; background: {t.raised}; }}
    QTabBar::tab:focus {{ background: {t.raised}; }}
    QTabWidget#result_tabs QTabBar::tab {{ min-width: 120px; max-width: 240px; }}
    QTabWidget#viewer_side QTabBar::tab {{ padding: 6px 7px; min-width: 0px; max-width: 240px; }}
    QTabBar::scroller {{ width: 44px; }}
    QTabBar QToolButton {{ background: {t.raised}; border: 1px solid {t.border}; padding: 0; margin: 4px 1px; }}
    QTabBar QToolButton::left-arrow {{ image: url("{icons}/arrow_left_{t.name}.svg"); width: 10px; height: 10px; }}
    QTabBar QToolButton::right-arrow {{ image: url("{icons}/arrow_right_{t.name}.svg"); width: 10px; height: 10px; }}
    QTabBar::close-button {{
        image: url("{icons}/tab_close_{t.name}.svg"); width: 12px; height: 12px; padding: 1px;
        subcontrol-position: right;
    }}
    QTabBar::close-button:hover {{ background: {t.border}; border-radius: 3px; }}
    QLabel[role="title"] {{ font-size: {base * 2.1:.1f}pt; font-weight: 600; }}
    QLabel[role="heading"] {{ font-size: {base * 1.5:.1f}pt; font-weight: 600; }}
    QLabel[role="subheading"] {{ font-size: {base * 1.12:.1f}pt; font-weight: 600; }}
    QLabel[role="muted"] {{ color: {t.muted}; }}
    QLabel[role="warning"] {{ color: {t.warning}; }}
    QLabel[role="error"] {{ color: {t.error}; }}
    QLabel[role="good"] {{ color: {t.good}; }}
    QPushButton {{
        background: {t.raised}; border: 1px solid {t.border}; border-radius: 4px; padding: 5px 12px; min-height: 18px;
    }}
    QPushButton:hover:enabled {{ border-color: {t.accent}; }}
    QPushButton:pressed, QPushButton:checked {{ background: {t.border}; }}
    QPushButton:focus {{ border: 2px solid {t.accent}; padding: 4px 11px; }}
    QPushButton:disabled {{ color: {t.muted}; background: {t.window}; }}
    QPushButton[align="left"] {{ text-align: left; padding-left: 14px; }}
    QPushButton[role="primary"] {{
        background: {t.accent}; color: {t.accent_text}; border: 1px solid {t.accent}; font-weight: 600;
        padding: 6px 16px;
    }}
    QPushButton[role="primary"]:hover:enabled {{ border-color: {t.text}; }}
    QPushButton[role="primary"]:disabled {{ background: {t.border}; border-color: {t.border}; color: {t.muted}; }}
    QPushButton[role="primary"]:focus {{ border: 2px solid {t.text}; padding: 5px 15px; }}
    QLineEdit, QComboBox, QPlainTextEdit, QTextEdit {{
        background: {t.panel}; border: 1px solid {t.border}; border-radius: 4px; padding: 3px 6px; min-height: 20px;
        selection-background-color: {t.accent}; selection-color: {t.accent_text};
    }}
    QLineEdit:focus, QComboBox:focus, QPlainTextEdit:focus, QTextEdit:focus {{
        border: 1px solid {t.accent};
    }}
    QLineEdit:disabled, QComboBox:disabled {{ color: {t.muted}; }}
    QComboBox QLineEdit {{ border: none; background: transparent; padding: 0 2px 0 4px; min-height: 0; }}
    QAbstractSpinBox {{ min-height: 26px; }}
    QAbstractSpinBox QLineEdit {{ border: none; background: transparent; padding: 0; min-height: 0; }}
    QComboBox::down-arrow {{ image: url("{icons}/arrow_down_{t.name}.svg"); width: 9px; height: 9px; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QComboBox::drop-down {{
        subcontrol-origin: border; subcontrol-position: center right; width: 22px; border: none;
        background: transparent;
    }}
    QComboBox QAbstractItemView {{ background: {t.panel}; border: 1px solid {t.border}; outline: none; }}
    QCheckBox, QRadioButton {{ spacing: 8px; }}
    QCheckBox::indicator, QTreeView::indicator, QListView::indicator, QTableView::indicator {{
        width: 14px; height: 14px; border: 1px solid {t.muted}; border-radius: 3px; background: {t.panel};
    }}
    QCheckBox::indicator:hover:enabled, QCheckBox::indicator:focus {{ border-color: {t.accent}; }}
    QCheckBox::indicator:checked, QTreeView::indicator:checked, QListView::indicator:checked,
    QTableView::indicator:checked {{
        background: {t.accent}; border-color: {t.accent}; image: url("{icons}/check_{t.name}.svg");
    }}
    QCheckBox::indicator:disabled {{ border-color: {t.border}; }}
    QCheckBox:focus {{ color: {t.accent}; }}
    QFrame[role="card"] {{ background: {t.panel}; border: 1px solid {t.border}; border-radius: 6px; }}
    QTreeView, QListView, QTableView {{ background: {t.panel}; border: 1px solid {t.border}; outline: none; }}
    QTreeView:focus, QListView:focus, QTableView:focus {{ border: 1px solid {t.accent}; }}
    QTreeView#project_tree {{ border: none; background: transparent; }}
    QTreeView#project_tree:focus {{ border: none; }}
    QListView::item {{ border-radius: 4px; padding: 3px 2px; }}
    QTreeView::item {{ padding: 3px 2px; }}
    QTreeView::item:hover, QListView::item:hover {{ background: {t.raised}; }}
    QTreeView::item:selected, QListView::item:selected, QTableView::item:selected {{
        background: {t.accent}; color: {t.accent_text};
    }}
    QTreeView::item:selected:!active, QListView::item:selected:!active {{
        background: {t.accent}; color: {t.accent_text};
    }}
    QTreeView {{ show-decoration-selected: 0; }}
    QTreeView::branch, QTreeView::branch:selected {{ background: transparent; }}
    QTreeView::branch:closed:has-children {{ image: url("{icons}/arrow_right_{t.name}.svg"); }}
    QTreeView::branch:open:has-children {{ image: url("{icons}/arrow_down_{t.name}.svg"); }}
    QHeaderView {{ background: {t.raised}; }}
    QHeaderView::section {{
        background: {t.raised}; color: {t.text}; border: none; border-right: 1px solid {t.border};
        border-bottom: 1px solid {t.border}; padding: 4px 8px; font-weight: 600;
    }}
    QTableView {{
        gridline-color: {t.border}; alternate-background-color: {t.window};
        selection-background-color: {t.accent}; selection-color: {t.accent_text};
    }}
    QHeaderView::section:vertical {{ font-weight: normal; color: {t.muted}; }}
    QTableCornerButton::section {{ background: {t.raised}; border: none; border-bottom: 1px solid {t.border}; }}
    QTableView::item {{ padding: 0 6px; }}
    QProgressBar {{ background: {t.border}; border: none; border-radius: 4px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 4px; }}
    QStatusBar {{ background: {t.window}; border-top: 1px solid {t.border}; }}
    QStatusBar::item {{ border: none; }}
    QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
    QScrollBar::handle {{ background: {t.border}; border-radius: 4px; margin: 2px; }}
    QScrollBar::handle:vertical {{ min-height: 28px; }}
    QScrollBar::handle:horizontal {{ min-width: 28px; }}
    QScrollBar::handle:hover {{ background: {t.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QDialog#command_palette {{ background: {t.raised}; border: 1px solid {t.accent}; }}
    QDialog#command_palette QListView {{ border: none; background: {t.raised}; }}
    """
