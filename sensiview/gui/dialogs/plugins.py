"""Plugins: what there is, what the user agreed to, and the hash of the exact content an agreement is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QHBoxLayout, QHeaderView, QPushButton, QTreeWidget, QTreeWidgetItem, QWidget

from sensiview import locations
from sensiview.errors import SensiViewError
from sensiview.gui.background import run_in_background
from sensiview.gui.dialogs.layout import close_button, dialog_column, label, named
from sensiview.gui.icons import icon
from sensiview.gui.session import Session

if TYPE_CHECKING:
    from sensiview.plugin_loading import PluginInfo

_INFO = Qt.ItemDataRole.UserRole + 1
_STATES = {
    "bundled": ("comes with SensiView", "succeeded"),
    "trusted": ("trusted, loaded", "succeeded"),
    "untrusted": ("waits for your agreement", "queued"),
    "changed": ("changed since you agreed", "warning"),
    "broken": ("can't be used", "failed"),
    "removed": ("no longer there", "stopped"),
}


class PluginsDialog(QDialog):
    """A plugin is code: it runs only after the user agreed to exactly this content."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        column = dialog_column(self, "plugins_dialog", "Plugins")
        column.addWidget(label("Plugins", "heading", self))
        said = (
            "A plugin is a program: once trusted it can do on this computer whatever you can. Trust what you know. "
            "Your agreement is for the content with exactly this hash; a changed plugin asks again."
        )
        column.addWidget(label(said, "muted", self))
        self.tree = QTreeWidget(self)
        named(self.tree, "plugin_list", "Plugins")
        self.tree.setHeaderLabels(["Plugin", "Version", "State"])
        self.tree.setRootIsDecorated(False)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.currentItemChanged.connect(self._show)
        column.addWidget(self.tree, 1)
        self.details = label("Looking for plugins …", "", self, name="plugin_details")
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.setMinimumHeight(120)
        self.details.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.details)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.trust_button = QPushButton("Trust this content", self)
        named(self.trust_button, "trust_button", "Trust the chosen plugin")
        self.remove_button = QPushButton(icon("delete"), "Remove", self)
        named(self.remove_button, "remove_plugin_button", "Remove the chosen plugin")
        folder = QPushButton(icon("folder"), "Show plugin folder", self)
        named(folder, "plugin_folder_button", "Show the folder of plugins")
        for button in (self.trust_button, self.remove_button, folder):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(close_button(self))
        column.addLayout(row)
        self.trust_button.clicked.connect(self._trust)
        self.remove_button.clicked.connect(self._remove)
        folder.clicked.connect(self._show_folder)
        self._enable(None)
        self.resize(680, 560)
        self.refresh()

    def refresh(self, sentence: str = "") -> None:
        """Look for plugins anew, off the GUI thread."""
        from sensiview.plugin_loading import list_plugins

        self._said = sentence
        run_in_background(list_plugins, self._take, self._fail, owner=self)

    def _take(self, plugins: tuple[PluginInfo, ...]) -> None:
        self.tree.clear()
        for info in plugins:
            words, picture = _STATES.get(info.state, (info.state, "info"))
            item = QTreeWidgetItem([info.title or info.name, info.version, words])
            item.setIcon(0, icon("plugin"))
            item.setIcon(2, icon(picture))
            item.setData(0, _INFO, info)
            self.tree.addTopLevelItem(item)
        first = self.tree.topLevelItem(0)
        if first is not None:
            self.tree.setCurrentItem(first)
        else:
            self.details.setText(f"No plugin yet. Put a plugin's folder into {locations.user_plugins()}.")
        if self._said:
            self._session.say(self._said)

    def current(self) -> PluginInfo | None:
        """Return the chosen plugin."""
        item = self.tree.currentItem()
        info: PluginInfo | None = item.data(0, _INFO) if item is not None else None
        return info

    def _show(self) -> None:
        info = self.current()
        self._enable(info)
        if info is None:
            return
        lines = [info.description] if info.description else []
        lines += [info.reason] if info.reason else []
        offers = [*info.analyses, *info.architectures, *info.partitions, *info.generators]
        lines += [f"Offers: {', '.join(offers)}"] if offers else []
        lines += [f"Licence: {info.licence}"] if info.licence else []
        lines += [f"Folder: {info.path}"] if info.path is not None else []
        lines += [f"SHA-256: {info.sha256}"] if info.sha256 else []
        self.details.setText("\n".join(lines))

    def _enable(self, info: PluginInfo | None) -> None:
        self.trust_button.setEnabled(info is not None and info.state in ("untrusted", "changed"))
        self.remove_button.setEnabled(info is not None and info.kind in ("folder", "package"))

    def _trust(self) -> None:
        info = self.current()
        if info is None:
            return
        from sensiview.plugin_loading import trust_plugin

        run_in_background(
            lambda: trust_plugin(info.name, sha256=info.sha256),
            lambda loaded: self._changed(f"'{loaded.title}' is trusted and loaded."),
            self._fail,
            owner=self,
        )

    def _remove(self) -> None:
        info = self.current()
        if info is None:
            return
        from sensiview.plugin_loading import remove_plugin

        run_in_background(lambda: remove_plugin(info.name), self._changed, self._fail, owner=self)

    def _changed(self, sentence: str) -> None:
        self._session.reload_catalogue()
        self._session.jobs.restart_worker()
        self.refresh(sentence)

    def _fail(self, error: SensiViewError) -> None:
        self._session.problem.emit(error)
        if self.tree.topLevelItemCount() == 0:
            self.details.setText(error.sentence)

    def _show_folder(self) -> None:
        """Open the folder of plugins, made when there is none yet."""
        with self._session.guard():
            folder = locations.user_plugins()
            folder.mkdir(parents=True, exist_ok=True)
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
