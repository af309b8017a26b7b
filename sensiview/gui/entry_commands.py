"""Commands about what a project holds: data sets, models, their files, names and the trash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtWidgets import QFileDialog

from sensiview.datasets.image_kinds import ARRAY_SUFFIXES, IMAGE_SUFFIXES, PICTURE_SUFFIXES, VIDEO_SUFFIXES
from sensiview.errors import UserError
from sensiview.gui.background import run_in_background
from sensiview.gui.project_commands import ProjectCommands
from sensiview.gui.project_tree import DICOM_SUFFIXES, TABLE_SUFFIXES, VOLUME_SUFFIXES, WEIGHT_SUFFIXES
from sensiview.gui.session import EntryKind
from sensiview.projects.places import stands_for_project

if TYPE_CHECKING:
    from sensiview.analysis.sources import DatasetSource


class EntryCommands(ProjectCommands):
    """Data sets, models and runs as entries of the project."""

    def import_table(self) -> None:
        """Ask for a file, then show how it was understood."""
        self._session.writable_project()
        dialog = QFileDialog(self._window, "Import table")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        patterns = " ".join(f"*{suffix}" for suffix in sorted(TABLE_SUFFIXES))
        dialog.setNameFilters([f"Tables ({patterns})", "All files (*)"])
        dialog.fileSelected.connect(lambda path: self.import_path(Path(path)))
        self._window.show_dialog("choose_table", dialog, sheet=True)

    def import_path(self, path: Path) -> None:
        """Show how a file was understood, before it is added."""
        from sensiview.gui.dialogs.import_table import ImportTableDialog

        dialog = ImportTableDialog(self._session, path, self._window)
        dialog.imported.connect(lambda identifier: self.choose_entry("dataset", identifier))
        self._window.show_dialog("import_table", dialog)

    def import_volumes(self) -> None:
        """Ask for NIfTI files, then show what they are."""
        self._session.writable_project()
        dialog = QFileDialog(self._window, "Import volumes")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters(["Volumes (*.nii *.nii.gz *.img *.hdr)", "All files (*)"])
        dialog.filesSelected.connect(lambda paths: self.import_volume_paths([Path(path) for path in paths]))
        self._window.show_dialog("choose_volumes", dialog, sheet=True)

    def import_volume_folder(self) -> None:
        """Ask for a folder of volumes or of DICOM files, then show what lies in it."""
        self._session.writable_project()
        dialog = QFileDialog(self._window, "Import folder of volumes or DICOM")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        dialog.fileSelected.connect(lambda path: self.import_folder(Path(path)))
        self._window.show_dialog("choose_volume_folder", dialog, sheet=True)

    def import_images(self) -> None:
        """Ask for files of images, then show what they are."""
        self._session.writable_project()
        dialog = QFileDialog(self._window, "Import images")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        patterns = " ".join(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES | ARRAY_SUFFIXES))
        dialog.setNameFilters([f"Images ({patterns})", "Tables of paths (*.csv *.tsv *.txt)", "All files (*)"])
        dialog.filesSelected.connect(lambda paths: self.import_image_paths([Path(path) for path in paths]))
        self._window.show_dialog("choose_images", dialog, sheet=True)

    def import_image_folder(self) -> None:
        """Ask for a folder of images, then show what lies in it."""
        self._session.writable_project()
        dialog = QFileDialog(self._window, "Import folder of images")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        dialog.fileSelected.connect(lambda path: self.import_image_paths([Path(path)]))
        self._window.show_dialog("choose_image_folder", dialog, sheet=True)

    def import_image_paths(self, paths: list[Path]) -> None:
        """Show what images were found, before they are added."""
        from sensiview.gui.dialogs.import_images import ImportImagesDialog

        dialog = ImportImagesDialog(self._session, paths, self._window)
        dialog.imported.connect(lambda identifier: self.choose_entry("dataset", identifier))
        self._window.show_dialog("import_images", dialog)

    def import_folder(self, path: Path) -> None:
        """Show what lies in a folder: images, volumes, or DICOM series. It is looked through in the background."""
        self._import_as_it_is([path])

    def _import_as_it_is(self, paths: list[Path]) -> None:
        """Show files or a folder in the dialog of what they hold."""

        def look() -> str:
            from sensiview.importing import guess_kind

            return guess_kind(paths[:1])

        def show(kind: str) -> None:
            if kind == "table":
                self.import_path(paths[0])
                return
            how = {"dicom": self.import_dicom_paths, "images": self.import_image_paths}
            how.get(kind, self.import_volume_paths)(paths)

        run_in_background(look, show, self._session.problem.emit, owner=self._window)

    def import_volume_paths(self, paths: list[Path]) -> None:
        """Show what volumes were found, before they are added."""
        from sensiview.gui.dialogs.import_volumes import ImportVolumesDialog

        dialog = ImportVolumesDialog(self._session, paths, self._window)
        dialog.imported.connect(lambda identifier: self.choose_entry("dataset", identifier))
        self._window.show_dialog("import_volumes", dialog)

    def import_dicom_paths(self, paths: list[Path]) -> None:
        """Show patients, studies and series, before any is added."""
        from sensiview.gui.dialogs.import_dicom import ImportDicomDialog

        dialog = ImportDicomDialog(self._session, paths, self._window)
        dialog.imported.connect(lambda identifier: self.choose_entry("dataset", identifier))
        self._window.show_dialog("import_dicom", dialog)

    def add_model(self) -> None:
        """Show the form for a model with trained weights."""
        self._add_model(None)

    def _add_model(self, weights: Path | None) -> None:
        from sensiview.gui.dialogs.add_model import AddModelDialog

        self._session.writable_project()
        dialog = AddModelDialog(self._session, weights, self._window)
        dialog.added.connect(lambda identifier: self.choose_entry("model", identifier))
        self._window.show_dialog("add_model", dialog)

    def train(self) -> None:
        """Show the form for training on the chosen data set."""
        from sensiview.gui.dialogs.train import TrainDialog

        dialog = TrainDialog(self._session, self._window)
        dialog.started.connect(self.show_run)
        self._window.show_dialog("train", dialog)

    def set_target(self) -> None:
        """Choose the column that models predict."""
        from sensiview.gui.dialogs.target import TargetDialog

        self._window.show_dialog("target", TargetDialog(self._session, self._window), sheet=True)

    def choose_atlas(self) -> None:
        """Choose the atlas of the selected volumes."""
        from sensiview.gui.dialogs.choose_atlas import ChooseAtlasDialog

        source = self._chosen_volumes()
        self._window.show_dialog("choose_atlas", ChooseAtlasDialog(self._session, source, self._window))

    def resample(self) -> None:
        """Bring the selected volumes onto the grid of a template."""
        from sensiview.gui.dialogs.resample import ResampleDialog

        dialog = ResampleDialog(self._session, self._chosen_volumes(), self._window)
        dialog.started.connect(self.show_run)
        self._window.show_dialog("resample", dialog)

    def _chosen_volumes(self) -> DatasetSource:
        source = self._session.dataset
        if source is None or source.card.kind != "volumes":
            raise UserError("Choose a data set of volumes first.")
        return source

    def locate(self) -> None:
        """Say where a file of the chosen data set or model lies now."""
        from sensiview.gui.locating import ask_for_moved_file

        entry = self._window.tree.current()
        ask_for_moved_file(self._window, entry)

    def take_files(self, files: list[Path]) -> None:
        """Take files from the desktop: projects are opened, tables imported, weights added."""
        for path in files:
            if stands_for_project(path):
                self.open_path(path)
                return
        if pictures := [path for path in files if _is_image_file(path)]:
            with self._session.guard():
                self._session.writable_project()
                self.import_image_paths(pictures)
            return
        volumes = [path for path in files if path.is_dir() or path.name.lower().endswith(VOLUME_SUFFIXES)]
        dicom = [path for path in files if path not in volumes and _is_dicom(path)]
        tables = [path for path in files if path.suffix.lower() in TABLE_SUFFIXES]
        weights = [path for path in files if path.suffix.lower() in WEIGHT_SUFFIXES]
        with self._session.guard():
            if volumes or dicom:
                self._session.writable_project()
                self._take_volumes(volumes, dicom)
                return
            if tables:
                self._session.writable_project()
                # A table may name image files.
                self._import_as_it_is(tables[:1])
            elif weights:
                self._add_model(weights[0])
            else:
                known = {*TABLE_SUFFIXES, *VOLUME_SUFFIXES, *DICOM_SUFFIXES, *WEIGHT_SUFFIXES, *PICTURE_SUFFIXES}
                raise UserError(
                    f"'{files[0].name}' is neither a table, nor images, nor volumes, nor weights, nor a project. "
                    f"Known: {', '.join(sorted(known))}."
                )
            if len(tables) + len(weights) > 1:
                self._session.say("One file at a time: drop the others after this one.")

    def _take_volumes(self, volumes: list[Path], dicom: list[Path]) -> None:
        """Import dropped volumes as one cohort; a folder alone may hold DICOM."""
        if dicom:
            self._import_as_it_is([*dicom, *volumes])
        elif len(volumes) == 1 and volumes[0].is_dir():
            self.import_folder(volumes[0])
        else:
            self.import_volume_paths(volumes)

    def choose_entry(self, kind: str, identifier: str) -> None:
        """Select an entry and show its page."""
        chosen = cast("EntryKind", kind)
        if chosen == "dataset":
            self._session.select_dataset(identifier)
            self._window.centre.show_page("dataset")
        elif chosen == "model":
            self._session.select_model(identifier)
            self._window.centre.show_page("model")
        else:
            self._session.select_run(identifier)
            run = self._session.run_record(identifier)
            if run is not None and run.state == "succeeded":
                self.show_run(run)
        self._window.tree.select(chosen, identifier, quiet=True)

    def open_entry(self, kind: str, identifier: str) -> None:
        """Show an entry; a run that has no result yet shows how far it is."""
        self.choose_entry(kind, identifier)
        if kind == "run":
            run = self._session.run_record(identifier)
            if run is not None:
                self.show_run(run)

    def rename(self) -> None:
        """Edit the name in the tree."""
        self._window.tree.rename_current()

    def delete(self) -> None:
        """Move the tree's current entry to the trash."""
        self._window.tree.delete_current()

    def trash(self) -> None:
        """Show what was deleted."""
        from sensiview.gui.dialogs.trash import TrashDialog

        self._window.show_dialog("trash", TrashDialog(self._session, self._window))

    def undo(self) -> None:
        """Take back the latest change."""
        self._session.undo.undo()

    def redo(self) -> None:
        """Make the change again."""
        self._session.undo.redo()

    def find(self) -> None:
        """Go to the search field."""
        self._window.docks["project"].show()
        self._window.docks["project"].raise_()
        self._window.tree.search.setFocus()
        self._window.tree.search.selectAll()


def _is_image_file(path: Path) -> bool:
    """Say whether a file is a picture, a video, an array, or MNIST's or CIFAR's, by its name."""
    suffix = path.suffix.lower()
    named = suffix in PICTURE_SUFFIXES | VIDEO_SUFFIXES | ARRAY_SUFFIXES or "idx" in path.name
    return path.is_file() and (named or suffix == ".bin")


def _is_dicom(path: Path) -> bool:
    """Say whether a file is DICOM: by its ending, or by what it begins with where it has none or a number."""
    if path.suffix.lower() in DICOM_SUFFIXES:
        return True
    if path.suffix[1:].isalpha() or not path.is_file():
        return False
    from sensiview.importing import guess_kind

    return guess_kind([path]) in ("dicom", "images")
