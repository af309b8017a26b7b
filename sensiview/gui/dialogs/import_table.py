"""Importing a table: what was understood of the file, a live preview, and what the user wants differently."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTableView,
    QTabWidget,
    QWidget,
)  # fmt: skip

from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.data_import import Understood, likely_target, look_at, read_and_add
from sensiview.gui.dialogs.background_dialog import BackgroundDialog, Tell
from sensiview.gui.dialogs.column_list import ColumnList
from sensiview.gui.dialogs.layout import buttons, form, named
from sensiview.gui.dialogs.reading_fields import ReadingFields
from sensiview.gui.dialogs.target_choice import TargetChoice
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource

_PATIENCE_MS = 250
_COLUMNS_PREVIEWED = 200


class ImportTableDialog(BackgroundDialog):
    """Nothing is read whole before Import is pressed.

    Signals
    -------
    imported
        Identifier of the data set in the project.
    """

    imported = Signal(str)

    def __init__(self, session: Session, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(session, "import_table_dialog", f"Import '{path.name}'", parent)
        self._path = path
        self._understood: Understood | None = None
        self._forget_look = _nothing
        self.sentence.setText("Looking at the file …")
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(False)
        split.addWidget(self._make_options())
        split.addWidget(self._make_preview())
        split.setSizes([300, 680])
        split.setStretchFactor(1, 1)
        self.column.addWidget(split, 1)
        self.column.addLayout(self._make_bottom())
        remedies = self._make_remedies()
        box, self.import_button = buttons(self, "Import", "import_button")
        box.accepted.connect(self._import)
        self.finish_layout(box, remedies)
        self.import_button.setEnabled(False)
        self._timer = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._timer.timeout.connect(self._look)
        self.resize(1040, 700)
        self._look()

    def done(self, result: int) -> None:
        """Let a reading that goes on end at its next chunk."""
        self._timer.stop()
        self._forget_look()
        super().done(result)

    # Building

    def _make_options(self) -> QWidget:
        self.fields = ReadingFields()
        self.fields.changed.connect(self._later)
        area = QScrollArea(self)
        area.setObjectName("import_options")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setMinimumWidth(290)
        area.setWidget(self.fields)
        return area

    def _make_preview(self) -> QWidget:
        self.tabs = QTabWidget(self)
        named(self.tabs, "import_tabs", "Preview or columns")
        self.preview = QTableView(self)
        named(self.preview, "import_preview", "The first rows as they are read")
        self.preview.setAlternatingRowColors(True)
        self.preview.setWordWrap(False)
        self.preview.verticalHeader().setDefaultSectionSize(24)
        self.columns = ColumnList(self)
        self.columns.kind_wanted.connect(self._set_kind)
        self.tabs.addTab(self.preview, "Preview")
        self.tabs.addTab(self.columns, "Columns")
        return self.tabs

    def _make_bottom(self) -> QHBoxLayout:
        self.name = QLineEdit(self._path.stem, self)
        named(self.name, "dataset_name", "Name in the project")
        self.target = TargetChoice(self, "The column that models predict; it can be chosen later")
        self.copy = QCheckBox("&Copy the file into the project", self)
        named(
            self.copy,
            "import_copy",
            "Copy the file into the project",
            "Otherwise the project refers to it where it lies",
        )
        left, right = form(), form()
        left.addRow("&Name", self.name)
        right.addRow("&Target", self.target)
        row = QHBoxLayout()
        row.setSpacing(24)
        row.addLayout(left, 1)
        row.addLayout(right, 1)
        row.addWidget(self.copy)
        return row

    def _make_remedies(self) -> QHBoxLayout:
        self.as_missing = QPushButton("Treat as missing", self)
        named(self.as_missing, "treat_as_missing_button", "Treat these texts as missing values")
        self.as_text = QPushButton("Read the column as text", self)
        named(self.as_text, "read_as_text_button", "Read the column as text; it is then no factor")
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.as_missing, self.as_text):
            button.setAutoDefault(False)
            button.hide()
            row.addWidget(button)
        row.addStretch(1)
        self.as_missing.clicked.connect(lambda: self._remedy("missing"))
        self.as_text.clicked.connect(lambda: self._remedy("text"))
        self._cell_error: Any = None
        return row

    # Looking

    def _later(self) -> None:
        self.import_button.setEnabled(False)
        self._timer.start()

    def _look(self) -> None:
        self._forget_look()
        path, fixed = self._path, dict(self.fields.fixed)
        self._forget_look = run_in_background(lambda: look_at(path, fixed), self._show, self._cant_look, owner=self)

    def _show(self, understood: Understood) -> None:
        from sensiview.gui.frame_model import FrameModel

        self._understood = understood
        options, frame = understood.options, understood.frame
        self.fields.follow(options, understood.sheets)
        self.sentence.setText(" ".join(options.understood))
        # A header of thousands of columns takes seconds to lay out; the list of columns has them all.
        old = self.preview.model()
        model = FrameModel(frame.iloc[:, :_COLUMNS_PREVIEWED])
        model.setParent(self.preview)
        self.preview.setModel(model)
        if old is not None:
            old.deleteLater()
        self.preview.resizeColumnsToContents()
        self.columns.show_columns(frame, dict(options.kinds), options.left_out)
        self.target.offer([str(name) for name in frame.columns], likely_target(frame))
        self._hide_problem()
        self.import_button.setEnabled(True)

    def _cant_look(self, error: SensiViewError) -> None:
        self._understood = None
        self.say(error)

    def _set_kind(self, names: list[str], kind: str) -> None:
        if self._understood is None:
            return
        options = self._understood.options
        left_out = [name for name in options.left_out if name not in names]
        kinds: dict[str, str] = {name: value for name, value in options.kinds.items() if name not in names}
        if kind == "out":
            left_out += names
        elif kind != "number":
            kinds |= dict.fromkeys(names, kind)
        # What is "number" by the user's wish must not be found out to be text again.
        wanted = {**kinds, **(dict.fromkeys(names, "number") if kind == "number" else {})}
        self.fields.fixed["left_out"] = tuple(left_out)
        self.fields.fix("kinds", wanted)

    # Importing

    def _import(self) -> None:
        if self._understood is None:
            return
        options = self._understood.options
        with self._session.guard():
            project = self._session.writable_project()
            self._hide_problem()
            self.import_button.setEnabled(False)
            path, name, target = self._path, self.name.text().strip() or self._path.stem, self.target.currentData()
            copy = self.copy.isChecked()

            def read(tell: Tell) -> DatasetSource:
                return read_and_add(project, path, options, name=name, target=target, copy=copy, on_progress=tell)

            self.work(read, self._added, lambda: self.import_button.setEnabled(True))

    def _added(self, source: DatasetSource) -> None:
        for note in source.card.notes:
            self._session.say(f"'{source.card.name}': {note}", level="warning")
        self._session.entries_changed("dataset")
        self.accept()
        self.imported.emit(source.id)

    def say(self, error: SensiViewError) -> None:
        """Show what went wrong, and for a cell that can't be read what can be done about it."""
        from sensiview.datasets.options import CellError

        super().say(error)
        self._cell_error = error if isinstance(error, CellError) else None
        self.as_missing.setVisible(self._cell_error is not None)
        self.as_text.setVisible(self._cell_error is not None)

    def _hide_problem(self) -> None:
        self.problem.hide()
        self.as_missing.hide()
        self.as_text.hide()

    def _remedy(self, what: str) -> None:
        error, understood = self._cell_error, self._understood
        if error is None or understood is None:
            return
        self._hide_problem()
        if what == "missing":
            self.fields.fix("missing_values", understood.options.with_missing(*error.values).missing_values)
        else:
            self.fields.fix("kinds", dict(understood.options.with_text(error.column).kinds))


def _nothing() -> None:
    """Nothing to forget."""
