"""Everything that comes with SensiView in one list that can be searched, with the licence text of the chosen row."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sensiview.components import Component, Kind, licence_text
from sensiview.gui.dialogs.layout import heading_row, label, named
from sensiview.gui.icons import icon

_GROUPS: dict[Kind, str] = {"python": "Python packages", "library": "Libraries", "data": "Data"}
_COMPONENT = Qt.ItemDataRole.UserRole


class ComponentList(QWidget):
    """The list on the left, the licence of the chosen component on the right; filled by `show_components`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[QTreeWidgetItem] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(8)
        self.search = QLineEdit(self, placeholderText="Search names and licences", clearButtonEnabled=True)
        named(self.search, "component_search", "Search names and licences")
        self.search.addAction(icon("search"), QLineEdit.ActionPosition.LeadingPosition)
        self.count = label("Reading what is installed ...", "muted", self, name="component_count")
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.search, 1)
        row.addWidget(self.count)
        self.count.setWordWrap(False)
        column.addLayout(row)
        self.tree = QTreeWidget(self)
        named(self.tree, "component_list", "Components with version and licence")
        self.tree.setHeaderLabels(["Component", "Version", "Licence"])
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(8)
        self.tree.setUniformRowHeights(True)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.tree)
        self.splitter.addWidget(self._text_side())
        self.splitter.setSizes([470, 600])
        column.addWidget(self.splitter, 1)
        self.search.textChanged.connect(self._filter)
        self.tree.currentItemChanged.connect(lambda *_: self._choose())

    def show_components(self, components: Sequence[Component]) -> None:
        """Fill the list, grouped by kind, and choose the first component."""
        self.tree.clear()
        self._rows = []
        for kind, title in _GROUPS.items():
            members = [component for component in components if component.kind == kind]
            if members:
                self._add_group(f"{title} ({len(members)})", members)
        self.tree.expandAll()
        header = self.tree.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.tree.resizeColumnToContents(0)
        header.resizeSection(0, min(header.sectionSize(0), 210))
        header.resizeSection(1, 110)
        self._filter(self.search.text())

    def chosen(self) -> Component | None:
        """Return the component whose licence is shown."""
        row = self.tree.currentItem()
        found = row.data(0, _COMPONENT) if row is not None else None
        return found if isinstance(found, Component) else None

    def choose(self, name: str) -> None:
        """Choose a component by its name."""
        for row in self._rows:
            if row.text(0) == name:
                self.tree.setCurrentItem(row)
                return

    def _text_side(self) -> QWidget:
        side = QWidget(self)
        column = QVBoxLayout(side)
        column.setContentsMargins(8, 0, 0, 0)
        column.setSpacing(4)
        self.title = label("", "subheading", side, name="component_title")
        self.facts = label("", "muted", side, name="component_facts")
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text = QPlainTextEdit(side)
        named(self.text, "licence_text", "Licence text")
        self.text.setReadOnly(True)
        # Licences are set by hand, in lines of up to 80 characters.
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(max(7.0, self.font().pointSizeF() - 1))
        self.text.setFont(font)
        for widget in (self.title, self.facts):
            column.addWidget(widget)
        column.addWidget(self.text, 1)
        return side

    def _add_group(self, title: str, members: Sequence[Component]) -> None:
        group = heading_row(self.tree, title)
        group.setFirstColumnSpanned(True)
        for component in members:
            name = "SensiView" if component.name == "sensiview" else component.name
            row = QTreeWidgetItem([name, component.version, component.licence])
            for at in range(3):
                row.setToolTip(at, row.text(at))
            row.setData(0, _COMPONENT, component)
            group.addChild(row)
            self._rows.append(row)

    def _filter(self, text: str) -> None:
        """Show the rows that hold every word; when the chosen one goes, the first that is left is chosen."""
        words = text.casefold().split()
        shown = []
        for row in self._rows:
            said = " ".join(row.text(at) for at in range(3)).casefold()
            row.setHidden(not all(word in said for word in words))
            if not row.isHidden():
                shown.append(row)
        for at in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(at)
            if group is not None:
                rows = [group.child(i) for i in range(group.childCount())]
                group.setHidden(all(row is None or row.isHidden() for row in rows))
        everything = len(self._rows)
        self.count.setText(f"{everything} components" if not words else f"{len(shown)} of {everything} components")
        current = self.tree.currentItem()
        if shown and (current is None or current.isHidden() or self.chosen() is None):
            self.tree.setCurrentItem(shown[0])

    def _choose(self) -> None:
        component = self.chosen()
        if component is None:
            return
        name = "SensiView" if component.name == "sensiview" else component.name
        self.title.setText(f"{name} {component.version}")
        self.facts.setText("\n".join(filter(None, [component.licence, component.homepage])))
        self.text.setPlainText(licence_text(component))
