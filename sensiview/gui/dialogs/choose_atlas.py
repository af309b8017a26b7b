"""The atlas whose region names belong to the volumes of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QListWidget, QPushButton, QWidget

from sensiview.analysis.sources import DatasetSource
from sensiview.gui.dialogs.background_dialog import BackgroundDialog
from sensiview.gui.dialogs.layout import buttons, named
from sensiview.gui.session import Session
from sensiview.gui.undo import ProjectChange
from sensiview.gui.volume_loading import Fitting, fitting

if TYPE_CHECKING:
    from sensiview.datasets.card import DatasetCard

_NONE = "none"


class ChooseAtlasDialog(BackgroundDialog):
    """An atlas that comes with SensiView, or any label volume with names beside it.

    Signals
    -------
    chosen
        Identifier of the data set whose atlas is another one.
    """

    chosen = Signal(str)

    def __init__(self, session: Session, source: DatasetSource, parent: QWidget | None = None) -> None:
        super().__init__(session, "choose_atlas_dialog", "Atlas", parent)
        self._source = source
        self.choice = QComboBox(self)
        named(self.choice, "atlas_choice", "Atlas")
        self.choice.addItem("No atlas", _NONE)
        self.choice.addItem("Desikan-Killiany, 83 regions (MNI152)", "desikan_killiany")
        known = source.card.extra.get("atlas") or {}
        file = str(known.get("file", "")).removeprefix("bundled:")
        if file and self.choice.findData(file) < 0:
            self.choice.addItem(Path(file).name, file)
        self.choice.setCurrentIndex(max(0, self.choice.findData(file or "desikan_killiany")))
        self._names: Path | None = Path(known["names"]) if known.get("names") else None
        self.choice.activated.connect(self._chosen)
        self.browse = QPushButton("Label volume…", self)
        named(self.browse, "atlas_browse", "Choose a label volume", "AAL2 and others; names are found beside it")
        self.names_button = QPushButton("Names…", self)
        named(self.names_button, "atlas_names", "Choose the file of region names", "Text, CSV, TSV, XML, LUT or JSON")
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        for button, call in ((self.browse, self._ask_volume), (self.names_button, self._ask_names)):
            button.setAutoDefault(False)
            button.clicked.connect(call)
            row.addWidget(button)
        self.column.addLayout(row)
        self.findings = QListWidget(self)
        named(self.findings, "atlas_findings", "How the atlas fits")
        self.findings.setWordWrap(True)
        self.column.addWidget(self.findings, 1)
        box, self.main_button = buttons(self, "Choose", "choose_atlas_accept")
        box.accepted.connect(self._accept)
        self.finish_layout(box)
        self.resize(620, 420)
        self._look()

    def take_volume(self, path: str) -> None:
        """Offer and choose a file."""
        self._names = None
        self.choice.addItem(Path(path).name, path)
        self.choice.setCurrentIndex(self.choice.count() - 1)
        self._look()

    def take_names(self, path: str) -> None:
        """Use this file of names for the chosen volume."""
        self._names = Path(path)
        self._look()

    def _ask_volume(self) -> None:
        self._ask("Label volume", "Volumes (*.nii *.nii.gz *.img *.hdr)", self.take_volume)

    def _ask_names(self) -> None:
        self._ask("Names of the regions", "Names (*.tsv *.csv *.txt *.xml *.lut *.label *.json)", self.take_names)

    def _ask(self, title: str, pattern: str, take: object) -> None:
        dialog = QFileDialog(self, title)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([pattern, "All files (*)"])
        dialog.fileSelected.connect(take)
        dialog.open()

    def _chosen(self) -> None:
        self._names = None  # those of another atlas
        self._look()

    def _look(self) -> None:
        self.findings.clear()
        text = str(self.choice.currentData())
        self.names_button.setEnabled(Path(text).is_absolute())
        if text == _NONE:
            self.work(lambda _: None, lambda _: None)  # an atlas that is still being read is not wanted any more
            self.sentence.setText("No names of regions are shown, and no tables of regions are made.")
            self.main_button.setEnabled(True)
            return
        self.main_button.setEnabled(False)
        self.sentence.setText("Looking how the atlas fits …")
        source, names = self._source, self._names
        self.work(lambda _: fitting(source, text, names), self._show)

    def _show(self, found: Fitting) -> None:
        self.sentence.setText(found.sentence)
        self.findings.addItems(list(found.findings))
        self.main_button.setEnabled(found.fits)

    def _accept(self) -> None:
        text = str(self.choice.currentData())
        extra = {name: value for name, value in self._source.card.extra.items() if name != "atlas"}
        if text == _NONE:
            extra["atlas"] = {"file": _NONE}
        else:
            bundled = not Path(text).is_absolute()
            names = {"names": str(self._names)} if self._names is not None else {}
            extra["atlas"] = {"file": f"bundled:{text}" if bundled else text, **names}
        session, identifier, old = self._session, self._source.id, self._source.card
        card: DatasetCard = old.model_copy(update={"extra": extra})
        with session.guard():
            session.writable_project()
            session.undo.push(
                ProjectChange(
                    session,
                    f"choose atlas '{self.choice.currentText()}'" if text != _NONE else "choose no atlas",
                    lambda: session.replace_dataset_card(identifier, card),
                    lambda: session.replace_dataset_card(identifier, old),
                )
            )
        self.accept()
        self.chosen.emit(identifier)
