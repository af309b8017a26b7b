"""Going on with a finished run: larger values, every evaluation re-used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QWidget

from sensiview.errors import SensiViewError
from sensiview.gui.dialogs.layout import buttons, dialog_column, label
from sensiview.gui.schema_form import SchemaForm
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord


class ExtendRunDialog(QDialog):
    """The parameters that may grow, with twice the sample size to begin with.

    Signals
    -------
    started
        The `RunRecord` that was queued.
    """

    started = Signal(object)

    def __init__(self, session: Session, run: RunRecord, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._run = run
        analysis = session.catalogue[run.analysis]
        column = dialog_column(self, "extend_dialog", "Extend run")
        column.addWidget(label(f"Extend '{run.name}'", "heading", self))
        said = (
            "The new run goes on from this one's evaluations: the same design goes on and nothing is computed twice. "
            "The finished run stays as it is."
        )
        column.addWidget(label(said, "muted", self))
        values: dict[str, Any] = dict(run.parameters)
        if isinstance(values.get("n"), int):
            values["n"] = 2 * values["n"]
        self.form = SchemaForm(
            analysis.Parameters.model_json_schema(), values, only=analysis.extendable, prefix="parameter", parent=self
        )
        column.addWidget(self.form)
        self.problem = label("", "error", self, name="extend_problem")
        self.problem.hide()
        column.addWidget(self.problem)
        column.addStretch(1)
        box, _main = buttons(self, "Extend", "start_extend_button")
        box.accepted.connect(self._start)
        column.addWidget(box)
        self.setMinimumWidth(480)

    def _start(self) -> None:
        changes = {name: value for name, value in self.form.values().items() if value != self._run.parameters.get(name)}
        try:
            run = self._session.extend(self._run.id, changes)
        except SensiViewError as error:
            self.problem.setText(error.sentence)
            self.problem.show()
            return
        self.accept()
        self.started.emit(run)
