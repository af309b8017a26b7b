"""Every shortcut on one page, from the declared commands; the keys of a chosen command can be changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from sensiview.gui.actions import ActionSet
from sensiview.gui.dialogs.layout import close_button, dialog_column, heading_row, label, named, set_role
from sensiview.gui.dialogs.preferences import keep_settings
from sensiview.gui.icons import icon
from sensiview.gui.key_bindings import native, notifier
from sensiview.gui.rebindable import Rebindable, clashes, hidden_by_viewer, rebindable, with_keys_for, without
from sensiview.gui.viewer.shortcut_table import MOUSE

if TYPE_CHECKING:
    from sensiview.gui.session import Session

_COMMAND = Qt.ItemDataRole.UserRole
_MOUSE = "Viewer: mouse"


def viewer_shortcuts() -> list[tuple[str, str, str]]:
    """Return keys, what they do and their group, for every key and mouse action of the viewer."""
    mouse = [(keys, text, _MOUSE) for keys, text in MOUSE]
    keys = [(_texts(entry), entry.text, entry.group) for entry in rebindable().values() if entry.reach == "viewer"]
    return [*mouse, *keys]


class ShortcutsDialog(QDialog):
    """The commands by menu with their keys; typing narrows the list, choosing one lets the user change its keys."""

    def __init__(self, actions: ActionSet, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._rows: dict[str, QTreeWidgetItem] = {}
        self._groups: list[QTreeWidgetItem] = []
        column = dialog_column(self, "shortcuts_dialog", "Keyboard shortcuts")
        column.addWidget(label("Keyboard shortcuts", "heading", self))
        self.search = QLineEdit(self, placeholderText="Search commands and keys", clearButtonEnabled=True)
        named(self.search, "shortcut_search", "Search commands and keys")
        self.search.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        column.addWidget(self.search)
        self.tree = QTreeWidget(self)
        named(self.tree, "shortcut_list", "Commands and their shortcuts")
        self.tree.setHeaderLabels(["Command", "Keys", "What it does"])
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(8)
        self._fill()
        column.addWidget(self.tree, 1)
        self._build_editor()
        column.addLayout(self._editor)
        self.answer = label("", "muted", self, name="shortcut_answer")
        column.addWidget(self.answer)
        row = close_button(self)
        self.reset_all = row.addButton("Reset all", QDialogButtonBox.ButtonRole.ResetRole)
        named(self.reset_all, "shortcut_reset_all", "Reset all", "Give every command its first keys again")
        self.reset_all.setAutoDefault(False)
        self.reset_all.clicked.connect(lambda: self._keep({}))
        column.addWidget(row)
        self.search.textChanged.connect(self._filter)
        self.tree.currentItemChanged.connect(lambda *_: self._choose())
        notifier.changed.connect(self._show_keys)
        self._show_keys()
        self._choose()
        self.resize(820, 680)
        self.search.setFocus()

    # The list

    def _fill(self) -> None:
        groups: dict[str, QTreeWidgetItem] = {}
        for entry in rebindable().values():
            if entry.group not in groups:
                groups[entry.group] = self._add_group(entry.group)
            row = QTreeWidgetItem([entry.text, "", entry.tip])
            row.setData(0, _COMMAND, entry.command)
            if entry.reach == "window":
                row.setIcon(0, self._actions[entry.command.removeprefix("window.")].icon())
            groups[entry.group].addChild(row)
            self._rows[entry.command] = row
        mouse = self._add_group(_MOUSE)
        for gesture, text in MOUSE:
            mouse.addChild(QTreeWidgetItem([text, gesture, ""]))
        self.tree.expandAll()
        header = self.tree.header()
        for section in (0, 1):
            header.setSectionResizeMode(section, QHeaderView.ResizeMode.ResizeToContents)

    def _add_group(self, title: str) -> QTreeWidgetItem:
        group = heading_row(self.tree, title)
        self._groups.append(group)
        return group

    def _show_keys(self) -> None:
        """Write the keys in force; those that the user chose are bold."""
        for command, row in self._rows.items():
            entry = rebindable()[command]
            row.setText(1, _texts(entry))
            font = row.font(1)
            font.setBold(entry.is_changed)
            row.setFont(1, font)
            row.setToolTip(1, f"First keys: {_native(entry.declared) or 'none'}" if entry.is_changed else "")
        self.reset_all.setEnabled(any(entry.is_changed for entry in rebindable().values()))
        self._filter(self.search.text())

    def _filter(self, text: str) -> None:
        wanted = text.casefold().strip()
        for group in self._groups:
            rows = [row for at in range(group.childCount()) if (row := group.child(at)) is not None]
            for row in rows:
                words = " ".join(row.text(i) for i in range(3)).casefold()
                row.setHidden(wanted not in words)
            group.setHidden(all(row.isHidden() for row in rows))

    # Changing keys

    def _build_editor(self) -> None:
        self.pressed = QKeySequenceEdit(self)
        named(self.pressed, "shortcut_keys", "Press the new keys", "Click here, then press the keys")
        self.pressed.setMaximumSequenceLength(1)
        self.pressed.setClearButtonEnabled(True)
        self.set = self._button("Set", "shortcut_set", "These keys instead of those it has", self._set)
        self.add = self._button("Add", "shortcut_add", "These keys beside those it has", self._add)
        self.remove = self._button("Remove", "shortcut_remove", "Take its keys away", self._remove)
        self.reset = self._button("Reset", "shortcut_reset", "Give it its first keys again", self._reset)
        self._name = label("", "subheading", self, name="shortcut_command")
        self._name.setMinimumWidth(180)
        self._editor = QHBoxLayout()
        self._editor.setSpacing(8)
        self._editor.addWidget(self._name, 1)
        self._editor.addWidget(self.pressed, 1)
        for button in (self.set, self.add, self.remove, self.reset):
            self._editor.addWidget(button)
        self.pressed.keySequenceChanged.connect(lambda _: self._say_clash())

    def _button(self, text: str, name: str, tip: str, call: object) -> QPushButton:
        button = QPushButton(text, self)
        named(button, name, text, tip)
        button.setAutoDefault(False)
        assert callable(call)
        button.clicked.connect(lambda: call())
        return button

    def chosen(self) -> Rebindable | None:
        """Return the command that the keys below the list are about."""
        row = self.tree.currentItem()
        command = row.data(0, _COMMAND) if row is not None else None
        return rebindable().get(str(command)) if command else None

    def choose(self, command: str) -> None:
        """Choose a command by its name."""
        self.tree.setCurrentItem(self._rows[command])

    def _choose(self) -> None:
        self.pressed.clear()
        self._say_clash()

    def _say_clash(self) -> None:
        """Say which command the keys are about, and which other one has them already."""
        entry, key = self.chosen(), self._key()
        self._name.setText(entry.text if entry is not None else "Choose a command to change its keys.")
        for widget, usable in (
            (self.pressed, entry is not None),
            (self.set, bool(entry and key)),
            (self.add, bool(entry and key and not _has(entry, key))),
            (self.remove, bool(entry and entry.keys)),
            (self.reset, bool(entry and entry.is_changed)),
        ):  # fmt: skip
            widget.setEnabled(usable)
        if entry is None or not key:
            self._say("Click into the field and press the keys. In the tree of the project F2 renames, Delete moves to "
                      "the trash, Enter opens; F6 goes from pane to pane.", "muted")  # fmt: skip
            return
        taken = clashes(entry.command, key)
        if taken:
            names = " and ".join(f"'{other.text}' ({other.group})" for other in taken)
            self._say(f"{native(key)} belongs to {names}. Set or Add takes it from there.", "warning")
            return
        other = hidden_by_viewer(entry.command, key)
        if other:
            inside = entry if entry.reach == "viewer" else other[0]
            outside = other[0] if entry.reach == "viewer" else entry
            self._say(f"In the viewer {native(key)} is '{inside.text}', elsewhere '{outside.text}'.", "muted")
            return
        self._say(f"{native(key)} is free.", "good")

    def _say(self, sentence: str, role: str) -> None:
        self.answer.setText(sentence)
        if self.answer.property("role") != role:
            set_role(self.answer, role)

    def _key(self) -> str:
        sequence = self.pressed.keySequence()
        if sequence.isEmpty():
            return ""
        # The keypad's + is the same key to people.
        first: QKeyCombination = sequence[0]  # type: ignore[index]  # PySide's stubs leave it out
        plain = QKeyCombination(first.keyboardModifiers() & ~Qt.KeyboardModifier.KeypadModifier, first.key())
        return QKeySequence(plain).toString()

    def _set(self) -> None:
        entry = self.chosen()
        if entry is not None:
            self._keep(with_keys_for(entry.command, [self._key()]))

    def _add(self) -> None:
        entry = self.chosen()
        if entry is not None:
            self._keep(with_keys_for(entry.command, [*entry.keys, self._key()]))

    def _remove(self) -> None:
        entry = self.chosen()
        if entry is not None:
            self._keep(with_keys_for(entry.command, []))

    def _reset(self) -> None:
        entry = self.chosen()
        if entry is not None:
            self._keep(without(entry.command))

    def _keep(self, chosen: dict[str, tuple[str, ...]]) -> None:
        keep_settings(self._session, replace(self._session.settings, shortcuts={k: list(v) for k, v in chosen.items()}))
        self._choose()


def _texts(entry: Rebindable) -> str:
    return _native(entry.keys)


def _native(keys: tuple[str, ...]) -> str:
    return "   ".join(map(native, keys))


def _has(entry: Rebindable, key: str) -> bool:
    return any(QKeySequence(known) == QKeySequence(key) for known in entry.keys)
