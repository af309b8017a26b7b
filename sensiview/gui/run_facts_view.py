"""The Parameters tab: everything needed to run it again elsewhere, to read and to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from sensiview.analysis.contract import Analysis
from sensiview.gui.facts_tree import FactsTree
from sensiview.gui.run_facts import sections

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord


class RunFactsView(QWidget):
    """The record of one run."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tree = FactsTree("run_parameters", "Parameters and record of this run")
        self.copy_button = QPushButton("Copy")
        self.copy_button.setObjectName("copy_parameters")
        self.copy_button.setAccessibleName("Copy all of this as text")
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.tree.as_text()))
        row = QHBoxLayout()
        row.setContentsMargins(8, 0, 8, 8)
        row.addStretch(1)
        row.addWidget(self.copy_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tree, 1)
        column.addLayout(row)

    def show_run(self, record: RunRecord, analysis: Analysis[Any] | None) -> None:
        """Show a run."""
        self.tree.show_sections(sections(record, analysis))
