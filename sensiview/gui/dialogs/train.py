"""Training a network on the chosen data set."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFrame,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)  # fmt: skip

from sensiview.errors import SensiViewError
from sensiview.gui.architecture_list import ArchitectureEntry, list_architectures, recipe_schema
from sensiview.gui.device_choice import DeviceChoice
from sensiview.gui.dialogs.layout import buttons, dialog_column, form, label, named, set_role
from sensiview.gui.entry_texts import counted
from sensiview.gui.schema_form import SchemaForm
from sensiview.gui.session import Session

# What people change; the rest is behind "More settings".
_USUAL = ("epochs", "learning_rate", "train_rows", "test_rows", "standardise")


class TrainDialog(QDialog):
    """Architecture, options, recipe, seed and device; the curves then appear in a result tab.

    Signals
    -------
    started
        The `RunRecord` that was queued.
    """

    started = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._entries: dict[str, ArchitectureEntry] = {}
        self._source = session.dataset
        self._options: SchemaForm | None = None
        self._usual: SchemaForm | None = None
        self._more: SchemaForm | None = None
        column = dialog_column(self, "train_dialog", "Train model")
        column.addWidget(label("Train model", "heading", self))
        column.addWidget(label(self._about_data(), "muted", self, name="train_data"))
        self._body = self._make_body()
        column.addWidget(self._body, 1)
        self.problem = label("", "error", self, name="train_problem")
        self.problem.hide()
        column.addWidget(self.problem)
        box, self.train_button = buttons(self, "Train", "train_button")
        box.accepted.connect(self._start)
        column.addWidget(box)
        self.train_button.setEnabled(False)
        self.resize(600, 700)
        list_architectures(self._take, self._say, self)

    def _about_data(self) -> str:
        if self._source is None:
            return "Choose a data set first."
        card = self._source.card
        classes = f", {counted(len(card.class_counts), 'class')}" if card.class_counts else ", a number"
        if len(card.class_counts) > 1:
            classes = f", {len(card.class_counts)} classes"
        return (
            f"On '{card.name}': {counted(card.n_rows, 'row')}, {counted(len(card.features), 'factor')}, "
            f"target {card.target}{classes}."
        )

    def _make_body(self) -> QScrollArea:
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(16)
        fields = form()
        self.architecture = QComboBox(content)
        named(self.architecture, "architecture_choice", "Architecture")
        self.architecture.currentIndexChanged.connect(self._chosen)
        self.name = QLineEdit(content)
        named(self.name, "model_name", "Name of the model")
        self.seed = QSpinBox(content, minimum=1, maximum=2_000_000_000)
        named(self.seed, "training_seed", "Seed", "The same seed gives the same network")
        self.device = DeviceChoice(self._session, content)
        fields.addRow("&Architecture", self.architecture)
        fields.addRow("&Name", self.name)
        fields.addRow("&Seed", self.seed)
        fields.addRow("&Device", self.device)
        layout.addLayout(fields)
        self._help = label("Loading the architectures …", "muted", content)
        layout.addWidget(self._help)
        layout.addWidget(label("Options of the network", "subheading", content))
        self._options_place = QVBoxLayout()
        layout.addLayout(self._options_place)
        layout.addWidget(label("Training", "subheading", content))
        self._recipe_place = QVBoxLayout()
        self._recipe_place.setSpacing(8)
        layout.addLayout(self._recipe_place)
        self._more_button = QToolButton(content)
        named(self._more_button, "more_training_settings", "More settings")
        self._more_button.setText("More settings")
        self._more_button.setCheckable(True)
        self._more_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more_button.setArrowType(Qt.ArrowType.RightArrow)
        self._more_button.toggled.connect(self._show_more)
        layout.addWidget(self._more_button)
        self._more_place = QVBoxLayout()
        layout.addLayout(self._more_place)
        layout.addStretch(1)
        area = QScrollArea(self)
        area.setObjectName("train_fields")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(content)
        return area

    def _take(self, entries: list[ArchitectureEntry]) -> None:
        tables = [entry for entry in entries if entry.input_kind == "table"]
        self._entries = {entry.key: entry for entry in tables}
        for entry in tables:
            self.architecture.addItem(entry.title, entry.key)
        self.train_button.setEnabled(bool(tables) and self._source is not None)

    def _chosen(self) -> None:
        entry = self._entries.get(self.architecture.currentData())
        if entry is None:
            return
        self._help.setText(entry.help)
        self.name.setText(entry.title)
        self._options = self._replace(self._options, self._options_place, SchemaForm(entry.schema, parent=self))
        schema = recipe_schema()
        usual = SchemaForm(schema, entry.recipe, only=_USUAL, prefix="recipe", parent=self)
        more = SchemaForm(schema, entry.recipe, leave_out=_USUAL, prefix="recipe", parent=self)
        self._usual = self._replace(self._usual, self._recipe_place, usual)
        self._more = self._replace(self._more, self._more_place, more)
        self._more.setVisible(self._more_button.isChecked())

    def _replace(self, old: SchemaForm | None, place: QVBoxLayout, new: SchemaForm) -> SchemaForm:
        if old is not None:
            place.removeWidget(old)
            old.deleteLater()
        place.addWidget(new)
        return new

    def _show_more(self, shown: bool) -> None:
        self._more_button.setArrowType(Qt.ArrowType.DownArrow if shown else Qt.ArrowType.RightArrow)
        if self._more is not None:
            self._more.setVisible(shown)

    def _say(self, error: SensiViewError) -> None:
        self.problem.setText(error.sentence)
        set_role(self.problem, "error")
        self.problem.show()

    def _start(self) -> None:
        entry = self._entries.get(self.architecture.currentData())
        if entry is None or self._options is None or self._usual is None or self._more is None or self._source is None:
            return
        try:
            run = self._session.start_training(
                entry.key,
                dataset=self._source.id,
                options=self._options.values(),
                recipe={**self._usual.values(), **self._more.values()},
                device=self.device.value(),
                seed=self.seed.value(),
                name=self.name.text().strip() or entry.title,
            )
        except SensiViewError as error:
            self._say(error)
            return
        self.accept()
        self.started.emit(run)
