"""Importing images: what was found, which classes there are, and what was left out."""

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

from sensiview.errors import SensiViewError
from sensiview.gui.dialogs.background_dialog import BackgroundDialog
from sensiview.gui.dialogs.layout import buttons, form, named
from sensiview.gui.dialogs.target_choice import TargetChoice
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.image_facts import image_headline
from sensiview.gui.image_import import Found, add_found, card_with_target, look_at_images
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource

_AUTOMATIC = 0


class ImportImagesDialog(BackgroundDialog):
    """Only headers are read before Import is pressed, and the numbers of images with more than 8 bits.

    Signals
    -------
    imported
        Identifier of the data set in the project.
    """

    imported = Signal(str)

    def __init__(self, session: Session, paths: Sequence[Path], parent: QWidget | None = None) -> None:
        super().__init__(session, "import_images_dialog", "Import images", parent)
        self._paths = list(paths)
        self._labels: Path | None = None
        self._found: Found | None = None
        self._frames = _AUTOMATIC
        split = QSplitter(self)
        split.setChildrenCollapsible(False)
        self.table = FrameTable("import_image_table", row_numbers=True)
        self.findings = QListWidget(split)
        named(self.findings, "import_findings", "What was noticed")
        self.findings.setWordWrap(True)
        split.addWidget(self.table)
        split.addWidget(self.findings)
        split.setSizes([640, 340])
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
        first = self._paths[0] if self._paths else Path()
        name = first.name if first.is_dir() else first.parent.name if len(self._paths) > 1 else first.name.split(".")[0]
        self.name = QLineEdit(name, self)
        named(self.name, "dataset_name", "Name in the project")
        self.target = TargetChoice(self, "What models tell apart; it can be chosen later", "Column of the classes")
        self.target.activated.connect(self._say_what_it_is)
        self.frames = QSpinBox(self, minimum=_AUTOMATIC, maximum=100_000)
        self.frames.setSpecialValueText("all, of videos 10")
        named(
            self.frames, "import_frames", "Most frames of one file",
            "Evenly spaced frames of each video, DICOM loop or TIFF of several pages",
        )  # fmt: skip
        self.frames.editingFinished.connect(self._look_if_other_frames)
        self.labels = QPushButton("Table of labels…", self)
        named(
            self.labels, "choose_labels_button", "Choose the table of labels",
            "CSV or TSV with one row per image; one that lies in the folder is found by itself",
        )  # fmt: skip
        self.labels.setAutoDefault(False)
        self.labels.clicked.connect(self._ask_for_table)
        self.copy = QCheckBox("&Copy the files into the project", self)
        named(self.copy, "import_copy", "Copy the files into the project", "Otherwise they stay where they lie")
        left, right = form(), form()
        left.addRow("&Name", self.name)
        left.addRow("&Frames per file", self.frames)
        right.addRow("Cl&asses", self.target)
        right.addRow("Labels", self.labels)
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addLayout(left, 1)
        row.addLayout(right, 1)
        row.addWidget(self.copy)
        return row

    def _look_if_other_frames(self) -> None:
        if self.frames.value() != self._frames:
            self._look()

    def _look(self) -> None:
        self.import_button.setEnabled(False)
        self.sentence.setText("Looking at the images …")
        self._found, self._frames = None, self.frames.value()
        paths, labels = self._paths, self._labels
        frames = self._frames or None
        self.work(lambda tell: look_at_images(paths, labels, frames, tell), self._show, self._show_nothing)

    def _show_nothing(self) -> None:
        """What was found before is not what would be imported now."""
        self.table.clear()
        self.findings.clear()

    def _show(self, found: Found) -> None:
        self._found = found
        self.table.show_frame(found.frame)
        card = found.set.card
        self.target.offer([column.name for column in card.columns], card.target)
        self.import_button.setEnabled(True)
        self._say_what_it_is()

    def _say_what_it_is(self) -> None:
        """Show the head line and the findings of the chosen column; why a column holds no classes stands there too."""
        found = self._found
        if found is None:
            return
        self.problem.hide()
        try:
            card = card_with_target(found, self.target.currentData())
        except SensiViewError as error:
            self.problem.setText(error.sentence)
            self.problem.show()
            self.import_button.setEnabled(False)
            return
        self.import_button.setEnabled(True)
        self.sentence.setText(image_headline(card))
        self.findings.clear()
        self.findings.addItems(list(dict.fromkeys([*found.findings, *card.notes])) or ["Nothing odd was noticed."])

    def _ask_for_table(self) -> None:
        dialog = QFileDialog(self, "Table of labels")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["Tables (*.csv *.tsv *.txt *.xlsx)", "All files (*)"])
        dialog.fileSelected.connect(self.take_table)
        dialog.open()

    def take_table(self, path: str) -> None:
        """Use this table of labels."""
        self._labels = Path(path)
        self.labels.setText(Path(path).name)
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
