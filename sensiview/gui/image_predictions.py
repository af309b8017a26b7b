"""How often the chosen model is right about the images: confusion, classes, and the way to the wrong ones."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sensiview.analysis.items import IndexTable, Matrix, Note
from sensiview.gui.frame_table import FrameTable
from sensiview.gui.image_answers import ImageAnswers
from sensiview.gui.plots.matrix import MatrixPlot
from sensiview.gui.session import Session

_HINT = "Click a cell, or press Enter on it, to see its images."


class ImagePredictions(QWidget):
    """Shown as a tab of the data set's page.

    Signals
    -------
    cell_chosen(str, str, str)
        Class and predicted class of a cell of the confusion matrix, and the split it is of (empty for all).
    wrong_wanted()
        The images with wrong answers are to be shown.
    run_opened(str)
        The result of a run is to be shown.
    """

    cell_chosen = Signal(str, str, str)
    wrong_wanted = Signal()
    run_opened = Signal(str)

    def __init__(self, session: Session, answers: ImageAnswers, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("image_predictions")
        self._session, self._answers = session, answers
        self._shown: object = None
        self.part = QComboBox()
        self.part.setObjectName("predictions_part")
        self.part.setAccessibleName("Which images are counted")
        self.part.activated.connect(self._choose_part)
        self.sentence = QLabel()
        self.sentence.setObjectName("predictions_sentence")
        self.sentence.setWordWrap(True)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.start = self._button("run_classification_button", "Run classification")
        self.start.setProperty("role", "primary")
        self.start.clicked.connect(answers.start)
        self.wrong = self._button("show_wrong_button", "Show wrong answers")
        self.wrong.clicked.connect(self.wrong_wanted)
        self.open = self._button("open_classification_button", "Open result")
        self.open.clicked.connect(self._open)
        head = QHBoxLayout()
        head.setContentsMargins(8, 8, 8, 0)
        head.setSpacing(10)
        head.addWidget(self.part)
        head.addStretch(1)
        for button in (self.start, self.wrong, self.open):
            head.addWidget(button)
        self.sentence.setContentsMargins(8, 8, 8, 0)
        self.confusion: MatrixPlot | None = None
        self.classes = FrameTable("class_table")
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.classes)
        self.nothing = QWidget()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.nothing)
        self.stack.addWidget(self.split)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.sentence)
        column.addLayout(head)
        column.addWidget(self.stack, 1)
        answers.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the answers that there are now, or what is needed for some."""
        answers = self._answers
        pending, obstacle = answers.pending(), answers.obstacle()
        model = self._session.model
        name = model.card.name if model is not None else ""
        self.start.setEnabled(not obstacle and pending is None)
        self.start.setToolTip(obstacle or f"Ask '{name}' about every image, as a run of this project")
        self.start.setText("Run again" if answers.by_name else "Run classification")
        self.wrong.setVisible(any(answer.correct is False for answer in answers.by_name.values()))
        self.open.setVisible(answers.run is not None)
        note = answers.items.get("note")
        if pending is not None:
            self.sentence.setText(f"'{name}' is asked about every image …")
        elif isinstance(note, Note):
            self.sentence.setText(f"{name}: {note.text}")
            self.sentence.setToolTip(note.text)
        else:
            self.sentence.setText(obstacle or f"'{name}' was not asked about these images yet.")
        self._show_items()
        if pending is None:
            self._say_accuracy()

    def _show_items(self) -> None:
        items = self._answers.items
        if items is self._shown:
            return
        self._shown = items
        known = isinstance(items.get("confusion"), Matrix)
        chosen = self.part.currentData()
        self.part.clear()
        # The test split first: accuracy on what was trained on says nothing.
        for text, ending in (("test split", "_test"), ("all images", "")):
            if f"confusion{ending}" in items:
                self.part.addItem(text, ending)
        self.part.setCurrentIndex(max(0, self.part.findData(chosen)))
        self.part.setVisible(self.part.count() > 1)
        if known:
            self._show_part()
        self.stack.setCurrentWidget(self.split if known else self.nothing)

    def _say_accuracy(self) -> None:
        """Say how often the model is right about the images that are counted; what else is to be said stays behind."""
        accuracy, model = self._answers.items.get("accuracy"), self._session.model
        if not isinstance(accuracy, IndexTable) or model is None:
            return
        wanted = "test" if self.part.currentData() else "all"
        row = next((r for r in accuracy.frame.to_dict(orient="records") if r["split"] == wanted), None)
        if row is None:
            return
        run = self._answers.run
        warned = " ".join(run.warnings) if run is not None else ""
        self.sentence.setText(
            f"{model.card.name} recognises {row['right']:,} of {row['n']:,} images"
            f"{' of the test split' if wanted == 'test' else ''}: accuracy {row['accuracy']:.1%} (95 % interval "
            f"{row['low']:.1%} to {row['high']:.1%}), balanced {row['balanced_accuracy']:.1%}. {warned}".strip()
        )

    def _show_part(self) -> None:
        ending = str(self.part.currentData() or "")
        confusion, classes = (self._answers.items.get(f"{name}{ending}") for name in ("confusion", "per_class"))
        if not isinstance(confusion, Matrix) or not isinstance(classes, IndexTable):
            return
        if self.confusion is None:
            self.confusion = MatrixPlot(confusion)
            self.confusion.hint = _HINT
            self.confusion.readout.setText(_HINT)
            self.confusion.picked.connect(self._pick)
            self.confusion.problem.connect(self._session.problem)
            self.split.insertWidget(0, self.confusion)
            self.split.setSizes([620, 380])
        else:
            self.confusion.set_item(confusion)
        frame = classes.frame.drop(columns=["recall_low", "recall_high"])
        self.classes.show_frame(frame, units=classes.units, align=True)

    def _choose_part(self) -> None:
        self._show_part()
        self._say_accuracy()

    def _pick(self, cell: int) -> None:
        if self.confusion is not None:
            split = "test" if self.part.currentData() else ""
            self.cell_chosen.emit(*self.confusion.names_of(cell), split)

    def _open(self) -> None:
        run = self._answers.run
        if run is not None:
            self.run_opened.emit(run.id)

    @staticmethod
    def _button(name: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAccessibleName(text)
        return button
