"""Commands about runs: start, stop, repeat, extend, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensiview.errors import UserError
from sensiview.gui.window_part import WindowPart

if TYPE_CHECKING:
    from sensiview.projects.records import RunRecord


class RunCommands(WindowPart):
    """Runs and what becomes of them."""

    def run_analysis(self) -> None:
        """Press the form's Run button."""
        if self._window.analysis is None:
            raise UserError("The analyses are still loading. Try again in a moment.")
        self.choose_analysis()
        self._window.analysis.run()

    def choose_analysis(self) -> None:
        """Go to the list of analyses."""
        dock = self._window.docks["analysis"]
        dock.show()
        dock.raise_()
        if self._window.analysis is not None:
            self._window.analysis.setFocus()

    def edit_run(self, run_id: str) -> None:
        """Put what a run was started with into the form."""
        self.choose_analysis()
        if self._window.analysis is not None:
            self._window.analysis.show_run(run_id)

    def stop_job(self) -> None:
        """Stop the chosen run if it goes on or waits, else the one that goes on."""
        jobs = self._session.jobs
        chosen = self._session.run
        if chosen is not None and (jobs.is_busy_with(chosen.id) or chosen.id in jobs.waiting):
            jobs.cancel(chosen.id)
        elif jobs.live is not None:
            jobs.cancel(jobs.live.run)

    def start_queue(self) -> None:
        """Go on with what waits from last time."""
        self._session.jobs.start_waiting()

    def retry_run(self) -> None:
        """Queue the chosen run anew."""
        self.show_run(self._session.retry(self._chosen_run().id))

    def resume_run(self) -> None:
        """Go on with the chosen run."""
        self.show_run(self._session.resume(self._chosen_run().id))

    def extend_run(self) -> None:
        """Ask for the larger values."""
        from sensiview.gui.dialogs.extend_run import ExtendRunDialog

        dialog = ExtendRunDialog(self._session, self._chosen_run(), self._window)
        dialog.started.connect(self.show_run)
        self._window.show_dialog("extend", dialog, sheet=True)

    def compare_screenings(self) -> None:
        """Show screenings of several networks side by side."""
        from sensiview.gui.screening_comparison import compare_screenings

        run = self._session.run
        compare_screenings(self._session, run.id if run is not None else "")

    def export_run(self) -> None:
        """Ask for a folder and write tables and plots there."""
        from sensiview.gui.exporting import ask_and_export

        ask_and_export(self._window, self._chosen_run())

    def write_report(self) -> None:
        """Ask for a file and write the report of all finished runs."""
        from sensiview.gui.exporting import ask_and_report

        ask_and_report(self._window)

    def _chosen_run(self) -> RunRecord:
        run = self._session.run
        if run is None:
            raise UserError("Choose a run in the project tree first.")
        return run
