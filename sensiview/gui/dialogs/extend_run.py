"""Going on with a finished run: larger values, every evaluation re-used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from sensiview.gui.dialogs.queue_dialog import QueueDialog
from sensiview.gui.schema_form import SchemaForm
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord


class ExtendRunDialog(QueueDialog):
    """The parameters that may grow, with twice the sample size to begin with."""

    def __init__(self, session: Session, run: RunRecord, parent: QWidget | None = None) -> None:
        about = (
            "The new run goes on from this one's evaluations: the same design goes on and nothing is computed twice. "
            "The finished run stays as it is."
        )
        super().__init__(session, "extend", f"Extend '{run.name}'", about, "Extend run", parent)
        self._run = run
        analysis = session.catalogue[run.analysis]
        values: dict[str, Any] = dict(run.parameters)
        if isinstance(values.get("n"), int):
            values["n"] = 2 * values["n"]
        self.form = SchemaForm(
            analysis.Parameters.model_json_schema(), values, only=analysis.extendable, prefix="parameter", parent=self
        )
        self.column.addWidget(self.form)
        self.finish_layout("Extend", "start_extend_button", self._extended)

    def _extended(self) -> RunRecord:
        changes = {name: value for name, value in self.form.values().items() if value != self._run.parameters.get(name)}
        return self._session.extend(self._run.id, changes)
