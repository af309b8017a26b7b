"""The chosen model: its layers with shapes and sizes, and what is known of it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QSplitter,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sensiview.gui.elided_label import ElidedLabel
from sensiview.gui.facts_tree import FactsTree
from sensiview.gui.model_facts import accuracy_text, headline, sections, shape_text
from sensiview.gui.number_text import grouped
from sensiview.gui.session import Session
from sensiview.models.card import LayerCard, ModelCard

_NOTHING = "No model is chosen.\n\nTrain one on the data set, or add one with its trained weights."


class ModelPane(QWidget):
    """The model's page."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("model_pane")
        self._session = session
        self.heading, self.line, self.accuracy = ElidedLabel(), ElidedLabel(), ElidedLabel()
        self.heading.setProperty("role", "heading")
        self.line.setProperty("role", "muted")
        self.accuracy.setObjectName("model_accuracy")
        self.layers = LayerTree()
        self.facts = FactsTree("model_facts", "What is known of this model")
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.setObjectName("model_splitter")
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.layers)
        splitter.addWidget(self.facts)
        splitter.setSizes([480, 420])
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(6)
        column.addWidget(self.heading)
        column.addWidget(self.line)
        column.addWidget(self.accuracy)
        column.addSpacing(6)
        column.addWidget(splitter, 1)
        nothing = QLabel(_NOTHING)
        nothing.setObjectName("no_model")
        nothing.setProperty("role", "muted")
        nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        nothing.setWordWrap(True)
        self._stack = QStackedWidget()
        self._stack.addWidget(nothing)
        self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        for signal in (session.project_changed, session.models_changed, session.selection_changed):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the model that is chosen now."""
        source = self._session.model
        self._stack.setCurrentIndex(1 if source is not None else 0)
        if source is None:
            return
        card = source.card
        self.heading.setText(card.name)
        self.line.setText(headline(card))
        self.accuracy.setText(accuracy_text(card))
        self.accuracy.setVisible(bool(card.accuracy))
        self.layers.show_layers(card)
        self.facts.show_sections(sections(source))


class LayerTree(QTreeWidget):
    """Modules as they are nested; their dotted names are what analyses call layers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[LayerCard, ...] | None = None
        self.setObjectName("layer_tree")
        self.setAccessibleName("Layers of the model")
        self.setColumnCount(4)
        self.setHeaderLabels(["Layer", "Kind", "Output", "Parameters"])
        self.headerItem().setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setAlternatingRowColors(True)
        self.setUniformRowHeights(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        copy = QAction("Copy layer name", self)
        copy.setObjectName("copy_layer_name")
        copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self._copy)
        self.addAction(copy)

    def show_layers(self, card: ModelCard) -> None:
        """Show a model's layers and the sum of their parameters."""
        if card.layers == self._shown:
            return
        self._shown = card.layers
        self.clear()
        made: dict[str, QTreeWidgetItem] = {}
        for layer in card.layers:
            parent = _parent(layer.name, made)
            name = layer.name.removeprefix(f"{parent}.") if parent else layer.name
            # Modules like the network itself have no name of their own.
            cells = [name or "(whole network)", layer.kind, shape_text(layer.output_shape) or "–"]
            # Parameters of a layer with several names are counted once.
            count = grouped(layer.parameters) if layer.parameters and not layer.same_as else ""
            item = QTreeWidgetItem([*cells, f"as {layer.same_as}" if layer.same_as else count])
            item.setData(0, Qt.ItemDataRole.UserRole, layer.name)
            item.setToolTip(0, f"{layer.name} is the same layer as {layer.same_as}" if layer.same_as else layer.name)
            item.setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            if parent:
                made[parent].addChild(item)
            else:
                self.addTopLevelItem(item)
            made[layer.name] = item
        self.setRootIsDecorated(any(item.parent() is not None for item in made.values()))
        total = QTreeWidgetItem(["Total", "", "", grouped(card.n_parameters)])
        total.setFlags(Qt.ItemFlag.ItemIsEnabled)
        total.setTextAlignment(3, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        font = self.font()
        font.setBold(True)
        for column in range(4):
            total.setFont(column, font)
        self.addTopLevelItem(total)
        self.expandAll()

    def layer_names(self) -> list[str]:
        """Return the dotted names that are shown."""
        return [layer.name for layer in self._shown or ()]

    def _copy(self) -> None:
        item = self.currentItem()
        if item is not None and item.data(0, Qt.ItemDataRole.UserRole):
            QGuiApplication.clipboard().setText(str(item.data(0, Qt.ItemDataRole.UserRole)))


def _parent(name: str, made: dict[str, QTreeWidgetItem]) -> str:
    """Return the nearest module around a layer that is in the tree; empty at the top."""
    while "." in name:
        name = name.rsplit(".", 1)[0]
        if name in made:
            return name
    return ""
