"""The choices above a plot: built from a declaration, keeping what was chosen when they are offered anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLayout, QWidget

from sensiview.gui.flow_layout import FlowLayout


@dataclass(frozen=True)
class Chooser:
    """A choice above the plot. `options` are (value, text); without `default` the first is taken."""

    key: str
    label: str
    options: tuple[tuple[str, str], ...]
    default: str = ""


class ChooserBar(QWidget):
    """Labelled drop-down lists side by side.

    Signals
    -------
    changed()
        The user chose something else.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choosers: list[Chooser] = []
        self._combos: dict[str, QComboBox] = {}
        self._row = FlowLayout(self)

    def offer(self, choosers: Sequence[Chooser]) -> None:
        """Show these choices; nothing happens when they are those already shown."""
        if list(choosers) == self._choosers:
            return
        kept = self.state()
        self._choosers, self._combos = list(choosers), {}
        clear_layout(self._row)
        for chooser in choosers:
            pair, label, combo = QWidget(), QLabel(chooser.label), _NarrowCombo()
            combo.setObjectName(f"plot_{chooser.key}")
            combo.setAccessibleName(chooser.label)
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            combo.setMaximumWidth(200)
            label.setBuddy(combo)
            for value, text in chooser.options:
                combo.addItem(text, value)
            wanted = kept.get(chooser.key, chooser.default)
            combo.setCurrentIndex(max(0, combo.findData(wanted)))
            combo.currentIndexChanged.connect(self.changed)
            self._combos[chooser.key] = combo
            # A label never stands at the end of one line and its list at the beginning of the next.
            row = QHBoxLayout(pair)
            row.setContentsMargins(0, 0, 0, 0)
            row.addWidget(label)
            row.addWidget(combo)
            self._row.addWidget(pair)

    def chosen(self, key: str) -> str:
        """Return the chosen value; empty when this choice is not offered."""
        combo = self._combos.get(key)
        return str(combo.currentData()) if combo is not None and combo.count() else ""

    def state(self) -> dict[str, str]:
        """Return every chosen value."""
        return {key: str(combo.currentData()) for key, combo in self._combos.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Choose what `state` gave, without saying so; what is no longer offered is left as it is."""
        for key, combo in self._combos.items():
            at = combo.findData(state.get(key))
            if at >= 0:
                combo.blockSignals(True)
                combo.setCurrentIndex(at)
                combo.blockSignals(False)


class _NarrowCombo(QComboBox):
    """As wide as its longest entry where there is room, and no reason to widen the window where there is none."""

    def minimumSizeHint(self) -> QSize:
        """Ask for a few letters."""
        return QSize(72, super().minimumSizeHint().height())


def clear_layout(layout: QLayout) -> None:
    """Take all widgets out of a layout and delete them, later: one of them may be the one that was just used."""
    while (taken := layout.takeAt(0)) is not None:
        widget = taken.widget()
        if widget is not None:
            widget.hide()
            for part in (widget, *widget.findChildren(QWidget)):
                part.setObjectName("")  # nobody finds it any more
            widget.deleteLater()
