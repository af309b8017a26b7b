"""Adding a trained model: architecture and weights, or an exported program; checked before it is added."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from sensiview.errors import SensiViewError
from sensiview.gui.architecture_list import ArchitectureEntry, list_architectures
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.key_table import KeyTable
from sensiview.gui.dialogs.layout import buttons, dialog_column, form, label, named, row_label, set_role
from sensiview.gui.dialogs.preprocessing_fields import PreprocessingFields
from sensiview.gui.image_settings_text import image_settings_line
from sensiview.gui.model_inspector import ModelInspector
from sensiview.gui.schema_form import SchemaForm
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.analysis.sources import ModelSource
    from sensiview.models.card import ModelCard

_PROGRAM = ""
_FILES = "Weights (*.pth *.pt *.ckpt *.safetensors *.pt2);;All files (*)"
# The check follows this long after the last change of the form.
_PATIENCE_MS = 500


class AddModelDialog(QDialog):
    """The file is opened in a worker process, never here, and nothing in it is executed.

    Signals
    -------
    added
        Identifier of the model in the project.
    """

    added = Signal(str)

    def __init__(self, session: Session, weights: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._entries: dict[str, ArchitectureEntry] = {}
        self._options: SchemaForm | None = None
        self._card: ModelCard | None = None
        self._inspector = ModelInspector(session, self)
        self._inspector.inspected.connect(self._fits)
        self._inspector.failed.connect(self._does_not_fit)
        self._timer = QTimer(self, singleShot=True, interval=_PATIENCE_MS)
        self._timer.timeout.connect(self._check)
        column = dialog_column(self, "add_model_dialog", "Add model")
        column.addWidget(label("Add model", "heading", self))
        said = (
            "Weights are read without executing anything in the file. They need the architecture they were trained "
            "with; a program exported with torch.export (.pt2) brings its own."
        )
        column.addWidget(label(said, "muted", self))
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.setChildrenCollapsible(False)
        split.addWidget(self._make_fields())
        split.addWidget(self._make_verdict())
        split.setSizes([440, 420])
        column.addWidget(split, 1)
        box, self.add_button = buttons(self, "Add model", "add_model_button")
        box.accepted.connect(self._add)
        column.addWidget(box)
        self.add_button.setEnabled(False)
        self.resize(960, 660)
        if weights is not None:
            self._take_file(str(weights))
        list_architectures(self._take, self._does_not_fit, self)

    def done(self, result: int) -> None:
        """End the worker before the dialog goes."""
        self._timer.stop()
        self._inspector.shut_down()
        super().done(result)

    # Building

    def _make_fields(self) -> QWidget:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 16, 0)
        layout.setSpacing(16)
        fields = form()
        self.file = QLineEdit(content, placeholderText="Drop a file here or choose one")
        named(self.file, "weights_file", "File with weights or program")
        choose = QPushButton("Choose…", content)
        named(choose, "choose_weights_button", "Choose file")
        choose.setAutoDefault(False)
        choose.clicked.connect(self._choose_file)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.file, 1)
        row.addWidget(choose)
        self.architecture = QComboBox(content)
        named(self.architecture, "architecture_choice", "Architecture")
        self.architecture.setMaxVisibleItems(18)
        self.name = QLineEdit(content)
        named(self.name, "model_name", "Name in the project")
        self.classes = QLineEdit(content, placeholderText="healthy, diabetes")
        named(self.classes, "class_names", "Class names", "Separated by commas, in the order of the model's classes")
        fields.addRow(row_label("&File", self.file, content), row)
        fields.addRow("&Architecture", self.architecture)
        fields.addRow("&Name", self.name)
        fields.addRow("&Classes", self.classes)
        layout.addLayout(fields)
        self._help = label("Loading the architectures …", "muted", content)
        layout.addWidget(self._help)
        self._options_title = label("Options of the architecture", "subheading", content)
        layout.addWidget(self._options_title)
        self._options_place = QVBoxLayout()
        layout.addLayout(self._options_place)
        layout.addWidget(label("Before the first layer", "subheading", content))
        self.preprocessing = PreprocessingFields(self._session, content)
        layout.addWidget(self.preprocessing)
        layout.addStretch(1)
        for signal in (self.file.textChanged, self.classes.textChanged, self.preprocessing.changed):
            signal.connect(self._later)
        self.architecture.currentIndexChanged.connect(self._chosen)
        area = QScrollArea(self)
        area.setObjectName("add_model_fields")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        return area

    def _make_verdict(self) -> QWidget:
        pane = QWidget(self)
        layout = QVBoxLayout(pane)
        layout.setContentsMargins(16, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(label("Do they fit?", "subheading", pane))
        self.verdict = label("Choose a file; it is checked at once.", "muted", pane, name="weights_verdict")
        layout.addWidget(self.verdict)
        self.keys = KeyTable(pane)
        layout.addWidget(self.keys, 1)
        return pane

    # The form

    def _take(self, entries: list[ArchitectureEntry]) -> None:
        self._entries = {entry.key: entry for entry in entries}
        self.architecture.blockSignals(True)
        for entry in entries:
            self.architecture.addItem(f"{entry.title}   ({entry.key})", entry.key)
        self.architecture.addItem("Exported program (.pt2)", _PROGRAM)
        if Path(self.file.text()).suffix.lower() == ".pt2":
            self.architecture.setCurrentIndex(self.architecture.findData(_PROGRAM))
        self.architecture.blockSignals(False)
        self._chosen()

    def _chosen(self) -> None:
        entry = self._entries.get(self.architecture.currentData())
        self._help.setText(entry.help if entry else "The program holds the network itself; it gives outputs only.")
        if self._options is not None:
            self._options_place.removeWidget(self._options)
            self._options.hide()
            self._options.deleteLater()
        self._options = SchemaForm(entry.schema if entry else {}, parent=self)
        self._options.changed.connect(self._later)
        self._options_place.addWidget(self._options)
        self.preprocessing.show_for(entry.input_kind if entry else "", entry.preprocessing if entry else {})
        self._options_title.setVisible(entry is not None)
        self._options.setVisible(entry is not None)
        self._later()

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Weights or program", str(Path(self.file.text()).parent))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(_FILES.split(";;"))
        dialog.fileSelected.connect(self._take_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _take_file(self, path: str) -> None:
        self.file.setText(path)
        if not self.name.text():
            self.name.setText(Path(path).stem)
        program = self.architecture.findData(_PROGRAM)
        if Path(path).suffix.lower() == ".pt2" and program >= 0:
            self.architecture.setCurrentIndex(program)

    def _later(self) -> None:
        self._card = None
        self.add_button.setEnabled(False)
        self._inspector.drop()
        self._timer.start()

    # The check

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.file.text().strip()).expanduser()

    def _check(self) -> None:
        if not self.file.text().strip() or not self._entries:
            self._say("Choose a file; it is checked at once.", "muted")
            return
        if not self.path.is_file():
            self._say(f"There is no file '{self.path}'.", "error")
            return
        from sensiview.models.card import ModelCard

        try:
            preprocessing = self.preprocessing.value()
        except SensiViewError as error:
            self._say(error.sentence, "error")
            return
        key = str(self.architecture.currentData() or "")
        source = self._session.dataset
        takes_tables = key in self._entries and self._entries[key].input_kind == "table"
        card = ModelCard(
            # A hint for weights whose shapes do not tell; what the weights say wins.
            input_shape=(len(source.card.features),) if source is not None and takes_tables else (),
            name=self.name.text().strip() or self.path.stem,
            architecture=key,
            options=self._options.changes() if self._options is not None and key else {},
            class_names=tuple(part.strip() for part in self.classes.text().split(",") if part.strip()),
            preprocessing=preprocessing,
        )
        self._say("Reading the file …", "muted")
        self.keys.clear()
        self._inspector.inspect(card, self.path if key else None, None if key else self.path)

    def _fits(self, card: ModelCard, items: dict[str, Any]) -> None:
        self._card = self._with_names(card)
        inputs = f"{card.n_inputs} inputs" if card.n_inputs is not None else f"inputs of shape {card.input_shape}"
        outputs = len(card.output_names) or len(card.class_names)
        outputs_text = f", {outputs} output{'s' if outputs != 1 else ''}" if outputs else ""
        said = f"They fit: {card.n_parameters:,} parameters, {inputs}{outputs_text}."
        if card.preprocessing.get("kind") == "image":
            said += f" Before: {image_settings_line(card.preprocessing)}"
        self._say(said, "good")
        self.keys.show_items(items)
        self.add_button.setEnabled(True)

    def _with_names(self, card: ModelCard) -> ModelCard:
        """Name the inputs after the chosen data set's factors where their number is the same."""
        source = self._session.dataset
        if source is not None and not card.input_names and card.n_inputs == len(source.card.features):
            return card.model_copy(update={"input_names": source.card.features})
        return card

    def _does_not_fit(self, error: SensiViewError) -> None:
        self._say(error.sentence, "error")
        self.keys.show_text(error.details)

    def _say(self, sentence: str, role: str) -> None:
        self.verdict.setText(sentence)
        set_role(self.verdict, role)

    # The end

    def _add(self) -> None:
        card, path = self._card, self.path
        if card is None:
            return
        card = card.model_copy(update={"name": self.name.text().strip() or path.stem})
        project = self._session.writable_project()
        self.add_button.setEnabled(False)
        weights, program = (path, None) if card.architecture else (None, path)
        run_in_background(
            lambda: project.add_model(card, weights=weights, program=program),
            self._added,
            self._does_not_fit,
            owner=self,
        )

    def _added(self, source: ModelSource) -> None:
        self._session.entries_changed("model")
        self.accept()
        self.added.emit(source.id)
