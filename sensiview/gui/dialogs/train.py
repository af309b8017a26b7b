"""Training a network on the chosen data set."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
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
_USUAL = {
    "table": ("epochs", "learning_rate", "train_rows", "test_rows", "standardise"),
    "volumes": ("epochs", "learning_rate", "batch_size", "test_share", "class_weights"),
    "images": (
        "epochs", "learning_rate", "schedule", "batch_size", "test_share", "class_weights",
        "flip", "crop_padding", "rotation", "colour_jitter",
    ),
}  # fmt: skip
# How rows of a table are chosen and scaled says nothing of volumes; folds and freezing have fields of their own.
_HIDDEN: dict[str, tuple[str, ...]] = {
    "table": (),
    "volumes": ("train_rows", "test_rows", "standardise", "folds", "fold", "run", "split_seed"),
    "images": ("standardise", "folds", "fold", "run", "freeze"),
}
# Options that the data decide.
_OF_DATA = ("num_classes",)
_SPATIAL = ("volumes", "images")
# More classes than this are counted.
_NAMED = 12


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
        if card.kind in _SPATIAL:
            most = list(card.class_counts.items())
            names = ", ".join(f"{name} ({count})" for name, count in most[:_NAMED]) or "no classes"
            more = f" and {len(most) - _NAMED} more" if len(most) > _NAMED else ""
            what = counted(card.n_rows, card.kind.removesuffix("s"))
            return f"On '{card.name}': {what}, {card.target or 'no target'}: {names}{more}."
        classes = f", {counted(len(card.class_counts), 'class')}" if card.class_counts else ", a number"
        if len(card.class_counts) > 1:
            classes = f", {len(card.class_counts)} classes"
        return (
            f"On '{card.name}': {counted(card.n_rows, 'row')}, {counted(len(card.features), 'factor')}, "
            f"target {card.target}{classes}."
        )

    def _kind(self) -> str:
        return self._source.card.kind if self._source is not None else "table"

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
        self.base = QComboBox(content)
        named(self.base, "training_base", "Start from", "Random weights, or those of a model of this project")
        self.base.addItem("Random weights", "")
        self.freeze = QCheckBox("Train the last layer only", content)
        named(self.freeze, "training_freeze", "Train the last layer only", "The weights of all other layers are kept")
        for start in (self.base, self.freeze):
            start.setVisible(self._kind() == "images")
        if self._kind() == "images":
            fields.addRow("Start &from", self.base)
            fields.addRow("", self.freeze)
        self.freeze.setEnabled(False)
        self.freeze.toggled.connect(self._suit_rate)
        self.base.currentIndexChanged.connect(self._start_from)
        fields.addRow("&Architecture", self.architecture)
        fields.addRow("&Name", self.name)
        fields.addRow("&Seed", self.seed)
        fields.addRow("&Device", self.device)
        self.folds = QSpinBox(content, minimum=1, maximum=100)
        self.folds.setSpecialValueText("one split")
        named(
            self.folds, "training_folds", "Folds",
            "Cross-validation by subject or group: one network per fold, each tested on those of its fold",
        )  # fmt: skip
        self.runs = QSpinBox(content, minimum=1, maximum=100)
        named(self.runs, "training_runs", "Runs", "Networks per fold, each from another random start")
        self.folds.valueChanged.connect(lambda folds: self.runs.setEnabled(folds > 1))
        self.runs.setEnabled(False)
        for field in (self.folds, self.runs):
            field.setVisible(self._kind() in _SPATIAL)
        if self._kind() in _SPATIAL:
            fields.addRow("F&olds", self.folds)
            fields.addRow("R&uns", self.runs)
        layout.addLayout(fields)
        self._help = label("Loading the architectures …", "muted", content)
        layout.addWidget(self._help)
        self._options_title = label("Options of the network", "subheading", content)
        layout.addWidget(self._options_title)
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
        fitting = [entry for entry in entries if entry.input_kind == self._kind()]
        self._entries = {entry.key: entry for entry in fitting}
        for entry in fitting:
            self.architecture.addItem(entry.title, entry.key)
        if self._kind() == "images":
            for source in self._session.models():
                if source.weights is not None and source.card.architecture in self._entries:
                    self.base.addItem(source.card.name, source.id)
        self.train_button.setEnabled(bool(fitting) and self._source is not None)

    def _start_from(self) -> None:
        """Take the architecture of the model to start from."""
        source = next((s for s in self._session.models() if s.id == self.base.currentData()), None)
        self.freeze.setEnabled(source is not None)
        self.architecture.setEnabled(source is None)
        if source is None:
            self.freeze.setChecked(False)
        else:
            self.architecture.setCurrentIndex(self.architecture.findData(source.card.architecture))
            self.name.setText(f"{source.card.name}, further")
        self._show_options()

    def _suit_rate(self) -> None:
        """Give the last layer alone larger steps, unless the rate was changed by hand."""
        from sensiview.models.recipe import FROZEN_FACTOR

        entry = self._entries.get(self.architecture.currentData())
        rate = self._usual.field("learning_rate") if self._usual is not None else None
        if entry is None or not isinstance(rate, QDoubleSpinBox):
            return
        usual = float(entry.recipe["learning_rate"])
        if any(math.isclose(rate.value(), factor * usual) for factor in (1.0, FROZEN_FACTOR)):
            rate.setValue(usual * (FROZEN_FACTOR if self.freeze.isChecked() else 1.0))

    def _show_options(self) -> None:
        shown = not self.base.currentData()
        self._options_title.setVisible(shown)
        if self._options is not None:
            self._options.setVisible(shown)

    def _chosen(self) -> None:
        entry = self._entries.get(self.architecture.currentData())
        if entry is None:
            return
        self._help.setText(entry.help)
        if not self.base.currentData():
            self.name.setText(entry.title)
        self._options = self._replace(
            self._options, self._options_place, SchemaForm(entry.schema, leave_out=_OF_DATA, parent=self)
        )
        self._show_options()
        schema = recipe_schema()
        shown = _USUAL.get(self._kind(), _USUAL["table"])
        properties = schema.get("properties", {})
        hidden = [name for name, field in properties.items() if self._kind() not in field.get("for", [self._kind()])]
        hidden += _HIDDEN.get(self._kind(), ())
        usual = SchemaForm(schema, entry.recipe, only=shown, prefix="recipe", parent=self)
        more = SchemaForm(schema, entry.recipe, leave_out=(*shown, *hidden), prefix="recipe", parent=self)
        self._usual = self._replace(self._usual, self._recipe_place, usual)
        self._more = self._replace(self._more, self._more_place, more)
        self._more.setVisible(self._more_button.isChecked())

    def _replace(self, old: SchemaForm | None, place: QVBoxLayout, new: SchemaForm) -> SchemaForm:
        if old is not None:
            place.removeWidget(old)
            old.hide()
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
        choices: dict[str, Any] = {
            "dataset": self._source.id,
            "options": self._options.values(),
            "recipe": {**self._usual.values(), **self._more.values()},
            "device": self.device.value(),
            "seed": self.seed.value(),
            "name": self.name.text().strip() or entry.title,
        }
        if base := self.base.currentData():
            choices |= {"base": base, "options": {}}
            choices["recipe"]["freeze"] = self.freeze.isChecked()
        try:
            if self.folds.value() > 1:
                run = self._session.start_cross_validation(
                    entry.key, folds=self.folds.value(), runs=self.runs.value(), **choices
                )[0]
            else:
                run = self._session.start_training(entry.key, **choices)
        except SensiViewError as error:
            self._say(error)
            return
        self.accept()
        self.started.emit(run)
