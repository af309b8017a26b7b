"""The help page of an analysis in a window of its own."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from sensiview.analysis.contract import Analysis
from sensiview.gui.help_text import help_html


class HelpDialog(QDialog):
    """Stays open beside the form while one reads."""

    def __init__(self, analysis: Analysis[Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("analysis_help")
        self.setWindowTitle(analysis.title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(help_page(analysis))
        column.addWidget(box)
        self.resize(620, 560)


def help_page(analysis: Analysis[Any]) -> QTextBrowser:
    """Return the analysis's docstring as a page."""
    page = QTextBrowser()
    page.setObjectName("analysis_help_page")
    page.setAccessibleName(f"Help on {analysis.title}")
    page.setHtml(help_html(analysis.title, analysis.help_text()))
    return page
