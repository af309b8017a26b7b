"""Choose an analysis, set its parameters, see what it will take, run it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sensiview.analysis.contract import Analysis
from sensiview.analysis.study import Study
from sensiview.errors import SensiViewError, UserError
from sensiview.gui.analysis_list import AnalysisList, Offer
from sensiview.gui.field_specs import Context
from sensiview.gui.help_dialog import HelpDialog
from sensiview.gui.parameter_form import ParameterForm
from sensiview.gui.run_cost import CostCard, estimate
from sensiview.gui.run_inputs import RunInputs
from sensiview.gui.run_settings import RunSettings
from sensiview.gui.session import Session

_LIST_HEIGHT = 145
_WAIT_MS = 120  # a cost for every key stroke would be too many


class AnalysisPane(QWidget):
    """The form on the right.

    Signals
    -------
    started(str)
        A run with this identifier was queued.
    """

    started = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("analysis_pane")
        self._session = session
        self._key = ""
        self._kept: dict[str, dict[str, Any]] = {}
        self.form: ParameterForm | None = None
        self.inputs = RunInputs(session)
        self.list = AnalysisList()
        self.title = QLabel()
        self.title.setProperty("role", "subheading")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.help_button = QToolButton()
        self.settings = RunSettings()
        self.cost = CostCard()
        self.reason = QLabel()
        self.run_button = QPushButton("Run")
        self._wait = QTimer(self, singleShot=True, interval=_WAIT_MS)
        self._wait.timeout.connect(self.refresh)
        self._lay_out()
        self.setFocusProxy(self.list)
        self.list.currentRowChanged.connect(self._choose)
        self.settings.changed.connect(self._wait.start)
        self.run_button.clicked.connect(self.run)
        self.help_button.clicked.connect(self.show_help)
        for signal in (session.project_changed, session.selection_changed, session.datasets_changed,
                       session.models_changed, session.runs_changed):  # fmt: skip
            signal.connect(self._follow)
        session.settings_changed.connect(self._take_settings)
        self._take_settings()
        self._follow()

    # What others call.

    def run(self) -> None:
        """Queue the run, or say why not."""
        with self._session.guard():
            problems = self._problems()
            if problems or self.form is None:
                raise UserError(" ".join(problems) or "Choose an analysis first.")
            record = self._session.start_analysis(self._key, self.form.values(), **self.settings.values())
            self.settings.name.clear()
            self.started.emit(record.id)

    def show_run(self, run_id: str) -> None:
        """Fill the form with what an earlier run was started with."""
        record = self._session.run_record(run_id)
        if record is None or not self.list.choose(record.analysis) or self.form is None:
            return
        if record.dataset:
            self._session.select_dataset(record.dataset)
        if record.model:
            self._session.select_model(record.model)
        self.form.set_values(record.parameters)
        self.settings.show_values(device=record.device, seed=record.seed, batch_size=record.batch_size)

    def show_help(self) -> None:
        """Show the analysis's help page."""
        analysis = self.analysis()
        if analysis is None:
            return
        HelpDialog(analysis, self).open()

    def analysis(self) -> Analysis[Any] | None:
        """Return the chosen analysis."""
        catalogue = self._session.catalogue
        if self._key not in catalogue:
            return None
        return catalogue[self._key]

    def reasons(self) -> list[str]:
        """Return why the run can't start now, as shown; empty when it can."""
        return [line for line in self.reason.text().split("\n") if line]

    def refresh(self) -> None:
        """Check everything and estimate again."""
        self._wait.stop()
        problems = self._problems()
        found = None
        analysis = self.analysis()
        if not problems and analysis is not None and self.form is not None:
            try:
                study = self._study()
                cost = analysis.cost(study, analysis.Parameters.parse(self.form.values()))
                found = estimate(cost, study.model, study.device)
            except SensiViewError as error:
                problems = [error.sentence]
        self.cost.show_estimate(found)
        self.reason.setText("\n".join(problems))
        self.reason.setVisible(bool(problems))
        self.run_button.setEnabled(not problems)
        self.run_button.setToolTip(problems[0] if problems else "Start this analysis (Ctrl+Return)")

    # Inside.

    def _lay_out(self) -> None:
        self.help_button.setText("Help")
        self.help_button.setObjectName("analysis_help_button")
        self.help_button.setAccessibleName("Help on this analysis")
        self.help_button.setToolTip("What this analysis computes, how to read it, and when it misleads")
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.help_button)
        self._fields = QVBoxLayout()
        self._fields.setContentsMargins(0, 0, 0, 0)
        inner = QWidget()
        inner_column = QVBoxLayout(inner)
        inner_column.setContentsMargins(0, 0, 8, 0)
        inner_column.setSpacing(12)
        inner_column.addLayout(self._fields)
        computation = QLabel("Computation")
        computation.setProperty("role", "muted")
        inner_column.addWidget(computation)
        inner_column.addWidget(self.settings)
        inner_column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setObjectName("parameter_scroll")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        self.reason.setObjectName("run_reasons")
        self.reason.setProperty("role", "warning")
        self.reason.setWordWrap(True)
        self.reason.setTextFormat(Qt.TextFormat.PlainText)
        self.run_button.setObjectName("run_button")
        self.run_button.setAccessibleName("Run analysis")
        self.run_button.setProperty("role", "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        column.addWidget(self.inputs)
        form = QWidget()
        form_column = QVBoxLayout(form)
        form_column.setContentsMargins(0, 4, 0, 0)
        form_column.setSpacing(6)
        form_column.addLayout(head)
        form_column.addWidget(scroll, 1)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.setObjectName("analysis_splitter")
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.list)
        splitter.addWidget(form)
        splitter.setStretchFactor(1, 1)
        # Three and a half lines: the half one says that there are more.
        splitter.setSizes([_LIST_HEIGHT, 600])
        column.addWidget(splitter, 1)
        column.addWidget(self.cost)
        column.addWidget(self.reason)
        column.addWidget(self.run_button)

    def _take_settings(self) -> None:
        chosen = self._session.settings
        self.settings.show_values(device=chosen.device, seed=self.settings.seed.value(), batch_size=chosen.batch_size)

    def _follow(self) -> None:
        """Take over another project, data set, model or list of runs."""
        session = self._session
        self.inputs.follow()
        study = self._study()
        offers = []
        with session.guard():
            for analysis in session.catalogue:
                reasons = tuple(analysis.obstacles(study))
                fits = study.dataset is None or study.dataset.kind in analysis.accepts
                offers.append(Offer(analysis.key, analysis.title, analysis.summary(), reasons, fits=fits))
        # What is made for this kind of data comes first.
        self.list.offer(sorted(offers, key=lambda offer: not offer.fits))
        self._choose()
        if self.form is not None:
            self.form.set_context(self._context())
        self.refresh()

    def _choose(self) -> None:
        key = self.list.key()
        if key == self._key and self.form is not None:
            return
        if self.form is not None:
            self._kept[self._key] = self.form.values()
            self._fields.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
            self.form = None
        self._key = key
        analysis = self.analysis()
        self.title.setText(analysis.title if analysis is not None else "No analysis")
        self.help_button.setEnabled(analysis is not None)
        if analysis is not None:
            self.settings.name.setPlaceholderText(analysis.title)
            self.settings.offer_batch_size("batch_size" not in analysis.Parameters.model_fields)
            self.form = ParameterForm(analysis.Parameters)
            self.form.set_context(self._context())
            if key in self._kept:
                self.form.set_values(self._kept[key])
            self.form.changed.connect(self._wait.start)
            self._fields.addWidget(self.form)
        self.refresh()

    def _study(self) -> Study:
        session, settings = self._session, self.settings.values()
        if session.project is None:
            return Study()
        from sensiview.studies import study_of

        return study_of(
            session.project, session.dataset, session.model, device=settings["device"], seed=settings["seed"],
            batch_size=settings["batch_size"],
        )  # fmt: skip

    def _context(self) -> Context:
        session = self._session
        runs = tuple((run.id, run.name, run.analysis) for run in session.runs() if run.state == "succeeded")
        dataset, model = session.dataset, session.model
        return Context(dataset.card if dataset else None, model.card if model else None, runs)

    def _problems(self) -> list[str]:
        """Return every reason why the run can't start."""
        session, analysis = self._session, self.analysis()
        if session.project is None:
            return ["Open or make a project first."]
        if analysis is None or self.form is None:
            return ["Choose an analysis first."]
        if session.project.read_only:
            return ["The project is open for reading only."]
        study = self._study()
        found = analysis.obstacles(study)
        if found:
            return found
        fields = self.form.problems()
        if fields:
            labels = [self.form.field(name).spec.label for name in fields if name in analysis.Parameters.model_fields]
            return [f"Correct {' and '.join(labels)} first." if labels else " ".join(fields.values())]
        try:
            return analysis.problems(study, analysis.Parameters.parse(self.form.values()))
        except SensiViewError as error:
            return [error.sentence]
