"""The workbench's own buttons: undo, saved views, pictures, keys, panels; and the dialogs behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QInputDialog, QMenu, QToolButton

from sensiview.errors import SensiViewError
from sensiview.gui.guard import Guard
from sensiview.gui.key_bindings import notifier
from sensiview.gui.viewer import saved_views
from sensiview.gui.viewer.panels.buttons import menu_button, tool_button
from sensiview.gui.viewer.panels.commands import tip
from sensiview.gui.viewer.panels.lightbox_dialog import LightboxDialog
from sensiview.gui.viewer.panels.screenshot_dialog import ScreenshotDialog
from sensiview.gui.viewer.panels.shortcut_sheet import ShortcutSheet
from sensiview.gui.viewer.saved_views import ViewStore

if TYPE_CHECKING:
    from sensiview.gui.viewer.workbench import ViewerWorkbench

_LONGEST_NAME = 80


class PictureTools(QObject):
    """Buttons and dialogs of one workbench.

    Signals
    -------
    problem(object)
        A `SensiViewError` for the user.
    """

    problem = Signal(object)

    def __init__(self, workbench: ViewerWorkbench) -> None:
        super().__init__(workbench)
        self._bench = workbench
        self._store: ViewStore | None = None
        self._volume = ""
        self._dialogs: dict[str, QDialog] = {}
        make = workbench
        self.undo = tool_button(make, "view_undo", "", "Undo", make.commands.undo, picture="undo")
        self.redo = tool_button(make, "view_redo", "", "Redo", make.commands.redo, picture="redo")
        self.views = menu_button(make, "saved_views", "Views", "Saved views", self._fill_views)
        self.camera = tool_button(make, "view_screenshot", "", "Save a picture", self.ask_screenshot, picture="camera")
        self.mosaic = tool_button(
            make, "view_lightbox", "", "Many slices at once", self.open_lightbox, picture="mosaic"
        )
        self.keys = tool_button(
            make, "view_shortcuts", "", "Keys of the viewer", make.commands.shortcut_sheet, picture="keyboard"
        )
        self.panels = tool_button(
            make, "view_panels", "", "Show or hide the panels", make.commands.toggle_side, picture="layout"
        )
        self._named_keys = (
            (self.camera, "screenshot", ""), (self.mosaic, "lightbox", ""),
            (self.keys, "shortcut_sheet", "Keys of the viewer"), (self.panels, "toggle_side", ""),
        )  # fmt: skip
        make.history.changed.connect(self._show_history)
        notifier.changed.connect(self._show_keys)
        self._show_keys()

    def buttons(self) -> tuple[QToolButton, ...]:
        """Return the buttons from left to right."""
        return self.undo, self.redo, self.views, self.camera, self.mosaic, self.keys, self.panels

    def set_store(self, store: ViewStore | None, volume: str) -> None:
        """Say where views are kept, and what is shown: an identifier that a view is saved with."""
        self._store, self._volume = store, volume

    def save_view(self, name: str) -> None:
        """Keep the present view under a name, in place of an earlier one of that name."""
        if self._store is not None and name.strip():
            with Guard(self._tell):
                view = saved_views.view_to_dict(self._bench.viewer, volume=self._volume)
                saved_views.save(self._store, name.strip()[:_LONGEST_NAME], view)

    def open_view(self, name: str) -> None:
        """Show a kept view: its case first where the cohort has it; layers that are not there are named."""
        if self._store is None:
            return
        with Guard(self._tell):
            view = saved_views.load(self._store, name)
            folder, _, case = str(view.get("volume", "")).rpartition("/")
            names = self._bench.side.cases.model.names
            if view.get("volume") != self._volume and folder == self._volume.rpartition("/")[0] and case in names:
                once = Qt.ConnectionType.SingleShotConnection
                self._bench.shown.connect(lambda: self._apply(name, view), once)
                self._bench.choose_case(names.index(case))
            else:
                self._apply(name, view)

    def _apply(self, name: str, view: Mapping[str, Any]) -> None:
        missing = saved_views.apply_view(self._bench.viewer, view)
        sentences = []
        if view.get("volume", "") != self._volume:
            sentences.append(f"'{name}' was saved of {view.get('title') or 'another volume'}.")
        if missing:
            sentences.append(f"Not shown here: {', '.join(missing)}.")
        self._bench.say(" ".join(sentences))

    def delete_view(self, name: str) -> None:
        """Forget a kept view."""
        if self._store is not None:
            with Guard(self._tell):
                saved_views.delete(self._store, name)

    def copy(self) -> None:
        """Copy the panes as they are seen."""
        QGuiApplication.clipboard().setImage(self._bench.viewer.picture())

    def ask_screenshot(self) -> None:
        """Open the dialog for pictures."""
        dialog = ScreenshotDialog(self._bench.viewer, self._bench)
        dialog.problem.connect(self.problem)
        self._open("screenshot", dialog)

    def open_lightbox(self) -> None:
        """Open the mosaic of slices."""
        dialog = LightboxDialog(self._bench.scene, self._bench)
        dialog.problem.connect(self.problem)
        self._open("lightbox", dialog)

    def open_shortcuts(self, more: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        """Show all keys."""
        self._open("shortcuts", ShortcutSheet(more, self._bench))

    def _open(self, kind: str, dialog: QDialog) -> None:
        old = self._dialogs.pop(kind, None)
        if old is not None:
            old.close()
        self._dialogs[kind] = dialog
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(lambda: self._closed(kind, dialog))
        dialog.show()

    def _closed(self, kind: str, dialog: QDialog) -> None:
        if self._dialogs.get(kind) is dialog:
            del self._dialogs[kind]

    def _tell(self, error: SensiViewError) -> None:
        self._bench.say(error.sentence)
        self.problem.emit(error)

    def _fill_views(self, menu: QMenu) -> None:
        keep = menu.addAction("Save this view …", self._ask_name)
        keep.setObjectName("save_view")
        keep.setEnabled(self._store is not None and bool(self._bench.scene.layers))
        if self._store is None:
            keep.setToolTip("Open a project to save views")
            return
        names = saved_views.saved_names(self._store)
        if names:
            menu.addSeparator()
        for name in names:
            self._entry(menu, name, f"view_{name}", self.open_view, name)
        if names:
            menu.addSeparator()
            removal = menu.addMenu("Delete")
            removal.setObjectName("delete_views")
            for name in names:
                self._entry(removal, name, f"delete_view_{name}", self.delete_view, name)

    @staticmethod
    def _entry(menu: QMenu, text: str, name: str, call: Any, argument: str) -> None:
        action = menu.addAction(text.replace("&", "&&"))
        action.setObjectName(name)
        action.triggered.connect(lambda *_: call(argument))

    def _ask_name(self) -> None:
        dialog = QInputDialog(self._bench)
        dialog.setObjectName("view_name_dialog")
        dialog.setWindowTitle("Save view")
        dialog.setLabelText("Name of this view (an earlier one of that name is replaced):")
        dialog.setTextValue(self._bench.scene.title)
        dialog.textValueSelected.connect(self.save_view)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _show_keys(self) -> None:
        for button, command, text in self._named_keys:
            button.setToolTip(tip(command, text))
        self._show_history()

    def _show_history(self) -> None:
        history = self._bench.history
        undone, redone = history.undo_text(), history.redo_text()
        for button, command, word, text in ((self.undo, "undo", "Undo", undone), (self.redo, "redo", "Redo", redone)):
            button.setEnabled(bool(text))
            button.setToolTip(tip(command, f"{word} {text}" if text else word))
