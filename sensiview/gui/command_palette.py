"""One field that finds everything: commands, data sets, models, runs, analyses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout

from sensiview.gui import entry_texts
from sensiview.gui.entry_delegate import SUBTITLE, EntryDelegate
from sensiview.gui.icons import icon

if TYPE_CHECKING:
    from sensiview.gui.main_window import MainWindow

_SHOWN = 60
_ENTRY = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class PaletteEntry:
    """Something that can be chosen; `reason` says why it can't be now."""

    title: str
    subtitle: str
    picture: str
    act: Callable[[], None]
    reason: str = ""


def fuzzy_score(wanted: str, text: str) -> float | None:
    """Return how well `text` fits what was typed; None when its letters do not occur in this order.

    Letters at word beginnings and letters in a row count more; short texts win over long ones.
    """
    letters = [letter for letter in wanted.casefold() if not letter.isspace()]
    low = text.casefold()
    if not letters:
        return 0.0
    at, score, before = 0, 0.5 * low.startswith(letters[0]), -2
    for letter in letters:
        # A word that begins with the letter is preferred to the next occurrence inside a word.
        begins = next((i for i in range(at, len(low)) if low[i] == letter and (i == 0 or not low[i - 1].isalnum())), -1)
        following = low.find(letter, at)
        if following < 0:
            return None
        found = following if following == before + 1 or begins < 0 or begins - following > 20 else begins
        score += 3.0 if found in (before + 1, begins) else 1.0
        before, at = found, found + 1
    return score / len(letters) - 0.01 * len(text)


class CommandPalette(QDialog):
    """Type, choose with the arrows, press Enter."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("command_palette")
        self.setWindowTitle("Command palette")
        self.setAccessibleName("Command palette")
        self._window = window
        self._entries = list(self._collect())
        self.field = QLineEdit(self, placeholderText="Type a command, data set, model, run or analysis")
        self.field.setObjectName("palette_field")
        self.field.setAccessibleName("What to find")
        self.field.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.list = QListWidget(self)
        self.list.setObjectName("palette_list")
        self.list.setAccessibleName("What was found")
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._none = QLabel("Nothing of that name.", self)
        self._none.setProperty("role", "muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        layout.addWidget(self._none)
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(self._choose)
        self.resize(min(620, max(420, window.width() - 160)), min(460, max(240, window.height() - 160)))
        middle = window.mapToGlobal(window.rect().center())
        self.move(middle.x() - self.width() // 2, window.mapToGlobal(window.rect().topLeft()).y() + 72)
        self._filter("")
        self.field.setFocus()

    def _collect(self) -> Iterator[PaletteEntry]:
        window, session = self._window, self._window.session
        for key, info in window.action_set.infos.items():
            if key == "palette":
                continue
            action = window.action_set[key]
            reason = window.action_set.reasons[key]
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            subtitle = reason or (f"{info.tip}   {keys}" if keys else info.tip)
            yield PaletteEntry(info.title, subtitle, info.icon or "chevron_right", action.trigger, reason)
        if session.project is None:
            return
        for source in session.datasets():
            yield self._entry(
                "dataset", source.id, source.card.name, entry_texts.dataset_subtitle(source.card), "dataset"
            )
        for model in session.models():
            yield self._entry("model", model.id, model.card.name, entry_texts.model_subtitle(model.card), "model")
        for run in reversed(session.runs()):
            yield self._entry("run", run.id, run.name, entry_texts.run_subtitle(run), run.state)
        if window.analysis is not None:
            for analysis in session.catalogue:
                act = self._chooser(analysis.key)
                yield PaletteEntry(f"Analysis: {analysis.title}", analysis.summary(), "analysis", act)

    def _entry(self, kind: str, identifier: str, name: str, subtitle: str, picture: str) -> PaletteEntry:
        return PaletteEntry(name, subtitle, picture, lambda: self._window.commands.open_entry(kind, identifier))

    def _chooser(self, key: str) -> Callable[[], None]:
        def choose() -> None:
            self._window.commands.choose_analysis()
            if self._window.analysis is not None:
                self._window.analysis.list.choose(key)

        return choose

    def _filter(self, wanted: str) -> None:
        scored = [(fuzzy_score(wanted, entry.title), entry) for entry in self._entries]
        found = [(score, entry) for score, entry in scored if score is not None]
        # What can't be done now comes last; the sort keeps the declared order among equals.
        found.sort(key=lambda pair: (bool(pair[1].reason), -pair[0]))
        self.list.clear()
        for _score, entry in found[:_SHOWN]:
            item = QListWidgetItem(icon(entry.picture), entry.title)
            item.setData(SUBTITLE, entry.subtitle)
            item.setData(_ENTRY, entry)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.title}: {entry.subtitle}")
            if entry.reason:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
            self.list.addItem(item)
        self.list.setVisible(bool(found))
        self._none.setVisible(not found)
        self.list.setCurrentRow(0)

    def titles(self) -> list[str]:
        """Return what is offered, best first."""
        return [self.list.item(row).text() for row in range(self.list.count())]

    def _choose(self, item: QListWidgetItem | None) -> None:
        entry = item.data(_ENTRY) if item is not None else None
        if isinstance(entry, PaletteEntry) and not entry.reason:
            self.accept()
            # After the popup is gone, so that what follows gets the focus.
            QTimer.singleShot(0, self._window, lambda: self._act(entry))

    def _act(self, entry: PaletteEntry) -> None:
        with self._window.session.guard():
            entry.act()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while the field keeps the keyboard; Enter chooses."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
            key = Qt.Key(event.key())
            if key in steps and self.list.count():
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, self.list.currentRow() + steps[key])))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose(self.list.currentItem())
                return True
        return False
