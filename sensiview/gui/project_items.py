"""The items of the project tree: an icon, a name, a second line, a tool tip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QStandardItem

from sensiview.gui import entry_texts as texts
from sensiview.gui.entry_delegate import SUBTITLE
from sensiview.gui.icons import icon
from sensiview.gui.session import EntryKind

if TYPE_CHECKING:
    from sensiview.datasets.card import DatasetCard
    from sensiview.models.card import ModelCard
    from sensiview.projects.records import RunRecord

KIND = Qt.ItemDataRole.UserRole + 1
IDENTIFIER = Qt.ItemDataRole.UserRole + 2
# The name as the project has it: what an edited text is compared with.
NAME = Qt.ItemDataRole.UserRole + 3


def entry_of(index: QModelIndex | QPersistentModelIndex) -> tuple[EntryKind, str] | None:
    """Return kind and identifier of an entry; None for a group or a hint."""
    identifier = index.data(IDENTIFIER) if index.isValid() else None
    return (index.data(KIND), str(identifier)) if identifier else None


def group_item(kind: EntryKind, title: str, count: int) -> QStandardItem:
    """Return the item of a group, with the number of its entries."""
    item = QStandardItem(f"{title} ({count})" if count else title)
    item.setEditable(False)
    item.setData(kind, KIND)
    item.setSelectable(False)
    font = item.font()
    font.setBold(True)
    item.setFont(font)
    return item


def hint_item(text: str) -> QStandardItem:
    """Return the line that says what to do where a group is empty."""
    item = QStandardItem(text)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    font = item.font()
    font.setItalic(True)
    item.setFont(font)
    return item


def _item(kind: EntryKind, identifier: str, name: str, subtitle: str, picture: str, tip: str) -> QStandardItem:
    item = QStandardItem(icon(picture), name)
    item.setData(kind, KIND)
    item.setData(identifier, IDENTIFIER)
    item.setData(subtitle, SUBTITLE)
    item.setData(name, NAME)
    item.setToolTip(tip)
    item.setData(f"{name}, {subtitle}", Qt.ItemDataRole.AccessibleTextRole)
    return item


def dataset_item(identifier: str, card: DatasetCard) -> QStandardItem:
    """Return the item of a data set."""
    return _item("dataset", identifier, card.name, texts.dataset_subtitle(card), "dataset", texts.dataset_tip(card))


def model_item(identifier: str, card: ModelCard) -> QStandardItem:
    """Return the item of a model."""
    return _item("model", identifier, card.name, texts.model_subtitle(card), "model", texts.model_tip(card))


def run_item(run: RunRecord) -> QStandardItem:
    """Return the item of a run, with the icon of its state."""
    return _item("run", run.id, run.name, texts.run_subtitle(run), run.state, texts.run_tip(run))
