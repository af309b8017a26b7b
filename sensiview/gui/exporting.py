"""Writing results to files: the tables in a background thread, the plots by the GUI thread one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from sensiview.gui.background import run_in_background

if TYPE_CHECKING:
    from sensiview.analysis.items import Item
    from sensiview.gui.main_window import MainWindow
    from sensiview.gui.plots.volume_mosaic import VolumeMosaic
    from sensiview.projects.records import RunRecord
    from sensiview.reporting.anatomy import Anatomy


class PlotDrawer(QObject):
    """Draws for another thread: that one waits, the GUI thread draws between two of its events."""

    _wanted = Signal(object, object, object, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._prepared: tuple[Item, VolumeMosaic | None] | None = None
        self._wanted.connect(self._draw, Qt.ConnectionType.BlockingQueuedConnection)

    def draw(self, item: Item, path: Path, anatomy: Anatomy | None) -> bool:
        """Write the plot of an item into a file; called in another thread. Raises what drawing raises."""
        from sensiview.gui.plots.drawing import mosaic_of, save_mosaic

        if self._prepared is None or self._prepared[0] is not item:  # the same map as PNG and as SVG is looked at once
            self._prepared = item, mosaic_of(item, anatomy)
        mosaic = self._prepared[1]
        if mosaic is not None:  # slices are painted on a picture, which no thread but this one knows
            return save_mosaic(mosaic, path)
        answer: dict[str, Any] = {}
        self._wanted.emit(item, path, anatomy, answer)
        if "error" in answer:
            raise answer["error"]
        return bool(answer.get("drawn", False))

    @Slot(object, object, object, object)
    def _draw(self, item: Item, path: Path, anatomy: Anatomy | None, answer: dict[str, Any]) -> None:
        from sensiview.gui.plots.drawing import draw_item

        try:
            answer["drawn"] = draw_item(item, path, anatomy=anatomy)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits for it
            answer["error"] = error


def ask_and_export(window: MainWindow, run: RunRecord) -> None:
    """Ask for a folder, then write the run's record, tables, arrays and plots into a folder of its own in it."""
    dialog = QFileDialog(window, f"Export '{run.name}' to")
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.fileSelected.connect(lambda folder: export_to(window, run, Path(folder) / run.id))
    window.show_dialog("export", dialog, sheet=True)


def export_to(window: MainWindow, run: RunRecord, folder: Path) -> None:
    """Write a run's record, tables, arrays and plots into `folder`."""
    session = window.session
    with session.guard():
        from sensiview.reports import anatomy_of

        items = dict(session.result(run.id))
        anatomy = anatomy_of(session.require_project(), run)
        drawer = PlotDrawer(window)

        def write() -> list[Path]:
            from sensiview.reporting.export import export_run

            return export_run(run.model_dump(mode="json"), items, folder, draw=drawer.draw, anatomy=anatomy)

        def done(files: list[Path]) -> None:
            drawer.deleteLater()
            for sentence in anatomy.sentences:
                session.say(sentence, level="warning")
            session.say(f"{len(files)} files of '{run.name}' are in {folder}.", level="good")
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

        session.say(f"Writing '{run.name}' to {folder} …")
        run_in_background(write, done, session.problem.emit, owner=drawer)


def ask_and_report(window: MainWindow) -> None:
    """Ask for a file, then write the report of all finished runs."""
    project = window.session.require_project()
    dialog = QFileDialog(window, "Write report", str(project.path.parent / f"{project.path.stem}.html"))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(["Web page (*.html)", "PDF (*.pdf)"])
    dialog.setDefaultSuffix("html")
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix("pdf" if "pdf" in chosen else "html"))
    dialog.fileSelected.connect(lambda path: report_to(window, Path(path)))
    window.show_dialog("report", dialog, sheet=True)


def report_to(window: MainWindow, path: Path) -> None:
    """Write the report of all finished runs as a web page or a PDF."""
    session = window.session
    with session.guard():
        project = session.require_project()
        drawer = PlotDrawer(window)
        printed = path.suffix.lower() == ".pdf"

        def write() -> tuple[str, list[str]]:
            from sensiview.reports import project_report

            target = None if printed else path
            html, _, notes = project_report(project, session.catalogue, [], target, drawer.draw, for_print=printed)
            return html, notes

        def done(written: tuple[str, list[str]]) -> None:
            html, notes = written
            drawer.deleteLater()
            for sentence in notes:
                session.say(sentence, level="warning")
            if printed:
                # Qt prints in the thread that owns the fonts: the GUI thread.
                from sensiview.gui.printing import write_pdf

                with session.guard():
                    write_pdf(html, path)
            session.say(f"The report is {path}.", level="good")
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

        session.say(f"Writing the report {path.name} …")
        run_in_background(write, done, session.problem.emit, owner=drawer)
