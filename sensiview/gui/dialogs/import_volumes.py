"""Importing volumes: what was found, how the table of subjects fits, and which column holds the diagnosis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSpinBox,
    QSplitter,
    QWidget,
)  # fmt: skip

from sensiview.gui.dialogs.background_dialog import BackgroundDialog
from sensiview.gui.dialogs.layout import buttons, form, named
from sensiview.gui.dialogs.target_choice import TargetChoice
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.session import Session
from sensiview.gui.volume_facts import volume_headline
from sensiview.gui.volume_import import Found, add_found, look_at_volumes

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource


class ImportVolumesDialog(BackgroundDialog):
    """Only headers and a few voxels are read before Import is pressed.

    Signals
    -------
    imported
        Identifier of the data set in the project.
    """

    imported = Signal(str)

    def __init__(self, session: Session, paths: Sequence[Path], parent: QWidget | None = None) -> None:
        super().__init__(session, "import_volumes_dialog", "Import volumes", parent)
        self._paths = list(paths)
        self._participants: Path | None = None
        self._found: Found | None = None
        self._frame = -1
        split = QSplitter(self)
        split.setChildrenCollapsible(False)
        self.table = FrameTable("import_volume_table", row_numbers=True)
        self.findings = QListWidget(split)
        named(self.findings, "import_findings", "What was noticed")
        self.findings.setWordWrap(True)
        split.addWidget(self.table)
        split.addWidget(self.findings)
        split.setSizes([660, 320])
        split.setStretchFactor(0, 1)
        self.column.addWidget(split, 1)
        self.column.addLayout(self._make_fields())
        box, self.import_button = buttons(self, "Import", "import_button")
        box.accepted.connect(self._import)
        self.import_button.setEnabled(False)
        self.finish_layout(box)
        self.resize(1040, 680)
        self._look()

    def _make_fields(self) -> QHBoxLayout:
        self.name = QLineEdit(self._paths[0].name.split(".")[0] if self._paths else "", self)
        named(self.name, "dataset_name", "Name in the project")
        self.target = TargetChoice(self, "The column of the diagnosis; it can be chosen later")
        self.frame = QSpinBox(self, minimum=-1, maximum=100_000)
        self.frame.setSpecialValueText("refuse 4-D")
        named(self.frame, "import_frame", "Volume of 4-D files", "Which volume of files with a time axis, from 0")
        self.frame.setValue(-1)
        # Leaving the field says "finished" too: only another number is worth looking again, or a click on Import
        # would first disable that button.
        self.frame.editingFinished.connect(self._look_if_other_frame)
        self.subjects = QPushButton("Table of subjects…", self)
        named(
            self.subjects, "choose_participants_button", "Choose the table of subjects",
            "CSV or TSV with one row per subject; participants.tsv beside the volumes is found by itself",
        )  # fmt: skip
        self.subjects.setAutoDefault(False)
        self.subjects.clicked.connect(self._ask_for_table)
        self.copy = QCheckBox("&Copy the files into the project", self)
        named(self.copy, "import_copy", "Copy the files into the project", "Otherwise they stay where they lie")
        left, right = form(), form()
        left.addRow("&Name", self.name)
        left.addRow("4-D files, &volume", self.frame)
        right.addRow("&Target", self.target)
        right.addRow("Subjects", self.subjects)
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addLayout(left, 1)
        row.addLayout(right, 1)
        row.addWidget(self.copy)
        return row

    def _look_if_other_frame(self) -> None:
        if self.frame.value() != self._frame:
            self._look()

    def _look(self) -> None:
        self.import_button.setEnabled(False)
        self.sentence.setText("Looking at the volumes …")
        self._found, self._frame = None, self.frame.value()
        paths, participants = self._paths, self._participants
        frame = self._frame if self._frame >= 0 else None
        self.work(lambda tell: look_at_volumes(paths, participants, frame, tell), self._show, self._show_nothing)

    def _show_nothing(self) -> None:
        """What was found before is not what would be imported now."""
        self.table.clear()
        self.findings.clear()

    def _show(self, found: Found) -> None:
        self._found = found
        self.sentence.setText(volume_headline(found.cohort.card, target=False))
        self.table.show_frame(found.frame)
        self.findings.clear()
        self.findings.addItems(list(found.findings) or ["Nothing odd was noticed."])
        self.target.offer([column.name for column in found.cohort.card.columns], found.likely_target)
        self.import_button.setEnabled(True)

    def _ask_for_table(self) -> None:
        dialog = QFileDialog(self, "Table of subjects")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Tables (*.tsv *.csv *.txt *.xlsx)", "All files (*)"])
        dialog.fileSelected.connect(self.take_table)
        dialog.open()

    def take_table(self, path: str) -> None:
        """Use this table of subjects."""
        self._participants = Path(path)
        self.subjects.setText(Path(path).name)
        self._look()

    def _import(self) -> None:
        found = self._found
        if found is None:
            return
        with self._session.guard():
            project = self._session.writable_project()
            self.import_button.setEnabled(False)
            name, target, copy = self.name.text().strip(), self.target.currentData(), self.copy.isChecked()
            self.add(
                lambda: add_found(project, found, name=name, target=target, copy=copy), self._added, self._can_try_again
            )

    def _can_try_again(self) -> None:
        self.import_button.setEnabled(self._found is not None)

    def _added(self, source: DatasetSource) -> None:
        self.accept()
        self.imported.emit(source.id)
