"""Where a new project goes and what it is called."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QDir, QStandardPaths, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from sensiview.gui.dialogs.layout import buttons, dialog_column, form, label, named, row_label

SUFFIX = ".sensiview"


def folder_name(title: str) -> str:
    """Return a folder name that every system takes, from a title in any language."""
    kept = re.sub(r'[<>:"/\\|?*\x00-\x1f]+', " ", title)
    kept = re.sub(r"\s+", " ", kept).strip(" .")
    return f"{kept[:80] or 'project'}{SUFFIX}"


class NewProjectDialog(QDialog):
    """Title and folder.

    Signals
    -------
    wanted
        Path of the project folder (not there yet) and title.
    """

    wanted = Signal(Path, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = dialog_column(self, "new_project_dialog", "New project")
        column.addWidget(label("New project", "heading", self))
        fields = form()
        self.title = QLineEdit(self, placeholderText="My study")
        named(self.title, "project_title", "Title")
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        there = documents if documents and Path(documents).is_dir() else QDir.homePath()
        self.folder = QLineEdit(QDir.toNativeSeparators(there), self)
        named(self.folder, "project_folder", "Folder that receives the project")
        choose = QPushButton("Choose…", self)
        named(choose, "choose_folder_button", "Choose folder")
        choose.setAutoDefault(False)
        choose.clicked.connect(self._choose_folder)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.folder, 1)
        row.addWidget(choose)
        fields.addRow("&Title", self.title)
        fields.addRow(row_label("&Inside folder", self.folder, self), row)
        column.addLayout(fields)
        self.note = label("", "muted", self, name="new_project_note")
        column.addWidget(self.note)
        column.addStretch(1)
        box, self.create_button = buttons(self, "Create project", "create_project_button")
        box.accepted.connect(self._accept)
        column.addWidget(box)
        self.title.textChanged.connect(self._check)
        self.folder.textChanged.connect(self._check)
        self.setMinimumWidth(560)
        self._check()

    @property
    def path(self) -> Path:
        """The project folder that would be made."""
        return Path(self.folder.text().strip()).expanduser() / folder_name(self.title.text())

    def _check(self) -> None:
        folder = Path(self.folder.text().strip()).expanduser()
        problem = ""
        if not self.folder.text().strip() or not folder.is_dir():
            problem = "This folder does not exist."
        elif self.path.exists():
            problem = f"'{self.path.name}' is there already. Choose another title."
        self.note.setText(problem or f"Makes the folder {QDir.toNativeSeparators(str(self.path))}")
        self.create_button.setEnabled(not problem and bool(self.title.text().strip()))

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, "Folder for the project", self.folder.text())
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda path: self.folder.setText(QDir.toNativeSeparators(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _accept(self) -> None:
        path, title = self.path, self.title.text().strip()
        self.accept()
        self.wanted.emit(path, title)
