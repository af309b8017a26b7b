"""Commands about the window itself, and help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from sensiview import locations
from sensiview.gui.themes import apply_theme, theme
from sensiview.gui.window_part import WindowPart


class ViewCommands(WindowPart):
    """Pages, panes, theme, palette, help."""

    _hidden: Sequence[str] = ()

    def show_dataset(self) -> None:
        """Show the data set's page."""
        self._window.centre.show_page("dataset")

    def show_model(self) -> None:
        """Show the model's page."""
        self._window.centre.show_page("model")

    def show_results(self) -> None:
        """Show the result tabs; the chosen run's when it has a result."""
        self._window.centre.show_page("results")
        run = self._session.run
        if run is not None and run.state == "succeeded":
            self.show_run(run)

    def next_pane(self) -> None:
        """Move the keyboard to the first field of the next visible pane."""
        window = self._window
        panes: list[QWidget] = [dock for dock in window.docks.values() if dock.isVisible()]
        panes.insert(1, window.centre)
        focus = window.focusWidget()
        now = next((i for i, pane in enumerate(panes) if focus is not None and pane.isAncestorOf(focus)), -1)
        for step in range(1, len(panes) + 1):
            if _focus_into(panes[(now + step) % len(panes)]):
                return

    def switch_theme(self) -> None:
        """Switch between light and dark, for now and the next start."""
        from sensiview.gui.dialogs.preferences import keep_settings

        name: Literal["light", "dark"] = "light" if theme().name == "dark" else "dark"
        keep_settings(self._session, replace(self._session.settings, theme=name))
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, name)

    def full_screen(self) -> None:
        """Fill the screen, or stop that."""
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def page_only(self) -> None:
        """Hide every pane around the page, or bring back those that were hidden."""
        docks = self._window.docks
        shown = [name for name, dock in docks.items() if not dock.isHidden()]
        if shown:
            self._hidden = shown
            for name in shown:
                docks[name].hide()
        else:
            for name in self._hidden or list(docks):
                docks[name].show()

    def reset_layout(self) -> None:
        """Put the panes back."""
        from sensiview.gui.window_layout import forget_docks

        forget_docks()
        if self._session.project is not None:
            self._window.first_layout()

    def palette(self) -> None:
        """Show the command palette."""
        from sensiview.gui.command_palette import CommandPalette

        self._window.show_dialog("palette", CommandPalette(self._window))

    def preferences(self) -> None:
        """Show the preferences."""
        from sensiview.gui.dialogs.preferences import PreferencesDialog

        dialog = PreferencesDialog(self._session, self._window)
        dialog.shortcuts_wanted.connect(self._window.action_set["shortcuts"].trigger)
        self._window.show_dialog("preferences", dialog)

    def plugins(self) -> None:
        """Show the plugins."""
        from sensiview.gui.dialogs.plugins import PluginsDialog

        self._window.show_dialog("plugins", PluginsDialog(self._session, self._window))

    def shortcuts(self) -> None:
        """Show every shortcut."""
        from sensiview.gui.dialogs.shortcuts import ShortcutsDialog

        self._window.show_dialog("shortcuts", ShortcutsDialog(self._window.action_set, self._session, self._window))

    def about(self) -> None:
        """Show version and licences."""
        from sensiview.gui.dialogs.about import AboutDialog

        self._window.show_dialog("about", AboutDialog(self._window))

    def show_log(self) -> None:
        """Open the folder of the log."""
        folder = locations.log_file().parent
        folder.mkdir(parents=True, exist_ok=True)
        self.show_in_file_manager(folder)


def _focus_into(pane: QWidget) -> bool:
    for widget in pane.findChildren(QWidget):
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            widget.setFocus(Qt.FocusReason.TabFocusReason)
            return True
    return False
