"""Importing DICOM: patients, studies and series of some folders, what is odd about each, and their tags."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QSplitter,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)  # fmt: skip

from sensiview.errors import DataError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.background_dialog import BackgroundDialog
from sensiview.gui.dialogs.layout import buttons, form, named
from sensiview.gui.entry_texts import counted
from sensiview.gui.icons import icon
from sensiview.gui.number_text import short
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource
    from sensiview.datasets.dicom_series import Series

_SERIES = Qt.ItemDataRole.UserRole
_COLUMNS = ("Series", "Kind", "Slices", "Size", "Spacing (mm)", "Date")


class ImportDicomDialog(BackgroundDialog):
    """Each checked series becomes one volume of the new data set.

    Signals
    -------
    imported
        Identifier of the data set in the project.
    """

    imported = Signal(str)

    def __init__(self, session: Session, paths: Sequence[Path], parent: QWidget | None = None) -> None:
        super().__init__(session, "import_dicom_dialog", "Import DICOM", parent)
        self._paths = list(paths)
        self.tree = QTreeWidget(self)
        named(self.tree, "dicom_tree", "Patients, studies and series")
        self.tree.setHeaderLabels(list(_COLUMNS))
        self.tree.setAlternatingRowColors(True)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.tree.currentItemChanged.connect(self._chosen)
        self.tree.itemChanged.connect(self._count)
        self.findings = QTreeWidget(self)
        named(self.findings, "dicom_findings", "What is odd about this series")
        self.findings.setHeaderHidden(True)
        self.findings.setRootIsDecorated(False)
        self.findings.setWordWrap(True)
        self.tags = QTreeWidget(self)
        named(self.tags, "dicom_tags", "Tags of the first slice")
        self.tags.setHeaderLabels(["Tag", "Name", "Value"])
        self.tags.setRootIsDecorated(False)
        self.tags.setAlternatingRowColors(True)
        self.tabs = QTabWidget(self)
        named(self.tabs, "dicom_tabs", "Findings or tags")
        self.tabs.addTab(self.findings, "Findings")
        self.tabs.addTab(self.tags, "Tags")
        self.tabs.currentChanged.connect(self._read_tags)
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.setChildrenCollapsible(False)
        split.addWidget(self.tree)
        split.addWidget(self.tabs)
        split.setSizes([360, 200])
        self.column.addWidget(split, 1)
        self.name = QLineEdit(self._paths[0].name if self._paths else "", self)
        named(self.name, "dataset_name", "Name in the project")
        self.copy = QCheckBox("&Copy the files into the project", self)
        named(self.copy, "import_copy", "Copy the files into the project", "Otherwise they stay where they lie")
        row, fields = QHBoxLayout(), form()
        fields.addRow("&Name", self.name)
        row.addLayout(fields, 1)
        row.addWidget(self.copy)
        self.column.addLayout(row)
        box, self.import_button = buttons(self, "Import", "import_button")
        box.accepted.connect(self._import)
        self.import_button.setEnabled(False)
        self.finish_layout(box)
        self.resize(1040, 720)
        self.sentence.setText("Looking for series …")
        self.work(lambda tell: _listing(self._paths, tell), self._show)

    # Inside.

    def _show(self, listing: Any) -> None:
        groups: dict[tuple[str, ...], QTreeWidgetItem] = {}
        self.tree.blockSignals(True)
        for series in listing.series:
            patient = groups.get((series.subject,))
            if patient is None:
                title = " ".join(filter(None, (series.patient, f"({series.patient_id})" if series.patient_id else "")))
                patient = QTreeWidgetItem(self.tree, [title or series.subject])
                groups[series.subject,] = patient
            study = groups.get((series.subject, series.study_uid))
            if study is None:
                study = QTreeWidgetItem(patient, [series.study or "Study", "", "", "", "", series.date])
                groups[series.subject, series.study_uid] = study
            study.addChild(_row(series))
        self.tree.expandAll()
        self.tree.blockSignals(False)
        readable = sum(series.readable for series in listing.series)
        if not listing.series:
            sentences = [finding.sentence for finding in listing.findings]
            self.say(DataError(" ".join(sentences) or "No DICOM series was found. Choose the folder that holds them."))
            return
        files = counted(listing.n_files, "file")
        parts = [f"{files}, {len(listing.series)} series; {readable} can be read as volumes."]
        parts += [finding.sentence for finding in listing.findings[:3]]
        self.sentence.setText(" ".join(parts))
        first = next((item for item in self._rows() if item.data(0, _SERIES).readable), None)
        if first is not None:
            self.tree.setCurrentItem(first)
        self._count()

    def _rows(self) -> list[QTreeWidgetItem]:
        found, todo = [], [self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount())]
        while todo:
            item = todo.pop(0)
            if item is None:
                continue
            if item.data(0, _SERIES) is not None:
                found.append(item)
            todo += [item.child(i) for i in range(item.childCount())]
        return found

    def chosen_series(self) -> list[Series]:
        """Return the series that are checked, in order."""
        return [row.data(0, _SERIES) for row in self._rows() if row.checkState(0) == Qt.CheckState.Checked]

    def _count(self) -> None:
        count = len(self.chosen_series())
        self.import_button.setEnabled(count > 0)
        self.import_button.setText(f"Import {count} series" if count else "Import")

    def _chosen(self) -> None:
        self.findings.clear()
        self.tags.clear()
        series = self._current()
        if series is None:
            return
        for finding in series.findings:
            item = QTreeWidgetItem(self.findings, [finding.sentence])
            item.setIcon(0, icon({"error": "failed", "warning": "warning"}.get(finding.severity, "info")))
            item.setToolTip(0, finding.sentence)
        if not series.findings:
            QTreeWidgetItem(self.findings, ["Nothing odd: slices are complete, evenly spaced, and of one size."])
        self._read_tags()

    def _current(self) -> Series | None:
        item = self.tree.currentItem()
        found: Series | None = item.data(0, _SERIES) if item is not None else None
        return found

    def _read_tags(self) -> None:
        series = self._current()
        if series is None or not series.files or self.tabs.currentWidget() is not self.tags:
            return
        path = series.files[0]
        run_in_background(lambda: _tags(path), self._show_tags, self.say, owner=self)

    def _show_tags(self, rows: list[tuple[str, str, str]]) -> None:
        self.tags.clear()
        self.tags.addTopLevelItems([QTreeWidgetItem(list(row)) for row in rows])
        for column in (0, 1):
            self.tags.resizeColumnToContents(column)

    def _import(self) -> None:
        from sensiview.importing import add_series

        with self._session.guard():
            project = self._session.writable_project()
            self.import_button.setEnabled(False)
            series, name, copy = self.chosen_series(), self.name.text().strip(), self.copy.isChecked()
            self.add(lambda: add_series(project, series, name=name, copy=copy).source, self._added, self._count)

    def _added(self, source: DatasetSource) -> None:
        for note in source.card.notes:
            self._session.say(f"'{source.card.name}': {note}", level="warning")
        self.accept()
        self.imported.emit(source.id)


def _row(series: Series) -> QTreeWidgetItem:
    spacing = " × ".join(short(s) for s in series.spacing) if series.spacing else ""
    size = f"{series.columns} × {series.rows}"
    row = QTreeWidgetItem([series.title, series.modality, str(series.n_slices), size, spacing, series.date])
    row.setData(0, _SERIES, series)
    if series.readable:
        row.setFlags(row.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        row.setCheckState(0, Qt.CheckState.Checked)
    worst = {finding.severity for finding in series.findings}
    row.setIcon(0, icon("failed" if "error" in worst else "warning" if "warning" in worst else "dataset"))
    row.setToolTip(0, "\n".join(finding.sentence for finding in series.findings) or series.title)
    return row


def _listing(paths: Sequence[Path], tell: Any) -> Any:
    from sensiview.datasets.dicom_series import scan

    return scan(paths, tell)


def _tags(path: Path) -> list[tuple[str, str, str]]:
    from sensiview.datasets.dicom_tags import describe_tags

    return describe_tags(path)
